// SPDX-License-Identifier: Apache-2.0
// Ways to send over UDP, and sockets of other families. Each sends TEXT to ADDRESS PORT.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

int udp_socket(int family) { return ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

int send_to(int fd, const Address& to, const std::string& text) {
  const ssize_t sent = ::sendto(fd, text.data(), text.size(), 0, to.get(), to.length());
  return sent < 0 ? failed("sendto") : kDone;
}

int udp_sendto(const Words& w) {
  const Address to(w[1], w[2]);
  return send_to(udp_socket(to.family()), to, w[3]);
}

/// A message of one part; `to` may be null.
struct Message {
  Message(Address* to, std::string& text) : part{.iov_base = text.data(), .iov_len = text.size()} {
    if (to != nullptr) {
      head.msg_name = to->get();
      head.msg_namelen = to->length();
    }
    head.msg_iov = &part;
    head.msg_iovlen = 1;
  }
  iovec part;
  msghdr head{};
};

int udp_sendmsg(const Words& w) {
  Address to(w[1], w[2]);
  std::string text = w[3];
  const Message message(&to, text);
  return ::sendmsg(udp_socket(to.family()), &message.head, 0) < 0 ? failed("sendmsg") : kDone;
}

int udp_sendmmsg(const Words& w) {
  Address to(w[1], w[2]);
  std::string text = w[3];
  const Message message(&to, text);
  std::array<mmsghdr, 2> messages{mmsghdr{.msg_hdr = message.head, .msg_len = 0},
                                  mmsghdr{.msg_hdr = message.head, .msg_len = 0}};
  return ::sendmmsg(udp_socket(to.family()), messages.data(), messages.size(), 0) < 0
             ? failed("sendmmsg")
             : kDone;
}

// The first message goes to a permitted place; a check of the first alone lets the second out.
int udp_sendmmsg_second(const Words& w) {
  Address permitted(w[1], w[2]);
  Address to(w[3], w[4]);
  std::string text = w[5];
  const Message first(&permitted, text);
  const Message second(&to, text);
  std::array<mmsghdr, 2> messages{mmsghdr{.msg_hdr = first.head, .msg_len = 0},
                                  mmsghdr{.msg_hdr = second.head, .msg_len = 0}};
  const int sent = ::sendmmsg(udp_socket(to.family()), messages.data(), messages.size(), 0);
  return sent == 2 ? kDone : failed("sendmmsg", sent == 1 ? EPERM : errno);
}

int udp_connected(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = udp_socket(to.family());
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  return ::send(fd, w[3].data(), w[3].size(), 0) < 0 ? failed("send") : kDone;
}

int udp_connected_elsewhere(const Words& w) {
  const Address permitted(w[1], w[2]);
  const Address to(w[3], w[4]);
  const int fd = udp_socket(permitted.family());
  if (::connect(fd, permitted.get(), permitted.length()) != 0) return failed("connect");
  return send_to(fd, to, w[5]);
}

int udp_unspecified(const Words& w) {
  Address to(w[1], w[2]);
  to.get()->sa_family = AF_UNSPEC;
  return send_to(udp_socket(AF_INET), to, w[3]);
}

int udp_ipv4_by_ipv6_socket(const Words& w) {
  return send_to(udp_socket(AF_INET6), Address(w[1], w[2]), w[3]);
}

int udp_lite(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = ::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
  return fd < 0 ? failed("socket") : send_to(fd, to, w[3]);
}

/// A process that has `count` sockets for as long as this one lives; false when it cannot.
bool hold_sockets(rlim_t count) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return false;
  const int pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (rlim_t i = 0; i < count; ++i)
      if (udp_socket(AF_INET) < 0) ::_exit(1);
    if (::write(ends[1], "r", 1) == 1) ::pause();
    ::_exit(1);
  }
  ::close(ends[1]);
  char ready = 0;
  const bool held = pid > 0 && ::read(ends[0], &ready, 1) == 1;
  ::close(ends[0]);
  return held;
}

/// Very many sockets that stay, as many in one process as it may have.
bool make_crowd(rlim_t count) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  constexpr rlim_t kOthers = 64;
  for (rlim_t left = count; left > 0;) {
    const rlim_t here = std::min(left, files.rlim_max - kOthers);
    if (!hold_sockets(here)) return false;
    left -= here;
  }
  return true;
}

// With COUNT, as many sockets are made after the first and stay.
int udp_connected_then_open(const Words& w) {
  const Address to(w[1], w[2]);
  const int fd = udp_socket(to.family());
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  if (w.size() > 5 && !make_crowd(std::stoul(w[5]))) {
    std::fputs("as many sockets are not allowed here\n", stderr);
    return kUnsupported;
  }
  if (const int status = perform({"open", w[4]}); status != kDone) return status;
  return ::send(fd, w[3].data(), w[3].size(), 0) < 0 ? failed("send") : kDone;
}

int make_socket(const Words& w) {
  const int fd = ::socket(std::stoi(w[1]), std::stoi(w[2]) | SOCK_CLOEXEC, std::stoi(w[3]));
  if (fd < 0) return failed("socket");
  say("socket\n");
  return kDone;
}

// What libc does to learn the machine's addresses before it connects anywhere.
int list_addresses(const Words&) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return failed("socket");
  struct {
    nlmsghdr head;
    rtgenmsg body;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_GETADDR;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (::send(fd, &request, sizeof request, 0) < 0) return failed("send");
  std::array<char, 8192> answer{};
  if (::recv(fd, answer.data(), answer.size(), 0) < 0) return failed("recv");
  say("answered\n");
  return kDone;
}

constexpr std::array kActs{
    Act{"udp", "ADDRESS PORT TEXT", 3, udp_sendto},
    Act{"udp-sendmsg", "ADDRESS PORT TEXT", 3, udp_sendmsg},
    Act{"udp-sendmmsg", "ADDRESS PORT TEXT", 3, udp_sendmmsg},
    Act{"udp-sendmmsg-second", "ADDRESS PORT OTHER PORT TEXT", 5, udp_sendmmsg_second},
    Act{"udp-connected", "ADDRESS PORT TEXT", 3, udp_connected},
    Act{"udp-connected-elsewhere", "ADDRESS PORT OTHER PORT TEXT", 5, udp_connected_elsewhere},
    Act{"udp-unspecified", "ADDRESS PORT TEXT", 3, udp_unspecified},
    Act{"udp-by-ipv6-socket", "ADDRESS PORT TEXT", 3, udp_ipv4_by_ipv6_socket},
    Act{"udp-lite", "ADDRESS PORT TEXT", 3, udp_lite},
    Act{"udp-connected-then-open", "ADDRESS PORT TEXT PATH [COUNT]", 4, udp_connected_then_open},
    Act{"socket", "FAMILY TYPE PROTOCOL", 3, make_socket},
    Act{"netlink", "", 0, list_addresses},
};

}  // namespace

std::span<const Act> datagram_acts() { return kActs; }

}  // namespace ambit::acts
