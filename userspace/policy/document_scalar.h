// SPDX-License-Identifier: Apache-2.0
// Scalars: what a plain YAML word is (core schema), durations, names.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "userspace/policy/document_form.h"
#include "userspace/policy/document_tree.h"

namespace ambit::policy {

/// YAML 1.2 core schema: `yes` and `on` are text.
[[nodiscard]] NodeType type_of_plain(std::string_view text);

inline constexpr std::chrono::hours kMaxDuration{8760};

/// `500ms`, `90s`, `30m`, `1h30m`: units in this order, each at most once; above zero, a year at
/// most.
[[nodiscard]] Formed<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// As documents write it, in whole seconds, below one in milliseconds; "no time" of none.
[[nodiscard]] std::string text_of_duration(std::chrono::nanoseconds duration);

/// Letters, digits, `.`, `_`, `-`; begins and ends with a letter or digit; at most 128.
[[nodiscard]] Formed<std::string> parse_name(std::string_view text);

/// A workload identity: a SPIFFE ID or another absolute URI.
[[nodiscard]] Formed<std::string> parse_agent(std::string_view text);

/// The name of an environment variable.
[[nodiscard]] Formed<std::string> parse_variable(std::string_view text);

}  // namespace ambit::policy
