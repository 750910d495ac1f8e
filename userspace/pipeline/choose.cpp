// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/choose.h"

#include <algorithm>
#include <utility>

#include "userspace/pipeline/guard.h"

namespace ambit::pipeline {
namespace {

/// The kernel's reasons are whole verifier logs; a person wants the first line.
std::string first_line_of(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string not_had(model::Backend backend, const Error& why, const Machine& machine) {
  std::string line = std::string(model::name_of(backend)) + ": " + first_line_of(why.message);
  if (const std::string what = remedy(backend, machine, why.code); !what.empty())
    line += "; " + what;
  return line;
}

}  // namespace

Result<model::Backend> parse_backend(std::string_view text) {
  const auto found = std::ranges::find_if(
      kBackendOrder, [&](model::Backend backend) { return model::name_of(backend) == text; });
  if (found != kBackendOrder.end()) return *found;
  return fail("there is no backend " + std::string(text) + ": lsm, fmod_ret or portable");
}

Result<std::unique_ptr<kernel::Sensor>> open_proved(const kernel::SensorOptions& options,
                                                    const Machine& machine, Proof* proof) {
  if (std::string why = ruled_out(options.backend, machine); !why.empty())
    return fail(std::move(why));
  auto sensor = kernel::Sensor::open(options);
  if (!sensor) return sensor;
  if (auto guarded = guard_own_process(**sensor); !guarded) return std::unexpected(guarded.error());
  auto proved = prove(**sensor);
  if (!proved) return std::unexpected(proved.error());
  std::string lacking = shortcoming(*proved);
  if (proof != nullptr) *proof = std::move(*proved);
  if (!lacking.empty()) return fail(std::move(lacking));
  return sensor;
}

Result<std::unique_ptr<kernel::Sensor>> choose_backend(std::optional<model::Backend> forced,
                                                       const std::vector<std::string>& without,
                                                       Proof* out, bool outlives) {
  const Machine machine = look_at_machine();
  if (const std::string missing = what_is_missing(machine); !missing.empty()) return fail(missing);
  std::string all;
  for (const model::Backend backend : kBackendOrder) {
    if (forced && *forced != backend) continue;
    auto sensor =
        open_proved({.backend = backend, .without = without, .outlives = outlives}, machine, out);
    if (sensor) return sensor;
    all += "\n  " + not_had(backend, sensor.error(), machine);
  }
  return fail((forced ? "this backend cannot be had here:" : "no backend can be had here:") + all);
}

}  // namespace ambit::pipeline
