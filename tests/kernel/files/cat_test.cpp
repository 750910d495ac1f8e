// SPDX-License-Identifier: Apache-2.0
// `ambit run --scope s.yaml --events e.ndjson -- cat ~/.aws/credentials`, as README tells it.
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kCat = "/usr/bin/cat";

class CatOfACredential : public testing::Test {
 protected:
  TaskRun cat(const ScopeText& scope) {
    return run_ambit(scratch_, {.scope = scope, .catalogue = {aws_}, .command = {kCat, path_}});
  }

  Scratch scratch_;
  std::string path_ = scratch_.secret("home/.aws/credentials");
  std::string content_ = content_of(path_);
  CredentialText aws_{.name = "aws", .files = {path_}};
};

TEST_F(CatOfACredential, IsKilledBeforeItReadsWhereTheScopeSaysKill) {
  const TaskRun run = cat({.credential_response = "kill"});
  EXPECT_EQ(run.ended.exit, 137) << run.ended.err;
  EXPECT_EQ(run.ended.out, "");
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "kill", "killed"}));
}

TEST_F(CatOfACredential, IsRefusedWhereTheScopeSaysDeny) {
  const TaskRun run = cat({.credential_response = "deny"});
  EXPECT_EQ(run.ended.exit, 1) << run.ended.err;
  EXPECT_EQ(run.ended.out, "");
  EXPECT_THAT(run.ended.err, HasSubstr("Operation not permitted"));
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST_F(CatOfACredential, IsRefusedWhereTheScopeSaysNothing) {
  const TaskRun run =
      run_ambit(scratch_, {.scope = {}, .catalogue = {aws_}, .command = {kCat, path_}});
  EXPECT_EQ(run.ended.out, "");
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST_F(CatOfACredential, IsToldOfAndGoesOnWhereTheScopeSaysAlert) {
  const TaskRun run = cat({.credential_response = "alert"});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_EQ(run.ended.out, content_);
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "alert", "alerted"}));
}

TEST_F(CatOfACredential, GoesOnInShadowWithTheResponseThatEnforcementWouldGive) {
  for (const std::string response : {"deny", "kill"}) {
    const TaskRun run = cat({.shadow = true, .credential_response = response});
    EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
    EXPECT_EQ(run.ended.out, content_);
    ASSERT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", response, "alerted"}));
    EXPECT_EQ(text_at(run.events.findings().front(), "/verdict/mode"), "shadow");
  }
}

TEST_F(CatOfACredential, IsAnEventAndNoFindingWhereTheScopeListsIt) {
  const TaskRun run = cat({.credentials = {"{name: aws}"}, .credential_response = "kill"});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_EQ(run.ended.out, content_);
  EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
  const std::vector<Json> uses = run.events.about(identity_of(path_));
  ASSERT_EQ(uses.size(), 1U) << summary(run.events.all);
  EXPECT_EQ(text_at(uses[0], "/kind"), "file_open");
  EXPECT_EQ(text_at(uses[0], "/verdict/scope"), "inside");
  EXPECT_EQ(text_at(uses[0], "/verdict/effective"), "allowed");
  EXPECT_TRUE(at(uses[0], "/verdict/requested").is_null());
  EXPECT_EQ(text_at(uses[0], "/credential/name"), "aws");
}

TEST_F(CatOfACredential, SaysWhatWasHeldBeforeAndNotWhatIsHeldSince) {
  // On portable two holders are asked, in an order that each run has anew.
  for (int turn = 0; turn < (on_portable() ? 8 : 1); ++turn) {
    const TaskRun run = cat({.credentials = {"{name: aws}"}});
    const std::vector<Json> uses = run.events.about(identity_of(path_));
    ASSERT_EQ(uses.size(), 1U) << summary(run.events.all);
    EXPECT_EQ(at(uses[0], "/credential/held"), Json::array());
  }
}

