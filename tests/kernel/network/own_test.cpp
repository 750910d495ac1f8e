// SPDX-License-Identifier: Apache-2.0
// Inside without being named: what the task itself listens on.
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

Item own(const std::string& name, const std::string& kind, const std::string& at,
         const std::string& to) {
  return {.name = name, .argv = {"to-own", kind, at, to, "to-" + name}};
}

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
        own("TcpWithBothFamiliesOverIpv4", "tcp-both", "::", "127.0.0.1"),
        own("TcpWithBothFamiliesOverIpv6", "tcp-both", "::", "::1"),
        own("TcpWithBothFamiliesOverMappedIpv4", "tcp-both", "::", "::ffff:127.0.0.1"),
        own("TcpOfOneFamilyOverIpv6", "tcp-ipv6-only", "::", "::1"),
        own("TcpThatMayStartAgain", "tcp-reuseaddr", "0.0.0.0", "127.0.0.1"),
        own("MultipathTcp", "mptcp", "127.0.0.1", "127.0.0.1"),
        own("MultipathTcpWithEveryAddress", "mptcp", "0.0.0.0", "127.0.0.3"),
        own("UdpWithEveryAddress", "udp", "0.0.0.0", "127.0.0.3"),
        own("UdpWithBothFamiliesOverIpv4", "udp-both", "::", "127.0.0.1"),
        own("UdpWithBothFamiliesOverIpv6", "udp-both", "::", "::1"),
        own("UdpOfOneFamilyOverIpv6", "udp-ipv6-only", "::", "::1"),
    };
    std::vector<Item> alone = items;
    alone[5].argv[1] += "-alone";
    control = run_plan_alone(scratch_, alone);
    plan = run_plan(scratch_, {.scope = {.network = Lines{}}}, items);
  }

  PlanRun control;
  PlanRun plan;

 private:
  Scratch scratch_;
};

const NothingAllowed& nothing_allowed() {
  static const NothingAllowed all;
  return all;
}

class ATaskWithoutNetwork : public testing::TestWithParam<const char*> {};

TEST_P(ATaskWithoutNetwork, StillReachesItsOwnListeners) {
  const Done& control = nothing_allowed().control.of(GetParam());
  if (std::string(GetParam()).contains("Ipv6") && !Collector::tcp("::1").works())
    GTEST_SKIP() << "no IPv6 here";
  AMBIT_NEEDS_CONTROL(control);
  const Done& own = nothing_allowed().plan.of(GetParam());
  EXPECT_TRUE(own.done()) << own;
  EXPECT_EQ(own.out, control.out);
}

INSTANTIATE_TEST_SUITE_P(
    By, ATaskWithoutNetwork,
    testing::Values("TcpOverIpv4", "TcpOverIpv6", "TcpOverEveryAddress", "UdpOverIpv4",
                    "UdpOverIpv6", "AUnixSocket", "AnAbstractUnixSocket", "APairOfSockets",
                    "Netlink", "TcpWithBothFamiliesOverIpv4", "TcpWithBothFamiliesOverIpv6",
                    "TcpWithBothFamiliesOverMappedIpv4", "TcpOfOneFamilyOverIpv6",
                    "TcpThatMayStartAgain", "MultipathTcp", "MultipathTcpWithEveryAddress",
                    "UdpWithEveryAddress", "UdpWithBothFamiliesOverIpv4",
                    "UdpWithBothFamiliesOverIpv6", "UdpOfOneFamilyOverIpv6"),
    [](const auto& given) { return std::string(given.param); });

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

}  // namespace
}  // namespace ambit::probe
