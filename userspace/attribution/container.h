// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ambit::attribution {

/// The id of the innermost container that the text of /proc/PID/cgroup names: docker, containerd,
/// CRI-O and podman, under the systemd and the cgroupfs driver.
[[nodiscard]] std::optional<std::string> container_of(std::string_view cgroup_text);

}  // namespace ambit::attribution
