// SPDX-License-Identifier: Apache-2.0
// Many threads on one hook (EVASION M6, M4): no decision is skipped, no finding is lost, and what
// is lost of observations is counted to the last one.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/storm/tally.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

constexpr int kThreads = 64;

struct Counts {
  long tried = 0;
  long done = 0;
  long refused = 0;
  int other = 0;
};

Counts counts_of(const Json& json) {
  return {.tried = at(json, "/tried"),
          .done = at(json, "/done"),
          .refused = at(json, "/refused"),
          .other = at(json, "/other")};
}

std::chrono::milliseconds duration() {
  const char* const seconds = std::getenv("AMBIT_STORM_SECONDS");
  return seconds == nullptr ? 3000ms : std::chrono::milliseconds(std::stol(seconds) * 1000);
}

/// What a storm is made of: the words of the act, the scope, and what its events look like.
struct Weather {
  std::string way;
  int threads = kThreads;
  long period = on_portable() ? 1000 : 50;  ///< one of them is forbidden; guests are slow
  std::string allowed;
  std::string forbidden;
  Task task;
  std::string observed;  ///< in the line of each event of what is allowed; empty: none is written
};

class Storm : public testing::Test {
 protected:
  static Words command(const Weather& weather, std::chrono::milliseconds time, long period) {
    return act({"storm", weather.way, std::to_string(weather.threads), std::to_string(time.count()),
                std::to_string(period), weather.allowed, weather.forbidden});
  }

  static void expect_possible_outside(const Weather& weather) {
    const Ended ended = run({.argv = command(weather, 200ms, 2)});
    const Json said = Json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(said.is_object()) << ended.out << ended.err;
    const Counts forbidden = counts_of(at(said, "/forbidden"));
    EXPECT_GT(forbidden.tried, 0);
    EXPECT_EQ(forbidden.done, forbidden.tried) << "errno " << forbidden.other;
  }

  void run_in_task(Weather& weather) {
    weather.task.command = command(weather, duration(), weather.period);
    weather.task.options.push_back("--findings");
    weather.task.options.push_back("none");
    Live live(scratch_, weather.task);
    const Ended ended = live.ambit().wait(duration() + 120s);
    ASSERT_FALSE(ended.timed_out);
    const Json said = Json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(said.is_object()) << ended.out << ended.err;
    allowed_ = counts_of(at(said, "/allowed"));
    forbidden_ = counts_of(at(said, "/forbidden"));
    tally_ = tally(live.events_path(), [&](const std::string& line) {
      return !weather.observed.empty() && line.find(weather.observed) != std::string::npos;
    });
    std::printf("%s: %ld allowed, %ld forbidden, %s\n", weather.way.c_str(), allowed_.tried,
                forbidden_.tried, tally_.summary().substr(0, 400).c_str());
  }

  void expect_none_skipped() const {
    EXPECT_GT(forbidden_.tried, 0);
    // Under full preemption the kernel skips programs of this kind: that has to be said.
    if (backend() == "fmod_ret" &&
        content_of("/proc/cmdline").find("preempt=full") != std::string::npos) {
      EXPECT_TRUE(forbidden_.done == 0 || tally_.lost("program_skipped") > 0);
      return;
    }
    EXPECT_EQ(forbidden_.done, 0) << "of " << forbidden_.tried << " forbidden ones got through";
    EXPECT_EQ(forbidden_.refused, forbidden_.tried) << "errno " << forbidden_.other;
    EXPECT_EQ(tally_.findings.size(), static_cast<std::size_t>(forbidden_.tried));
    EXPECT_EQ(allowed_.refused, 0) << "of " << allowed_.tried << " allowed ones";
    EXPECT_EQ(allowed_.done, allowed_.tried) << "errno " << allowed_.other;
  }

  void expect_all_counted(const std::string& kind) const {
    EXPECT_EQ(tally_.malformed, 0);
    for (const Json& loss : tally_.losses) {
      EXPECT_NE(text_at(loss, "/loss/ring"), "findings") << loss.dump();
    }
    const auto found = tally_.inside.find(kind);
    const long delivered = found == tally_.inside.end() ? 0 : found->second;
    // Forks have records in the same ring and no events: one that is lost is counted as well.
    if (kind == "exec" && tally_.lost() > 0) {
      EXPECT_GE(delivered + tally_.lost(), allowed_.done) << tally_.summary();
    } else {
      EXPECT_EQ(delivered + tally_.lost(), allowed_.done) << tally_.summary();
    }
  }

