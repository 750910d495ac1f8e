// SPDX-License-Identifier: Apache-2.0
// `ambit run` in a PID namespace, as in a container: the kernel's numbers of processes are others.
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class InAPidNamespace : public testing::Test {
 protected:
  /// Not as its first process, with which all of it would end.
  [[nodiscard]] Task task(const std::string& response, const std::string& script) const {
    return {.scope = {.credential_response = response},
            .catalogue = {{.name = "aws", .files = {secret_}}},
            .command = {"/bin/sh", "-c", script, acts(), secret_},
            .before = {"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c",
                       "\"$@\"; exit $?", "sh"}};
  }

  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/.aws/credentials");
};

TEST_F(InAPidNamespace, ProcessesAreCalledByTheirNumbersAndProgramsThere) {
  const TaskRun run =
      run_ambit(scratch_, task("deny", "echo $$; \"$0\" open \"$1\"; echo went on"));
  EXPECT_THAT(run.ended.out, HasSubstr("went on"));
  const std::vector<Json> findings = run.events.findings();
  ASSERT_TRUE(is_only(findings, {"credential_not_in_scope", "deny", "denied", "file_open"}));
  EXPECT_EQ(text_at(findings[0], "/process/exe"), acts());
  const std::string shell = run.ended.out.substr(0, run.ended.out.find('\n'));
  EXPECT_EQ(text_at(at(findings[0], "/process/parents").front(), "/pid"), shell)
      << findings[0].dump();
}

TEST_F(InAPidNamespace, ATaskThatIsKilledDoesNotGoOn) {
  const TaskRun run = run_ambit(scratch_, task("kill-task", "\"$0\" open \"$1\"; echo went on"));
  EXPECT_THAT(run.ended.out, Not(HasSubstr("went on")));
  EXPECT_THAT(run.ended.out, Not(HasSubstr(std::string(kSecretWord))));
}

TEST_F(InAPidNamespace, ATaskEndsWithItsMonitors) {
  const std::string late = scratch_.path("late");
  const std::string script = "(trap '' HUP TERM; sleep 4; cat \"$1\" >" + late +
                             ") & kill -9 $(pgrep -x ambit) $(pgrep ambit-holder); sleep 20";
  Task ended = task("alert", script);
  ended.before[6] = "\"$@\"; sleep 6";
  static_cast<void>(run_ambit(scratch_, ended));
  EXPECT_EQ(content_of(late), "") << "read by a process that nothing bound any more";
}

}  // namespace
}  // namespace ambit::probe
