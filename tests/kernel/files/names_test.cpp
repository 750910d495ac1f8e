// SPDX-License-Identifier: Apache-2.0
// A secret under every name: what `cat` of it comes to, with each of the four responses.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <ostream>

#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// One place of the scratch directory, of one way: its secret is PLACE/.aws/credentials.
struct Place {
  const Scratch* scratch = nullptr;
  std::string name;

  [[nodiscard]] std::string at(const std::string& below) const {
    return scratch->path(name + "/" + below);
  }
  [[nodiscard]] std::string secret() const { return at(".aws/credentials"); }
  void make(const std::string& below) const { scratch->secret(name + "/" + below); }
};

using Step = void (*)(const Place&);

struct Name {
  const char* name;
  std::string opened;  ///< what cat is given, below the place
  std::string lies;    ///< where the file is in the end
  Step before = [](const Place& place) { place.make(".aws/credentials"); };
  Step meanwhile = [](const Place&) {};
  Words (*prefix)(const Place&) = [](const Place&) { return Words{}; };
};

void make_nothing(const Place& place) { place.scratch->directory(place.name + "/.aws"); }
void make_no_directory(const Place& place) { place.scratch->directory(place.name); }

void make_with_symlink(const Place& place) {
  place.make(".aws/credentials");
  fs::create_symlink(place.secret(), place.at("other"));
}

/// A secret that lies elsewhere, as those who keep their settings under version control have it.
void make_as_symlink(const Place& place) {
  place.make("dotfiles/aws");
  place.scratch->directory(place.name + "/.aws");
  fs::create_symlink(place.at("dotfiles/aws"), place.secret());
}

void replace_target(const Place& place) {
  place.make("dotfiles/new");
  fs::rename(place.at("dotfiles/new"), place.at("dotfiles/aws"));
}

void make_with_link(const Place& place) {
  place.make(".aws/credentials");
  fs::create_hard_link(place.secret(), place.at("other"));
}

void make_later(const Place& place) { place.make(".aws/credentials"); }

void replace(const Place& place) {
  place.make(".aws/new");
  fs::rename(place.at(".aws/new"), place.secret());
}

const std::vector<Name>& names() {
  static const std::string usual = ".aws/credentials";
  static const std::vector<Name> all{
      {.name = "TheName", .opened = usual, .lies = usual},
      {.name = "ASymlink", .opened = "other", .lies = usual, .before = make_with_symlink},
      {.name = "AHardLinkMadeBefore", .opened = "other", .lies = usual, .before = make_with_link},
      {.name = "AHardLinkMadeByTheTask",
       .opened = "other",
       .lies = usual,
       .prefix = [](const Place& p) { return Words{"link", p.secret(), p.at("other")}; }},
      {.name = "TheRootOfProc", .opened = "", .lies = usual},
      {.name = "ANameWithDots", .opened = ".aws/../.aws/./credentials", .lies = usual},
      {.name = "ANewNameGivenByTheTask",
       .opened = "other",
       .lies = "other",
       .prefix = [](const Place& p) { return Words{"rename", p.secret(), p.at("other")}; }},
      {.name = "ANewNameOfItsDirectoryGivenByTheTask",
       .opened = "moved/credentials",
       .lies = "moved/credentials",
       .prefix = [](const Place& p) { return Words{"rename", p.at(".aws"), p.at("moved")}; }},
      {.name = "ANewNameGivenByAnother",
       .opened = "other",
       .lies = "other",
       .meanwhile = [](const Place& p) { fs::rename(p.secret(), p.at("other")); }},
      {.name = "ANewNameOfItsDirectoryGivenByAnother",
       .opened = "moved/credentials",
       .lies = "moved/credentials",
       .meanwhile = [](const Place& p) { fs::rename(p.at(".aws"), p.at("moved")); }},
      {.name = "ANameMadeAfterTheStart",
       .opened = usual,
       .lies = usual,
       .before = make_nothing,
       .meanwhile = make_later},
      {.name = "ANameMadeAfterTheStartWithItsDirectory",
       .opened = usual,
       .lies = usual,
       .before = make_no_directory,
       .meanwhile = make_later},
      {.name = "ANewFileInPlaceOfTheOld", .opened = usual, .lies = usual, .meanwhile = replace},
      {.name = "ASymlinkThatIsTheCredential",
       .opened = usual,
       .lies = "dotfiles/aws",
       .before = make_as_symlink},
      {.name = "ASymlinkWhoseTargetIsReplaced",
       .opened = usual,
       .lies = "dotfiles/aws",
       .before = make_as_symlink,
       .meanwhile = replace_target},
      {.name = "AFileOfACredentialDirectoryMadeAfterTheStart",
       .opened = ".aws/sso/token",
       .lies = ".aws/sso/token",
       .before = [](const Place& p) { p.scratch->directory(p.name + "/.aws/sso"); },
       .meanwhile = [](const Place& p) { p.make(".aws/sso/token"); }},
      {.name = "AFileInADirectoryMadeAfterTheStart",
       .opened = ".aws/sso/a/b/token",
       .lies = ".aws/sso/a/b/token",
       .before = [](const Place& p) { p.scratch->directory(p.name + "/.aws/sso"); },
       .meanwhile = [](const Place& p) { p.make(".aws/sso/a/b/token"); }},
      {.name = "ALinkByTheTaskToANewFileInPlaceOfTheOld",
       .opened = "other",
       .lies = usual,
       .meanwhile = replace,
       .prefix = [](const Place& p) { return Words{"link", p.secret(), p.at("other")}; }},
      {.name = "ANewNameByTheTaskOfAFileMadeWithItsDirectory",
       .opened = "other",
       .lies = "other",
       .before = make_no_directory,
       .meanwhile = make_later,
       .prefix = [](const Place& p) { return Words{"rename", p.secret(), p.at("other")}; }},
      {.name = "ANewNameByTheTaskOfAFileInADirectoryMadeAfterTheStart",
       .opened = "other",
       .lies = "other",
       .before = [](const Place& p) { p.scratch->directory(p.name + "/.aws/sso"); },
       .meanwhile = [](const Place& p) { p.make(".aws/sso/a/b/token"); },
       .prefix =
           [](const Place& p) {
             return Words{"rename", p.at(".aws/sso/a/b/token"), p.at("other")};
           }},
  };
  return all;
}

