// SPDX-License-Identifier: Apache-2.0
// `ambit run` is transparent: status, signals and streams of the command are its own (DESIGN §7).
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "tests/kernel/fixture/ambit.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

/// Seconds of processor time that ended children have used.
double time_of_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

class ARun : public testing::Test {
 protected:
  int status_of(const Words& command) {
    const TaskRun run = run_ambit(scratch_, {.command = command});
    last_err_ = run.ended.err;
    return run.ended.exit;
  }
  Scratch scratch_;
  std::string last_err_;
};

TEST_F(ARun, EndsWithTheStatusOfItsCommand) {
  EXPECT_EQ(status_of(act({"exit", "0"})), 0) << last_err_;
  EXPECT_EQ(status_of(act({"exit", "7"})), 7) << last_err_;
  EXPECT_EQ(status_of(act({"exit", "255"})), 255) << last_err_;
}

TEST_F(ARun, EndsWith128AndTheSignalThatEndedItsCommand) {
  EXPECT_EQ(status_of(act({"raise", "15"})), 143) << last_err_;
  EXPECT_EQ(status_of(act({"raise", "9"})), 137) << last_err_;
  EXPECT_EQ(status_of(act({"raise", "11"})), 139) << last_err_;
}

TEST_F(ARun, EndsWith126WhereTheCommandIsNoProgram) {
  EXPECT_EQ(status_of({scratch_.write("plain", "no program\n")}), 126) << last_err_;
  EXPECT_NE(last_err_, "");
}

TEST_F(ARun, EndsWith127WhereTheCommandIsNotThere) {
  EXPECT_EQ(status_of({scratch_.path("absent")}), 127) << last_err_;
  EXPECT_NE(last_err_, "");
}

TEST_F(ARun, FindsItsCommandByPath) {
  const TaskRun run = run_ambit(scratch_, {.command = {"true"}});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
}

// It never ran: who asked for it is ambit's own child.
TEST_F(ARun, EndsWith126AndTellsWhoAskedWhereTheScopeRefusesTheCommand) {
  const TaskRun run = run_ambit(scratch_, {.scope = {.exec = Lines{}}, .command = {ran()}});
  EXPECT_EQ(run.ended.out, "");
  EXPECT_EQ(run.ended.exit, 126) << run.ended.err;
  ASSERT_EQ(run.events.findings().size(), 1U) << run.ended.err;
  EXPECT_EQ(text_at(run.events.findings().front(), "/file/path"), ran());
  EXPECT_EQ(text_at(run.events.findings().front(), "/process/exe"), ambit_binary());
}

// As a container hides it; what cannot be had is said before anything is tried.
TEST_F(ARun, SaysOneReasonWhereTheTypesOfTheKernelAreHidden) {
  const std::string empty = scratch_.write("empty", "");
  const Ended run =
      probe::run({.argv = act({"in-namespaces", "bind", empty, "/sys/kernel/btf/vmlinux", "exec",
                               ambit_binary(), "run", "--", "true"})});
  EXPECT_EQ(run.exit, 125) << run.err;
  EXPECT_THAT(run.err, HasSubstr("no BTF"));
  EXPECT_THAT(run.err, testing::Not(HasSubstr("trampoline")));
}

TEST_F(ARun, EndsWith2WhereItsUsageIsWrong) {
  const Ended unknown =
      probe::run({.argv = {ambit_binary(), "run", "--no-such-option", "--", "true"}});
  EXPECT_EQ(unknown.exit, 2) << unknown.err;
  const Ended nothing = probe::run({.argv = {ambit_binary(), "run"}});
  EXPECT_EQ(nothing.exit, 2) << nothing.err;
}

// DESIGN: 150 ms on a quiet machine. Processor time, of the fastest of five, since others work here
// too; a backend that is verified under emulation takes seconds.
TEST_F(ARun, StartsACommandInAFractionOfASecond) {
  if (!on_portable()) GTEST_SKIP() << "guests are emulated: their time says nothing";
  double least = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double before = time_of_children();
    ASSERT_EQ(status_of({"/bin/true"}), 0) << last_err_;
    least = std::min(least, time_of_children() - before);
  }
  RecordProperty("seconds", std::to_string(least));
  EXPECT_LT(least, 0.5);
}

