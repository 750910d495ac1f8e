// SPDX-License-Identifier: Apache-2.0
// The daemon's own lines: whole, harmless to whoever reads them, and never in the loop's way.
#include "userspace/daemon/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "userspace/base/descriptor.h"

namespace ambit::daemon {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class ALog : public testing::Test {
 protected:
  ALog() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = Descriptor(ends[0]);
    writer_ = Descriptor(ends[1]);
    ::fcntl(writer_.get(), F_SETFL, 0);  // as standard error is: a write to a full one would wait
  }
  Log log(LogFormat format, LogLevel level = LogLevel::info) {
    return {{.level = level, .format = format}, writer_.get()};
  }
  std::vector<std::string> lines() {
    std::string all;
    std::array<char, 65536> block{};
    for (ssize_t size = 0; (size = ::read(reader_.get(), block.data(), block.size())) > 0;)
      all.append(block.data(), static_cast<std::size_t>(size));
    EXPECT_TRUE(all.empty() || all.ends_with('\n'));
    std::vector<std::string> out;
    std::istringstream text(all);
    for (std::string line; std::getline(text, line);) out.push_back(line);
    return out;
  }
  Descriptor reader_;
  Descriptor writer_;
};

TEST_F(ALog, WritesALineWithItsFieldsForAPersonOrAsJson) {
  Log plain = log(LogFormat::plain);
  plain.warning("a reader was too slow", {{"readers", 3U}, {"path", "/a b"}, {"word", "x.y"}});
  const auto first = lines();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(first[0], MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}Z warning: a "
                                     "reader was too slow readers=3 path=\"/a b\" word=x\\.y"));
  Log as_json = log(LogFormat::json);
  as_json.error("stopped", {{"reason", "say \"no\""}, {"tasks", 7U}});
  const auto second = lines();
  ASSERT_THAT(second, SizeIs(1));
  const json line = json::parse(second[0]);
  EXPECT_EQ(line.at("level"), "error");
  EXPECT_EQ(line.at("message"), "stopped");
  EXPECT_EQ(line.at("reason"), "say \"no\"");
  EXPECT_EQ(line.at("tasks"), 7);
}

TEST_F(ALog, LeavesOutWhatIsBelowItsLevel) {
  Log quiet = log(LogFormat::plain, LogLevel::warning);
  quiet.debug("a");
  quiet.info("b");
  quiet.warning("c");
  quiet.error("d");
  EXPECT_THAT(lines(), SizeIs(2));
}

TEST_F(ALog, WritesBytesFromOutsideSoThatTheySteerNothingAndEndNoLine) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const LogFormat format : {LogFormat::plain, LogFormat::json}) {
    Log one = log(format);
    one.info(all, {{"text", all}, {"also", "\x1b[2J\u202e\n"}});
    const auto written = lines();
    ASSERT_THAT(written, SizeIs(1));
    for (const char c : written[0]) EXPECT_TRUE(c >= ' ' && c != '\x7f') << int{c};
    if (format == LogFormat::plain) continue;
    EXPECT_FALSE(json::parse(written[0], nullptr, false).is_discarded());
  }
}

TEST_F(ALog, CutsLongTexts) {
  Log one = log(LogFormat::plain);
  one.info(std::string(100'000, 'x'), {{"text", std::string(100'000, 'y')}});
  const auto written = lines();
  ASSERT_THAT(written, SizeIs(1));
  EXPECT_LE(written[0].size(), 4096U);
}

TEST_F(ALog, WaitsForNobodyWhoDoesNotReadAndSaysHowManyLinesWereLost) {
  Log one = log(LogFormat::plain);
  constexpr int kSmallest = 4096;
  ASSERT_GE(::fcntl(writer_.get(), F_SETPIPE_SZ, kSmallest), kSmallest);
  const std::string text(500, 'x');
  for (int i = 0; i < 100; ++i) one.info(text);
  const auto written = lines();
  EXPECT_LT(written.size(), 10U);
  one.info("after");
  const auto later = lines();
  ASSERT_THAT(later, SizeIs(2));
  EXPECT_THAT(later[0], HasSubstr("lines of this log were lost lines=" +
                                  std::to_string(100 - written.size())));
  EXPECT_THAT(later[1], EndsWith("after"));
}

TEST_F(ALog, WritesOnlySoManyLinesASecond) {
  Log one = log(LogFormat::plain);
  for (unsigned i = 0; i < 10 * Log::kPerSecond; ++i) one.warning("again");
  const std::size_t written = lines().size();
  EXPECT_GE(written, Log::kPerSecond);
  EXPECT_LE(written, 3 * Log::kPerSecond) << "the clock may have gone on";
}

TEST_F(ALog, OutlivesItsReader) {
  Log one = log(LogFormat::plain);
  reader_.reset();
  ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
  one.info("nobody");
}

}  // namespace
}  // namespace ambit::daemon
