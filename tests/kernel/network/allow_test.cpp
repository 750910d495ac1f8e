// SPDX-License-Identifier: Apache-2.0
// What the lines of network.allow mean: ranges, ports, protocols, names.
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class NetworkAllow : public testing::Test {
 protected:
  PlanRun attempt(const Lines& allow, const std::vector<Item>& items) {
    return run_plan(scratch_, {.scope = {.network = allow}}, items);
  }
  static Item tcp(const std::string& address, const Collector& to, const std::string& name) {
    return {.name = name, .argv = {"tcp", address, to.port_text(), name}};
  }
  static void expect_in(const PlanRun& plan, const Collector& at, const std::string& name) {
    EXPECT_TRUE(plan.of(name).done()) << name << ": " << plan.of(name);
    EXPECT_TRUE(at.receives(name)) << name;
  }
  static void expect_out(const PlanRun& plan, const Collector& at, const std::string& name) {
    EXPECT_TRUE(plan.of(name).refused()) << name << ": " << plan.of(name);
    EXPECT_THAT(at.received(), Not(HasSubstr(name)));
  }

  Scratch scratch_;
  Collector one_ = Collector::tcp("127.0.0.1");
  Collector two_ = Collector::tcp("127.0.0.2");
};

TEST_F(NetworkAllow, LetsOutOnlyWhereARangeAndAPortName) {
  const PlanRun plan =
      attempt({to_address("127.0.0.1", one_.port())},
              {tcp("127.0.0.1", one_, "named"), tcp("127.0.0.2", two_, "unnamed")});
  expect_in(plan, one_, "named");
  expect_out(plan, two_, "unnamed");
  EXPECT_TRUE(is_only(plan.run.events.findings(),
                      {"destination_not_in_scope", "deny", "denied", "connect"}));
}

TEST_F(NetworkAllow, IsAnEventOfTheConnectionThatItLetsOut) {
  const PlanRun plan =
      attempt({to_address("127.0.0.1", one_.port())}, {tcp("127.0.0.1", one_, "named")});
  const std::vector<Json> events = plan.run.events.to_port(one_.port());
  ASSERT_EQ(events.size(), 1U) << summary(events);
  EXPECT_EQ(text_at(events[0], "/kind"), "connect");
  EXPECT_EQ(text_at(events[0], "/verdict/scope"), "inside");
  EXPECT_EQ(text_at(events[0], "/destination/ip"), "127.0.0.1");
}

TEST_F(NetworkAllow, MeansAllPortsWhereNoneIsNamed) {
  const PlanRun plan = attempt({"{cidr: 127.0.0.0/31}"},
                               {tcp("127.0.0.1", one_, "named"), tcp("127.0.0.2", two_, "beyond")});
  expect_in(plan, one_, "named");
  expect_out(plan, two_, "beyond");
}

TEST_F(NetworkAllow, TakesRangesOfPorts) {
  const std::string range = std::to_string(one_.port() - 1) + "-" + std::to_string(one_.port() + 1);
  const PlanRun plan = attempt({"{cidr: 127.0.0.0/8, ports: [" + range + "]}"},
                               {tcp("127.0.0.1", one_, "within"), tcp("127.0.0.2", two_, "past")});
  expect_in(plan, one_, "within");
  if (std::abs(one_.port() - two_.port()) > 1) expect_out(plan, two_, "past");
}

TEST_F(NetworkAllow, IsForTcpAndUdpUnlessAProtocolIsNamed) {
  const Collector datagrams = Collector::udp("127.0.0.1");
  const Item udp{.name = "udp", .argv = {"udp", "127.0.0.1", datagrams.port_text(), "udp"}};
  const PlanRun both = attempt({to_address("127.0.0.1", datagrams.port())}, {udp});
  expect_in(both, datagrams, "udp");
  const Item again{.name = "again", .argv = {"udp", "127.0.0.1", datagrams.port_text(), "again"}};
  const std::string port = datagrams.port_text();
  const PlanRun tcp_only = attempt(
      {"{cidr: 127.0.0.1/32, ports: [" + port + ", " + one_.port_text() + "], protocol: tcp}"},
      {again, tcp("127.0.0.1", one_, "stream")});
  expect_out(tcp_only, datagrams, "again");
  expect_in(tcp_only, one_, "stream");
}

