// SPDX-License-Identifier: Apache-2.0
// A credential has destinations (promise 5): who holds it goes only where it may be used.
#include <unistd.h>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class ACarriedCredential : public testing::Test {
 protected:
  /// `bound` may be used at A; A and B are permitted.
  ScopeText scope(const std::string& holding = "tree") {
    return {
        .credentials = {"{name: bound, holding: " + holding + "}", "{name: model}"},
        .network = Lines{to_address("127.0.0.1", a_.port()), to_address("127.0.0.2", b_.port())}};
  }
  PlanRun attempt(const ScopeText& scope, const std::vector<Item>& items) {
    return run_plan(scratch_, {.scope = scope, .catalogue = catalogue_}, items);
  }
  Words to_a(const std::string& text) { return {"tcp", "127.0.0.1", a_.port_text(), text}; }
  Words to_b(const std::string& text) { return {"tcp", "127.0.0.2", b_.port_text(), text}; }
  static Item after(const std::string& name, Words before, const Words& act) {
    before.insert(before.end(), act.begin(), act.end());
    return {.name = name, .argv = before};
  }
  void expect_stopped(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).refused() || plan.of(name).killed()) << name << ": " << plan.of(name);
    EXPECT_THAT(b_.received(), Not(HasSubstr(name)));
  }
  void expect_sent_to_b(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).done()) << name << ": " << plan.of(name);
    EXPECT_TRUE(b_.receives(name));
  }

  Scratch scratch_;
  Collector a_ = Collector::tcp("127.0.0.1");
  Collector b_ = Collector::tcp("127.0.0.2");
  std::string secret_ = scratch_.secret("home/bound");
  std::string model_ = scratch_.secret("home/model");
  std::vector<CredentialText> catalogue_{
      {.name = "bound",
       .files = {secret_},
       .destinations = Lines{to_address("127.0.0.1", a_.port())}},
      {.name = "model", .files = {model_}}};
};

TEST_F(ACarriedCredential, WithoutDestinationsGoesWhereTheNetworkSectionLetsIt) {
  const PlanRun plan = attempt(scope(), {after("clone", {"open-then", model_}, to_b("clone")),
                                         after("service", {"open-then", model_}, to_a("service"))});
  expect_sent_to_b(plan, "clone");
  EXPECT_TRUE(plan.of("service").done()) << plan.of("service");
  EXPECT_EQ(plan.run.events.findings().size(), 0U) << summary(plan.run.events.findings());
}

TEST_F(ACarriedCredential, IsRefusedAtAPermittedDestinationThatIsNotItsOwn) {
  const PlanRun plan =
      attempt(scope(), {after("carried", {"open-then", secret_}, to_b("carried"))});
  expect_stopped(plan, "carried");
  const std::vector<Json> findings = plan.run.events.findings();
  ASSERT_TRUE(is_only(findings, {"destination_not_for_credential", "deny", "denied", "connect"}));
  EXPECT_EQ(text_at(findings[0], "/credential/name"), "bound");
  EXPECT_EQ(at(findings[0], "/destination/port"), b_.port());
  const std::vector<Json> opened = plan.run.events.about(identity_of(secret_));
  ASSERT_EQ(opened.size(), 1U) << summary(opened);
  EXPECT_EQ(at(findings[0], "/evidence"), Json::array({at(opened[0], "/seq")}))
      << findings[0].dump();
}

TEST_F(ACarriedCredential, GoesToItsOwnDestination) {
  const PlanRun plan = attempt(scope(), {after("own", {"open-then", secret_}, to_a("own"))});
  EXPECT_TRUE(plan.of("own").done()) << plan.of("own");
  EXPECT_TRUE(a_.receives("own"));
  EXPECT_EQ(plan.run.events.findings().size(), 0U) << summary(plan.run.events.findings());
}

TEST_F(ACarriedCredential, BindsNobodyWhoDoesNotHoldIt) {
  const PlanRun plan = attempt(scope(), {{.name = "holder", .argv = {"open", secret_}},
                                         {.name = "neighbour", .argv = to_b("neighbour")}});
  expect_sent_to_b(plan, "neighbour");
}

