// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/journal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace ambit::pipeline {

namespace {

constexpr std::uint64_t kBegin = sizeof(std::uint64_t);
/// The rings and pipes hold less; more waits only while events cannot be written at all.
constexpr std::uint64_t kMost = 16 << 20;
/// The largest record is a small part of it.
constexpr std::uint32_t kLargestRecord = 1 << 20;
constexpr std::size_t kBlock = 64 * 1024;

/// A lock of the process, which holders do not inherit.
bool try_lock(int file) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(file, F_SETLK, &whole) == 0;
}

/// Holders have it for a moment when they end; one that is stopped appends nothing.
void lock_for_good(int file) {
  constexpr int kTurns = 100;
  for (int turn = 0; turn < kTurns && !try_lock(file); ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

/// Whether the pipe is empty now.
bool move_to_end(int pipe, int file, std::uint64_t end, std::uint64_t most) {
  while (end < most) {
    auto at = static_cast<loff_t>(end);
    const ssize_t moved =
        ::splice(pipe, nullptr, file, &at, kBlock, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved <= 0) return moved < 0 && errno == EAGAIN;
    end += static_cast<std::uint64_t>(moved);
  }
  return false;
}

}  // namespace

Result<Journal> Journal::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat facts{};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0) return fail_errno(path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid())
    return fail(path + " is no journal of Ambit's");
  lock_for_good(file.get());
  if (::fstat(file.get(), &facts) != 0) return fail_errno(path);
  Journal journal(std::move(file));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  std::uint64_t done = 0;
  // One that was emptied has the old mark for a moment.
  const bool whole =
      ::pread(journal.file_.get(), &done, sizeof(done), 0) == sizeof(done) && done >= kBegin;
  journal.done_ = whole && done <= size ? done : kBegin;
  journal.end_ = whole && done <= size ? size : kBegin;
  if (journal.end_ == kBegin) {
    if (::ftruncate(journal.file_.get(), kBegin) != 0 ||
        ::pwrite(journal.file_.get(), &kBegin, sizeof(kBegin), 0) != sizeof(kBegin))
      return fail_errno(path);
  }
  journal.mark_ = journal.read_ = journal.done_;
  return journal;
}

void Journal::add(std::span<const std::byte> record) {
  if (waiting() > kMost || read_ != end_) return;
  const ssize_t put = ::pwrite(file_.get(), record.data(), record.size(), static_cast<off_t>(end_));
  if (put != static_cast<ssize_t>(record.size())) return;
  end_ += record.size();
  read_ = end_;
}

void Journal::take_from(int pipe) {
  while (waiting() <= kMost) {
    auto at = static_cast<loff_t>(end_);
    const ssize_t moved =
        ::splice(pipe, nullptr, file_.get(), &at, kBlock, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved <= 0) return;
    end_ += static_cast<std::uint64_t>(moved);
  }
}

void Journal::read(const Sink& sink) {
  std::vector<std::byte> record;
  std::uint32_t length = 0;
  while (end_ - read_ >= sizeof(length)) {
    const auto at = static_cast<off_t>(read_);
    if (::pread(file_.get(), &length, sizeof(length), at) != sizeof(length)) return;
    if (length < sizeof(length) || length > kLargestRecord) {
      // Nothing behind it can be told apart any more.
      read_ = end_;
      return;
    }
    if (end_ - read_ < length) return;
    record.resize(length);
    if (::pread(file_.get(), record.data(), length, at) != static_cast<ssize_t>(length)) return;
    read_ += length;
    sink(record);
  }
}

bool is_empty(int pipe) {
  int waiting = 0;
  return ::ioctl(pipe, FIONREAD, &waiting) != 0 || waiting == 0;
}

bool append_to_journal(int pipe, const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return errno == ENOENT;
  struct stat facts{};
  return try_lock(file.get()) && ::fstat(file.get(), &facts) == 0 &&
         move_to_end(pipe, file.get(), std::max(kBegin, static_cast<std::uint64_t>(facts.st_size)),
                     kMost);
}

void Journal::written() {
  if (mark_ == done_) return;
  if (mark_ == end_) {
    if (::ftruncate(file_.get(), kBegin) != 0) return;
    done_ = mark_ = read_ = end_ = kBegin;
  } else {
    constexpr std::uint64_t kWorthIt = 1 << 20;
    if (mark_ - done_ > kWorthIt)
      ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kBegin,
                  static_cast<off_t>(mark_ - kBegin));
    done_ = mark_;
  }
  static_cast<void>(::pwrite(file_.get(), &done_, sizeof(done_), 0));
}

}  // namespace ambit::pipeline
