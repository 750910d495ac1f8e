// SPDX-License-Identifier: Apache-2.0
// What a record means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/unit/kernel/record_bytes.h"

namespace ambit::kernel {
namespace {

using namespace bytes;
using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Decode, SaysWhoDidIt) {
  ambit_any_record record = file_record("");
  record.head.slot = 7;
  record.head.boot_ns = 11;
  record.head.start_boot_ns = 12;
  record.head.tid = 43;
  record.head.uid = 1000;
  record.head.ppid = 41;
  std::memcpy(record.head.comm, "sh", 3);
  record.head.held.word[3] = 5;
  record.head.blocking.word[0] = 6;
  const auto event = decoded(record_of(record));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->slot, 7U);
  EXPECT_EQ(event->boot_ns, 11U);
  EXPECT_EQ(event->process->start_boot_ns, 12U);
  EXPECT_EQ(event->process->pid, 42U);
  EXPECT_EQ(event->process->tid, 43U);
  EXPECT_EQ(event->process->uid, 1000U);
  EXPECT_EQ(event->process->ppid, 41U);
  EXPECT_EQ(event->process->comm, "sh");
  EXPECT_EQ(event->held_mask[3], 5U);
  EXPECT_EQ(event->blocking_mask[0], 6U);
}

TEST(Decode, IsAFindingWhenSomethingIsRequested) {
  ambit_any_record record = file_record("");
  EXPECT_FALSE(decoded(record_of(record))->finding);
  EXPECT_EQ(decoded(record_of(record))->verdict->scope, model::ScopeSide::inside);
  record.head.reason = CORE_REASON_credential_not_in_scope;
  record.head.requested = CORE_RESPONSE_kill;
  record.head.effective = CORE_EFFECT_alerted;
  record.head.shadow = 1;
  const auto event = decoded(record_of(record));
  EXPECT_TRUE(event->finding);
  EXPECT_EQ(event->verdict->scope, model::ScopeSide::outside);
  EXPECT_EQ(event->verdict->mode, model::Mode::shadow);
  EXPECT_EQ(event->verdict->requested, model::Response::kill);
  EXPECT_EQ(event->verdict->effective, model::Effect::alerted);
}

TEST(Decode, PutsNamesFromTheFileUpIntoAPathFromTheRootDown) {
  constexpr auto kNames = "credentials\0.aws\0a\0home\0"sv;
  ambit_any_record record = file_record(kNames);
  record.file.path_reversed = 1;
  record.file.dev = 254U << 20U | 3U;
  record.file.ino = 131;
  record.file.flags = AMBIT_FILE_READ | AMBIT_FILE_TRUNCATE;
  record.file.credential_count = 2;
  record.file.credential[0] = 9;
  record.file.credential[1] = 300;
  const auto event = decoded(record_of(record, kNames));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->file->path, "/home/a/.aws/credentials");
  EXPECT_EQ(event->file->dev_major, 254U);
  EXPECT_EQ(event->file->dev_minor, 3U);
  EXPECT_EQ(event->file->ino, 131U);
  EXPECT_THAT(event->file->flags, ElementsAre("read", "truncate"));
  EXPECT_THAT(event->credential_ids, ElementsAre(9, 300));
  record.file.path_cut = 1;
  EXPECT_EQ(decoded(record_of(record, kNames))->file->path, "…/home/a/.aws/credentials");
}

TEST(Decode, OfAReversedPathWithoutNamesIsTheRoot) {
  ambit_any_record record = file_record("");
  record.file.path_reversed = 1;
  EXPECT_EQ(decoded(record_of(record))->file->path, "/");
}

TEST(Decode, KeepsTheBytesOfAPathThatAreNoText) {
  constexpr auto kNames = "\xff\x1b[2J\nx\0d\0"sv;
  ambit_any_record record = file_record(kNames);
  record.file.path_reversed = 1;
  EXPECT_EQ(decoded(record_of(record, kNames))->file->path, "/d/\xff\x1b[2J\nx");
}

ambit_any_record connect_to(__u16 family, std::initializer_list<__u8> address) {
  ambit_any_record record = of_kind(AMBIT_KIND_connect);
  record.connect.family = family;
  record.connect.port = 443;
  record.connect.protocol = 6;
  std::copy(address.begin(), address.end(), record.connect.address);
  return record;
}

TEST(Decode, WritesAddressesAsPeopleDo) {
  const auto mapped = decoded(
      record_of(connect_to(AF_INET, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 9})));
  EXPECT_EQ(mapped->destination->ip, "203.0.113.9");
  EXPECT_EQ(mapped->destination->port, 443);
  EXPECT_EQ(mapped->destination->protocol, "tcp");
  const auto six = decoded(record_of(connect_to(AF_INET6, {0x20, 0x01, 0x0d, 0xb8})));
  EXPECT_EQ(six->destination->ip, "2001:db8::");
  ambit_any_record odd = connect_to(AF_INET, {});
  odd.connect.protocol = 250;
  EXPECT_EQ(decoded(record_of(odd))->destination->protocol, "250");
}

TEST(Decode, NamesOtherFamiliesByTheirNumber) {
  const auto event = decoded(record_of(connect_to(AF_VSOCK, {})));
  EXPECT_EQ(event->destination->protocol, "family-40");
  EXPECT_EQ(event->destination->family, 40);
  EXPECT_EQ(event->destination->ip, "");
  EXPECT_EQ(event->destination->port, std::nullopt);
}

TEST(Decode, TellsAbstractSocketsFromThoseOfAPath) {
  ambit_any_record record = of_kind(AMBIT_KIND_connect);
  record.connect.family = AF_UNIX;
  record.connect.path_length = 4;
  EXPECT_EQ(decoded(record_of(record, "\0a\0b"sv))->destination->unix_path, "@a\0b"sv);
  EXPECT_EQ(decoded(record_of(record, "/run"))->destination->unix_path, "/run");
  record.connect.path_reversed = 1;
  EXPECT_EQ(decoded(record_of(record, "s\0d\0"sv))->destination->unix_path, "/d/s");
}

TEST(Decode, TakesArgumentsApart) {
  constexpr auto kPath = "ls\0bin\0"sv;
  constexpr auto kArguments = "ls\0\0-l\0"sv;
  ambit_any_record record = exec_record(kPath, kArguments);
  record.exec.path_reversed = 1;
  record.exec.in_place = 1;
  const std::string strings = std::string(kPath) + std::string(kArguments);
  const auto event = decoded(record_of(record, strings));
  EXPECT_EQ(event->process->exe, "/bin/ls");
  EXPECT_THAT(event->process->argv, ElementsAre("ls", "", "-l"));
  EXPECT_THAT(event->file->flags, ElementsAre("exec"));
  record.exec.argv_cut = 1;
  EXPECT_THAT(decoded(record_of(record, strings))->process->argv, ElementsAre("ls", "", "-l", "…"));
}

TEST(Decode, DoesNotCallWhatWasRefusedBeforeItRanTheProcesssProgram) {
  const auto event = decoded(record_of(exec_record("/bin/ls", ""), "/bin/ls"));
  EXPECT_EQ(event->file->path, "/bin/ls");
  EXPECT_EQ(event->process->exe, "");
  EXPECT_THAT(event->process->argv, IsEmpty());
}

}  // namespace
}  // namespace ambit::kernel
