// SPDX-License-Identifier: Apache-2.0
// Ways to send by io_uring.
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"
#include "tests/kernel/acts/ring.h"

namespace ambit::acts {
namespace {

// Newer than Debian 12's header in part: the numbers are the kernel's.
constexpr unsigned char kSocket = 45;
constexpr unsigned char kSendZeroCopy = 47;
constexpr unsigned char kSendMessageZeroCopy = 48;

/// The status of an operation that this kernel may not know.
int failed_operation(std::string_view what, int result) {
  return failed(what, result == -EINVAL ? ENOSYS : -result);
}

int connect_by(Ring& ring, int fd, const sockaddr* to, socklen_t length) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_CONNECT;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(to);
  request.off = length;
  const int result = ring.perform(request);
  return result < 0 ? failed("io_uring connect", -result) : kDone;
}

int send_by(Ring& ring, int fd, const std::string& text) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_SEND;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(text.data());
  request.len = static_cast<unsigned>(text.size());
  const int result = ring.perform(request);
  return result < 0 ? failed("io_uring send", -result) : kDone;
}

int connect_and_send(Ring& ring, int fd, const Words& w) {
  if (fd < 0) return failed("socket");
  const Address to(w[1], w[2]);
  if (const int status = connect_by(ring, fd, to.get(), to.length()); status != kDone)
    return status;
  return send_by(ring, fd, w[3]);
}

int tcp_with(const Words& w, unsigned flags) {
  Ring ring(flags);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  return connect_and_send(ring, ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), w);
}

int tcp(const Words& w) { return tcp_with(w, 0); }
int tcp_by_poller(const Words& w) { return tcp_with(w, IORING_SETUP_SQPOLL); }

int tcp_with_its_socket(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  io_uring_sqe request{};
  request.opcode = kSocket;
  request.fd = AF_INET;
  request.off = SOCK_STREAM;
  const int fd = ring.perform(request);
  return fd < 0 ? failed_operation("io_uring socket", fd) : connect_and_send(ring, fd, w);
}

int send_message(const Words& w, unsigned char operation) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  Address to(w[1], w[2]);
  std::string text = w[3];
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = to.get();
  message.msg_namelen = to.length();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  io_uring_sqe request{};
  request.opcode = operation;
  request.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  request.addr = reinterpret_cast<std::uintptr_t>(&message);
  request.len = 1;
  const int result = ring.perform(request);
  return result < 0 ? failed_operation("io_uring sendmsg", result) : kDone;
}

int udp_message(const Words& w) { return send_message(w, IORING_OP_SENDMSG); }
int udp_message_zero_copy(const Words& w) { return send_message(w, kSendMessageZeroCopy); }

// A send that names its address itself.
int udp_zero_copy(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  const Address to(w[1], w[2]);
  io_uring_sqe request{};
  request.opcode = kSendZeroCopy;
  request.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  request.addr = reinterpret_cast<std::uintptr_t>(w[3].data());
  request.len = static_cast<unsigned>(w[3].size());
  request.addr2 = reinterpret_cast<std::uintptr_t>(to.get());
  // addr_len stands where splice_fd_in does.
  request.splice_fd_in = static_cast<int>(to.length());
  const int result = ring.perform(request);
  return result < 0 ? failed_operation("io_uring send_zc", result) : kDone;
}

int unix_stream(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  const UnixAddress to(w[1]);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (const int status = connect_by(ring, fd, to.get(), to.length()); status != kDone)
    return status;
  return send_by(ring, fd, w[2]);
}

constexpr std::array kActs{
    Act{"uring-tcp", "ADDRESS PORT TEXT", 3, tcp},
    Act{"uring-poller-tcp", "ADDRESS PORT TEXT", 3, tcp_by_poller},
    Act{"uring-socket-tcp", "ADDRESS PORT TEXT", 3, tcp_with_its_socket},
    Act{"uring-sendmsg", "ADDRESS PORT TEXT", 3, udp_message},
    Act{"uring-sendmsg-zc", "ADDRESS PORT TEXT", 3, udp_message_zero_copy},
    Act{"uring-send-zc", "ADDRESS PORT TEXT", 3, udp_zero_copy},
    Act{"uring-unix", "NAME TEXT", 2, unix_stream},
};

}  // namespace

std::span<const Act> uring_send_acts() { return kActs; }

}  // namespace ambit::acts