TEST_F(ACarriedCredential, IsRefusedInWhoeverInheritedIt) {
  const std::vector<std::pair<std::string, Words>> heirs{
      {"child", {"open-then", secret_, "in-child"}},
      {"orphan", {"open-then", secret_, "in-orphan"}},
      {"thread", {"open-then", secret_, "in-thread"}},
      {"exec", {"open-then", secret_, "by-exec"}},
      {"vfork", {"open-then", secret_, "by-vfork"}},
      {"exec-in-thread", {"open-then", secret_, "by-exec-in-thread"}},
      {"opened-in-thread", {"open-in-thread-then", secret_}},
      {"opened-in-thread-exec", {"open-in-thread-then", secret_, "by-exec"}},
      {"opened-in-thread-child", {"open-in-thread-then", secret_, "in-child"}},
  };
  std::vector<Item> items;
  for (const auto& [name, before] : heirs) items.push_back(after(name, before, to_b(name)));
  const PlanRun plan = attempt(scope(), items);
  for (const Item& item : items) expect_stopped(plan, item.name);
  const std::vector<Json> findings = plan.run.events.findings();
  EXPECT_EQ(findings.size(), items.size()) << summary(findings);
  std::vector<Json> openings;
  for (const Json& opening : plan.run.events.about(identity_of(secret_)))
    openings.push_back(at(opening, "/seq"));
  for (const Json& finding : findings) {
    EXPECT_TRUE(says(finding, {"destination_not_for_credential", "deny", "denied", "connect"}));
    ASSERT_EQ(at(finding, "/evidence").size(), 1U) << finding.dump();
    EXPECT_THAT(openings, Contains(at(finding, "/evidence").front()));
  }
}

TEST_F(ACarriedCredential, IsRefusedOnAConnectionThatWasThereBefore) {
  const auto on_connection = [&](const std::string& act) {
    return Item{.name = act, .argv = {act, "127.0.0.2", b_.port_text(), act, secret_}};
  };
  const std::vector<Item> items{on_connection("connected-then-open"),
                                on_connection("connected-then-open-in-thread"),
                                on_connection("connected-then-sendfile")};
  const PlanRun control = run_plan_alone(
      scratch_, {{.name = "alone",
                  .argv = {"connected-then-open", "127.0.0.2", b_.port_text(), "alone", secret_}}});
  ASSERT_TRUE(control.of("alone").done() && b_.receives("alone")) << control.of("alone");
  const PlanRun plan = attempt(scope(), items);
  sleep_for(200ms);
  for (const Item& item : items) {
    EXPECT_THAT(b_.received(), Not(HasSubstr(item.name)));
    EXPECT_THAT(plan.of(item.name).out, HasSubstr(std::string(kSecretWord)));
  }
  EXPECT_TRUE(b_.receives("before"));
  std::size_t findings = 0;
  for (const Json& finding : plan.run.events.findings())
    findings +=
        says(finding, {"destination_not_for_credential", "deny", "denied", "connect"}) ? 1 : 0;
  EXPECT_GE(findings, items.size()) << summary(plan.run.events.findings());
}

TEST_F(ACarriedCredential, IsRefusedOnAConnectedDatagramSocket) {
  const Collector datagrams = Collector::udp("127.0.0.2");
  ScopeText wide = scope();
  wide.network->push_back(to_address("127.0.0.2", datagrams.port()));
  const PlanRun plan = attempt(wide, {{.name = "it",
                                       .argv = {"udp-connected-then-open", "127.0.0.2",
                                                datagrams.port_text(), "carried", secret_}}});
  sleep_for(200ms);
  EXPECT_THAT(plan.of("it").out, HasSubstr(std::string(kSecretWord))) << plan.of("it");
  EXPECT_EQ(datagrams.received(), "");
  EXPECT_FALSE(plan.run.events.findings().empty());
}

