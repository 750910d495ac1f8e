// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/attribute.h"

#include <gtest/gtest.h>

#include "tests/unit/attribution/fake_processes.h"

namespace {

using namespace ambit::attribution;
using namespace ambit::model;

constexpr std::uint64_t kSecond = 1'000'000'000;

class FakeClock final : public ambit::Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return wall; }
  [[nodiscard]] std::uint64_t boot_ns() const override { return 0; }
  std::int64_t wall = 1'000'000 * static_cast<std::int64_t>(kSecond);
};

class AttributionTest : public testing::Test {
 protected:
  static Event event_of(std::uint32_t pid, std::uint32_t ppid, std::uint64_t start_ns,
                        Kind kind = Kind::connect) {
    Event event;
    event.kind = kind;
    event.slot = 3;
    event.boot_ns = start_ns + 5;
    event.process = Process{};
    event.process->pid = pid;
    event.process->ppid = ppid;
    event.process->start_boot_ns = start_ns;
    return event;
  }
  static Event exec_of(std::uint32_t pid, std::uint32_t ppid, std::uint64_t start_ns,
                       const std::string& exe) {
    Event event = event_of(pid, ppid, start_ns, Kind::exec);
    event.process->exe = exe;
    event.process->comm = exe.substr(exe.rfind('/') + 1);
    event.process->argv = {exe, "--password", "hunter2"};
    return event;
  }
  static Fork fork_of(std::uint32_t pid, std::uint64_t start_ns, std::uint32_t parent,
                      std::uint64_t parent_start_ns) {
    return {.boot_ns = start_ns + 1,
            .slot = 3,
            .uid = 1000,
            .pid = pid,
            .start_boot_ns = start_ns,
            .parent_pid = parent,
            .parent_start_boot_ns = parent_start_ns};
  }
  Event attributed(Event event) {
    attribution.attribute(event);
    return event;
  }
  static std::vector<std::uint32_t> pids(const Event& event) {
    std::vector<std::uint32_t> pids;
    for (const ParentProcess& parent : event.process->parents) {
      pids.push_back(parent.pid);
    }
    return pids;
  }

  FakeProcesses machine;
  FakeClock clock;
  TaskRegistry tasks;
  Attribution attribution{machine, clock, tasks, TableLimits{.processes = 64, .bytes = 1 << 20}};
};

