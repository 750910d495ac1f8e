// SPDX-License-Identifier: Apache-2.0
// What the daemon's own log is to be like.
#pragma once

#include <cstdint>

namespace ambit::daemon {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { plain, json };

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::plain;
};

}  // namespace ambit::daemon
