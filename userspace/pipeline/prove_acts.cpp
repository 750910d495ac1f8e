// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_acts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ambit::pipeline {
namespace {

/// 0 or errno; a descriptor that should not have been had is closed again.
int outcome_of(int fd) {
  if (fd < 0) return errno;
  ::close(fd);
  return kDone;
}

int result_of(long returned) { return returned < 0 ? errno : kDone; }

template <typename Address>
int connect_to(const Address& address, int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int result =
      result_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  // Nobody listens there: being turned away means having got there.
  return result == ECONNREFUSED ? kDone : result;
}

template <typename Address>
int send_to(const Address& address, int family) {
  const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int result = result_of(::sendto(
      fd, "x", 1, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  return result;
}

int open_family(int family, int type, int protocol) {
  const int result = outcome_of(::socket(family, type | SOCK_CLOEXEC, protocol));
  return result == EAFNOSUPPORT ? kCannotBeTried : result;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int bind_port(int fd, std::uint16_t& port) {
  if (fd < 0) return kCannotBeTried;
  sockaddr_in address = loopback(port);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, length) != 0 || ::getsockname(fd, generic, &length) != 0) return errno;
  port = ntohs(address.sin_port);
  return kDone;
}

}  // namespace

int open_secret(const Props& props, Belongings& /*mine*/) {
  return outcome_of(::open(props.secret.data(), O_RDONLY | O_CLOEXEC));
}

int truncate_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::truncate(props.secret.data(), 0));
}

int receive_secret(const Props& props, Belongings& /*mine*/) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(props.channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
    return kCannotBeTried;
  // A refused descriptor is left out of the message, and nothing says so.
  if (CMSG_FIRSTHDR(&message) == nullptr) return EPERM;
  int fd = -1;
  __builtin_memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
  return outcome_of(fd);
}

int link_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::link(props.secret.data(), props.link.data()));
}

int rename_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::rename(props.link.data(), props.renamed.data()));
}

int chmod_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::chmod(props.secret.data(), 0600));
}

int chown_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::chown(props.secret.data(), 0, 0));
}

/// The name that it got on the way: the file stays.
int unlink_secret(const Props& props, Belongings& /*mine*/) {
  return result_of(::unlink(props.renamed.data()));
}

