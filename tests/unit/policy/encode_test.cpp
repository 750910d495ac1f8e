// SPDX-License-Identifier: Apache-2.0
// Compiled policies as bytes: what the kernel finds in them again.
#include "userspace/policy/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "userspace/policy/core.h"

namespace ambit::policy {
namespace {

using model::Table;
using model::TableEntry;
using testing::Each;
using testing::Field;

template <typename T>
T value_of(const std::string& bytes) {
  T out{};
  EXPECT_EQ(bytes.size(), sizeof(T));
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof(T)));
  return out;
}

core_rule encoded(const model::CompiledRule& rule) {
  return value_of<core_rule>(encode_rule(rule));
}

TEST(EncodeRule, KeepsEachFlagApart) {
  EXPECT_EQ(encoded({}).flags, 0);
  EXPECT_EQ(encoded({.subtree = true}).flags, CORE_RULE_SUBTREE);
  EXPECT_EQ(encoded({.exclude = true}).flags, CORE_RULE_EXCLUDE);
  EXPECT_EQ(encoded({.program = true}).flags, CORE_RULE_PROGRAM);
  EXPECT_EQ(encoded({.unix_socket = true}).flags, CORE_RULE_UNIX);
  EXPECT_EQ(encoded({.mask_out = true}).flags, CORE_RULE_MASK_OUT);
}

TEST(EncodeRule, PutsWhatItIsBeforeWhatItIsNot) {
  const core_rule rule = encoded({.rank = 7, .credentials = {1, 2, 3}, .out = {9, 8}});
  EXPECT_EQ(rule.rank, 7);
  EXPECT_EQ(rule.count, 3);
  EXPECT_EQ(rule.out_count, 2);
  EXPECT_THAT(std::vector(rule.credential, rule.credential + 5),
              testing::ElementsAre(1, 2, 3, 9, 8));
}

TEST(EncodeRule, HasRoomForFourOfEach) {
  const core_rule rule = encoded({.credentials = {1, 2, 3, 4}, .out = {5, 6, 7, 8}});
  EXPECT_THAT(rule.credential, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(EncodePolicy, WritesThePolicyItselfLastSinceItMakesTheRestCount) {
  model::CompiledPolicy policy;
  policy.bit_of_credential[3] = 0;
  policy.paths.inodes[{.dev = 1, .ino = 2}] = {.program = true};
  const auto entries = encode_policy(policy, {.policy = 5});
  ASSERT_FALSE(entries.empty());
  EXPECT_EQ(entries.back().table, Table::policies);
  EXPECT_EQ(value_of<std::uint32_t>(entries.back().key), 5U);
  EXPECT_THAT(std::vector(entries.begin(), entries.end() - 1),
              Each(Field(&TableEntry::table, testing::Ne(Table::policies))));
}

TEST(EncodePolicy, SaysWhatTheScopeAsksFor) {
  model::CompiledPolicy policy{.shadow = true, .exec_bound = true};
  policy.response = {.credential = model::Response::kill,
                     .network = model::Response::alert,
                     .exec = model::Response::kill_task};
  policy.inside = {1, 2, 3, 4};
  const auto entries = encode_policy(policy, {.credential_space = 8, .program_space = 9});
  const auto value = value_of<core_policy>(entries.back().value);
  EXPECT_EQ(value.flags, CORE_POLICY_SHADOW | CORE_POLICY_EXEC_BOUND);
  EXPECT_EQ(value.response_credential, CORE_RESPONSE_kill);
  EXPECT_EQ(value.response_network, CORE_RESPONSE_alert);
  EXPECT_EQ(value.response_exec, CORE_RESPONSE_kill_task);
  EXPECT_EQ(value.credential_space, 8U);
  EXPECT_EQ(value.program_space, 9U);
  EXPECT_EQ(from_core(value.inside), policy.inside);
}

TEST(EncodePolicy, LetsBitsThatItDoesNotKnowBeUsedNowhere) {
  model::CompiledPolicy policy;
  policy.credential_of_bit.assign(66, "known");
  policy.restricted = {1, 0, 0, 0};
  const auto value = value_of<core_policy>(encode_policy(policy, {.policy = 5}).back().value);
  EXPECT_THAT(value.restricted.word, testing::ElementsAre(1, ~3ULL, ~0ULL, ~0ULL));
  policy.credential_of_bit.assign(256, "known");
  const auto full = value_of<core_policy>(encode_policy(policy, {.policy = 5}).back().value);
  EXPECT_THAT(full.restricted.word, testing::ElementsAre(1, 0, 0, 0));
}

TEST(EncodeDestinations, PutPortsInTheOrderOfTheWireSoThatLeadingBitsAreAPrefix) {
  model::CompiledDestinations destinations;
  destinations.ports.push_back({.set = 4,
                                .protocol = 6,
                                .port = 0x01bb,
                                .prefix = 12,
                                .in_network = true,
                                .endpoint_of = {7}});
  const auto entries = encode_destinations(destinations, 3);
  ASSERT_EQ(entries.size(), 1U);
  const auto key = value_of<core_port_key>(entries[0].key);
  EXPECT_EQ(key.prefixlen, 40U + 12U);
  EXPECT_EQ(key.port[0], 0x01);
  EXPECT_EQ(key.port[1], 0xbb);
  const auto value = value_of<core_port>(entries[0].value);
  EXPECT_EQ(value.flags, CORE_PORT_NETWORK);
  EXPECT_EQ(value.endpoint_count, 1);
  EXPECT_EQ(value.endpoint[0], 7);
}

TEST(EncodeTask, SaysWhenItEndsAndThatItHas) {
  const TableEntry entry =
      encode_task({.slot = 6, .policy = 2, .expires_boot_ns = 99, .revoked = true});
  EXPECT_EQ(value_of<std::uint32_t>(entry.key), 6U);
  const auto value = value_of<core_task>(entry.value);
  EXPECT_EQ(value.policy, 2U);
  EXPECT_EQ(value.flags, CORE_TASK_REVOKED);
  EXPECT_EQ(value.expires_boot_ns, 99U);
}

class FailsAt final : public model::TableWriter {
 public:
  explicit FailsAt(int number) : left_(number) {}
  Result<void> put(const TableEntry& /*entry*/) override {
    ++asked;
    if (--left_ == 0) return fail("full");
    return {};
  }
  Result<void> remove(Table /*table*/, const std::string& /*key*/) override { return {}; }
  int asked = 0;

 private:
  int left_;
};

TEST(PutAll, EndsAtTheFirstFailureAndSaysIt) {
  FailsAt tables(2);
  const auto put = put_all(tables, std::vector<TableEntry>(5));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "full");
  EXPECT_EQ(tables.asked, 2);
}

}  // namespace
}  // namespace ambit::policy
