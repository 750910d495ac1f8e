// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/blend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/correlation/correlator.h"

namespace {

using namespace ambit::correlation;
using namespace ambit::model;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::map<std::string, Authority> kAuthority{{"github-cli", Authority::delegated},
                                                  {"kubeconfig", Authority::delegated},
                                                  {"aws", Authority::agent}};

TEST(Blend, IsToldOnceWhenBothAuthoritiesWereUsed) {
  Blend blend;
  EXPECT_FALSE(blend.use({"github-cli"}, kAuthority));
  EXPECT_FALSE(blend.use({"kubeconfig", "unsaid"}, kAuthority));
  EXPECT_EQ(blend.use({"aws"}, kAuthority), (Blend::Pair{"github-cli", "aws"}));
  EXPECT_FALSE(blend.use({"aws"}, kAuthority));
  EXPECT_FALSE(blend.use({"github-cli"}, kAuthority));
}

TEST(Blend, CanBeOneFileOfBoth) {
  Blend blend;
  EXPECT_EQ(blend.use({"aws", "kubeconfig"}, kAuthority), (Blend::Pair{"kubeconfig", "aws"}));
}

class BlendedAuthority : public testing::Test {
 protected:
  BlendedAuthority() {
    catalogue_.credentials.resize(kAuthority.size());
    std::size_t at = 0;
    for (const auto& [name, authority] : kAuthority) catalogue_.credentials.at(at++).name = name;
    open_task(Response::kill_task);
  }

  void open_task(Response blended) {
    TaskTable table{.credential_of_bit = {"aws", "github-cli", "kubeconfig"},
                    .listed = {"aws", "github-cli"},
                    .authority = kAuthority};
    table.blended = blended;
    correlator_.open_task(kSlot, std::move(table));
  }

  std::vector<Event> open(std::uint32_t pid, std::uint16_t credential,
                          Effect effect = Effect::allowed) {
    Event event;
    event.kind = Kind::file_open;
    event.slot = kSlot;
    event.seq = ++seq_;
    event.boot_ns = seq_;
    event.process = Process{};
    event.process->pid = pid;
    event.process->start_boot_ns = pid;
    event.verdict = Verdict{};
    event.verdict->effective = effect;
    event.verdict->mode = Mode::shadow;
    event.credential_ids = {credential};
    return correlator_.observe(event);
  }

  static constexpr std::uint32_t kSlot = 7;
  static constexpr std::uint16_t kAws = 0;
  static constexpr std::uint16_t kGithub = 1;

 private:
  Catalogue catalogue_;
  Correlator correlator_{catalogue_};
  std::uint64_t seq_ = 0;
};

TEST_F(BlendedAuthority, IsOneFindingWithBothOpeningsAsEvidence) {
  EXPECT_THAT(open(10, kGithub), IsEmpty());
  const std::vector<Event> found = open(11, kAws);
  ASSERT_THAT(found, SizeIs(1));
  const Event& event = found.front();
  EXPECT_EQ(event.kind, Kind::finding);
  EXPECT_TRUE(event.finding);
  EXPECT_EQ(event.severity, Severity::high);
  EXPECT_EQ(event.verdict->reason, Reason::blended_authority);
  EXPECT_EQ(event.verdict->scope, ScopeSide::outside);
  EXPECT_EQ(event.verdict->mode, Mode::shadow);
  EXPECT_EQ(event.verdict->requested, Response::kill_task);
  EXPECT_EQ(event.verdict->effective, Effect::alerted);
  EXPECT_EQ(event.verdict->backend, Backend::user);
  EXPECT_EQ(event.verdict->rule, "/spec/credentials/1");
  EXPECT_THAT(event.credential->names, ElementsAre("github-cli", "aws"));
  EXPECT_THAT(event.evidence, ElementsAre(1, 2));
  EXPECT_EQ(event.details.at("delegated"), "github-cli");
  EXPECT_EQ(event.details.at("agent"), "aws");
  EXPECT_EQ(event.details.at("relation.github-cli"), "other_process");
  EXPECT_EQ(event.details.at("relation.aws"), "same_process");
  EXPECT_THAT(open(11, kGithub), IsEmpty());
  EXPECT_THAT(open(12, kAws), IsEmpty());
}

TEST_F(BlendedAuthority, IsNotOfWhatWasStopped) {
  EXPECT_THAT(open(10, kGithub, Effect::denied), IsEmpty());
  EXPECT_THAT(open(10, kAws), IsEmpty());
  EXPECT_THAT(open(10, kGithub, Effect::killed), IsEmpty());
  EXPECT_THAT(open(10, kGithub, Effect::alerted), SizeIs(1)) << "that went through";
}

TEST_F(BlendedAuthority, IsOfOneTask) {
  EXPECT_THAT(open(10, kGithub), IsEmpty());
  open_task(Response::alert);
  EXPECT_THAT(open(10, kAws), IsEmpty()) << "another task in the same slot";
}

}  // namespace
