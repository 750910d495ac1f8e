// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/acts/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace ambit::acts {

Address::Address(const std::string& text, const std::string& port) {
  const auto number = static_cast<in_port_t>(std::stoi(port));
  sockaddr_in ipv4{};
  if (::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(number);
    std::memcpy(&storage_, &ipv4, sizeof ipv4);
    length_ = sizeof ipv4;
    return;
  }
  sockaddr_in6 ipv6{};
  const std::size_t scope = text.find('%');
  if (scope != std::string::npos) ipv6.sin6_scope_id = ::if_nametoindex(text.c_str() + scope + 1);
  ::inet_pton(AF_INET6, text.substr(0, scope).c_str(), &ipv6.sin6_addr);
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(number);
  std::memcpy(&storage_, &ipv6, sizeof ipv6);
  length_ = sizeof ipv6;
}

UnixAddress::UnixAddress(const std::string& name) {
  address_.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof address_.sun_path - 1);
  std::memcpy(address_.sun_path, name.data(), length);
  length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (name.starts_with('@')) {
    address_.sun_path[0] = '\0';
  } else {
    ++length_;
  }
}

}  // namespace ambit::acts
