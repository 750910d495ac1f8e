// SPDX-License-Identifier: Apache-2.0
// The catalogue and the named scopes are read anew while tasks live; judged by what their processes
// can do then, beside one that is in no task.
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/daemon/puppet.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class AReload : public testing::Test {
 protected:
  [[nodiscard]] CredentialText mine() const { return {.name = "mine", .files = {mine_}}; }
  [[nodiscard]] CredentialText late(const std::string& name = "late") const {
    return {.name = name, .files = {late_}};
  }
  [[nodiscard]] ScopeText scope(const std::string& name) const {
    return {.name = name, .credentials = {"{name: mine}"}};
  }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string late_ = scratch_.secret("late/secret");
  Collector elsewhere_ = Collector::tcp("127.0.0.1");
};

TEST_F(AReload, BindsLiveTasksByTheNewCatalogue) {
  Node node(scratch_, {mine()});
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  Puppet outsider;
  Puppet closed;
  const std::string id = text_at(node.open(scope("live"), puppet.pid()), "/id");
  const std::string over = text_at(node.open(scope("over"), closed.pid()), "/id");
  EXPECT_EQ(node.task({"close", over}).exit, 0);
  EXPECT_EQ(puppet.open(late_), 0) << "no credential yet";

  // "a" comes before "mine" in a fresh catalogue: numbers that live tasks go by must stay.
  node.declare(late("a"));
  const Ended done = node.reload();
  ASSERT_EQ(done.exit, 0) << done.out << done.err;
  EXPECT_EQ(Json::parse(done.out).at("tasks"), 2) << done.out;
  EXPECT_EQ(Json::parse(done.out).at("credentials"), 2) << done.out;
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_EQ(puppet.read(), content_of(mine_));
  EXPECT_NE(puppet.open(late_), 0);
  EXPECT_NE(closed.open(mine_), 0) << "what is over stays over";
  EXPECT_NE(closed.open(late_), 0);
  EXPECT_EQ(outsider.open(late_), 0);
  EXPECT_EQ(outsider.open(mine_), 0);

  node.take_out("a");
  ASSERT_EQ(node.reload().exit, 0);
  EXPECT_EQ(puppet.open(late_), 0) << "it is none any more";
  EXPECT_EQ(puppet.open(mine_), 0);
  sleep_for(6s);  // what was in force before is gone from the tables
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_NE(closed.open(mine_), 0);
  EXPECT_EQ(node.stop().exit, 0);
  const Events events = node.events();
  EXPECT_EQ(events.of_kind("reload").size(), 2U);
  const auto findings = events.findings_about(identity_of(late_));
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(text_at(findings.front(), "/credential/name"), "a") << findings.front();
  EXPECT_THAT(events.of_kind("loss"), IsEmpty());
  EXPECT_THAT(events.malformed, IsEmpty());
}

