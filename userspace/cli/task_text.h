// SPDX-License-Identifier: Apache-2.0
// The daemon's answers for a person.
#pragma once

#include <string>

namespace ambit::cli {

/// One task: a line of words each, then what does not hold.
[[nodiscard]] std::string task_text(const std::string& json);
/// One line a task.
[[nodiscard]] std::string task_list_text(const std::string& json);
[[nodiscard]] std::string status_text(const std::string& json);
[[nodiscard]] std::string reload_text(const std::string& json);
/// Why it was refused; mistakes of the scope as `ambit check` shows them, as far as they go.
[[nodiscard]] std::string refusal_text(const std::string& json, const std::string& scope_file);

}  // namespace ambit::cli
