// SPDX-License-Identifier: Apache-2.0
// Ways to a Unix socket. NAME is a path, or "@name" for an abstract one.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

int stream(const Words& w) {
  const UnixAddress to(w[1]);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return ::send(fd, w[2].data(), w[2].size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

int datagram(const Words& w) {
  const UnixAddress to(w[1]);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  const ssize_t sent = ::sendto(fd, w[2].data(), w[2].size(), 0, to.get(), to.length());
  return sent < 0 ? failed("sendto") : kDone;
}

int datagram_connected(const Words& w) {
  const UnixAddress to(w[1]);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return ::send(fd, w[2].data(), w[2].size(), 0) < 0 ? failed("send") : kDone;
}

int pair_of_sockets(const Words&) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return failed("socketpair");
  if (::write(ends[0], "pair", 4) != 4) return failed("write");
  ::close(ends[0]);
  return print_content(ends[1]);
}

int receive_and_read(const Words& w) {
  const int fd = connect_unix(w[1]);
  if (fd < 0) return failed("connect");
  const int received = received_descriptor(fd);
  return received < 0 ? failed("recvmsg") : print_content(received);
}

int packets(const Words& w) {
  const UnixAddress to(w[1]);
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return ::send(fd, w[2].data(), w[2].size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

// By a descriptor of the socket's file, which names no directory.
int stream_by_descriptor(const Words& w) {
  const int path = ::open(w[1].c_str(), O_PATH | O_CLOEXEC);
  if (path < 0) return failed("open O_PATH");
  return stream({"unix", "/proc/self/fd/" + std::to_string(path), w[2]});
}

constexpr std::array kActs{
    Act{"unix", "NAME TEXT", 2, stream},
    Act{"unix-datagram", "NAME TEXT", 2, datagram},
    Act{"unix-datagram-connected", "NAME TEXT", 2, datagram_connected},
    Act{"socketpair", "", 0, pair_of_sockets},
    Act{"unix-packets", "NAME TEXT", 2, packets},
    Act{"unix-by-descriptor", "PATH TEXT", 2, stream_by_descriptor},
    Act{"receive", "NAME", 1, receive_and_read},
};

}  // namespace

int connect_unix(const std::string& name) {
  const UnixAddress to(name);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd >= 0 && ::connect(fd, to.get(), to.length()) == 0 ? fd : -1;
}

int received_descriptor(int fd) {
  char byte = 0;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  if (::recvmsg(fd, &message, MSG_CMSG_CLOEXEC) < 0) return -1;
  const cmsghdr* const head = CMSG_FIRSTHDR(&message);
  // What may not be received is left out of the message.
  if (head == nullptr || head->cmsg_len < CMSG_LEN(sizeof(int))) {
    errno = EPERM;
    return -1;
  }
  int received = -1;
  std::memcpy(&received, CMSG_DATA(head), sizeof received);
  return received;
}

std::span<const Act> unix_acts() { return kActs; }

}  // namespace ambit::acts
