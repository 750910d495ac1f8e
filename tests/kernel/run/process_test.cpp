// SPDX-License-Identifier: Apache-2.0
// As whom the command runs, what is left when it ends, and what happens when `ambit` itself is
// ended.
#include <signal.h>

#include <filesystem>

#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kNobody = "65534";

bool is_holder(pid_t pid) {
  return content_of("/proc/" + std::to_string(pid) + "/comm").starts_with("ambit-holder");
}

bool kernel_has(const std::string& function) {
  return content_of("/proc/kallsyms").find(" " + function) != std::string::npos;
}

class TheCommand : public testing::Test {
 protected:
  Ended identity(Task task) {
    task.command = act({"identity"});
    return run_ambit(scratch_, task).ended;
  }
  pid_t wait_for_pid(const std::string& file) {
    EXPECT_TRUE(eventually([&] { return fs::exists(file); }, 60s));
    const std::string number = content_of(file);
    return number.empty() ? -1 : std::stoi(number);
  }

  /// A command that leaves a process behind and waits; each says its number in a file.
  Task leaves_and_waits(const std::string& left, const std::string& waits) {
    const std::string plan = scratch_.write(
        "plan.json",
        Json::array(
            {{{"name", "leave"}, {"argv", {"leave", left, scratch_.path("output"), "stay", "60"}}},
             {{"name", "wait"}, {"argv", {"handshake", waits, scratch_.path("never")}}}})
            .dump());
    return {.command = act({"each", plan})};
  }

  Scratch scratch_;
};

TEST_F(TheCommand, RunsAsWhoCalled) {
  const Ended root = identity({});
  EXPECT_THAT(root.out, StartsWith("0 0 0")) << root.err;
}

TEST_F(TheCommand, RunsAsWhoCalledSudo) {
  const Ended nobody = identity(
      {.environment = {{"SUDO_UID", kNobody}, {"SUDO_GID", kNobody}, {"SUDO_USER", "nobody"}}});
  EXPECT_THAT(nobody.out, StartsWith("65534 65534 65534")) << nobody.err;
  EXPECT_THAT(nobody.out, HasSubstr("home /nonexistent"));
  EXPECT_THAT(nobody.out, testing::Not(HasSubstr("groups 0")));
}

TEST_F(TheCommand, RunsAsWhoIsNamed) {
  const Ended nobody = identity({.options = {"--user", "nobody"}});
  EXPECT_THAT(nobody.out, StartsWith("65534 65534 65534")) << nobody.err;
  EXPECT_THAT(nobody.out, testing::Not(HasSubstr("groups 0")));
  const Ended root = identity({.options = {"--user", "root"},
                               .environment = {{"SUDO_UID", kNobody}, {"SUDO_USER", "nobody"}}});
  EXPECT_THAT(root.out, StartsWith("0 0 0")) << root.err;
}

TEST_F(TheCommand, DoesNotStartAsAUserThatIsNone) {
  const Ended none = identity({.options = {"--user", "no-such-user"}});
  EXPECT_EQ(none.out, "");
  EXPECT_EQ(none.exit, 125) << none.err;
  EXPECT_THAT(none.err, HasSubstr("no-such-user"));
}

TEST_F(TheCommand, IsBoundAsAnotherUserTheSameWay) {
  const std::string secret = scratch_.secret("home/secret");
  const TaskRun run = run_ambit(scratch_, {.catalogue = {{.name = "aws", .files = {secret}}},
                                           .command = {"/usr/bin/cat", secret},
                                           .options = {"--user", "nobody"}});
  EXPECT_EQ(run.ended.exit, 1) << run.ended.err;
  EXPECT_EQ(run.ended.out, "");
  ASSERT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
  EXPECT_EQ(at(run.events.findings().front(), "/process/uid"), 65534);
}

TEST_F(TheCommand, TakesWhatItLeftBehindWithIt) {
  const std::string file = scratch_.path("pid");
  const TaskRun run =
      run_ambit(scratch_, {.command = act({"leave", file, scratch_.path("output"), "stay", "30"})});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  const pid_t left = wait_for_pid(file);
  ASSERT_GT(left, 0);
  EXPECT_FALSE(alive(left));
}

