// SPDX-License-Identifier: Apache-2.0
// Records that were taken out of a ring or a pipe and are not written yet, where they outlive the
// process that took them. On tmpfs: what it is for is a killed process, not a machine that stops.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::pipeline {

class Journal {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;

  /// With what another process left in it; a file that is none is an error. Locked as long as this
  /// process lives: nobody else appends to it.
  [[nodiscard]] static Result<Journal> open(const std::string& path);

  /// Keeps a record that the caller has. One that cannot be kept is still the caller's.
  void add(std::span<const std::byte> record);
  /// Moves what waits in a pipe here. The kernel does it: no moment at which the bytes are only in
  /// this process.
  void take_from(int pipe);
  /// Gives each whole record that was not given yet.
  void read(const Sink& sink);

  /// The beginning of a record whose rest will not come: add() was not finished.
  void drop_rest() { end_ = read_; }

  /// What has been given or added until now is what the next written() is about.
  void mark() { mark_ = read_; }
  void written();
  [[nodiscard]] std::uint64_t waiting() const { return end_ - done_; }

 private:
  explicit Journal(Descriptor file) : file_(std::move(file)) {}

  Descriptor file_;
  std::uint64_t done_ = 0;  ///< all before it is written; stands at the file's start as well
  std::uint64_t mark_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t end_ = 0;
};

/// For a process whose readers may be gone: moves what waits in a pipe to the end of a journal that
/// nobody has open. False: somebody has, or it does not fit. Where there is no journal, nobody
/// wants it.
[[nodiscard]] bool append_to_journal(int pipe, const std::string& path);
[[nodiscard]] bool is_empty(int pipe);

}  // namespace ambit::pipeline
