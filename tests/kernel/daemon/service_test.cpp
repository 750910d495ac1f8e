// SPDX-License-Identifier: Apache-2.0
// The daemon as a service of the machine: what its manager hears, and what it logs.
#include <signal.h>

#include <filesystem>
#include <sstream>

#include "tests/kernel/fixture/ambit.h"
#include "tests/unit/daemon/notify_socket.h"

namespace ambit::probe {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class AService : public testing::Test {
 protected:
  AService() { socket_.listen_at(notify_); }
  [[nodiscard]] std::string config(const std::string& more) const {
    const char* const forced = std::getenv("AMBIT_BACKEND");
    return scratch_.write(
        "node.yaml",
        "apiVersion: ambit.dev/v1\nkind: Config\nmetadata: {name: test}\nspec:\n  socket: " +
            control_ + "\n  events: " + scratch_.path("e.ndjson") + "\n" +
            (forced == nullptr ? "" : "  backend: " + std::string(forced) + "\n") + more);
  }
  [[nodiscard]] std::vector<std::string> heard() const { return socket_.heard(); }
  bool hears(const std::string& what, std::chrono::milliseconds limit = 90s) {
    return eventually(
        [&] {
          for (const std::string& one : heard())
            if (one.starts_with(what)) return true;
          return false;
        },
        limit);
  }

  Scratch scratch_;
  std::string notify_ = scratch_.path("notify");
  std::string control_ = scratch_.path("run/control.sock");
  NotifySocket socket_;
};

TEST_F(AService, SaysThatItIsReadyThatItLivesAndThatItStops) {
  Child daemon({.argv = {ambit_binary(), "daemon", "--config", config("")},
                .environment = {{"NOTIFY_SOCKET", notify_}, {"WATCHDOG_USEC", "400000"}}});
  ASSERT_TRUE(hears("READY=1\nSTATUS=")) << daemon.err();
  EXPECT_TRUE(std::filesystem::exists(control_)) << "it listens before it says so";
  sleep_for(2s);
  const auto beats = heard();
  EXPECT_THAT(beats, Each("WATCHDOG=1"));
  EXPECT_GE(beats.size(), 5U) << "twice in its time, also where the machine is slow";
  daemon.signal(SIGSTOP);
  static_cast<void>(heard());
  sleep_for(1s);
  EXPECT_THAT(heard(), IsEmpty()) << "a loop that hangs is silent";
  daemon.signal(SIGCONT);
  EXPECT_TRUE(hears("WATCHDOG=1", 5s));
  daemon.signal(SIGTERM);
  EXPECT_TRUE(hears("STOPPING=1", 10s));
  EXPECT_EQ(daemon.wait(60s).exit, 0);
}

TEST_F(AService, LogsLinesOfJsonWithItsLevelAndNothingOfARequestsBody) {
  Child daemon({.argv = {ambit_binary(), "daemon", "--log-level", "debug", "--log-format", "json",
                         "--config", config("")}});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(control_); }, 90s)) << daemon.err();
  const std::string file = scratch_.write("s.yaml", "token: hunter2hunter2");
  EXPECT_EQ(run({.argv = {ambit_binary(), "task", "open", "--socket", control_, "--scope", file,
                          "--pid", "1"}})
                .exit,
            1);
  EXPECT_EQ(run({.argv = {ambit_binary(), "task", "show", "\x1b[2J\n", "--socket", control_}}).exit,
            1);
  daemon.signal(SIGTERM);
  const Ended ended = daemon.wait(60s);
  EXPECT_EQ(ended.exit, 0);
  std::istringstream lines(ended.err);
  std::vector<std::string> messages;
  for (std::string line; std::getline(lines, line);) {
    const Json parsed = Json::parse(line, nullptr, false);
    ASSERT_TRUE(parsed.is_object()) << line;
    messages.push_back(text_at(parsed, "/message"));
    EXPECT_THAT(text_at(parsed, "/level"), testing::AnyOf("debug", "info", "warning")) << line;
  }
  for (const char* const message : {"starting", "ready", "answered", "stopping", "stopped"})
    EXPECT_THAT(messages, Contains(message));
  EXPECT_THAT(ended.err, HasSubstr("/v1/tasks"));
  EXPECT_THAT(ended.err, Not(HasSubstr("hunter2")));
  EXPECT_THAT(ended.err, Not(HasSubstr("\x1b")));
}

TEST_F(AService, SaysInItsLogWhyItDoesNotStart) {
  const Ended ended = run(
      {.argv = {ambit_binary(), "daemon", "--config", config("  catalogue: [/none/here.yaml]\n")},
       .environment = {{"NOTIFY_SOCKET", notify_}}});
  EXPECT_EQ(ended.exit, 125);
  EXPECT_THAT(ended.err, HasSubstr(" error: "));
  EXPECT_THAT(ended.err, HasSubstr("/none/here.yaml"));
  EXPECT_THAT(heard(), Not(Contains(StartsWith("READY=1"))));
  EXPECT_EQ(run({.argv = {ambit_binary(), "daemon", "--log-level", "loud", "--config", "x"}}).exit,
            2);
}

}  // namespace
}  // namespace ambit::probe
