// SPDX-License-Identifier: Apache-2.0
// The daemon's own log: lines on standard error. Events are not in it, nor bodies of requests.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "userspace/daemon/log_options.h"

namespace spdlog {
class logger;  // NOLINT(readability-identifier-naming): spdlog's own name
}

namespace ambit::daemon {

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(std::string(text)) {}
  template <std::unsigned_integral T>
  LogField(std::string_view name, T number) : key(name), value(std::uint64_t{number}) {}

  std::string_view key;  ///< a word of ours
  std::variant<std::string, std::uint64_t> value;
};

using LogFields = std::initializer_list<LogField>;

/// What comes from outside is written as text that steers no terminal and ends no line. A line that
/// nobody takes is dropped and counted, and so is what goes beyond kPerSecond: who reads the log
/// slowly, or fills it, does not hold the loop up.
class Log {
 public:
  static constexpr unsigned kPerSecond = 200;

  /// `descriptor` must outlive this.
  Log(LogOptions options, int descriptor);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void debug(std::string_view message, LogFields fields = {});
  void info(std::string_view message, LogFields fields = {});
  void warning(std::string_view message, LogFields fields = {});
  void error(std::string_view message, LogFields fields = {});

 private:
  void write(LogLevel level, std::string_view message, LogFields fields);

  LogFormat format_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace ambit::daemon
