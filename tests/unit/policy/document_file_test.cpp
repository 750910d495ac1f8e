// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/policy/document_probe.h"
#include "userspace/base/descriptor.h"

namespace ambit::policy {
namespace {

using testing::HasSubstr;

class DocumentFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ambit-documents-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& bytes) const {
    const std::string path = (directory_ / "document.yaml").string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::string complaint(const std::string& path) {
    const auto read = read_document_file(path);
    return read ? "none" : read.error().message;
  }

  std::filesystem::path directory_;
};

TEST_F(DocumentFile, IsReadWhole) {
  const std::string text = probe::scope_with("  owner: a\n");
  EXPECT_EQ(read_document_file(write(text)).value_or(""), text);
  EXPECT_EQ(parse_document_file(write(text)).documents.size(), 1U);
}

TEST_F(DocumentFile, OfAnotherKindIsNamed) {
  EXPECT_THAT(complaint(directory_), HasSubstr("is a directory"));
  EXPECT_THAT(complaint(write("")), HasSubstr("is empty"));
  EXPECT_THAT(complaint(directory_ / "absent.yaml"), HasSubstr("No such file"));
  EXPECT_THAT(complaint("/dev/zero"), HasSubstr("neither a regular file nor a pipe"));
  EXPECT_THAT(complaint(write(std::string("a: \0b", 5))),
              HasSubstr("binary, not text: a NUL byte in line 1"));
  EXPECT_THAT(complaint(write("a: b\nc: \xff\n")),
              HasSubstr("not UTF-8 text: a byte of no character in line 2"));
  EXPECT_THAT(complaint(write("a: \xed\xa0\x80\n")), HasSubstr("not UTF-8"));
}

TEST_F(DocumentFile, OfMoreThanAMebibyteIsRefused) {
  EXPECT_EQ(read_document_file(write(std::string(kMaxDocumentBytes, 'a'))).value_or("").size(),
            kMaxDocumentBytes);
  EXPECT_THAT(complaint(write(std::string(kMaxDocumentBytes + 1, 'a'))),
              HasSubstr("longer than 1 MiB"));
  std::string long_one;
  long_one.resize(10'000'000, 'a');
  EXPECT_THAT(complaint(write(long_one)), HasSubstr("longer than 1 MiB"));
}

TEST_F(DocumentFile, ThatMayNotBeReadSaysSo) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const std::string path = write("a");
  ::chmod(path.c_str(), 0);
  EXPECT_THAT(complaint(path), HasSubstr("Permission denied"));
}

TEST_F(DocumentFile, APipeThatNobodyWritesIsEmptyAndNotWaitedFor) {
  const std::string path = (directory_ / "pipe").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(complaint(path), HasSubstr("is empty"));
}

TEST_F(DocumentFile, APipeIsReadToItsEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor reading(ends[0]);
  std::thread writer([writing = Descriptor(ends[1])] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    EXPECT_EQ(::write(writing.get(), "a: b\n", 5), 5);
  });
  EXPECT_EQ(read_document_file("/dev/fd/" + std::to_string(reading.get())).value_or(""), "a: b\n");
  writer.join();
}

TEST_F(DocumentFile, WhatCannotBeReadIsADiagnosticWithoutALine) {
  EXPECT_EQ(render(parse_document_file("/absent.yaml").diagnostics),
            "/absent.yaml: error: cannot be opened: No such file or directory\n");
  EXPECT_EQ(render(parse_document_file(write("# nothing\n")).diagnostics),
            (directory_ / "document.yaml").string() + ": error: there is no document in it\n");
  EXPECT_EQ(
      render(parse_documents("---\n", "x").diagnostics).find("x:1:1: error: the document is empty"),
      0U);
}

}  // namespace
}  // namespace ambit::policy