TEST_F(ARun, PassesInputAndOutputThroughUnchanged) {
  std::string all;
  for (int i = 0; i < 256 * 64; ++i) all += static_cast<char>(i);
  const TaskRun run = run_ambit(scratch_, {.command = {"/usr/bin/cat"}, .input = all});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_TRUE(run.ended.out == all) << run.ended.out.size() << " of " << all.size() << " bytes";
}

TEST_F(ARun, AddsNothingToOutputOrErrorsOfACommandWithoutFindings) {
  const TaskRun run = run_ambit(scratch_, {.command = {"/bin/sh", "-c", "echo out; echo err >&2"},
                                           .options = {"--findings", "none"}});
  EXPECT_EQ(run.ended.out, "out\n");
  EXPECT_EQ(run.ended.err, "err\n");
}

TEST_F(ARun, PassesSignalsToItsCommand) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    const std::string ready = scratch_.path("ready-" + std::to_string(number));
    Live live(scratch_, {.command = act({"catch", std::to_string(number), ready})});
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(ready); }, 60s));
    live.ambit().signal(number);
    const TaskRun run = live.finish();
    EXPECT_EQ(run.ended.out, "caught\n") << "signal " << number << run.ended.err;
    EXPECT_EQ(run.ended.exit, 0) << "signal " << number;
  }
}

TEST_F(ARun, EndsWithItsCommandWhenSigtermEndsThat) {
  const std::string ready = scratch_.path("ready");
  Live live(scratch_,
            {.command = act({"after-handshake", ready, scratch_.path("never"), "exit", "0"})});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }, 60s));
  live.ambit().signal(SIGTERM);
  const TaskRun run = live.finish();
  EXPECT_EQ(run.ended.exit, 143) << run.ended.err;
  EXPECT_FALSE(alive(std::stoi(content_of(ready))));
}

TEST_F(ARun, WritesItsEventsBeforeItEnds) {
  const TaskRun run = run_ambit(scratch_, {.command = {"/usr/bin/true"}});
  EXPECT_EQ(run.events.malformed.size(), 0U);
  for (const char* const kind : {"start", "task_open", "exec", "task_close", "stop"})
    EXPECT_FALSE(run.events.of_kind(kind).empty()) << kind << " in" << summary(run.events.all);
  std::uint64_t expected = 1;
  for (const Json& event : run.events.all) {
    EXPECT_EQ(at(event, "/seq"), expected++);
    EXPECT_FALSE(text_at(event, "/id").empty());
  }
}

TEST_F(ARun, EndsWith125WhereItsEventsCannotBeWritten) {
  const Ended ended = run({.argv = {ambit_binary(), "run", "--backend", backend(), "--events",
                                    "/dev/full", "--", "/usr/bin/true"}});
  EXPECT_EQ(ended.exit, 125);
  EXPECT_THAT(ended.err, HasSubstr("cannot write events to /dev/full"));
}

TEST_F(ARun, KeepsItsEventsFromOthers) {
  Live live(scratch_, {.command = {"/usr/bin/true"}});
  static_cast<void>(live.finish());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.root())) {
    if (entry.path().filename() != "events.ndjson") continue;
    EXPECT_EQ(entry.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

TEST_F(ARun, WithoutAScopeShowsWhatAScopeWouldHaveToSayAndStopsNothing) {
  const std::string secret = scratch_.secret("home/.aws/credentials");
  const TaskRun run = run_ambit(scratch_, {.catalogue = {{.name = "aws", .files = {secret}}},
                                           .command = {"/usr/bin/cat", secret},
                                           .without_scope = true});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_EQ(run.ended.out, content_of(secret));
  std::vector<Json> opens = run.events.findings_about(identity_of(secret));
  ASSERT_EQ(opens.size(), 1U) << summary(run.events.findings());
  EXPECT_EQ(text_at(opens[0], "/verdict/mode"), "shadow");
  EXPECT_EQ(text_at(opens[0], "/verdict/effective"), "alerted");
  EXPECT_THAT(run.ended.err, HasSubstr("aws"));
}

TEST_F(ARun, StartsNothingWhereItsScopeIsWrong) {
  const std::string mark = scratch_.path("mark");
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.ttl = "soon", .credentials = {"{name: unknown}"}},
                           .command = act({"write", mark, "ran"})});
  EXPECT_FALSE(std::filesystem::exists(mark));
  EXPECT_TRUE(run.ended.exit == 125 || run.ended.exit == 1) << run.ended.exit;
  EXPECT_THAT(run.ended.err, HasSubstr("scope.yaml:"));
}

}  // namespace
}  // namespace ambit::probe
