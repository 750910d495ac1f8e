// SPDX-License-Identifier: Apache-2.0
// One record that goes through the whole pipeline: decode, attribute, correlate, respond, write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/model/words.h"

namespace ambit::model {

enum class ScopeSide : std::uint8_t { inside, outside, unscoped };
enum class Severity : std::uint8_t { info, low, medium, high, critical };

struct Verdict {
  ScopeSide scope = ScopeSide::inside;
  Reason reason = Reason::none;
  std::string rule;  ///< JSON pointer into the scope, e.g. /spec/credentials
  Mode mode = Mode::enforce;
  Response requested = Response::none;  ///< none: null in the event (inside)
  Effect effective = Effect::allowed;
  Backend backend = Backend::none;
};

/// A task that has delegated.
struct TaskInChain {
  std::string id;
  std::string name;
  std::string agent;
  std::optional<std::string> on_behalf_of;
};

/// What events say of a task; shared by all its events.
struct Task {
  std::uint32_t slot = 0;  ///< the kernel's number, never in an event
  std::string id;          ///< ULID
  std::string name;
  std::string agent;
  std::optional<std::string> on_behalf_of;
  std::string owner;
  std::map<std::string, std::string> context;
  std::optional<std::string> parent;  ///< its id
  std::vector<TaskInChain> chain;     ///< of a task that was delegated: the first one to the parent
  std::int64_t expires_ns = 0;        ///< wall clock, ns since 1970
  std::string scope_sha256;
  std::string declared_by;
};

struct ParentProcess {
  std::uint32_t pid = 0;
  std::string exe;
  std::uint64_t start_boot_ns =
      0;  ///< never in an event: tells a reused pid from the real ancestor; 0: unknown
};

/// Last in an argv of which more followed than was read.
inline constexpr std::string_view kMoreArguments = "…";

struct Process {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::uint64_t start_boot_ns = 0;  ///< ns since boot, as the kernel keeps it
  std::int64_t start_ns = 0;        ///< wall clock; 0 until attributed
  std::uint32_t uid = 0;
  std::uint32_t ppid = 0;
  std::string comm;               ///< never shown as identity: processes set it themselves
  std::string exe;                ///< bytes as the kernel has them
  std::vector<std::string> argv;  ///< redacted by the sink's caller (attribution)
  std::optional<std::string> cwd;
  std::vector<ParentProcess> parents;  ///< nearest first
};

struct File {
  std::string path;  ///< bytes
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t ino = 0;
  std::vector<std::string>
      flags;  ///< read, write, truncate, map, exec, connect, receive, remove, …
};

struct Destination {
  std::string ip;  ///< empty: not an inet address
  std::optional<std::uint16_t> port;
  std::string protocol;                 ///< tcp, udp, icmp, … or a number; unix; family-N
  std::optional<std::string> name;      ///< host name the address was resolved from
  std::string unix_path;                ///< bytes; "@name" is abstract; empty: no Unix socket
  std::optional<std::uint16_t> family;  ///< AF_ number where it is neither inet nor Unix
};

struct CredentialUse {
  std::vector<std::string> names;  ///< the credential(s) of this event; most have one
  std::optional<Authority> authority;
  std::vector<std::string> held;  ///< by the process, before the event
};

struct Loss {
  Ring ring = Ring::observations;
  LossCause cause = LossCause::ring_full;
  std::uint64_t count = 0;    ///< since the last such event
  std::int64_t since_ns = 0;  ///< wall clock
};

/// No event, but what later ones rest on: a process of a task was started, and is what its starter
/// is until it executes.
struct Fork {
  std::uint64_t boot_ns = 0;
  std::uint32_t slot = 0;
  std::uint32_t uid = 0;
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;
  std::uint32_t parent_pid = 0;
  std::uint64_t parent_start_boot_ns = 0;
};

struct Event {
  std::string id;             ///< ULID, set at delivery
  std::uint64_t seq = 0;      ///< order of delivery, from 1
  std::uint64_t boot_ns = 0;  ///< when it happened, ns since boot
  std::int64_t time_ns = 0;   ///< when it happened, wall clock
  Kind kind = Kind::start;
  bool finding = false;
  Severity severity = Severity::info;
  std::optional<Verdict> verdict;
  std::shared_ptr<const Task> task;
  std::optional<Process> process;
  std::optional<std::string> container_id;
  std::optional<File> file;
  std::optional<Destination> destination;
  std::optional<CredentialUse> credential;
  std::vector<std::uint64_t> evidence;
  References references;
  std::optional<Loss> loss;
  std::map<std::string, std::string>
      details;  ///< kind-specific strings (start, stop, close, finding)

  // What the kernel wrote and later stages need; never in an event.
  std::uint32_t slot = 0;
  std::vector<std::uint16_t> credential_ids;     ///< catalogue numbers of the opened credential(s)
  std::array<std::uint64_t, 4> held_mask{};      ///< bits of the task's policy
  std::array<std::uint64_t, 4> blocking_mask{};  ///< the held bits that forbade the destination
};

}  // namespace ambit::model
