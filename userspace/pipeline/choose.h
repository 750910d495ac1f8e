// SPDX-License-Identifier: Apache-2.0
// The best backend that is proved to work on this machine.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"
#include "userspace/model/words.h"
#include "userspace/pipeline/machine.h"
#include "userspace/pipeline/prove.h"

namespace ambit::pipeline {

/// Best first.
inline constexpr std::array kBackendOrder{model::Backend::lsm, model::Backend::fmod_ret,
                                          model::Backend::portable};

/// Opens the backend of `options` and proves it. The error's first line is a sentence; the kernel's
/// own words may stand below. `proof`, where given, is filled as far as it went, also when that was
/// not enough.
[[nodiscard]] Result<std::unique_ptr<kernel::Sensor>> open_proved(
    const kernel::SensorOptions& options, const Machine& machine, Proof* proof);

/// The first of lsm, fmod_ret, portable that can be had and is proved; `forced`: that one or none.
/// `without`: hooks that are not needed. `out` (may be null) gets the proof. `outlives`: it will be
/// pinned. The error says for each backend why not and what to do.
[[nodiscard]] Result<std::unique_ptr<kernel::Sensor>> choose_backend(
    std::optional<model::Backend> forced, const std::vector<std::string>& without, Proof* out,
    bool outlives = false);

/// "lsm", "fmod_ret", "portable".
[[nodiscard]] Result<model::Backend> parse_backend(std::string_view text);

}  // namespace ambit::pipeline
