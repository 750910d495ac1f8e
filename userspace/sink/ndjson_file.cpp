// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/ndjson_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace ambit::sink {
namespace {

/// A reader that went away is an error of write(), not the end of this process. Signals of other
/// threads and handlers of the embedding program stay as they are.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigset_t pending;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    const timespec now{};
    if (!was_pending_) {
      sigtimedwait(&pipe_, nullptr, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail("cannot write events to " + path + ": " + why);
}

std::unexpected<Error> explain_open(const std::string& path, int code) {
  switch (code) {
    case ELOOP:
      return refuse(path, "it is a symbolic link, which could lead anywhere; name the file itself");
    case EISDIR:
      return refuse(path, "it is a directory");
    case ENXIO:
      return refuse(path, "it is a named pipe that nobody reads, or a socket");
    default:
      return fail_errno("cannot write events to " + path, code);
  }
}

/// A file that another user owns or has linked could be used to make Ambit write where that user
/// may not.
Result<void> accept(const std::string& path, const struct stat& facts) {
  const bool ours = facts.st_uid == ::geteuid() || facts.st_uid == 0;
  if (S_ISREG(facts.st_mode) && facts.st_nlink > 1) {
    return refuse(path, "it has other names (hard links)");
  }
  if (!S_ISCHR(facts.st_mode) && !ours) {
    return refuse(path, "it belongs to user " + std::to_string(facts.st_uid) +
                            "; remove it or name another file");
  }
  if (!S_ISREG(facts.st_mode) && !S_ISCHR(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    return refuse(path, "it is no file");
  }
  return {};
}

Result<Descriptor> open_file(const std::string& path) {
  // O_NONBLOCK only for the opening: a named pipe without a reader must not hang the start.
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Descriptor file(::open(path.c_str(), kFlags, 0600));
  if (!file.valid()) {
    return explain_open(path, errno);
  }
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return fail_errno("cannot write events to " + path);
  }
  return file;
}

/// A run that ended in the middle of a line (full disk, limit) must not swallow the next one's
/// first.
bool ends_within_a_line(int file, off_t size) {
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const Descriptor readable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char last = '\n';
  return size > 0 && ::pread(readable.get(), &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

Result<NdjsonFile> NdjsonFile::open(const std::string& path, const Clock& clock) {
  if (path.empty()) return fail("cannot write events: the file has no name");
  const bool standard = path == "-";
  auto file =
      standard ? Result<Descriptor>(Descriptor(::fcntl(1, F_DUPFD_CLOEXEC, 3))) : open_file(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  struct stat facts{};
  if (!file->valid() || ::fstat(file->get(), &facts) != 0) {
    return fail_errno("cannot write events to " + path);
  }
  const bool regular = S_ISREG(facts.st_mode);
  if (!standard) {
    if (const auto accepted = accept(path, facts); !accepted) {
      return std::unexpected(accepted.error());
    }
    if (regular && (facts.st_mode & 07777) != 0600 && ::fchmod(file->get(), 0600) != 0) {
      return fail_errno("cannot make " + path + " readable by its owner alone");
    }
  }
  NdjsonFile events(std::move(*file), standard ? "standard output" : path, regular, clock);
  events.named_ = regular && !standard;
  if (events.named_) {
    events.length_ = static_cast<std::uint64_t>(facts.st_size);
    if (ends_within_a_line(events.file_.get(), facts.st_size)) events.backlog_ = "\n";
  }
  return events;
}

NdjsonFile::NdjsonFile(Descriptor file, std::string name, bool regular, const Clock& clock)
    : file_(std::move(file)), name_(std::move(name)), regular_(regular), clock_(clock) {}

NdjsonFile::~NdjsonFile() {
  if (file_.valid()) {
    drain();
  }
}

void NdjsonFile::append(std::string_view line) {
  if (backlog_.size() - written_ + line.size() + 1 > kBacklogBytes) {
    drain();
  }
  if (backlog_.size() - written_ + line.size() + 1 > kBacklogBytes) {
    if (lost_.count++ == 0) {
      lost_.since_ns = clock_.wall_ns();
    }
    return;
  }
  backlog_ += line;
  backlog_ += '\n';
  const bool batch_is_full = backlog_.size() - written_ >= kBatchBytes;
  if (batch_is_full && lost_.count == 0) {
    drain();
  }
}

Result<void> NdjsonFile::flush() {
  if (const int code = drain(); code != 0) {
    return fail_errno("cannot write events to " + name_, code);
  }
  return {};
}

/// 0 when nothing waits any more, else why something does.
int NdjsonFile::drain() {
  const int code = written_ == backlog_.size() ? 0 : write_some();
  drop_written();
  return code;
}

int NdjsonFile::write_some() {
  std::optional<WithoutSigpipe> guard;
  if (!regular_) {
    guard.emplace();
  }
  while (written_ < backlog_.size()) {
    const ssize_t size =
        ::write(file_.get(), backlog_.data() + written_, backlog_.size() - written_);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      return size < 0 ? errno : EIO;
    }
    written_ += static_cast<std::size_t>(size);
    length_ += static_cast<std::uint64_t>(size);
  }
  return 0;
}

void NdjsonFile::drop_written() {
  if (written_ == backlog_.size() || written_ >= kBacklogBytes / 2) {
    backlog_.erase(0, written_);
    written_ = 0;
  }
}

std::optional<LostLines> NdjsonFile::take_loss() {
  if (lost_.count == 0 || !flush()) {
    return std::nullopt;
  }
  return std::exchange(lost_, LostLines{});
}

std::string NdjsonFile::astray() const {
  struct stat written{};
  struct stat named{};
  if (::fstat(file_.get(), &written) != 0) return "cannot be looked at";
  if (written.st_nlink == 0) return "was removed or replaced";
  if (::lstat(name_.c_str(), &named) != 0) return "was moved away";
  if (named.st_dev != written.st_dev || named.st_ino != written.st_ino)
    return "was moved away, and another file stands there";
  if (static_cast<std::uint64_t>(written.st_size) < length_) return "was cut short";
  return "";
}

Result<void> NdjsonFile::close() {
  const auto flushed = flush();
  const auto waiting = static_cast<std::uint64_t>(
      std::count(backlog_.begin() + static_cast<std::ptrdiff_t>(written_), backlog_.end(), '\n'));
  const std::uint64_t missing = lost_.count + waiting;
  const int synced = regular_ ? ::fsync(file_.get()) : 0;
  const int code = errno;
  const std::string astray = named_ ? this->astray() : "";
  file_.reset();
  if (!astray.empty()) {
    return fail(name_ + " " + astray +
                " while events were written; name a file in a directory where the task may not "
                "write");
  }
  if (!flushed || missing != 0) {
    const std::string why = flushed ? "" : " (" + flushed.error().message + ")";
    return fail(std::to_string(missing) + " events are missing from " + name_ + why);
  }
  if (synced != 0) {
    return fail_errno("cannot put events on disk in " + name_, code);
  }
  return {};
}

}  // namespace ambit::sink
