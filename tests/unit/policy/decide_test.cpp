// SPDX-License-Identifier: Apache-2.0
// What user space adds to the decisions of bpf/core; those themselves are in tests/core.
#include "userspace/policy/decide.h"

#include <gtest/gtest.h>

#include "tests/unit/policy/compile_probe.h"
#include "userspace/policy/paths.h"

namespace ambit::policy {
namespace {

using probe::Numbers;

constexpr std::uint32_t kSlot = 3;

class Decide : public testing::Test {
 protected:
  Decide() {
    policy_.bit_of_credential = {{10, 0}, {11, 1}, {12, 2}};
    policy_.inside = {3, 0, 0, 0};
    policy_.hold_task = {2, 0, 0, 0};
  }
  void start() {
    ASSERT_TRUE(put_all(tables_, encode_policy(policy_, {.policy = 5})));
    ASSERT_TRUE(tables_.put(encode_task({.slot = kSlot, .policy = 5})));
  }
  Decision open(const Numbers& credentials, bool undecided = false) {
    return decide_file(tables_, {.slot = kSlot}, credentials, undecided);
  }
  model::CompiledPolicy policy_;
  MemoryTables tables_;
};

TEST_F(Decide, OfATaskThatNoTableHasIsNoDecision) {
  EXPECT_FALSE(open({10}).decided);
  EXPECT_FALSE(decide_exec(tables_, {.slot = kSlot}, true).decided);
  EXPECT_FALSE(decide_destination(tables_, {.slot = kSlot}, {}).decided);
  EXPECT_EQ(spaces_of(tables_, kSlot).credentials, 0U);
}

TEST_F(Decide, OfATaskWhosePolicyIsNotThereIsNoDecision) {
  ASSERT_TRUE(tables_.put(encode_task({.slot = kSlot, .policy = 5})));
  EXPECT_FALSE(open({10}).decided);
}

TEST_F(Decide, PutsWhatTheWholeTaskHoldsApart) {
  start();
  const Decision decision = open({10, 11});
  EXPECT_EQ(decision.effect, model::Effect::allowed);
  EXPECT_EQ(decision.gained, (model::CredentialMask{1, 0, 0, 0}));
  EXPECT_EQ(decision.gained_by_task, (model::CredentialMask{2, 0, 0, 0}));
}

TEST_F(Decide, RefusesWhatIsUndecidedThoughAllThatIsKnownIsInside) {
  start();
  const Decision decision = open({10}, true);
  EXPECT_EQ(decision.reason, model::Reason::undecided);
  EXPECT_EQ(decision.effect, model::Effect::denied);
}

TEST_F(Decide, KillsForACredentialOutsideThoughTheRestIsUndecided) {
  policy_.response.credential = model::Response::kill;
  start();
  const Decision decision = open({12}, true);
  EXPECT_EQ(decision.reason, model::Reason::credential_not_in_scope);
  EXPECT_EQ(decision.effect, model::Effect::killed);
}

TEST_F(Decide, LetsTheUndecidedGoOnInShadow) {
  policy_.shadow = true;
  start();
  const Decision decision = open({}, true);
  EXPECT_EQ(decision.reason, model::Reason::undecided);
  EXPECT_EQ(decision.effect, model::Effect::alerted);
}

TEST(RecogniseInMemory, APathWithMoreDirectoriesThanTheTablesKnowBelowAnAnchor) {
  FakeFiles files;
  files.directory("/d");
  MemoryTables tables;
  const auto paths = compile_paths({{.text = "/d/**", .meaning = {.credentials = {1}}}}, files);
  ASSERT_TRUE(put_all(tables, encode_paths(*paths, 1)));
  std::string deep = "/d";
  for (int i = 0; i < 300; ++i) deep += "/x";
  files.file(deep);
  EXPECT_EQ(probe::recognised(tables, 1, files, deep).count, 1U);
}

TEST(RecogniseInMemory, ANameLongerThanAFileSystemHasIsNoNameOfAPattern) {
  FakeFiles files;
  files.directory("/d");
  MemoryTables tables;
  const auto paths = compile_paths({{.text = "/d/a*", .meaning = {.credentials = {1}}}}, files);
  ASSERT_TRUE(put_all(tables, encode_paths(*paths, 1)));
  for (const std::size_t length : {255U, 256U, 5000U}) {
    const std::string path = "/d/" + std::string(length, 'a');
    files.file(path);
    EXPECT_EQ(probe::recognised(tables, 1, files, path).count, length == 255 ? 1U : 0U) << length;
  }
}

TEST(RecogniseInMemory, AFileWithoutAPathIsKnownByItsInodeAlone) {
  MemoryTables tables;
  model::CompiledPaths paths;
  paths.inodes[{.dev = 1, .ino = 2}] = {.rank = 1, .credentials = {4}};
  ASSERT_TRUE(put_all(tables, encode_paths(paths, 1)));
  const auto facts = std::make_unique<PathFacts>();
  facts->file = {.dev = 1, .ino = 2};
  EXPECT_EQ(recognise(tables, 1, *facts).credentials[0], 4);
  facts->file = {.dev = 2, .ino = 2};
  EXPECT_EQ(recognise(tables, 1, *facts).count, 0U);
}

}  // namespace
}  // namespace ambit::policy
