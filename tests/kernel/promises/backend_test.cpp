// SPDX-License-Identifier: Apache-2.0
// It never pretends (promise 7): what cannot be had is refused with a sentence, before anything
// starts.
#include <filesystem>

#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

class WhatCannotBeHad : public testing::Test {
 protected:
  void expect_refused(const Task& task) {
    Task marked = task;
    marked.command = act({"write", mark_, "ran"});
    const TaskRun run = run_ambit(scratch_, marked);
    EXPECT_EQ(run.ended.exit, 125) << run.ended.err;
    EXPECT_FALSE(std::filesystem::exists(mark_)) << "the command was started";
    // A sentence: words, and an end.
    EXPECT_GT(run.ended.err.size(), 20U) << run.ended.err;
    EXPECT_THAT(run.ended.err, HasSubstr(" ")) << run.ended.err;
    last_err_ = run.ended.err;
  }

  Scratch scratch_;
  std::string mark_ = scratch_.path("mark");
  std::string last_err_;
};

TEST_F(WhatCannotBeHad, IsABackendThatThisKernelLacks) {
  std::vector<std::string> lacking;
  if (backend() != "lsm") lacking.emplace_back("lsm");
  if (on_portable()) lacking.emplace_back("fmod_ret");
  if (lacking.empty()) GTEST_SKIP() << "this kernel has every backend that is better than another";
  for (const std::string& name : lacking) {
    expect_refused({.backend = name});
    EXPECT_THAT(last_err_, HasSubstr(name));
  }
}

TEST_F(WhatCannotBeHad, IsABackendThatDoesNotExist) {
  const TaskRun run =
      run_ambit(scratch_, {.command = act({"write", mark_, "ran"}), .backend = "magic"});
  EXPECT_EQ(run.ended.exit, 2) << run.ended.err;
  EXPECT_FALSE(std::filesystem::exists(mark_));
}

TEST_F(WhatCannotBeHad, IsDenialOfAClassThatThisBackendCanOnlyKill) {
  if (!on_portable()) GTEST_SKIP() << "this backend denies every class";
  expect_refused({.scope = {.exec = Lines{acts()}}, .options = {"--require", "deny"}});
  EXPECT_THAT(last_err_, HasSubstr("exec"));
}

TEST_F(WhatCannotBeHad, IsEnforcementWithoutRoot) {
  const std::string copy = scratch_.program("ambit", ambit_binary());
  const Ended ended =
      probe::run({.argv = {copy, "run", "--", "/usr/bin/env", "echo", "started"}, .uid = 65534});
  EXPECT_EQ(ended.exit, 125) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("root"));
}

TEST(WhatCanBeHad, IsDenialWhereItIsRequired) {
  const Scratch scratch;
  const std::string secret = scratch.secret("home/secret");
  Task task{.catalogue = {{.name = "aws", .files = {secret}}}, .options = {"--require", "deny"}};
  if (!on_portable()) task.scope.exec = Lines{acts()};
  const PlanRun plan = run_plan(scratch, task, {{.name = "it", .argv = {"open", secret}}});
  EXPECT_TRUE(plan.of("it").refused()) << plan.of("it");
  EXPECT_TRUE(is_only(plan.run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST(WhatCanBeHad, IsTheBestBackendWithoutAsking) {
  const Scratch scratch;
  const std::string secret = scratch.secret("home/secret");
  const TaskRun run = run_ambit(scratch, {.catalogue = {{.name = "aws", .files = {secret}}},
                                          .command = {"/usr/bin/cat", secret},
                                          .backend = "any"});
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_EQ(text_at(run.events.findings().front(), "/verdict/backend"), backend());
}

TEST(WhatCanBeHad, IsToldByTheDoctor) {
  const Ended ended = probe::run({.argv = {ambit_binary(), "doctor", "--json"}});
  const Json report = Json::parse(ended.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << ended.out << ended.err;
  EXPECT_EQ(text_at(report, "/backend"), backend()) << report.dump();
}

}  // namespace
}  // namespace ambit::probe
