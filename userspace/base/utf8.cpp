// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/utf8.h"

#include <algorithm>
#include <array>

namespace ambit {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

struct Range {
  char32_t first;
  char32_t last;
};

// Characters that a terminal obeys, reorders by, or shows as nothing.
constexpr auto kInvisible = std::to_array<Range>({
    {0x00, 0x1f},
    {0x7f, 0x9f},
    {0xad, 0xad},
    {0x34f, 0x34f},
    {0x61c, 0x61c},
    {0x115f, 0x1160},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0x3164, 0x3164},
    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
});

/// What the first byte of a sequence says: its size, its own bits, and the least value it may
/// carry.
struct Lead {
  std::size_t size;
  unsigned char mask;
  char32_t least;
};

constexpr Lead lead_of(unsigned char byte) {
  if (byte < 0x80) {
    return {1, 0x7f, 0};
  }
  if ((byte & 0xe0) == 0xc0) {
    return {2, 0x1f, 0x80};
  }
  if ((byte & 0xf0) == 0xe0) {
    return {3, 0x0f, 0x800};
  }
  if ((byte & 0xf8) == 0xf0) {
    return {4, 0x07, 0x10000};
  }
  return {0, 0, 0};
}

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<unsigned>(c - 'a' + 10);
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<unsigned>(c - 'A' + 10);
  }
  return std::nullopt;
}

void append_hex_byte(std::string& out, unsigned char byte) {
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void append_code_point_name(std::string& out, char32_t value) {
  std::string digits;
  for (; value != 0; value >>= 4) {
    digits.insert(digits.begin(), kHex[value & 15]);
  }
  out += "\\u{" + digits + "}";
}

bool is_invisible(char32_t value) {
  return std::ranges::any_of(
      kInvisible, [value](const Range& r) { return value >= r.first && value <= r.last; });
}

void append_visibly(std::string& out, char32_t value) {
  if (value == '\n') {
    out += "\\n";
  } else if (value == '\t') {
    out += "\\t";
  } else if (value < 0x80) {
    append_hex_byte(out, static_cast<unsigned char>(value));
  } else {
    append_code_point_name(out, value);
  }
}

std::string visible(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const CodePoint next = first_code_point(bytes);
    if (next.size == 0) {
      append_hex_byte(out, static_cast<unsigned char>(bytes.front()));
    } else if (is_invisible(next.value)) {
      append_visibly(out, next.value);
    } else {
      out += bytes.substr(0, next.size);
    }
    bytes.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
  return out;
}

}  // namespace

CodePoint first_code_point(std::string_view bytes) {
  if (bytes.empty()) {
    return {};
  }
  const auto first = static_cast<unsigned char>(bytes.front());
  const Lead lead = lead_of(first);
  if (lead.size == 0 || bytes.size() < lead.size) {
    return {};
  }
  char32_t value = static_cast<char32_t>(first & lead.mask);
  for (std::size_t i = 1; i < lead.size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if ((byte & 0xc0) != 0x80) {
      return {};
    }
    value = value << 6 | (byte & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lead.least || value > 0x10ffff || surrogate) {
    return {};
  }
  return {.value = value, .size = lead.size};
}

bool looks_like_escape(std::string_view bytes, std::size_t at) {
  return at + 3 < bytes.size() && bytes[at] == '\\' && bytes[at + 1] == 'x' &&
         hex_value(bytes[at + 2]) && hex_value(bytes[at + 3]);
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint next = first_code_point(bytes.substr(at));
    if (next.size == 0 || looks_like_escape(bytes, at)) {
      append_hex_byte(out, static_cast<unsigned char>(bytes[at]));
      at += 1;
      continue;
    }
    out += bytes.substr(at, next.size);
    at += next.size;
  }
  return out;
}

std::string from_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (!looks_like_escape(text, at)) {
      out += text[at++];
      continue;
    }
    const unsigned value =
        hex_value(text[at + 2]).value_or(0) * 16 + hex_value(text[at + 3]).value_or(0);
    out += static_cast<char>(value);
    at += 4;
  }
  return out;
}

std::string to_terminal(std::string_view bytes, std::size_t limit) {
  if (bytes.size() <= limit) {
    return visible(bytes);
  }
  const std::size_t half = limit / 2;
  return visible(bytes.substr(0, half)) + "[...]" + visible(bytes.substr(bytes.size() - half));
}

}  // namespace ambit