int start_child(const Props& /*props*/, Belongings& mine) {
  std::array<int, 2> gate{};
  if (::pipe2(gate.data(), O_CLOEXEC) != 0) return kCannotBeTried;
  const pid_t child = ::_Fork();
  if (child == 0) {
    char byte = 0;
    ::close(gate[1]);
    ::_exit(::read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  ::close(gate[0]);
  mine.gate = gate[1];
  mine.child = child;
  return child < 0 ? errno : kDone;
}

int end_child(const Props& /*props*/, Belongings& mine) {
  ::close(mine.gate);
  if (mine.child <= 0) return kCannotBeTried;
  return result_of(::waitpid(mine.child, nullptr, 0));
}

int execute(const Props& props, Belongings& /*mine*/) {
  if (props.program == nullptr) return kCannotBeTried;
  constexpr int kRefused = 101;  // no program of the list ends so
  constexpr int kElse = 102;
  const pid_t child = ::_Fork();
  if (child < 0) return errno;
  if (child == 0) {
    char name[] = "true";
    char option[] = "--help";
    char* const arguments[] = {name, option, nullptr};
    char* const environment[] = {nullptr};
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || ::dup2(null, STDOUT_FILENO) < 0 || ::dup2(null, STDERR_FILENO) < 0)
      ::_exit(kElse);
    ::execve(props.program, arguments, environment);
    ::_exit(errno == EPERM ? kRefused : kElse);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return kCannotBeTried;
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGKILL ? kWasKilled : kCannotBeTried;
  if (WEXITSTATUS(status) == kRefused) return EPERM;
  return WEXITSTATUS(status) == kElse ? kCannotBeTried : kDone;
}

int connect4(const Props& props, Belongings& /*mine*/) { return connect_to(props.tcp4, AF_INET); }
int send4(const Props& props, Belongings& /*mine*/) { return send_to(props.udp4, AF_INET); }
int connect6(const Props& props, Belongings& /*mine*/) {
  return props.ipv6 ? connect_to(props.tcp6, AF_INET6) : kCannotBeTried;
}
int send6(const Props& props, Belongings& /*mine*/) {
  return props.ipv6 ? send_to(props.udp6, AF_INET6) : kCannotBeTried;
}

int bind6(const Props& props, Belongings& /*mine*/) {
  if (!props.ipv6) return kCannotBeTried;
  const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_in6 address = props.udp6;
  address.sin6_port = 0;
  const int result =
      result_of(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  return result;
}

int connect_unix(const Props& props, Belongings& /*mine*/) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int result = result_of(
      ::connect(fd, reinterpret_cast<const sockaddr*>(&props.stream.address), props.stream.length));
  ::close(fd);
  return result;
}

int send_unix(const Props& props, Belongings& /*mine*/) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int result = result_of(::sendto(fd, "x", 1, MSG_DONTWAIT,
                                        reinterpret_cast<const sockaddr*>(&props.datagram.address),
                                        props.datagram.length));
  ::close(fd);
  return result;
}

int open_vsock(const Props& /*props*/, Belongings& /*mine*/) {
  return open_family(AF_VSOCK, SOCK_STREAM, 0);
}
int open_packet(const Props& /*props*/, Belongings& /*mine*/) {
  return open_family(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
}

int listen_itself(const Props& /*props*/, Belongings& mine) {
  std::uint16_t port = 0;
  mine.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (const int bound = bind_port(mine.listener, port); bound != kDone) return bound;
  return result_of(::listen(mine.listener, 1));
}

int set_option(const Props& /*props*/, Belongings& mine) {
  const int on = 1;
  return result_of(::setsockopt(mine.listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
}

int ask_for_port(const Props& /*props*/, Belongings& mine) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  return result_of(::getsockname(mine.listener, reinterpret_cast<sockaddr*>(&address), &length));
}

int connect_to_itself(const Props& /*props*/, Belongings& mine) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(mine.listener, generic, &length) != 0) return kCannotBeTried;
  mine.connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (mine.connection < 0) return kCannotBeTried;
  return result_of(::connect(mine.connection, generic, length));
}

int send_on_connection(const Props& /*props*/, Belongings& mine) {
  if (mine.connection < 0) return kCannotBeTried;
  return result_of(::send(mine.connection, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/// Binds twice: to a number that the kernel chose, and then to that number by name.
int bind_itself(const Props& /*props*/, Belongings& mine) {
  int result = kDone;
  for (int i = 0; i < 2 && result == kDone; ++i) {
    if (mine.datagrams >= 0) ::close(mine.datagrams);
    mine.datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    result = bind_port(mine.datagrams, mine.port);
  }
  return result;
}

int send_to_itself(const Props& /*props*/, Belongings& mine) {
  const sockaddr_in address = loopback(mine.port);
  if (mine.datagrams < 0) return kCannotBeTried;
  if (::connect(mine.datagrams, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return errno;
  return result_of(::send(mine.datagrams, "x", 1, MSG_DONTWAIT));
}

int send_datagram(const Props& /*props*/, Belongings& mine) {
  if (mine.datagrams < 0) return kCannotBeTried;
  return result_of(::send(mine.datagrams, "x", 1, MSG_DONTWAIT));
}

int receive_datagram(const Props& /*props*/, Belongings& mine) {
  char byte = 0;
  if (mine.datagrams < 0) return kCannotBeTried;
  const int result = result_of(::recv(mine.datagrams, &byte, 1, MSG_DONTWAIT));
  return result == EAGAIN ? kDone : result;
}

int close_port(const Props& /*props*/, Belongings& mine) {
  const int fd = mine.datagrams;
  mine.datagrams = -1;
  return fd < 0 ? kCannotBeTried : result_of(::close(fd));
}

int send_to_old_port(const Props& /*props*/, Belongings& mine) {
  if (mine.port == 0) return kCannotBeTried;
  return send_to(loopback(mine.port), AF_INET);
}

int read_open_secret(const Props& props, Belongings& /*mine*/) {
  char byte = 0;
  return result_of(::pread(props.secret_fd, &byte, 1, 0));
}

}  // namespace ambit::pipeline
