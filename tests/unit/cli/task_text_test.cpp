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
      task_text(R"({"id":"01J","name":"triage","owner":null,"processes":[1,2],"limits":["a: b"],
        "used":{"credentials":{"aws":2},"destinations":{"a:1":{}},"programs":3,"findings":1}})");
  EXPECT_THAT(text, HasSubstr("id          01J\n"));
  EXPECT_THAT(text, HasSubstr("owner       -\n"));
  EXPECT_THAT(text, HasSubstr("processes   [1,2]\n"));
  EXPECT_THAT(text, HasSubstr("used        {\"aws\":2}, 1 destinations, 3 programs, 1 findings\n"));
  EXPECT_THAT(text, HasSubstr("does not hold: a: b\n"));
}

TEST(TaskText, ShowsMistakesOfTheScopeInItsFile) {
  EXPECT_EQ(refusal_text(R"({"error":"the scope has mistakes","diagnostics":[{"severity":"error",)"
                         R"("message":"unknown key","line":7,"column":3,"suggestion":"ttl"}]})",
                         "s.yaml"),
            "the scope has mistakes\ns.yaml:7:3: error: unknown key\n  did you mean ttl?\n");
}

TEST(TaskText, ShowsMistakesOfOtherFilesInThoseFiles) {
  EXPECT_EQ(refusal_text(R"({"error":"x","diagnostics":[{"severity":"error","message":"m",)"
                         R"("file":"/etc/a.yaml","line":2,"column":1}]})",
                         ""),
            "x\n/etc/a.yaml:2:1: error: m\n");
}

TEST(TaskText, ShowsWhatIsNotTakenBack) {
  const std::string text =
      task_text(R"({"residualAccess":[{"pid":7,"descriptor":3,"kind":"file","name":"/a",)"
                R"("credential":"aws","why":"because"},{"pid":7,"kind":"mapping","name":"/b",)"
                R"("why":"so"}]})");
  EXPECT_THAT(text,
              HasSubstr("not taken back: process 7, descriptor 3, file /a of aws: because\n"));
  EXPECT_THAT(text, HasSubstr("not taken back: process 7, mapping /b: so\n"));
}

TEST(TaskText, ShowsAReload) {
  EXPECT_EQ(reload_text(R"({"credentials":3,"scopes":2,"tasks":1,"restart":["socket"],)"
                        R"("notes":["a note"]})"),
            "3 credentials, 2 scopes, 1 tasks\nwants a new start: socket\na note\n");
}

TEST(TaskText, TakesAnyAnswer) {
  for (const std::string answer : {"", "no JSON", "[]", "7", R"({"limits":[1,{}],"tasks":{}})",
                                   R"({"tasks":[1,null]})", R"({"diagnostics":[7]})"}) {
    EXPECT_THAT(task_text(answer), HasSubstr("id          -\n")) << answer;
    static_cast<void>(task_list_text(answer));
    static_cast<void>(status_text(answer));
    static_cast<void>(reload_text(answer));
    static_cast<void>(refusal_text(answer, "s.yaml"));
  }
}

TEST(TaskText, WritesNothingToTheTerminalButText) {
  EXPECT_THAT(task_text("{\"name\":\"a\\u001b[2J\"}"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace ambit::cli
