// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/style.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "userspace/base/descriptor.h"

namespace {

using namespace ambit::cli;

class StyleOfATerminal : public testing::Test {
 protected:
  void SetUp() override {
    terminal_ = ambit::Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal_.valid()) GTEST_SKIP() << "no pseudo-terminal can be had";
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "xterm", 1);
  }
  [[nodiscard]] bool colour() const { return Style::of(terminal_.get()).colour(); }

 private:
  ambit::Descriptor terminal_;
};

TEST_F(StyleOfATerminal, IsColour) { EXPECT_TRUE(colour()); }

TEST_F(StyleOfATerminal, IsPlainWhereNoColorIsSet) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(colour());
}

TEST_F(StyleOfATerminal, IsColourWhereNoColorIsEmpty) {
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(colour());
}

TEST_F(StyleOfATerminal, IsPlainWhereTheTerminalIsDumb) {
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(colour());
}

TEST(Style, IsPlainForAnythingElse) {
  const ambit::Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(Style::of(null.get()).colour());
  EXPECT_EQ(Style::of(null.get()).paint("x", Tone::bad), "x");
}

TEST(Style, EndsEachColourAndLeavesPlainTextAlone) {
  EXPECT_EQ(Style(true).paint("x", Tone::good), "\x1b[32mx\x1b[0m");
  EXPECT_EQ(Style(true).paint("x", Tone::plain), "x");
}

}  // namespace
