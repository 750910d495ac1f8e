// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/paths.h"

#include <algorithm>
#include <array>
#include <map>

#include "userspace/policy/core.h"

namespace ambit::policy {

namespace {

using model::Anchor;
using model::CompiledPaths;
using model::CompiledRule;
using model::FileId;
using model::NameShape;

// Directories above the deepest one that exists are anchors too, so that a directory that is
// removed and made anew is still known by its name. Three reach from ~/.aws/sso to the home.
constexpr std::size_t kAnchorsAbove = 3;

enum class Rank : std::uint16_t { anywhere = 0, subtree = 1, star = 2, exact = 3 };

std::uint16_t rank_of(const PatternForm& form) {
  Rank rank = Rank::exact;
  if (form.root == PatternRoot::anywhere)
    rank = Rank::anywhere;
  else if (form.subtree)
    rank = Rank::subtree;
  else if (form.star)
    rank = Rank::star;
  std::size_t length = 0;
  for (const std::string& component : form.components) length += component.size() + 1;
  constexpr std::size_t kStep = 8192;
  return static_cast<std::uint16_t>(1 + static_cast<std::size_t>(rank) * kStep +
                                    std::min(length, kStep - 2));
}

void add_new(std::vector<std::uint16_t>& to, const std::vector<std::uint16_t>& numbers) {
  for (const std::uint16_t number : numbers)
    if (std::ranges::find(to, number) == to.end()) to.push_back(number);
}

/// A pattern that excludes says what a file is not.
CompiledRule rule_of(const CompiledRule& meaning) {
  CompiledRule rule = meaning;
  if (!meaning.exclude) return rule;
  std::swap(rule.credentials, rule.out);
  rule.exclude = rule.program;
  rule.mask_out = rule.mask != model::CredentialMask{};
  return rule;
}

Result<void> merge_masks(CompiledRule& into, const CompiledRule& rule) {
  if (rule.mask == model::CredentialMask{}) return {};
  if (into.mask != model::CredentialMask{} && into.mask_out != rule.mask_out)
    return fail("it is a reader of one credential and excluded from those of another");
  into.mask_out = rule.mask_out;
  for (std::size_t i = 0; i < into.mask.size(); ++i) into.mask[i] |= rule.mask[i];
  return {};
}

/// Two rules for one key: the more specific wins, equals are united, exclusions add up.
Result<void> merge(CompiledRule& into, const CompiledRule& rule) {
  into.program |= rule.program;
  into.unix_socket |= rule.unix_socket;
  into.subtree |= rule.subtree;
  into.exclude |= rule.exclude;
  add_new(into.out, rule.out);
  if (!rule.credentials.empty()) {
    if (into.credentials.empty() || rule.rank > into.rank) {
      into.credentials.clear();
      into.rank = rule.rank;
    }
    if (rule.rank == into.rank) add_new(into.credentials, rule.credentials);
  }
  if (into.credentials.size() > CORE_MAX_MATCHES) return fail("more than 4 credentials name it");
  if (into.out.size() > CORE_MAX_MATCHES) return fail("more than 4 credentials exclude it");
  return merge_masks(into, rule);
}

struct Names {
  std::uint64_t hash = 0;
  std::optional<NameShape> shape;
};

/// The hash under which the components from `first` up to `end` are found.
Names names_from(const PatternForm& form, std::size_t first, std::size_t end) {
  Names out;
  for (std::size_t i = first; i < end; ++i) {
    const std::string& component = form.components[i];
    std::uint64_t token = 0;
    if (form.star == i) {
      const std::size_t star = component.find('*');
      const std::string_view prefix = std::string_view(component).substr(0, star);
      const std::string_view suffix = std::string_view(component).substr(star + 1);
      out.shape = NameShape{.level = static_cast<std::uint8_t>(i - first),
                            .prefix = static_cast<std::uint8_t>(prefix.size()),
                            .suffix = static_cast<std::uint8_t>(suffix.size())};
      token = core_shape_token(name_hash(prefix), name_hash(suffix));
    } else {
      token = name_hash(component);
    }
    out.hash = core_mix(out.hash, token);
  }
  return out;
}

class Compiler {
 public:
  explicit Compiler(const FileSystem& files) : files_(files) {}

  Result<void> add(const PathPattern& pattern) {
    auto form = parse_pattern_form(pattern.text);
    if (!form) return fail("pattern " + pattern.text + " has no form that can be compiled");
    CompiledRule rule = rule_of(pattern.meaning);
    rule.rank = rank_of(*form);
    rule.subtree = form->subtree;
    if (form->root == PatternRoot::home)
      return fail("pattern " + pattern.text + " has a home left");
    auto added =
        form->root == PatternRoot::anywhere ? add_anywhere(*form, rule) : add_absolute(*form, rule);
    if (!added) return fail("pattern " + pattern.text + ": " + added.error().message);
    return {};
  }

