// SPDX-License-Identifier: Apache-2.0
// What was taken out of a ring or a pipe and is not written is there for the next process.
#include "userspace/pipeline/journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace ambit::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A record as the rings and pipes have it: its length first.
std::string record(const std::string& body) {
  const auto length = static_cast<std::uint32_t>(sizeof(std::uint32_t) + body.size());
  std::string out(sizeof(length), '\0');
  std::memcpy(out.data(), &length, sizeof(length));
  return out + body;
}

class AJournal : public testing::Test {
 protected:
  AJournal() { std::filesystem::remove(path_); }
  ~AJournal() override { std::filesystem::remove(path_); }

  [[nodiscard]] Journal open() const {
    auto journal = Journal::open(path_);
    if (!journal) throw std::runtime_error(journal.error().message);
    return std::move(*journal);
  }
  static void add(Journal& journal, const std::string& body) {
    const std::string bytes = record(body);
    journal.add(std::as_bytes(std::span(bytes)));
  }
  static std::vector<std::string> read(Journal& journal) {
    std::vector<std::string> out;
    journal.read([&](std::span<const std::byte> bytes) {
      out.emplace_back(reinterpret_cast<const char*>(bytes.data()) + sizeof(std::uint32_t),
                       bytes.size() - sizeof(std::uint32_t));
    });
    return out;
  }

  std::string path_ = testing::TempDir() + "journal-" + std::to_string(::getpid());
};

TEST_F(AJournal, GivesWhatWasNotWrittenToTheNextProcess) {
  {
    Journal first = open();
    add(first, "written");
    first.mark();
    add(first, "came while it was written");
    first.written();
    add(first, "after");
    EXPECT_THAT(read(first), IsEmpty()) << "its maker has them";
  }
  Journal next = open();
  EXPECT_THAT(read(next), ElementsAre("came while it was written", "after"));
  next.mark();
  next.written();
  EXPECT_EQ(next.waiting(), 0U);
  Journal last = open();
  EXPECT_THAT(read(last), IsEmpty());
}

TEST_F(AJournal, GoesOnInTheMiddleOfARecordOfAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const Descriptor reader(ends[0]);
  const Descriptor writer(ends[1]);
  const std::string bytes = record("one") + record("two");
  const std::size_t cut = bytes.size() - 2;
  ASSERT_EQ(::write(writer.get(), bytes.data(), cut), static_cast<ssize_t>(cut));
  {
    Journal first = open();
    first.take_from(reader.get());
    EXPECT_THAT(read(first), ElementsAre("one"));
    first.mark();
    first.written();
  }
  ASSERT_EQ(::write(writer.get(), bytes.data() + cut, 2), 2);
  Journal next = open();
  next.take_from(reader.get());
  EXPECT_THAT(read(next), ElementsAre("two"));
}

TEST_F(AJournal, OfWhatIsNoneIsEmpty) {
  for (const std::string content :
       {"", "abc", "\xff\xff\xff\xff\xff\xff\xff\xff", "12345678rest"}) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
    Journal journal = open();
    EXPECT_THAT(read(journal), IsEmpty()) << content;
    add(journal, "new");
    EXPECT_GT(journal.waiting(), 0U);
  }
}

TEST_F(AJournal, IsNeverALinkToAnotherFile) {
  std::filesystem::create_symlink("/dev/null", path_);
  EXPECT_FALSE(Journal::open(path_));
}

TEST_F(AJournal, StopsAtALengthThatNoRecordHas) {
  {
    Journal journal = open();
    add(journal, "good");
    std::string bad = record("bad");
    const std::uint32_t length = 0x7fffffff;
    std::memcpy(bad.data(), &length, sizeof(length));
    journal.add(std::as_bytes(std::span(bad)));
  }
  Journal next = open();
  EXPECT_THAT(read(next), ElementsAre("good"));
  add(next, "more");
  EXPECT_THAT(read(next), IsEmpty());
}

TEST_F(AJournal, TakesAtItsEndWhatAHolderLeavesThatNobodyDrains) {
  {
    Journal journal = open();
    add(journal, "first");
  }
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const std::string bytes = record("left") + record("behind");
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_FALSE(is_empty(ends[0]));
  EXPECT_TRUE(append_to_journal(ends[0], path_));
  EXPECT_TRUE(is_empty(ends[0]));
  Journal next = open();
  EXPECT_THAT(read(next), ElementsAre("first", "left", "behind"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(AJournal, IsNotAppendedToWhileAnotherProcessHasIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const std::string bytes = record("waits");
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  Journal journal = open();
  const pid_t holder = ::fork();
  if (holder == 0) ::_exit(append_to_journal(ends[0], path_) ? 1 : 0);
  int status = -1;
  ASSERT_EQ(::waitpid(holder, &status, 0), holder);
  EXPECT_EQ(status, 0) << "it was appended";
  journal.take_from(ends[0]);
  EXPECT_THAT(read(journal), ElementsAre("waits"));
  std::filesystem::remove(path_);
  EXPECT_TRUE(append_to_journal(ends[0], path_)) << "nobody wants it";
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace ambit::pipeline
