// SPDX-License-Identifier: Apache-2.0
// Only tasks pay and only tasks are bound (promises 1 and 8): whatever becomes of Ambit's
// processes, nobody outside a task is refused or waits.
#include <signal.h>

#include <filesystem>
#include <sstream>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr long kSecond = 1'000'000;  // in microseconds

/// What `acts open-often` prints.
struct Often {
  long refused = -1;
  long longest = -1;
};

Often often_of(const std::string& out) {
  Often often;
  std::istringstream(out) >> often.refused >> often.longest;
  return often;
}

void expect_free(const Ended& outsider) {
  EXPECT_FALSE(outsider.timed_out) << "an outsider hangs";
  EXPECT_EQ(outsider.exit, 0) << outsider.err;
  EXPECT_EQ(often_of(outsider.out).refused, 0) << outsider.out;
  EXPECT_GE(often_of(outsider.out).longest, 0);
  EXPECT_LT(often_of(outsider.out).longest, kSecond);
}

class AnOutsider : public testing::Test {
 protected:
  /// A task that tries the secret when it is told, and then ends.
  std::unique_ptr<Live> enforcing_task() {
    const std::string plan = scratch_.write(
        "plan.json",
        Json::array({{{"name", "first"}, {"argv", {"open", secret_}}},
                     {{"name", "wait"},
                      {"argv", {"handshake", scratch_.path("ready"), scratch_.path("go")}}},
                     {{"name", "second"}, {"argv", {"open", secret_}}}})
            .dump());
    fs::remove(scratch_.path("ready"));
    fs::remove(scratch_.path("go"));
    auto live = std::make_unique<Live>(
        scratch_, Task{.scope = {.network = Lines{}, .credential_response = "deny"},
                       .catalogue = {{.name = "aws", .files = {secret_}}},
                       .command = act({"each", plan})});
    EXPECT_TRUE(eventually([&] { return fs::exists(scratch_.path("ready")); }, 60s))
        << live->ambit().err();
    return live;
  }

  void expect_refused(const TaskRun& run) const {
    const Outcomes done = read_outcomes(run.ended.out, scratch_.path("plan.json"));
    for (const std::string item : {"first", "second"}) {
      ASSERT_TRUE(done.contains(item)) << run.ended.err;
      EXPECT_TRUE(done.at(item).refused()) << done.at(item);
      EXPECT_THAT(done.at(item).out, Not(HasSubstr(std::string(kSecretWord))));
    }
  }

  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
};

TEST_F(AnOutsider, OpensTheSameSecretTenThousandTimesBesideAnEnforcingTask) {
  const auto live = enforcing_task();
  Child outsider({.argv = act({"open-often", secret_, "10000"})});
  expect_free(outsider.wait(60s));
  scratch_.write("go", "");
  const TaskRun run = live->finish();
  expect_refused(run);
  EXPECT_EQ(run.events.findings().size(), 2U)
      << "one for each try of the task, none for others:" << summary(run.events.findings());
}

TEST_F(AnOutsider, ConnectsAndExecutesFreelyBesideATaskThatMayDoNeither) {
  const Collector collector = Collector::tcp("127.0.0.1");
  const auto live = enforcing_task();
  for (int i = 0; i < 20; ++i) {
    const Ended ended =
        run({.argv = act({"tcp", "127.0.0.1", collector.port_text(), std::to_string(i)})});
    EXPECT_EQ(ended.exit, 0) << ended.err;
  }
  const Ended memory = run({.argv = act({"exec-memory", acts(), "environment", "NOTHING"})});
  EXPECT_EQ(memory.out, "absent") << memory.err;
  scratch_.write("go", "");
  EXPECT_EQ(live->finish().ended.exit, 0);
}

/// A project whose header lies beside the secret, and a package that puts a file there: what Ambit
/// asks about is in the way of both.
class AnOutsiderAtWork : public AnOutsider {
 protected:
  void SetUp() override {
    for (const char* const tool : {"/usr/bin/gcc", "/usr/bin/make", "/usr/bin/dpkg-deb"})
      if (!fs::exists(tool)) GTEST_SKIP() << "this machine has no " << tool;
    scratch_.write("home/part.h", "#define PART(n) int part_##n(void) { return n; }\n");
    std::string objects;
    for (int i = 0; i < 20; ++i) {
      const std::string name = "part" + std::to_string(i);
      scratch_.write("work/" + name + ".c",
                     "#include <stdio.h>\n#include \"part.h\"\nPART(" + std::to_string(i) + ")\n");
      objects += " " + name + ".o";
    }
    scratch_.write("work/main.c", "int part_7(void);\nint main(void) { return part_7(); }\n");
    scratch_.write("work/Makefile", "CFLAGS = -I../home\nprogram: main.o" + objects +
                                        "\n\tgcc -o $@ $^\nclean:\n\trm -f program *.o\n");
    scratch_.write("package/DEBIAN/control",
                   "Package: beside\nVersion: 1\nArchitecture: all\nMaintainer: none <none@test>\n"
                   "Description: a file beside a secret\n");
    scratch_.write("package/home/installed", "from a package\n");
    scratch_.directory("var/lib/dpkg/info");
    scratch_.directory("var/lib/dpkg/updates");
    scratch_.write("var/lib/dpkg/status", "");
  }

