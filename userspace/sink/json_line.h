// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ambit::sink {

/// Writes one JSON value after the other into one line. A tree of JSON objects costs ten times as
/// much an event (measured: 14 µs), more than the whole pipeline may.
class JsonLine {
 public:
  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_list() { open('['); }
  void close_list() { close(']'); }

  /// `name` is one of ours: it needs no escaping.
  void key(std::string_view name);
  /// A key that comes from outside.
  void text_key(std::string_view name);

  /// Bytes from outside, as docs/EVENTS.md says; the output is ASCII.
  void text(std::string_view bytes);
  /// A word of ours.
  void word(std::string_view word);
  void null() { literal("null"); }
  void boolean(bool value) { literal(value ? "true" : "false"); }

  template <std::unsigned_integral T>
  void number(T value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    literal({digits, static_cast<std::size_t>(end - digits)});
  }

  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  static std::string reserved() {
    std::string line;
    line.reserve(2048);  // most events fit
    return line;
  }
  void open(char bracket);
  void close(char bracket);
  void separate();
  void literal(std::string_view text);
  void escape(std::string_view bytes);

  std::string out_ = reserved();
  bool first_ = true;  ///< nothing stands before in this object or list
};

}  // namespace ambit::sink
