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

/// Opens one backend and proves it. The error's first line is a sentence; the kernel's own words
/// may stand below. `proof`, where given, is filled as far as it went, also when that was not
/// enough.
[[nodiscard]] Result<std::unique_ptr<kernel::Sensor>> open_proved(model::Backend backend,
                                                                  const Machine& machine,
                                                                  Proof* proof);

/// The first of lsm, fmod_ret, portable that can be had and is proved; `forced`: that one or none.
/// `out` (may be null) gets the proof, `tried` (may be null) one line for each backend that was not
/// taken. The error says for each one why not and what to do.
[[nodiscard]] Result<std::unique_ptr<kernel::Sensor>> choose_backend(
    std::optional<model::Backend> forced, Proof* out, std::vector<std::string>* tried);

/// "lsm", "fmod_ret", "portable".
[[nodiscard]] Result<model::Backend> parse_backend(std::string_view text);

}  // namespace ambit::pipeline
