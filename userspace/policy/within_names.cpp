// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/within_names.h"

#include <algorithm>

#include "userspace/policy/core.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/path_facts.h"
#include "userspace/policy/pattern_relation.h"

namespace ambit::policy {
namespace {

constexpr std::uint32_t kSpace = 1;

/// A name that no pattern can mean by itself, since documents have no control characters: what is
/// said of it is said of every name that can stand there.
constexpr std::string_view kAnyName = "\x01\x02\x01";

/// A directory of which nothing is known, as one that is made later.
constexpr model::FileId kAnyDirectory{.dev = ~0ULL, .ino = ~0ULL};

std::string with_any_name(const std::string& component) {
  const std::size_t star = component.find('*');
  if (star == std::string::npos) return component;
  return component.substr(0, star) + std::string(kAnyName) + component.substr(star + 1);
}

bool is_permitted(const Recognised& what, Permission permission) {
  switch (permission.kind) {
    case Permission::Kind::program:
      return what.program;
    case Permission::Kind::unix_socket:
      return what.unix_socket;
    case Permission::Kind::credential:
      return (what.mask.at(permission.bit / 64U) >> (permission.bit % 64U) & 1U) != 0;
  }
  return false;
}

bool concerns(const model::TakenOut& taken, Permission permission) {
  if (permission.kind == Permission::Kind::program) return taken.program;
  if (permission.kind == Permission::Kind::unix_socket) return false;
  return (taken.mask.at(permission.bit / 64U) >> (permission.bit % 64U) & 1U) != 0;
}

}  // namespace

Result<std::unique_ptr<NamesInForce>> NamesInForce::of(const model::CompiledPolicy& policy,
                                                       const FileSystem& files) {
  std::unique_ptr<NamesInForce> names(new NamesInForce(policy, files));
  if (auto put = put_all(names->tables_, encode_paths(policy.paths, kSpace)); !put)
    return std::unexpected(put.error());
  return names;
}

std::optional<std::string> NamesInForce::outside(const std::string& pattern,
                                                 const std::vector<model::Pattern>& list,
                                                 Permission permission) const {
  if (pattern.starts_with('@')) {
    if (permits_abstract(pattern, permission)) return std::nullopt;
    return in_quotes(pattern);
  }
  if (permission.kind != Permission::Kind::unix_socket) {
    // Compiling knows such a program by its inode alone.
    if (const auto program = one_program(pattern, files_)) {
      if (permits_file(program->canonical, permission)) return std::nullopt;
      return in_quotes(pattern);
    }
  }
  if (auto outside = outside_by_name(pattern, permission)) return outside;
  for (const std::string& target : targets_of(pattern, files_))
    if (auto outside = outside_by_name(target, permission))
      return in_quotes(pattern) + " with a symlink to " + *outside;
  return met_by_exclusion(pattern, list, permission);
}

std::optional<std::string> NamesInForce::outside_by_name(const std::string& pattern,
                                                         Permission permission) const {
  if (!permits_name(pattern, permission)) return in_quotes(pattern);
  for (const std::string& path : existing_files({{.text = pattern, .meaning = {}}}, files_)) {
    const auto file = files_.look(path);
    if (!file || !knows_inode(file->id) || permits_file(file->canonical, permission)) continue;
    return in_quotes(pattern) + " with " + in_quotes(file->canonical);
  }
  return std::nullopt;
}

bool NamesInForce::permits_name(const std::string& text, Permission permission) const {
  const auto form = parse_pattern_form(text);
  if (!form) return false;
  if (form->root == PatternRoot::anywhere) return permits_anywhere(*form, permission);
  const std::vector<AnchorPlace> places = anchor_places(*form, files_);
  return !places.empty() && std::ranges::all_of(places, [&](const AnchorPlace& place) {
    return permits_below(place, *form, permission);
  });
}

bool NamesInForce::permits_anywhere(const PatternForm& form, Permission permission) const {
  const auto root = files_.look("/");
  if (!root) return false;
  PatternForm deep = form;
  deep.components.insert(deep.components.begin(), {std::string(kAnyName), std::string(kAnyName)});
  if (!permits_below({.directory = *root, .done = 0}, deep, permission)) return false;
  // Where a program that is known by its inode has a name now cannot be listed.
  return std::ranges::all_of(policy_.paths.inodes, [&](const auto& known) {
    return is_permitted({.program = known.second.program, .mask = known.second.mask}, permission);
  });
}

/// Whatever stands below the directory under a name of the pattern, when all other directories
/// below it are made anew.
bool NamesInForce::permits_below(const AnchorPlace& place, const PatternForm& form,
                                 Permission permission) const {
  const auto facts = std::make_unique<PathFacts>();
  const std::string directory = place.directory.canonical;
  if (directory != "/" && !take_facts(files_, directory, *facts)) return false;
  std::vector<std::string> rest;
  for (std::size_t i = place.done; i < form.components.size(); ++i)
    rest.push_back(with_any_name(form.components[i]));
  if (form.subtree) rest.insert(rest.end(), {std::string(kAnyName), std::string(kAnyName)});
  if (facts->count + rest.size() > PathFacts::kMaxComponents) return false;
  model::FileId at = place.directory.id;
  for (const std::string& name : rest) {
    facts->components[facts->count++] = {.name = name, .directory = at};
    at = kAnyDirectory;
  }
  facts->file = kAnyDirectory;
  return is_permitted(recognise(tables_, kSpace, *facts, false), permission);
}

bool NamesInForce::permits_file(const std::string& path, Permission permission) const {
  const auto facts = std::make_unique<PathFacts>();
  return take_facts(files_, path, *facts) &&
         is_permitted(recognise(tables_, kSpace, *facts), permission);
}

bool NamesInForce::permits_abstract(const std::string& name, Permission permission) const {
  const auto known =
      policy_.paths.names.find({CORE_ANCHOR_ABSTRACT, name_hash(std::string_view(name).substr(1))});
  return known != policy_.paths.names.end() &&
         is_permitted({.unix_socket = known->second.unix_socket, .mask = known->second.mask},
                      permission);
}

bool NamesInForce::knows_inode(const model::FileId& id) const {
  return policy_.paths.inodes.contains(id);
}

/// What is taken out in the policy must be taken out here as well, where the two may meet.
std::optional<std::string> NamesInForce::met_by_exclusion(const std::string& pattern,
                                                          const std::vector<model::Pattern>& list,
                                                          Permission permission) const {
  std::vector<std::string> names = names_without_symlinks(pattern, files_);
  for (const std::string& target : targets_of(pattern, files_)) names.push_back(target);
  for (const model::TakenOut& taken : policy_.taken_out) {
    if (!concerns(taken, permission)) continue;
    const auto out = parse_pattern_form(taken.text);
    if (out && is_taken_out(*out, list)) continue;
    for (const std::string& name : names) {
      const auto form = parse_pattern_form(name);
      if (!out || !form || may_meet(*form, *out))
        return in_quotes(pattern) + " without " + in_quotes("!" + taken.text);
    }
  }
  return std::nullopt;
}

bool NamesInForce::is_taken_out(const PatternForm& taken,
                                const std::vector<model::Pattern>& list) const {
  return std::ranges::any_of(list, [&](const model::Pattern& exclude) {
    if (!exclude.exclude) return false;
    const std::vector<std::string> names = names_without_symlinks(exclude.text, files_);
    return std::ranges::any_of(names, [&](const std::string& name) {
      const auto form = parse_pattern_form(name);
      return form && covers(*form, taken);
    });
  });
}

}  // namespace ambit::policy
