// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

model::Credential credential(const std::string& name, std::vector<std::string> variables) {
  model::Credential result;
  result.name = name;
  result.variables = std::move(variables);
  return result;
}

model::Catalogue catalogue() {
  model::Catalogue result;
  result.credentials = {credential("aws", {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}),
                        credential("github-cli", {"GH_TOKEN", "GITHUB_TOKEN"}),
                        credential("github-actions", {"GITHUB_TOKEN"})};
  return result;
}

model::Scope scope(const std::vector<std::string>& names) {
  model::Scope result;
  for (const std::string& name : names) {
    result.credentials.emplace_back().name = name;
  }
  return result;
}

const Environment kEnvironment{"PATH=/bin", "AWS_SESSION_TOKEN=s3cret", "GH_TOKEN=gh0",
                               "AWS_SECRET_ACCESS_KEY=a=b", "AWS_SECRET=x"};

TEST(EnvironmentSecrets, EachCredentialOutsideIsFoundOnceWithItsVariables) {
  EXPECT_THAT(
      find_environment_secrets(kEnvironment, catalogue(), scope({"github-cli"})),
      ElementsAre(EnvironmentSecret{.credential = "aws",
                                    .variables = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}}));
}

TEST(EnvironmentSecrets, NothingIsFoundWhereEveryCredentialIsInside) {
  EXPECT_THAT(find_environment_secrets(kEnvironment, catalogue(), scope({"aws", "github-cli"})),
              IsEmpty());
}

TEST(EnvironmentSecrets, AVariableOfTwoCredentialsIsInsideOnlyIfBothAre) {
  const Environment environment{"GITHUB_TOKEN=x"};
  EXPECT_THAT(find_environment_secrets(environment, catalogue(), scope({"github-cli"})),
              ElementsAre(EnvironmentSecret{.credential = "github-actions",
                                            .variables = {"GITHUB_TOKEN"}}));
  EXPECT_THAT(
      find_environment_secrets(environment, catalogue(), scope({"github-cli", "github-actions"})),
      IsEmpty());
}

TEST(EnvironmentSecrets, AnEmptyValueIsNoSecretAndARepeatWithOneIs) {
  EXPECT_THAT(find_environment_secrets({"GH_TOKEN=", "AWS_SESSION_TOKEN"}, catalogue(), scope({})),
              IsEmpty());
  EXPECT_EQ(find_environment_secrets({"GH_TOKEN=", "GH_TOKEN=x"}, catalogue(), scope({})).size(),
            1U);
}

TEST(StripEnvironment, TakesOutExactlyTheVariablesOfCredentialsOutside) {
  EXPECT_THAT(strip_environment(kEnvironment, catalogue(), scope({"github-cli"})),
              ElementsAre("PATH=/bin", "GH_TOKEN=gh0", "AWS_SECRET=x"));
  EXPECT_EQ(strip_environment(kEnvironment, catalogue(), scope({"aws", "github-cli"})),
            kEnvironment);
}

TEST(StripEnvironment, TakesOutEveryRepeatAndKeepsOddEntries) {
  EXPECT_THAT(
      strip_environment({"GH_TOKEN=1", "=odd", "", "GH_TOKEN=2", "X"}, catalogue(), scope({})),
      ElementsAre("=odd", "", "X"));
}

TEST(VariableOf, IsWhatGetenvGives) {
  EXPECT_EQ(variable_of({"AB=no", "A=1", "A=2"}, "A"), "1");
  EXPECT_EQ(variable_of({"A="}, "A"), "");
  EXPECT_FALSE(variable_of({"A", "AB=1"}, "A").has_value());
}

std::vector<std::string> texts(const std::vector<model::Pattern>& patterns) {
  std::vector<std::string> result;
  result.reserve(patterns.size());
  for (const model::Pattern& pattern : patterns) {
    result.push_back((pattern.exclude ? "!" : "") + pattern.text);
  }
  return result;
}

