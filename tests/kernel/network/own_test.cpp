// SPDX-License-Identifier: Apache-2.0
// Inside without being named: what the task itself listens on. And families that are no network at
// all.
#include <sys/socket.h>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kVsock = 40;
constexpr int kXdp = 44;

/// One run of everything, in a scope that allows no destination.
class NothingAllowed {
 public:
  NothingAllowed() {
    const std::vector<Item> items{
        {.name = "TcpOverIpv4", .argv = {"tcp-to-self", "127.0.0.1"}},
        {.name = "TcpOverIpv6", .argv = {"tcp-to-self", "::1"}},
        {.name = "TcpOverEveryAddress", .argv = {"tcp-to-self", "0.0.0.0"}},
        {.name = "UdpOverIpv4", .argv = {"udp-to-self", "127.0.0.1"}},
        {.name = "UdpOverIpv6", .argv = {"udp-to-self", "::1"}},
        {.name = "AUnixSocket", .argv = {"unix-to-self", scratch_.path("own-socket")}},
        {.name = "AnAbstractUnixSocket", .argv = {"unix-to-self", "@" + scratch_.fresh("own")}},
        {.name = "APairOfSockets", .argv = {"socketpair"}},
        {.name = "Netlink", .argv = {"netlink"}},
        {.name = "Packet", .argv = family(AF_PACKET, SOCK_RAW, 0x0300)},
        {.name = "Vsock", .argv = family(kVsock, SOCK_STREAM, 0)},
        {.name = "Xdp", .argv = family(kXdp, SOCK_RAW, 0)},
        {.name = "RawIp", .argv = family(AF_INET, SOCK_RAW, 1)},
    };
    std::vector<Item> alone = items;
    alone[5].argv[1] += "-alone";
    control = run_plan_alone(scratch_, alone);
    plan = run_plan(scratch_, {.scope = {.network = Lines{}}}, items);
  }

  PlanRun control;
  PlanRun plan;

 private:
  static Words family(int number, int type, int protocol) {
    return {"socket", std::to_string(number), std::to_string(type), std::to_string(protocol)};
  }
  Scratch scratch_;
};

const NothingAllowed& nothing_allowed() {
  static const NothingAllowed all;
  return all;
}

class ATaskWithoutNetwork : public testing::TestWithParam<const char*> {};

TEST_P(ATaskWithoutNetwork, StillReachesItsOwnListeners) {
  const Done& control = nothing_allowed().control.of(GetParam());
  if (std::string(GetParam()).ends_with("Ipv6") && !Collector::tcp("::1").works())
    GTEST_SKIP() << "no IPv6 here";
  AMBIT_NEEDS_CONTROL(control);
  const Done& own = nothing_allowed().plan.of(GetParam());
  EXPECT_TRUE(own.done()) << own;
  EXPECT_EQ(own.out, control.out);
}

INSTANTIATE_TEST_SUITE_P(By, ATaskWithoutNetwork,
                         testing::Values("TcpOverIpv4", "TcpOverIpv6", "TcpOverEveryAddress",
                                         "UdpOverIpv4", "UdpOverIpv6", "AUnixSocket",
                                         "AnAbstractUnixSocket", "APairOfSockets", "Netlink"),
                         [](const auto& given) { return std::string(given.param); });

class AFamilyThatNoScopeNames : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(AFamilyThatNoScopeNames, GivesNoSocket) {
  const auto [name, number] = GetParam();
  AMBIT_NEEDS_CONTROL(nothing_allowed().control.of(name));
  const Done& bound = nothing_allowed().plan.of(name);
  EXPECT_TRUE(bound.refused() || bound.killed() || bound.unsupported()) << bound;
  std::vector<Json> findings;
  for (const Json& event : nothing_allowed().plan.run.events.findings()) {
    if (at(event, "/destination/family") == number) findings.push_back(event);
  }
  if (on_portable() && findings.empty()) GTEST_SKIP() << "seccomp refused it and reports nothing";
  EXPECT_TRUE(is_only(findings, {"destination_not_in_scope", "deny", "denied", "connect"}));
}

INSTANTIATE_TEST_SUITE_P(By, AFamilyThatNoScopeNames,
                         testing::Values(std::pair{"Packet", AF_PACKET}, std::pair{"Vsock", kVsock},
                                         std::pair{"Xdp", kXdp}),
                         [](const auto& given) { return std::string(given.param.first); });

TEST(OwnListeners, MakeNoOtherPortOfTheAddressTheTasks) {
  const Scratch scratch;
  const Collector other = Collector::tcp("127.0.0.1");
  const PlanRun plan =
      run_plan(scratch, {.scope = {.network = Lines{}}},
               {{.name = "own", .argv = {"tcp-to-self", "127.0.0.1"}},
                {.name = "other", .argv = {"tcp", "127.0.0.1", other.port_text(), "not-mine"}}});
  EXPECT_TRUE(plan.of("own").done()) << plan.of("own");
  EXPECT_TRUE(plan.of("other").refused()) << plan.of("other");
  EXPECT_THAT(other.received(), Not(HasSubstr("not-mine")));
}

TEST(OwnListeners, AnswerWhoeverComesFromOutside) {
  const Scratch scratch;
  const int port = [] { return Collector::tcp("127.0.0.1").port(); }();
  const std::string number = std::to_string(port);
  Live live(scratch, {.scope = {.network = Lines{}},
                      .command = act({"serve", "127.0.0.1", number, "answer-of-the-task"})});
  Ended asked;
  EXPECT_TRUE(eventually([&] {
    asked = run({.argv = act({"ask", "127.0.0.1", number})});
    return asked.exit == 0 || !live.ambit().running();
  })) << asked.err;
  const TaskRun served = live.finish();
  EXPECT_EQ(served.ended.exit, 0) << served.ended.err;
  EXPECT_EQ(asked.out, "answer-of-the-task");
  EXPECT_EQ(served.events.findings().size(), 0U) << summary(served.events.findings());
}

}  // namespace
}  // namespace ambit::probe
