// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/document_probe.h"
#include "userspace/policy/destination_form.h"

namespace ambit::policy {
namespace {

using probe::credential_of;
using probe::credential_with;
using probe::messages_of;
using probe::only_mistake;
using probe::there;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// DESIGN §5, as it stands there.
constexpr std::string_view kWhole = R"(apiVersion: ambit.dev/v1
kind: Credential
metadata: {name: aws-shared-config}
spec:
  provider: aws
  files: ["~/.aws/credentials", "~/.aws/sso/cache/**"]
  relocatedBy: {AWS_SHARED_CREDENTIALS_FILE: "~/.aws/credentials"}
  sockets: []
  endpoints: [{cidr: 169.254.169.254/32, ports: [80]}]
  variables: [AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN]
  destinations: [{host: "*.amazonaws.com", ports: [443]}]
  references: {attack: [T1552.001], nhi: ["NHI2:2025"], atlas: [AML.T0055]}
)";

TEST(CredentialParser, ReadsEveryKeyOfTheDesign) {
  const model::Credential credential = credential_of(kWhole);
  EXPECT_EQ(credential.name, "aws-shared-config");
  EXPECT_EQ(credential.provider, "aws");
  ASSERT_THAT(credential.files, SizeIs(2));
  EXPECT_EQ(credential.files[1].text, "~/.aws/sso/cache/**");
  EXPECT_THAT(credential.relocated_by,
              ElementsAre(std::pair{"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"}));
  EXPECT_THAT(credential.sockets, IsEmpty());
  ASSERT_THAT(credential.endpoints, SizeIs(1));
  EXPECT_EQ(text_of(credential.endpoints[0].range), "169.254.169.254/32");
  EXPECT_THAT(credential.variables, ElementsAre("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"));
  EXPECT_EQ(there(credential.destinations).at(0).host, "*.amazonaws.com");
  EXPECT_THAT(credential.references.attack, ElementsAre("T1552.001"));
  EXPECT_THAT(credential.references.nhi, ElementsAre("NHI2:2025"));
  EXPECT_THAT(credential.references.atlas, ElementsAre("AML.T0055"));
  EXPECT_EQ(credential.at.line, 3U);
}

TEST(CredentialParser, AbsentDestinationsAreUnboundAndEmptyOnesNowhere) {
  EXPECT_FALSE(credential_of(credential_with("  files: [/x]\n")).destinations);
  const model::Credential nowhere =
      credential_of(credential_with("  files: [/x]\n  destinations: []\n"));
  EXPECT_THAT(there(nowhere.destinations), IsEmpty());
}

TEST(CredentialParser, ACredentialIsSomewhere) {
  EXPECT_THAT(only_mistake(credential_with("  provider: x\n")).message, HasSubstr("nowhere"));
  EXPECT_EQ(credential_of(credential_with("  variables: [X]\n")).name, "probe");
}

TEST(CredentialParser, ExclusionsAreKept) {
  const model::Credential credential =
      credential_of(credential_with("  files: [\"~/.ssh/id_*\", \"!~/.ssh/*.pub\"]\n"));
  ASSERT_THAT(credential.files, SizeIs(2));
  EXPECT_TRUE(credential.files[1].exclude);
  EXPECT_EQ(credential.files[1].text, "~/.ssh/*.pub");
}

TEST(CredentialParser, WhatIsMovedIsThere) {
  const std::string files = "  files: [~/.codex/auth.json]\n  relocatedBy: ";
  EXPECT_EQ(credential_of(credential_with(files + "{CODEX_HOME: ~/.codex}\n")).name, "probe");
  const Diagnostic other =
      only_mistake(credential_with(files + "{CODEX_HOME: ~/.codex/auth.jsn}\n"));
  EXPECT_THAT(other.message, HasSubstr("neither one of files and sockets"));
  EXPECT_EQ(other.suggestion, "~/.codex/auth.json");
  EXPECT_THAT(only_mistake(credential_with(files + "{2X: ~/.codex}\n")).message,
              HasSubstr("no name of an environment variable"));
  EXPECT_EQ(
      only_mistake(credential_with("  files: [~/.a/**]\n  relocatedBy: {X: ~/.a/**}\n")).suggestion,
      "~/.a");
}

TEST(CredentialParser, EndpointsAreAddressesAndExactNames) {
  EXPECT_THAT(only_mistake(credential_with("  endpoints: [{unix: /run/x}]\n")).message,
              HasSubstr("sockets"));
  EXPECT_THAT(only_mistake(credential_with("  endpoints: [{host: \"*.x.y\"}]\n")).message,
              HasSubstr("cannot be looked up"));
  EXPECT_EQ(
      credential_of(credential_with("  endpoints: [{host: metadata.google.internal}]\n")).name,
      "probe");
}

TEST(CredentialParser, NotEveryFileOfTheMachineIsASecret) {
  EXPECT_THAT(only_mistake(credential_with("  files: [/**]\n")).message, HasSubstr("every file"));
}

TEST(CredentialParser, ReferencesHaveTheFormsOfTheirLists) {
  const auto references = [](const std::string& text) {
    return messages_of(credential_with("  files: [/x]\n  references: " + text + "\n"));
  };
  EXPECT_THAT(
      references("{attack: [T1552, T1552.001], atlas: [AML.T0055], owaspAgentic: [ASI03, ASI10], "
                 "nhi: [\"NHI10:2025\"], csf: [PR.AA-05]}"),
      IsEmpty());
  EXPECT_THAT(references("{attack: [T155]}"), ElementsAre(HasSubstr("no identifier of attack")));
  EXPECT_THAT(references("{nhi: [NHI-02]}"), ElementsAre(HasSubstr("NHI2:2025")));
  EXPECT_THAT(references("{owaspAgentic: [ASI11]}"), ElementsAre(HasSubstr("no identifier")));
  EXPECT_THAT(references("{csf: [PR.AC-04, DE.CM-07]}"),
              ElementsAre(HasSubstr("present edition"), HasSubstr("present edition")));
  EXPECT_THAT(references("{owasp_agentic: [ASI03]}"), ElementsAre(HasSubstr("unknown key")));
}

TEST(CredentialParser, ReadsSeveralDocumentsAndKeepsThemApart) {
  const std::string one = credential_with("  files: [/x]\n");
  EXPECT_THAT(messages_of(one + "---\n" + one),
              ElementsAre(HasSubstr("stands twice in this file")));
  EXPECT_THAT(parse_documents(one + "---\n" + one, "f.yaml").documents, SizeIs(1));

  const ParsedFile mixed =
      parse_documents(one +
                          "---\napiVersion: ambit.dev/v1\nkind: Credential\nmetadata: {name: "
                          "b}\nspec: {file: [/y]}\n",
                      "f.yaml");
  EXPECT_THAT(mixed.documents, SizeIs(1));
  ASSERT_THAT(mixed.diagnostics, SizeIs(1));
  EXPECT_EQ(mixed.diagnostics[0].suggestion, "files");
  EXPECT_EQ(mixed.diagnostics[0].line, 10U);
}

TEST(CredentialParser, OtherKindsAndVersionsAreUnknown) {
  EXPECT_EQ(
      only_mistake("apiVersion: ambit.dev/v1\nkind: Credentials\nmetadata: {name: a}\nspec: {}\n")
          .suggestion,
      "Credential");
  EXPECT_THAT(
      only_mistake("apiVersion: ambit.dev/v1\nkind: Policy\nmetadata: {name: a}\nspec: {}\n")
          .message,
      HasSubstr("kind must be TaskScope, Credential or Config"));
  EXPECT_THAT(
      only_mistake(
          "apiVersion: ambit.dev/v2\nkind: Credential\nmetadata: {name: a}\nspec: {files: [/x]}\n")
          .message,
      HasSubstr("apiVersion must be ambit.dev/v1"));
}

}  // namespace
}  // namespace ambit::policy
