// SPDX-License-Identifier: Apache-2.0
// Command lines without the secrets that people put on them (docs/EVENTS.md, "Command lines").
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ambit::attribution {

inline constexpr std::size_t kMaxArguments = 256;
inline constexpr std::size_t kMaxArgumentBytes = 4096;
inline constexpr std::size_t kMaxArgvBytes = 16384;

/// Secret values become `[redacted]`. Errs towards hiding: what looks like a secret is one.
[[nodiscard]] std::vector<std::string> redact(const std::vector<std::string>& argv);

/// At most the limits above; what is cut is counted: `…[+123 bytes]`, `[+17 arguments]`, or
/// `[+17 arguments or more]` where model::kMoreArguments says that not all could be read.
[[nodiscard]] std::vector<std::string> bounded(std::vector<std::string> argv);

/// Both, at a cost that does not grow with an argv of megabytes: what an event may show.
[[nodiscard]] std::vector<std::string> presentable(const std::vector<std::string>& argv);

}  // namespace ambit::attribution
