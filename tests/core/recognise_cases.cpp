// SPDX-License-Identifier: Apache-2.0
// What a file is: patterns that are compiled over one state of a file system, and a path that is
// opened in a later one.
#include <algorithm>
#include <stdexcept>

#include "tests/core/cases.h"
#include "userspace/policy/core.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/paths.h"

namespace ambit::policy {

namespace {

constexpr std::uint32_t kSpace = 6;

/// A pattern and what matches it; a leading `!` excludes.
struct Line {
  const char* pattern;
  std::vector<std::uint16_t> credentials = {};
  bool program = false;
  bool unix_socket = false;
  std::vector<std::uint16_t> mask = {};
};

struct Opened {
  const char* name;
  std::vector<Line> lines;
  std::vector<const char*> there;  ///< "/dir/", "/file", "/link -> target", "/new = /old"
  std::vector<const char*> later;  ///< likewise, and "/old > /new", "- /gone"
  const char* path;
  Answer expected;
};

Answer credentials(std::vector<std::uint16_t> numbers) {
  return {.credentials = std::move(numbers)};
}
Answer nothing() { return {}; }

/// Whether `line` has `sign` between two paths, which are taken apart.
bool splits(const std::string& line, const std::string& sign, std::string& left,
            std::string& right) {
  const std::size_t at = line.find(" " + sign + " ");
  if (at == std::string::npos) return false;
  left = line.substr(0, at);
  right = line.substr(at + sign.size() + 2);
  return true;
}

void change(FakeFiles& files, const std::string& line) {
  std::string left;
  std::string right;
  if (splits(line, "->", left, right)) {
    files.symlink(left, right);
  } else if (splits(line, "=", left, right)) {
    files.hard_link(left, right);
  } else if (splits(line, ">", left, right)) {
    files.rename(left, right);
  } else if (line.starts_with("- ")) {
    files.remove(line.substr(2));
  } else if (line.ends_with("/")) {
    files.directory(line.substr(0, line.size() - 1));
  } else {
    files.file(line);
  }
}

Case make(const Opened& opened) {
  auto files = std::make_shared<FakeFiles>();
  for (const char* line : opened.there) change(*files, line);
  std::vector<PathPattern> patterns;
  for (const Line& line : opened.lines) {
    const bool exclude = line.pattern[0] == '!';
    patterns.push_back({.text = line.pattern + (exclude ? 1 : 0),
                        .meaning = {.exclude = exclude,
                                    .program = line.program,
                                    .unix_socket = line.unix_socket,
                                    .credentials = line.credentials,
                                    .mask = mask_of(line.mask)}});
  }
  const auto paths = compile_paths(patterns, *files);
  if (!paths) throw std::runtime_error(std::string(opened.name) + ": " + paths.error().message);
  for (const char* line : opened.later) change(*files, line);
  return {.name = opened.name,
          .tables = encode_paths(*paths, kSpace),
          .operation = Recognise{.space = kSpace, .files = files, .path = opened.path},
          .expected = opened.expected};
}

std::vector<Opened> exact_names() {
  return {
      {"AnExactPath", {{"/h/.netrc", {1}}}, {"/h/.netrc"}, {}, "/h/.netrc", credentials({1})},
      {"AFileBesideIt",
       {{"/h/.netrc", {1}}},
       {"/h/.netrc"},
       {"/h/.netrc2"},
       "/h/.netrc2",
       nothing()},
      {"AFileOfTheNameElsewhere",
       {{"/h/.netrc", {1}}},
       {"/h/"},
       {"/g/.netrc"},
       "/g/.netrc",
       nothing()},
      {"AFileOfTheNameDeeper",
       {{"/h/.netrc", {1}}},
       {"/h/"},
       {"/h/d/.netrc"},
       "/h/d/.netrc",
       nothing()},
      {"AFileThatComesLater",
       {{"/h/.netrc", {1}}},
       {"/h/"},
       {"/h/.netrc"},
       "/h/.netrc",
       credentials({1})},
      {"AFileThatIsReplaced",
       {{"/h/.netrc", {1}}},
       {"/h/.netrc"},
       {"/h/new", "/h/new > /h/.netrc"},
       "/h/.netrc",
       credentials({1})},
      {"AFileInADirectoryThatComesLater",
       {{"/h/.aws/sso/token", {1}}},
       {"/h/"},
       {"/h/.aws/sso/token"},
       "/h/.aws/sso/token",
       credentials({1})},
      {"ADirectoryThatIsMadeAnew",
       {{"/h/.aws/token", {1}}},
       {"/h/.aws/token"},
       {"- /h/.aws", "/h/.aws/token"},
       "/h/.aws/token",
       credentials({1})},
      {"AllDirectoriesMadeAnewAsFarAsAnchorsReach",
       {{"/h/a/b/c/d", {1}}},
       {"/h/a/b/c/d"},
       {"- /h/a", "/h/a/b/c/d"},
       "/h/a/b/c/d",
       credentials({1})},
      {"AFileDirectlyInTheRoot", {{"/secret", {1}}}, {"/secret"}, {}, "/secret", credentials({1})},
      {"ADeepPathThatIsNotThereYet",
       {{"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", {1}}},
       {},
       {"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"},
       "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
       credentials({1})},
      {"ADirectorySymlinkOnTheWay",
       {{"/var/run/secrets/token", {1}}},
       {"/run/secrets/", "/var/run -> /run"},
       {"/run/secrets/token"},
       "/var/run/secrets/token",
       credentials({1})},
      {"TheSameByItsRealName",
       {{"/var/run/secrets/token", {1}}},
       {"/run/secrets/", "/var/run -> /run"},
       {"/run/secrets/token"},
       "/run/secrets/token",
       credentials({1})},
      {"AMovedDirectoryKeepsItsFiles",
       {{"/h/.aws/token", {1}}},
       {"/h/.aws/token"},
       {"/h/.aws > /h/elsewhere"},
       "/h/elsewhere/token",
       credentials({1})},
  };
}

std::vector<Opened> subtrees() {
  return {
      {"AFileInASubtree",
       {{"/h/.ssh/**", {2}}},
       {"/h/.ssh/id"},
       {},
       "/h/.ssh/id",
       credentials({2})},
      {"AFileFarBelow",
       {{"/h/.ssh/**", {2}}},
       {"/h/.ssh/"},
       {"/h/.ssh/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x"},
       "/h/.ssh/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x",
       credentials({2})},
      {"ASubtreeThatComesLater",
       {{"/h/.config/gcloud/**", {2}}},
       {"/h/"},
       {"/h/.config/gcloud/a/b"},
       "/h/.config/gcloud/a/b",
       credentials({2})},
      {"FarBelowASubtreeThatComesLater",
       {{"/h/c/**", {2}}},
       {"/h/"},
       {"/h/c/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x"},
       "/h/c/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x",
       credentials({2})},
      {"TheDirectoryItselfIsNotBelow",
       {{"/h/.ssh/**", {2}}},
       {"/h/.ssh/"},
       {},
       "/h/.ssh",
       nothing()},
      {"BesideASubtree",
       {{"/h/.ssh/**", {2}}},
       {"/h/.ssh/"},
       {"/h/.sshx/id"},
       "/h/.sshx/id",
       nothing()},
      {"AFileMovedOutIsNotBelow",
       {{"/h/.ssh/**", {2}}},
       {"/h/.ssh/"},
       {"/h/.ssh/id", "/h/.ssh/id > /h/id"},
       "/h/id",
       nothing()},
  };
}

std::vector<Opened> stars() {
  return {
      {"AStarBehindAPrefix",
       {{"/tmp/krb5cc_*", {3}}},
       {"/tmp/"},
       {"/tmp/krb5cc_1000"},
       "/tmp/krb5cc_1000",
       credentials({3})},
      {"AStarStandsForNothingToo",
       {{"/tmp/krb5cc_*", {3}}},
       {"/tmp/"},
       {"/tmp/krb5cc_"},
       "/tmp/krb5cc_",
       credentials({3})},
      {"ANameShorterThanThePrefix",
       {{"/tmp/krb5cc_*", {3}}},
       {"/tmp/"},
       {"/tmp/krb5cc"},
       "/tmp/krb5cc",
       nothing()},
      {"AStarDoesNotCrossASlash",
       {{"/tmp/krb5cc_*", {3}}},
       {"/tmp/"},
       {"/tmp/krb5cc_1/x"},
       "/tmp/krb5cc_1/x",
       nothing()},
      {"AStarBeforeASuffix",
       {{"/etc/keys/*.pem", {3}}},
       {"/etc/keys/"},
       {"/etc/keys/a.pem"},
       "/etc/keys/a.pem",
       credentials({3})},
      {"AStarBetween",
       {{"/etc/keys/id_*.key", {3}}},
       {"/etc/keys/"},
       {"/etc/keys/id_rsa.key"},
       "/etc/keys/id_rsa.key",
       credentials({3})},
      {"PrefixAndSuffixMayNotOverlap",
       {{"/etc/keys/aba*ba", {3}}},
       {"/etc/keys/"},
       {"/etc/keys/aba"},
       "/etc/keys/aba",
       nothing()},
      {"PrefixAndSuffixMayTouch",
       {{"/etc/keys/aba*ba", {3}}},
       {"/etc/keys/"},
       {"/etc/keys/ababa"},
       "/etc/keys/ababa",
       credentials({3})},
      {"AStarForAWholeDirectoryName",
       {{"/run/user/*/bus", {3}}},
       {"/run/user/"},
       {"/run/user/1000/bus"},
       "/run/user/1000/bus",
       credentials({3})},
      {"NotAFileOfAnotherNameThere",
       {{"/run/user/*/bus", {3}}},
       {"/run/user/"},
       {"/run/user/1000/buss"},
       "/run/user/1000/buss",
       nothing()},
      {"NotOneDirectoryDeeper",
       {{"/run/user/*/bus", {3}}},
       {"/run/user/"},
       {"/run/user/1000/x/bus"},
       "/run/user/1000/x/bus",
       nothing()},
      {"AStarInADirectoryThatComesLater",
       {{"/h/.x/y/*.json/z", {3}}},
       {"/h/"},
       {"/h/.x/y/a.json/z"},
       "/h/.x/y/a.json/z",
       credentials({3})},
      {"ManyShapesOfOneDirectory",
       {{"/d/a*", {1}}, {"/d/*b", {2}}, {"/d/cc*c", {3}}, {"/d/*/x", {4}}, {"/d/e*e", {5}}},
       {"/d/"},
       {"/d/ccxc"},
       "/d/ccxc",
       credentials({3})},
      {"ANameIsAlsoLookedForAmongShapes",
       {{"/d/a*", {1}}, {"/d/b", {2}}},
       {"/d/"},
       {"/d/b"},
       "/d/b",
       credentials({2})},
      {"SixteenShapes",
       {{"/d/1*", {1}},
        {"/d/12*", {1}},
        {"/d/123*", {1}},
        {"/d/1234*", {1}},
        {"/d/12345*", {1}},
        {"/d/123456*", {1}},
        {"/d/1234567*", {1}},
        {"/d/12345678*", {1}},
        {"/d/*1", {1}},
        {"/d/*12", {1}},
        {"/d/*123", {1}},
        {"/d/*1234", {1}},
        {"/d/*12345", {1}},
        {"/d/*123456", {1}},
        {"/d/*1234567", {1}},
        {"/d/*abcdefgh", {9}}},
       {"/d/"},
       {"/d/xxabcdefgh"},
       "/d/xxabcdefgh",
       credentials({9})},
  };
}

std::vector<Opened> anywhere() {
  return {
      {"ANameAnywhere",
       {{"**/id_rsa", {4}}},
       {},
       {"/a/b/c/id_rsa"},
       "/a/b/c/id_rsa",
       credentials({4})},
      {"ANameAnywhereInTheRoot",
       {{"**/id_rsa", {4}}},
       {},
       {"/id_rsa"},
       "/id_rsa",
       credentials({4})},
      {"NotAPartOfAName", {{"**/id_rsa", {4}}}, {}, {"/a/id_rsa.pub"}, "/a/id_rsa.pub", nothing()},
      {"NotADirectoryOfThatName",
       {{"**/id_rsa", {4}}},
       {},
       {"/a/id_rsa/x"},
       "/a/id_rsa/x",
       nothing()},
      {"AStarAnywhere",
       {{"**/*.pem", {4}}},
       {},
       {"/a/b/key.pem"},
       "/a/b/key.pem",
       credentials({4})},
      {"AStarAndANameAnywhere",
       {{"**/*.pem", {4}}, {"**/.env", {5}}},
       {},
       {"/a/.env"},
       "/a/.env",
       credentials({5})},
      {"BothAnywhereWhenTheyAreAsSpecific",
       {{"**/*.pem", {4}}, {"**/k*.em", {5}}},
       {},
       {"/a/k.pem"},
       "/a/k.pem",
       credentials({4})},
  };
}

std::vector<Opened> ranks() {
  return {
      {"AnExactPathWinsOverAStar",
       {{"/d/a*", {1}}, {"/d/ab", {2}}},
       {"/d/"},
       {"/d/ab"},
       "/d/ab",
       credentials({2})},
      {"AStarWinsOverASubtree",
       {{"/d/**", {1}}, {"/d/a*", {2}}},
       {"/d/"},
       {"/d/ab"},
       "/d/ab",
       credentials({2})},
      {"ASubtreeWinsOverAnywhere",
       {{"**/ab", {1}}, {"/d/**", {2}}},
       {"/d/"},
       {"/d/ab"},
       "/d/ab",
       credentials({2})},
      {"TheDeeperSubtreeWins",
       {{"/d/**", {1}}, {"/d/e/**", {2}}},
       {"/d/e/"},
       {"/d/e/x"},
       "/d/e/x",
       credentials({2})},
      {"TheLongerStarWins",
       {{"/d/a*", {1}}, {"/d/ab*", {2}}},
       {"/d/"},
       {"/d/abc"},
       "/d/abc",
       credentials({2})},
      {"TheOrderOfPatternsDoesNotMatter",
       {{"/d/ab", {2}}, {"/d/a*", {1}}, {"/d/**", {3}}},
       {"/d/"},
       {"/d/ab"},
       "/d/ab",
       credentials({2})},
      {"TheSamePathInTwoCredentialsIsBoth",
       {{"/d/x", {1}}, {"/d/x", {2}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({1, 2})},
      {"TwoStarsOfOneLengthAreBoth",
       {{"/d/a*", {1}}, {"/d/*b", {2}}},
       {"/d/"},
       {"/d/ab"},
       "/d/ab",
       credentials({1, 2})},
      {"TheSamePatternTwiceIsOneCredential",
       {{"/d/x", {1}}, {"/d/x", {1}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({1})},
      {"FourCredentialsOfOneFile",
       {{"/d/x", {1}}, {"/d/x", {2}}, {"/d/x", {3}}, {"/d/x", {4}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({1, 2, 3, 4})},
      {"AnExactNameBesideASubtreeOfThatName",
       {{"/d/x/**", {1}}, {"/d/x", {2}}},
       {"/d/"},
       {"/d/x/y"},
       "/d/x/y",
       credentials({1})},
      {"ASubtreeBesideAnExactNameOfThatName",
       {{"/d/x", {2}}, {"/d/x/**", {1}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({2})},
  };
}

std::vector<Opened> exclusions() {
  return {
      {"WhatIsExcludedIsNot",
       {{"/h/.ssh/**", {1}}, {"!/h/.ssh/known_hosts", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/known_hosts"},
       "/h/.ssh/known_hosts",
       nothing()},
      {"TheRestStays",
       {{"/h/.ssh/**", {1}}, {"!/h/.ssh/known_hosts", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/id"},
       "/h/.ssh/id",
       credentials({1})},
      {"AStarExcludes",
       {{"/h/.ssh/**", {1}}, {"!/h/.ssh/*.pub", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/id.pub"},
       "/h/.ssh/id.pub",
       nothing()},
      {"ASubtreeExcludes",
       {{"/h/.ssh/**", {1}}, {"!/h/.ssh/public/**", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/public/a/b"},
       "/h/.ssh/public/a/b",
       nothing()},
      {"AnywhereExcludes",
       {{"/h/.ssh/**", {1}}, {"!**/*.pub", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/id.pub"},
       "/h/.ssh/id.pub",
       nothing()},
      {"AnExclusionWinsOverAMoreSpecificPattern",
       {{"/h/.ssh/id.pub", {1}}, {"!**/*.pub", {1}}},
       {"/h/.ssh/"},
       {"/h/.ssh/id.pub"},
       "/h/.ssh/id.pub",
       nothing()},
      {"TheSamePatternIncludedAndExcluded",
       {{"/d/x", {1}}, {"!/d/x", {1}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       nothing()},
      {"ExcludedFromOneIsStillTheOther",
       {{"/d/**", {1}}, {"/d/**", {2}}, {"!/d/x", {1}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({2})},
      {"ExcludedFromTheMoreSpecificIsStillTheLess",
       {{"/d/**", {1}}, {"/d/*.json", {2}}, {"!/d/x.json", {2}}},
       {"/d/"},
       {"/d/x.json"},
       "/d/x.json",
       credentials({1})},
      {"ExcludedByThePatternThatAnotherIncludes",
       {{"/d/**", {1}}, {"!**/x", {1}}, {"**/x", {2}}},
       {"/d/"},
       {"/d/x"},
       "/d/x",
       credentials({2})},
      {"AnExcludedDirectoryDoesNotHideASiblingPattern",
       {{"/d/**", {1}}, {"!/d/e/**", {1}}, {"/d/e/x", {2}}},
       {"/d/e/"},
       {"/d/e/x"},
       "/d/e/x",
       credentials({2})},
  };
}

std::vector<Opened> programs() {
  return {
      {"AProgram",
       {{"/usr/bin/git", {}, true}},
       {"/usr/bin/git"},
       {},
       "/usr/bin/git",
       {.program = true}},
      {"AProgramByStar",
       {{"/usr/bin/python3*", {}, true}},
       {"/usr/bin/"},
       {"/usr/bin/python3.11"},
       "/usr/bin/python3.11",
       {.program = true}},
      {"AProgramInASubtree",
       {{"/opt/tools/**", {}, true}},
       {"/opt/tools/"},
       {"/opt/tools/a/b"},
       "/opt/tools/a/b",
       {.program = true}},
      {"AProgramThatIsTakenOut",
       {{"/opt/tools/**", {}, true}, {"!/opt/tools/evil", {}, true}},
       {"/opt/tools/"},
       {"/opt/tools/evil"},
       "/opt/tools/evil",
       nothing()},
      {"AProgramStaysOutWhateverElseNamesIt",
       {{"!/opt/tools/**", {}, true}, {"/opt/tools/evil", {}, true}},
       {"/opt/tools/"},
       {"/opt/tools/evil"},
       "/opt/tools/evil",
       nothing()},
      {"AReaderNeedsNoListing",
       {{"/usr/bin/gh", {}, false, false, {7}}},
       {"/usr/bin/gh"},
       {},
       "/usr/bin/gh",
       {.mask = {7}}},
      {"AReaderOfTwo",
       {{"/usr/bin/gh", {}, true, false, {7}}, {"/usr/bin/g*", {}, false, false, {200}}},
       {"/usr/bin/gh"},
       {},
       "/usr/bin/gh",
       {.program = true, .mask = {7, 200}}},
      {"ASocket",
       {{"/run/db.sock", {}, false, true, {7}}},
       {"/run/"},
       {"/run/db.sock"},
       "/run/db.sock",
       {.unix_socket = true, .mask = {7}}},
      {"AReadersSubtreeWidensNoExactProgram",
       {{"/opt/x", {}, true}, {"/opt/x/**", {}, false, false, {7}}},
       {"/opt/x/y"},
       {},
       "/opt/x/y",
       {.mask = {7}}},
  };
}

Opened longest_name() {
  static const std::string name(255, 'n');
  static const std::string path = "/d/" + name;
  return {"ANameOf255Bytes", {{path.c_str(), {1}}}, {"/d/"},
          {path.c_str()},    path.c_str(),          credentials({1})};
}

Case by_inode() {
  auto files = std::make_shared<FakeFiles>();
  files->file("/somewhere/else");
  model::CompiledPaths paths;
  paths.inodes[files->look("/somewhere/else")->id] = {.rank = CORE_RANK_INODE,
                                                      .credentials = {3, 9}};
  return {.name = "AFileThatIsKnownByItsInode",
          .tables = encode_paths(paths, kSpace),
          .operation = Recognise{.space = kSpace, .files = files, .path = "/somewhere/else"},
          .expected = credentials({3, 9})};
}

Case in_another_space() {
  Case out = make({"AnotherSpaceKnowsNothingOfIt",
                   {{"/h/.netrc", {1}}, {"**/x", {2}}},
                   {"/h/.netrc"},
                   {},
                   "/h/.netrc",
                   nothing()});
  std::get<Recognise>(out.operation).space = kSpace + 1;
  return out;
}

}  // namespace

std::vector<Case> recognise_cases() {
  std::vector<Case> out{by_inode(), in_another_space(), make(longest_name())};
  for (const auto& all :
       {exact_names(), subtrees(), stars(), anywhere(), ranks(), exclusions(), programs()})
    for (const Opened& opened : all)
      if (opened.path[0] != '\0') out.push_back(make(opened));
  return out;
}

}  // namespace ambit::policy
