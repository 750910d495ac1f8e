// SPDX-License-Identifier: Apache-2.0
// Whoever else is on a port of the task's is as far as on any other port.
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kStream = SOCK_STREAM;
constexpr int kDatagram = SOCK_DGRAM;

/// An outsider at an address, the task on the same port of another one.
struct Beside {
  const char* name = "";
  int type = kStream;
  const char* outsider = "127.0.0.1";
  const char* kind = "";  ///< how the task has the port
  const char* at = "";
  const char* to = "127.0.0.1";
  bool sharing = false;  ///< the outsider lets others have its port
};

std::ostream& operator<<(std::ostream& out, const Beside& way) { return out << way.name; }

class AnOutsiderBesideTheTask : public testing::TestWithParam<Beside> {
 protected:
  static Collector outsider() {
    const Beside& way = GetParam();
    if (way.sharing) return Collector::sharing(way.outsider, way.type);
    return Collector::of(way.outsider, way.type, 0);
  }

  static std::vector<Item> attempt(const Collector& to, const std::string& text) {
    const Beside& way = GetParam();
    return {{.name = "go",
             .argv = {"with-own", way.kind, way.at, to.port_text(),
                      way.type == kStream ? "tcp" : "udp", way.to, to.port_text(), text}}};
  }
};

TEST_P(AnOutsiderBesideTheTask, IsNotReachedByThePortThatBothHave) {
  const Scratch scratch;
  const Collector other = outsider();
  if (!other.works()) GTEST_SKIP() << "no such address here";
  const PlanRun control = run_plan_alone(scratch, attempt(other, "from-outside"));
  AMBIT_NEEDS_CONTROL(control.of("go"));
  ASSERT_TRUE(other.receives("from-outside")) << "the task's own socket took it";
  const PlanRun plan =
      run_plan(scratch, {.scope = {.network = Lines{}}}, attempt(other, "from-the-task"));
  EXPECT_TRUE(plan.of("go").stopped()) << plan.of("go");
  EXPECT_THAT(other.received(), Not(HasSubstr("from-the-task")));
}

INSTANTIATE_TEST_SUITE_P(
    By, AnOutsiderBesideTheTask,
    testing::Values(
        Beside{.name = "TcpOfIpv4", .kind = "tcp-ipv6-only", .at = "::"},
        Beside{.name = "TcpOfMappedIpv4",
               .kind = "tcp-ipv6-only",
               .at = "::",
               .to = "::ffff:127.0.0.1"},
        Beside{.name = "TcpOfThisHost", .kind = "tcp-ipv6-only", .at = "::", .to = "0.0.0.0"},
        Beside{.name = "TcpOfIpv6", .outsider = "::1", .kind = "tcp", .at = "0.0.0.0", .to = "::1"},
        Beside{.name = "TcpWithAnAddressOfItsOwn",
               .kind = "tcp-reuseport",
               .at = "0.0.0.0",
               .sharing = true},
        Beside{.name = "UdpOfIpv4",
               .type = kDatagram,
               .outsider = "127.0.0.4",
               .kind = "udp-ipv6-only",
               .at = "::",
               .to = "127.0.0.4"},
        Beside{.name = "UdpOfIpv6",
               .type = kDatagram,
               .outsider = "::1",
               .kind = "udp",
               .at = "0.0.0.0",
               .to = "::1"},
        Beside{.name = "UdpWithAnAddressOfItsOwn",
               .type = kDatagram,
               .kind = "udp-reuseaddr",
               .at = "0.0.0.0",
               .sharing = true},
        Beside{.name = "UdpWithAnAddressOfItsOwnAmongMany",
               .type = kDatagram,
               .kind = "udp-reuseport",
               .at = "0.0.0.0",
               .sharing = true}),
    name_of_way<Beside>);

constexpr const char* kSuccessor = "127.0.0.5";