std::vector<model::Pattern> patterns(const std::vector<std::string>& written) {
  std::vector<model::Pattern> result;
  for (const std::string& text : written) {
    model::Pattern pattern;
    pattern.exclude = text.starts_with('!');
    pattern.text = text.substr(pattern.exclude ? 1 : 0);
    result.push_back(pattern);
  }
  return result;
}

std::vector<std::string> moved_files(const model::Credential& moving,
                                     const Environment& environment,
                                     const std::string& cwd = "/work") {
  const auto result = relocate(moving, environment, cwd);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? texts(result->files) : std::vector<std::string>{};
}

model::Credential kube() {
  model::Credential result;
  result.files = patterns({"~/.kube/config"});
  result.relocated_by = {{"KUBECONFIG", "~/.kube/config"}};
  return result;
}

TEST(Relocate, AFileMovesToTheVariablesPath) {
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=/etc/k8s/admin.conf"}),
              ElementsAre("/etc/k8s/admin.conf"));
}

TEST(Relocate, AVariableThatIsNotSetOrEmptyMovesNothing) {
  EXPECT_THAT(moved_files(kube(), {"HOME=/root"}), IsEmpty());
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG="}), IsEmpty());
}

TEST(Relocate, ADirectoryMovesWhatLiesBelowItAndNothingBesideIt) {
  model::Credential codex;
  codex.files = patterns(
      {"~/.codex/auth.json", "~/.codex/cache/**", "!~/.codex/cache/log", "~/.codexx/auth.json"});
  codex.relocated_by = {{"CODEX_HOME", "~/.codex"}};
  EXPECT_THAT(moved_files(codex, {"CODEX_HOME=/srv/codex/"}),
              ElementsAre("/srv/codex/auth.json", "/srv/codex/cache/**", "!/srv/codex/cache/log"));
}

TEST(Relocate, RelativePathsBeginAtTheWorkingDirectory) {
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=.//conf/../k.conf"}, "/work/a"),
              ElementsAre("/work/a/k.conf"));
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=../../../../k.conf"}, "/work/a"),
              ElementsAre("/k.conf"));
}

TEST(Relocate, KubeconfigIsAListAndNoOtherVariableIs) {
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=/a/one::two:/a/three"}),
              ElementsAre("/a/one", "/work/two", "/a/three"));
  model::Credential aws;
  aws.files = patterns({"~/.aws/credentials"});
  aws.relocated_by = {{"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"}};
  EXPECT_THAT(moved_files(aws, {"AWS_SHARED_CREDENTIALS_FILE=/a:b"}), ElementsAre("/a:b"));
}

TEST(Relocate, ATildeMeansTheHomeAndTheLiteralPath) {
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=~/k.conf"}),
              ElementsAre("~/k.conf", "/work/~/k.conf"));
}

TEST(Relocate, SocketsMoveTooAndAddressesThatAreNoPathsDoNot) {
  model::Credential spire;
  spire.sockets = patterns({"/run/spire/sockets/agent.sock"});
  spire.relocated_by = {{"SPIFFE_ENDPOINT_SOCKET", "/run/spire/sockets/agent.sock"}};
  const auto by = [&](const std::string& value) {
    return texts(relocate(spire, {"SPIFFE_ENDPOINT_SOCKET=" + value}, "/").value().sockets);
  };
  EXPECT_THAT(by("unix:///tmp/api.sock"), ElementsAre("/tmp/api.sock"));
  EXPECT_THAT(by("/tmp/api.sock"), ElementsAre("/tmp/api.sock"));
  EXPECT_THAT(by("tcp://127.0.0.1:8000"), IsEmpty());
}

TEST(Relocate, AStarInAValueIsAnErrorThatNamesTheVariableAndNotTheValue) {
  const auto result = relocate(kube(), {"KUBECONFIG=/home/secret/**"}, "/");
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr("KUBECONFIG"));
  EXPECT_THAT(result.error().message, testing::Not(testing::HasSubstr("secret")));
}

TEST(Relocate, TheRootDirectoryNeverBecomesACredential) {
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=/"}), IsEmpty());
  EXPECT_THAT(moved_files(kube(), {"KUBECONFIG=..:/work"}), ElementsAre("/work"));
}

}  // namespace
}  // namespace ambit::policy