TEST_F(AttributionTest, GivesEveryEventItsTaskAndWallTimes) {
  auto task = std::make_shared<Task>();
  task->slot = 3;
  tasks.add(task);
  machine.start(20, 1, 5 * kSecond, "/bin/sh");
  const Event event = attributed(event_of(20, 1, 5 * kSecond));
  EXPECT_EQ(event.task, task);
  EXPECT_EQ(event.time_ns, clock.wall + 5'000'000'005);
  EXPECT_EQ(event.process->start_ns, clock.wall + 5'000'000'000);
}

TEST_F(AttributionTest, LeavesAnEventWithoutTaskWhenItsSlotIsNotKnown) {
  EXPECT_EQ(attributed(event_of(20, 1, kSecond)).task, nullptr);
}

TEST_F(AttributionTest, SaysTheSameStartInEveryEventOfAProcess) {
  machine.start(20, 1, 5 * kSecond, "/bin/sh");
  const auto first = attributed(event_of(20, 1, 5 * kSecond)).process->start_ns;
  clock.wall += 3600 * static_cast<std::int64_t>(kSecond);
  EXPECT_EQ(attributed(event_of(20, 1, 5 * kSecond)).process->start_ns, first);
}

TEST_F(AttributionTest, ReadsFromTheMachineWhatTheRecordLeavesOut) {
  machine.start(10, 1, kSecond, "/sbin/init");
  FakeProcess& shell = machine.start(20, 10, 5 * kSecond + 123, "/bin/sh");
  shell.argv = {"sh", "-c", "mysql -psecret"};
  shell.cgroup = "0::/docker/" + std::string(64, 'a') + "\n";
  const Event event = attributed(event_of(20, 10, 5 * kSecond + 123));
  EXPECT_EQ(event.process->exe, "/bin/sh");
  EXPECT_EQ(event.process->argv, (std::vector<std::string>{"sh", "-c", "mysql -p[redacted]"}));
  EXPECT_EQ(event.process->cwd, "/work");
  EXPECT_EQ(event.container_id, std::string(64, 'a'));
  EXPECT_EQ(pids(event), (std::vector<std::uint32_t>{10}));
  EXPECT_EQ(event.process->parents[0].exe, "/sbin/init");
}

TEST_F(AttributionTest, AsksTheMachineOncePerProcess) {
  machine.start(20, 0, kSecond, "/bin/sh");
  (void)attributed(event_of(20, 0, kSecond));
  const int before = machine.reads;
  (void)attributed(event_of(20, 0, kSecond));
  EXPECT_EQ(machine.reads, before);
}

TEST_F(AttributionTest, RemembersTheProgramOfAProcessThatIsGone) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/cat"));
  const Event event = attributed(event_of(20, 0, kSecond));
  EXPECT_EQ(event.process->exe, "/usr/bin/cat");
  EXPECT_EQ(event.process->argv,
            (std::vector<std::string>{"/usr/bin/cat", "--password", "[redacted]"}));
  EXPECT_FALSE(event.process->cwd) << "nobody could tell it";
}

TEST_F(AttributionTest, ReadsTheCommandLineThatAnExecLeavesOut) {
  machine.start(20, 0, kSecond, "/usr/bin/cat").argv = {"cat", "--token", "t"};
  Event exec = exec_of(20, 0, kSecond, "/usr/bin/cat");
  exec.process->argv.clear();
  EXPECT_EQ(attributed(exec).process->argv,
            (std::vector<std::string>{"cat", "--token", "[redacted]"}));
}

TEST_F(AttributionTest, RedactsTheCommandLineThatAnExecBrings) {
  const Event event = attributed(exec_of(20, 0, kSecond, "/usr/bin/cat"));
  EXPECT_EQ(event.process->argv[2], "[redacted]");
}

TEST_F(AttributionTest, RedactsEvenWhereTheProcessCannotBeIdentified) {
  Event event = exec_of(0, 0, 0, "/usr/bin/cat");
  EXPECT_EQ(attributed(event).process->argv[2], "[redacted]");
}

TEST_F(AttributionTest, KeepsTheOldProgramWhenAnExecWasRefused) {
  machine.start(20, 0, kSecond, "/bin/sh");
  const Event event = attributed(event_of(20, 0, kSecond, Kind::exec));
  EXPECT_EQ(event.process->exe, "/bin/sh");
}

TEST_F(AttributionTest, TellsAReusedPidByItsStart) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/cat"));
  machine.start(20, 0, 9 * kSecond, "/usr/bin/vi");
  EXPECT_EQ(attributed(event_of(20, 0, 9 * kSecond)).process->exe, "/usr/bin/vi");
  EXPECT_EQ(attributed(event_of(20, 0, kSecond)).process->exe, "/usr/bin/cat");
}

TEST_F(AttributionTest, TakesNothingFromTheMachineAboutADeadProcessWhosePidIsUsedAgain) {
  machine.start(20, 0, 9 * kSecond, "/usr/bin/vi");
  const Event event = attributed(event_of(20, 7, kSecond));
  EXPECT_EQ(event.process->exe, "");
  EXPECT_TRUE(event.process->argv.empty());
  EXPECT_FALSE(event.container_id);
}

TEST_F(AttributionTest, NamesTheRealParentWhenItsPidIsUsedAgain) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/node"));
  machine.start(20, 0, 9 * kSecond, "/usr/bin/vi");
  machine.start(30, 20, 2 * kSecond, "/bin/sh");
  const Event event = attributed(event_of(30, 20, 2 * kSecond));
  ASSERT_EQ(event.process->parents.size(), 1U);
  EXPECT_EQ(event.process->parents[0].exe, "/usr/bin/node");
  EXPECT_EQ(event.process->parents[0].start_boot_ns, kSecond);
}

TEST_F(AttributionTest, KeepsTheParentsOfAProcessThatIsHandedOn) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/node"));
  (void)attributed(exec_of(30, 20, 2 * kSecond, "/bin/sh"));
  EXPECT_EQ(pids(attributed(event_of(30, 1, 2 * kSecond))), (std::vector<std::uint32_t>{20}));
}

