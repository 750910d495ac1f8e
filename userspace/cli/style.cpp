// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/style.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace ambit::cli {
namespace {

// By Tone.
constexpr std::array<std::string_view, 6> kCodes{"", "1", "32", "1;31", "33", "2"};

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

Style Style::of(int fd) {
  return Style(::isatty(fd) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb");
}

std::string Style::paint(std::string_view text, Tone tone) const {
  const std::string_view code = kCodes.at(static_cast<std::size_t>(tone));
  if (!colour_ || code.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace ambit::cli
