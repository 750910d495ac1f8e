// SPDX-License-Identifier: Apache-2.0
// A scope after compiling: passive tables that kernel/ writes into maps and policy/decide reads in
// memory.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "userspace/model/documents.h"

namespace ambit::model {

/// One bit for each credential that a task's policy can tell apart (at most 256).
using CredentialMask = std::array<std::uint64_t, 4>;
inline constexpr std::size_t kMaxPolicyCredentials = 256;

/// An inode as the kernel names it: `dev` is the kernel's own encoding (major << 20 | minor).
struct FileId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  auto operator<=>(const FileId&) const = default;
};

/// What a match of a path or an inode means. Fields that do not apply are empty.
struct CompiledRule {
  std::uint16_t rank = 0;                  ///< higher is more specific
  bool subtree = false;                    ///< everything below counts too
  bool exclude = false;                    ///< of a pattern: takes out what it names, adds nothing
  bool program = false;                    ///< exec.allow names it
  bool unix_socket = false;                ///< network.allow names it
  std::vector<std::uint16_t> credentials;  ///< catalogue numbers, at most 4
  CredentialMask mask{};  ///< program: which credentials it may read; socket: which may be held
  bool mask_out = false;  ///< the mask takes out of what others say
  std::vector<std::uint16_t> out;  ///< catalogue numbers that it is not, whatever else says so
  bool named = false;  ///< of names that patterns go on from: one ends with a name directly below
  bool operator==(const CompiledRule&) const = default;
};

/// How a component with one `*` is matched: by the hash of its first and last bytes.
struct NameShape {
  std::uint8_t level = 0;   ///< components below the anchor before it, 0 = directly in it
  std::uint8_t prefix = 0;  ///< bytes before the `*`
  std::uint8_t suffix = 0;  ///< bytes after it
  auto operator<=>(const NameShape&) const = default;
};

/// A directory that exists, below which patterns go on with names.
struct Anchor {
  std::uint32_t id = 0;
  std::uint8_t max_depth = 0;  ///< components below it that any of its patterns needs
  std::vector<NameShape> shapes;
  CompiledRule rule;  ///< for everything below, when rule.subtree
};

/// The tables by which files of one kind are recognised.
struct CompiledPaths {
  std::map<FileId, CompiledRule> inodes;
  std::map<FileId, Anchor> anchors;
  std::map<std::pair<std::uint32_t, std::uint64_t>, CompiledRule>
      names;                        ///< (anchor, hash of names) -> rule
  std::vector<NameShape> anywhere;  ///< shapes of `**/name` patterns (anchor 0)
};

/// One address range; which ports count stands in the port entries of `set`.
struct CompiledPrefix {
  AddressRange range;
  std::uint32_t set = 0;
};

/// One prefix of port numbers (`prefix` leading bits of `port` count, 0..16) of one protocol in one
/// set.
struct CompiledPort {
  std::uint32_t set = 0;
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;
  std::uint8_t prefix = 16;
  bool in_network = false;   ///< the network section allows it
  bool always = false;       ///< inside without being named (resolver), whatever is held
  CredentialMask allowed{};  ///< which held credentials may be used there
  std::vector<std::uint16_t> endpoint_of;  ///< catalogue numbers whose endpoint it is, at most 2
};

/// Address tables. `prefixes` hold no two equal ranges; the longest match decides alone, so
/// each set has in it what all shorter ranges around it say.
struct CompiledDestinations {
  std::vector<CompiledPrefix> prefixes;
  std::vector<CompiledPort> ports;
  std::map<std::string, std::string>
      name_of_address;  ///< textual address -> host name it was resolved from
};

/// A pattern that takes out, by names without symlinks: of the programs, or of those that may read
/// the credentials of the mask.
struct TakenOut {
  std::string text;
  bool program = false;
  CredentialMask mask{};
};

struct CompiledPolicy {
  bool shadow = false;
  bool network_bound = false;
  bool exec_bound = false;
  Responses response;
  std::set<Privilege> privileges;
  std::vector<std::string> credential_of_bit;               ///< bit -> name, scope's own first
  std::map<std::uint16_t, std::uint8_t> bit_of_credential;  ///< catalogue number -> bit
  CredentialMask inside{};                                  ///< bits that the scope lists
  CredentialMask restricted{};    ///< bits whose use is bound to destinations
  CredentialMask readers{};       ///< bits that only named programs may read
  CredentialMask hold_process{};  ///< holding: process
  CredentialMask hold_task{};     ///< holding: task
  CredentialMask listed{};        ///< bits that this scope lists, or one before it did
  /// Where the credential of each bit may be used; absent: anywhere.
  std::vector<std::optional<std::vector<DestinationRule>>> use_of_bit;
  CompiledPaths paths;  ///< this policy's programs and sockets
  CompiledDestinations destinations;
  std::vector<std::string>
      pinned;  ///< programs known by inode; kept open, so that its number stays theirs
  std::vector<TakenOut> taken_out;
};

}  // namespace ambit::model
