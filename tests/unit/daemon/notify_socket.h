// SPDX-License-Identifier: Apache-2.0
// What systemd has for its services: a datagram socket, by path or (@) abstract.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"

namespace ambit::probe {

class NotifySocket {
 public:
  void listen_at(const std::string& path) {
    socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  }

  /// All that was said since the last call.
  [[nodiscard]] std::vector<std::string> heard() const {
    std::vector<std::string> out;
    std::array<char, 4096> block{};
    for (ssize_t size = 0; (size = ::recv(socket_.get(), block.data(), block.size(), 0)) >= 0;)
      out.emplace_back(block.data(), static_cast<std::size_t>(size));
    return out;
  }

 private:
  Descriptor socket_;
};

}  // namespace ambit::probe