TEST_F(AttributionTest, NamesAtMostSixteenParentsNearestFirst) {
  for (std::uint32_t pid = 1; pid <= 40; ++pid) {
    machine.start(pid, pid - 1, pid * kSecond, "/bin/p" + std::to_string(pid));
  }
  const Event event = attributed(event_of(40, 39, 40 * kSecond));
  ASSERT_EQ(event.process->parents.size(), 16U);
  EXPECT_EQ(event.process->parents.front().pid, 39U);
  EXPECT_EQ(event.process->parents.back().pid, 24U);
}

TEST_F(AttributionTest, SaysOfADeadForkThatItRanItsParentsProgram) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/python3"));
  Event child = event_of(30, 20, 2 * kSecond);
  child.process->comm = "python3";
  EXPECT_EQ(attributed(child).process->exe, "/usr/bin/python3");
  Event other = event_of(31, 20, 2 * kSecond);
  other.process->comm = "cat";
  EXPECT_EQ(attributed(other).process->exe, "") << "it ran something else, unknown what";
}

TEST_F(AttributionTest, TakesAForkForWhatItsStarterIsThen) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/python3"));
  attribution.learn(fork_of(30, 2 * kSecond, 20, kSecond));
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/vi"));
  attribution.learn(fork_of(31, 3 * kSecond, 20, kSecond));
  Event first = event_of(30, 1, 2 * kSecond);
  first.process->comm = "any";
  EXPECT_EQ(attributed(first).process->exe, "/usr/bin/python3");
  EXPECT_EQ(attributed(first).process->argv[2], "[redacted]");
  EXPECT_EQ(attributed(event_of(31, 1, 3 * kSecond)).process->exe, "/usr/bin/vi");
}

TEST_F(AttributionTest, KnowsTheAncestorsOfForksThatHaveAllEnded) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/node"));
  for (std::uint32_t pid = 21; pid < 26; ++pid) {
    attribution.learn(fork_of(pid, (pid - 19) * kSecond, pid - 1, (pid - 20) * kSecond));
  }
  const Event event = attributed(event_of(25, 1, 6 * kSecond));
  EXPECT_EQ(pids(event), (std::vector<std::uint32_t>{24, 23, 22, 21, 20}));
  EXPECT_EQ(event.process->parents.back().exe, "/usr/bin/node");
}

TEST_F(AttributionTest, SaysItsOwnStartOfAFork) {
  machine.start(20, 0, kSecond, "/bin/sh");
  (void)attributed(event_of(20, 0, kSecond));
  attribution.learn(fork_of(30, 2 * kSecond, 20, kSecond));
  EXPECT_EQ(attributed(event_of(30, 20, 2 * kSecond)).process->start_ns,
            clock.wall + 2 * static_cast<std::int64_t>(kSecond));
}

TEST_F(AttributionTest, AsksTheMachineAboutAStarterThatNoRecordTold) {
  machine.start(20, 7, kSecond, "/bin/sh");
  attribution.learn(fork_of(30, 2 * kSecond, 20, kSecond));
  machine.live.clear();
  EXPECT_EQ(attributed(event_of(30, 20, 2 * kSecond)).process->exe, "/bin/sh");
}

TEST_F(AttributionTest, ReplacesAForgottenProcessWhosePidIsUsedAgainByAFork) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/node"));
  (void)attributed(exec_of(30, 20, 2 * kSecond, "/usr/bin/old"));
  attribution.learn(fork_of(30, 2 * kSecond, 20, kSecond));
  EXPECT_EQ(attributed(event_of(30, 20, 2 * kSecond)).process->exe, "/usr/bin/node");
}

TEST_F(AttributionTest, KnowsAProcessWithoutAStartByWhoHadItsPidThen) {
  (void)attributed(exec_of(20, 0, kSecond, "/usr/bin/node"));
  attribution.learn(fork_of(30, 2 * kSecond, 20, kSecond));
  attribution.learn(fork_of(30, 9 * kSecond, 30, 2 * kSecond));
  Event event = event_of(30, 0, 0);
  event.boot_ns = 3 * kSecond;
  event = attributed(event);
  EXPECT_EQ(event.process->exe, "/usr/bin/node");
  EXPECT_EQ(event.process->uid, 1000U);
  EXPECT_EQ(event.process->start_boot_ns, 2 * kSecond);
}

