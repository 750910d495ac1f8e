// SPDX-License-Identifier: Apache-2.0
// Other calls and other protocols. Each sends TEXT to ADDRESS PORT.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

constexpr int kSctp = 132;
constexpr int kConnectx = 110;  // SCTP_SOCKOPT_CONNECTX
constexpr int kDccpType = 6;
constexpr int kDccp = 33;
constexpr int kNoCookie = 34;  // TCP_FASTOPEN_NO_COOKIE

int send_text(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

int connect_with(int fd, const Words& w) {
  if (fd < 0) return failed("socket");
  const Address to(w[1], w[2]);
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return send_text(fd, w[3]);
}

int sctp(const Words& w) {
  return connect_with(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, kSctp), w);
}

int dccp(const Words& w) {
  return connect_with(::socket(AF_INET, kDccpType | SOCK_CLOEXEC, kDccp), w);
}

/// What one-to-many sockets do: the first message connects.
int sctp_by_message(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, kSctp);
  if (fd < 0) return failed("socket");
  const Address to(w[1], w[2]);
  return ::sendto(fd, w[3].data(), w[3].size(), 0, to.get(), to.length()) < 0 ? failed("sendto")
                                                                              : kDone;
}

int sctp_by_option(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, kSctp);
  if (fd < 0) return failed("socket");
  const Address to(w[1], w[2]);
  if (::setsockopt(fd, kSctp, kConnectx, to.get(), to.length()) < 0) return failed("connectx");
  return send_text(fd, w[3]);
}

// OK PORT ADDRESS PORT TEXT: a list of addresses, of which the second is the other one.
int sctp_by_second_address(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, kSctp);
  if (fd < 0) return failed("socket");
  const Address to(w[3], w[4]);
  const Address first(w[1], w[4]);
  std::array<sockaddr_in, 2> both{};
  std::memcpy(&both[0], first.get(), sizeof(sockaddr_in));
  std::memcpy(&both[1], to.get(), sizeof(sockaddr_in));
  if (::setsockopt(fd, kSctp, kConnectx, both.data(), sizeof both) < 0) return failed("connectx");
  return send_text(fd, w[5]);
}

int tcp_repeatedly(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  int connected = -1;
  for (int i = 0; i < 5 && connected != 0; ++i) connected = ::connect(fd, to.get(), to.length());
  return connected != 0 ? failed("connect") : send_text(fd, w[3]);
}

// A datagram socket that was connected elsewhere and shut down.
int udp_after_shutdown(const Words& w) {
  const Address first(w[1], w[2]);
  const Address to(w[3], w[4]);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, first.get(), first.length()) != 0) return failed("first connect");
  ::shutdown(fd, SHUT_RD);
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return send_text(fd, w[5]);
}

int tcp_fast_open_message(const Words& w) {
  Address to(w[1], w[2]);
  std::string text = w[3];
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, kNoCookie, &on, sizeof on);
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = to.get();
  message.msg_namelen = to.length();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return ::sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL) < 0 ? failed("sendmsg") : kDone;
}

/// The address with a length that is not its own.
int udp_of_length(const Words& w, socklen_t length) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return ::sendto(fd, w[3].data(), w[3].size(), 0, to.get(), length) < 0 ? failed("sendto") : kDone;
}

int udp_short(const Words& w) { return udp_of_length(w, 24); }
int udp_long(const Words& w) { return udp_of_length(w, sizeof(sockaddr_storage)); }

int udp_by_writev(const Words& w) {
  const Address to(w[1], w[2]);
  std::string text = w[3];
  const int fd = ::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  return ::writev(fd, &part, 1) < 0 ? failed("writev") : kDone;
}

// A datagram that begins with a permitted address and goes on with another.
int udp_corked(const Words& w) {
  const Address first(w[1], w[2]);
  const Address to(w[3], w[4]);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::sendto(fd, "x", 1, MSG_MORE, first.get(), first.length()) < 0) return failed("first send");
  const sockaddr none{};
  ::connect(fd, &none, sizeof none);
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return send_text(fd, w[5]);
}

// NETWORK ACT…: in another network, which a file names.
int in_network(const Words& w) {
  const int network = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (network < 0) return failed("open network");
  if (::setns(network, CLONE_NEWNET) != 0) return failed("setns");
  return perform_rest(w, 2);
}

constexpr std::array kActs{
    Act{"sctp", "ADDRESS PORT TEXT", 3, sctp},
    Act{"sctp-message", "ADDRESS PORT TEXT", 3, sctp_by_message},
    Act{"sctp-option", "ADDRESS PORT TEXT", 3, sctp_by_option},
    Act{"sctp-second", "ADDRESS PORT OTHER PORT TEXT", 5, sctp_by_second_address},
    Act{"dccp", "ADDRESS PORT TEXT", 3, dccp},
    Act{"tcp-repeatedly", "ADDRESS PORT TEXT", 3, tcp_repeatedly},
    Act{"udp-after-shutdown", "ADDRESS PORT OTHER PORT TEXT", 5, udp_after_shutdown},
    Act{"tcp-fast-open-message", "ADDRESS PORT TEXT", 3, tcp_fast_open_message},
    Act{"udp-short", "ADDRESS PORT TEXT", 3, udp_short},
    Act{"udp-long", "ADDRESS PORT TEXT", 3, udp_long},
    Act{"udp-writev", "ADDRESS PORT TEXT", 3, udp_by_writev},
    Act{"udp-corked", "ADDRESS PORT OTHER PORT TEXT", 5, udp_corked},
    Act{"in-network", "NETWORK ACT…", 2, in_network},
};

}  // namespace

std::span<const Act> protocol_acts() { return kActs; }

}  // namespace ambit::acts
