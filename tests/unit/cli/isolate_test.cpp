// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/isolate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace {

using namespace ambit::cli;
using namespace std::chrono_literals;
using Answers = std::vector<std::string>;

std::string fine() { return ""; }
std::string wrong() { return "wrong"; }
std::string hang() {
  for (;;) asm volatile("");
}
std::string crash() { std::_Exit(9); }
std::string raise() { throw std::runtime_error("raised"); }
std::string eat() {
  // Not touched: the limit is on what is asked for.
  const std::vector<char> huge(std::size_t{1} << 31);
  return "had it: " + std::to_string(huge.size());
}

TEST(Isolation, GivesEachJobItsAnswerInOrder) {
  EXPECT_EQ(run_isolated({fine, wrong, fine}, {}), (Answers{"", "wrong", ""}));
  EXPECT_EQ(run_isolated({}, {}), Answers{});
}

TEST(Isolation, EndsAJobThatHangsAndDoesTheOthers) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run_isolated({fine, hang, wrong}, {.time = 200ms}),
            (Answers{"", "takes longer than 200 ms", "wrong"}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(Isolation, SurvivesAJobThatEndsItsProcess) {
  EXPECT_EQ(run_isolated({crash, wrong}, {}), (Answers{"ends the program that does it", "wrong"}));
}

TEST(Isolation, TurnsExceptionsIntoAnswers) {
  EXPECT_EQ(run_isolated({raise, fine}, {}), (Answers{"raised", ""}));
}

TEST(Isolation, BoundsMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer ends a program whose allocation fails";
#endif
  EXPECT_EQ(run_isolated({eat, fine}, {.memory = std::size_t{256} << 20}),
            (Answers{"needs more memory than it may have", ""}));
}

TEST(Isolation, CutsAnAnswerThatIsTooLong) {
  const Answers answers = run_isolated({[] { return std::string(1'000'000, 'x'); }, wrong}, {});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_LT(answers[0].size(), 20'000U);
  EXPECT_EQ(answers[1], "wrong");
}

}  // namespace
