// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

namespace ambit::pipeline {

namespace {

constexpr std::uint64_t kBegin = sizeof(std::uint64_t);
/// The rings and pipes hold less; more waits only while events cannot be written at all.
constexpr std::uint64_t kMost = 16 << 20;
/// The largest record is a small part of it.
constexpr std::uint32_t kLargestRecord = 1 << 20;
constexpr std::size_t kBlock = 64 * 1024;

}  // namespace

Result<Journal> Journal::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat facts{};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0) return fail_errno(path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid())
    return fail(path + " is no journal of Ambit's");
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
