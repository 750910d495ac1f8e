// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/scratch.h"

namespace {

using namespace ambit::cli;
using ambit::cli::scratch::Scratch;

constexpr std::string_view kCredential = R"(apiVersion: ambit.dev/v1
kind: Credential
metadata: {name: our-token}
spec:
  provider: ours
  files: ["/srv/ours/token"]
)";

std::string scope_with(const std::string& rest) {
  return "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: t}\n"
         "spec:\n  agent: spiffe://corp.example/agent/t\n  ttl: 30m\n" +
         rest;
}

std::string uses(const std::string& credential) {
  return scope_with("  credentials:\n    - name: " + credential + "\n");
}

/// Only what the test writes is in the catalogue.
class Check : public testing::Test {
 protected:
  Check() { scratch_.write("base/base.yaml", kCredential); }

  CheckReport run(const std::vector<std::string>& paths) {
    return check({.paths = paths, .catalogue = {scratch_.path("base")}, .limits = {}});
  }
  [[nodiscard]] std::string text(const CheckReport& report) const {
    std::string all = render_text(report, Style(false));
    for (std::size_t at = 0; (at = all.find(scratch_.root() + "/", at)) != std::string::npos;)
      all.erase(at, scratch_.root().size() + 1);
    return all;
  }

  Scratch scratch_;
};

TEST_F(Check, SaysOfASoundScopeThatItIs) {
  EXPECT_EQ(text(run({scratch_.write("s.yaml", uses("our-token"))})),
            "1 file, 1 document ok, 0 errors\n");
}

TEST_F(Check, PointsAtEveryMistakeOfEveryFile) {
  scratch_.write("x/a.yaml", scope_with("  mod: shadow\n  owner: [a]\n"));
  scratch_.write("x/b.yaml", "kind: TaskScope\n");
  scratch_.write("x/c.yaml", scope_with(""));
  const CheckReport report = run({scratch_.path("x")});
  EXPECT_EQ(report.files, 3U);
  EXPECT_EQ(report.good_documents(), 1U);
  const std::string said = text(report);
  EXPECT_NE(said.find("x/a.yaml:7:3: error: "), std::string::npos) << said;
  EXPECT_NE(said.find("did you mean \"mode\"?\n    mod: shadow\n    ^\n"), std::string::npos)
      << said;
  EXPECT_NE(said.find("x/a.yaml:8:"), std::string::npos) << said;
  EXPECT_NE(said.find("x/b.yaml:1:1: error: "), std::string::npos) << said;
  EXPECT_EQ(said.find("x/c.yaml"), std::string::npos) << said;
}

TEST_F(Check, HoldsAScopeAgainstTheCatalogue) {
  EXPECT_EQ(text(run({scratch_.write("s.yaml", uses("our-tokn"))})),
            "s.yaml:8:13: error: no credential \"our-tokn\" is in the catalogue; did you mean "
            "\"our-token\"?\n"
            "      - name: our-tokn\n"
            "              ^\n"
            "1 file, 0 documents ok, 1 error\n");
}

TEST_F(Check, CountsCredentialsAmongThePathsToTheCatalogue) {
  std::string other(kCredential);
  other.replace(other.find("our-token"), 9, "new-token");
  const std::string scope = scratch_.write("s.yaml", uses("new-token"));
  EXPECT_EQ(run({scope}).errors(), 1U);
  EXPECT_EQ(text(run({scope, scratch_.write("c.yaml", other)})),
            "2 files, 2 documents ok, 0 errors\n");
}

TEST_F(Check, LetsACredentialAmongThePathsTakeThePlaceOfTheCataloguesOwn) {
  EXPECT_EQ(run({scratch_.write("c.yaml", kCredential)}).errors(), 0U);
}

TEST_F(Check, RefusesANameThatTwoFilesOfADirectoryHave) {
  scratch_.write("c/1.yaml", kCredential);
  scratch_.write("c/2.yaml", kCredential);
  const std::string said = text(run({scratch_.path("c")}));
  EXPECT_TRUE(said.starts_with("c/2.yaml:3:")) << said;
  EXPECT_NE(said.find("credential \"our-token\" is also in "), std::string::npos) << said;
  scratch_.write("d/2.yaml", kCredential);
  EXPECT_EQ(run({scratch_.path("c/1.yaml"), scratch_.path("d/2.yaml")}).errors(), 0U);
}

TEST_F(Check, HoldsAScopeAgainstTheCatalogueWhateverElseIsWrongWithIt) {
  std::string scope = uses("our-tokn") + "    - name: another\n  network:\n    allow:\n" +
                      "      - {host: a.b, ports: [70000]}\n";
  scope.replace(scope.find("30m"), 3, "10 minutes");
  const CheckReport report = run({scratch_.write("s.yaml", scope)});
  EXPECT_EQ(report.errors(), 4U) << text(report);
  EXPECT_NE(text(report).find("s.yaml:8:13: error: no credential \"our-tokn\" is in the catalogue; "
                              "did you mean \"our-token\"?\n      - name: our-tokn\n"),
            std::string::npos)
      << text(report);
}

TEST_F(Check, SaysOnceThatANameStandsTwiceInAFile) {
  const std::string twice = std::string(kCredential) + "---\n" + std::string(kCredential);
  const CheckReport report = run({scratch_.write("c.yaml", twice)});
  EXPECT_EQ(report.errors(), 1U) << text(report);
}

TEST_F(Check, SaysOnceWhatIsWrongWithAFileThatIsInTheCatalogueToo) {
  scratch_.write("base/base.yaml", std::string(kCredential) + "  fils: []\n");
  const CheckReport report = run({scratch_.path("base")});
  EXPECT_EQ(report.errors(), 1U) << text(report);
}

