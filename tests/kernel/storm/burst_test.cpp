// SPDX-License-Identifier: Apache-2.0
// Very many of one thing, one after the other (EVASION M5): nothing is left undecided, and what was
// decided is told or counted.
#include <filesystem>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/storm/tally.h"

namespace ambit::probe {
namespace {

struct Counts {
  long tried = 0;
  long done = 0;
  long refused = 0;
};

class Burst : public testing::Test {
 protected:
  /// Performs the act in the task; `observed` stands in the line of each of its events.
  void run_in_task(Task task, const Words& words, const std::string& observed) {
    task.command = act(words);
    task.options = {"--findings", "none"};
    Live live(scratch_, task);
    const Ended ended = live.ambit().wait(200s);
    ASSERT_FALSE(ended.timed_out);
    const Json said = Json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(said.is_object()) << ended.out << ended.err;
    counts_ = {
        .tried = at(said, "/tried"), .done = at(said, "/done"), .refused = at(said, "/refused")};
    tally_ = tally(live.events_path(), [&](const std::string& line) {
      return line.find(observed) != std::string::npos;
    });
    std::printf("%s: %ld of %ld done, %s\n", words[0].c_str(), counts_.done, counts_.tried,
                tally_.summary().substr(0, 400).c_str());
  }

  void expect_nothing_undecided() const {
    for (const Json& loss : tally_.losses) {
      EXPECT_EQ(text_at(loss, "/loss/cause"),
                loss["loss"]["ring"] == "holder" ? "pipe_full" : "ring_full")
          << loss.dump();
      EXPECT_NE(text_at(loss, "/loss/ring"), "findings") << loss.dump();
    }
    EXPECT_EQ(tally_.malformed, 0);
  }

  Scratch scratch_;
  Counts counts_;
  Tally tally_;
};

TEST_F(Burst, OfFilesInACredentialDirectoryIsToldOrCounted) {
  constexpr long kFiles = 50'000;
  const std::string directory = scratch_.directory("home/.cloud/cache");
  run_in_task({.scope = {.credentials = {"{name: cache}"}},
               .catalogue = {{.name = "cache", .files = {directory + "/**"}}}},
              {"burst-of-files", directory, std::to_string(kFiles)}, directory + "/");
  EXPECT_EQ(counts_.done, kFiles);
  expect_nothing_undecided();
  EXPECT_EQ(tally_.findings.size(), 0U);
  // Removing one is told as well, where a hook sees it.
  EXPECT_EQ(tally_.inside["file_open"] + tally_.lost(), on_portable() ? kFiles : 2 * kFiles)
      << tally_.summary();
}

TEST_F(Burst, OfSocketsIsToldOrCounted) {
  constexpr long kSockets = 100'000;
  const Collector allowed = Collector::udp("127.0.0.1");
  run_in_task({.scope = {.network = Lines{to_address("127.0.0.1", allowed.port())}}},
              {"burst-of-sockets", allowed.port_text(), std::to_string(kSockets)},
              "\"port\":" + allowed.port_text());
  EXPECT_EQ(counts_.done, kSockets);
  expect_nothing_undecided();
  EXPECT_EQ(tally_.findings.size(), 0U);
  EXPECT_EQ(tally_.inside["connect"] + tally_.lost(), kSockets) << tally_.summary();
}

TEST_F(Burst, OfSocketsToWhereTheTaskMayNotGoIsRefusedEachAndToldEach) {
  constexpr long kSockets = 20'000;
  const Collector forbidden = Collector::udp("127.0.0.1");
  run_in_task({.scope = {.network = Lines{}}},
              {"burst-of-sockets", forbidden.port_text(), std::to_string(kSockets)}, "nothing");
  EXPECT_EQ(counts_.refused, kSockets);
  EXPECT_EQ(forbidden.received(), "");
  // A flood of findings may be more than their ring holds: then the rest is counted, exactly.
  EXPECT_EQ(static_cast<long>(tally_.findings.size()) + tally_.lost(), kSockets)
      << tally_.summary();
}

TEST_F(Burst, OfChildrenThatEachTryASecretIsRefusedEachAndToldEach) {
  constexpr long kChildren = 10'000;
  const std::string secret = scratch_.secret("home/secret");
  run_in_task({.catalogue = {{.name = "aws", .files = {secret}}}},
              {"burst-of-children", secret, std::to_string(kChildren)}, "nothing");
  EXPECT_EQ(counts_.refused, kChildren);
  expect_nothing_undecided();
  EXPECT_EQ(tally_.findings.size(), static_cast<std::size_t>(kChildren)) << tally_.summary();
}

}  // namespace
}  // namespace ambit::probe
