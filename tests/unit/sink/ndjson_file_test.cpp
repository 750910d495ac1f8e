// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/ndjson_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace {

using ambit::sink::NdjsonFile;
namespace fs = std::filesystem;

class NdjsonFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "ambit-ndjson-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ / "events.ndjson";
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string content() const {
    std::ifstream in(path_);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  auto open() { return NdjsonFile::open(path_.string(), clock_); }
  std::string refusal() {
    const auto file = open();
    return file ? "opened" : file.error().message;
  }

  ambit::SystemClock clock_;
  fs::path directory_;
  fs::path path_;
};

TEST_F(NdjsonFileTest, SaysThatWhatWasWrittenIsLostWhenTheFileWasRemoved) {
  auto file = open();
  ASSERT_TRUE(file) << file.error().message;
  file->append("{}");
  ASSERT_TRUE(file->flush());
  fs::remove(path_);
  const auto closed = file->close();
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().message.find("was removed or replaced"), std::string::npos);
}

TEST_F(NdjsonFileTest, SaysWhenWhatWasWrittenIsNotWhatStandsThereInTheEnd) {
  using Change = void (*)(const fs::path&);
  const std::vector<std::pair<std::string, Change>> changes{
      {"was moved away", [](const fs::path& path) { fs::rename(path, path.string() + ".1"); }},
      {"another file stands there",
       [](const fs::path& path) {
         fs::rename(path, path.string() + ".1");
         std::ofstream(path) << "{\"forged\":1}\n";
       }},
      {"was removed or replaced",
       [](const fs::path& path) {
         std::ofstream(path.string() + ".new") << "{}\n";
         fs::rename(path.string() + ".new", path);
       }},
      {"was cut short", [](const fs::path& path) { fs::resize_file(path, 1); }},
  };
  for (const auto& [said, change] : changes) {
    fs::remove(path_);
    auto file = open();
    ASSERT_TRUE(file) << file.error().message;
    file->append("{}");
    ASSERT_TRUE(file->flush());
    change(path_);
    const auto closed = file->close();
    ASSERT_FALSE(closed) << said;
    EXPECT_NE(closed.error().message.find(said), std::string::npos) << closed.error().message;
  }
}

TEST_F(NdjsonFileTest, EndsALineThatAnotherRunLeftHalfWritten) {
  std::ofstream(path_) << "{}\n{\"half";
  auto file = open();
  ASSERT_TRUE(file) << file.error().message;
  file->append("{\"a\":1}");
  ASSERT_TRUE(file->close());
  EXPECT_EQ(content(), "{}\n{\"half\n{\"a\":1}\n");
}

TEST_F(NdjsonFileTest, WritesLinesThatOnlyTheOwnerMayRead) {
  const mode_t before = ::umask(0);
  auto file = open();
  ::umask(before);
  ASSERT_TRUE(file) << file.error().message;
  file->append("{\"a\":1}");
  file->append("{\"a\":2}");
  ASSERT_TRUE(file->close());
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":2}\n");
  struct stat facts{};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
}

TEST_F(NdjsonFileTest, AppendsToAFileOfItsOwnAndClosesItToOthers) {
  std::ofstream(path_) << "{}\n";
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  auto file = open();
  ASSERT_TRUE(file);
  file->append("{\"a\":1}");
  ASSERT_TRUE(file->close());
  EXPECT_EQ(content(), "{}\n{\"a\":1}\n");
  struct stat facts{};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
}

TEST_F(NdjsonFileTest, RefusesWhatCouldLeadElsewhere) {
  fs::create_symlink("/dev/null", path_);
  EXPECT_NE(refusal().find("symbolic link"), std::string::npos) << refusal();
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_NE(refusal().find("directory"), std::string::npos) << refusal();
  fs::remove(path_);
  std::ofstream(directory_ / "other") << "x";
  fs::create_hard_link(directory_ / "other", path_);
  EXPECT_NE(refusal().find("hard links"), std::string::npos) << refusal();
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_NE(refusal().find("nobody reads"), std::string::npos) << refusal();
}

TEST_F(NdjsonFileTest, RefusesAFileOfAnotherUser) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to give a file away";
  }
  std::ofstream(path_) << "x";
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_NE(refusal().find("belongs to user 65534"), std::string::npos) << refusal();
  EXPECT_EQ(content(), "x");
}

