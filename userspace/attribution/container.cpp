// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/container.h"

#include <algorithm>
#include <array>

namespace ambit::attribution {
namespace {

constexpr std::size_t kIdSize = 64;
constexpr auto kPrefixes = std::to_array<std::string_view>(
    {"docker-", "cri-containerd-", "containerd-", "nerdctl-", "crio-", "libpod-"});

/// Takes what stands before `separator`, and the separator, off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return taken;
}

bool is_id(std::string_view text) {
  return text.size() == kIdSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// `docker-ID.scope`, `kubepods-….slice:cri-containerd:ID`, `ID`.
std::string_view id_in(std::string_view component) {
  if (component.ends_with(".scope")) {
    component.remove_suffix(6);
  }
  component.remove_prefix(component.rfind(':') + 1);
  for (const std::string_view prefix : kPrefixes) {
    if (component.starts_with(prefix)) {
      component.remove_prefix(prefix.size());
      break;
    }
  }
  return is_id(component) ? component : std::string_view();
}

std::string_view innermost_id(std::string_view path) {
  std::string_view found;
  while (!path.empty()) {
    const std::string_view id = id_in(take_until(path, '/'));
    found = id.empty() ? found : id;
  }
  return found;
}

}  // namespace

std::optional<std::string> container_of(std::string_view cgroup_text) {
  std::string_view found;
  while (!cgroup_text.empty()) {
    std::string_view line = take_until(cgroup_text, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    (void)take_until(line, ':');
    const std::string_view id = innermost_id(line);
    const bool unified = hierarchy == "0";
    if (!id.empty() && (unified || found.empty())) {
      found = id;
    }
  }
  return found.empty() ? std::nullopt : std::optional(std::string(found));
}

}  // namespace ambit::attribution