TEST_F(Check, WarnsOfWhatRunWouldRefuse) {
  EXPECT_EQ(
      text(run({scratch_.write("s.yaml", scope_with("  parent: incident-99\n"))})),
      "s.yaml:7:11: warning: the scope names a parent task: only the daemon opens such a task, not "
      "`ambit run`\n"
      "    parent: incident-99\n"
      "            ^\n"
      "1 file, 1 document ok, 0 errors, 1 warning\n");
}

TEST_F(Check, ShowsWhatOnlyCompilingShows) {
  std::string allow = "  exec:\n    allow:\n";
  for (std::size_t i = 1; i < 20; ++i)
    allow += "      - /usr/bin/" + std::string(i, 'a') + "*" + std::string(20 - i, 'b') + "\n";
  const CheckReport report = run({scratch_.write("s.yaml", scope_with(allow))});
  EXPECT_EQ(report.good_documents(), 0U);
  EXPECT_TRUE(text(report).starts_with("s.yaml: error: cannot be compiled here: pattern /usr/bin/"))
      << text(report);
}

TEST_F(Check, EndsInTimeWhateverAScopeAsksFor) {
  std::string allow = "  exec:\n    allow:\n";
  for (int i = 0; i < 5000; ++i) allow += "      - /proc/**\n      - /sys/**\n      - /usr/**\n";
  const std::string file = scratch_.write("s.yaml", scope_with(allow));
  const auto begin = std::chrono::steady_clock::now();
  const CheckReport report = check({.paths = {file},
                                    .catalogue = {scratch_.path("base")},
                                    .limits = {.time = std::chrono::milliseconds(300)}});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(report.errors(), 1U);
}

TEST_F(Check, HasAClearAnswerForWhatIsNoDocument) {
  EXPECT_NE(text(run({scratch_.path("nothing")})).find("nothing: error: cannot be opened"),
            std::string::npos);
  EXPECT_NE(text(run({scratch_.write("e.yaml", "")})).find("e.yaml: error: is empty"),
            std::string::npos);
  EXPECT_NE(text(run({scratch_.write("b.yaml", std::string(100, '\0'))})).find("is binary"),
            std::string::npos);
  EXPECT_NE(text(run({scratch_.write("l.yaml", std::string(10U << 20U, 'x'))})).find("1 MiB"),
            std::string::npos);
  EXPECT_NE(text(run({scratch_.write("r.yaml", std::string(500'000, '['))})).find("error"),
            std::string::npos);
}

TEST_F(Check, SaysWhatIsWrongWithTheCatalogueItself) {
  const CheckReport report = check({.paths = {scratch_.write("s.yaml", scope_with(""))},
                                    .catalogue = {scratch_.path("none")},
                                    .limits = {}});
  EXPECT_EQ(report.errors(), 1U);
  EXPECT_NE(text(report).find("none: error: cannot be opened"), std::string::npos) << text(report);
}

TEST_F(Check, TakesTheShippedCatalogueWhereNoneIsNamed) {
  const CheckReport report =
      check({.paths = {std::string(AMBIT_SOURCE_DIR) + "/rules"}, .catalogue = {}, .limits = {}});
  EXPECT_EQ(report.errors(), 0U) << render_text(report, Style(false));
  EXPECT_GT(report.good_documents(), 20U);
}

TEST_F(Check, GivesProgramsTheSameAsJson) {
  const auto json = nlohmann::json::parse(
      render_json(run({scratch_.write("s.yaml", uses("our-tokn")), scratch_.path("nothing")})));
  EXPECT_EQ(json["files"], 2);
  EXPECT_EQ(json["errors"], 2);
  EXPECT_EQ(json["documents_ok"], 0);
  EXPECT_EQ(json["documents"][0]["kind"], "TaskScope");
  EXPECT_EQ(json["documents"][0]["ok"], false);
  EXPECT_EQ(json["diagnostics"][0]["line"], 8);
  EXPECT_EQ(json["diagnostics"][0]["column"], 13);
  EXPECT_EQ(json["diagnostics"][0]["suggestion"], "our-token");
  EXPECT_TRUE(json["diagnostics"][1]["line"].is_null());
}

TEST(CheckReport, IsValidJsonWhateverTheBytes) {
  CheckReport report;
  report.diagnostics.push_back({.file = "\xff\x1b", .message = "\xc3\x28\n", .suggestion = "\x80"});
  const auto json = nlohmann::json::parse(render_json(report));
  EXPECT_EQ(json["diagnostics"][0]["file"], "\\xff\x1b");
}

TEST(CheckReport, HasColourOnlyWhereItIsWanted) {
  CheckReport report;
  report.diagnostics.push_back({.file = "f", .line = 1, .column = 2, .message = "m"});
  EXPECT_EQ(render_text(report, Style(false)),
            "f:1:2: error: m\n0 files, 0 documents ok, 1 error\n");
  EXPECT_TRUE(render_text(report, Style(true))
                  .starts_with("\x1b[1mf:1:2:\x1b[0m \x1b[1;31merror:\x1b[0m m\n"));
}

TEST(CheckReport, CountsWarningsOnlyWhereThereAreAny) {
  CheckReport report;
  report.files = 2;
  report.documents.resize(1);
  EXPECT_EQ(summary_line(report), "2 files, 1 document ok, 0 errors");
  report.diagnostics.push_back({.severity = ambit::policy::DiagnosticSeverity::warning});
  EXPECT_EQ(summary_line(report), "2 files, 1 document ok, 0 errors, 1 warning");
}

}  // namespace
