// SPDX-License-Identifier: Apache-2.0
// A value whose text has a form of its own (a pattern, a range, a duration), or what is wrong with
// it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace ambit::policy {

struct FormMistake {
  std::string message;     ///< continues the quoted text: "… is a relative path"
  std::string suggestion;  ///< the text that was probably meant; empty: no guess
};

template <typename T>
using Formed = std::expected<T, FormMistake>;

[[nodiscard]] inline std::unexpected<FormMistake> mistaken(std::string message,
                                                           std::string suggestion = {}) {
  return std::unexpected(
      FormMistake{.message = std::move(message), .suggestion = std::move(suggestion)});
}

}  // namespace ambit::policy
