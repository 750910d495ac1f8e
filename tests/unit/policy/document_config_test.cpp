// SPDX-License-Identifier: Apache-2.0
// kind: Config, with the same diagnostics as the other documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/document_probe.h"

namespace ambit::policy {
namespace {

using probe::messages_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::string config_with(std::string_view more) {
  return "apiVersion: ambit.dev/v1\nkind: Config\nmetadata: {name: node}\nspec:" +
         std::string(more.empty() ? " {}\n" : "\n") + std::string(more);
}

model::Config config_of(std::string_view text) {
  ParsedFile parsed = parse_documents(text, "probe.yaml");
  EXPECT_TRUE(parsed.diagnostics.empty()) << render(parsed.diagnostics);
  if (parsed.documents.size() != 1) return {};
  auto* const config = std::get_if<model::Config>(&parsed.documents.front());
  return config == nullptr ? model::Config{} : std::move(*config);
}

TEST(ConfigParser, EveryKeyHasADefault) {
  const model::Config config = config_of(config_with(""));
  EXPECT_EQ(config.name, "node");
  EXPECT_EQ(config.socket, "/run/ambit/control.sock");
  EXPECT_EQ(config.events, "-");
  EXPECT_THAT(config.catalogue, testing::IsEmpty());
  EXPECT_FALSE(config.backend);
  EXPECT_THAT(config.scopes, testing::IsEmpty());
  EXPECT_EQ(config.on_stop, model::OnStop::keep);
}

TEST(ConfigParser, TakesEveryKey) {
  const model::Config config = config_of(config_with(
      "  socket: /run/a.sock\n  events: /var/log/e.ndjson\n  backend: portable\n  onStop: release\n"
      "  catalogue: [builtin, \"builtin:dotenv\", /etc/ambit/credentials]\n"
      "  scopes: [/etc/ambit/scopes, /srv/one.yaml]\n"));
  EXPECT_THAT(config.scopes, ElementsAre("/etc/ambit/scopes", "/srv/one.yaml"));
  EXPECT_EQ(config.socket, "/run/a.sock");
  EXPECT_EQ(config.events, "/var/log/e.ndjson");
  EXPECT_EQ(config.backend, model::Backend::portable);
  EXPECT_EQ(config.on_stop, model::OnStop::release);
  EXPECT_THAT(config.catalogue, ElementsAre("builtin", "builtin:dotenv", "/etc/ambit/credentials"));
}

TEST(ConfigParser, SaysEverythingThatIsWrongAtOnceAndInItsPlace) {
  const ParsedFile parsed = parse_documents(
      config_with("  sockets: /run/a.sock\n  events: log.ndjson\n  backend: lms\n  on_stop: keep\n"
                  "  catalogue: [\"builtin:dotenvv\", credentials]\n"),
      "probe.yaml");
  EXPECT_THAT(
      probe::messages(parsed),
      ElementsAre(HasSubstr("unknown key \"sockets\""), HasSubstr("is a relative path"),
                  HasSubstr("backend must be lsm, fmod_ret or portable"),
                  HasSubstr("unknown key \"on_stop\""), HasSubstr("is no shipped catalogue file"),
                  HasSubstr("is a relative path")));
  ASSERT_EQ(parsed.diagnostics.size(), 6U);
  EXPECT_EQ(parsed.diagnostics[0].suggestion, "socket");
  EXPECT_EQ(parsed.diagnostics[0].line, 5U);
  EXPECT_EQ(parsed.diagnostics[2].suggestion, "lsm");
  EXPECT_EQ(parsed.diagnostics[3].suggestion, "onStop");
  EXPECT_EQ(parsed.diagnostics[4].suggestion, "builtin:dotenv");
  EXPECT_EQ(parsed.diagnostics[4].column, 15U);
}

TEST(ConfigParser, TakesScopesOnlyFromAbsolutePathsAndSomeOfThem) {
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"  scopes: []\n", "no source is named"},
           {"  scopes: scopes\n", "scopes must be a list"},
           {"  scopes: [scopes]\n", "is a relative path"},
           {"  scopes: [7]\n", "must be"},
           {"  scopes: [builtin]\n", "is a relative path"}})
    EXPECT_THAT(probe::messages(parse_documents(config_with(line), "probe.yaml")),
                ElementsAre(HasSubstr(message)))
        << line;
}

TEST(ConfigParser, RefusesPathsThatAreNone) {
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"socket: /run/a/", "ends with /"},
           {"socket: /run/../a", "has /../ in it"},
           {"socket: /run//a", "has // in it"},
           {"socket: /run/..", "names no file"},
           {"socket: \"-\"", "is a relative path"},
           {"socket: /" + std::string(107, 'a'), "longer than the 107 bytes"},
           {"events: \"\"", "empty"},
           {"catalogue: []", "no source is named"},
           {"catalogue: builtin", "must be a list"},
           {"catalogue: [7]", "must be text"},
           {"backend: true", "must be text"},
           {"onStop: drop", "onStop must be keep or release"}})
    EXPECT_THAT(messages_of(config_with("  " + line + "\n")), ElementsAre(HasSubstr(message)))
        << line;
}

}  // namespace
}  // namespace ambit::policy
