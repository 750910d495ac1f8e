// SPDX-License-Identifier: Apache-2.0
// The guard, as a task that runs as root meets it (EVASION F16, F17, P5, P7, P9, M1, M3, M11).
#include "tests/kernel/guard/ways.h"

#include <filesystem>
#include <memory>

#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

/// All ways: outside every task, in a task whose scope grants nothing, and in one whose scope
/// grants all that can be granted.
class AllWays {
 public:
  AllWays() {
    outsider_ = std::make_unique<Child>(
        Command{.argv = act({"keep-in-memory", scratch.path("kept"), scratch.secret("known")})});
    static_cast<void>(eventually([&] { return std::filesystem::exists(scratch.path("kept")); }));
    alone = run_plan_alone(scratch, items("alone"));
    victims_.clear();
    bound = run_in_task("bound", {});
    granted = run_in_task("granted", {"bpf", "perf", "ptrace", "modules", "kexec", "kernel_memory",
                                      "block_devices", "host_settings", "mounts", "terminal"});
  }

  Scratch scratch;
  PlanRun alone;
  PlanRun bound;
  PlanRun granted;

 private:
  PlanRun run_in_task(const std::string& phase, const Lines& privileges) {
    Task task{.scope = {.privileges = privileges}, .catalogue = {{.name = "aws"}}};
    task.events = scratch.path(phase + "-events/file");
    scratch.directory(phase + "-events");
    for (const GuardedWay& way : guarded_ways())
      task.catalogue.front().files.push_back(scratch.path(phase + "/" + way.name + "/.aws/**"));
    task.limit = 300s;
    return run_plan(scratch, task, items(phase));
  }

  std::vector<Item> items(const std::string& phase) {
    std::vector<Item> all;
    for (const GuardedWay& way : guarded_ways()) {
      if (on_portable() && !way.by_numbers) continue;
      const std::string here = phase + "/" + way.name;
      scratch.write(here + "/.aws/credentials", "known\n");
      scratch.write(here + "/plain", "plain\n");
      Item item{.name = way.name, .argv = {}};
      for (const std::string& word : way.argv) item.argv.push_back(filled(word, phase, here));
      all.push_back(std::move(item));
    }
    return all;
  }

  std::string filled(const std::string& word, const std::string& phase, const std::string& here) {
    const bool outside = phase == "alone";
    if (word == "&") return std::to_string(outsider_->pid());
    if (word == "!") return scratch.path("kept");
    if ((word == "%" || word == "#") && !outside) return word == "%" ? "monitor" : "holder";
    if (word == "%" || word == "#") {
      victims_.push_back(std::make_unique<Child>(Command{.argv = act({"stay", "60"})}));
      return std::to_string(victims_.back()->pid());
    }
    const std::string events = outside ? here + "/events" : phase + "-events";
    if (word == "$" && outside) return scratch.write(events + "/file", "line\n");
    if (word == "$") return scratch.path(events + "/file");
    if (word == "^") return outside ? scratch.directory(events) : scratch.path(events);
    return word.starts_with('@') ? scratch.path(here) + word.substr(1) : word;
  }

  std::unique_ptr<Child> outsider_;
  std::vector<std::unique_ptr<Child>> victims_;
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

std::vector<Json> guard_findings(const Events& events, int pid) {
  std::vector<Json> found;
  for (const Json& event : events.of_kind("guard"))
    if (at(event, "/process/pid") == pid) found.push_back(event);
  return found;
}

class AGuardedWay : public testing::TestWithParam<GuardedWay> {
 protected:
  void SetUp() override {
    if (on_portable() && !GetParam().by_numbers)
      GTEST_SKIP() << "portable has no hook for it, and is not asked";
  }

  static void expect_refused(const GuardedWay& way, const PlanRun& plan) {
    const Done& done = plan.of(way.name);
    EXPECT_TRUE(done.refused() || (way.succeeds_anyway && done.done())) << done;
    EXPECT_THAT(done.out, Not(HasSubstr(std::string(kSecretWord))));
    const std::vector<Json> findings = guard_findings(plan.run.events, done.pid);
    if (findings.empty() && way.may_be_silent) return;
    ASSERT_EQ(findings.size(), 1U) << summary(plan.run.events.findings());
    EXPECT_TRUE(says(findings.front(), {way.reason, "deny", "denied", "guard"}));
    EXPECT_EQ(text_at(findings.front(), "/details/operation"), way.operation);
    EXPECT_EQ(at(findings.front(), "/details/privilege"),
              way.privilege.empty() ? Json() : Json(way.privilege));
  }
};

TEST_P(AGuardedWay, IsRefusedInATaskAndIsAFinding) {
  AMBIT_NEEDS_CONTROL(all_ways().alone.of(GetParam().name));
  expect_refused(GetParam(), all_ways().bound);
}

TEST_P(AGuardedWay, IsOpenOnlyToAScopeThatGrantsIt) {
  AMBIT_NEEDS_CONTROL(all_ways().alone.of(GetParam().name));
  const GuardedWay& way = GetParam();
  if (way.privilege.empty()) return expect_refused(way, all_ways().granted);
  const Done& done = all_ways().granted.of(way.name);
  EXPECT_TRUE(done.done()) << done;
  EXPECT_TRUE(guard_findings(all_ways().granted.run.events, done.pid).empty())
      << summary(guard_findings(all_ways().granted.run.events, done.pid));
}

INSTANTIATE_TEST_SUITE_P(By, AGuardedWay, testing::ValuesIn(guarded_ways()),
                         name_of_way<GuardedWay>);

TEST(TheMonitor, LivesAndReportsToTheEndWhateverATaskDoes) {
  for (const PlanRun* plan : {&all_ways().bound, &all_ways().granted}) {
    EXPECT_EQ(plan->run.ended.exit, 0) << plan->run.ended.err;
    EXPECT_EQ(plan->outcomes.size(), all_ways().alone.outcomes.size());
    EXPECT_TRUE(plan->run.events.malformed.empty());
    ASSERT_FALSE(plan->run.events.all.empty());
    EXPECT_EQ(text_at(plan->run.events.all.front(), "/kind"), "start");
    EXPECT_EQ(text_at(plan->run.events.all.back(), "/kind"), "stop");
  }
}

}  // namespace
}  // namespace ambit::probe
