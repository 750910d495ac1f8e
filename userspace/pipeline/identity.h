// SPDX-License-Identifier: Apache-2.0
// As whom a command is started.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace ambit::pipeline {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name;
  std::string home;
  bool changes = false;  ///< it is not the user of this process
};

/// `user` if given; under sudo the user who called it; else the user of this process.
[[nodiscard]] Result<Identity> choose_identity(const std::optional<std::string>& user,
                                               const std::vector<std::string>& environment);

/// The environment as that user's: HOME, USER and LOGNAME are its own and sudo's variables go.
[[nodiscard]] std::vector<std::string> environment_of(const Identity& identity,
                                                      std::vector<std::string> environment);

}  // namespace ambit::pipeline