TEST_F(NdjsonFileTest, SaysWhyAPlaceCannotBeWritten) {
  const auto file = NdjsonFile::open((directory_ / "no" / "such").string(), clock_);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("No such file"), std::string::npos);
}

TEST_F(NdjsonFileTest, TellsAtTheEndHowManyEventsAFullDiskTook) {
  auto file = NdjsonFile::open("/dev/full", clock_);
  ASSERT_TRUE(file) << file.error().message;
  file->append("{}");
  file->append("{}");
  EXPECT_FALSE(file->flush());
  const auto closed = file->close();
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().message.find("2 events are missing"), std::string::npos);
  EXPECT_NE(closed.error().message.find("No space left"), std::string::npos);
}

/// Lets files grow to `bytes` only, as a full disk would, in the middle of a line.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  sighandler_t before_ = nullptr;
};

TEST_F(NdjsonFileTest, LeavesNoHalfLineWhenWritingWorksAgain) {
  auto file = open();
  ASSERT_TRUE(file);
  {
    const FileSizeLimit limit(10);
    file->append("{\"a\":1}");
    file->append("{\"a\":2}");
    EXPECT_FALSE(file->flush());
    EXPECT_EQ(content(), "{\"a\":1}\n{\"");
  }
  file->append("{\"a\":3}");
  EXPECT_FALSE(file->take_loss()) << "what waited was written: nothing is lost";
  ASSERT_TRUE(file->close());
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

TEST_F(NdjsonFileTest, CountsWhatDoesNotFitTheBacklogAndReportsItOnceWhenWritingWorksAgain) {
  auto file = open();
  ASSERT_TRUE(file);
  const std::string line(1023, 'x');
  {
    const FileSizeLimit limit(0);
    for (int i = 0; i < 1024 + 7; ++i) {
      file->append(line);
    }
    EXPECT_FALSE(file->take_loss()) << "nothing can be reported while nothing can be written";
  }
  const auto lost = file->take_loss();
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->count, 7U);
  EXPECT_GT(lost->since_ns, 0);
  EXPECT_FALSE(file->take_loss());
  ASSERT_TRUE(file->close());
  EXPECT_EQ(content().size(), NdjsonFile::kBacklogBytes);
}

TEST_F(NdjsonFileTest, SurvivesAReaderThatGoesAwayAndServesTheNext) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  auto file = open();
  ASSERT_TRUE(file) << file.error().message;
  ::close(reader);
  file->append("{\"a\":1}");
  EXPECT_FALSE(file->flush()) << "EPIPE, and no signal ended this test";
  reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE(file->flush());
  char buffer[64]{};
  EXPECT_EQ(::read(reader, buffer, sizeof buffer), 8);
  EXPECT_STREQ(buffer, "{\"a\":1}\n");
  ::close(reader);
}

TEST_F(NdjsonFileTest, WritesEachLineOnceThroughShortAndInterruptedWrites) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  auto file = open();
  ASSERT_TRUE(file);
  ::fcntl(reader, F_SETFL, 0);
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
  std::string got;
  std::thread slow([&] {
    char buffer[5000];
    for (ssize_t size = 1; size > 0;) {
      ::usleep(200);
      size = ::read(reader, buffer, sizeof buffer);
      got.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    }
  });
  pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  struct sigaction before{};
  ::sigaction(SIGALRM, &nothing, &before);
  const itimerval often{.it_interval = {0, 500}, .it_value = {0, 500}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string line = "{\"number\":" + std::to_string(i) + "}";
    file->append(line);
    expected += line + "\n";
  }
  const auto closed = file->close();
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  slow.join();
  ::sigaction(SIGALRM, &before, nullptr);
  ::close(reader);
  EXPECT_TRUE(closed) << closed.error().message;
  EXPECT_TRUE(got == expected);
}

TEST_F(NdjsonFileTest, WritesToStandardOutputForADash) {
  testing::internal::CaptureStdout();
  auto file = NdjsonFile::open("-", clock_);
  ASSERT_TRUE(file);
  file->append("{}");
  EXPECT_TRUE(file->close());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{}\n");
}

}  // namespace