  CompiledPaths take() { return std::move(paths_); }

 private:
  Result<void> add_anywhere(const PatternForm& form, const CompiledRule& rule) {
    Names names = names_from(form, 0, form.components.size());
    if (names.shape) {
      if (auto added = add_shape(paths_.anywhere, *names.shape, "**/"); !added) return added;
    } else if (paths_.anywhere.empty() ||
               std::ranges::find(paths_.anywhere, kWhole) == paths_.anywhere.end()) {
      if (auto added = add_shape(paths_.anywhere, kWhole, "**/"); !added) return added;
    }
    return merge(paths_.names[{CORE_ANCHOR_ANYWHERE, names.hash}], rule);
  }

  Result<void> add_absolute(const PatternForm& form, const CompiledRule& rule) {
    const std::vector<AnchorPlace> places = anchor_places(form, files_);
    if (places.empty()) return fail("the root directory cannot be looked at");
    for (const AnchorPlace& place : places)
      if (auto added = add_at(place.directory.id, form, place.done, rule); !added) return added;
    return {};
  }

  Result<void> add_at(const FileId& directory, const PatternForm& form, std::size_t done,
                      const CompiledRule& rule) {
    Anchor& anchor = paths_.anchors[directory];
    if (anchor.id == 0) anchor.id = ++last_anchor_;
    const std::size_t rest = form.components.size() - done;
    if (rest > CORE_MAX_DEPTH)
      return fail("more than 16 directories of it do not exist yet: make some of them");
    if (rest == 0) {
      return merge(anchor.rule, rule);
    }
    Names names = names_from(form, done, form.components.size());
    anchor.max_depth = std::max(anchor.max_depth, static_cast<std::uint8_t>(rest));
    if (names.shape)
      if (auto added = add_shape(anchor.shapes, *names.shape, "its directory"); !added)
        return added;
    add_inner(anchor.id, form, done);
    const std::uint64_t hash = rule.subtree ? core_hash_below(names.hash) : names.hash;
    return merge(paths_.names[{anchor.id, hash}], rule);
  }

  /// Every beginning of the pattern below the anchor, the empty one too.
  void add_inner(std::uint32_t anchor, const PatternForm& form, std::size_t done) {
    for (std::size_t end = done; end < form.components.size(); ++end) {
      CompiledRule& inner =
          paths_.names[{anchor, core_hash_inner(names_from(form, done, end).hash)}];
      inner.named |= !form.subtree && end + 1 == form.components.size();
    }
  }

  static Result<void> add_shape(std::vector<NameShape>& shapes, const NameShape& shape,
                                const char* where) {
    if (std::ranges::find(shapes, shape) != shapes.end()) return {};
    if (shapes.size() == CORE_MAX_SHAPES)
      return fail(std::string("more than 16 different lengths around `*` in ") + where);
    shapes.push_back(shape);
    return {};
  }

  static constexpr NameShape kWhole{.level = 0, .prefix = CORE_SHAPE_WHOLE, .suffix = 0};
  const FileSystem& files_;
  CompiledPaths paths_;
  std::uint32_t last_anchor_ = 0;
};

bool name_matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  return name.size() >= pattern.size() - 1 && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(pattern.substr(star + 1));
}

class Lister {
 public:
  explicit Lister(const FileSystem& files) : files_(files) {}

  void add(const PatternForm& form) {
    std::string path;
    descend(form, 0, path);
  }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  void descend(const PatternForm& form, std::size_t index, const std::string& path) {
    if (found_.size() >= kMaxListed) return;
    if (index == form.components.size()) {
      if (form.subtree)
        everything_below(path, 0);
      else
        take_file(path);
      return;
    }
    if (form.star != index) {
      descend(form, index + 1, path + "/" + form.components[index]);
      return;
    }
    for (const std::string& name : files_.list(path.empty() ? "/" : path))
      if (name_matches(form.components[index], name)) descend(form, index + 1, path + "/" + name);
  }

  void everything_below(const std::string& path, int depth) {
    constexpr int kMaxLevels = 32;
    if (depth > kMaxLevels) return;
    for (const std::string& name : files_.list(path)) {
      if (found_.size() >= kMaxListed) return;
      const std::string inner = path + "/" + name;
      auto facts = files_.look(inner);
      if (!facts) continue;
      if (facts->directory && facts->canonical == inner)
        everything_below(inner, depth + 1);
      else if (!facts->directory)
        found_.push_back(inner);
    }
  }

