// SPDX-License-Identifier: Apache-2.0
// Every way to the bytes of a secret that a program has (EVASION F1 to F21), judged by the bytes.
#include "tests/kernel/fixture/ways.h"

#include <fcntl.h>

#include <filesystem>

#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// `@` in a word stands for the way's own directory, `&` for the tester's number; the secret is
/// @/.aws/credentials.
struct Way {
  std::string name;
  Words argv;
  Ways best{};
  bool may_be_silent =
      false;  ///< another guard (Landlock) stands before, or the race was never won
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const std::vector<Way>& ways() {
  static const std::string secret = "@/.aws/credentials";
  static const std::vector<Way> all{
      {"Open", {"open", secret}},
      {"OpenRelativeToADirectory", {"openat", "@/.aws", "credentials"}},
      {"OpenWithEachResolveFlag", {"openat2", "@/.aws", "credentials"}},
      {"OpenAfterChdir", {"chdir", "@/.aws", "open", "credentials"}},
      {"ReopenOfAPathDescriptor", {"opath", secret}},
      {"OpenByHandle", {"handle", secret}},
      {"Mmap", {"mmap", secret}},
      {"Sendfile", {"sendfile", secret}},
      {"CopyFileRange", {"copy-range", secret, "@/copy"}},
      {"Int80", {"int80", secret}},
      {"IoUring", {"uring", secret}},
      {"IoUringWorker", {"uring-worker", secret}},
      {"IoUringPoller", {"uring-poller", secret}},
      {"IoUringOpenat2", {"uring-openat2", secret}},
      {"AnotherThread", {"open-in-thread", secret}},
      {"Symlink", {"symlink", secret, "@/other", "open", "@/other"}},
      {"SymlinkToTheDirectory", {"symlink", "@/.aws", "@/other", "open", "@/other/credentials"}},
      {"HardLink", {"link", secret, "@/other", "open", "@/other"}},
      {"HardLinkOfAHardLink",
       {"link", secret, "@/other", "link", "@/other", "@/third", "open", "@/third"}},
      {"HardLinkOfARenamedSecret",
       {"rename", secret, "@/other", "link", "@/other", "@/third", "open", "@/third"}},
      {"Exchange", {"exchange", secret, "@/plain", "open", "@/plain"}},
      {"BindMount", {"bind", "@/.aws", "@/mount", "open", "@/mount/credentials"}},
      {"BindMountOfTheFile", {"bind", secret, "@/plain", "open", "@/plain"}},
      {"BindMountByTheNewCalls", {"new-bind", "@/.aws", "@/mount", "open", "@/mount/credentials"}},
      {"Chroot", {"chroot", "@", "open", "/.aws/credentials"}},
      {"Overlay", {"overlay", "@/.aws", "@/layers", "open", "@/layers/merged/credentials"}},
      {"RootOfAnotherProcess", {"open", "/proc/&/root@/.aws/credentials"}, {}, true},
      {"WorkingDirectoryInProc", {"chdir", "@/.aws", "open", "/proc/self/cwd/credentials"}},
      {"DeepDirectory", {"open", "@/.aws/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/deep"}},
      {"DescriptorFromOutside", {"receive", "@/giver"}, {Best::refused, Best::happens}},
  };
  return all;
}

std::string deep_name() { return ".aws/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/deep"; }

Words filled(const Words& argv, const std::string& place) {
  Words out = argv;
  for (std::string& word : out) {
    if (const std::size_t mark = word.find('@'); mark != std::string::npos)
      word.replace(mark, 1, place);
    if (const std::size_t mark = word.find('&'); mark != std::string::npos)
      word.replace(mark, 1, std::to_string(::getpid()));
  }
  return out;
}

/// All ways, each with a secret of its own: once alone, once in a task that may not.
class AllWays {
 public:
  AllWays() {
    const std::vector<Item> alone = prepare("alone");
    const std::vector<Item> bound = prepare("bound");
    control = run_plan_alone(scratch, alone);
    Task task{.catalogue = {{.name = "aws"}}};
    for (const Way& way : ways())
      task.catalogue.front().files.push_back(place(way, "bound") + "/.aws/**");
    plan = run_plan(scratch, task, bound);
    givers_.clear();
  }

  [[nodiscard]] std::string place(const Way& way, const std::string& phase) const {
    return scratch.path(phase + "/" + way.name);
  }
  /// Before anything was renamed.
  [[nodiscard]] Identity secret_of(const Way& way) const { return identities_.at(way.name); }

  Scratch scratch;
  PlanRun control;
  PlanRun plan;

 private:
  std::vector<Item> prepare(const std::string& phase) {
    std::vector<Item> items;
    for (const Way& way : ways()) {
      const std::string here = phase + "/" + way.name;
      const bool deep = way.name == "DeepDirectory";
      const std::string secret =
          scratch.secret(here + "/" + (deep ? deep_name() : ".aws/credentials"));
      scratch.directory(here + "/mount");
      scratch.directory(here + "/layers");
      scratch.write(here + "/plain", "plain\n");
      if (way.argv.front() == "receive") give(secret, scratch.path(here + "/giver"));
      if (phase == "bound") identities_[way.name] = identity_of(secret);
      items.push_back({.name = way.name, .argv = filled(way.argv, scratch.path(here))});
    }
    return items;
  }

  void give(const std::string& secret, const std::string& socket) {
    gifts_.emplace_back(::open(secret.c_str(), O_RDONLY | O_CLOEXEC));
    givers_.emplace_back(new Collector(Collector::unix_giver(socket, gifts_.back().get())));
  }

  std::map<std::string, Identity> identities_;
  std::vector<Descriptor> gifts_;
  std::vector<std::unique_ptr<Collector>> givers_;
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

class AWayToTheBytesOfASecret : public testing::TestWithParam<Way> {};

TEST_P(AWayToTheBytesOfASecret, LeadsNowhereAndIsAFinding) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  const Done& control = all.control.of(way.name);
  AMBIT_NEEDS_CONTROL(control);
  ASSERT_THAT(control.out, HasSubstr(std::string(kSecretWord)));

  const Done& bound = all.plan.of(way.name);
  const std::vector<Json> findings = all.plan.run.events.findings_about(all.secret_of(way));
  if (way.best.here() == Best::happens && bound.done()) {
    EXPECT_TRUE(findings.empty() || text_at(findings[0], "/verdict/effective") == "alerted")
        << "not stopped, and said to be:" << summary(findings);
    return;
  }
  EXPECT_THAT(bound.out, Not(HasSubstr(std::string(kSecretWord))));
  EXPECT_TRUE(bound.refused() || (bound.killed() && way.best.here() == Best::killed)) << bound;
  if (findings.empty() && way.may_be_silent) return;
  ASSERT_FALSE(findings.empty()) << "all findings:" << summary(all.plan.run.events.findings());
  const std::string effective = way.best.here() == Best::killed ? "killed" : "denied";
  EXPECT_TRUE(says(findings.front(), {"credential_not_in_scope", "deny", effective}));
}

INSTANTIATE_TEST_SUITE_P(By, AWayToTheBytesOfASecret, testing::ValuesIn(ways()), name_of_way<Way>);

}  // namespace
}  // namespace ambit::probe
