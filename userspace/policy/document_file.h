// SPDX-License-Identifier: Apache-2.0
// The bytes of a document file, refused early when they cannot be one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace ambit::policy {

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 20;

/// Reads a regular file or a pipe (`<(…)`, /dev/stdin) of at most 1 MiB of UTF-8 text. Never waits
/// longer than a few seconds.
[[nodiscard]] Result<std::string> read_document_file(const std::string& path);

/// Whether these bytes can be a document at all: not empty, not too long, text.
[[nodiscard]] Result<void> check_document_bytes(std::string_view bytes);

/// SHA-256 as lower-case hex.
[[nodiscard]] Result<std::string> sha256_hex(std::string_view bytes);

}  // namespace ambit::policy