TEST_F(TheCommand, LeavesItsLeftoversBoundWhereKeepSaysSo) {
  const std::string secret = scratch_.secret("home/secret");
  const std::string file = scratch_.path("pid");
  const std::string output = scratch_.path("output");
  const std::string go = scratch_.path("go");
  Live live(scratch_, {.catalogue = {{.name = "aws", .files = {secret}}},
                       .command = act({"leave", file, output, "after-handshake",
                                       scratch_.path("ready"), go, "open", secret}),
                       .options = {"--keep"}});
  const pid_t left = wait_for_pid(file);
  ASSERT_GT(left, 0);
  // Longer than the command itself lives.
  sleep_for(500ms);
  EXPECT_TRUE(alive(left)) << live.ambit().err();
  scratch_.write("go", "");
  EXPECT_TRUE(eventually([&] { return !alive(left); }));
  EXPECT_EQ(content_of(output).find(std::string(kSecretWord)), std::string::npos);
  EXPECT_THAT(content_of(output), HasSubstr("ended 10"));
  const TaskRun run = live.finish();
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
}

TEST_F(TheCommand, DiesWithItsTaskWhenAmbitIsKilled) {
  const std::string file = scratch_.path("pid");
  const std::string ready = scratch_.path("ready");
  Live live(scratch_, leaves_and_waits(file, ready));
  const pid_t left = wait_for_pid(file);
  const pid_t waits = wait_for_pid(ready);
  ASSERT_TRUE(left > 0 && waits > 0) << live.ambit().err();
  live.ambit().signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return !alive(waits); }, 2s)) << "the command lives on";
  EXPECT_TRUE(eventually([&] { return !alive(left); }, 2s)) << "what it left behind lives on";
  for (const pid_t pid : {left, waits}) ::kill(pid, SIGKILL);
  static_cast<void>(live.finish());
}

TEST_F(TheCommand, DiesWithItsTaskWhenAmbitIsKilledThoughItWouldBeKept) {
  const std::string file = scratch_.path("pid");
  Live live(scratch_, {.command = act({"leave", file, scratch_.path("output"), "stay", "60"}),
                       .options = {"--keep"}});
  const pid_t left = wait_for_pid(file);
  ASSERT_GT(left, 0);
  // Until another process has taken over from `ambit run`.
  static_cast<void>(live.ambit().wait());
  ASSERT_TRUE(alive(left));
  for (const pid_t pid : ambit_processes()) {
    if (!is_holder(pid)) ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return !alive(left); }, 2s)) << "what was kept lives on";
  ::kill(left, SIGKILL);
}

TEST_F(TheCommand, DiesWithItsTaskWhenAllProcessesOfAmbitAreKilledAtOnce) {
  if (!kernel_has("bpf_send_signal_task"))
    GTEST_SKIP() << "this kernel lets no BPF program signal others (6.13)";
  const std::string file = scratch_.path("pid");
  const std::string ready = scratch_.path("ready");
  Live live(scratch_, leaves_and_waits(file, ready));
  const pid_t left = wait_for_pid(file);
  const pid_t waits = wait_for_pid(ready);
  ASSERT_TRUE(left > 0 && waits > 0) << live.ambit().err();
  const std::vector<pid_t> all = ambit_processes();
  ASSERT_GE(all.size(), 2U);
  for (const int number : {SIGSTOP, SIGKILL})
    for (const pid_t pid : all) ::kill(pid, number);
  EXPECT_TRUE(eventually([&] { return !alive(left); }, 2s)) << "what it left behind lives on";
  EXPECT_TRUE(eventually([&] { return !alive(waits); }, 2s)) << "the command lives on";
  for (const pid_t pid : {left, waits}) ::kill(pid, SIGKILL);
  static_cast<void>(live.finish());
}

TEST_F(TheCommand, IgnoresWhatItsCallerIgnores) {
  const std::string ready = scratch_.path("ready");
  const std::string go = scratch_.path("go");
  ::signal(SIGHUP, SIG_IGN);
  Live live(scratch_, {.command = act({"after-handshake", ready, go, "exit", "7"})});
  ::signal(SIGHUP, SIG_DFL);
  const pid_t command = wait_for_pid(ready);
  ASSERT_GT(command, 0);
  live.ambit().signal(SIGHUP);
  ::kill(command, SIGHUP);
  sleep_for(200ms);
  scratch_.write("go", "");
  EXPECT_EQ(live.finish().ended.exit, 7);
}

