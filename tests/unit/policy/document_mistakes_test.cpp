// SPDX-License-Identifier: Apache-2.0
// Everything that is wrong with a scope is said at once and in its place: what the parser finds,
// and what only the catalogue shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/document_probe.h"

namespace ambit::policy {
namespace {

using probe::kFirstLine;
using probe::messages_of;
using probe::only_mistake;
using probe::scope_of;
using probe::scope_with;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ScopeParser, KeepsAFlawedScopeForWhatElseIsWrongWithIt) {
  const ParsedFile parsed = parse_documents(
      "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\nspec:\n  agent: urn:a:b\n"
      "  ttl: 10 minutes\n  credentials:\n    - {name: github-cil, "
      "destinations: [{host: a.b, ports: [70000]}]}\n    - {name: 5}\n",
      "probe.yaml");
  EXPECT_THAT(parsed.documents, IsEmpty());
  EXPECT_THAT(parsed.diagnostics, SizeIs(3));
  ASSERT_THAT(parsed.flawed_scopes, SizeIs(1));
  const auto more = check_scope_against(parsed.flawed_scopes.front(), {});
  ASSERT_THAT(more, SizeIs(1)) << render(more);
  EXPECT_THAT(more[0].message, HasSubstr("\"github-cil\" is in the catalogue"));
  EXPECT_EQ(more[0].line, 8U);
}

TEST(ScopeParser, AMisspeltKeyDoesNotHideTheRightOneBelowIt) {
  EXPECT_THAT(
      messages_of("apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\nspec:\n  "
                  "agent: urn:a:b\n  tttl: 10m\n  ttl: 10 minutes\n"),
      ElementsAre(HasSubstr("unknown key \"tttl\""), HasSubstr("\"10 minutes\"")));
}

TEST(ScopeParser, WhatIsMissingIsPlacedAtItsKeyOrDash) {
  const auto place = [](const std::string& more) {
    const Diagnostic mistake = only_mistake(scope_with(more));
    return std::pair{mistake.line, mistake.column};
  };
  EXPECT_EQ(place("  network:\n  owner: a\n"), (std::pair{kFirstLine, 3U}));
  EXPECT_EQ(place("  owner: a\n  network:\n"), (std::pair{kFirstLine + 1, 3U}));
  EXPECT_EQ(place("  network: {allow: }\n"), (std::pair{kFirstLine, 13U}));
  EXPECT_EQ(place("  credentials:\n    - name: a\n    -\n\n  owner: a\n"),
            (std::pair{kFirstLine + 2, 5U}));
  EXPECT_EQ(place("  privileges:\n    -\n"), (std::pair{kFirstLine + 1, 5U}));
}

TEST(ScopeCheck, UnknownCredentialsAreErrorsWithASuggestion) {
  const model::Scope scope =
      scope_of(scope_with("  credentials:\n    - {name: github-cil}\n    - {name: aws}\n"));
  model::Catalogue catalogue;
  catalogue.credentials.resize(2);
  catalogue.credentials[0].name = "aws";
  catalogue.credentials[1].name = "github-cli";
  const auto found = check_scope_against(scope, catalogue);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(has_errors(found));
  EXPECT_EQ(found[0].suggestion, "github-cli");
  EXPECT_EQ(found[0].file, "probe.yaml");
  EXPECT_EQ(found[0].line, kFirstLine + 1);
  EXPECT_EQ(found[0].column, 14U);
}

TEST(ScopeCheck, WarnsOfHostsThatCannotBeLookedUp) {
  const model::Scope scope = scope_of(
      scope_with("  network:\n    allow:\n      - {host: a.b}\n      - {host: \"*.a.b\"}\n"));
  const auto found = check_scope_against(scope, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(has_errors(found));
  EXPECT_THAT(found[0].message, HasSubstr("cannot be looked up"));
  EXPECT_EQ(found[0].line, kFirstLine + 3);
}

TEST(ScopeCheck, WarnsOfAParentInTheWordsThatRunRefusesItWith) {
  const auto found = check_scope_against(scope_of(scope_with("  parent: incident-99\n")), {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].severity, DiagnosticSeverity::warning);
  EXPECT_EQ(found[0].message, kOnlyTheDaemonDelegates);
  EXPECT_EQ(found[0].line, kFirstLine);
  EXPECT_EQ(found[0].column, 11U);
}

}  // namespace
}  // namespace ambit::policy
