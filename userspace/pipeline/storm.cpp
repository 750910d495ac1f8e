// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/storm.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "userspace/base/descriptor.h"
#include "userspace/base/pidfd.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/prove_stage.h"

namespace ambit::pipeline {
namespace {

constexpr int kProcesses = 16;

/// Shared with the processes of the storm, which make system calls only.
struct Tally {
  std::atomic<std::uint64_t> opens;
  std::atomic<std::uint64_t> through;
};

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void open_until(const char* path, std::int64_t end_ns, Tally& tally) {
  while (now_ns() < end_ns) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    tally.opens.fetch_add(1, std::memory_order_relaxed);
    if (fd < 0) continue;
    tally.through.fetch_add(1, std::memory_order_relaxed);
    ::close(fd);
  }
}

/// The first process: waits to be bound, and is joined by the others.
[[noreturn]] void blow(const Stage& stage, int gate, std::chrono::nanoseconds length,
                       Tally& tally) {
  char byte = 0;
  ::signal(SIGCHLD, SIG_DFL);
  if (::recv(gate, &byte, 1, 0) != 1) ::_exit(1);
  const std::int64_t end_ns = now_ns() + length.count();
  for (int i = 1; i < kProcesses; ++i)
    if (::_Fork() == 0) {
      open_until(stage.props().secret.data(), end_ns, tally);
      ::_exit(0);
    }
  open_until(stage.props().secret.data(), end_ns, tally);
  while (::wait(nullptr) > 0) {
  }
  ::_exit(0);
}

class Mapping {
 public:
  Mapping()
      : memory_(::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (valid()) ::munmap(memory_, sizeof(Tally));
  }
  [[nodiscard]] bool valid() const { return memory_ != MAP_FAILED; }
  [[nodiscard]] Tally& tally() const { return *static_cast<Tally*>(memory_); }

 private:
  void* memory_;
};

Result<void> let_loose(kernel::Sensor& sensor, pid_t first, int gate) {
  const Descriptor pidfd = open_pidfd(first);
  if (!pidfd.valid()) return fail_errno("cannot open a process of the storm");
  if (auto bound = sensor.bind(pidfd.get(), kFirstProofNumber); !bound) return bound;
  if (::send(gate, "x", 1, MSG_NOSIGNAL) != 1) return fail_errno("cannot start the storm");
  return {};
}

}  // namespace

Result<Storm> raise_storm(kernel::Sensor& sensor, std::chrono::milliseconds length) {
  auto stage = Stage::set_up(sensor);
  if (!stage) return std::unexpected(stage.error());
  if (auto bound = (*stage)->enter(Phase::bound); !bound) return std::unexpected(bound.error());
  const Mapping shared;
  if (!shared.valid()) return fail_errno("cannot map memory for the storm");
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a pair of sockets for the storm");
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  const std::uint64_t skipped = sensor.skipped_programs();
  const pid_t first = ::_Fork();
  if (first < 0) return fail_errno("cannot start the storm");
  if (first == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ends[1]);
    blow(**stage, reader.get(), length, shared.tally());
  }
  auto loose = let_loose(sensor, first, writer.get());
  writer.reset();
  while (::waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!loose) return std::unexpected(loose.error());
  return Storm{.opens = shared.tally().opens.load(),
               .through = shared.tally().through.load(),
               .skipped = sensor.skipped_programs() - skipped};
}

}  // namespace ambit::pipeline
