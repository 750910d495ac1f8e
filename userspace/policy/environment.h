// SPDX-License-Identifier: Apache-2.0
// What the started command's environment says about credentials. An environment is a list of
// NAME=value as execve takes it; values never leave these functions, except as paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/documents.h"

namespace ambit::policy {

using Environment = std::vector<std::string>;

/// The value that getenv would give.
[[nodiscard]] std::optional<std::string_view> variable_of(const Environment& environment,
                                                          std::string_view name);

/// A credential outside the scope that the environment carries.
struct EnvironmentSecret {
  std::string credential;
  std::vector<std::string> variables;  ///< names, in the catalogue's order
  bool operator==(const EnvironmentSecret&) const = default;
};

/// One for each such credential. A variable of several credentials is inside only if all are, as
/// with files; one with an empty value holds no secret.
[[nodiscard]] std::vector<EnvironmentSecret> find_environment_secrets(
    const Environment& environment, const model::Catalogue& catalogue, const model::Scope& scope);

/// The environment without the variables of credentials outside the scope, repeats included.
[[nodiscard]] Environment strip_environment(const Environment& environment,
                                            const model::Catalogue& catalogue,
                                            const model::Scope& scope);

/// Patterns that a credential has more because of the environment; they may begin with `~/`.
struct Relocated {
  std::vector<model::Pattern> files;
  std::vector<model::Pattern> sockets;
};

/// What `relocatedBy` of the credential gives: each of its files and sockets that is or lies below
/// the moved pattern, at the variable's path. Relative paths begin at `cwd`; variables that are not
/// set, are empty or name no path (tcp://…) move nothing. An error where a value has a `*`, which
/// no pattern can mean literally.
[[nodiscard]] Result<Relocated> relocate(const model::Credential& credential,
                                         const Environment& environment, const std::string& cwd);

}  // namespace ambit::policy