TEST_F(AttributionTest, TakesTheDirectoryThatAFindingBrings) {
  machine.start(20, 0, kSecond, "/bin/sh");
  Event finding = event_of(20, 0, kSecond);
  finding.finding = true;
  finding.process->cwd = "/elsewhere";
  EXPECT_EQ(attributed(finding).process->cwd, "/elsewhere");
  EXPECT_EQ(attributed(event_of(20, 0, kSecond)).process->cwd, "/elsewhere");
}

TEST_F(AttributionTest, LooksWhereAProcessIsNowForAFinding) {
  machine.start(20, 0, kSecond, "/bin/sh");
  (void)attributed(event_of(20, 0, kSecond));
  machine.live[20].cwd = "/elsewhere";
  Event finding = event_of(20, 0, kSecond);
  finding.finding = true;
  EXPECT_EQ(attributed(finding).process->cwd, "/elsewhere");
}

TEST_F(AttributionTest, GivesAnAddressTheNameThatItWasResolvedFrom) {
  auto task = std::make_shared<Task>();
  task->slot = 3;
  tasks.add(task);
  tasks.set_names(3, {{"203.0.113.9", "api.example"}});
  Event event = event_of(20, 0, kSecond);
  event.destination = Destination{};
  event.destination->ip = "203.0.113.9";
  EXPECT_EQ(attributed(event).destination->name, "api.example");
  event.destination->ip = "203.0.113.10";
  EXPECT_FALSE(attributed(event).destination->name);
  tasks.remove(3);
  event.destination->ip = "203.0.113.9";
  EXPECT_FALSE(attributed(event).destination->name);
}

TEST(ProcessTable, ForgetsTheDeadFirstAndStaysBounded) {
  FakeProcesses machine;
  ProcessTable table(machine, {.processes = 32, .bytes = 1 << 20});
  Process process;
  machine.start(1, 0, kSecond, "/sbin/init");
  process.pid = 1;
  process.start_boot_ns = kSecond;
  ASSERT_NE(table.find_or_learn(process, 0), nullptr);
  for (std::uint32_t pid = 2; pid < 1000; ++pid) {
    process.pid = pid;
    process.ppid = 1;
    process.start_boot_ns = pid * kSecond;
    ASSERT_NE(table.find_or_learn(process, 0), nullptr);
    ASSERT_LE(table.size(), 32U);
  }
  machine.live.clear();
  process.pid = 1;
  process.ppid = 0;
  process.start_boot_ns = kSecond;
  EXPECT_NE(table.find_or_learn(process, 0), nullptr) << "it lived, so it was kept";
}

TEST(ProcessTable, StaysBoundedWhateverIsForked) {
  FakeProcesses machine;
  ProcessTable table(machine, {.processes = 1000, .bytes = 1 << 20});
  machine.start(1, 0, kSecond, "/sbin/init");
  for (std::uint32_t pid = 2; pid < 20'000; ++pid) {
    table.learn_fork({.boot_ns = pid * kSecond,
                      .slot = 3,
                      .uid = 0,
                      .pid = pid,
                      .start_boot_ns = pid * kSecond,
                      .parent_pid = 1,
                      .parent_start_boot_ns = kSecond});
    ASSERT_LE(table.size(), 1000U);
  }
  Process last;
  last.pid = 19'999;
  last.start_boot_ns = 19'999 * kSecond;
  KnownProcess* known = table.find_or_learn(last, 0);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->exe, "/sbin/init");
}

TEST(ProcessTable, StaysWithinItsBytesWhateverCommandLinesAreLong) {
  FakeProcesses machine;
  ProcessTable table(machine, {.processes = 1000, .bytes = 100'000});
  for (std::uint32_t pid = 2; pid < 300; ++pid) {
    FakeProcess& live = machine.start(pid, 1, kSecond, "/bin/x");
    live.argv.assign(10, std::string(5000, 'a'));
    Process process;
    process.pid = pid;
    process.start_boot_ns = kSecond;
    ASSERT_NE(table.find_or_learn(process, 0), nullptr);
    ASSERT_LE(table.bytes(), 100'000U);
  }
  EXPECT_GT(table.size(), 1U);
}

}  // namespace
