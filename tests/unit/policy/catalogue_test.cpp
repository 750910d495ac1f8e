// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/unit/policy/document_probe.h"
#include "userspace/policy/catalogue_builtin.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {
namespace {

namespace fs = std::filesystem;
using probe::there;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const fs::path kRules = fs::path(AMBIT_SOURCE_DIR) / "rules";

std::string bytes_of(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

std::vector<fs::path> yaml_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> names_of(const model::Catalogue& catalogue) {
  std::vector<std::string> names;
  for (const model::Credential& credential : catalogue.credentials)
    names.push_back(credential.name);
  return names;
}

model::Catalogue loaded(const std::vector<std::string>& sources) {
  auto catalogue = load_catalogue(sources);
  EXPECT_TRUE(catalogue) << (catalogue ? "" : render(catalogue.error()));
  return catalogue.value_or(model::Catalogue{});
}

std::string refused(const std::vector<std::string>& sources) {
  const auto catalogue = load_catalogue(sources);
  return catalogue ? "nothing refused" : render(catalogue.error());
}

const model::Credential* find(const model::Catalogue& catalogue, std::string_view name) {
  const auto found = std::ranges::find(catalogue.credentials, name, &model::Credential::name);
  return found == catalogue.credentials.end() ? nullptr : &*found;
}

class Catalogue : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ambit-catalogue-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string write(const std::string& file, const std::string& credential) const {
    fs::create_directories((directory_ / file).parent_path());
    std::ofstream(directory_ / file)
        << "apiVersion: ambit.dev/v1\nkind: Credential\nmetadata: {name: " << credential
        << "}\nspec: {files: [/secret/" << credential << "]}\n";
    return (directory_ / file).string();
  }

  fs::path directory_;
};

TEST_F(Catalogue, OfADirectoryIsItsDocumentsSortedByNameAndNotWhatIsDeeper) {
  write("1.yaml", "zebra");
  write("2.yml", "ant");
  write("3.json", "bee");
  write("opt-in/4.yaml", "hidden");
  write(".5.yaml", "swap");
  write("6.txt", "notes");
  const model::Catalogue catalogue = loaded({directory_.string()});
  EXPECT_THAT(names_of(catalogue), ElementsAre("ant", "bee", "zebra"));
  EXPECT_EQ(catalogue.credentials[0].source, (directory_ / "2.yml").string());
}

TEST_F(Catalogue, OfSeveralSourcesIsOneListInTheSameOrderWhateverTheirs) {
  const std::string b = write("b.yaml", "b");
  const std::string a = write("a.yaml", "a");
  EXPECT_THAT(names_of(loaded({b, a})), ElementsAre("a", "b"));
  EXPECT_THAT(names_of(loaded({a, b, a})), ElementsAre("a", "b"));
}

TEST_F(Catalogue, NamesInTwoSourcesAreAnErrorThatNamesBothPlaces) {
  const std::string first = write("first.yaml", "twice");
  const std::string second = write("second.yaml", "twice");
  const std::string text = refused({first, second});
  EXPECT_THAT(
      text, HasSubstr(second + ":3:18: error: credential \"twice\" is also in " + first + ":3:18"));
  EXPECT_THAT(refused({"builtin", write("third.yaml", "github-cli")}),
              HasSubstr("is also in builtin:github"));
}

TEST_F(Catalogue, ReportsTheMistakesOfAllItsFiles) {
  std::ofstream(directory_ / "1.yaml") << "x: 1\n";
  std::ofstream(directory_ / "2.yaml") << probe::scope_with("");
  write("3.yaml", "good");
  const std::string text = refused({directory_.string(), "/absent", "builtin:dotevn"});
  EXPECT_THAT(text, HasSubstr("1.yaml:1:1: error: unknown key \"x\""));
  EXPECT_THAT(text, HasSubstr("2.yaml: error: a catalogue holds Credential documents only"));
  EXPECT_THAT(text, HasSubstr("/absent: error: cannot be opened"));
  EXPECT_THAT(text, HasSubstr("did you mean \"builtin:dotenv\"?"));
}

TEST_F(Catalogue, ADirectoryWithoutDocumentsIsAMistake) {
  EXPECT_THAT(refused({directory_.string()}), HasSubstr("has no *.yaml"));
}

TEST(BuiltinCatalogue, IsTheFilesOfTheSourceTree) {
  std::map<std::string, fs::path> files;
  for (const fs::path& path : yaml_files(kRules / "credentials"))
    files.emplace(path.stem().string(), path);
  ASSERT_THAT(builtin_files(), SizeIs(files.size()));
  for (const BuiltinFile& file : builtin_files()) {
    const auto found = files.find(std::string(file.name));
    ASSERT_NE(found, files.end()) << file.name;
    EXPECT_EQ(file.text, bytes_of(found->second)) << file.name;
    EXPECT_EQ(file.opt_in, found->second.parent_path().filename() == "opt-in") << file.name;
  }
}

TEST(BuiltinCatalogue, LoadsWithoutOptInUnlessNamed) {
  const model::Catalogue shipped = loaded({"builtin"});
  EXPECT_GE(shipped.credentials.size(), 45U);
  EXPECT_TRUE(std::ranges::is_sorted(names_of(shipped)));
  EXPECT_EQ(find(shipped, "dotenv"), nullptr);
  EXPECT_EQ(names_of(loaded({})), names_of(shipped));
  EXPECT_EQ(loaded({"builtin", "builtin:dotenv"}).credentials.size(),
            shipped.credentials.size() + 1);
  EXPECT_THAT(names_of(loaded({"builtin:dotenv"})), ElementsAre("dotenv"));
}

TEST(BuiltinCatalogue, HasNoNameTwiceWithAllOfOptIn) {
  std::vector<std::string> sources;
  for (const std::string& name : builtin_catalogue_names()) sources.push_back("builtin:" + name);
  EXPECT_GT(loaded(sources).credentials.size(), loaded({}).credentials.size());
}

TEST(BuiltinCatalogue, KnowsNothingByPatternAloneOutsideOptIn) {
  for (const model::Credential& credential : loaded({"builtin"}).credentials) {
    for (const auto& patterns : {credential.files, credential.sockets}) {
      for (const model::Pattern& pattern : patterns) {
        EXPECT_NE(parse_pattern_form(pattern.text)->root, PatternRoot::anywhere) << credential.name;
      }
    }
  }
}

TEST(BuiltinCatalogue, AgreesWithTheDesignOnAws) {
  const model::Catalogue catalogue = loaded({"builtin"});
  const model::Credential* const aws = find(catalogue, "aws-shared-config");
  ASSERT_NE(aws, nullptr);
  EXPECT_EQ(aws->files.at(0).text, "~/.aws/credentials");
  EXPECT_EQ(aws->relocated_by.at("AWS_SHARED_CREDENTIALS_FILE"), "~/.aws/credentials");
  EXPECT_THAT(aws->variables, ElementsAre("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"));
  EXPECT_EQ(there(aws->destinations).at(0).host, "*.amazonaws.com");
}

TEST(BuiltinCatalogue, LeavesModelTokensUnbound) {
  const model::Catalogue catalogue = loaded({"builtin"});
  for (const char* const name : {"claude-code", "codex", "gemini-cli", "opencode"}) {
    ASSERT_NE(find(catalogue, name), nullptr) << name;
    EXPECT_FALSE(find(catalogue, name)->destinations) << name;
  }
}

TEST(BuiltinCatalogue, EveryEntryRefersToTheLists) {
  for (const model::Credential& credential : loaded({"builtin"}).credentials) {
    EXPECT_THAT(credential.references.attack, Not(IsEmpty())) << credential.name;
    EXPECT_THAT(credential.references.nhi, Not(IsEmpty())) << credential.name;
    EXPECT_THAT(credential.references.owasp_agentic, Contains("ASI03")) << credential.name;
    EXPECT_FALSE(credential.provider.empty()) << credential.name;
  }
}

TEST(BuiltinCatalogue, AVariableAndAnEndpointBelongToOneCredential) {
  std::map<std::string, std::string> owners;
  const model::Catalogue catalogue = loaded({"builtin"});
  for (const model::Credential& credential : catalogue.credentials) {
    for (const std::string& variable : credential.variables) {
      EXPECT_TRUE(owners.emplace(variable, credential.name).second) << variable;
    }
    for (const model::DestinationRule& endpoint : credential.endpoints) {
      const std::string address(endpoint.range.address.begin(), endpoint.range.address.end());
      EXPECT_TRUE(owners.emplace(address, credential.name).second) << credential.name;
    }
  }
}

TEST(BuiltinCatalogue, AnEndpointIsAmongItsOwnDestinations) {
  for (const model::Credential& credential : loaded({"builtin"}).credentials) {
    if (!credential.destinations) continue;
    for (const model::DestinationRule& endpoint : credential.endpoints) {
      const auto same = [&](const model::DestinationRule& rule) {
        return rule.range.address == endpoint.range.address &&
               rule.range.prefix == endpoint.range.prefix;
      };
      EXPECT_TRUE(std::ranges::any_of(there(credential.destinations), same)) << credential.name;
    }
  }
}

TEST(BuiltinCatalogue, HasEveryPlaceOfTheListOfCredentials) {
  // Beside the repository, or beside the directory of its worktrees.
  fs::path list = fs::path(AMBIT_SOURCE_DIR) / "../shared/CREDENTIALS.md";
  if (!fs::exists(list)) list = fs::path(AMBIT_SOURCE_DIR) / "../../shared/CREDENTIALS.md";
  if (!fs::exists(list)) GTEST_SKIP() << "no " << list;
  std::string shipped;
  for (const BuiltinFile& file : builtin_files()) shipped += file.text;
  // Words in backticks; those that are no places of their own are named here.
  const std::set<std::string> aside{
      "rules/credentials/",      ".npmrc",         "etc/npmrc",        "~/.ssh/", ".pub", "..data",
      "$XDG_RUNTIME_DIR/gnupg/", "credentials.db", "access_tokens.db", "id_*"};
  const std::string text = bytes_of(list);
  std::size_t places = 0;
  for (std::size_t open = text.find('`'); open != std::string::npos; open = text.find('`', open)) {
    const std::size_t close = text.find('`', open + 1);
    const std::string word = text.substr(open + 1, close - open - 1);
    open = close + 1;
    if (aside.contains(word)) continue;
    ++places;
    EXPECT_THAT(shipped, HasSubstr(word));
  }
  EXPECT_GT(places, 70U);
}

TEST(ShippedRules, ParseWithoutAWordAndFitTheCatalogue) {
  const model::Catalogue catalogue = loaded({"builtin"});
  std::size_t scopes = 0;
  for (const fs::path& path : yaml_files(kRules)) {
    if (path.string().find("/detections/") != std::string::npos) continue;
    const ParsedFile parsed = parse_document_file(path.string());
    EXPECT_EQ(render(parsed.diagnostics), "");
    EXPECT_THAT(parsed.documents, Not(IsEmpty())) << path;
    for (const Document& document : parsed.documents) {
      const auto* const scope = std::get_if<model::Scope>(&document);
      if (scope == nullptr) continue;
      ++scopes;
      EXPECT_EQ(render(check_scope_against(*scope, catalogue)), "") << path;
    }
  }
  EXPECT_GE(scopes, 4U);
}

}  // namespace
}  // namespace ambit::policy