TEST_F(CatOfACredential, IsAFindingThatExplainsItself) {
  const TaskRun run = cat({.name = "explained"});
  ASSERT_EQ(run.events.findings().size(), 1U);
  const Json finding = run.events.findings().front();
  EXPECT_EQ(text_at(finding, "/verdict/backend"), backend());
  EXPECT_EQ(text_at(finding, "/verdict/rule"), "/spec/credentials");
  EXPECT_EQ(text_at(finding, "/task/name"), "explained");
  EXPECT_EQ(text_at(finding, "/task/agent"), "spiffe://test.example/agent/kernel");
  EXPECT_EQ(text_at(finding, "/credential/name"), "aws");
  EXPECT_EQ(text_at(finding, "/file/path"), path_);
  EXPECT_EQ(identity_of(path_),
            (Identity{text_at(finding, "/file/dev"), at(finding, "/file/ino")}));
  EXPECT_THAT(at(finding, "/file/flags").dump(), HasSubstr("read"));
  EXPECT_THAT(text_at(finding, "/process/exe"), HasSubstr("cat"));
  EXPECT_THAT(at(finding, "/process/argv").dump(), HasSubstr(path_));
  EXPECT_THAT(at(finding, "/references/attack").dump(), HasSubstr("T1552.001"));
}

TEST_F(CatOfACredential, IsToldToThePersonAtTheTerminalWithTheLineThatWouldAllowIt) {
  const TaskRun run = cat({});
  EXPECT_THAT(run.ended.err, HasSubstr(path_));
  EXPECT_THAT(run.ended.err, HasSubstr("aws"));
  EXPECT_THAT(run.ended.err, HasSubstr("spec.credentials"));
  EXPECT_THAT(run.ended.err, Not(HasSubstr(std::string(kSecretWord))));
}

TEST_F(CatOfACredential, IsRecognisedByTildeInTheHomeOfTheCommand) {
  aws_.files = {"~/.aws/credentials"};
  const TaskRun run = run_ambit(scratch_, {.catalogue = {aws_},
                                           .command = {kCat, path_},
                                           .environment = {{"HOME", scratch_.path("home")}}});
  EXPECT_EQ(run.ended.out, "");
  EXPECT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST_F(CatOfACredential, IsRecognisedByTheCatalogueThatIsShipped) {
  const TaskRun run = run_ambit(scratch_, {.scope = {.credential_response = "kill"},
                                           .command = {kCat, path_},
                                           .environment = {{"HOME", scratch_.path("home")}}});
  EXPECT_EQ(run.ended.exit, 137) << run.ended.err;
  EXPECT_EQ(run.ended.out, "");
  ASSERT_TRUE(is_only(run.events.findings(), {"credential_not_in_scope", "kill", "killed"}));
  EXPECT_THAT(text_at(run.events.findings().front(), "/credential/name"), HasSubstr("aws"));
}

TEST_F(CatOfACredential, IsNoneWhereTheFileIsNoCredential) {
  const std::string plain = scratch_.write("home/.aws/config-of-mine", "plain\n");
  const TaskRun run = run_ambit(
      scratch_,
      {.scope = {.credential_response = "kill"}, .catalogue = {aws_}, .command = {kCat, plain}});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_EQ(run.ended.out, "plain\n");
  EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
}

TEST(AnInodeNumber, OfACredentialThatIsGoneIsTheNextFilesAlone) {
  const Scratch scratch;
  const std::string secret = scratch.secret("home/.aws/credentials");
  const std::string other = scratch.path("home/.aws/other");
  const Identity before = identity_of(secret);
  const PlanRun plan =
      run_plan(scratch, {.catalogue = {{.name = "aws", .files = {secret}}}},
               {{.name = "it",
                 .argv = {"exec", "/bin/sh", "-c", "rm \"$0\"; echo plain >\"$1\"; cat \"$1\"",
                          secret, other}}});
  if (identity_of(other) != before) GTEST_SKIP() << "this file system gives no number again";
  EXPECT_EQ(plan.of("it").out, "plain\n") << plan.of("it");
  EXPECT_EQ(plan.run.events.findings_about(before).size(), backend() == "portable" ? 0U : 1U)
      << "the removal is one, where it is seen";
}

}  // namespace
}  // namespace ambit::probe
