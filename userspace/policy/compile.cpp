// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/compile.h"

#include <algorithm>
#include <array>
#include <memory>

#include "userspace/policy/core.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"
#include "userspace/policy/paths.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

namespace {

using model::CompiledPolicy;
using model::CompiledRule;
using model::CredentialMask;

// The sockets of libc's name services: a look-up is no way out of the task by itself, and every
// program makes it (nscd, systemd's userdb, nss-resolve).
constexpr std::array kNameServices{"/run/nscd/socket", "/var/run/nscd/socket",
                                   "/run/systemd/userdb/*",
                                   "/run/systemd/resolve/io.systemd.Resolve"};

void set_bit(CredentialMask& mask, std::uint8_t bit) { mask[bit / 64] |= 1ULL << (bit % 64); }

CredentialMask mask_of(std::uint8_t bit) {
  CredentialMask mask{};
  set_bit(mask, bit);
  return mask;
}

/// The path with each directory that it stands in; false when it is not there any more.
bool take_facts(const FileSystem& files, const std::string& canonical, PathFacts& facts) {
  facts.count = 0;
  auto at = files.look("/");
  std::size_t start = 1;
  while (at && start <= canonical.size()) {
    if (facts.count == PathFacts::kMaxComponents) return false;
    const std::size_t end = std::min(canonical.find('/', start), canonical.size());
    facts.components[facts.count++] = {
        .name = std::string_view(canonical).substr(start, end - start), .directory = at->id};
    at = files.look(canonical.substr(0, end));
    start = end + 1;
  }
  if (!at) return false;
  facts.file = at->id;
  return true;
}

/// Files that exist are known by their inode from the start: hard links to them too.
Result<void> learn_inodes(model::CompiledPaths& paths, const std::vector<PathPattern>& patterns,
                          const FileSystem& files) {
  constexpr std::uint32_t kSpace = 1;
  MemoryTables tables;
  if (auto put = put_all(tables, encode_paths(paths, kSpace)); !put) return put;
  const auto facts = std::make_unique<PathFacts>();
  for (const std::string& path : existing_files(patterns, files)) {
    auto found = files.look(path);
    if (!found) continue;
    Recognised what{};
    // By the name that was declared and by the one it really has: either may be a pattern's.
    for (const std::string& name : {path, found->canonical}) {
      if (!take_facts(files, name, *facts)) continue;
      what = recognise(tables, kSpace, *facts, false);
      if (what.count > 0) break;
    }
    if (what.count == 0) continue;
    // A file with two names may be two credentials: all of them must be inside, as on any tie.
    CompiledRule& rule = paths.inodes[found->id];
    rule.rank = CORE_RANK_INODE;
    for (std::size_t i = 0; i < what.count; ++i)
      if (std::ranges::find(rule.credentials, what.credentials[i]) == rule.credentials.end())
        rule.credentials.push_back(what.credentials[i]);
  }
  return {};
}

/// Patterns of programs and sockets count for what they lead to: /usr/bin/python3 is a symlink.
void add_with_targets(std::vector<PathPattern>& patterns, const PathPattern& pattern,
                      const FileSystem& files) {
  patterns.push_back(pattern);
  for (const std::string& path : existing_files({pattern}, files)) {
    auto facts = files.look(path);
    if (facts && facts->canonical != path)
      patterns.push_back({.text = facts->canonical, .meaning = pattern.meaning});
  }
}

void add_unix(std::vector<PathPattern>& patterns, model::CompiledPaths& abstract_names,
              const model::DestinationRule& rule, const CompiledRule& meaning) {
  if (rule.type != model::DestinationType::unix_socket) return;
  if (!rule.unix_path.starts_with('@')) {
    patterns.push_back({.text = rule.unix_path, .meaning = meaning});
    return;
  }
  CompiledRule& known =
      abstract_names
          .names[{CORE_ANCHOR_ABSTRACT, name_hash(std::string_view(rule.unix_path).substr(1))}];
  known.unix_socket |= meaning.unix_socket;
  for (std::size_t i = 0; i < known.mask.size(); ++i) known.mask[i] |= meaning.mask[i];
}

class PolicyCompiler {
 public:
  PolicyCompiler(const ExpandedScope& expanded, const model::Catalogue& catalogue,
                 const FileSystem& files)
      : expanded_(expanded), catalogue_(catalogue), files_(files) {}

