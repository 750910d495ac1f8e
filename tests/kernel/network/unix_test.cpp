// SPDX-License-Identifier: Apache-2.0
// Unix sockets are destinations too: by the peer, whatever it is called (EVASION N12).
#include <algorithm>
#include <filesystem>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Way {
  std::string name;
  Words argv;  ///< "@" stands for the directory of the socket, "#" for the abstract name, "$" for
               ///< the text
  bool stream = true;
  bool abstract = false;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"ItsPath", {"unix", "@/socket", "$"}},
      {"ASymlink", {"symlink", "@/socket", "@/link-$", "unix", "@/link-$", "$"}},
      {"AHardLink", {"link", "@/socket", "@/hard-$", "unix", "@/hard-$", "$"}},
      {"ARelativePath", {"chdir", "@", "unix", "socket", "$"}},
      {"ABindMount", {"bind", "@", "/mnt", "unix", "/mnt/socket", "$"}},
      {"ItsAbstractName", {"unix", "#", "$"}, true, true},
      {"ADatagram", {"unix-datagram", "@/datagram", "$"}, false},
      {"AConnectedDatagram", {"unix-datagram-connected", "@/datagram", "$"}, false},
      {"AnAbstractDatagram", {"unix-datagram", "#", "$"}, false, true},
  };
  return all;
}

/// What listens for one way.
struct Peer {
  std::string directory;
  std::string abstract;
  std::unique_ptr<Collector> collector;
};

class AllWays {
 public:
  AllWays() {
    for (const Way& way : ways()) {
      Peer& peer = peers_[way.name];
      peer.directory = scratch_.directory(way.name);
      peer.abstract = "@" + scratch_.fresh("ambit-kernel-test");
      const std::string name =
          way.abstract ? peer.abstract : peer.directory + (way.stream ? "/socket" : "/datagram");
      peer.collector.reset(way.stream ? new Collector(Collector::unix_stream(name))
                                      : new Collector(Collector::unix_datagram(name)));
      allow_.push_back("{unix: " + quoted(name) + "}");
    }
    control = run_plan_alone(scratch_, items("alone"));
    refusing = run_plan(scratch_, {.scope = {.network = Lines{}}}, items("refused"));
    allowing = run_plan(scratch_, {.scope = {.network = allow_}}, items("allowed"));
  }

  [[nodiscard]] const Collector& at(const Way& way) const { return *peers_.at(way.name).collector; }

  PlanRun control;
  PlanRun refusing;
  PlanRun allowing;

 private:
  std::vector<Item> items(const std::string& text) {
    std::vector<Item> all;
    for (const Way& way : ways()) {
      const Peer& peer = peers_.at(way.name);
      Item item{.name = way.name, .argv = way.argv};
      for (std::string& word : item.argv) {
        if (word == "#") {
          word = peer.abstract;
        } else {
          if (word.starts_with("@")) word = peer.directory + word.substr(1);
          if (word.ends_with("$")) word = word.substr(0, word.size() - 1) + text;
        }
      }
      all.push_back(item);
    }
    return all;
  }

  Scratch scratch_;
  Lines allow_;
  std::map<std::string, Peer> peers_;
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

class AWayToAUnixSocket : public testing::TestWithParam<Way> {};

TEST_P(AWayToAUnixSocket, BringsNothingWhereTheScopeDoesNotNameIt) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  AMBIT_NEEDS_CONTROL(all.control.of(way.name));
  ASSERT_TRUE(all.at(way).receives("alone"));
  const Done& bound = all.refusing.of(way.name);
  // Abstract names are Landlock's there.
  if (on_portable() && !way.stream && !way.abstract) {
    EXPECT_TRUE(bound.done()) << "better than the documents say: " << bound;
    GTEST_SKIP() << "portable sees no owner of a datagram socket";
  }
  EXPECT_THAT(all.at(way).received(), Not(HasSubstr("refused")));
  EXPECT_TRUE(bound.refused() || bound.killed()) << bound;
}

TEST_P(AWayToAUnixSocket, LeadsThereWhereTheScopeNamesIt) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  AMBIT_NEEDS_CONTROL(all.control.of(way.name));
  EXPECT_TRUE(all.allowing.of(way.name).done()) << all.allowing.of(way.name);
  EXPECT_TRUE(all.at(way).receives("allowed"));
}

INSTANTIATE_TEST_SUITE_P(By, AWayToAUnixSocket, testing::ValuesIn(ways()), name_of_way<Way>);

/// What Landlock refuses on portable is not reported, and no datagram is stopped there.
bool is_found(const Way& way) { return !on_portable() || (way.stream && !way.abstract); }

TEST(UnixSockets, ThatAreRefusedAreOneFindingEach) {
  const AllWays& all = all_ways();
  const std::vector<Json> findings = all.refusing.run.events.findings();
  EXPECT_EQ(findings.size(), static_cast<std::size_t>(std::ranges::count_if(ways(), is_found)))
      << summary(findings);
  for (const Json& finding : findings) {
    EXPECT_TRUE(says(finding, {"destination_not_in_scope", "deny",
                               on_portable() ? "killed" : "denied", "connect"}));
    EXPECT_EQ(text_at(finding, "/destination/protocol"), "unix");
  }
  EXPECT_EQ(all.allowing.run.events.findings().size(), 0U)
      << summary(all.allowing.run.events.findings());
}

TEST(UnixSockets, ThatAreRefusedAreNeverSaidToBeStoppedWhenTheyWereNot) {
  const AllWays& all = all_ways();
  for (const Way& way : ways()) {
    if (!all.refusing.of(way.name).done()) continue;
    for (const Json& finding : all.refusing.run.events.findings())
      EXPECT_EQ(text_at(finding, "/destination/unix").find(way.name), std::string::npos)
          << summary({finding});
  }
}

}  // namespace
}  // namespace ambit::probe
