// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/compile.h"

#include <algorithm>
#include <array>
#include <memory>

#include "userspace/policy/core.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"
#include "userspace/policy/path_facts.h"
#include "userspace/policy/paths.h"

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

void set_bit(CredentialMask& mask, std::size_t bit) { mask[bit / 64] |= 1ULL << (bit % 64); }

bool has_bit(const CredentialMask& mask, std::size_t bit) {
  return (mask[bit / 64] >> (bit % 64) & 1U) != 0;
}

CredentialMask mask_of(std::size_t bit) {
  CredentialMask mask{};
  set_bit(mask, bit);
  return mask;
}

/// Patterns of programs and sockets count for what they lead to: /usr/bin/python3 is a symlink.
void add_with_targets(std::vector<PathPattern>& patterns, const PathPattern& pattern,
                      const FileSystem& files) {
  patterns.push_back(pattern);
  for (std::string& target : targets_of(pattern.text, files))
    patterns.push_back({.text = std::move(target), .meaning = pattern.meaning});
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
                 const FileSystem& files, const FormerPolicy* former)
      : expanded_(expanded), catalogue_(catalogue), files_(files), former_(former) {}

  Result<CompiledPolicy> compile() {
    const model::Scope& scope = *expanded_.scope;
    policy_.shadow = scope.mode == model::Mode::shadow;
    policy_.network_bound = scope.network.has_value();
    policy_.exec_bound = scope.exec.has_value();
    policy_.response = scope.response;
    policy_.privileges = scope.privileges;
    take_former_bits();
    for (std::size_t i = 0; i < scope.credentials.size(); ++i)
      if (auto added = add_listed(scope.credentials[i], i); !added)
        return std::unexpected(added.error());
    if (auto added = add_unlisted(); !added) return std::unexpected(added.error());
    restrict_uses();
    for (const model::Pattern& pattern : expanded_.exec)
      add_program(pattern, {.exclude = pattern.exclude, .program = true});
    if (scope.network)
      for (const model::DestinationRule& rule : *scope.network)
        add_unix(patterns_, abstract_, rule, {.unix_socket = true});
    add_name_services();
    note_taken_out();
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

  [[nodiscard]] bool is_full() const {
    return policy_.credential_of_bit.size() >= model::kMaxPolicyCredentials;
  }

  std::uint8_t take_bit(std::uint16_t number, const std::string& name) {
    const auto bit = static_cast<std::uint8_t>(policy_.credential_of_bit.size());
    policy_.credential_of_bit.push_back(name);
    policy_.use_of_bit.emplace_back();
    policy_.bit_of_credential[number] = bit;
    return bit;
  }

  void take_former_bits() {
    if (former_ == nullptr) return;
    const CompiledPolicy& former = former_->policy;
    policy_.credential_of_bit = former.credential_of_bit;
    policy_.bit_of_credential = former.bit_of_credential;
    policy_.use_of_bit = former.use_of_bit;
    policy_.listed = former.listed;
    policy_.hold_process = former.hold_process;
    policy_.hold_task = former.hold_task;
  }

  /// The bit by which it is known from now on; nothing: there are no more.
  std::optional<std::uint8_t> bit_for(std::uint16_t number, const std::string& name) {
    const auto known = policy_.bit_of_credential.find(number);
    const bool changed = former_ != nullptr && former_->readers_changed.contains(name);
    if (known != policy_.bit_of_credential.end() && !changed) return known->second;
    if (is_full()) return std::nullopt;
    return take_bit(number, name);
  }

  /// Bits that it had before are held on, and count for what it is now.
  void set_use(const std::string& name,
               const std::optional<std::vector<model::DestinationRule>>& destinations,
               model::Holding holding) {
    const auto put = [](CredentialMask& mask, std::size_t bit, bool value) {
      mask[bit / 64] &= ~(1ULL << (bit % 64));
      if (value) set_bit(mask, bit);
    };
    for (std::size_t bit = 0; bit < policy_.credential_of_bit.size(); ++bit) {
      if (policy_.credential_of_bit[bit] != name) continue;
      policy_.use_of_bit[bit] = destinations;
      put(policy_.hold_process, bit, holding == model::Holding::process);
      put(policy_.hold_task, bit, holding == model::Holding::task);
    }
  }

  Result<void> add_listed(const model::ScopeCredential& listed, std::size_t index) {
    std::uint16_t number = 0;
    const model::Credential* known = find(listed.name, number);
    if (known == nullptr) return fail("credential " + listed.name + " is not in the catalogue");
    const auto bit = bit_for(number, listed.name);
    if (!bit)
      return fail(former_ == nullptr ? "a scope can list at most 256 credentials"
                                     : "the task has no bit left for credential " + listed.name +
                                           ", of 256 for it and for those of its former scopes");
    set_bit(policy_.inside, *bit);
    set_bit(policy_.listed, *bit);
    set_use(listed.name, listed.destinations ? listed.destinations : known->destinations,
            listed.holding);
    if (listed.readers) {
      set_bit(policy_.readers, *bit);
      for (const model::Pattern& pattern : expanded_.readers[index])
        add_program(pattern, {.exclude = pattern.exclude, .mask = mask_of(*bit)});
    }
    return {};
  }

  /// What is outside may come to be held all the same (alert, shadow): its destinations bind too.
  /// What is refused is never held and needs no entry, of which ten thousand tasks have room for
  /// some, not for the whole catalogue each.
  Result<void> add_unlisted() {
    const model::Scope& scope = *expanded_.scope;
    const bool refused =
        scope.mode == model::Mode::enforce && scope.response.credential >= model::Response::deny;
    for (std::size_t i = 0; i < catalogue_.credentials.size(); ++i) {
      const auto number = static_cast<std::uint16_t>(i);
      const model::Credential& credential = catalogue_.credentials[i];
      const auto known = policy_.bit_of_credential.find(number);
      if (known == policy_.bit_of_credential.end()) {
        if (refused) continue;
        if (is_full() && former_ != nullptr)
          return fail("the task has no bit left for credential " + credential.name);
        if (is_full()) return {};
        take_bit(number, credential.name);
        set_use(credential.name, credential.destinations, model::Holding::tree);
      } else if (!has_bit(policy_.listed, known->second)) {
        set_use(credential.name, credential.destinations, model::Holding::tree);
      }
    }
    return {};
  }

  void restrict_uses() {
    for (std::size_t bit = 0; bit < policy_.use_of_bit.size(); ++bit) {
      if (!policy_.use_of_bit[bit]) continue;
      set_bit(policy_.restricted, bit);
      for (const model::DestinationRule& rule : *policy_.use_of_bit[bit])
        add_unix(patterns_, abstract_, rule, {.mask = mask_of(bit)});
    }
  }

  /// A program that is named by its path and exists is known by its inode alone: what is put in its
  /// place later, by rename or mount, is another program. `pinned` is to be kept open, so that the
  /// inode's number is not used again.
  Result<void> compile_tables() {
    std::vector<PathPattern> by_name;
    std::vector<FileFacts> programs;
    for (const PathPattern& pattern : patterns_) {
      auto facts = names_one_program(pattern);
      if (facts)
        programs.push_back(std::move(*facts));
      else
        add_with_targets(by_name, pattern, files_);
    }
    auto paths = compile_paths(by_name, files_);
    if (!paths) return std::unexpected(paths.error());
    policy_.paths = std::move(*paths);
    policy_.paths.names.merge(abstract_.names);
    return learn_programs(programs);
  }

  /// What is no reader stands in a space of its own: the same path can be a reader of another
  /// credential.
  Result<void> learn_programs(const std::vector<FileFacts>& programs) {
    constexpr std::uint32_t kIs = 1;
    constexpr std::uint32_t kIsNot = 2;
    std::vector<PathPattern> is;
    std::vector<PathPattern> is_not;
    for (const PathPattern& pattern : patterns_) {
      if (pattern.meaning.exclude && !pattern.meaning.program)
        add_with_targets(is_not, {.text = pattern.text, .meaning = {.mask = pattern.meaning.mask}},
                         files_);
      else
        add_with_targets(is, pattern, files_);
    }
    MemoryTables tables;
    if (auto put = put_compiled(tables, is, kIs); !put) return put;
    if (auto put = put_compiled(tables, is_not, kIsNot); !put) return put;
    const auto facts = std::make_unique<PathFacts>();
    for (const FileFacts& program : programs) {
      if (!take_facts(files_, program.canonical, *facts)) continue;
      const Recognised what = recognise(tables, kIs, *facts, false);
      CredentialMask mask = what.mask;
      const CredentialMask out = recognise(tables, kIsNot, *facts, false).mask;
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] &= ~out[i];
      policy_.paths.inodes[program.id] = {
          .rank = CORE_RANK_INODE, .program = what.program, .mask = mask};
      policy_.pinned.push_back(program.canonical);
    }
    return {};
  }

  Result<void> put_compiled(MemoryTables& tables, const std::vector<PathPattern>& patterns,
                            std::uint32_t space) {
    auto paths = compile_paths(patterns, files_);
    if (!paths) return std::unexpected(paths.error());
    return put_all(tables, encode_paths(*paths, space));
  }

  [[nodiscard]] std::optional<FileFacts> names_one_program(const PathPattern& pattern) const {
    if (pattern.meaning.unix_socket || pattern.meaning.exclude) return std::nullopt;
    return one_program(pattern.text, files_);
  }

  /// For who asks whether another scope lies within this one: what is taken out stays out of it
  /// under the name that it has without symlinks, wherever they lead later.
  void note_taken_out() {
    for (const PathPattern& pattern : patterns_) {
      if (!pattern.meaning.exclude) continue;
      std::vector<std::string> texts = targets_of(pattern.text, files_);
      texts.push_back(pattern.text);
      for (const std::string& text : texts)
        for (std::string& name : names_without_symlinks(text, files_))
          policy_.taken_out.push_back({.text = std::move(name),
                                       .program = pattern.meaning.program,
                                       .mask = pattern.meaning.mask});
    }
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
  const FormerPolicy* former_;
  CompiledPolicy policy_;
  std::vector<PathPattern> patterns_;
  model::CompiledPaths abstract_;
};

