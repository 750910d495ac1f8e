// SPDX-License-Identifier: Apache-2.0
// Ways to send over TCP. Each connects to ADDRESS PORT and sends TEXT.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

#ifndef IPPROTO_MPTCP
constexpr int IPPROTO_MPTCP = 262;
#endif
constexpr int kNoCookie = 34;  // TCP_FASTOPEN_NO_COOKIE

int send_text(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

int connect_and_send(const Words& w, int protocol) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, protocol);
  if (fd < 0) return failed("socket");
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return send_text(fd, w[3]);
}

int tcp(const Words& w) { return connect_and_send(w, 0); }
int mptcp(const Words& w) { return connect_and_send(w, IPPROTO_MPTCP); }

int tcp_nonblocking(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, to.get(), to.length()) != 0 && errno != EINPROGRESS) return failed("connect");
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&wanted, 1, 2000) <= 0) return kFailed;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error != 0 ? failed("connect", error) : send_text(fd, w[3]);
}

// After a connection to a permitted place (ADDRESS PORT), the same socket goes elsewhere.
int tcp_reconnected(const Words& w) {
  const Address first(w[1], w[2]);
  const Address second(w[3], w[4]);
  const int fd = ::socket(first.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  if (::connect(fd, first.get(), first.length()) != 0) return failed("first connect");
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (::connect(fd, &none, sizeof none) != 0) return failed("disconnect");
  if (::connect(fd, second.get(), second.length()) != 0) return failed("connect");
  return send_text(fd, w[5]);
}

int tcp_fast_open(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, kNoCookie, &on, sizeof on);
  const ssize_t sent =
      ::sendto(fd, w[3].data(), w[3].size(), MSG_FASTOPEN | MSG_NOSIGNAL, to.get(), to.length());
  return sent < 0 ? failed("sendto MSG_FASTOPEN") : kDone;
}

int tcp_fast_open_connect(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, kNoCookie, &on, sizeof on);
  if (::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) != 0) return kUnsupported;
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return send_text(fd, w[3]);
}

int connected(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, to.get(), to.length()) != 0) return -1;
  return send_text(fd, "before ") == kDone ? fd : -1;
}

// ADDRESS PORT TEXT PATH: the connection is there before the file is opened.
int connected_then_open(const Words& w) {
  const int fd = connected(w);
  if (fd < 0) return failed("connect");
  if (const int status = perform({"open", w[4]}); status != kDone) return status;
  return send_text(fd, w[3]);
}

int connected_then_open_in_thread(const Words& w) {
  const int fd = connected(w);
  if (fd < 0) return failed("connect");
  int status = kFailed;
  std::thread([&] { status = perform({"open", w[4]}); }).join();
  return status == kDone ? send_text(fd, w[3]) : status;
}

int connected_then_sendfile(const Words& w) {
  const int fd = connected(w);
  if (fd < 0) return failed("connect");
  if (const int status = perform({"open", w[4]}); status != kDone) return status;
  const int text = ::memfd_create("text", MFD_CLOEXEC);
  if (::write(text, w[3].data(), w[3].size()) < 0) return failed("write");
  off_t from = 0;
  return ::sendfile(fd, text, &from, w[3].size()) < 0 ? failed("sendfile") : kDone;
}

int open_then(const Words& w) {
  const int status = perform({"open", w[1]});
  return status == kDone ? perform_rest(w, 2) : status;
}

constexpr std::array kActs{
    Act{"tcp", "ADDRESS PORT TEXT", 3, tcp},
    Act{"mptcp", "ADDRESS PORT TEXT", 3, mptcp},
    Act{"tcp-nonblocking", "ADDRESS PORT TEXT", 3, tcp_nonblocking},
    Act{"tcp-reconnected", "ADDRESS PORT OTHER PORT TEXT", 5, tcp_reconnected},
    Act{"tcp-fast-open", "ADDRESS PORT TEXT", 3, tcp_fast_open},
    Act{"tcp-fast-open-connect", "ADDRESS PORT TEXT", 3, tcp_fast_open_connect},
    Act{"connected-then-open", "ADDRESS PORT TEXT PATH", 4, connected_then_open},
    Act{"connected-then-open-in-thread", "ADDRESS PORT TEXT PATH", 4,
        connected_then_open_in_thread},
    Act{"connected-then-sendfile", "ADDRESS PORT TEXT PATH", 4, connected_then_sendfile},
    Act{"open-then", "PATH ACT…", 2, open_then},
};

}  // namespace

std::span<const Act> inet_acts() { return kActs; }

}  // namespace ambit::acts
