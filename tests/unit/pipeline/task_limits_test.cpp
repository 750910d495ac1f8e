// SPDX-License-Identifier: Apache-2.0
// Whoever declares a task hears what does not hold for it, and nothing else.
#include "userspace/pipeline/task_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::pipeline {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TaskLimits : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> of(model::Backend backend) const {
    return limits_of({.backend = backend,
                      .scope = scope_,
                      .catalogue = catalogue_,
                      .environment = environment_,
                      .pattern_alone = pattern_alone_});
  }

  model::Scope scope_;
  model::Catalogue catalogue_;
  policy::Environment environment_;
  bool pattern_alone_ = false;
};

TEST_F(TaskLimits, AreFewWhereTheKernelDecides) {
  EXPECT_THAT(of(model::Backend::lsm), ElementsAre(HasSubstr("has read before the task")));
  EXPECT_EQ(of(model::Backend::lsm), of(model::Backend::fmod_ret));
}

TEST_F(TaskLimits, OfPortableDependOnWhatTheScopeBinds) {
  EXPECT_THAT(of(model::Backend::portable), Not(Contains(StartsWith("programs: "))));
  EXPECT_THAT(of(model::Backend::portable), Not(Contains(HasSubstr("other families"))));
  EXPECT_THAT(of(model::Backend::portable), Not(Contains(HasSubstr("**/.env"))));
  scope_.exec.emplace();
  scope_.network.emplace();
  pattern_alone_ = true;
  EXPECT_THAT(of(model::Backend::portable), Contains(StartsWith("programs: ")));
  EXPECT_THAT(of(model::Backend::portable), Contains(HasSubstr("other families")));
  EXPECT_THAT(of(model::Backend::portable), Contains(HasSubstr("**/.env")));
}

TEST_F(TaskLimits, NameVariablesThatMoveCredentialsButNotWhereTo) {
  model::Credential credential;
  credential.name = "gh";
  credential.relocated_by = {{"GH_CONFIG_DIR", "~/.config/gh"}};
  catalogue_.credentials.push_back(credential);
  environment_ = {"GH_CONFIG_DIR="};
  EXPECT_THAT(of(model::Backend::lsm), Not(Contains(HasSubstr("GH_CONFIG_DIR"))));
  environment_ = {"GH_CONFIG_DIR=/somewhere"};
  EXPECT_THAT(of(model::Backend::lsm), Contains(HasSubstr("GH_CONFIG_DIR")));
  EXPECT_THAT(of(model::Backend::lsm), Not(Contains(HasSubstr("/somewhere"))));
}

TEST_F(TaskLimits, SayThatVariablesAreNotStripped) {
  scope_.strip_environment = true;
  EXPECT_THAT(of(model::Backend::lsm), Contains(StartsWith("environment: ")));
}

}  // namespace
}  // namespace ambit::pipeline
