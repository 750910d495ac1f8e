// SPDX-License-Identifier: Apache-2.0
// Every way to send to a destination that the scope does not allow, judged by who receives (EVASION
// N1 to N8). @A is the permitted collector's address and port, @B the other's.
#include "tests/kernel/fixture/ways.h"

#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

enum class Over { tcp, udp, tcp6, udp6, mptcp, udp_lite };

struct Way {
  std::string name;
  std::string act;
  Over over;
  std::string address{};      ///< another spelling of the forbidden one
  bool by_permitted = false;  ///< the act is given the permitted destination first
  Ways best{};
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"Tcp", "tcp", Over::tcp},
      {"NonblockingTcp", "tcp-nonblocking", Over::tcp},
      {"TcpAfterAPermittedConnection", "tcp-reconnected", Over::tcp, "", true},
      {"TcpFastOpen", "tcp-fast-open", Over::tcp},
      {"TcpFastOpenConnect", "tcp-fast-open-connect", Over::tcp},
      {"TcpOverIpv6", "tcp", Over::tcp6},
      {"TcpToAMappedAddress", "tcp", Over::tcp, "::ffff:127.0.0.2"},
      {"IoUring", "uring-tcp", Over::tcp},
      {"Mptcp", "mptcp", Over::mptcp},
      {"Udp", "udp", Over::udp},
      {"UdpBySendmsg", "udp-sendmsg", Over::udp},
      {"UdpBySendmmsg", "udp-sendmmsg", Over::udp},
      {"UdpBySendmmsgBehindAPermittedMessage", "udp-sendmmsg-second", Over::udp, "", true},
      {"ConnectedUdp", "udp-connected", Over::udp},
      {"UdpConnectedToAPermittedDestination", "udp-connected-elsewhere", Over::udp, "", true},
      {"UdpWithAnUnspecifiedFamily", "udp-unspecified", Over::udp},
      {"UdpOverIpv6", "udp", Over::udp6},
      {"UdpToAMappedAddress", "udp", Over::udp, "::ffff:127.0.0.2"},
      {"UdpFromAnIpv6Socket", "udp-by-ipv6-socket", Over::udp},
      {"UdpLite", "udp-lite", Over::udp_lite},
  };
  return all;
}

std::unique_ptr<Collector> collector(Over over, const std::string& address) {
  switch (over) {
    case Over::tcp:
    case Over::tcp6:
      return std::unique_ptr<Collector>(new Collector(Collector::tcp(address)));
    case Over::udp:
    case Over::udp6:
      return std::unique_ptr<Collector>(new Collector(Collector::udp(address)));
    case Over::mptcp:
      return std::unique_ptr<Collector>(new Collector(Collector::mptcp(address)));
    case Over::udp_lite:
      return std::unique_ptr<Collector>(new Collector(Collector::udp_lite(address)));
  }
  return nullptr;
}

bool is_ipv6(Over over) { return over == Over::tcp6 || over == Over::udp6; }
std::string protocol_of(Over over) {
  if (over == Over::udp_lite) return "udplite";
  return over == Over::udp || over == Over::udp6 ? "udp" : "tcp";
}

/// All ways: once alone, once in a task whose scope names another address only.
class AllWays {
 public:
  AllWays() {
    Task task{.scope = {.network = Lines{}}};
    for (const Way& way : ways()) {
      const std::string permitted_at = is_ipv6(way.over) ? "::1" : "127.0.0.1";
      forbidden_[way.name] = collector(way.over, is_ipv6(way.over) ? "::1" : "127.0.0.2");
      permitted_[way.name] = collector(way.over, permitted_at);
      task.scope.network->push_back(to_address(permitted_at, permitted_[way.name]->port()));
    }
    control = run_plan_alone(scratch_, items("alone"));
    // The control must have arrived before the other is judged by the same collector.
    for (const Way& way : ways()) {
      if (control.of(way.name).done())
        arrived_alone[way.name] = forbidden_[way.name]->receives("alone");
    }
    plan = run_plan(scratch_, task, items("bound"));
    // What a detached program would let go at last is on its way now.
    sleep_for(300ms);
  }

  [[nodiscard]] const Collector& forbidden(const Way& way) const {
    return *forbidden_.at(way.name);
  }
  [[nodiscard]] const Collector& permitted(const Way& way) const {
    return *permitted_.at(way.name);
  }

  PlanRun control;
  PlanRun plan;
  std::map<std::string, bool> arrived_alone;

 private:
  std::vector<Item> items(const std::string& text) {
    std::vector<Item> all;
    for (const Way& way : ways()) {
      const Collector& to = *forbidden_.at(way.name);
      const std::string usual = is_ipv6(way.over) ? "::1" : "127.0.0.2";
      Item item{.name = way.name, .argv = {way.act}};
      if (way.by_permitted) {
        item.argv.emplace_back("127.0.0.1");
        item.argv.push_back(permitted_.at(way.name)->port_text());
      }
      item.argv.push_back(way.address.empty() ? usual : way.address);
      item.argv.push_back(to.port_text());
      item.argv.push_back(text);
      all.push_back(item);
    }
    return all;
  }

  Scratch scratch_;
  std::map<std::string, std::unique_ptr<Collector>> forbidden_;
  std::map<std::string, std::unique_ptr<Collector>> permitted_;
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

class AWayToAForbiddenDestination : public testing::TestWithParam<Way> {};

TEST_P(AWayToAForbiddenDestination, BringsNoByteThereAndIsAFinding) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  if (!all.forbidden(way).works()) GTEST_SKIP() << "this machine has no such socket";
  AMBIT_NEEDS_CONTROL(all.control.of(way.name));
  ASSERT_TRUE(all.arrived_alone.at(way.name)) << "outside a task nothing arrived either";

  const Done& bound = all.plan.of(way.name);
  EXPECT_THAT(all.forbidden(way).received(), Not(HasSubstr("bound")));
  EXPECT_TRUE(bound.refused() || bound.killed()) << bound;
  std::vector<Json> findings;
  for (const Json& event : all.plan.run.events.to_port(all.forbidden(way).port())) {
    if (at(event, "/finding") == true) findings.push_back(event);
  }
  ASSERT_FALSE(findings.empty()) << "all findings:" << summary(all.plan.run.events.findings());
  const std::string effective = bound.killed() ? "killed" : "denied";
  EXPECT_TRUE(says(findings.front(), {"destination_not_in_scope", "deny", effective, "connect"}));
  EXPECT_EQ(text_at(findings.front(), "/destination/protocol"), protocol_of(way.over));
  EXPECT_EQ(text_at(findings.front(), "/destination/ip"), is_ipv6(way.over) ? "::1" : "127.0.0.2");
}

TEST_P(AWayToAForbiddenDestination, StillLeadsToThePermittedOne) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  if (!way.by_permitted) GTEST_SKIP() << "no permitted destination is on this way";
  if (way.act == "udp-sendmmsg-second") {
    EXPECT_THAT(all.permitted(way).received(), HasSubstr("bound"));
  }
  EXPECT_THAT(all.plan.of(way.name).err, Not(HasSubstr("first connect")));
}

INSTANTIATE_TEST_SUITE_P(By, AWayToAForbiddenDestination, testing::ValuesIn(ways()),
                         name_of_way<Way>);

}  // namespace
}  // namespace ambit::probe
