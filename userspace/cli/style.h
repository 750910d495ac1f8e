// SPDX-License-Identifier: Apache-2.0
// Colour for people, plain text for everything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ambit::cli {

enum class Tone : std::uint8_t { plain, strong, good, bad, warning, faint };

class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}
  /// Colour where `fd` is a terminal that can show it and NO_COLOR is not set (no-color.org).
  [[nodiscard]] static Style of(int fd);

  [[nodiscard]] bool colour() const { return colour_; }
  [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;

 private:
  bool colour_;
};

}  // namespace ambit::cli
