// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/json_line.h"

#include <algorithm>

#include "userspace/base/utf8.h"

namespace ambit::sink {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

void append_unit(std::string& out, unsigned unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += kHex[(unit >> shift) & 15];
  }
}

void append_code_point(std::string& out, char32_t value) {
  switch (value) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (value < 0x80 && is_plain(static_cast<char>(value))) {
    out += static_cast<char>(value);
  } else if (value < 0x10000) {
    append_unit(out, value);
  } else {
    append_unit(out, 0xd800 + ((value - 0x10000) >> 10));
    append_unit(out, 0xdc00 + ((value - 0x10000) & 0x3ff));
  }
}

}  // namespace

void JsonLine::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
}

void JsonLine::close(char bracket) {
  out_ += bracket;
  first_ = false;
}

void JsonLine::separate() {
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
}

void JsonLine::key(std::string_view name) {
  word(name);
  out_ += ':';
  first_ = true;
}

void JsonLine::text_key(std::string_view name) {
  text(name);
  out_ += ':';
  first_ = true;
}

void JsonLine::literal(std::string_view text) {
  separate();
  out_ += text;
}

void JsonLine::word(std::string_view word) {
  separate();
  out_ += '"';
  out_ += word;
  out_ += '"';
}

void JsonLine::text(std::string_view bytes) {
  separate();
  out_ += '"';
  escape(bytes);
  out_ += '"';
}

void JsonLine::escape(std::string_view bytes) {
  if (std::ranges::all_of(bytes, is_plain)) {
    out_ += bytes;
    return;
  }
  const std::string valid = to_utf8(bytes);
  for (std::string_view rest = valid; !rest.empty();) {
    const CodePoint next = first_code_point(rest);
    append_code_point(out_, next.value);
    rest.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
}

}  // namespace ambit::sink
