// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/process_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "userspace/base/clock.h"

namespace {

using ambit::attribution::ProcFilesystem;
namespace fs = std::filesystem;

TEST(ProcFilesystem, TellsWhatThisProcessIs) {
  ProcFilesystem proc;
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const auto stat = proc.stat(pid);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ppid, static_cast<std::uint32_t>(::getppid()));
  EXPECT_EQ(stat->comm, "unit_attributio") << "15 bytes are what the kernel keeps";
  EXPECT_LE(stat->start_boot_ns, ambit::SystemClock().boot_ns());
  EXPECT_GT(stat->start_boot_ns, 0U);
  EXPECT_EQ(proc.exe(pid), fs::read_symlink("/proc/self/exe").string());
  EXPECT_EQ(proc.cwd(pid), fs::current_path().string());
  EXPECT_TRUE(proc.cgroup(pid));
  const auto argv = proc.argv(pid);
  ASSERT_TRUE(argv);
  EXPECT_NE(argv->at(0).find("unit_attribution"), std::string::npos);
}

TEST(ProcFilesystem, HasNothingOfAProcessThatDoesNotExist) {
  ProcFilesystem proc;
  EXPECT_FALSE(proc.stat(0));
  EXPECT_FALSE(proc.exe(4194305));
  EXPECT_FALSE(proc.argv(4194305));
  EXPECT_FALSE(proc.cwd(4194305));
  EXPECT_FALSE(proc.cgroup(4194305));
}

class FalseProc : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "ambit-proc-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
    fs::create_directory(root / "7");
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const char* file, const std::string& content) const {
    std::ofstream(root / "7" / file) << content;
  }
  fs::path root;
};

TEST_F(FalseProc, ReadsPastANameThatLooksLikeTheRestOfTheLine) {
  write("stat", "7 (x) S 1 (y) z) R 42 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10\n");
  const auto stat = ProcFilesystem(root).stat(7);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ppid, 42U);
  EXPECT_EQ(stat->start_boot_ns, 1'234'560'000'000U);
  EXPECT_EQ(stat->comm, "x) S 1 (y) z");
}

TEST_F(FalseProc, RefusesALineThatIsCutShort) {
  for (const char* line : {"", "7", "7 (x", "7 (x)", "7 (x) S 1", ")(", "7 (x) S a b c"}) {
    write("stat", line);
    EXPECT_FALSE(ProcFilesystem(root).stat(7)) << line;
  }
}

TEST_F(FalseProc, KeepsEmptyArguments) {
  write("cmdline", std::string("a\0\0b\0", 5));
  EXPECT_EQ(ProcFilesystem(root).argv(7), (std::vector<std::string>{"a", "", "b"}));
}

TEST_F(FalseProc, ReadsOnlyTheBeginningOfAnEndlessCommandLine) {
  write("cmdline", std::string(3'000'000, 'a'));
  const auto argv = ProcFilesystem(root).argv(7);
  ASSERT_TRUE(argv);
  EXPECT_EQ(argv->at(0).size(), 65536U);
  EXPECT_EQ(argv->back(), "…") << "nothing is lost silently";
}

}  // namespace
