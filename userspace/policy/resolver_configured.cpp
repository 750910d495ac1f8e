// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "userspace/policy/environment_file.h"
#include "userspace/policy/resolver.h"

namespace ambit::policy {
namespace {

constexpr std::string_view kBlank = " \t\r\f\v";
constexpr std::string_view kKeyword = "nameserver";

std::string_view first_word(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_first_of(kBlank));
}

std::optional<Address> nameserver_of(std::string_view line) {
  // libc takes the keyword at the start of a line only.
  if (!line.starts_with(kKeyword)) {
    return std::nullopt;
  }
  line.remove_prefix(kKeyword.size());
  if (line.empty() || kBlank.find(line.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view word = first_word(line);
  return address_of(word.substr(0, word.find('%')));
}

}  // namespace

std::vector<Address> parse_resolvers(std::string_view resolv_conf) {
  std::vector<Address> found;
  while (!resolv_conf.empty()) {
    const std::size_t end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    if (const auto address = nameserver_of(resolv_conf.substr(0, end));
        address && std::ranges::find(found, *address) == found.end()) {
      found.push_back(*address);
    }
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
  }
  if (found.empty()) {
    found.push_back(from_ipv4({127, 0, 0, 1}));
  }
  return found;
}

Result<std::vector<Address>> configured_resolvers(const std::string& path) {
  auto text = read_system_file(path);
  if (!text && text.error().code != ENOENT) {
    return std::unexpected(text.error());
  }
  return parse_resolvers(text.value_or(std::string{}));
}

}  // namespace ambit::policy
