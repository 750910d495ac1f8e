// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/log.h"

#include <poll.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "userspace/base/utf8.h"
#include "userspace/sink/json_line.h"

namespace ambit::daemon {

namespace {

/// As much as a pipe takes in one piece (PIPE_BUF).
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxText = 1024;

spdlog::level::level_enum level_of(LogLevel level) {
  constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                               spdlog::level::err};
  return kLevels.at(static_cast<std::size_t>(level));
}

/// spdlog's own for standard error waits as long as nobody reads it.
class LineSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  LineSink(int descriptor, LogFormat format) : descriptor_(descriptor), format_(format) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (message.time - second_ >= std::chrono::seconds(1)) {
      second_ = message.time;
      lines_ = 0;
    }
    if (++lines_ > Log::kPerSecond || !has_room()) {
      ++lost_;
      return;
    }
    if (lost_ != 0) tell_loss(message.time);
    put(message);
  }
  void flush_() override {}

 private:
  [[nodiscard]] bool has_room() const {
    pollfd wait{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    return ::poll(&wait, 1, 0) == 1 && (wait.revents & POLLOUT) != 0;
  }

  void tell_loss(spdlog::log_clock::time_point at) {
    const std::string number = std::to_string(std::exchange(lost_, 0));
    const std::string text =
        format_ == LogFormat::json
            ? "\"message\":\"lines of this log were lost\",\"lines\":" + number + "}"
            : "lines of this log were lost lines=" + number;
    put(spdlog::details::log_msg(at, {}, {}, spdlog::level::warn, text));
  }

  void put(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (line.size() > kMaxLine) {
      ++lost_;
      return;
    }
    const char* data = line.data();
    for (std::size_t left = line.size(); left > 0;) {
      const ssize_t size = ::write(descriptor_, data, left);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) {
        ++lost_;
        return;
      }
      data += size;
      left -= static_cast<std::size_t>(size);
    }
  }

  int descriptor_;
  LogFormat format_;
  spdlog::log_clock::time_point second_;
  unsigned lines_ = 0;
  std::uint64_t lost_ = 0;
};

/// Words as they are, all else in quotes.
std::string plain(const std::string& text) {
  const bool word = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("_-./:@+").find(c) != std::string_view::npos;
  });
  if (word) return text;
  sink::JsonLine quoted;
  quoted.text(text);
  return std::move(quoted).take();
}

std::string json_text(std::string_view message, LogFields fields) {
  sink::JsonLine line;
  line.open_object();
  line.key("message");
  line.text(to_terminal(message, kMaxText));
  for (const LogField& field : fields) {
    line.key(field.key);
    if (const auto* const number = std::get_if<std::uint64_t>(&field.value))
      line.number(*number);
    else
      line.text(to_terminal(std::get<std::string>(field.value), kMaxText));
  }
  line.close_object();
  return std::move(line).take().substr(1);  // its { is the pattern's
}

std::string plain_text(std::string_view message, LogFields fields) {
  std::string line = to_terminal(message, kMaxText);
  for (const LogField& field : fields) {
    line += " " + std::string(field.key) + "=";
    if (const auto* const number = std::get_if<std::uint64_t>(&field.value))
      line += std::to_string(*number);
    else
      line += plain(to_terminal(std::get<std::string>(field.value), kMaxText));
  }
  return line;
}

}  // namespace

Log::Log(LogOptions options, int descriptor)
    : format_(options.format),
      logger_(std::make_unique<spdlog::logger>(
          "ambit", std::make_shared<LineSink>(descriptor, options.format))) {
  const char* const pattern = options.format == LogFormat::json
                                  ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)"
                                  : "%Y-%m-%dT%H:%M:%S.%fZ %l: %v";
  logger_->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  logger_->set_level(level_of(options.level));
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, LogFields fields) {
  const auto at = level_of(level);
  if (!logger_->should_log(at)) return;
  logger_->log(at, spdlog::string_view_t(format_ == LogFormat::json ? json_text(message, fields)
                                                                    : plain_text(message, fields)));
}

void Log::debug(std::string_view message, LogFields fields) {
  write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, LogFields fields) {
  write(LogLevel::info, message, fields);
}
void Log::warning(std::string_view message, LogFields fields) {
  write(LogLevel::warning, message, fields);
}
void Log::error(std::string_view message, LogFields fields) {
  write(LogLevel::error, message, fields);
}

}  // namespace ambit::daemon
