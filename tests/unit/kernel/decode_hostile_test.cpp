// SPDX-License-Identifier: Apache-2.0
// Records that no honest kernel writes: each is a loss with a cause, and nothing beyond their end
// is read (the sanitizers see it: every record has a buffer of its own).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <random>

#include "tests/unit/kernel/record_bytes.h"

namespace ambit::kernel {
namespace {

using namespace bytes;
using model::LossCause;

/// From memory of exactly its size, so that one byte too far is seen.
auto decoded_exactly(std::string_view record) {
  const auto memory = std::make_unique<std::byte[]>(record.size());
  std::memcpy(memory.get(), record.data(), record.size());
  return decode({memory.get(), record.size()});
}

testing::AssertionResult is_loss(std::string_view record, LossCause cause) {
  const auto event = decoded_exactly(record);
  if (event) return testing::AssertionFailure() << "is an event";
  if (event.error() != cause)
    return testing::AssertionFailure() << "is " << model::name_of(event.error());
  return testing::AssertionSuccess();
}

const std::string& honest() {
  static const std::string record = record_of(exec_record("/bin/ls", "ls"), "/bin/lsls");
  return record;
}

TEST(DecodeHostile, TheHonestRecordIsOne) { EXPECT_TRUE(decoded_exactly(honest())); }

TEST(DecodeHostile, ARecordCutAnywhereIsMalformed) {
  for (std::size_t size = 0; size < honest().size(); ++size)
    EXPECT_TRUE(is_loss(honest().substr(0, size), LossCause::record_malformed)) << size;
}

TEST(DecodeHostile, ARecordCutAnywhereThatSaysSoIsMalformedToo) {
  for (std::size_t size = 4; size < honest().size(); ++size) {
    std::string record = honest().substr(0, size);
    const auto says = static_cast<std::uint32_t>(size);
    std::memcpy(record.data(), &says, sizeof(says));
    EXPECT_TRUE(is_loss(record, LossCause::record_malformed)) << size;
  }
}

TEST(DecodeHostile, ARecordLongerThanItSaysIsMalformed) {
  EXPECT_TRUE(is_loss(honest() + "x", LossCause::record_malformed));
}

TEST(DecodeHostile, ASizeThatIsNotItsOwnIsMalformed) {
  for (const std::uint32_t says :
       {0U, 1U, static_cast<unsigned>(kFixed), std::numeric_limits<std::uint32_t>::max()}) {
    std::string record = honest();
    std::memcpy(record.data(), &says, sizeof(says));
    EXPECT_TRUE(is_loss(record, LossCause::record_malformed)) << says;
  }
}

TEST(DecodeHostile, AStringLongerThanWhatIsLeftIsMalformed) {
  constexpr std::string_view kStrings = "/bin/lsls";
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  struct Lengths {
    std::uint32_t path;
    std::uint32_t arguments;
  };
  // The last two add up to what is there, once they have overflowed.
  for (const Lengths& lengths : {Lengths{10, 0},
                                 {kMost, 0},
                                 {7, 3},
                                 {7, kMost},
                                 {0, 10},
                                 {kMost - 1, 11},
                                 {0x80000000U, 0x80000009U}}) {
    ambit_any_record record = exec_record("", "");
    record.exec.path_length = lengths.path;
    record.exec.argv_length = lengths.arguments;
    EXPECT_TRUE(is_loss(record_of(record, kStrings), LossCause::record_malformed))
        << lengths.path << ' ' << lengths.arguments;
  }
  for (const std::uint32_t length : {10U, kMost}) {
    ambit_any_record file = file_record("");
    file.file.path_length = length;
    EXPECT_TRUE(is_loss(record_of(file, kStrings), LossCause::record_malformed)) << length;
    ambit_any_record connect = of_kind(AMBIT_KIND_connect);
    connect.connect.path_length = length;
    EXPECT_TRUE(is_loss(record_of(connect, kStrings), LossCause::record_malformed)) << length;
  }
}

TEST(DecodeHostile, AKindThatTheKernelDoesNotWriteIsUnknown) {
  for (int kind = 0; kind <= 255; ++kind) {
    constexpr std::array kWritten{AMBIT_KIND_file_open, AMBIT_KIND_connect, AMBIT_KIND_exec,
                                  AMBIT_KIND_guard, AMBIT_KIND_privilege};
    if (std::ranges::find(kWritten, kind) != kWritten.end()) continue;
    ambit_any_record record{};
    record.head.kind = static_cast<__u8>(kind);
    EXPECT_TRUE(is_loss(record_of(record), LossCause::record_unknown)) << kind;
  }
}

TEST(DecodeHostile, AWordThatNoListHasIsMalformed) {
  const auto with = [](__u8 ambit_record::* field, std::size_t number) {
    ambit_any_record record = file_record("");
    record.head.*field = static_cast<__u8>(number);
    return record_of(record);
  };
  struct List {
    __u8 ambit_record::* field;
    std::size_t words;
  };
  for (const List& list : {List{&ambit_record::reason, model::kReasons.size()},
                           {&ambit_record::requested, model::kResponses.size()},
                           {&ambit_record::effective, model::kEffects.size()},
                           {&ambit_record::backend, model::kBackends.size()}}) {
    EXPECT_TRUE(decoded_exactly(with(list.field, list.words - 1)));
    for (std::size_t number = list.words; number <= 255; ++number)
      EXPECT_TRUE(is_loss(with(list.field, number), LossCause::record_malformed)) << number;
  }
}

TEST(DecodeHostile, ARecordHasFourCredentialsWhateverItSays) {
  ambit_any_record record = file_record("");
  record.file.credential_count = 255;
  EXPECT_EQ(decoded_exactly(record_of(record))->credential_ids.size(), 4U);
}

TEST(DecodeHostile, ACommWithoutAnEndIsSixteenBytes) {
  ambit_any_record record = file_record("");
  std::memset(record.head.comm, 'x', sizeof(record.head.comm));
  EXPECT_EQ(decoded_exactly(record_of(record))->process->comm, std::string(16, 'x'));
}

TEST(DecodeHostile, APathOfNothingButNamesOfOneLetterIsTakenApartAtOnce) {
  std::string names;
  while (names.size() + 2 <= AMBIT_DATA_SIZE) names += std::string("x\0", 2);
  ambit_any_record record = file_record(names);
  record.file.path_reversed = 1;
  const auto event = decoded_exactly(record_of(record, names));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->file->path.size(), names.size());
  EXPECT_TRUE(event->file->path.starts_with("/x/x"));
}

/// Random bytes that get past the first checks, or nothing behind them would be tried.
std::string plausible(std::string record, std::mt19937& random) {
  ambit_any_record fixed{};
  std::memcpy(&fixed, record.data(), kFixed);
  const auto strings = static_cast<__u32>(record.size() - kFixed);
  const auto length = [&] { return static_cast<__u32>(random() % (strings + 2)); };
  fixed.head.size = static_cast<__u32>(record.size());
  fixed.head.cwd_length = length();
  fixed.head.reason %= static_cast<__u8>(model::kReasons.size());
  fixed.head.requested %= static_cast<__u8>(model::kResponses.size());
  fixed.head.effective %= static_cast<__u8>(model::kEffects.size());
  fixed.head.backend %= static_cast<__u8>(model::kBackends.size());
  switch (random() % 3) {
    case 0:
      fixed.head.kind = AMBIT_KIND_file_open;
      fixed.file.path_length = length();
      break;
    case 1:
      fixed.head.kind = AMBIT_KIND_connect;
      fixed.connect.family = static_cast<__u16>(random() % 12);
      fixed.connect.path_length = length();
      break;
    default:
      fixed.head.kind = AMBIT_KIND_exec;
      fixed.exec.path_length = length();
      fixed.exec.argv_length = length();
  }
  std::memcpy(record.data(), &fixed, kFixed);
  return record;
}

TEST(DecodeHostile, RandomBytesAreALossOrAnEventOfTheirOwnSize) {
  std::mt19937 random(4711);  // NOLINT(cert-msc51-cpp): the same bytes in every run
  std::size_t events = 0;
  std::size_t losses = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string record(random() % (2 * kFixed), '\0');
    for (char& byte : record) byte = static_cast<char>(random());
    if (record.size() >= kFixed && i % 4 != 0) record = plausible(record, random);
    const auto event = decoded_exactly(record);
    ++(event ? events : losses);
    if (!event) continue;
    EXPECT_LE(event->file ? event->file->path.size() : 0, record.size() + 4);
    EXPECT_LE(event->credential_ids.size(), 4U);
  }
  EXPECT_GT(events, 1000U);
  EXPECT_GT(losses, 1000U);
}

}  // namespace
}  // namespace ambit::kernel
