// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/ring.h"

namespace ambit::acts {

Ring::Ring(unsigned flags) {
  params_.flags = flags;
  params_.sq_thread_idle = 1000;
  fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, 4, &params_));
  if (fd_ < 0) {
    error_ = errno;
    return;
  }
  map();
}

Ring::~Ring() {
  if (fd_ >= 0) ::close(fd_);
}

void Ring::map() {
  const auto shared = [this](std::size_t size, off_t where) {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, where);
    if (memory == MAP_FAILED) error_ = errno;
    return memory;
  };
  submissions_ = shared(params_.sq_off.array + params_.sq_entries * sizeof(unsigned),
                        static_cast<off_t>(IORING_OFF_SQ_RING));
  completions_ = shared(params_.cq_off.cqes + params_.cq_entries * sizeof(io_uring_cqe),
                        static_cast<off_t>(IORING_OFF_CQ_RING));
  entries_ = static_cast<io_uring_sqe*>(
      shared(params_.sq_entries * sizeof(io_uring_sqe), static_cast<off_t>(IORING_OFF_SQES)));
}

unsigned* Ring::at(void* base, unsigned offset) const {
  return reinterpret_cast<unsigned*>(static_cast<char*>(base) + offset);
}

int Ring::make_table(unsigned size) const {
  const std::vector<int> none(size, -1);
  const long done =
      ::syscall(SYS_io_uring_register, fd_, IORING_REGISTER_FILES, none.data(), none.size());
  return done < 0 ? errno : 0;
}

int Ring::perform(const io_uring_sqe& request) {
  const unsigned mask = *at(submissions_, params_.sq_off.ring_mask);
  std::atomic_ref<unsigned> tail(*at(submissions_, params_.sq_off.tail));
  const unsigned slot = tail.load() & mask;
  entries_[slot] = request;
  at(submissions_, params_.sq_off.array)[slot] = slot;
  tail.fetch_add(1);
  unsigned flags = IORING_ENTER_GETEVENTS;
  if ((params_.flags & IORING_SETUP_SQPOLL) != 0) flags |= IORING_ENTER_SQ_WAKEUP;
  std::atomic_ref<unsigned> head(*at(completions_, params_.cq_off.head));
  std::atomic_ref<unsigned> ready(*at(completions_, params_.cq_off.tail));
  while (head.load() == ready.load()) {
    const bool poller = (params_.flags & IORING_SETUP_SQPOLL) != 0;
    const long entered = ::syscall(SYS_io_uring_enter, fd_, poller ? 0 : 1, 1, flags, nullptr, 0);
    if (entered < 0 && errno != EINTR) return -errno;
  }
  auto* const results = reinterpret_cast<io_uring_cqe*>(at(completions_, params_.cq_off.cqes));
  const int result = results[head.load() & *at(completions_, params_.cq_off.ring_mask)].res;
  head.fetch_add(1);
  return result;
}

namespace {

int no_ring(const Ring& ring) { return failed("io_uring_setup", ring.error()); }

int read_by_ring(Ring& ring, int fd, unsigned char flags = 0) {
  std::array<char, 4096> buffer{};
  io_uring_sqe request{};
  request.opcode = IORING_OP_READ;
  request.flags = flags;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(buffer.data());
  request.len = buffer.size();
  const int got = ring.perform(request);
  if (got < 0) return failed("io_uring read", -got);
  say(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  return kDone;
}

int open_by_ring(const std::string& path, unsigned ring_flags, unsigned char request_flags) {
  Ring ring(ring_flags);
  if (ring.error() != 0) return no_ring(ring);
  io_uring_sqe request{};
  request.opcode = IORING_OP_OPENAT;
  request.flags = request_flags;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<std::uintptr_t>(path.c_str());
  request.open_flags = O_RDONLY;
  const int fd = ring.perform(request);
  if (fd < 0) return failed("io_uring openat", -fd);
  return read_by_ring(ring, fd);
}

int open_at_once(const Words& w) { return open_by_ring(w[1], 0, 0); }
int open_by_worker(const Words& w) { return open_by_ring(w[1], 0, IOSQE_ASYNC); }
int open_by_poller(const Words& w) { return open_by_ring(w[1], IORING_SETUP_SQPOLL, 0); }

int open_resolved_by_ring(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return no_ring(ring);
  open_how how{};
  how.flags = O_RDONLY;
  io_uring_sqe request{};
  request.opcode = IORING_OP_OPENAT2;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<std::uintptr_t>(w[1].c_str());
  request.len = sizeof how;
  request.off = reinterpret_cast<std::uintptr_t>(&how);
  const int fd = ring.perform(request);
  if (fd < 0) return failed("io_uring openat2", -fd);
  return read_by_ring(ring, fd);
}

// Into the ring's own table: no descriptor of the process names the file.
int open_direct(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return no_ring(ring);
  if (const int error = ring.make_table(1); error != 0) return failed("io_uring table", error);
  io_uring_sqe request{};
  request.opcode = IORING_OP_OPENAT;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<std::uintptr_t>(w[1].c_str());
  request.open_flags = O_RDONLY;
  request.file_index = 1;
  if (const int result = ring.perform(request); result < 0)
    return failed("io_uring open direct", -result);
  return read_by_ring(ring, 0, IOSQE_FIXED_FILE);
}

int splice_by_ring(const Words& w) {
  Ring ring(0);
  if (ring.error() != 0) return no_ring(ring);
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  std::array<int, 2> ends{};
  if (fd < 0 || ::pipe(ends.data()) != 0) return failed("open");
  io_uring_sqe request{};
  request.opcode = IORING_OP_SPLICE;
  request.fd = ends[1];
  request.splice_fd_in = fd;
  request.splice_off_in = static_cast<std::uint64_t>(-1);
  request.off = static_cast<std::uint64_t>(-1);
  request.len = 4096;
  if (const int result = ring.perform(request); result < 0)
    return failed("io_uring splice", -result);
  ::close(ends[1]);
  return print_content(ends[0]);
}

constexpr std::array kActs{
    Act{"uring", "PATH", 1, open_at_once},
    Act{"uring-worker", "PATH", 1, open_by_worker},
    Act{"uring-poller", "PATH", 1, open_by_poller},
    Act{"uring-openat2", "PATH", 1, open_resolved_by_ring},
    Act{"uring-direct", "PATH", 1, open_direct},
    Act{"uring-splice", "PATH", 1, splice_by_ring},
};

}  // namespace

std::span<const Act> uring_acts() { return kActs; }

}  // namespace ambit::acts
