// SPDX-License-Identifier: Apache-2.0
// A process that has a port of its own and goes to that port, where somebody else may be as well.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

#ifndef IPPROTO_MPTCP
constexpr int IPPROTO_MPTCP = 262;
#endif

struct Kind {
  int type = SOCK_STREAM;
  int protocol = 0;
  int only_ipv6 = -1;  ///< -1: as the system has it
  int shared_by = 0;   ///< an option that lets others have the port
};

const Kind* kind_of(const std::string& name) {
  static const std::map<std::string, Kind> kinds{
      {"tcp", {}},
      {"tcp-ipv6-only", {.only_ipv6 = 1}},
      {"tcp-both", {.only_ipv6 = 0}},
      {"tcp-reuseaddr", {.shared_by = SO_REUSEADDR}},
      {"tcp-reuseport", {.shared_by = SO_REUSEPORT}},
      {"mptcp", {.protocol = IPPROTO_MPTCP}},
      {"udp", {.type = SOCK_DGRAM}},
      {"udp-ipv6-only", {.type = SOCK_DGRAM, .only_ipv6 = 1}},
      {"udp-both", {.type = SOCK_DGRAM, .only_ipv6 = 0}},
      {"udp-reuseaddr", {.type = SOCK_DGRAM, .shared_by = SO_REUSEADDR}},
      {"udp-reuseport", {.type = SOCK_DGRAM, .shared_by = SO_REUSEPORT}}};
  const auto found = kinds.find(name);
  return found == kinds.end() ? nullptr : &found->second;
}

int set(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

/// Bound, and listening where there is something to listen for; -1 with errno.
int own_socket(const Kind& kind, const Address& where) {
  const int fd = ::socket(where.family(), kind.type | SOCK_CLOEXEC, kind.protocol);
  if (fd < 0) return -1;
  if (kind.only_ipv6 >= 0 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, kind.only_ipv6) != 0) return -1;
  if (kind.shared_by != 0 && set(fd, SOL_SOCKET, kind.shared_by, 1) != 0) return -1;
  if (::bind(fd, where.get(), where.length()) != 0) return -1;
  if (kind.type == SOCK_STREAM && ::listen(fd, 8) != 0) return -1;
  return fd;
}

std::string port_of(int fd) {
  sockaddr_in6 own{};
  socklen_t size = sizeof own;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  return std::to_string(ntohs(own.sin6_port));  // at the same place in both families
}

/// What the socket was sent by anybody.
int print_heard(const Kind& kind, int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, 5000) <= 0) return kFailed;
  const int from = kind.type == SOCK_STREAM ? ::accept(fd, nullptr, nullptr) : fd;
  if (from < 0) return failed("accept");
  std::array<char, 64> heard{};
  const ssize_t got = ::recv(from, heard.data(), heard.size(), 0);
  if (got < 0) return failed("recv");
  say(std::string_view(heard.data(), static_cast<std::size_t>(got)));
  return kDone;
}

int to_own(const Words& w) {
  const Kind* const kind = kind_of(w[1]);
  if (kind == nullptr) return kUsage;
  const int fd = own_socket(*kind, Address(w[2], "0"));
  if (fd < 0) return failed("own socket");
  const std::string act = kind->type == SOCK_STREAM ? "tcp" : "udp";
  if (const int status = perform({act, w[3], port_of(fd), w[4]}); status != kDone) return status;
  return print_heard(*kind, fd);
}

int with_own(const Words& w) {
  const Kind* const kind = kind_of(w[1]);
  if (kind == nullptr) return kUsage;
  if (own_socket(*kind, Address(w[2], w[3])) < 0) return failed("own socket");
  return perform_rest(w, 4);
}

/// Says in a file of what has become of the port, and waits for one that says to go on.
bool hand_over(const std::string& stem) {
  const int told = ::open((stem + ".shared").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (told < 0) return false;
  ::close(told);
  for (int i = 0; i < 1500; ++i) {
    if (::access((stem + ".joined").c_str(), F_OK) == 0) return true;
    ::usleep(20'000);
  }
  return false;
}

// Others can have the port for a while; nothing of that is to be seen afterwards.
int shared_for_a_while(const Words& w) {
  const Kind* const kind = kind_of(w[1]);
  if (kind == nullptr) return kUsage;
  const int fd = own_socket(*kind, Address(w[2], w[3]));
  if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0) return failed("own socket");
  const bool joined = hand_over(w[4]);
  if (!joined || set(fd, SOL_SOCKET, SO_REUSEPORT, 0) != 0) return failed("handed over");
  return perform_rest(w, 5);
}

// A datagram socket leaves addresses to others by connecting, and has them again afterwards.
int connected_for_a_while(const Words& w) {
  const int fd = own_socket({.type = SOCK_DGRAM}, Address("0.0.0.0", w[1]));
  const int other = own_socket({.type = SOCK_DGRAM}, Address("127.0.0.1", "0"));
  const Address near("127.0.0.1", port_of(other));
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (fd < 0 || ::connect(fd, near.get(), near.length()) != 0) return failed("own socket");
  if (!hand_over(w[2]) || ::connect(fd, &none, sizeof none) != 0) return failed("handed over");
  return perform_rest(w, 3);
}

int closed_then(const Words& w) {
  const Kind* const kind = kind_of(w[1]);
  if (kind == nullptr) return kUsage;
  const int fd = own_socket(*kind, Address(w[2], w[3]));
  if (fd < 0) return failed("own socket");
  // What is shut down still has the port, and the kernel's list has not.
  if (kind->type == SOCK_STREAM) ::shutdown(fd, SHUT_RDWR);
  if (kind->type == SOCK_DGRAM) ::close(fd);
  if (!hand_over(w[4])) return failed("handed over");
  return perform_rest(w, 5);
}

constexpr std::array kActs{
    Act{"to-own", "KIND ADDRESS TO TEXT", 4, to_own},
    Act{"with-own", "KIND ADDRESS PORT ACT…", 4, with_own},
    Act{"shared-for-a-while", "KIND ADDRESS PORT STEM ACT…", 5, shared_for_a_while},
    Act{"connected-for-a-while", "PORT STEM ACT…", 3, connected_for_a_while},
    Act{"closed-then", "KIND ADDRESS PORT STEM ACT…", 5, closed_then},
};

}  // namespace

std::span<const Act> beside_acts() { return kActs; }

}  // namespace ambit::acts