TEST_F(ACarriedCredential, IsRefusedOnASocketThatMoreOthersFollowedThanAnyTableHolds) {
  constexpr long kNeeded = 2'000'000'000;
  if (::sysconf(_SC_AVPHYS_PAGES) * ::sysconf(_SC_PAGESIZE) < kNeeded)
    GTEST_SKIP() << "no memory for 140,000 sockets";
  const Collector datagrams = Collector::udp("127.0.0.2");
  ScopeText wide = scope();
  wide.network->push_back(to_address("127.0.0.2", datagrams.port()));
  const Words words{
      "udp-connected-then-open", "127.0.0.2", datagrams.port_text(), "carried", secret_, "140000"};
  const PlanRun control = run_plan_alone(scratch_, {{.name = "it", .argv = words}});
  if (control.of("it").unsupported()) GTEST_SKIP() << control.of("it").err;
  ASSERT_TRUE(control.of("it").done() && datagrams.receives("carried")) << control.of("it");
  const std::size_t before = datagrams.received().size();
  const PlanRun plan = attempt(wide, {{.name = "it", .argv = words}});
  sleep_for(200ms);
  EXPECT_THAT(plan.of("it").out, HasSubstr(std::string(kSecretWord))) << plan.of("it");
  EXPECT_EQ(datagrams.received().size(), before);
  EXPECT_FALSE(plan.run.events.findings().empty());
}

TEST_F(ACarriedCredential, IsBoundWithoutANetworkSectionToo) {
  ScopeText observed = scope();
  observed.network.reset();
  const PlanRun plan = attempt(observed, {after("carried", {"open-then", secret_}, to_b("carried")),
                                          {.name = "free", .argv = to_b("free")}});
  expect_stopped(plan, "carried");
  expect_sent_to_b(plan, "free");
  EXPECT_TRUE(is_only(plan.run.events.findings(),
                      {"destination_not_for_credential", "deny", "denied", "connect"}));
}

TEST_F(ACarriedCredential, GoesNowhereWhereItsDestinationsAreEmpty) {
  catalogue_[0].destinations = Lines{};
  const PlanRun plan =
      attempt(scope(), {after("carried", {"open-then", secret_}, to_b("carried")),
                        after("own", {"open-then", secret_}, {"tcp-to-self", "127.0.0.1"})});
  expect_stopped(plan, "carried");
  EXPECT_TRUE(plan.of("own").done()) << plan.of("own");
}

TEST_F(ACarriedCredential, HasTheDestinationsOfTheScopeInPlaceOfTheCatalogues) {
  ScopeText moved = scope();
  moved.credentials = {"{name: bound, destinations: [" + to_address("127.0.0.2", b_.port()) + "]}"};
  const PlanRun plan = attempt(moved, {after("moved", {"open-then", secret_}, to_b("moved")),
                                       after("old", {"open-then", secret_}, to_a("old"))});
  expect_sent_to_b(plan, "moved");
  EXPECT_TRUE(plan.of("old").refused()) << plan.of("old");
}

TEST_F(ACarriedCredential, WithHoldingProcessEndsAtForkAndAtExec) {
  const PlanRun plan = attempt(
      scope("process"), {after("itself", {"open-then", secret_}, to_b("itself")),
                         after("forked", {"open-then", secret_, "in-child"}, to_b("forked")),
                         after("executed", {"open-then", secret_, "by-exec"}, to_b("executed"))});
  expect_stopped(plan, "itself");
  expect_sent_to_b(plan, "forked");
  expect_sent_to_b(plan, "executed");
}

TEST_F(ACarriedCredential, WithHoldingTaskBindsEveryProcessOfTheTask) {
  const PlanRun plan = attempt(scope("task"), {{.name = "earlier", .argv = to_b("earlier")},
                                               {.name = "holder", .argv = {"open", secret_}},
                                               {.name = "neighbour", .argv = to_b("neighbour")}});
  expect_sent_to_b(plan, "earlier");
  expect_stopped(plan, "neighbour");
}

TEST_F(ACarriedCredential, UsesTheResponseForCredentials) {
  ScopeText strict = scope();
  strict.credential_response = "kill";
  const PlanRun killed = attempt(strict, {after("killed", {"open-then", secret_}, to_b("killed"))});
  EXPECT_TRUE(killed.of("killed").killed()) << killed.of("killed");
  expect_stopped(killed, "killed");
  strict.shadow = true;
  const PlanRun shadow = attempt(strict, {after("shadow", {"open-then", secret_}, to_b("shadow"))});
  expect_sent_to_b(shadow, "shadow");
  EXPECT_TRUE(is_only(shadow.run.events.findings(),
                      {"destination_not_for_credential", "kill", "alerted", "connect"}));
}

}  // namespace
}  // namespace ambit::probe
