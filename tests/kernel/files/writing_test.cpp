// SPDX-License-Identifier: Apache-2.0
// A credential is not only read: writing, truncating and putting one there are uses as well.
#include <gtest/gtest.h>

#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

class ACredentialThatIsWritten : public testing::Test {
 protected:
  PlanRun attempt(const Words& argv) {
    return run_plan(scratch_, {.catalogue = {aws_}}, {{.name = "it", .argv = argv}});
  }
  void expect_refused(const PlanRun& plan, const std::string& path) {
    EXPECT_TRUE(plan.of("it").refused()) << plan.of("it");
    EXPECT_TRUE(is_only(plan.run.events.findings_about(identity_of(path)),
                        {"credential_not_in_scope", "deny", "denied"}));
  }

  Scratch scratch_;
  std::string path_ = scratch_.secret("home/.aws/credentials");
  std::string content_ = content_of(path_);
  CredentialText aws_{.name = "aws", .files = {scratch_.path("home/.aws/**")}};
};

TEST_F(ACredentialThatIsWritten, KeepsItsContent) {
  const PlanRun plan = attempt({"write", path_, "overwritten"});
  expect_refused(plan, path_);
  EXPECT_EQ(content_of(path_), content_);
}

TEST_F(ACredentialThatIsWritten, KeepsItsContentWhenItIsTruncatedByOpen) {
  const PlanRun plan = attempt({"open-truncate", path_});
  expect_refused(plan, path_);
  EXPECT_EQ(content_of(path_), content_);
}

TEST_F(ACredentialThatIsWritten, KeepsItsContentWhenItIsTruncatedByName) {
  const PlanRun plan = attempt({"truncate", path_});
  if (on_portable()) {
    // No hook there stops truncate(2); what matters is that none is said to have done so.
    for (const Json& finding : plan.run.events.findings_about(identity_of(path_)))
      EXPECT_NE(text_at(finding, "/verdict/effective"), "denied") << summary({finding});
    GTEST_SKIP() << "portable cannot deny truncate(2)";
  }
  expect_refused(plan, path_);
  EXPECT_EQ(content_of(path_), content_);
}

TEST_F(ACredentialThatIsWritten, IsNotPutThereByTheTaskItself) {
  const std::string planted = scratch_.path("home/.aws/sso/planted");
  scratch_.directory("home/.aws/sso");
  const PlanRun plan = attempt({"write", planted, "planted"});
  EXPECT_TRUE(plan.of("it").refused()) << plan.of("it");
  EXPECT_EQ(content_of(planted), "");
  ASSERT_EQ(plan.run.events.findings().size(), 1U) << summary(plan.run.events.findings());
  EXPECT_TRUE(
      says(plan.run.events.findings().front(), {"credential_not_in_scope", "deny", "denied"}));
}

TEST_F(ACredentialThatIsWritten, IsAnEventThatSaysSo) {
  const PlanRun plan = attempt({"open-truncate", path_});
  ASSERT_EQ(plan.run.events.findings().size(), 1U);
  const std::string flags = at(plan.run.events.findings().front(), "/file/flags").dump();
  EXPECT_THAT(flags, HasSubstr("write"));
  EXPECT_THAT(flags, testing::Not(HasSubstr("read")));
}

TEST_F(ACredentialThatIsWritten, MayBeWhereTheScopeListsIt) {
  const PlanRun plan =
      run_plan(scratch_, {.scope = {.credentials = {"{name: aws}"}}, .catalogue = {aws_}},
               {{.name = "write", .argv = {"write", path_, "rotated"}},
                {.name = "create", .argv = {"write", scratch_.path("home/.aws/new"), "new"}},
                {.name = "truncate", .argv = {"truncate", scratch_.path("home/.aws/new")}}});
  for (const char* const name : {"write", "create", "truncate"})
    EXPECT_TRUE(plan.of(name).done()) << plan.of(name);
  EXPECT_THAT(content_of(path_), HasSubstr("rotated"));
  EXPECT_EQ(plan.run.events.findings().size(), 0U) << summary(plan.run.events.findings());
}

}  // namespace
}  // namespace ambit::probe
