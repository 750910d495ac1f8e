// SPDX-License-Identifier: Apache-2.0
// Who holds a credential sends, on a connection from before or by another process.
#include <fcntl.h>
#include <linux/errqueue.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"
#include "tests/kernel/acts/ring.h"

namespace ambit::acts {
namespace {

int by_send(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

int by_write(int fd, const std::string& text) {
  return ::write(fd, text.data(), text.size()) < 0 ? failed("write") : kDone;
}

int by_writev(int fd, const std::string& text) {
  const iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  return ::writev(fd, &part, 1) < 0 ? failed("writev") : kDone;
}

int by_sendfile(int fd, const std::string& text) {
  const int file = ::memfd_create("text", MFD_CLOEXEC);
  if (::write(file, text.data(), text.size()) < 0) return failed("write");
  off_t from = 0;
  return ::sendfile(fd, file, &from, text.size()) < 0 ? failed("sendfile") : kDone;
}

int by_splice(int fd, const std::string& text) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0 || ::write(ends[1], text.data(), text.size()) < 0)
    return failed("pipe");
  return ::splice(ends[0], nullptr, fd, nullptr, text.size(), 0) < 0 ? failed("splice") : kDone;
}

int by_vmsplice(int fd, const std::string& text) {
  std::array<int, 2> ends{};
  const iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  if (::pipe(ends.data()) != 0 || ::vmsplice(ends[1], &part, 1, 0) < 0) return failed("vmsplice");
  return ::splice(ends[0], nullptr, fd, nullptr, text.size(), 0) < 0 ? failed("splice") : kDone;
}

int by_zero_copy(int fd, const std::string& text) {
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0) return failed("SO_ZEROCOPY");
  return ::send(fd, text.data(), text.size(), MSG_ZEROCOPY | MSG_NOSIGNAL) < 0 ? failed("send")
                                                                               : kDone;
}

int by_ring(int fd, const std::string& text, unsigned char operation) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  io_uring_sqe request{};
  request.opcode = operation;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(text.data());
  request.len = static_cast<unsigned>(text.size());
  const int sent = ring.perform(request);
  return sent < 0 ? failed("io_uring", sent == -EINVAL ? ENOSYS : -sent) : kDone;
}

int by_ring_send(int fd, const std::string& text) { return by_ring(fd, text, IORING_OP_SEND); }
int by_ring_write(int fd, const std::string& text) { return by_ring(fd, text, IORING_OP_WRITE); }

struct Sending {
  std::string_view name;
  int (*send)(int fd, const std::string& text);
};

constexpr std::array kSendings{Sending{"send", by_send},
                               Sending{"write", by_write},
                               Sending{"writev", by_writev},
                               Sending{"sendfile", by_sendfile},
                               Sending{"splice", by_splice},
                               Sending{"vmsplice", by_vmsplice},
                               Sending{"zerocopy", by_zero_copy},
                               Sending{"ring", by_ring_send},
                               Sending{"ring-write", by_ring_write}};

int send_by(std::string_view name, int fd, const std::string& text) {
  for (const Sending& sending : kSendings) {
    if (sending.name == name) return sending.send(fd, text);
  }
  return kUsage;
}

/// Opens and reads the file, with nothing printed.
int hold(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 256> buffer{};
  return fd >= 0 && ::read(fd, buffer.data(), buffer.size()) > 0 ? kDone : failed("open");
}

int connected_to(const Words& w, int type) {
  const Address to(w[2], w[3]);
  const int fd = ::socket(to.family(), type | SOCK_CLOEXEC, 0);
  return fd >= 0 && ::connect(fd, to.get(), to.length()) == 0 ? fd : -1;
}

// PATH ADDRESS PORT TEXT HOW: connected first, then holding.
int send_after(const Words& w, int type) {
  const int fd = connected_to(w, type);
  if (fd < 0) return failed("connect");
  if (const int status = hold(w[1]); status != kDone) return status;
  return send_by(w[5], fd, w[4]);
}

int stream_after(const Words& w) { return send_after(w, SOCK_STREAM); }
int datagram_after(const Words& w) { return send_after(w, SOCK_DGRAM); }

int hold_then(const Words& w) {
  const int status = hold(w[1]);
  return status == kDone ? perform_rest(w, 2) : status;
}

// A child holds, and its parent sends on a socket that both have.
int parent_sends(const Words& w) {
  const int fd = connected_to(w, SOCK_STREAM);
  if (fd < 0) return failed("connect");
  const int pid = ::fork();
  if (pid == 0) ::_exit(hold(w[1]));
  if (status_of(pid) != kDone) return kFailed;
  return by_send(fd, w[4]);
}

constexpr std::size_t kShared = 4096;

/// What two processes share: one puts the file's content in, the other takes it out and sends.
struct Channel {
  int in = -1;
  int out = -1;
};