/// An outsider who comes to a port once the task lets go of it.
class Successor {
 public:
  Successor(std::string stem, int type, int port)
      : stem_(std::move(stem)), thread_([this, type, port] { join(type, port); }) {}
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  ~Successor() { wait(); }

  /// Null when nobody let go of the port, or it could not be had.
  [[nodiscard]] const Collector* collector() {
    wait();
    return collector_ && collector_->works() ? collector_.get() : nullptr;
  }

 private:
  void join(int type, int port) {
    if (!eventually([&] { return std::filesystem::exists(stem_ + ".shared"); }, 60s)) return;
    collector_.reset(new Collector(Collector::sharing(kSuccessor, type, port)));
    std::ofstream(stem_ + ".joined").put('\n');
  }
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

  std::string stem_;
  std::unique_ptr<Collector> collector_;
  std::thread thread_;
};

struct LetGo {
  const char* name = "";
  int type = kStream;
  std::vector<std::string> act;  ///< {port} and {stem} are filled in
};

std::ostream& operator<<(std::ostream& out, const LetGo& way) { return out << way.name; }

class APortThatTheTaskLetGo : public testing::TestWithParam<LetGo> {
 protected:
  [[nodiscard]] Item attempt(const std::string& stem, int port, const std::string& text) const {
    Words words;
    for (const std::string& word : GetParam().act)
      words.push_back(word == "{port}" ? std::to_string(port) : word == "{stem}" ? stem : word);
    for (const std::string& word : {std::string(GetParam().type == kStream ? "tcp" : "udp"),
                                    std::string(kSuccessor), std::to_string(port), text})
      words.push_back(word);
    return {.name = "go", .argv = words};
  }

  static int free_port(int type) { return Collector::of("0.0.0.0", type, 0).port(); }

  /// In a directory that the task's processes may write to.
  [[nodiscard]] std::string stem(const std::string& name) {
    return scratch_.path("handed-over-" + name);
  }

  Scratch scratch_;
};

TEST_P(APortThatTheTaskLetGo, IsNoLongerItsOwn) {
  const int type = GetParam().type;
  {
    const int port = free_port(type);
    Successor other(stem("alone"), type, port);
    const PlanRun control =
        run_plan_alone(scratch_, {attempt(stem("alone"), port, "from-outside")});
    AMBIT_NEEDS_CONTROL(control.of("go"));
    ASSERT_NE(other.collector(), nullptr);
    ASSERT_TRUE(other.collector()->receives("from-outside"));
  }
  const int port = free_port(type);
  Successor other(stem("task"), type, port);
  const PlanRun plan = run_plan(scratch_, {.scope = {.network = Lines{}}},
                                {attempt(stem("task"), port, "from-the-task")});
  EXPECT_TRUE(plan.of("go").stopped()) << plan.of("go");
  EXPECT_THAT(plan.of("go").err, Not(HasSubstr("own socket")));
  ASSERT_NE(other.collector(), nullptr);
  EXPECT_THAT(other.collector()->received(), Not(HasSubstr("from-the-task")));
}

INSTANTIATE_TEST_SUITE_P(
    By, APortThatTheTaskLetGo,
    testing::Values(
        LetGo{"TcpSharedForAWhile",
              kStream,
              {"shared-for-a-while", "tcp-reuseaddr", "0.0.0.0", "{port}", "{stem}"}},
        LetGo{"UdpSharedForAWhile",
              kDatagram,
              {"shared-for-a-while", "udp", "0.0.0.0", "{port}", "{stem}"}},
        LetGo{"UdpConnectedForAWhile", kDatagram, {"connected-for-a-while", "{port}", "{stem}"}},
        LetGo{"TcpShutDown",
              kStream,
              {"closed-then", "tcp-reuseaddr", "0.0.0.0", "{port}", "{stem}"}},
        LetGo{"UdpClosed", kDatagram, {"closed-then", "udp", "0.0.0.0", "{port}", "{stem}"}}),
    name_of_way<LetGo>);

}  // namespace
}  // namespace ambit::probe
