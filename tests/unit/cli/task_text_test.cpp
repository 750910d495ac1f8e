// SPDX-License-Identifier: Apache-2.0
// The daemon's answers as a person reads them.
#include "userspace/cli/task_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TaskText, ShowsATaskAndWhatDoesNotHold) {
  const std::string text =
      task_text(R"({"id":"01J","name":"triage","owner":null,"processes":[1,2],"limits":["a: b"]})");
  EXPECT_THAT(text, HasSubstr("id          01J\n"));
  EXPECT_THAT(text, HasSubstr("owner       -\n"));
  EXPECT_THAT(text, HasSubstr("processes   [1,2]\n"));
  EXPECT_THAT(text, HasSubstr("does not hold: a: b\n"));
}

TEST(TaskText, ShowsMistakesOfTheScopeInItsFile) {
  EXPECT_EQ(refusal_text(R"({"error":"the scope has mistakes","diagnostics":[{"severity":"error",)"
                         R"("message":"unknown key","line":7,"column":3,"suggestion":"ttl"}]})",
                         "s.yaml"),
            "the scope has mistakes\ns.yaml:7:3: error: unknown key\n  did you mean ttl?\n");
}

TEST(TaskText, TakesAnyAnswer) {
  for (const std::string answer : {"", "no JSON", "[]", "7", R"({"limits":[1,{}],"tasks":{}})",
                                   R"({"tasks":[1,null]})", R"({"diagnostics":[7]})"}) {
    EXPECT_THAT(task_text(answer), HasSubstr("id          -\n")) << answer;
    static_cast<void>(task_list_text(answer));
    static_cast<void>(status_text(answer));
    static_cast<void>(refusal_text(answer, "s.yaml"));
  }
}

TEST(TaskText, WritesNothingToTheTerminalButText) {
  EXPECT_THAT(task_text("{\"name\":\"a\\u001b[2J\"}"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace ambit::cli
