// SPDX-License-Identifier: Apache-2.0
// The documents as plain structs (DESIGN §5): what parsing yields and compiling takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/model/words.h"

namespace ambit::model {

/// Where in a document something stands; both count from 1, 0 is "nowhere".
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

/// An address range; IPv4 is kept as ::ffff:a.b.c.d with 96 added to its prefix length.
struct AddressRange {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t prefix = 0;  ///< 0..128
};

enum class DestinationType : std::uint8_t { host, range, unix_socket };

/// One line of `allow`, `destinations` or `endpoints`.
struct DestinationRule {
  DestinationType type = DestinationType::host;
  std::string host;  ///< lower case, no trailing dot; "*.example.com" is below, not itself
  AddressRange range;
  std::string unix_path;                ///< absolute pattern, or "@name" for an abstract socket
  std::vector<PortRange> ports;         ///< empty: all
  std::vector<std::uint8_t> protocols;  ///< IP protocol numbers; empty: TCP and UDP
  Position at;
};

enum class Authority : std::uint8_t { delegated, agent };
enum class Holding : std::uint8_t { tree, process, task };
enum class Mode : std::uint8_t { enforce, shadow };

/// One path pattern, checked for form but not yet expanded (`~`, `$XDG_…`).
struct Pattern {
  std::string text;  ///< without the leading `!`
  bool exclude = false;
  Position at;
};

struct ScopeCredential {
  std::string name;
  std::optional<Authority> authority;
  std::optional<std::vector<Pattern>> readers;               ///< absent: any process of the task
  std::optional<std::vector<DestinationRule>> destinations;  ///< absent: the catalogue's
  Holding holding = Holding::tree;
  Position at;
  Position authority_at;  ///< these four: of the key's value or the key, nowhere if absent
  Position readers_at;
  Position destinations_at;
  Position holding_at;
};

struct Responses {
  Response credential = Response::deny;
  Response network = Response::deny;
  Response exec = Response::deny;
  Response blended = Response::alert;  ///< alert or kill_task: user space sees it, afterwards
};

/// Where what a scope says of the task as a whole stands; nowhere what is absent, but for `spec`.
struct ScopePlaces {
  Position spec;
  Position on_behalf_of;
  Position ttl;
  Position mode;
  Position credentials;
  Position network;
  Position exec;
  std::map<Privilege, Position> privileges;
  Position environment;
  Position response_credential;
  Position response_network;
  Position response_exec;
  Position response_blended;
};

/// kind: TaskScope
struct Scope {
  std::string name;
  std::string agent;
  std::string owner;
  std::optional<std::string> on_behalf_of;
  std::map<std::string, std::string> context;
  std::chrono::nanoseconds ttl{};
  std::optional<std::string> parent;
  Position parent_at;
  Mode mode = Mode::enforce;
  std::vector<ScopeCredential> credentials;
  std::optional<std::vector<DestinationRule>> network;  ///< absent: observed, not bound
  std::optional<std::vector<Pattern>> exec;             ///< absent: observed, not bound
  std::set<Privilege> privileges;
  bool strip_environment = false;
  Responses response;
  std::string sha256;  ///< of the document's bytes, lower-case hex
  std::string source;  ///< file it came from
  ScopePlaces places;
};

struct References {
  std::vector<std::string> attack;
  std::vector<std::string> atlas;
  std::vector<std::string> owasp_agentic;
  std::vector<std::string> nhi;
  std::vector<std::string> csf;
};

/// kind: Credential
struct Credential {
  std::string name;
  std::string provider;
  std::vector<Pattern> files;
  std::map<std::string, std::string> relocated_by;  ///< variable -> the pattern that it moves
  std::vector<Pattern> sockets;
  std::vector<DestinationRule> endpoints;
  std::vector<std::string> variables;
  std::optional<std::vector<DestinationRule>> destinations;  ///< absent: unbound; empty: nowhere
  References references;
  std::string source;
  Position at;  ///< of its name
};

enum class OnStop : std::uint8_t { keep, release };

/// kind: Config
struct Config {
  std::string name;
  std::string socket = "/run/ambit/control.sock";
  std::string events = "-";            ///< a file, or "-": standard output
  std::vector<std::string> catalogue;  ///< sources; empty: the built-in one
  std::optional<Backend> backend;      ///< absent: the best that is proved
  OnStop on_stop = OnStop::keep;
  std::optional<std::string>
      delegate_socket;              ///< absent: beside the other; empty: nobody delegates
  std::vector<std::string> scopes;  ///< files and directories of scopes that have a name here
  std::string source;
};

/// Every credential in force, in the order of their numbers (the index is the kernel's id).
struct Catalogue {
  std::vector<Credential> credentials;
};

}  // namespace ambit::model