  Result<CompiledPolicy> compile() {
    const model::Scope& scope = *expanded_.scope;
    policy_.shadow = scope.mode == model::Mode::shadow;
    policy_.network_bound = scope.network.has_value();
    policy_.exec_bound = scope.exec.has_value();
    policy_.response = scope.response;
    policy_.privileges = scope.privileges;
    for (std::size_t i = 0; i < scope.credentials.size(); ++i)
      if (auto added = add_listed(scope.credentials[i], i); !added)
        return std::unexpected(added.error());
    add_unlisted();
    for (const model::Pattern& pattern : expanded_.exec)
      add_program(pattern, {.exclude = pattern.exclude, .program = true});
    if (scope.network)
      for (const model::DestinationRule& rule : *scope.network)
        add_unix(patterns_, abstract_, rule, {.unix_socket = true});
    add_name_services();
    if (auto made = compile_tables(); !made) return std::unexpected(made.error());
    return std::move(policy_);
  }

 private:
  [[nodiscard]] const model::Credential* find(const std::string& name,
                                              std::uint16_t& number) const {
    const auto& all = catalogue_.credentials;
    const auto found = std::ranges::find(all, name, &model::Credential::name);
    if (found == all.end()) return nullptr;
    number = static_cast<std::uint16_t>(found - all.begin());
    return &*found;
  }

  std::uint8_t take_bit(std::uint16_t number, const std::string& name) {
    const auto bit = static_cast<std::uint8_t>(policy_.credential_of_bit.size());
    policy_.credential_of_bit.push_back(name);
    policy_.bit_of_credential[number] = bit;
    return bit;
  }

  Result<void> add_listed(const model::ScopeCredential& listed, std::size_t index) {
    std::uint16_t number = 0;
    const model::Credential* known = find(listed.name, number);
    if (known == nullptr) return fail("credential " + listed.name + " is not in the catalogue");
    if (policy_.credential_of_bit.size() >= model::kMaxPolicyCredentials)
      return fail("a scope can list at most 256 credentials");
    const std::uint8_t bit = take_bit(number, listed.name);
    set_bit(policy_.inside, bit);
    if (listed.holding == model::Holding::process) set_bit(policy_.hold_process, bit);
    if (listed.holding == model::Holding::task) set_bit(policy_.hold_task, bit);
    const auto& destinations = listed.destinations ? listed.destinations : known->destinations;
    restrict_use(destinations, bit);
    if (listed.readers) {
      set_bit(policy_.readers, bit);
      for (const model::Pattern& pattern : expanded_.readers[index])
        if (!pattern.exclude) add_program(pattern, {.mask = mask_of(bit)});
    }
    return {};
  }

  /// What is outside may come to be held all the same (alert, shadow): its destinations bind too.
  void add_unlisted() {
    for (std::size_t i = 0; i < catalogue_.credentials.size(); ++i) {
      const auto number = static_cast<std::uint16_t>(i);
      if (policy_.bit_of_credential.contains(number)) continue;
      if (policy_.credential_of_bit.size() >= model::kMaxPolicyCredentials) return;
      const model::Credential& credential = catalogue_.credentials[i];
      restrict_use(credential.destinations, take_bit(number, credential.name));
    }
  }

  void restrict_use(const std::optional<std::vector<model::DestinationRule>>& destinations,
                    std::uint8_t bit) {
    if (!destinations) return;
    set_bit(policy_.restricted, bit);
    for (const model::DestinationRule& rule : *destinations)
      add_unix(patterns_, abstract_, rule, {.mask = mask_of(bit)});
  }

  /// A program that is named by its path and exists is known by its inode alone: what is put in its
  /// place later, by rename or mount, is another program. `pinned` is to be kept open, so that the
  /// inode's number is not used again.
  Result<void> compile_tables() {
    std::vector<PathPattern> all;
    std::vector<PathPattern> by_name;
    std::vector<FileFacts> programs;
    for (const PathPattern& pattern : patterns_) {
      add_with_targets(all, pattern, files_);
      auto facts = names_one_program(pattern);
      if (facts)
        programs.push_back(std::move(*facts));
      else
        add_with_targets(by_name, pattern, files_);
    }
    auto complete = compile_paths(all, files_);
    if (!complete) return std::unexpected(complete.error());
    auto paths = compile_paths(by_name, files_);
    if (!paths) return std::unexpected(paths.error());
    constexpr std::uint32_t kSpace = 1;
    MemoryTables tables;
    if (auto put = put_all(tables, encode_paths(*complete, kSpace)); !put) return put;
    const auto facts = std::make_unique<PathFacts>();
    for (const FileFacts& program : programs) {
      if (!take_facts(files_, program.canonical, *facts)) continue;
      const Recognised what = recognise(tables, kSpace, *facts, false);
      paths->inodes[program.id] = {.rank = 0xffff, .program = what.program, .mask = what.mask};
      policy_.pinned.push_back(program.canonical);
    }
    policy_.paths = std::move(*paths);
    policy_.paths.names.merge(abstract_.names);
    return {};
  }

