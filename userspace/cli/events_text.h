// SPDX-License-Identifier: Apache-2.0
// The stream's own lines, which say where it begins and ends, for a person.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ambit::cli {

/// What is known of the stream's way so far.
struct StreamPlace {
  std::string run;
  std::uint64_t next = 0;  ///< from which number to go on; 0: nothing was said yet
  bool ended = false;      ///< with a last line
  bool slow = false;
};

/// Whether the line is the stream's own. Events are told apart by their beginning: no parser has
/// to look at each.
[[nodiscard]] bool is_stream_line(std::string_view line);

/// Learns from it; what a person must know, or nothing.
[[nodiscard]] std::string stream_text(std::string_view line, StreamPlace& place);

/// The event's number; 0: it has none.
[[nodiscard]] std::uint64_t seq_of(std::string_view line);

/// ` --from 7 --run 01J…`: how to go on there.
[[nodiscard]] std::string go_on_text(const StreamPlace& place);

}  // namespace ambit::cli
