// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/holder_record.h"

#include <gtest/gtest.h>

#include "userspace/kernel/decode.h"

namespace {

using namespace ambit;

model::Event through(const kernel::HolderRecord& record) {
  std::vector<std::byte> bytes(8192);
  bytes.resize(kernel::encode(record, bytes));
  EXPECT_LE(bytes.size(), kernel::holder_record_limit());
  auto event = kernel::decode(bytes);
  EXPECT_TRUE(event);
  return event ? std::move(*event) : model::Event{};
}

kernel::HolderRecord opening(std::string_view path, std::string_view cwd) {
  kernel::HolderRecord record;
  record.requested = model::Response::deny;
  record.effective = model::Effect::denied;
  record.reason = model::Reason::credential_not_in_scope;
  record.pid = 42;
  record.path = path;
  record.cwd = cwd;
  return record;
}

TEST(HolderRecord, BringsThePathAndTheDirectory) {
  const model::Event event = through(opening("/home/a/secret", "/work"));
  EXPECT_EQ(event.file->path, "/home/a/secret");
  EXPECT_EQ(event.process->cwd, "/work");
}

TEST(HolderRecord, SaysNothingOfADirectoryThatIsNotKnown) {
  EXPECT_FALSE(through(opening("/home/a/secret", "")).process->cwd);
}

TEST(HolderRecord, LeavesTheDirectoryOutWhereOnlyThePathFits) {
  const std::string path = "/" + std::string(kernel::holder_record_limit() - 300, 'p');
  const model::Event event = through(opening(path, "/" + std::string(300, 'd')));
  EXPECT_EQ(event.file->path, path);
  EXPECT_FALSE(event.process->cwd);
}

TEST(HolderRecord, OfARefusedProgramLeavesTheProcessWhatItIs) {
  kernel::HolderRecord record = opening("/usr/bin/id", "/");
  record.kind = model::Kind::exec;
  const model::Event event = through(record);
  EXPECT_EQ(event.file->path, "/usr/bin/id");
  EXPECT_EQ(event.process->exe, "");
  EXPECT_EQ(event.process->cwd, "/");
}

TEST(Decoding, TakesNoRecordOfTheWrongSizeForAFork) {
  std::vector<std::byte> bytes(8192);
  bytes.resize(kernel::encode(opening("/a", "/b"), bytes));
  EXPECT_FALSE(kernel::decode_fork(bytes));
  EXPECT_FALSE(kernel::decode_fork({}));
}

}  // namespace
