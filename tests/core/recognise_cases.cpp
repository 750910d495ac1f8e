// SPDX-License-Identifier: Apache-2.0
// What a file is: patterns that are compiled over one state of a file system, and a path that is
// opened in a later one.
#include <algorithm>
#include <stdexcept>

#include "tests/core/opened.h"
#include "userspace/policy/core.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/paths.h"

namespace ambit::policy {

namespace {

constexpr std::uint32_t kSpace = 6;

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
