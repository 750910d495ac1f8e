// SPDX-License-Identifier: Apache-2.0
// A process that reaches its own socket: what a test suite of any program does.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

int to_own_stream(const sockaddr* where, socklen_t length) {
  const int listener = ::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || ::bind(listener, where, length) != 0 || ::listen(listener, 4) != 0)
    return failed("listen");
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&own), &size);
  const int client = ::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(client, reinterpret_cast<sockaddr*>(&own), size) != 0) return failed("connect");
  if (::send(client, "self", 4, MSG_NOSIGNAL) < 0) return failed("send");
  const int server = ::accept(listener, nullptr, nullptr);
  if (server < 0) return failed("accept");
  std::array<char, 4> heard{};
  if (::recv(server, heard.data(), heard.size(), MSG_WAITALL) != 4) return failed("recv");
  if (::send(server, "back", 4, MSG_NOSIGNAL) < 0) return failed("answer");
  ::close(server);
  return print_content(client);
}

int tcp_to_self(const Words& w) {
  const Address where(w[1], "0");
  return to_own_stream(where.get(), where.length());
}

int unix_to_self(const Words& w) {
  const UnixAddress where(w[1]);
  return to_own_stream(where.get(), where.length());
}

int udp_to_self(const Words& w) {
  const Address where(w[1], "0");
  const int server = ::socket(where.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (server < 0 || ::bind(server, where.get(), where.length()) != 0) return failed("bind");
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(server, reinterpret_cast<sockaddr*>(&own), &size);
  const int client = ::socket(where.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::sendto(client, "self", 4, 0, reinterpret_cast<sockaddr*>(&own), size) < 0)
    return failed("sendto");
  std::array<char, 4> heard{};
  if (::recv(server, heard.data(), heard.size(), 0) != 4) return failed("recv");
  say("back");
  return kDone;
}

/// Answers whoever comes to PORT, once.
int serve(const Words& w) {
  const Address where(w[1], w[2]);
  const int listener = ::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener, where.get(), where.length()) != 0 || ::listen(listener, 4) != 0)
    return failed("listen");
  const int server = ::accept(listener, nullptr, nullptr);
  if (server < 0) return failed("accept");
  if (::send(server, w[3].data(), w[3].size(), MSG_NOSIGNAL) < 0) return failed("send");
  return kDone;
}

int ask(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return print_content(fd);
}

constexpr std::array kActs{
    Act{"tcp-to-self", "ADDRESS", 1, tcp_to_self}, Act{"unix-to-self", "NAME", 1, unix_to_self},
    Act{"udp-to-self", "ADDRESS", 1, udp_to_self}, Act{"ask", "ADDRESS PORT", 2, ask},
    Act{"serve", "ADDRESS PORT TEXT", 3, serve},
};

}  // namespace

std::span<const Act> listen_acts() { return kActs; }

}  // namespace ambit::acts