struct Response {
  const char* name;
  const char* asked;
  bool shadow;
  const char* effective;
};

constexpr std::array kResponses{
    Response{.name = "Killed", .asked = "kill", .shadow = false, .effective = "killed"},
    Response{.name = "Denied", .asked = "deny", .shadow = false, .effective = "denied"},
    Response{.name = "AlertedOn", .asked = "alert", .shadow = false, .effective = "alerted"},
    Response{.name = "Shadowed", .asked = "kill", .shadow = true, .effective = "alerted"},
};

Place place_of(const Scratch& scratch, const Name& name) { return {&scratch, name.name}; }

Item item_of(const Scratch& scratch, const Name& name) {
  const Place place = place_of(scratch, name);
  Item item{.name = name.name, .argv = name.prefix(place)};
  const std::string path =
      name.opened.empty() ? "/proc/self/root" + place.secret() : place.at(name.opened);
  for (const std::string& word : {std::string("exec"), std::string("/usr/bin/cat"), path})
    item.argv.push_back(word);
  return item;
}

/// One run for all names.
class OneResponse {
 public:
  explicit OneResponse(const Response& response) {
    Task task{.scope = {.shadow = response.shadow, .credential_response = response.asked},
              .catalogue = {{.name = "aws"}}};
    std::vector<Item> items;
    for (const Name& name : names()) {
      const Place place = place_of(scratch, name);
      name.before(place);
      task.catalogue.front().files.push_back(place.secret());
      task.catalogue.front().files.push_back(place.at(".aws/sso/**"));
      items.push_back(item_of(scratch, name));
    }
    plan = run_plan(scratch, task, items, [this] {
      for (const Name& name : names()) name.meanwhile(place_of(scratch, name));
    });
  }

  Scratch scratch;
  PlanRun plan;
};

const OneResponse& run_with(const Response& response) {
  static std::map<std::string, std::unique_ptr<OneResponse>> all;
  auto& one = all[response.name];
  if (!one) one = std::make_unique<OneResponse>(response);
  return *one;
}

class ASecretUnder : public testing::TestWithParam<std::tuple<Response, Name>> {};

TEST_P(ASecretUnder, IsTheSameSecretWithOneFindingThatNamesTheFile) {
  const auto& [response, name] = GetParam();
  const OneResponse& one = run_with(response);
  const Done& cat = one.plan.of(name.name);
  const std::string file = place_of(one.scratch, name).at(name.lies);
  const bool stopped = std::string(response.effective) != "alerted";
  if (std::string(response.effective) == "killed") {
    EXPECT_TRUE(cat.killed()) << cat;
  } else if (stopped) {
    EXPECT_EQ(cat.exit, 1) << cat;
    EXPECT_THAT(cat.err, HasSubstr("Operation not permitted"));
  } else {
    EXPECT_EQ(cat.exit, 0) << cat;
  }
  ASSERT_THAT(content_of(file), HasSubstr(std::string(kSecretWord))) << "the secret itself is gone";
  EXPECT_EQ(cat.out, stopped ? "" : content_of(file));
  EXPECT_TRUE(is_only(one.plan.run.events.findings_about(identity_of(file)),
                      {"credential_not_in_scope", response.asked, response.effective}));
}

INSTANTIATE_TEST_SUITE_P(
    Any, ASecretUnder, testing::Combine(testing::ValuesIn(kResponses), testing::ValuesIn(names())),
    [](const auto& given) {
      return std::string(std::get<1>(given.param).name) + "Is" + std::get<0>(given.param).name;
    });

class EveryNameOfASecret : public testing::TestWithParam<Response> {};

TEST_P(EveryNameOfASecret, HasNoOtherFinding) {
  const OneResponse& one = run_with(GetParam());
  EXPECT_EQ(one.plan.run.events.findings().size(), names().size())
      << summary(one.plan.run.events.findings());
}

INSTANTIATE_TEST_SUITE_P(Any, EveryNameOfASecret, testing::ValuesIn(kResponses),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace ambit::probe
