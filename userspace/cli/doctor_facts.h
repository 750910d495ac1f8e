// SPDX-License-Identifier: Apache-2.0
// What `ambit doctor` found out; passive, so that showing it is a pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/cli/containment.h"
#include "userspace/cli/style.h"
#include "userspace/cli/version.h"
#include "userspace/pipeline/machine.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/storm.h"

namespace ambit::cli {

struct BackendFacts {
  model::Backend backend = model::Backend::none;
  bool available = false;
  std::string why_not;  ///< one sentence; empty when it can be had
  std::string log;      ///< the kernel's own words, where there were any
  std::string remedy;   ///< what would make it available; empty: nothing known, or nothing needed
  std::optional<pipeline::Proof> proof;
  std::optional<pipeline::Storm> storm;

  /// What it can do is not done each time.
  [[nodiscard]] bool skips() const { return storm && !storm->calm(); }
};

struct DoctorFacts {
  Version version;
  pipeline::Machine machine;
  std::string missing;  ///< what keeps every backend from working
  std::vector<BackendFacts> backends;
  std::optional<model::Backend> chosen;
  std::optional<Containment> containment;  ///< of the chosen backend

  /// Null when no backend can be had.
  [[nodiscard]] const BackendFacts* in_use() const;
};

/// "deny", "kill", "alert" or "not".
[[nodiscard]] std::string_view word_for(pipeline::Strength strength);

/// What the backend in use does not do, each as a sentence.
[[nodiscard]] std::vector<std::string> what_does_not_hold(const BackendFacts& backend);

/// How to get more than the backend in use gives; empty: there is no more.
[[nodiscard]] std::vector<std::string> how_to_get_more(const DoctorFacts& facts);

[[nodiscard]] std::string render_text(const DoctorFacts& facts, const Style& style);
/// One JSON object, ended by a newline.
[[nodiscard]] std::string render_json(const DoctorFacts& facts);

}  // namespace ambit::cli
