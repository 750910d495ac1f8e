// SPDX-License-Identifier: Apache-2.0
// What a backend really does on this machine: each hook is seen to fire, each class of operations
// is tried by a process that is bound, before anything is promised.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"
#include "userspace/model/words.h"

namespace ambit::pipeline {

/// The strongest that can be done about an operation, weakest first: the order is a ladder.
enum class Strength : std::uint8_t { none, alert, kill, deny };
inline constexpr std::array kStrengths{
    std::to_array<std::string_view>({"none", "alert", "kill", "deny"})};
[[nodiscard]] constexpr std::string_view name_of(Strength value) {
  return kStrengths.at(static_cast<std::size_t>(value));
}

/// Classes of operations that a scope binds.
enum class Class : std::uint8_t {
  files,
  network,
  exec,
  unix_sockets,
  unix_datagrams,
  families,
  expiry,
  guard,
};
inline constexpr std::array kClasses{std::to_array<std::string_view>(
    {"files", "network", "exec", "unix", "unix_datagrams", "families", "expiry", "guard"})};
[[nodiscard]] constexpr std::string_view name_of(Class value) {
  return kClasses.at(static_cast<std::size_t>(value));
}

struct HookProof {
  std::string hook;
  bool required = false;
  bool attached = false;
  bool tried = false;   ///< an operation that must reach it was made
  bool proved = false;  ///< and it was seen to fire
  std::string why_not;  ///< empty when proved
  std::string without;  ///< what does not hold without it
};

enum class Outcome : std::uint8_t { untried, refused, killed, seen, passed };

/// One operation that the bound process tried.
struct Attempt {
  std::string operation;  ///< as a person would say it: "open a credential file"
  Class of = Class::files;
  bool inside = false;    ///< the policy allows it: listed only because it was refused
  bool decisive = false;  ///< counts for the strength of its class
  Outcome outcome = Outcome::untried;
  int error = 0;     ///< errno that the process got
  std::string note;  ///< why it was not tried
};

struct Proof {
  model::Backend backend = model::Backend::none;
  std::vector<HookProof> hooks;
  std::vector<Attempt> attempts;
  std::array<Strength, kClasses.size()> strengths{};  ///< by Class

  [[nodiscard]] Strength strength(Class of) const {
    return strengths.at(static_cast<std::size_t>(of));
  }
};

/// Numbers of tasks, policies and spaces from here on are the proof's own. Records of such tasks
/// may still stand in the rings when it has ended: whoever reads them drops those.
inline constexpr std::uint32_t kFirstProofNumber = 0xfffffff0;
[[nodiscard]] constexpr bool is_proof_slot(std::uint32_t slot) { return slot >= kFirstProofNumber; }

/// Binds a child process to a tiny policy and lets it try. Leaves no entry in the tables behind.
/// An error means that trying itself was impossible.
[[nodiscard]] Result<Proof> prove(kernel::Sensor& sensor);

/// The first required hook that was tried and never fired, or class that is not even killed; empty:
/// the backend does what it must.
[[nodiscard]] std::string shortcoming(const Proof& proof);

}  // namespace ambit::pipeline
