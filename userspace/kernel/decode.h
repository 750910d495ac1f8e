// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/model/event.h"

namespace ambit::kernel {

/// A record as the kernel wrote it: an event without names, or the loss that it counts as.
/// Credentials are numbers and bits; who knows the task puts names to them.
[[nodiscard]] std::expected<model::Event, model::LossCause> decode(
    std::span<const std::byte> record);

/// The other records of the kernel; nothing: it is none of them.
[[nodiscard]] std::optional<model::Fork> decode_fork(std::span<const std::byte> record);

}  // namespace ambit::kernel
