// SPDX-License-Identifier: Apache-2.0
// Rows that are about a whole run, not about one act in it: P6, P8, N15.
#include <filesystem>

#include "tests/kernel/evasion/results.h"

namespace ambit::probe::evasion {
namespace {

/// A row of the page; `held` is what the best would be.
void report(const std::string& row, const std::string& name, Result result, Result best,
            const std::string& why = "") {
  Json line{{"row", row},
            {"case", name},
            {"mode", "deny"},
            {"result", letter_of(result)},
            {"best", letter_of(best)},
            {"cause", ""},
            {"faults", Json::array()}};
  if (result < best) line["why"] = why;
  write_result(line);
}

class EveryTask : public testing::Test {
 protected:
  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
  CredentialText aws_{.name = "aws", .files = {secret_}};
};

// P6. The member has ended and its task lives on; an outsider has the member's number.
TEST_F(EveryTask, LeavesAnOutsiderAloneThatHasTheNumberOfAMemberThatHasEnded) {
  const std::string number_file = scratch_.path("number");
  const std::string ready = scratch_.path("ready");
  const std::string go = scratch_.path("go");
  const std::string plan = scratch_.write(
      "plan.json", Json::array({{{"name", "member"}, {"argv", {"handshake", ready, number_file}}},
                                {{"name", "stay"}, {"argv", {"wait-for", go}}}})
                       .dump());
  Live live(scratch_, {.catalogue = {aws_}, .command = act({"each", plan})});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }, 60s));
  const std::string number = content_of(ready);
  scratch_.write("number", "");
  ASSERT_TRUE(eventually([&] { return !std::filesystem::exists("/proc/" + number); }));

  const Ended outsider = run({.argv = act({"in-pid", number, "open", secret_})});
  scratch_.write("go", "");
  const TaskRun run = live.finish();
  if (outsider.exit == 12) GTEST_SKIP() << "this kernel gives no process a number of choice";
  EXPECT_EQ(outsider.exit, 0) << outsider.err;
  EXPECT_EQ(outsider.out, content_of(secret_));
  EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
  const bool held = outsider.out == content_of(secret_) && run.events.findings().empty();
  report("P6", "number used again: the new process is unbound",
         held ? Result::denied : Result::missed, Result::denied);
}

// P8. The command's first act is the open; each start is a chance to be early.
TEST_F(EveryTask, BindsFromTheFirstInstructionOfTheCommand) {
  constexpr int kStarts = 3;
  int bound = 0;
  for (int i = 0; i < kStarts; ++i) {
    const TaskRun run =
        run_ambit(scratch_, {.catalogue = {aws_}, .command = act({"open", secret_})});
    EXPECT_EQ(run.ended.out, "");
    EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
    bound += run.ended.exit == 10 && run.ended.out.empty() && run.events.findings().size() == 1;
  }
  report("P8", "first instruction after the start",
         bound == kStarts ? Result::denied : Result::missed, Result::denied);
}

// N15. What is asked for leaves by a connection that came in.
TEST_F(EveryTask, AnswersWhoeverComesToItsListener) {
  const int port = [] { return Collector::tcp("127.0.0.1").port(); }();
  const std::string number = std::to_string(port);
  Live live(scratch_, {.scope = {.network = Lines{}},
                       .command = act({"serve", "127.0.0.1", number, "answer-of-the-task"})});
  Ended asked;
  // A start under emulation takes seconds.
  EXPECT_TRUE(eventually(
      [&] {
        asked = run({.argv = act({"ask", "127.0.0.1", number})});
        return asked.exit == 0 || !live.ambit().running();
      },
      60s))
      << asked.err;
  const TaskRun served = live.finish();
  EXPECT_EQ(served.ended.exit, 0) << served.ended.err;
  EXPECT_EQ(asked.out, "answer-of-the-task");
  EXPECT_EQ(served.events.findings().size(), 0U) << summary(served.events.findings());
  report("N15", "listen, accept and answer",
         served.events.findings().empty() ? Result::missed : Result::alerted, Result::alerted,
         "A task answers whoever comes to a socket on which it listens, since that is how agents "
         "run development servers; only what it holds binds the answer. Give the task a network "
         "namespace or a firewall where others could come.");
}

}  // namespace
}  // namespace ambit::probe::evasion
