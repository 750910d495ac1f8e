// SPDX-License-Identifier: Apache-2.0
// Nothing that a process does takes it or its children out of the task (promise 2, EVASION P1 to
// P3): whatever it has become, the secret stays shut and the network closed.
#include "tests/kernel/fixture/ways.h"

#include <filesystem>

#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Way {
  std::string name;
  Words argv;  ///< what stands before the act; "@" is a cgroup
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"Itself", {}},
      {"AChild", {"in-child"}},
      {"AnOrphan", {"in-orphan"}},
      {"AnOrphanOfAnOrphan", {"in-orphan", "in-orphan"}},
      {"ASiblingByCloneParent", {"in-sibling"}},
      {"AnotherSession", {"in-session"}},
      {"AThread", {"in-thread"}},
      {"Vfork", {"by-vfork"}},
      {"PosixSpawn", {"by-spawn"}},
      {"Exec", {"by-exec"}},
      {"ExecInAThreadThatTakesTheLeadersPlace", {"by-exec-in-thread"}},
      {"ExecInAThreadOfAnOrphan", {"in-orphan", "in-child", "by-exec-in-thread", "by-vfork"}},
      {"NewNamespaces", {"in-namespaces"}},
      {"ANewUserNamespace", {"in-user-namespace"}},
      {"AnotherCgroup", {"in-cgroup", "@"}},
      {"BirthInAnotherCgroup", {"born-in-cgroup", "@"}},
      {"AnotherName", {"named", "sshd"}},
  };
  return all;
}

std::string cgroup_root() {
  for (const std::string at : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    if (fs::exists(at + "/cgroup.procs") && fs::exists(at + "/cgroup.controllers")) return at;
  }
  return "";
}

class AllWays {
 public:
  AllWays() {
    if (!cgroup_root().empty()) {
      cgroup_ = cgroup_root() + "/" + scratch_.fresh("ambit-kernel-test");
      std::error_code ignored;
      fs::create_directory(cgroup_, ignored);
    }
    control = run_plan_alone(scratch_, items("alone"));
    plan =
        run_plan(scratch_,
                 {.scope = {.network = Lines{}}, .catalogue = {{.name = "aws", .files = {secret}}}},
                 items("bound"));
    std::error_code ignored;
    if (!cgroup_.empty()) fs::remove(cgroup_, ignored);
  }

  Scratch scratch_;
  std::string secret = scratch_.secret("home/secret");
  Collector collector = Collector::tcp("127.0.0.1");
  PlanRun control;
  PlanRun plan;

 private:
  std::vector<Item> items(const std::string& phase) {
    std::vector<Item> all;
    for (const Way& way : ways()) {
      Words before = way.argv;
      for (std::string& word : before) {
        if (word == "@") word = cgroup_;
      }
      Item open{.name = way.name + " opens", .argv = before};
      open.argv.insert(open.argv.end(), {"open", secret});
      Item connect{.name = way.name + " connects", .argv = before};
      connect.argv.insert(connect.argv.end(), {"tcp", "127.0.0.1", collector.port_text(),
                                               phase + "-" + way.name + " "});
      all.push_back(open);
      all.push_back(connect);
    }
    return all;
  }
  std::string cgroup_;
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

class AWayOutOfATask : public testing::TestWithParam<Way> {};

TEST_P(AWayOutOfATask, OpensNoSecret) {
  const AllWays& all = all_ways();
  const std::string name = GetParam().name + " opens";
  AMBIT_NEEDS_CONTROL(all.control.of(name));
  ASSERT_THAT(all.control.of(name).out, HasSubstr(std::string(kSecretWord)));
  EXPECT_EQ(all.plan.of(name).out, "");
  EXPECT_TRUE(all.plan.of(name).refused()) << all.plan.of(name);
}

TEST_P(AWayOutOfATask, ReachesNoDestination) {
  const AllWays& all = all_ways();
  const std::string name = GetParam().name + " connects";
  AMBIT_NEEDS_CONTROL(all.control.of(name));
  ASSERT_TRUE(all.collector.receives("alone-" + GetParam().name + " "));
  EXPECT_TRUE(all.plan.of(name).refused()) << all.plan.of(name);
  EXPECT_THAT(all.collector.received(), Not(HasSubstr("bound-" + GetParam().name + " ")));
}

INSTANTIATE_TEST_SUITE_P(By, AWayOutOfATask, testing::ValuesIn(ways()), name_of_way<Way>);

TEST(EveryWayOutOfATask, IsOneFindingForEachAttempt) {
  const AllWays& all = all_ways();
  std::size_t tried = 0;
  for (const auto& [name, done] : all.plan.outcomes) tried += done.refused() ? 1 : 0;
  EXPECT_EQ(all.plan.run.events.findings().size(), tried)
      << summary(all.plan.run.events.findings());
}

}  // namespace
}  // namespace ambit::probe
