// SPDX-License-Identifier: Apache-2.0
// What a holder writes is read as what it meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>
#include <vector>

#include "userspace/kernel/decode.h"
#include "userspace/kernel/holder_record.h"

namespace ambit::kernel {
namespace {

using testing::ElementsAre;

model::Event written(const HolderRecord& record) {
  std::vector<std::byte> bytes(holder_record_limit());
  bytes.resize(encode(record, bytes));
  auto event = decode(bytes);
  EXPECT_TRUE(event);
  return event ? std::move(*event) : model::Event{};
}

TEST(HolderRecord, OfAFileIsReadAsItWasMeant) {
  const std::vector<std::uint16_t> credentials{3, 65535};
  const model::Event event = written({.reason = model::Reason::reader_not_allowed,
                                      .requested = model::Response::deny,
                                      .effective = model::Effect::denied,
                                      .slot = 4,
                                      .pid = 42,
                                      .comm = "a name longer than fifteen",
                                      .held = {1, 0, 0, 8},
                                      .file = {.dev = 8U << 20U | 1U, .ino = 9},
                                      .reads = true,
                                      .credentials = credentials,
                                      .path = "/h/.aws/credentials"});
  EXPECT_EQ(event.kind, model::Kind::file_open);
  EXPECT_EQ(event.verdict->reason, model::Reason::reader_not_allowed);
  EXPECT_EQ(event.verdict->backend, model::Backend::portable);
  EXPECT_EQ(event.process->comm, "a name longer t");
  EXPECT_EQ(event.held_mask, (model::CredentialMask{1, 0, 0, 8}));
  EXPECT_EQ(event.file->path, "/h/.aws/credentials");
  EXPECT_EQ(event.file->dev_major, 8U);
  EXPECT_THAT(event.file->flags, ElementsAre("read"));
  EXPECT_THAT(event.credential_ids, ElementsAre(3, 65535));
}

TEST(HolderRecord, OfMoreThanFourCredentialsHasTheFirstFour) {
  const std::vector<std::uint16_t> credentials{1, 2, 3, 4, 5};
  EXPECT_THAT(written({.credentials = credentials}).credential_ids, ElementsAre(1, 2, 3, 4));
}

TEST(HolderRecord, OfAPathThatDoesNotFitHasItsEnd) {
  const std::string path = "/" + std::string(PATH_MAX, 'x') + "/the-end";
  std::vector<std::byte> bytes(holder_record_limit());
  const std::size_t size = encode({.path = path}, bytes);
  EXPECT_EQ(size, holder_record_limit()) << "one write of a pipe that is never torn";
  EXPECT_TRUE(written({.path = path}).file->path.ends_with("/the-end"));
}

}  // namespace
}  // namespace ambit::kernel
