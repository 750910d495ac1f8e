// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/document_probe.h"
#include "userspace/policy/destination_form.h"
#include "userspace/policy/document_file.h"

namespace ambit::policy {
namespace {

using probe::kFirstLine;
using probe::messages_of;
using probe::only_mistake;
using probe::scope_of;
using probe::scope_with;
using probe::there;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// DESIGN §5, as it stands there.
constexpr std::string_view kWhole = R"(apiVersion: ambit.dev/v1
kind: TaskScope
metadata: {name: triage-4711}
spec:
  agent: spiffe://corp.example/agent/triage      # required
  owner: team-support                            # free text, carried in events
  onBehalfOf: alice@corp.example                 # absent: the agent's own authority
  context: {workflow: triage, ticket: INC-4711, trigger: webhook}
  ttl: 30m                                       # required
  parent: incident-99
  mode: enforce
  credentials:
    - name: github-cli
      authority: delegated
      readers: [/usr/bin/gh]
      destinations: [{host: api.github.com, ports: [443]}]
      holding: tree
  network:
    allow:
      - {host: api.anthropic.com, ports: [443]}
      - {host: "*.github.com", ports: [22, 443]}
      - {cidr: 10.2.0.0/16, ports: [5432, 8000-8999]}
      - {unix: /run/postgresql/.s.PGSQL.5432}
  exec:
    allow: [/usr/bin/git, /usr/bin/gh, /usr/bin/python3*]
  environment: keep
  response: {credential: kill, network: deny, exec: deny}
)";

TEST(ScopeParser, ReadsEveryKeyOfTheDesign) {
  const model::Scope scope = scope_of(kWhole);
  EXPECT_EQ(scope.name, "triage-4711");
  EXPECT_EQ(scope.agent, "spiffe://corp.example/agent/triage");
  EXPECT_EQ(scope.owner, "team-support");
  EXPECT_EQ(scope.on_behalf_of, "alice@corp.example");
  EXPECT_THAT(scope.context,
              ElementsAre(std::pair{"ticket", "INC-4711"}, std::pair{"trigger", "webhook"},
                          std::pair{"workflow", "triage"}));
  EXPECT_EQ(scope.ttl, std::chrono::minutes{30});
  EXPECT_EQ(scope.parent, "incident-99");
  EXPECT_EQ(scope.mode, model::Mode::enforce);
  EXPECT_FALSE(scope.strip_environment);
  EXPECT_EQ(scope.response.credential, model::Response::kill);
  EXPECT_EQ(scope.response.network, model::Response::deny);
  EXPECT_EQ(scope.source, "probe.yaml");
}

TEST(ScopeParser, ReadsTheCredentialsOfTheDesign) {
  const model::Scope scope = scope_of(kWhole);
  ASSERT_THAT(scope.credentials, SizeIs(1));
  const model::ScopeCredential& credential = scope.credentials[0];
  EXPECT_EQ(credential.name, "github-cli");
  EXPECT_EQ(credential.authority, model::Authority::delegated);
  EXPECT_EQ(credential.holding, model::Holding::tree);
  EXPECT_EQ(there(credential.readers).at(0).text, "/usr/bin/gh");
  EXPECT_EQ(there(credential.destinations).at(0).host, "api.github.com");
  EXPECT_EQ(there(credential.destinations).at(0).ports.at(0).first, 443);
}

TEST(ScopeParser, ReadsTheNetworkAndProgramsOfTheDesign) {
  const model::Scope scope = scope_of(kWhole);
  ASSERT_THAT(there(scope.network), SizeIs(4));
  EXPECT_EQ(there(scope.network).at(1).host, "*.github.com");
  EXPECT_THAT(there(scope.network).at(1).ports, SizeIs(2));
  EXPECT_EQ(text_of(there(scope.network).at(2).range), "10.2.0.0/16");
  EXPECT_EQ(there(scope.network).at(2).ports.at(1).last, 8999);
  EXPECT_EQ(there(scope.network).at(2).at.line, 22U);
  EXPECT_EQ(there(scope.network).at(3).type, model::DestinationType::unix_socket);
  EXPECT_EQ(there(scope.network).at(3).unix_path, "/run/postgresql/.s.PGSQL.5432");
  EXPECT_THAT(there(scope.exec), SizeIs(3));
  EXPECT_EQ(there(scope.exec).at(2).text, "/usr/bin/python3*");
}

TEST(ScopeParser, AbsentMeansNoCredentialAndUnboundNetworkAndPrograms) {
  const model::Scope scope = scope_of(scope_with(""));
  EXPECT_EQ(scope.name, "probe");
  EXPECT_THAT(scope.credentials, IsEmpty());
  EXPECT_FALSE(scope.network);
  EXPECT_FALSE(scope.exec);
  EXPECT_FALSE(scope.on_behalf_of);
  EXPECT_FALSE(scope.parent);
  EXPECT_EQ(scope.mode, model::Mode::enforce);
  EXPECT_EQ(scope.response.credential, model::Response::deny);
  EXPECT_EQ(scope.response.network, model::Response::deny);
  EXPECT_EQ(scope.response.exec, model::Response::deny);
}

TEST(ScopeParser, PresentAndEmptyMeansNothingIsAllowed) {
  for (const char* const more :
       {"  network: {}\n  exec: {}\n", "  network: {allow: []}\n  exec: {allow: []}\n"}) {
    const model::Scope scope = scope_of(scope_with(more));
    EXPECT_THAT(there(scope.network), IsEmpty());
    EXPECT_THAT(there(scope.exec), IsEmpty());
  }
}

TEST(ScopeParser, PresentWithoutAValueIsNotGuessedAt) {
  EXPECT_THAT(only_mistake(scope_with("  network:\n")).message, HasSubstr("found nothing; {} is"));
  EXPECT_THAT(only_mistake(scope_with("  credentials:\n")).message,
              HasSubstr("found nothing; [] is"));
}

TEST(ScopeParser, AbsentReadersAndDestinationsDifferFromEmptyOnes) {
  const model::Scope scope = scope_of(scope_with(
      "  credentials:\n    - {name: a}\n    - {name: b, readers: [], destinations: []}\n"));
  ASSERT_THAT(scope.credentials, SizeIs(2));
  EXPECT_FALSE(scope.credentials[0].readers);
  EXPECT_FALSE(scope.credentials[0].destinations);
  EXPECT_FALSE(scope.credentials[0].authority);
  EXPECT_TRUE(scope.credentials[1].readers);
  EXPECT_TRUE(scope.credentials[1].destinations);
}

TEST(ScopeParser, KnowsEveryWord) {
  const model::Scope scope = scope_of(scope_with(
      "  mode: shadow\n  environment: strip\n  response: {credential: kill-task, network: alert}\n"
      "  credentials:\n    - {name: a, holding: process, authority: agent}\n    - {name: b, "
      "holding: task}\n"));
  EXPECT_EQ(scope.mode, model::Mode::shadow);
  EXPECT_TRUE(scope.strip_environment);
  EXPECT_EQ(scope.response.credential, model::Response::kill_task);
  EXPECT_EQ(scope.response.network, model::Response::alert);
  ASSERT_THAT(scope.credentials, SizeIs(2));
  EXPECT_EQ(scope.credentials[0].holding, model::Holding::process);
  EXPECT_EQ(scope.credentials[0].authority, model::Authority::agent);
  EXPECT_EQ(scope.credentials[1].holding, model::Holding::task);
}

TEST(ScopeParser, SuggestsTheWordThatWasMeant) {
  const Diagnostic response = only_mistake(scope_with("  response: {credential: kill_task}\n"));
  EXPECT_EQ(response.suggestion, "kill-task");
  EXPECT_THAT(response.message, HasSubstr("alert, deny, kill or kill-task"));
  EXPECT_EQ(only_mistake(scope_with("  mode: shaddow\n")).suggestion, "shadow");
  EXPECT_THAT(only_mistake(scope_with("  response: {exec: none}\n")).message,
              HasSubstr("must be alert"));
}

TEST(ScopeParser, ReportsEveryMistakeOfAFileAtOnce) {
  const ParsedFile parsed =
      parse_documents(scope_with("  modus: shadow\n  network:\n    allow: [{cidr: 10.0.0.1/8}]\n  "
                                 "response: {exec: refuse}\n"),
                      "s.yaml");
  EXPECT_THAT(parsed.documents, IsEmpty());
  ASSERT_THAT(parsed.diagnostics, SizeIs(3));
  EXPECT_EQ(
      render(parsed.diagnostics),
      "s.yaml:7:3: error: unknown key \"modus\" in spec; did you mean \"mode\"?\n"
      "    modus: shadow\n"
      "    ^\n"
      "s.yaml:9:20: error: \"10.0.0.1/8\" has bits set beyond its prefix length; did you mean "
      "\"10.0.0.0/8\"?\n"
      "      allow: [{cidr: 10.0.0.1/8}]\n"
      "                     ^\n"
      "s.yaml:10:20: error: a response must be alert, deny, kill or kill-task, found \"refuse\"\n"
      "    response: {exec: refuse}\n"
      "                     ^\n");
}

TEST(ScopeParser, AMisspeltRequiredKeyIsOneMistake) {
  const Diagnostic mistake = only_mistake(
      "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\nspec:\n  agnet: urn:a:b\n  "
      "ttl: 1m\n");
  EXPECT_EQ(mistake.suggestion, "agent");
  EXPECT_EQ(mistake.line, 5U);
}

TEST(ScopeParser, MissingKeysAreReportedWhereTheyBelong) {
  EXPECT_THAT(messages_of("apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {}\nspec: {}\n"),
              ElementsAre("missing key \"name\" in metadata", "missing key \"agent\" in spec",
                          "missing key \"ttl\" in spec"));
  EXPECT_THAT(messages_of("{}"), SizeIs(4));
}

TEST(ScopeParser, KeysThatStandTwiceAreErrors) {
  const Diagnostic spec = only_mistake(scope_with("  ttl: 1h\n"));
  EXPECT_THAT(spec.message, HasSubstr("\"ttl\" stands twice in spec; the first is in line 6"));
  EXPECT_EQ(spec.line, kFirstLine);
  EXPECT_THAT(only_mistake(scope_with("  context: {a: x, a: y}\n")).message,
              HasSubstr("stands twice"));
}

TEST(ScopeParser, CredentialsThatStandTwiceAreErrors) {
  const Diagnostic twice =
      only_mistake(scope_with("  credentials:\n    - {name: a}\n    - {name: a}\n"));
  EXPECT_THAT(twice.message, HasSubstr("\"a\" stands twice; the first is in line 8"));
  EXPECT_EQ(twice.line, kFirstLine + 2);
}

TEST(ScopeParser, DelegatedNeedsSomebody) {
  const std::string credentials = "  credentials:\n    - {name: a, authority: delegated}\n";
  const Diagnostic mistake = only_mistake(scope_with(credentials));
  EXPECT_THAT(mistake.message, HasSubstr("needs onBehalfOf"));
  EXPECT_EQ(mistake.line, kFirstLine + 1);
  EXPECT_EQ(scope_of(scope_with(credentials + "  onBehalfOf: alice@example.org\n")).name, "probe");
}

TEST(ScopeParser, WrongTypesAreNamed) {
  EXPECT_THAT(only_mistake(scope_with("  owner: [a]\n")).message,
              HasSubstr("owner must be text, found a list"));
  EXPECT_THAT(only_mistake(scope_with("  owner: 5\n")).message,
              HasSubstr("a number; put it in quotes"));
  EXPECT_THAT(only_mistake(scope_with("  owner: true\n")).message, HasSubstr("true or false"));
  EXPECT_THAT(only_mistake(scope_with("  credentials: {name: a}\n")).message,
              HasSubstr("must be a list"));
  EXPECT_THAT(only_mistake(scope_with("  credentials: [github-cli]\n")).message,
              HasSubstr("an item of credentials must be a mapping, found text"));
  EXPECT_THAT(only_mistake(scope_with("  network: {allow: [{host: a.b, ports: 443}]}\n")).message,
              HasSubstr("ports must be a list, found a number; put it in [ ]"));
  EXPECT_THAT(only_mistake("- a\n").message, HasSubstr("a document must be a mapping"));
}

TEST(ScopeParser, LabelsAreTextAsItIsWritten) {
  const model::Scope scope =
      scope_of(scope_with("  context: {ticket: 4711, urgent: true, v: 0x10}\n"));
  EXPECT_THAT(scope.context, ElementsAre(std::pair{"ticket", "4711"}, std::pair{"urgent", "true"},
                                         std::pair{"v", "0x10"}));
}

TEST(ScopeParser, YesIsText) { EXPECT_EQ(scope_of(scope_with("  owner: yes\n")).owner, "yes"); }

std::chrono::nanoseconds ttl_of(const std::string& text) {
  return scope_of(
             "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\nspec: {agent: "
             "urn:a:b, ttl: " +
             text + "}\n")
      .ttl;
}

TEST(ScopeParser, DurationsHaveUnitsInOrder) {
  EXPECT_EQ(ttl_of("30m"), std::chrono::minutes{30});
  EXPECT_EQ(ttl_of("1h30m"), std::chrono::minutes{90});
  EXPECT_EQ(ttl_of("90s"), std::chrono::seconds{90});
  EXPECT_EQ(ttl_of("500ms"), std::chrono::milliseconds{500});
  EXPECT_EQ(ttl_of("8760h"), std::chrono::hours{8760});
  for (const char* const bad :
       {"30", "\"\"", "0s", "0h0m", "m", "1m1h", "1m1m", "-1m", "1.5h", "1d", "1 m", "8761h",
        "8760h1s", "99999999999999999999h", "1h1", "1M"}) {
    EXPECT_EQ(ttl_of(bad), std::chrono::nanoseconds{0}) << bad;
  }
  EXPECT_THAT(messages_of("apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\n"
                          "spec: {agent: urn:a:b, ttl: 30}\n"),
              ElementsAre(HasSubstr("without a unit")));
}

TEST(ScopeParser, AgentsAreUris) {
  const auto good = [](const std::string& agent) {
    return scope_of(
               "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: x}\nspec: {agent: \"" +
               agent + "\", ttl: 1m}\n")
               .agent == agent;
  };
  EXPECT_TRUE(good("spiffe://corp.example/agent/triage"));
  EXPECT_TRUE(good("spiffe://corp.example"));
  EXPECT_TRUE(good("urn:agent:triage"));
  EXPECT_TRUE(good("https://agents.example/7"));
  for (const char* const bad :
       {"triage", "spiffe://", "spiffe:///a", "spiffe://Corp/a", "spiffe://c/a/", "spiffe://c//a",
        "spiffe://c/../a", "urn:a b", ":x", "urn:"}) {
    EXPECT_FALSE(good(bad)) << bad;
  }
}

TEST(ScopeParser, DestinationsNameOnePlace) {
  const auto allow = [](const std::string& rule) {
    return only_mistake(scope_with("  network: {allow: [" + rule + "]}\n")).message;
  };
  EXPECT_THAT(allow("{}"), HasSubstr("needs one of host, cidr and unix"));
  EXPECT_THAT(allow("{ports: [443]}"), HasSubstr("needs one of host, cidr and unix"));
  EXPECT_THAT(allow("{host: a.b, cidr: 10.0.0.0/8}"), HasSubstr("one of host, cidr and unix"));
  EXPECT_THAT(allow("{unix: /run/x, ports: [1]}"), HasSubstr("no ports"));
  EXPECT_THAT(allow("{host: a.b, protocol: icmp, ports: [1]}"), HasSubstr("protocol has no ports"));
  EXPECT_THAT(allow("{host: a.b, ports: []}"), HasSubstr("empty list of ports"));
  EXPECT_THAT(allow("{host: a_b..c}"), HasSubstr("two dots"));
  EXPECT_THAT(allow("{hots: a.b}"), HasSubstr("hots"));
}

TEST(ScopeParser, DestinationsWithoutPortsOrProtocolMeanAllPortsOfTcpAndUdp) {
  const model::Scope scope =
      scope_of(scope_with("  network: {allow: [{host: a.b}, {host: a.b, protocol: [sctp, 47]}, "
                          "{host: a.b, protocol: udp}]}\n"));
  ASSERT_THAT(there(scope.network), SizeIs(3));
  EXPECT_THAT(there(scope.network).at(0).ports, IsEmpty());
  EXPECT_THAT(there(scope.network).at(0).protocols, IsEmpty());
  EXPECT_THAT(there(scope.network).at(1).protocols, ElementsAre(132, 47));
  EXPECT_THAT(there(scope.network).at(2).protocols, ElementsAre(17));
}

TEST(ScopeParser, WarnsThatAllOfIpv6SaysNothingOfIpv4) {
  const ParsedFile parsed =
      parse_documents(scope_with("  network: {allow: [{cidr: \"::/0\"}]}\n"), "s.yaml");
  EXPECT_THAT(parsed.documents, SizeIs(1));
  ASSERT_THAT(parsed.diagnostics, SizeIs(1));
  EXPECT_FALSE(has_errors(parsed.diagnostics));
  EXPECT_THAT(parsed.diagnostics[0].message, HasSubstr("says nothing of IPv4"));
  EXPECT_THAT(
      messages_of(scope_with("  network: {allow: [{cidr: \"::/0\"}, {cidr: 10.0.0.0/8}]}\n")),
      IsEmpty());
}

TEST(ScopeParser, PatternsMayExcludeAndNotOnlyExclude) {
  const model::Scope scope =
      scope_of(scope_with("  exec: {allow: [/usr/bin/**, \"!/usr/bin/curl\"]}\n"));
  ASSERT_THAT(there(scope.exec), SizeIs(2));
  EXPECT_FALSE(there(scope.exec).at(0).exclude);
  EXPECT_TRUE(there(scope.exec).at(1).exclude);
  EXPECT_EQ(there(scope.exec).at(1).text, "/usr/bin/curl");
  EXPECT_THAT(only_mistake(scope_with("  exec: {allow: [\"!/usr/bin/curl\"]}\n")).message,
              HasSubstr("only excludes"));
}

TEST(ScopeParser, RefusesKeysOfLaterVersions) {
  for (const char* const key : {"dns", "sni", "tls", "resolvers"}) {
    EXPECT_THAT(only_mistake(scope_with("  " + std::string(key) + ": {}\n")).message,
                HasSubstr("unknown key"));
  }
}

TEST(ScopeParser, PrivilegesAreWordsOfAList) {
  EXPECT_THAT(scope_of(scope_with("")).privileges, IsEmpty());
  EXPECT_THAT(scope_of(scope_with("  privileges: [perf, ptrace, perf]\n")).privileges,
              ElementsAre(model::Privilege::perf, model::Privilege::ptrace));
  EXPECT_EQ(only_mistake(scope_with("  privileges: [ptrac]\n")).suggestion, "ptrace");
  EXPECT_THAT(messages_of(scope_with("  privileges: [none]\n")), SizeIs(1));
}

TEST(ScopeParser, HashesTheBytesOfTheDocument) {
  const std::string one = scope_with("  owner: a\n");
  EXPECT_EQ(scope_of(one).sha256, *sha256_hex(one));
  EXPECT_EQ(*sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

  const std::string two = "---\n" + scope_with("  owner: b\n");
  const ParsedFile parsed = parse_documents(one + two, "s.yaml");
  ASSERT_THAT(parsed.documents, SizeIs(2));
  EXPECT_EQ(std::get<model::Scope>(parsed.documents[0]).sha256, *sha256_hex(one));
  EXPECT_EQ(std::get<model::Scope>(parsed.documents[1]).sha256, *sha256_hex(two));
}

TEST(ScopeParser, TakesJson) {
  EXPECT_EQ(
      scope_of(R"({"apiVersion": "ambit.dev/v1", "kind": "TaskScope", "metadata": {"name": "j"},
    "spec": {"agent": "urn:a:b", "ttl": "1m", "network": {"allow": [{"host": "a.b", "ports": [443, "8000-8999"]}]}}})")
          .name,
      "j");
}

TEST(ScopeParser, TakesAByteOrderMarkAndWindowsLines) {
  std::string text = "\xef\xbb\xbf";
  for (const char c : scope_with("  owner: a\n"))
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const model::Scope scope = scope_of(text);
  EXPECT_EQ(scope.owner, "a");
  EXPECT_EQ(scope.sha256, *sha256_hex(text));
}

}  // namespace
}  // namespace ambit::policy