  [[nodiscard]] std::optional<FileFacts> names_one_program(const PathPattern& pattern) const {
    if (pattern.meaning.unix_socket || pattern.meaning.exclude) return std::nullopt;
    auto form = parse_pattern_form(pattern.text);
    if (!form || form->root != PatternRoot::absolute || form->subtree || form->star)
      return std::nullopt;
    auto facts = files_.look(pattern.text);
    if (!facts || facts->directory || !facts->regular) return std::nullopt;
    return facts;
  }

  void add_program(const model::Pattern& pattern, const CompiledRule& meaning) {
    patterns_.push_back({.text = pattern.text, .meaning = meaning});
  }

  void add_name_services() {
    CompiledRule always{.unix_socket = true};
    always.mask.fill(~0ULL);
    for (const char* path : kNameServices) patterns_.push_back({.text = path, .meaning = always});
  }

  const ExpandedScope& expanded_;
  const model::Catalogue& catalogue_;
  const FileSystem& files_;
  CompiledPolicy policy_;
  std::vector<PathPattern> patterns_;
  model::CompiledPaths abstract_;
};

std::vector<PathPattern> catalogue_patterns(const ExpandedCatalogue& catalogue) {
  std::vector<PathPattern> patterns;
  for (std::size_t number = 0; number < catalogue.files.size(); ++number)
    for (const model::Pattern& pattern : catalogue.files[number])
      patterns.push_back({.text = pattern.text,
                          .meaning = {.exclude = pattern.exclude,
                                      .credentials = {static_cast<std::uint16_t>(number)}}});
  return patterns;
}

}  // namespace

Result<model::CompiledPaths> compile_catalogue(const ExpandedCatalogue& catalogue,
                                               const FileSystem& files) {
  const std::vector<PathPattern> patterns = catalogue_patterns(catalogue);
  auto paths = compile_paths(patterns, files);
  if (!paths) return paths;
  if (auto learned = learn_inodes(*paths, patterns, files); !learned)
    return std::unexpected(learned.error());
  return paths;
}

Result<CompiledPolicy> compile_policy(const ExpandedScope& scope, const model::Catalogue& catalogue,
                                      const FileSystem& files) {
  return PolicyCompiler(scope, catalogue, files).compile();
}

DestinationInput destination_input(const model::Scope& scope, const model::Catalogue& catalogue,
                                   const CompiledPolicy& policy,
                                   const std::vector<Address>& resolvers) {
  DestinationInput input;
  input.network = &scope.network;
  const bool always_refused =
      scope.mode == model::Mode::enforce && scope.response.credential >= model::Response::deny;
  for (const auto& [number, bit] : policy.bit_of_credential) {
    const model::Credential& known = catalogue.credentials[number];
    const auto listed =
        std::ranges::find(scope.credentials, known.name, &model::ScopeCredential::name);
    // What is refused is never held: its destinations bind nobody, and their names need no look-up.
    if (listed == scope.credentials.end() && always_refused) continue;
    const auto& destinations = listed != scope.credentials.end() && listed->destinations
                                   ? listed->destinations
                                   : known.destinations;
    if (destinations) input.restricted.push_back({.bit = bit, .rules = *destinations});
  }
  for (std::size_t i = 0; i < catalogue.credentials.size(); ++i)
    if (!catalogue.credentials[i].endpoints.empty())
      input.endpoints.push_back({.number = static_cast<std::uint16_t>(i),
                                 .name = catalogue.credentials[i].name,
                                 .rules = catalogue.credentials[i].endpoints});
  for (const Address& address : resolvers) {
    model::DestinationRule rule;
    rule.type = model::DestinationType::range;
    rule.range = {.address = address, .prefix = 128};
    constexpr std::uint16_t kDns = 53;
    rule.ports = {{.first = kDns, .last = kDns}};
    input.always.push_back(rule);
  }
  return input;
}

bool has_pattern_alone(const ExpandedCatalogue& catalogue) {
  return std::ranges::any_of(catalogue.files, [](const std::vector<model::Pattern>& patterns) {
    return std::ranges::any_of(patterns, [](const model::Pattern& pattern) {
      return !pattern.exclude && pattern.text.starts_with("**/");
    });
  });
}

}  // namespace ambit::policy