  void take_file(const std::string& path) {
    auto facts = files_.look(path);
    if (facts && !facts->directory) found_.push_back(path);
  }

  const FileSystem& files_;
  std::vector<std::string> found_;
};

// What a machine is run with: no secret lies there, and everybody opens it.
constexpr std::array<std::string_view, 6> kSystem{"/usr/",  "/lib/",  "/bin/",
                                                  "/sbin/", "/proc/", "/sys/"};

/// A symlink to a device (who wants to have no .netrc) or to a part of the system (who wants the
/// next task to be refused its libc) makes no secret of it.
bool leads_into_the_system(const std::string& path, const FileSystem& files) {
  const auto facts = files.look(path);
  const std::size_t slash = path.rfind('/');
  const auto parent = files.look(slash == 0 ? "/" : path.substr(0, slash));
  if (!facts || !parent) return true;
  const std::string above = parent->canonical == "/" ? "" : parent->canonical;
  if (facts->canonical == above + path.substr(slash)) return false;
  return facts->device || std::ranges::any_of(kSystem, [&](std::string_view directory) {
           return facts->canonical.starts_with(directory);
         });
}

}  // namespace

std::vector<AnchorPlace> anchor_places(const PatternForm& form, const FileSystem& files) {
  if (form.root != PatternRoot::absolute) return {};
  // The components that name directories and have no `*`.
  const std::size_t directories =
      std::min(form.subtree ? form.components.size() : form.components.size() - 1,
               form.star.value_or(form.components.size()));
  std::vector<AnchorPlace> chain;
  std::string path = "/";
  if (auto root = files.look(path)) chain.push_back({.directory = std::move(*root), .done = 0});
  for (std::size_t i = 0; i < directories && !chain.empty(); ++i) {
    path += (path.size() > 1 ? "/" : "") + form.components[i];
    auto facts = files.look(path);
    if (!facts || !facts->directory) break;
    chain.push_back({.directory = std::move(*facts), .done = i + 1});
  }
  if (chain.empty()) return {};
  const std::size_t deepest = chain.size() - 1;
  const std::size_t last =
      deepest > kAnchorsAbove ? deepest - kAnchorsAbove : std::min<std::size_t>(deepest, 1);
  return {chain.rbegin(), chain.rend() - static_cast<std::ptrdiff_t>(last)};
}

std::vector<std::string> names_without_symlinks(const std::string& pattern,
                                                const FileSystem& files) {
  auto form = parse_pattern_form(pattern);
  if (!form || form->root != PatternRoot::absolute) return {pattern};
  std::vector<std::string> names;
  for (const AnchorPlace& place : anchor_places(*form, files)) {
    std::string name = place.directory.canonical == "/" ? "" : place.directory.canonical;
    for (std::size_t i = place.done; i < form->components.size(); ++i)
      name += "/" + form->components[i];
    if (form->subtree) name += "/**";
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> targets_of(const std::string& pattern, const FileSystem& files) {
  std::vector<std::string> targets;
  for (const std::string& path : existing_files({{.text = pattern, .meaning = {}}}, files)) {
    auto facts = files.look(path);
    if (facts && facts->canonical != path) targets.push_back(std::move(facts->canonical));
  }
  return targets;
}

std::optional<FileFacts> one_program(const std::string& pattern, const FileSystem& files) {
  auto form = parse_pattern_form(pattern);
  if (!form || form->root != PatternRoot::absolute || form->subtree || form->star)
    return std::nullopt;
  auto facts = files.look(pattern);
  if (!facts || facts->directory || !facts->regular) return std::nullopt;
  return facts;
}

Result<CompiledPaths> compile_paths(const std::vector<PathPattern>& patterns,
                                    const FileSystem& files) {
  Compiler compiler(files);
  for (const PathPattern& pattern : patterns)
    if (auto added = compiler.add(pattern); !added) return std::unexpected(added.error());
  return compiler.take();
}

std::vector<std::string> existing_files(const std::vector<PathPattern>& patterns,
                                        const FileSystem& files) {
  Lister lister(files);
  for (const PathPattern& pattern : patterns) {
    auto form = parse_pattern_form(pattern.text);
    if (form && form->root == PatternRoot::absolute) lister.add(*form);
  }
  return lister.take();
}

std::vector<std::string> existing_secrets(const std::vector<PathPattern>& patterns,
                                          const FileSystem& files) {
  std::vector<std::string> found = existing_files(patterns, files);
  std::erase_if(found, [&](const std::string& path) { return leads_into_the_system(path, files); });
  return found;
}

}  // namespace ambit::policy