  [[nodiscard]] Ended measured(Words command) const {
    command.insert(command.begin(), "measure");
    return Child({.argv = act(command)}).wait(100s);
  }
  [[nodiscard]] Ended build() const {
    return measured({"make", "-s", "-C", scratch_.path("work"), "clean", "program"});
  }
  [[nodiscard]] Ended pack() const {
    return measured({"dpkg-deb", "--root-owner-group", "--build", scratch_.path("package"),
                     scratch_.path("beside.deb")});
  }
  [[nodiscard]] Ended install() const {
    fs::remove(scratch_.path("home/installed"));
    return measured({"dpkg", "--root=" + scratch_.root(), "--force-script-chrootless",
                     "--log=/dev/null", "--install", scratch_.path("beside.deb")});
  }
  static std::string calls(const Ended& ended) {
    return ended.out.substr(ended.out.rfind(' ') + 1);
  }
};

TEST_F(AnOutsiderAtWork, BuildsAndInstallsAPackageBesideAnEnforcingTask) {
  const Ended alone = build();
  ASSERT_EQ(alone.exit, 0) << alone.err;
  const auto live = enforcing_task();
  Child reader({.argv = act({"open-often", secret_, "0", scratch_.path("enough")})});
  for (const Ended& done : {build(), pack(), install()}) {
    EXPECT_EQ(done.exit, 0) << done.err << done.out;
    // dpkg says what it does on the same stream; the figures are the last line.
    const std::string figures = done.out.substr(done.out.rfind('\n', done.out.size() - 2) + 1);
    EXPECT_EQ(often_of(figures).refused, 0) << done.err;
    EXPECT_LT(often_of(figures).longest, kSecond);
    EXPECT_GT(std::stol(calls(done)), 10) << "opens and executions";
    std::printf("refused, longest call in µs, calls: %s", figures.c_str());
  }
  EXPECT_EQ(run({.argv = {scratch_.path("work/program")}}).exit, 7);
  EXPECT_EQ(content_of(scratch_.path("home/installed")), "from a package\n");
  scratch_.write("enough", "");
  expect_free(reader.wait(10s));
  scratch_.write("go", "");
  const TaskRun run = live->finish();
  expect_refused(run);
  EXPECT_EQ(run.events.findings().size(), 2U) << summary(run.events.findings());
}

class AnOutsiderWhile : public AnOutsider, public testing::WithParamInterface<int> {
 protected:
  std::vector<std::unique_ptr<Child>> start_outsiders() {
    std::vector<std::unique_ptr<Child>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(std::make_unique<Child>(
          Command{.argv = act({"open-often", secret_, "0", scratch_.path("enough")})}));
    }
    return all;
  }
  static std::vector<pid_t> new_processes(const std::vector<pid_t>& before) {
    std::vector<pid_t> found;
    for (const pid_t pid : ambit_processes()) {
      if (std::ranges::find(before, pid) == before.end()) found.push_back(pid);
    }
    return found;
  }
  /// False when there are fewer processes.
  bool disturb(std::size_t which, int signal) {
    const std::vector<pid_t> before = ambit_processes();
    const auto live = enforcing_task();
    const std::vector<pid_t> processes = new_processes(before);
    if (which >= processes.size()) {
      scratch_.write("go", "");
      static_cast<void>(live->finish());
      return false;
    }
    fs::remove(scratch_.path("enough"));
    const auto outsiders = start_outsiders();
    sleep_for(200ms);
    const pid_t disturbed = processes[which];
    ::kill(disturbed, signal);
    sleep_for(1800ms);
    scratch_.write("enough", "");
    for (const auto& outsider : outsiders) expect_free(outsider->wait(5s));
    scratch_.write("go", "");
    // The task's second try: refused or killed, never let in.
    static_cast<void>(eventually(
        [&] {
          return live->ambit().out().find("second") != std::string::npos ||
                 !live->ambit().running();
        },
        3s));
    EXPECT_THAT(live->ambit().out(), Not(HasSubstr(std::string(kSecretWord))));
    ::kill(disturbed, SIGCONT);
    static_cast<void>(live->finish());
    return true;
  }
};

TEST_P(AnOutsiderWhile, EachProcessOfAmbitInTurnIsHitOpensTheSameSecretWithinASecond) {
  if (!on_portable()) GTEST_SKIP() << "no process of Ambit answers for files on this backend";
  std::size_t which = 0;
  for (; which < 8; ++which) {
    SCOPED_TRACE("process " + std::to_string(which) + ", signal " + std::to_string(GetParam()));
    if (!disturb(which, GetParam())) break;
  }
  EXPECT_GE(which, 1U) << "no process of ambit was found";
}

INSTANTIATE_TEST_SUITE_P(Any, AnOutsiderWhile, testing::Values(SIGSTOP, SIGKILL),
                         [](const auto& given) {
                           return given.param == SIGSTOP ? "Stopped" : "Killed";
                         });

}  // namespace
}  // namespace ambit::probe
