// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holders.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/holder_process.h"

namespace ambit::pipeline {

Result<std::unique_ptr<Holders>> Holders::start(HolderSetup setup) {
  std::unique_ptr<Holders> holders(new Holders(std::move(setup)));
  if (auto prepared = holders->prepare(); !prepared) return std::unexpected(prepared.error());
  for (std::size_t i = 0; i < holders->count(); ++i) {
    const int pid = spawn_holder(holders->context(i));
    if (pid < 0) return fail_errno("cannot start a holder process");
    holders->spawned_.push_back(pid);
    holders->shared_->pid[i] = pid;
  }
  if (auto ready = holders->wait_until_ready(); !ready) return std::unexpected(ready.error());
  return holders;
}

Result<void> Holders::share() {
  Descriptor file;
  if (!setup_.left_in.empty()) {
    file = Descriptor(::open((setup_.left_in + kSharedEnding).c_str(),
                             O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid() || ::ftruncate(file.get(), sizeof(HolderShared)) != 0)
      return fail_errno(setup_.left_in + kSharedEnding);
  }
  void* memory = ::mmap(nullptr, sizeof(HolderShared), PROT_READ | PROT_WRITE,
                        file.valid() ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, file.get(), 0);
  if (memory == MAP_FAILED) return fail_errno("cannot share memory with the holders");
  shared_ = new (memory) HolderShared{};
  return {};
}

Result<void> Holders::prepare() {
  if (auto shared = share(); !shared) return shared;
  for (const auto& [pipe, ending] :
       {std::pair{&findings_, kFindingsEnding}, std::pair{&records_, kRecordsEnding}}) {
    if (auto opened = pipe->open(); !opened) return opened;
    if (setup_.left_in.empty()) continue;
    auto journal = Journal::open(setup_.left_in + ending);
    if (!journal) return std::unexpected(journal.error());
    pipe->keep_in(std::move(*journal));
  }
  if (!setup_.left_in.empty())
    if (auto guarded = guard_own_files(
            *setup_.sensor, {setup_.left_in + kSharedEnding, setup_.left_in + kFindingsEnding,
                             setup_.left_in + kRecordsEnding});
        !guarded)
      return guarded;
  shared_->finding_reader = findings_.reader();
  shared_->record_reader = records_.reader();
  self_ = open_pidfd(::getpid());
  proc_ = Descriptor(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  null_ = Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!self_.valid() || !proc_.valid() || !null_.valid())
    return fail_errno("cannot prepare the holders");
  return {};
}

HolderContext Holders::context(std::size_t index) const {
  return {.setup = &setup_,
          .shared = shared_,
          .index = index,
          .record_pipe = records_.writer(),
          .finding_pipe = findings_.writer(),
          .supervisor = self_.get(),
          .proc = proc_.get(),
          .null = null_.get()};
}

Result<void> Holders::wait_until_ready() const {
  constexpr int kTurns = 10000;
  for (int turn = 0; turn < kTurns; ++turn) {
    bool ready = true;
    for (std::size_t i = 0; i < count(); ++i) ready = ready && shared_->ready[i].load();
    if (ready) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return fail(
      "the holders of the portable backend do not start: is fanotify allowed here "
      "(CAP_SYS_ADMIN, CONFIG_FANOTIFY_ACCESS_PERMISSIONS)?");
}

Holders::~Holders() {
  if (shared_ == nullptr) return;
  end();
  ::munmap(shared_, sizeof(HolderShared));
}

/// They see `stop` within a turn, which must not hold the command's end up.
void Holders::end() {
  shared_->stop = true;
  for (const int pid : spawned_) ::kill(pid, SIGCONT);
}

void Holders::count_on(const HolderShared& others) {
  for (const auto counter :
       {&HolderShared::replaced, &HolderShared::pipe_full, &HolderShared::findings_lost,
        &HolderShared::undecided, &HolderShared::mark_failed, &HolderShared::watch_failed})
    shared_->*counter += (others.*counter).load();
}

void Holders::leave() {
  if (shared_ != nullptr) ::munmap(std::exchange(shared_, nullptr), sizeof(HolderShared));
}

void Holders::drain(const RecordPipe::Sink& sink) {
  findings_.drain(sink);
  records_.drain(sink);
}

void Holders::mark() {
  findings_.mark();
  records_.mark();
}

void Holders::written() {
  findings_.written();
  records_.written();
}

void Holders::forget() {
  if (setup_.left_in.empty()) return;
  for (const char* const ending : {kFindingsEnding, kRecordsEnding, kSharedEnding})
    ::unlink((setup_.left_in + ending).c_str());
}

Result<void> RecordPipe::open() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("cannot make a pipe");
  reader_ = Descriptor(ends[0]);
  writer_ = Descriptor(ends[1]);
  constexpr int kPipeBytes = 1 << 20;
  static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes));
  return {};
}

void RecordPipe::drain(const Sink& sink) {
  if (journal_) {
    journal_->take_from(reader_.get());
    journal_->read(sink);
    return;
  }
  std::array<char, 65536> block{};
  for (ssize_t size = 0; (size = ::read(reader_.get(), block.data(), block.size())) > 0;) {
    pending_.append(block.data(), static_cast<std::size_t>(size));
    std::size_t at = 0;
    std::uint32_t length = 0;
    while (pending_.size() - at >= sizeof(length)) {
      std::memcpy(&length, pending_.data() + at, sizeof(length));
      if (length < sizeof(length) || pending_.size() - at < length) break;
      sink(std::as_bytes(std::span(pending_.data() + at, length)));
      at += length;
    }
    pending_.erase(0, at);
  }
}

std::vector<std::uint32_t> Holders::own_processes() const {
  std::vector<std::uint32_t> pids{static_cast<std::uint32_t>(::getpid())};
  for (const auto& pid : shared_->pid)
    if (pid.load() > 0) pids.push_back(static_cast<std::uint32_t>(pid.load()));
  return pids;
}

void Holders::tend() {
  // Judged by time, not by turns: the loop turns as often as records come.
  constexpr auto kEvery = std::chrono::milliseconds(200);
  const auto now = std::chrono::steady_clock::now();
  if (now - tended_ < kEvery) return;
  tended_ = now;
  // Only these: the command is a child of this process too.
  std::erase_if(spawned_, [](int pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  for (std::size_t i = 0; i < count(); ++i) {
    const std::uint64_t beat = shared_->beat[i].load();
    still_[i] = beat == last_beat_[i] ? still_[i] + 1 : 0;
    last_beat_[i] = beat;
    constexpr int kTurns = 3;
    int pid = shared_->pid[i].load();
    if (still_[i] < kTurns || pid <= 0) continue;
    ::kill(pid, SIGKILL);
    if (!shared_->pid[i].compare_exchange_strong(pid, -1)) continue;
    shared_->ready[i] = false;
    ++shared_->replaced;
    const int made = spawn_holder(context(i));
    if (made > 0) spawned_.push_back(made);
    shared_->pid[i] = made;
    still_[i] = 0;
  }
}

}  // namespace ambit::pipeline
