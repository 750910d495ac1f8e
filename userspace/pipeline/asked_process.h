// SPDX-License-Identifier: Apache-2.0
// Whom a process means by a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ambit::pipeline {

/// A number behind a word at the start of a line of /proc/PID/status.
[[nodiscard]] std::optional<std::uint32_t> status_of(std::uint32_t pid, std::string_view word);

/// The process of a thread; the number itself where there is none.
[[nodiscard]] std::uint32_t process_of_thread(std::uint32_t tid);

/// The process or thread that `asker` calls `number` in its PID namespace, by our own number.
[[nodiscard]] std::optional<std::uint32_t> process_called(std::uint32_t number,
                                                          std::uint32_t asker);

}  // namespace ambit::pipeline