TEST_F(AReload, LetsHoldersHoldOnAndTakesDestinationsFromTheNewCatalogue) {
  Node node(scratch_, {mine()});
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet holder;
  Puppet other;
  static_cast<void>(node.open(scope("holder"), holder.pid()));
  static_cast<void>(node.open(scope("other"), other.pid()));
  EXPECT_EQ(holder.open(mine_), 0);
  EXPECT_EQ(holder.connect(elsewhere_.port()), 0) << "it may be used anywhere";
  CredentialText nowhere = mine();
  nowhere.destinations = Lines{};
  node.declare(nowhere);
  ASSERT_EQ(node.reload().exit, 0);
  EXPECT_NE(holder.connect(elsewhere_.port()), 0) << "held before, and bound now";
  EXPECT_EQ(other.connect(elsewhere_.port()), 0) << "holds nothing";
  node.take_out("mine");
  node.declare(late());
  const Ended done = node.reload();
  ASSERT_EQ(done.exit, 0) << done.out;
  EXPECT_THAT(done.out, HasSubstr("credential mine is no longer in the catalogue"));
  EXPECT_EQ(other.open(mine_), 0) << "it is no credential any more";
  EXPECT_EQ(other.connect(elsewhere_.port()), 0);
  EXPECT_NE(holder.connect(elsewhere_.port()), 0) << "what is held stays bound";
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(AReload, KeepsWhatIsInForceWhenAFileIsBrokenAndSaysWhy) {
  scratch_.write("node-scopes/small.yaml", scope("small").yaml());
  Node node(scratch_, {mine(), late()}, "release",
            "  scopes: [" + scratch_.path("node-scopes") + "]\n");
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  const auto opened = [&](const std::string& name) {
    return node.task({"open", "--scope-name", name, "--pid", std::to_string(puppet.pid())});
  };
  EXPECT_THAT(opened("nobody").out, HasSubstr("\"no_such_scope\""));
  const Ended done = opened("small");
  ASSERT_EQ(done.exit, 0) << done.out << done.err;
  EXPECT_EQ(text_at(Json::parse(done.out), "/name"), "small");
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_NE(puppet.open(late_), 0);

  const std::string broken =
      scratch_.write("node-catalogue/broken.yaml", "kind: Credential\nx: 1\n");
  const Ended refused = node.reload();
  EXPECT_EQ(refused.exit, 1) << refused.out;
  const Json answer = Json::parse(refused.out);
  EXPECT_EQ(text_at(answer, "/code"), "config_refused");
  EXPECT_GT(at(answer, "/diagnostics").size(), 1U) << "all mistakes";
  EXPECT_EQ(answer.at("diagnostics").at(0).at("file"), broken);
  node.process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return node.process().err().find(broken) != std::string::npos; }));
  EXPECT_THAT(node.process().err(), HasSubstr("reload refused"));
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_NE(puppet.open(late_), 0);

  std::filesystem::remove(broken);
  const std::string flawed =
      scratch_.write("node-scopes/flawed.yaml", scope("flawed").yaml() + "  ttls: 5m\n");
  const Ended again = node.reload();
  EXPECT_EQ(again.exit, 1);
  EXPECT_THAT(again.out, HasSubstr(flawed));
  EXPECT_NE(puppet.open(late_), 0);
  ScopeText both = scope("both");
  both.credentials.push_back("{name: late}");
  scratch_.write("node-scopes/flawed.yaml", both.yaml());
  node.process().signal(SIGHUP);
  EXPECT_TRUE(eventually(
      [&] { return node.process().err().find("reloaded credentials=2") != std::string::npos; },
      20s))
      << node.process().err();
  Puppet next;
  EXPECT_EQ(node.task({"open", "--scope-name", "both", "--pid", std::to_string(next.pid())}).exit,
            0);
  EXPECT_EQ(next.open(late_), 0);
  EXPECT_NE(puppet.open(late_), 0);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(AReload, IsMadeByAFileThatHasChanged) {
  scratch_.write("node-scopes/small.yaml", scope("small").yaml());
  Node node(scratch_, {mine(), late()}, "release",
            "  scopes: [" + scratch_.path("node-scopes") + "]\n");
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const auto logged = [&](const std::string& line) {
    return eventually([&] { return node.process().err().find(line) != std::string::npos; }, 20s);
  };
  ScopeText both = scope("both");
  both.credentials.push_back("{name: late}");
  scratch_.write("node-scopes/both.yaml", both.yaml());
  EXPECT_TRUE(logged("reloaded credentials=2 scopes=2")) << node.process().err();
  Puppet puppet;
  EXPECT_EQ(node.task({"open", "--scope-name", "both", "--pid", std::to_string(puppet.pid())}).exit,
            0);
  EXPECT_EQ(puppet.open(late_), 0);
  scratch_.write("node-scopes/both.yaml", both.yaml() + "  ttls: 5m\n");
  EXPECT_TRUE(logged("unknown key \"ttls\"")) << node.process().err();
  EXPECT_EQ(puppet.open(late_), 0);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(AReload, LeavesNoMomentInWhichWhatIsOutsideIsOpenedOrWhatIsInsideRefused) {
  Node node(scratch_, {mine(), late()});
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  static_cast<void>(node.open(scope("all-the-time"), puppet.pid()));
  std::atomic<bool> stop = false;
  std::thread reloads([&] {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(node.reload().exit, 0);
    stop = true;
  });
  int tries = 0;
  for (; !stop; ++tries) {
    EXPECT_EQ(puppet.open(mine_), 0) << tries;
    EXPECT_NE(puppet.open(late_), 0) << tries;
    sleep_for(1ms);  // it keeps what it opens, and has 20,000 descriptors at most
  }
  reloads.join();
  EXPECT_GT(tries, 10);
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_EQ(node.events().findings_about(identity_of(late_)).size(),
            static_cast<std::size_t>(tries))
      << "each once, whoever was asked";
}

}  // namespace
}  // namespace ambit::probe