using Readers = std::optional<std::vector<model::Pattern>>;

bool are_alike(const Readers& one, const Readers& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return std::ranges::equal(*one, *other, [](const model::Pattern& a, const model::Pattern& b) {
    return a.text == b.text && a.exclude == b.exclude;
  });
}

}  // namespace

std::set<std::string> readers_changed(const model::Scope& former, const model::Scope& next) {
  std::set<std::string> out;
  for (const model::ScopeCredential& own : next.credentials) {
    const auto before =
        std::ranges::find(former.credentials, own.name, &model::ScopeCredential::name);
    if (before != former.credentials.end() && !are_alike(before->readers, own.readers))
      out.insert(own.name);
  }
  return out;
}

Result<CompiledPolicy> compile_policy(const ExpandedScope& scope, const model::Catalogue& catalogue,
                                      const FileSystem& files, const FormerPolicy* former) {
  return PolicyCompiler(scope, catalogue, files, former).compile();
}

DestinationInput destination_input(const model::Scope& scope, const model::Catalogue& catalogue,
                                   const CompiledPolicy& policy,
                                   const std::vector<Address>& resolvers) {
  DestinationInput input;
  input.network = &scope.network;
  for (std::size_t bit = 0; bit < policy.use_of_bit.size(); ++bit)
    if (const auto& rules = policy.use_of_bit[bit]; rules)
      input.restricted.push_back({.bit = static_cast<std::uint8_t>(bit), .rules = *rules});
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
