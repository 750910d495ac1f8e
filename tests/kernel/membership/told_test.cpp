// SPDX-License-Identifier: Apache-2.0
// What findings tell of the process: its program, arguments, directory, user and parents, however
// short it lives and whatever it says of itself.
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

class FindingTellsTheProcess : public testing::Test {
 protected:
  TaskRun in_task(const Words& words, const std::string& response = "deny") {
    return run_ambit(
        scratch_,
        {.scope = {.credential_response = response}, .catalogue = {aws_}, .command = act(words)});
  }
  /// The command that ambit started: its execution is the first of all.
  static Json command_of(const TaskRun& run) {
    const std::vector<Json> executed = run.events.of_kind("exec");
    return executed.empty() ? Json() : at(executed.front(), "/process/pid");
  }
  /// The first finding that does not tell all of it, in words.
  static std::string first_lacking(const TaskRun& run, const Json& argv, std::size_t generations) {
    for (const Json& finding : run.events.findings()) {
      const Json parents = at(finding, "/process/parents");
      const bool told = text_at(finding, "/process/exe") == acts() &&
                        at(finding, "/process/argv") == argv &&
                        at(finding, "/process/cwd").is_string() && parents.size() > generations &&
                        at(parents.at(generations - 1), "/pid") == command_of(run) &&
                        text_at(parents.at(0), "/exe") == acts();
      if (!told) return finding.dump();
    }
    return "";
  }

  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
  CredentialText aws_{.name = "aws", .files = {secret_}};
  const int times_ = on_portable() ? 200 : 40;  // guests are emulated
  const std::string many_ = std::to_string(times_);
};

TEST_F(FindingTellsTheProcess, ThatExecutedOpenedAndEnded) {
  const TaskRun run = in_task({"repeat", many_, "by-vfork", "open", secret_});
  ASSERT_EQ(run.events.findings().size(), static_cast<std::size_t>(times_)) << run.ended.err;
  EXPECT_EQ(first_lacking(run, Json(act({"open", secret_})), 1), "");
}

TEST_F(FindingTellsTheProcess, ThatNeverExecuted) {
  const Words words{"repeat", many_, "in-child", "open", secret_};
  const TaskRun run = in_task(words);
  ASSERT_EQ(run.events.findings().size(), static_cast<std::size_t>(times_)) << run.ended.err;
  EXPECT_EQ(first_lacking(run, Json(act(words)), 1), "");
}

TEST_F(FindingTellsTheProcess, ThatWasKilled) {
  const TaskRun run = in_task({"repeat", many_, "by-spawn", "open", secret_}, "kill");
  ASSERT_EQ(run.events.findings().size(), static_cast<std::size_t>(times_)) << run.ended.err;
  EXPECT_EQ(first_lacking(run, Json(act({"open", secret_})), 1), "");
}

TEST_F(FindingTellsTheProcess, WhoseParentsHaveEnded) {
  const TaskRun run = in_task({"repeat", "20", "in-orphan", "by-vfork", "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 20U) << run.ended.err;
  EXPECT_EQ(first_lacking(run, Json(act({"open", secret_})), 3), "");
}

TEST_F(FindingTellsTheProcess, ThatHasTheParentOfItsStarter) {
  const TaskRun run = in_task({"repeat", "20", "in-child", "in-sibling", "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 20U) << run.ended.err;
  EXPECT_EQ(first_lacking(run, at(run.events.findings().front(), "/process/argv"), 2), "");
}

// EVASION E6: what a process calls itself is not who it is.
TEST_F(FindingTellsTheProcess, ThatTookAnotherName) {
  const TaskRun run = in_task({"named", "sshd", "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 1U);
  EXPECT_EQ(text_at(run.events.findings().front(), "/process/exe"), acts());
}

// EVASION E8.
TEST_F(FindingTellsTheProcess, ThatRewroteItsArguments) {
  const Words words{"with-other-arguments", "open", secret_};
  const TaskRun run = in_task(words);
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_EQ(at(run.events.findings().front(), "/process/argv"), Json(act(words)));
}

TEST_F(FindingTellsTheProcess, WhoseProgramIsNoFileInADirectory) {
  const TaskRun run = in_task({"exec-memory", acts(), "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_THAT(text_at(run.events.findings().front(), "/process/exe"), HasSubstr("memfd:program"));
}

TEST_F(FindingTellsTheProcess, WhoseProgramIsDeleted) {
  const std::string copy = scratch_.path("copy");
  const TaskRun run = in_task({"exec-deleted", acts(), copy, "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_EQ(text_at(run.events.findings().front(), "/process/exe"), copy);
}

TEST_F(FindingTellsTheProcess, WithTheDirectoryWhereItIsNow) {
  const std::string other = scratch_.directory("other");
  const TaskRun run = in_task({"repeat", "20", "in-child", "chdir", other, "open", secret_});
  ASSERT_EQ(run.events.findings().size(), 20U) << run.ended.err;
  for (const Json& finding : run.events.findings())
    EXPECT_EQ(text_at(finding, "/process/cwd"), other);
  const TaskRun root = in_task({"repeat", "20", "in-child", "chdir", "/", "open", secret_});
  ASSERT_EQ(root.events.findings().size(), 20U) << root.ended.err;
  for (const Json& finding : root.events.findings())
    EXPECT_EQ(text_at(finding, "/process/cwd"), "/");
}

TEST_F(FindingTellsTheProcess, WithTheDirectoryOfOneThatConnects) {
  const std::string other = scratch_.directory("other");
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.network = Lines{}},
                           .command = act({"repeat", "20", "in-child", "chdir", other, "tcp",
                                           "127.0.0.1", "9", "text"})});
  ASSERT_EQ(run.events.findings().size(), 20U) << run.ended.err;
  for (const Json& finding : run.events.findings())
    EXPECT_EQ(text_at(finding, "/process/cwd"), other);
}

TEST_F(FindingTellsTheProcess, WithItsUserThoughItMayNotBeDumped) {
  const std::string program = scratch_.program("bin/acts", acts());  // that nobody can reach
  const TaskRun run = run_ambit(scratch_, {.catalogue = {aws_},
                                           .command = {program, "undumpable", "open", secret_},
                                           .options = {"--user", "nobody"}});
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_EQ(at(run.events.findings().front(), "/process/uid"), 65534);
}

// A program that was refused never ran: who asked for it is the process as it was.
TEST_F(FindingTellsTheProcess, ThatWasRefusedAProgram) {
  const std::string other = scratch_.program("bin/other", ran());
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.exec = Lines{acts()}},
                           .command = act({"repeat", "20", "in-child", "exec", other})});
  ASSERT_EQ(run.events.findings().size(), 20U) << run.ended.err;
  for (const Json& finding : run.events.findings()) {
    EXPECT_EQ(text_at(finding, "/file/path"), other);
    EXPECT_EQ(text_at(finding, "/process/exe"),
              text_at(finding, "/verdict/effective") == "denied" ? acts() : other);
    EXPECT_FALSE(at(finding, "/process/argv").empty()) << finding.dump();
  }
}

}  // namespace
}  // namespace ambit::probe
