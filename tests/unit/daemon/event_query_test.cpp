// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ambit::daemon {
namespace {

using testing::HasSubstr;

Result<EventQuery> parse(const std::string& text) {
  const auto query = parse_query(text, kEventKeys);
  if (!query) return std::unexpected(query.error());
  return read_event_query(*query);
}

EventQuery good(const std::string& query) {
  const auto parsed = parse(query);
  EXPECT_TRUE(parsed) << query << ": " << parsed.error().message;
  return parsed.value_or(EventQuery{});
}

TEST(EventQuery, SaysWhereToBeginAndWhetherToFollow) {
  EXPECT_FALSE(good("").from);
  EXPECT_FALSE(good("").follow);
  EXPECT_EQ(good("from=17&run=01J0&follow=true").from, 17U);
  EXPECT_EQ(good("from=17&run=01J0&follow=true").run, "01J0");
  EXPECT_TRUE(good("from=17&follow=true").follow);
  EXPECT_FALSE(good("follow=false").follow);
  EXPECT_TRUE(good("from=next").from_next);
}

TEST(EventQuery, TakesEventsByTaskAgentKindSeverityAndFinding) {
  const KeptEvent event{.kind = model::Kind::connect,
                        .severity = model::Severity::medium,
                        .finding = true,
                        .task_id = "01J0",
                        .task_name = "triage 1",
                        .agent = "spiffe://a/b",
                        .line = "{}\n"};
  for (const char* const taking :
       {"", "task=01J0", "task=triage%201", "agent=spiffe://a/b", "agent=spiffe%3A%2F%2fa%2Fb",
        "kind=connect", "kind=exec,connect", "severity=info", "severity=medium", "finding=true",
        "task=01J0&kind=connect&severity=low&finding=true"})
    EXPECT_TRUE(good(taking).filter.takes(event)) << taking;
  for (const char* const leaving : {"task=01J", "task=triage", "agent=spiffe://a", "kind=exec",
                                    "severity=high", "finding=false", "task=01J0&kind=exec"})
    EXPECT_FALSE(good(leaving).filter.takes(event)) << leaving;
}

TEST(EventQuery, RefusesWhateverElseAndSaysWhy) {
  for (const auto& [query, message] : std::vector<std::pair<std::string, std::string>>{
           {"form=1", "unknown key \"form\""},
           {"&", "unknown key"},
           {"from=1&&follow=true", "unknown key"},
           {"from", "from has no value"},
           {"from=", "from has no value"},
           {"from=0", "from is the number"},
           {"from=-1", "from is the number"},
           {"from=1x", "from is the number"},
           {"from=99999999999999999999", "from is the number"},
           {"from=1&from=2", "from stands twice"},
           {"follow=yes", "follow is true or false"},
           {"finding=1", "finding is true or false"},
           {"kind=", "kind has no value"},
           {"kind=connect,", "there is no kind \"\""},
           {"kind=conect", "there is no kind \"conect\""},
           {"severity=worst", "severity is"},
           {"task=", "task has no value"},
           {"task=%ff", "task is no text"},
           {"task=a%00", "task is no text"},
           {"task=%4", "hexadecimal"},
           {"task=%zz", "hexadecimal"},
           {"task=a%", "hexadecimal"},
           {"run=01J0", "run says"}}) {
    const auto parsed = parse(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_THAT(parsed.error().message, HasSubstr(message)) << query;
  }
}

TEST(EventQuery, WritesATextSoThatItReadsIt) {
  std::string all = "ä €";
  for (int byte = 1; byte < 128; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(good("task=" + percent_encoded(all)).filter.task, all);
  EXPECT_EQ(good("task=triage+1%2B").filter.task, "triage 1+") << "as forms write it";
}

}  // namespace
}  // namespace ambit::daemon