TEST_F(TheCommand, GoesOnWhereTheEventFileReachesALimitOfSize) {
  const Ended ended = run({.argv = {"/bin/sh", "-c",
                                    "ulimit -f 1; exec \"$0\" run --backend " + backend() +
                                        " --events " + scratch_.path("events") +
                                        " -- /bin/sh -c 'for i in 1 2 3 4 5 6; do /bin/true; "
                                        "done; echo done'",
                                    ambit_binary()}});
  EXPECT_EQ(ended.out, "done\n");
  EXPECT_EQ(ended.exit, 125) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("events"));
}

TEST_F(TheCommand, IsNotStartedWhereNoFileCanBeWrittenAndTheLimitIsNamed) {
  const Ended ended = run({.argv = {"/bin/sh", "-c",
                                    "(ulimit -f 0; exec \"$0\" run --backend " + backend() +
                                        " -- /bin/echo started) 2>&1 | cat",
                                    ambit_binary()}});
  EXPECT_THAT(ended.out, HasSubstr("ulimit -f"));
  EXPECT_THAT(ended.out, Not(HasSubstr("started")));
}

TEST_F(TheCommand, HasTheSignalOfTheLimitAsItWas) {
  const Ended ended =
      run({.argv = {ambit_binary(), "run", "--backend", backend(), "--", "/bin/sh", "-c",
                    "ulimit -f 1; exec head -c 100000 /dev/zero > " + scratch_.path("large")}});
  EXPECT_EQ(ended.exit, 128 + SIGXFSZ) << ended.err;
}

TEST_F(TheCommand, DoesNotRunOnWithATaskThatIsKilled) {
  const std::string secret = scratch_.secret("home/secret");
  for (int turn = 0; turn < 5; ++turn) {
    const TaskRun run = run_ambit(
        scratch_, {.scope = {.credential_response = "kill-task"},
                   .catalogue = {{.name = "aws", .files = {secret}}},
                   .command = {"/bin/sh", "-c", "/bin/cat " + secret + "; echo still here"}});
    EXPECT_EQ(run.ended.out, "");
    EXPECT_EQ(run.ended.exit, 137) << run.ended.err;
    EXPECT_TRUE(
        is_only(run.events.findings(), {"credential_not_in_scope", "kill-task", "task_killed"}));
  }
}

TEST_F(TheCommand, IsNotTheOnlyOneWhoMayRun) {
  const std::string one = scratch_.secret("home/one");
  const std::string other = scratch_.secret("home/other");
  const std::vector<CredentialText> catalogue{{.name = "one", .files = {one}},
                                              {.name = "other", .files = {other}}};
  const auto start = [&](const std::string& permitted) {
    const std::string plan = scratch_.write(
        permitted + ".json",
        Json::array(
            {{{"name", "wait"},
              {"argv", {"handshake", scratch_.path(permitted + "-ready"), scratch_.path("go")}}},
             {{"name", "one"}, {"argv", {"open", one}}},
             {{"name", "other"}, {"argv", {"open", other}}}})
            .dump());
    return Task{
        .scope = {.name = "only-" + permitted, .credentials = {"{name: " + permitted + "}"}},
        .catalogue = catalogue,
        .command = act({"each", plan})};
  };
  Live first(scratch_, start("one"));
  Live second(scratch_, start("other"));
  for (const std::string ready : {"one-ready", "other-ready"})
    ASSERT_TRUE(eventually([&] { return fs::exists(scratch_.path(ready)); }, 60s));
  scratch_.write("go", "");
  const TaskRun only_one = first.finish();
  const TaskRun only_other = second.finish();
  const auto read_by = [&](const std::string& permitted, const std::string& item) {
    return content_of(scratch_.path(permitted + ".json.d/" + item + ".out"));
  };
  EXPECT_EQ(read_by("one", "one"), content_of(one));
  EXPECT_EQ(read_by("one", "other"), "");
  EXPECT_EQ(read_by("other", "other"), content_of(other));
  EXPECT_EQ(read_by("other", "one"), "");
  EXPECT_TRUE(is_only(only_one.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
  EXPECT_TRUE(is_only(only_other.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
}

}  // namespace
}  // namespace ambit::probe
