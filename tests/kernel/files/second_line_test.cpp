// SPDX-License-Identifier: Apache-2.0
// What stands behind the first decision about files: reads of descriptors that somebody else
// opened, and opens through mounts that were made inside the task.
#include <fcntl.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ADescriptorFromOutside, IsNotReadWhenItWasOpenedDuringTheTask) {
  const Scratch scratch;
  const std::string secret = scratch.secret("home/secret");
  const std::string socket = scratch.path("giver");
  const Item item{.name = "it", .argv = {"receive", socket}};
  const Task task{.catalogue = {{.name = "aws", .files = {secret}}}};
  {
    const Descriptor gift(::open(secret.c_str(), O_RDONLY | O_CLOEXEC));
    const Collector giver = Collector::unix_giver(socket, gift.get());
    EXPECT_THAT(run_plan_alone(scratch, {item}).of("it").out, HasSubstr(std::string(kSecretWord)));
  }
  std::filesystem::remove(socket);
  Descriptor gift;
  std::unique_ptr<Collector> giver;
  const PlanRun plan = run_plan(scratch, task, {item}, [&] {
    gift = Descriptor(::open(secret.c_str(), O_RDONLY | O_CLOEXEC));
    giver.reset(new Collector(Collector::unix_giver(socket, gift.get())));
  });
  EXPECT_TRUE(plan.of("it").refused()) << plan.of("it");
  EXPECT_THAT(plan.of("it").out, Not(HasSubstr(std::string(kSecretWord))));
  const auto findings = plan.run.events.findings_about(identity_of(secret));
  ASSERT_EQ(findings.size(), 1U) << summary(plan.run.events.findings());
  EXPECT_TRUE(says(findings.front(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST(ADescriptorFromOutside, MakesItsReaderHoldTheCredential) {
  const Scratch scratch;
  const std::string secret = scratch.secret("home/secret");
  const std::string socket = scratch.path("giver");
  Collector elsewhere = Collector::tcp("127.0.0.1");
  Descriptor gift;
  std::unique_ptr<Collector> giver;
  const PlanRun plan = run_plan(
      scratch,
      {.scope = {.credentials = {"{name: aws}"}},
       .catalogue = {{.name = "aws", .files = {secret}, .destinations = Lines{}}}},
      {{.name = "send first", .argv = {"tcp", "127.0.0.1", elsewhere.port_text(), "before"}},
       {.name = "read", .argv = {"receive", socket}},
       {.name = "carry",
        .argv = {"receive-then", socket, "tcp", "127.0.0.1", elsewhere.port_text(), "carried"}}},
      [&] {
        gift = Descriptor(::open(secret.c_str(), O_RDONLY | O_CLOEXEC));
        giver.reset(new Collector(Collector::unix_giver(socket, gift.get())));
      });
  EXPECT_TRUE(plan.of("send first").done()) << plan.of("send first");
  EXPECT_THAT(plan.of("read").out, HasSubstr(std::string(kSecretWord)));
  EXPECT_TRUE(plan.of("carry").refused()) << plan.of("carry");
  EXPECT_THAT(elsewhere.received(), Not(HasSubstr("carried")));
  EXPECT_FALSE(plan.run.events.about(identity_of(secret)).empty()) << "the use is an event";
}

class ACredentialKnownByPatternAlone : public testing::Test {
 protected:
  std::string file_ = scratch_.fresh("key") + ".pem-test";
  std::string secret_ = scratch_.secret("project/" + file_);
  std::string mount_ = scratch_.directory("mount");
  std::vector<CredentialText> catalogue_{{.name = "keys", .files = {quoted("**/*.pem-test")}}};
  std::vector<Item> items_{
      {.name = "plain", .argv = {"open", secret_}},
      {.name = "bind",
       .argv = {"bind", scratch_.path("project"), mount_, "open", mount_ + "/" + file_}},
      {.name = "new bind",
       .argv = {"new-bind", scratch_.path("project"), mount_, "open", mount_ + "/" + file_}},
      {.name = "32 bit",
       .argv = {"bind", scratch_.path("project"), mount_, "int80", mount_ + "/" + file_}},
  };
  Scratch& scratch() { return scratch_; }

 private:
  static inline Scratch scratch_;
};

TEST_F(ACredentialKnownByPatternAlone, IsNotReadThroughAMountThatWasMadeInTheTask) {
  const PlanRun alone = run_plan_alone(scratch(), items_);
  const PlanRun bound = run_plan(scratch(), {.catalogue = catalogue_}, items_);
  for (const Item& item : items_) {
    EXPECT_THAT(alone.of(item.name).out, HasSubstr(std::string(kSecretWord))) << item.name;
    EXPECT_TRUE(bound.of(item.name).stopped()) << item.name << ": " << bound.of(item.name);
    EXPECT_THAT(bound.of(item.name).out, Not(HasSubstr(std::string(kSecretWord)))) << item.name;
  }
  EXPECT_EQ(bound.run.events.findings().size(), items_.size())
      << summary(bound.run.events.findings());
  for (const Json& finding : bound.run.events.findings()) {
    EXPECT_EQ(text_at(finding, "/credential/name"), "keys");
    EXPECT_THAT(text_at(finding, "/file/path"), HasSubstr(file_));
  }
}

TEST_F(ACredentialKnownByPatternAlone, IsOneEventWhereTheScopeHasIt) {
  const PlanRun bound = run_plan(
      scratch(), {.scope = {.credentials = {"{name: keys}"}}, .catalogue = catalogue_}, items_);
  for (const Item& item : items_)
    EXPECT_THAT(bound.of(item.name).out, HasSubstr(std::string(kSecretWord))) << item.name;
  EXPECT_TRUE(bound.run.events.findings().empty()) << summary(bound.run.events.findings());
  EXPECT_EQ(bound.run.events.about(identity_of(secret_)).size(), items_.size());
}

/// A file that the task has opened as no credential, and may open without being asked about again.
class AFileThatTheTaskKnows : public testing::Test {
 protected:
  /// Opens it, lets `between` happen outside the task, and opens the credential.
  PlanRun around(const std::function<void()>& between) {
    const std::string ready = scratch_.path("known");
    const std::string go = scratch_.path("changed");
    std::jthread outside([&] {
      if (!eventually([&] { return std::filesystem::exists(ready); }, 60s)) return;
      between();
      scratch_.write("changed", "");
    });
    return run_plan(scratch_, {.catalogue = {{.name = "aws", .files = {secret_}}}},
                    {{.name = "first", .argv = {"open", plain_}},
                     {.name = "again", .argv = {"open", plain_}},
                     {.name = "wait", .argv = {"handshake", ready, go}},
                     {.name = "then", .argv = {"open", secret_}}});
  }
  void expect_refused(const PlanRun& plan) const {
    EXPECT_EQ(plan.of("first").out, "harmless");
    EXPECT_EQ(plan.of("again").out, "harmless");
    EXPECT_TRUE(plan.of("then").refused()) << plan.of("then");
    EXPECT_THAT(plan.of("then").out, Not(HasSubstr(std::string(kSecretWord))));
    EXPECT_EQ(plan.run.events.findings().size(), 1U) << summary(plan.run.events.findings());
  }

  Scratch scratch_;
  std::string home_ = scratch_.directory("home");
  std::string plain_ = scratch_.write("work/plain", "harmless");
  std::string secret_ = scratch_.path("home/secret");
  std::string content_ = content_of(scratch_.secret("elsewhere"));
};

TEST_F(AFileThatTheTaskKnows, IsRefusedOnceItWasWrittenToAndMovedToACredentialsPlace) {
  expect_refused(around([&] {
    scratch_.write("work/plain", content_);
    std::filesystem::rename(plain_, secret_);
  }));
}

TEST_F(AFileThatTheTaskKnows, IsRefusedOnceItWasMovedToACredentialsPlaceAndWrittenToThere) {
  expect_refused(around([&] {
    std::filesystem::rename(plain_, secret_);
    scratch_.write("home/secret", content_);
  }));
}

TEST_F(AFileThatTheTaskKnows, IsRefusedOnceItWasLinkedToACredentialsPlaceAndWrittenTo) {
  expect_refused(around([&] {
    std::filesystem::create_hard_link(plain_, secret_);
    scratch_.write("work/plain", content_);
  }));
}

TEST_F(AFileThatTheTaskKnows, DoesNotMakeItsReplacementKnown) {
  expect_refused(around([&] {
    std::filesystem::rename(plain_, secret_);
    scratch_.write("work/new", content_);
    std::filesystem::rename(scratch_.path("work/new"), secret_);
  }));
}

/// Names of the loaded programs that are attached to a tracepoint of system calls.
std::string system_call_links() {
  const Ended ended =
      run({.argv = {"/bin/sh", "-c",
                    "for p in $(bpftool link list | sed -n 's/.*prog \\([0-9]*\\).*/\\1/p'); do "
                    "bpftool prog show id $p; done | grep -o 'name sys_e[a-z]*'"},
           .environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}});
  return ended.out;
}

TEST_F(ACredentialKnownByPatternAlone, IsWhatSystemCallsAreWatchedForAndNothingElse) {
  if (!on_portable()) GTEST_SKIP() << "this backend attaches to no system call at all";
  std::string with;
  std::string without;
  static_cast<void>(
      run_plan(scratch(), {.catalogue = catalogue_}, items_, [&] { with = system_call_links(); }));
  static_cast<void>(run_plan(scratch(), {.catalogue = {{.name = "keys", .files = {secret_}}}},
                             items_, [&] { without = system_call_links(); }));
  EXPECT_THAT(with, HasSubstr("sys_exit"));
  EXPECT_EQ(without, "");
}

}  // namespace
}  // namespace ambit::probe
