// SPDX-License-Identifier: Apache-2.0
// The commands of `ambit`, and the way from the command line to one of them.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace ambit::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFaults = 1;  ///< the answer is no: mistakes found, nothing available
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInternal = 125;

struct Command {
  std::string_view name;
  std::string_view summary;                            ///< one line
  int (*run)(std::span<const std::string> arguments);  ///< what stands behind the name
};

/// Where a person reads.
struct Streams {
  std::ostream& out;
  std::ostream& err;
};

[[nodiscard]] std::span<const Command> commands();

/// Runs the command that `arguments` (without the program's name) ask for; the exit status.
[[nodiscard]] int dispatch(std::span<const std::string> arguments, std::span<const Command> table,
                           Streams streams);

/// Says what is wrong with the use of `command` ("" is ambit itself), and where help is:
/// kExitUsage.
[[nodiscard]] int usage_error(std::ostream& err, std::string_view command,
                              std::string_view sentence);

}  // namespace ambit::cli