/// Memory of a file that is written and read without a system call.
Channel mapped_channel() {
  const int fd = ::memfd_create("mapped", 0);
  if (::ftruncate(fd, kShared) != 0) return {};
  return {.in = fd, .out = ::dup(fd)};
}

char* map_shared(int fd) {
  void* const at = ::mmap(nullptr, kShared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}

Channel channel_of(const std::string& kind, const std::string& place) {
  std::array<int, 2> ends{};
  if (kind == "pipe" && ::pipe(ends.data()) == 0) return {.in = ends[1], .out = ends[0]};
  if (kind == "unix" && ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0)
    return {.in = ends[1], .out = ends[0]};
  if (kind == "datagram" && ::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()) == 0)
    return {.in = ends[1], .out = ends[0]};
  if (kind.starts_with("mapped")) return mapped_channel();
  const int fd = kind == "memory" ? ::memfd_create("shared", 0)
                                  : ::open(place.c_str(), O_RDWR | O_CREAT, 0600);
  return {.in = fd, .out = ::dup(fd)};
}

int put(const std::string& path, int in, char* memory) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 256> buffer{};
  const ssize_t got = fd < 0 ? -1 : ::pread(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) return failed("open");
  if (memory != nullptr) {
    std::copy_n(buffer.data(), got, memory);
    return kDone;
  }
  return ::write(in, buffer.data(), static_cast<std::size_t>(got)) == got ? kDone : failed("write");
}

ssize_t take(const char* memory, std::span<char> buffer) {
  if (memory == nullptr) return -1;
  const std::size_t length = std::min(std::strlen(memory), buffer.size());
  std::copy_n(memory, length, buffer.data());
  return static_cast<ssize_t>(length);
}

ssize_t read_channel(int fd, std::span<char> buffer) {
  struct stat facts{};
  if (::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) ::lseek(fd, 0, SEEK_SET);
  return ::read(fd, buffer.data(), buffer.size());
}

// PATH ADDRESS PORT TEXT KIND PLACE: one child reads, the other sends TEXT and what it got.
int carry(const Words& w) {
  const Channel channel = channel_of(w[5], w[6]);
  const bool mapped = w[5].starts_with("mapped");
  char* const before = w[5] == "mapped-before" ? map_shared(channel.in) : nullptr;
  const int reader = ::fork();
  if (reader == 0)
    ::_exit(put(w[1], channel.in, mapped && before == nullptr ? map_shared(channel.in) : before));
  ::close(channel.in);
  if (const int status = status_of(reader); status != kDone) return status;
  const int sender = ::fork();
  if (sender != 0) return status_of(sender);
  std::array<char, 256> buffer{};
  const ssize_t got = mapped ? take(before != nullptr ? before : map_shared(channel.out), buffer)
                             : read_channel(channel.out, buffer);
  if (got <= 0) ::_exit(failed("read"));
  const int fd = connected_to(w, SOCK_STREAM);
  if (fd < 0) ::_exit(failed("connect"));
  ::_exit(by_send(fd, w[4] + std::string(buffer.data(), static_cast<std::size_t>(got))));
}

struct Message {
  long type = 1;
  std::array<char, 256> text{};
};

// PATH ADDRESS PORT TEXT: as `carry`, through a message queue of System V.
int carry_message(const Words& w) {
  const int queue = ::msgget(IPC_PRIVATE, 0600);
  if (queue < 0) return failed("msgget");
  const int reader = ::fork();
  if (reader == 0) {
    Message message;
    const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = ::read(fd, message.text.data(), message.text.size());
    if (got <= 0) ::_exit(failed("read"));
    ::_exit(::msgsnd(queue, &message, static_cast<std::size_t>(got), 0) == 0 ? kDone
                                                                             : failed("msgsnd"));
  }
  int status = status_of(reader);
  Message message;
  const ssize_t got = ::msgrcv(queue, &message, message.text.size(), 0, IPC_NOWAIT);
  if (status == kDone && got <= 0) status = failed("msgrcv");
  ::msgctl(queue, IPC_RMID, nullptr);
  if (status != kDone) return status;
  const int fd = connected_to(w, SOCK_STREAM);
  if (fd < 0) return failed("connect");
  return by_send(fd, w[4] + std::string(message.text.data(), static_cast<std::size_t>(got)));
}

constexpr std::array kActs{
    Act{"stream-after", "PATH ADDRESS PORT TEXT HOW", 5, stream_after},
    Act{"datagram-after", "PATH ADDRESS PORT TEXT HOW", 5, datagram_after},
    Act{"hold-then", "PATH ACT…", 2, hold_then},
    Act{"parent-sends", "PATH ADDRESS PORT TEXT", 4, parent_sends},
    Act{"carry", "PATH ADDRESS PORT TEXT KIND PLACE", 6, carry},
    Act{"carry-message", "PATH ADDRESS PORT TEXT", 4, carry_message},
};

}  // namespace

std::span<const Act> carry_acts() { return kActs; }

}  // namespace ambit::acts
