// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "userspace/policy/compile.h"
#include "userspace/policy/core.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"
#include "userspace/policy/path_facts.h"
#include "userspace/policy/paths.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

namespace {

using model::CompiledPaths;
using Numbers = std::vector<std::uint16_t>;

constexpr std::uint32_t kSpace = 1;

/// A file that is a symlink into a directory beside it (kubelet's `..data`) is replaced by turning
/// that symlink to another directory: the same name in any directory beside it counts too.
std::optional<std::string> swapped_pattern(const std::string& text, const FileSystem& files) {
  auto form = parse_pattern_form(text);
  if (!form || form->root != PatternRoot::absolute || form->subtree || form->star)
    return std::nullopt;
  auto facts = files.look(text);
  if (!facts || facts->directory || facts->canonical == text) return std::nullopt;
  auto parent = files.look(text.substr(0, text.rfind('/')));
  if (!parent || !facts->canonical.starts_with(parent->canonical + "/")) return std::nullopt;
  const std::string rest = facts->canonical.substr(parent->canonical.size() + 1);
  const std::size_t slash = rest.find('/');
  if (slash == std::string::npos || rest.find('/', slash + 1) != std::string::npos)
    return std::nullopt;
  return parent->canonical + "/*" + rest.substr(slash);
}

std::vector<PathPattern> catalogue_patterns(const ExpandedCatalogue& catalogue,
                                            const FileSystem& files) {
  std::vector<PathPattern> patterns;
  for (std::size_t number = 0; number < catalogue.files.size(); ++number)
    for (const model::Pattern& pattern : catalogue.files[number]) {
      const model::CompiledRule meaning{.exclude = pattern.exclude,
                                        .credentials = {static_cast<std::uint16_t>(number)}};
      patterns.push_back({.text = pattern.text, .meaning = meaning});
      if (auto swapped = swapped_pattern(pattern.text, files))
        patterns.push_back({.text = *swapped, .meaning = meaning});
    }
  return patterns;
}

void add_new(Numbers& to, const Numbers& numbers) {
  for (const std::uint16_t number : numbers)
    if (std::ranges::find(to, number) == to.end()) to.push_back(number);
}

/// What files are by the compiled patterns, whatever their inodes.
class Names {
 public:
  static Result<std::unique_ptr<Names>> of(const CompiledPaths& paths, const FileSystem& files) {
    std::unique_ptr<Names> names(new Names(files));
    if (auto put = put_all(names->tables_, encode_paths(paths, kSpace)); !put)
      return std::unexpected(put.error());
    return names;
  }

  Result<Numbers> credentials(const std::string& path) {
    if (!take_facts(files_, path, facts_)) return Numbers{};
    const Recognised what = recognise(tables_, kSpace, facts_, false);
    if (what.undecided) return fail(path + ": more than 4 credentials name it");
    return Numbers(what.credentials.begin(),
                   what.credentials.begin() + static_cast<std::ptrdiff_t>(what.count));
  }

 private:
  explicit Names(const FileSystem& files) : files_(files) {}

  const FileSystem& files_;
  MemoryTables tables_;
  PathFacts facts_;
};

/// A file that is a symlink is opened under its target's name, and so is what takes the target's
/// place later: that name belongs to the same credentials. What is excluded under the name that was
/// declared leads to nothing.
Result<void> add_targets(std::vector<PathPattern>& patterns, Names& names,
                         const std::vector<std::string>& existing, const FileSystem& files) {
  for (const std::string& path : existing) {
    const auto found = files.look(path);
    if (!found || found->canonical == path) continue;
    auto credentials = names.credentials(path);
    if (!credentials) return std::unexpected(credentials.error());
    auto known = names.credentials(found->canonical);
    if (!known) return std::unexpected(known.error());
    const std::size_t before = known->size();
    add_new(*known, *credentials);
    if (known->size() > before)
      patterns.push_back({.text = found->canonical, .meaning = {.credentials = *known}});
  }
  return {};
}

/// Files that exist are known by their inode from the start: hard links to them too.
Result<void> learn_inodes(CompiledPaths& paths, Names& names,
                          const std::vector<std::string>& existing, const FileSystem& files) {
  for (const std::string& path : existing) {
    const auto found = files.look(path);
    if (!found) continue;
    auto credentials = names.credentials(found->canonical);
    if (!credentials) return std::unexpected(credentials.error());
    if (credentials->empty()) continue;
    // A file with two names may be two credentials: all of them must be inside, as on any tie.
    model::CompiledRule& rule = paths.inodes[found->id];
    rule.rank = CORE_RANK_INODE;
    add_new(rule.credentials, *credentials);
    if (rule.credentials.size() > CORE_MAX_MATCHES)
      return fail(path + ": more than 4 credentials name it, under this name and others");
  }
  return {};
}

}  // namespace

Result<CompiledPaths> compile_catalogue(const ExpandedCatalogue& catalogue,
                                        const FileSystem& files) {
  std::vector<PathPattern> patterns = catalogue_patterns(catalogue, files);
  const std::vector<std::string> existing = existing_secrets(patterns, files);
  auto paths = compile_paths(patterns, files);
  if (!paths) return paths;
  auto names = Names::of(*paths, files);
  if (!names) return std::unexpected(names.error());
  const std::size_t declared = patterns.size();
  if (auto added = add_targets(patterns, **names, existing, files); !added)
    return std::unexpected(added.error());
  if (patterns.size() > declared) {
    paths = compile_paths(patterns, files);
    if (!paths) return paths;
    names = Names::of(*paths, files);
    if (!names) return std::unexpected(names.error());
  }
  if (auto learned = learn_inodes(*paths, **names, existing, files); !learned)
    return std::unexpected(learned.error());
  return paths;
}

}  // namespace ambit::policy
