// SPDX-License-Identifier: Apache-2.0
// Destination rules -> the two longest-prefix tables that the kernel reads (model/policy.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/documents.h"
#include "userspace/model/policy.h"
#include "userspace/policy/hosts_match.h"

namespace ambit::policy {

/// A policy that needs more than this is refused: nested ranges with unlike ports multiply, so do
/// wildcards with names, and a document must not be able to ask for unbounded memory.
inline constexpr std::size_t kMaxPortEntries = std::size_t{1} << 17U;
inline constexpr std::size_t kMaxRanges = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxEndpointOwners = 2;

/// Where a restricted credential may be used; overlapping sources are simply joined in `rules`.
struct CredentialDestinations {
  std::uint8_t bit = 0;
  std::vector<model::DestinationRule> rules;
};

/// Where connecting counts as opening a credential.
struct CredentialEndpoints {
  std::uint16_t number = 0;  ///< in the catalogue
  std::string name;          ///< for what is said when too many share an endpoint
  std::vector<model::DestinationRule> rules;
};

struct DestinationInput {
  /// The scope's network section; null or absent: observed, not bound.
  const std::optional<std::vector<model::DestinationRule>>* network = nullptr;
  std::vector<CredentialDestinations> restricted;
  std::vector<CredentialEndpoints> endpoints;
  std::vector<model::DestinationRule> always;  ///< inside, whatever is held
  ResolvedNames resolved;
};

/// Numbers of port sets. A number means one content for as long as this object lives, so that an
/// update never changes a set under a prefix that still points to it. One for all policies of the
/// same tables: the ports of a set stand there once.
class SetNumbers {
 public:
  /// The content's number, from 1; a content not seen before gets the next one.
  [[nodiscard]] std::uint32_t number_of(std::string_view content);
  /// Numbers up to this are somebody else's; before the first is given.
  void start_behind(std::uint32_t last) { last_ = last; }

 private:
  std::uint32_t last_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
};

/// Set 0 has no port entries: nothing is said there.
/// Rules for Unix sockets are left out (the path tables hold them).
[[nodiscard]] Result<model::CompiledDestinations> compile_destinations(
    const DestinationInput& input, SetNumbers& numbers);

/// The same with numbers of its own.
[[nodiscard]] Result<model::CompiledDestinations> compile_destinations(
    const DestinationInput& input);

/// How to get from one compilation to the next (same SetNumbers) while connections are decided:
/// write `add.ports`, then `add.prefixes`, delete `remove.prefixes`, then `remove.ports`, each in
/// the order given. At every step each address is decided as before or as after.
struct DestinationChange {
  model::CompiledDestinations add;
  model::CompiledDestinations remove;
};

[[nodiscard]] DestinationChange diff(const model::CompiledDestinations& old_tables,
                                     const model::CompiledDestinations& next);

/// The concrete host names that the rules of `input` need, each once, sorted. Wildcards name
/// nothing that can be looked up, addresses nothing that must be.
[[nodiscard]] std::vector<std::string> names_to_resolve(const DestinationInput& input);

/// The same from the documents: the scope's own rules, and for each credential in use the
/// endpoints and, unless the scope gives its own, the destinations of the catalogue.
[[nodiscard]] std::vector<std::string> names_to_resolve(
    const model::Scope& scope, const std::vector<const model::Credential*>& in_use);

}  // namespace ambit::policy
