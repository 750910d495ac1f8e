// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/left_holders.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>
#include <tuple>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/guard.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

/// The kernel takes a number out of its list when that process ends: it is nobody else's.
bool is_monitor(const kernel::Sensor& sensor, int pid) {
  const auto monitors = sensor.monitors();
  return pid > 0 && std::ranges::find(monitors, static_cast<std::uint32_t>(pid)) != monitors.end();
}

unsigned number_of(const fs::path& file) {
  unsigned number = 0;
  const std::string name = file.stem();
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

}  // namespace

std::string LeftHolders::next_name(const std::string& directory) {
  unsigned last = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == kSharedEnding) last = std::max(last, number_of(entry.path()));
  return directory + "/" + std::to_string(last + 1);
}

std::vector<std::unique_ptr<LeftHolders>> LeftHolders::find(const std::string& directory,
                                                            const kernel::Sensor& sensor) {
  std::vector<std::unique_ptr<LeftHolders>> out;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != kSharedEnding) continue;
    std::unique_ptr<LeftHolders> left(
        new LeftHolders((entry.path().parent_path() / entry.path().stem()).string()));
    left->sensor_ = &sensor;
    if (left->map()) {
      left->take_pipes(sensor);
      out.push_back(std::move(left));
    } else {
      left->forget();  // its maker died before it started any
    }
  }
  return out;
}

bool LeftHolders::map() {
  for (const char* const ending : {kFindingsEnding, kRecordsEnding, kSharedEnding})
    if (!is_own_file(*sensor_, name_ + ending)) return false;
  const Descriptor file(::open((name_ + kSharedEnding).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts{};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0 || facts.st_uid != ::geteuid() ||
      facts.st_size != static_cast<off_t>(sizeof(HolderShared)))
    return false;
  void* const memory =
      ::mmap(nullptr, sizeof(HolderShared), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return false;
  shared_ = static_cast<HolderShared*>(memory);
  return true;
}

void LeftHolders::take_pipes(const kernel::Sensor& sensor) {
  for (const auto& [pipe, reader, ending] :
       {std::tuple{&findings_, &shared_->finding_reader, kFindingsEnding},
        std::tuple{&records_, &shared_->record_reader, kRecordsEnding}}) {
    if (auto journal = Journal::open(name_ + ending)) pipe->keep_in(std::move(*journal));
    for (const auto& pid : shared_->pid) {
      if (!is_monitor(sensor, pid.load())) continue;
      const Descriptor holder = open_pidfd(pid.load());
      Descriptor end(static_cast<int>(::syscall(SYS_pidfd_getfd, holder.get(), reader->load(), 0)));
      if (!end.valid()) continue;
      pipe->read_from(std::move(end));
      break;
    }
  }
}

void LeftHolders::drain(const RecordPipe::Sink& sink) {
  findings_.drain(sink);
  records_.drain(sink);
  findings_.mark();
  records_.mark();
}

bool LeftHolders::are_alive(const kernel::Sensor& sensor) const {
  return std::ranges::any_of(shared_->pid,
                             [&sensor](const auto& pid) { return is_monitor(sensor, pid.load()); });
}

void LeftHolders::end(const RecordPipe::Sink& sink) {
  shared_->stop = true;
  constexpr int kTurns = 1000;
  constexpr int kPatience = 500;
  for (int turn = 0; turn < kTurns && are_alive(*sensor_); ++turn) {
    drain(sink);
    for (const auto& pid : shared_->pid) {
      if (turn < kPatience || !is_monitor(*sensor_, pid.load())) continue;
      const Descriptor holder = open_pidfd(pid.load());
      if (holder.valid() && is_monitor(*sensor_, pid.load()))
        ::syscall(SYS_pidfd_send_signal, holder.get(), SIGKILL, nullptr, 0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void LeftHolders::forget() {
  findings_.written();
  records_.written();
  for (const char* const ending : {kFindingsEnding, kRecordsEnding, kSharedEnding})
    ::unlink((name_ + ending).c_str());
}

LeftHolders::~LeftHolders() {
  if (shared_ != nullptr) ::munmap(shared_, sizeof(HolderShared));
}

}  // namespace ambit::pipeline
