// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/tasks/crowd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ambit::probe {

Result<std::unique_ptr<Crowd>> Crowd::start(std::size_t count,
                                            const std::function<Tries(std::size_t)>& attempt) {
  std::unique_ptr<Crowd> crowd(new Crowd);
  void* const memory = ::mmap(nullptr, count * sizeof(Report), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  std::array<int, 2> ends{};
  if (memory == MAP_FAILED || ::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("no crowd");
  crowd->reports_ = {static_cast<Report*>(memory), count};
  const Descriptor wait(ends[0]);
  crowd->go_ = Descriptor(ends[1]);
  for (std::size_t i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid < 0) return fail_errno("fork");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      char nothing = 0;
      static_cast<void>(::read(wait.get(), &nothing, 1));
      crowd->reports_[i].tries = attempt(i);
      crowd->reports_[i].there = true;
      ::_exit(0);
    }
    crowd->pids_.push_back(pid);
  }
  return crowd;
}

Crowd::~Crowd() {
  for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
  for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
  if (reports_.data() != nullptr) ::munmap(reports_.data(), reports_.size_bytes());
}

void Crowd::let_go() {
  const std::vector<char> bytes(pids_.size());
  static_cast<void>(::write(go_.get(), bytes.data(), bytes.size()));
}

std::size_t Crowd::reap() {
  // Only these, and in order: the others are still there for the destructor.
  while (reaped_ < pids_.size()) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pids_[reaped_]), &info, WEXITED | WNOHANG | WNOWAIT) !=
            0 ||
        info.si_pid == 0)
      break;
    ++reaped_;
  }
  return reaped_;
}

const Tries* Crowd::tries(std::size_t i) const {
  return reports_[i].there ? &reports_[i].tries : nullptr;
}

}  // namespace ambit::probe
