// SPDX-License-Identifier: Apache-2.0
// What the bound process tries, in order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/prove_acts.h"
#include "userspace/pipeline/prove_stage.h"

namespace ambit::pipeline {

/// What has to be arranged around a step, or looked at after it.
enum class Around : std::uint8_t { nothing, send_secret, look_for_child, look_for_end, take_over };

enum class Role : std::uint8_t {
  inside,    ///< the policy allows it
  side,      ///< lies outside, and is shown
  decisive,  ///< lies outside, and counts for the strength of its class
};

struct Step {
  std::string_view operation;
  Class of = Class::files;
  Phase phase = Phase::observed;
  Role role = Role::side;
  int (*act)(const Props&, Belongings&) = nullptr;
  /// That it must reach, on whichever backend. A refusal counts only when one of them fired, since
  /// it could be somebody else's; with none named, because the same operation passed before.
  std::array<std::string_view, 4> hooks{};
  Around around = Around::nothing;
  bool holder_decides = false;  ///< on `portable` that is where this one is decided
};

[[nodiscard]] std::span<const Step> proof_steps();

}  // namespace ambit::pipeline
