// SPDX-License-Identifier: Apache-2.0
// A file that comes from another process's ring into the own one (IORING_OP_MSG_RING).
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"
#include "tests/kernel/acts/ring.h"

namespace ambit::acts {
namespace {

// Newer than Debian 12's header.
constexpr unsigned char kMessageRing = 40;
constexpr std::uint64_t kSendFile = 1;  // IORING_MSG_SEND_FD

int read_first_of_table(Ring& ring) {
  std::array<char, 4096> buffer{};
  io_uring_sqe request{};
  request.opcode = IORING_OP_READ;
  request.flags = IOSQE_FIXED_FILE;
  request.fd = 0;
  request.addr = reinterpret_cast<std::uintptr_t>(buffer.data());
  request.len = buffer.size();
  // The message's own completion comes first, the read's with the request behind it.
  static_cast<void>(ring.perform(request));
  io_uring_sqe nothing{};
  nothing.opcode = IORING_OP_NOP;
  const int got = ring.perform(nothing);
  if (got < 0) return failed("io_uring read", -got);
  say(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  return kDone;
}

// NAME: tells the other side where the ring is, and reads what it put there.
int be_messaged(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  if (const int error = ring.make_table(1); error != 0) return failed("io_uring table", error);
  const int connection = connect_unix(w[1]);
  if (connection < 0) return failed("connect");
  const std::string where =
      std::to_string(::getpid()) + " " + std::to_string(ring.descriptor()) + "\n";
  char answer = 0;
  if (::send(connection, where.data(), where.size(), MSG_NOSIGNAL) < 0 ||
      ::recv(connection, &answer, 1, 0) != 1)
    return failed("message", ENOSYS);
  return answer == '1' ? read_first_of_table(ring) : failed("IORING_OP_MSG_RING", ENOSYS);
}

/// The ring of another process, or -1.
int ring_at(const std::string& where) {
  std::istringstream words(where);
  int process = 0;
  int number = 0;
  words >> process >> number;
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  return static_cast<int>(::syscall(SYS_pidfd_getfd, handle, number, 0));
}

bool put_file(const std::string& path, int into) {
  Ring ring(0);
  if (ring.error() != 0 || ring.make_table(1) != 0) return false;
  io_uring_sqe request{};
  request.opcode = IORING_OP_OPENAT;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<std::uintptr_t>(path.c_str());
  request.open_flags = O_RDONLY;
  request.file_index = 1;
  if (ring.perform(request) < 0) return false;
  request = {};
  request.opcode = kMessageRing;
  request.fd = into;
  request.addr = kSendFile;
  request.addr3 = 0;       // from this place of the own table
  request.file_index = 1;  // to the first of the other
  return ring.perform(request) >= 0;
}

// NAME PATH: the other side; serves one and ends.
int message(const Words& w) {
  const UnixAddress own(w[1]);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, own.get(), own.length()) != 0 || ::listen(listener, 1) != 0)
    return failed("listen");
  const int connection = ::accept(listener, nullptr, nullptr);
  std::array<char, 64> where{};
  if (::recv(connection, where.data(), where.size() - 1, 0) <= 0) return failed("recv");
  const bool put = put_file(w[2], ring_at(where.data()));
  return ::send(connection, put ? "1" : "0", 1, MSG_NOSIGNAL) == 1 ? kDone : failed("send");
}

constexpr std::array kActs{
    Act{"be-messaged", "NAME", 1, be_messaged},
    Act{"message", "NAME PATH", 2, message},
};

}  // namespace

std::span<const Act> ring_message_acts() { return kActs; }

}  // namespace ambit::acts
