// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/proc_field.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ambit {

namespace {

class ProcField : public ::testing::Test {
 protected:
  ProcField() {
    std::ofstream(path_) << "Name:\tnot 7\nUid:\t1000\t0\t0\t0\nCapEff:\t000001ffffffffff\n"
                            "Empty:\t\nHuge:\t18446744073709551616\nino: 42\n";
  }
  ~ProcField() override { std::filesystem::remove(path_); }
  std::string path_ = ::testing::TempDir() + "/proc_field." + std::to_string(::getpid());
};

TEST_F(ProcField, IsWhatStandsBehindTheWordWithoutBlanks) {
  EXPECT_EQ(proc_field(path_, "Name:"), "not 7");
  EXPECT_EQ(proc_field(path_, "Empty:"), "");
}

TEST_F(ProcField, ThatIsNotThereOrInNoFileIsNone) {
  EXPECT_EQ(proc_field(path_, "Gid:"), std::nullopt);
  EXPECT_EQ(proc_field(path_ + ".gone", "Name:"), std::nullopt);
  EXPECT_EQ(proc_number(path_, "Gid:"), std::nullopt);
}

TEST_F(ProcField, AsANumberIsTheFirstOfItsNumbers) {
  EXPECT_EQ(proc_number(path_, "Uid:"), 1000U);
  EXPECT_EQ(proc_number(path_, "ino:"), 42U);
  EXPECT_EQ(proc_number(path_, "CapEff:", 16), 0x1ffffffffffU);
}

TEST_F(ProcField, ThatIsNoNumberOrTooLargeIsNoNumber) {
  EXPECT_EQ(proc_number(path_, "Name:"), std::nullopt);
  EXPECT_EQ(proc_number(path_, "Empty:"), std::nullopt);
  EXPECT_EQ(proc_number(path_, "Huge:"), std::nullopt);
}

}  // namespace

}  // namespace ambit
