// SPDX-License-Identifier: Apache-2.0
// What the bound process tries, in order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/prove_stage.h"

namespace ambit::pipeline {

/// What the process has made itself on the way. Each is gone when the process is.
struct Belongings {
  int listener = -1;
  int connection = -1;
  int datagrams = -1;
  std::uint16_t port = 0;  ///< of `datagrams`
  int gate = -1;           ///< closing it lets the child process end
  int child = 0;
};

/// Beyond errno: what a step answers.
inline constexpr int kDone = 0;
inline constexpr int kCannotBeTried = -1;
inline constexpr int kWasKilled = -2;

/// What has to be arranged around a step, or looked at after it.
enum class Around : std::uint8_t { nothing, send_secret, look_for_child, look_for_end, take_over };

struct Step {
  std::string_view operation;
  Class of = Class::files;
  Phase phase = Phase::observed;
  bool decisive = false;  ///< counts for the strength of its class
  bool bound = true;      ///< lies outside the policy: it is to be refused
  int (*act)(const Props&, Belongings&) = nullptr;  ///< runs after fork(): system calls only
  /// That it must reach, on whichever backend. A refusal counts only when one of them fired, since
  /// it could be somebody else's; with none named, because the same operation passed before.
  std::array<std::string_view, 4> hooks{};
  Around around = Around::nothing;
};

[[nodiscard]] std::span<const Step> proof_steps();

}  // namespace ambit::pipeline
