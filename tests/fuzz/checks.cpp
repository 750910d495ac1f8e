// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/checks.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "userspace/base/utf8.h"
#include "userspace/sink/native.h"
#include "userspace/sink/terminal.h"

namespace ambit::fuzz {

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void require_json_line(const std::string& line) {
  require(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; }),
          "an event is one line of ASCII");
  require(nlohmann::json::parse(line, nullptr, false).is_object(), "an event is a JSON object");
}

void require_text(const std::string& line, const std::string& pointer, std::string_view bytes) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  const nlohmann::json::json_pointer at(pointer);
  require(json.contains(at), pointer);
  if (json[at].is_null() && bytes.empty()) return;  // it is not known
  require(json[at].is_string(), pointer);
  require(from_utf8(json[at].get<std::string>()) == bytes,
          "bytes are written so as to be had back");
}

void require_writable(const model::Event& event) {
  require_json_line(sink::to_json(event, "host"));
  require_printable(sink::render_for_terminal(event, false));
}

void require_printable(std::string_view text, Tabs tabs) {
  while (!text.empty()) {
    const CodePoint next = first_code_point(text);
    require(next.size > 0, "a terminal gets valid UTF-8");
    const bool kept = next.value == '\n' || (next.value == '\t' && tabs == Tabs::kept);
    require(kept || next.value >= ' ', "a terminal gets no control character");
    require(next.value != 0x7f && (next.value < 0x80 || next.value >= 0xa0),
            "a terminal gets no control character");
    text.remove_prefix(next.size);
  }
}

}  // namespace ambit::fuzz
