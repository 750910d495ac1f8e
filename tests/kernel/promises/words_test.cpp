// SPDX-License-Identifier: Apache-2.0
// It keeps no secrets, and bytes from outside may be anything (promise 10, EVASION E8 and M7).
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class EventsAndTerminal : public testing::Test {
 protected:
  void expect_well_formed(const TaskRun& run) {
    EXPECT_EQ(run.events.malformed.size(), 0U)
        << (run.events.malformed.empty() ? "" : run.events.malformed.front());
    std::uint64_t expected = 1;
    for (const Json& event : run.events.all) EXPECT_EQ(at(event, "/seq"), expected++);
    EXPECT_EQ(run.events.of_kind("stop").size(), 1U);
  }

  Scratch scratch_;
};

TEST_F(EventsAndTerminal, NeverHaveAFilesContentAnEnvironmentsValueOrAToken) {
  const std::string secret = scratch_.secret("home/secret");
  const std::string token = scratch_.fresh(std::string(kSecretWord) + "token");
  const std::string in_environment = scratch_.fresh(std::string(kSecretWord) + "value");
  const Words tokens{"--token=" + token,
                     "--password",
                     token,
                     "-H",
                     "Authorization: Bearer " + token,
                     "https://user:" + token + "@example.com/",
                     "API_KEY=" + token};
  Words command{"/bin/sh", "-c", "cat \"$0\"; /usr/bin/env true \"$@\"", secret};
  command.insert(command.end(), tokens.begin(), tokens.end());
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.credentials = {"{name: aws}"}},
                           .catalogue = {{.name = "aws", .files = {secret}},
                                         {.name = "token", .variables = {"A_TOKEN"}}},
                           .command = command,
                           .environment = {{"A_TOKEN", in_environment}}});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_EQ(run.ended.out, content_of(secret));
  ASSERT_FALSE(run.events.of_kind("exec").empty());
  EXPECT_THAT(run.events.raw, Not(HasSubstr(std::string(kSecretWord))));
  EXPECT_THAT(run.ended.err, Not(HasSubstr(std::string(kSecretWord))));
  expect_well_formed(run);
}

TEST_F(EventsAndTerminal, AreWellFormedWhateverAFileIsCalled) {
  const std::vector<std::string> names{"line\nbreak",
                                       "quote\"and\\backslash",
                                       "\xff\xfe\x80",
                                       "tab\tbell\a",
                                       "\x1b[31mred\x1b[0m",
                                       "\xe2\x80\xae"
                                       "backwards",
                                       "\xc0\xaf",
                                       "}{\"finding\":false}\n{\"v\":1}"};
  for (const std::string& name : names) scratch_.secret("home/" + name);
  const TaskRun run = run_ambit(
      scratch_, {.catalogue = {{.name = "aws", .files = {scratch_.path("home/**")}}},
                 .command = {"/bin/sh", "-c", "cd \"$0\" && for f in *; do cat \"./$f\"; done",
                             scratch_.path("home")}});
  EXPECT_EQ(run.ended.out, "");
  expect_well_formed(run);
  EXPECT_EQ(run.events.findings().size(), names.size()) << summary(run.events.findings());
  for (const std::string& name : names) {
    EXPECT_TRUE(is_only(run.events.findings_about(identity_of(scratch_.path("home/" + name))),
                        {"credential_not_in_scope", "deny", "denied"}))
        << name;
  }
  EXPECT_THAT(run.ended.err, Not(HasSubstr("\x1b[31m"))) << "a file name wrote to the terminal";
  EXPECT_THAT(run.ended.err, Not(HasSubstr("\xff")));
}

TEST_F(EventsAndTerminal, AreWellFormedWhateverAProgramIsToldAndCallsItself) {
  const std::string secret = scratch_.secret("home/secret");
  Words command =
      act({"named", "a\"\n\xff\x1b]0;x", "by-exec", "named", "\xff\xff", "open", secret});
  command.insert(command.end(), {"line\nbreak", "\"},{\"", "\xff\xfe", "\x1b[2J", ""});
  const TaskRun run =
      run_ambit(scratch_, {.catalogue = {{.name = "aws", .files = {secret}}}, .command = command});
  EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
  expect_well_formed(run);
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
  EXPECT_THAT(run.ended.err, Not(HasSubstr("\x1b[2J")));
}

TEST_F(EventsAndTerminal, AreWellFormedForACommandLineOfAMegabyte) {
  const std::string secret = scratch_.secret("home/secret");
  Words command = act({"open", secret});
  for (int i = 0; i < 10; ++i) command.emplace_back(100'000, i % 2 == 0 ? '"' : '\xff');
  const TaskRun run =
      run_ambit(scratch_, {.catalogue = {{.name = "aws", .files = {secret}}}, .command = command});
  EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
  expect_well_formed(run);
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
  EXPECT_LT(run.events.raw.size(), 1'000'000U);
}

TEST_F(EventsAndTerminal, AreWellFormedWhateverASocketIsCalled) {
  const std::string name = "@\xff\n\"\x1b" + scratch_.fresh("socket");
  const Collector collector = Collector::unix_stream(name);
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.network = Lines{}}, .command = act({"unix", name, "text"})});
  expect_well_formed(run);
  EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
  if (on_portable()) GTEST_SKIP() << "there Landlock refuses abstract names, and reports nothing";
  EXPECT_TRUE(
      is_only(run.events.findings(), {"destination_not_in_scope", "deny", "denied", "connect"}));
}

}  // namespace
}  // namespace ambit::probe
