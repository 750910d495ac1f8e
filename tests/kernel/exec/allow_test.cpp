// SPDX-License-Identifier: Apache-2.0
// What exec.allow lets run: by the file, whatever it is called, scripts and interpreters both.
#include <unistd.h>

#include <filesystem>

#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ExecAllow : public testing::Test {
 protected:
  ExecAllow() {
    permitted_ = scratch_.program("bin/permitted", ran());
    other_ = scratch_.program("bin/other", ran());
    script_ = scratch_.write("bin/script", "#!" + permitted_ + "\n", 0755);
  }
  PlanRun attempt(Lines allow, const std::vector<Item>& items,
                  const std::string& response = "deny") {
    allow.push_back(acts());
    return run_plan(scratch_, {.scope = {.exec = allow, .exec_response = response}}, items);
  }
  static Item runs(const std::string& name, const std::string& program) {
    return {.name = name, .argv = {"exec", program}};
  }
  static void expect_runs(const PlanRun& plan, const std::string& name) {
    EXPECT_EQ(plan.of(name).out, "ran\n") << name << ": " << plan.of(name);
  }
  static void expect_stopped(const PlanRun& plan, const std::string& name) {
    EXPECT_EQ(plan.of(name).out, "") << name << ": " << plan.of(name);
    EXPECT_TRUE(plan.of(name).refused() || plan.of(name).killed()) << name << ": " << plan.of(name);
  }
  static testing::AssertionResult finding_of(const PlanRun& plan, const std::string& name) {
    return is_only(plan.run.events.findings(),
                   {"executable_not_in_scope", "deny", plan.of(name).effect(), "exec"});
  }

  Scratch scratch_;
  std::string permitted_;
  std::string other_;
  std::string script_;
};

TEST_F(ExecAllow, LetsRunWhatItNamesAndNothingElse) {
  const PlanRun plan =
      attempt({permitted_}, {runs("permitted", permitted_), runs("other", other_)});
  expect_runs(plan, "permitted");
  expect_stopped(plan, "other");
  ASSERT_TRUE(finding_of(plan, "other"));
  const Json finding = plan.run.events.findings().front();
  EXPECT_EQ((Identity{text_at(finding, "/file/dev"), at(finding, "/file/ino")}),
            identity_of(other_))
      << finding.dump();
}

TEST_F(ExecAllow, IsAnEventOfEachProgramThatRan) {
  const PlanRun plan = attempt({permitted_}, {runs("permitted", permitted_)});
  const std::vector<Json> events = plan.run.events.of_kind("exec");
  const auto ours = std::ranges::find_if(
      events, [&](const Json& event) { return text_at(event, "/process/exe") == permitted_; });
  ASSERT_NE(ours, events.end()) << summary(events);
  EXPECT_EQ(text_at(*ours, "/verdict/scope"), "inside");
  EXPECT_THAT(at(*ours, "/process/argv").dump(), HasSubstr("bin/permitted"));
}

TEST_F(ExecAllow, KnowsAProgramThroughASymlinkFromEitherSide) {
  const std::string link = scratch_.path("bin/link");
  ASSERT_EQ(::symlink(permitted_.c_str(), link.c_str()), 0);
  const PlanRun by_target = attempt({permitted_}, {runs("link", link)});
  expect_runs(by_target, "link");
  const PlanRun by_link = attempt({link}, {runs("target", permitted_), runs("other", other_)});
  expect_runs(by_link, "target");
  expect_stopped(by_link, "other");
}

TEST_F(ExecAllow, TakesOneStarInAName) {
  const std::string version = scratch_.program("bin/python3.99", ran());
  const PlanRun plan =
      attempt({scratch_.path("bin/python3*")}, {runs("version", version), runs("other", other_)});
  expect_runs(plan, "version");
  expect_stopped(plan, "other");
}

TEST_F(ExecAllow, WantsAScriptAndItsInterpreter) {
  const Item script{.name = "script", .argv = {"exec", script_}};
  ASSERT_EQ(run_plan_alone(scratch_, {script}).of("script").out, "ran\n");
  expect_runs(attempt({script_, permitted_}, {script}), "script");
  // The interpreter is not named; the script is not named.
  expect_stopped(attempt({script_}, {script}), "script");
  expect_stopped(attempt({permitted_}, {script}), "script");
}

TEST_F(ExecAllow, RefusesTheCommandItselfWhenItIsNotNamed) {
  const std::string mark = scratch_.path("it");
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.exec = Lines{permitted_}}, .command = {other_, mark}});
  EXPECT_FALSE(fs::exists(mark + ".ran"));
  EXPECT_TRUE(run.ended.exit == 126 || run.ended.exit == 137) << run.ended.exit << run.ended.err;
  EXPECT_TRUE(is_only(
      run.events.findings(),
      {"executable_not_in_scope", "deny", run.ended.exit == 126 ? "denied" : "killed", "exec"}));
}

TEST_F(ExecAllow, IsNothingWhereItIsEmpty) {
  const std::string mark = scratch_.path("it");
  const TaskRun run = run_ambit(scratch_, {.scope = {.exec = Lines{}}, .command = {other_, mark}});
  EXPECT_FALSE(fs::exists(mark + ".ran"));
  EXPECT_NE(run.ended.exit, 0);
}

TEST_F(ExecAllow, ObservesAndBindsNothingWhereTheSectionIsAbsent) {
  const PlanRun plan = run_plan(scratch_, {}, {runs("other", other_)});
  expect_runs(plan, "other");
  EXPECT_EQ(plan.run.events.findings().size(), 0U) << summary(plan.run.events.findings());
}

TEST_F(ExecAllow, GivesKillAndAlertAndShadowAsAskedFor) {
  const PlanRun killed = attempt({permitted_}, {runs("other", other_)}, "kill");
  EXPECT_TRUE(killed.of("other").killed()) << killed.of("other");
  EXPECT_EQ(killed.of("other").out, "");
  EXPECT_TRUE(
      is_only(killed.run.events.findings(), {"executable_not_in_scope", "kill", "killed", "exec"}));
  const PlanRun alerted = attempt({permitted_}, {runs("other", other_)}, "alert");
  expect_runs(alerted, "other");
  EXPECT_TRUE(is_only(alerted.run.events.findings(),
                      {"executable_not_in_scope", "alert", "alerted", "exec"}));
  const PlanRun shadow = run_plan(
      scratch_,
      {.scope = {.shadow = true, .exec = Lines{permitted_, acts()}, .exec_response = "kill"}},
      {runs("other", other_)});
  expect_runs(shadow, "other");
  EXPECT_TRUE(is_only(shadow.run.events.findings(),
                      {"executable_not_in_scope", "kill", "alerted", "exec"}));
}

}  // namespace
}  // namespace ambit::probe