TEST_F(NetworkAllow, TakesIpv6AndTheMappedFormOfIpv4AsOne) {
  const Collector six = Collector::tcp("::1");
  if (!six.works()) GTEST_SKIP() << "no IPv6 here";
  const PlanRun plan =
      attempt({to_address("::1", six.port()), to_address("127.0.0.1", one_.port())},
              {tcp("::1", six, "six"), tcp("::ffff:127.0.0.1", one_, "mapped"),
               tcp("::ffff:127.0.0.2", two_, "other")});
  expect_in(plan, six, "six");
  expect_in(plan, one_, "mapped");
  expect_out(plan, two_, "other");
}

TEST_F(NetworkAllow, TakesTheUnspecifiedAddressForThisHost) {
  const PlanRun plan =
      attempt({to_address("127.0.0.2", two_.port())}, {tcp("0.0.0.0", one_, "zero")});
  expect_out(plan, one_, "zero");
}

TEST_F(NetworkAllow, TakesAHostNameForItsAddresses) {
  const PlanRun plan =
      attempt({"{host: localhost, ports: [" + one_.port_text() + ", " + two_.port_text() + "]}"},
              {tcp("127.0.0.1", one_, "named"), tcp("127.0.0.2", two_, "unnamed")});
  expect_in(plan, one_, "named");
  expect_out(plan, two_, "unnamed");
  const std::vector<Json> events = plan.run.events.to_port(one_.port());
  ASSERT_EQ(events.size(), 1U) << summary(events);
  EXPECT_EQ(text_at(events[0], "/destination/name"), "localhost");
}

TEST_F(NetworkAllow, IsNothingWhereItIsEmpty) {
  const PlanRun plan = attempt({}, {tcp("127.0.0.1", one_, "any")});
  expect_out(plan, one_, "any");
}

TEST_F(NetworkAllow, ObservesAndBindsNothingWhereTheSectionIsAbsent) {
  const PlanRun plan =
      run_plan(scratch_, {}, {tcp("127.0.0.1", one_, "first"), tcp("127.0.0.2", two_, "second")});
  expect_in(plan, one_, "first");
  expect_in(plan, two_, "second");
  EXPECT_EQ(plan.run.events.findings().size(), 0U) << summary(plan.run.events.findings());
  EXPECT_EQ(plan.run.events.to_port(one_.port()).size(), 1U);
  EXPECT_EQ(plan.run.events.to_port(two_.port()).size(), 1U);
}

TEST_F(NetworkAllow, GivesEveryResponseThatTheScopeAsksFor) {
  struct Row {
    const char* response;
    bool shadow;
    const char* effective;
  };
  for (const Row& row : {Row{"kill", false, "killed"}, Row{"alert", false, "alerted"},
                         Row{"kill", true, "alerted"}}) {
    const std::string text = std::string(row.response) + (row.shadow ? "-shadow" : "");
    const PlanRun plan = run_plan(
        scratch_,
        {.scope = {.shadow = row.shadow, .network = Lines{}, .network_response = row.response}},
        {tcp("127.0.0.1", one_, text)});
    const bool stopped = std::string(row.effective) == "killed";
    EXPECT_EQ(plan.of(text).killed(), stopped) << plan.of(text);
    EXPECT_EQ(one_.receives(text, stopped ? 100ms : 3000ms), !stopped) << text;
    EXPECT_TRUE(is_only(plan.run.events.findings(),
                        {"destination_not_in_scope", row.response, row.effective, "connect"}));
  }
}

}  // namespace
}  // namespace ambit::probe
