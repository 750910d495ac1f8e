// SPDX-License-Identifier: Apache-2.0
// What must hold whatever the bytes were; a check that fails ends the process, which is a find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "userspace/model/event.h"

namespace ambit::fuzz {

void require(bool holds, std::string_view what);

/// One line of ASCII that is a JSON object.
void require_json_line(const std::string& line);

/// The text at `pointer` of the line stands for exactly these bytes.
void require_text(const std::string& line, const std::string& pointer, std::string_view bytes);

/// Both forms in which an event leaves: the line for programs, and what a person sees.
void require_writable(const model::Event& event);

/// Nothing that could steer a terminal. A document's own line is shown with its tabs.
enum class Tabs : std::uint8_t { refused, kept };
void require_printable(std::string_view text, Tabs tabs = Tabs::refused);

}  // namespace ambit::fuzz
