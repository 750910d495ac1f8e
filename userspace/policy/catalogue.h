// SPDX-License-Identifier: Apache-2.0
// The catalogue: every credential in force, from files and from what is embedded in the binary.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::policy {

inline constexpr std::string_view kBuiltinCatalogue = "builtin";
inline constexpr std::size_t kMaxCatalogue = 65'535;  ///< numbers of credentials have 16 bits

/// Each source is a directory (its *.yaml, *.yml and *.json; not what lies deeper, so not opt-in/),
/// a file, `builtin` (the shipped catalogue without opt-in), or `builtin:NAME` (one shipped file,
/// opt-in ones too, as in `builtin:dotenv`). No source at all is `builtin`. A source named twice
/// counts once. The result is sorted by name: the index of a credential is its number.
[[nodiscard]] std::expected<model::Catalogue, std::vector<Diagnostic>> load_catalogue(
    const std::vector<std::string>& sources);

/// The names that `builtin:NAME` knows.
[[nodiscard]] std::vector<std::string> builtin_catalogue_names();

}  // namespace ambit::policy
