// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ambit {

/// What went wrong, as a sentence that a user can act on.
struct Error {
  std::string message;
  int code = 0;  ///< errno where one is behind it, else 0
};

template <typename T>
using Result = std::expected<T, Error>;

/// A failure without an errno behind it.
[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{.message = std::move(message), .code = 0});
}

/// A failed system call: `what: strerror(code)`.
[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string_view what, int code = errno) {
  return std::unexpected(
      Error{.message = std::string(what) + ": " + std::strerror(code), .code = code});
}

}  // namespace ambit