  Scratch scratch_;
  Counts allowed_;
  Counts forbidden_;
  Tally tally_;
};

TEST_F(Storm, OfOpensOfFilesThatAreNoCredentials) {
  const std::string secret = scratch_.secret("home/secret");
  Weather weather{.way = "open",
                  .allowed = scratch_.write("work/plain", "plain\n"),
                  .forbidden = secret,
                  .task = {.catalogue = {{.name = "aws", .files = {secret}}}}};
  expect_possible_outside(weather);
  run_in_task(weather);
  expect_none_skipped();
  EXPECT_EQ(tally_.lost(), 0) << tally_.summary();
}

TEST_F(Storm, OfOpensOfACredentialOfTheScope) {
  const std::string secret = scratch_.secret("home/secret");
  const std::string own = scratch_.secret("own/secret");
  Weather weather{
      .way = "open",
      .allowed = own,
      .forbidden = secret,
      .task = {.scope = {.credentials = {"{name: own}"}},
               .catalogue = {{.name = "aws", .files = {secret}}, {.name = "own", .files = {own}}}},
      .observed = own};
  expect_possible_outside(weather);
  run_in_task(weather);
  expect_none_skipped();
  expect_all_counted("file_open");
}

TEST_F(Storm, OfTcpConnections) {
  const Collector forbidden = Collector::tcp("127.0.0.1");
  // Nobody listens at the permitted port: it is kept by a socket of the other protocol's kind.
  const Collector reserved = Collector::udp("127.0.0.1");
  Weather weather{.way = "connect",
                  .allowed = reserved.port_text(),
                  .forbidden = forbidden.port_text(),
                  .task = {.scope = {.network = Lines{to_address("127.0.0.1", reserved.port())}}},
                  .observed = "\"port\":" + reserved.port_text()};
  expect_possible_outside(weather);
  run_in_task(weather);
  expect_none_skipped();
  expect_all_counted("connect");
}

TEST_F(Storm, OfDatagrams) {
  const Collector forbidden = Collector::udp("127.0.0.1");
  const Collector allowed = Collector::udp("127.0.0.1");
  Weather weather{.way = "send",
                  .allowed = allowed.port_text(),
                  .forbidden = forbidden.port_text(),
                  .task = {.scope = {.network = Lines{to_address("127.0.0.1", allowed.port())}}},
                  .observed = "\"port\":" + allowed.port_text()};
  expect_possible_outside(weather);
  ASSERT_TRUE(forbidden.receives("storm"));
  sleep_for(200ms);
  const std::size_t before = forbidden.received().size();
  run_in_task(weather);
  expect_none_skipped();
  expect_all_counted("connect");
  sleep_for(200ms);
  if (forbidden_.done == 0) {
    EXPECT_EQ(forbidden.received().size(), before) << "datagrams arrived";
  }
}

TEST_F(Storm, OfConnectionsToUnixSockets) {
  if (on_portable()) GTEST_SKIP() << "Unix sockets are not bound on this backend";
  const std::string one = scratch_.path("allowed");
  const std::string other = scratch_.path("forbidden");
  const Collector allowed = Collector::unix_stream(one);
  const Collector forbidden = Collector::unix_stream(other);
  Weather weather{.way = "unix",
                  .threads = 16,
                  .period = 100,
                  .allowed = one,
                  .forbidden = other,
                  .task = {.scope = {.network = Lines{"{unix: " + one + "}"}}},
                  .observed = one};
  expect_possible_outside(weather);
  run_in_task(weather);
  expect_none_skipped();
  expect_all_counted("connect");
}

TEST_F(Storm, OfExecutions) {
  const std::string one = scratch_.program("bin/allowed", ran());
  const std::string other = scratch_.program("bin/forbidden", ran());
  Weather weather{.way = "exec",
                  .threads = 8,
                  .period = 20,
                  .allowed = one,
                  .forbidden = other,
                  .task = {.scope = {.exec = Lines{acts(), one}}},
                  .observed = "\"exe\":\"" + one};
  expect_possible_outside(weather);
  ASSERT_TRUE(fs::exists(other + ".ran"));
  fs::remove(other + ".ran");
  run_in_task(weather);
  expect_none_skipped();
  expect_all_counted("exec");
  if (forbidden_.done == 0) {
    EXPECT_FALSE(fs::exists(other + ".ran"));
  }
}

}  // namespace
}  // namespace ambit::probe
