// SPDX-License-Identifier: Apache-2.0
// An io_uring of one request at a time, by raw system calls: a library would be one more thing that
// could refuse.
#pragma once

#include <linux/io_uring.h>

#include <cstdint>

namespace ambit::acts {

class Ring {
 public:
  /// `flags`: IORING_SETUP_SQPOLL, or 0.
  explicit Ring(unsigned flags);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// 0, or the errno that made it impossible.
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int descriptor() const { return fd_; }
  /// A table of files, all empty: 0, or an errno.
  [[nodiscard]] int make_table(unsigned size) const;
  /// Submits and waits: the result, or -errno.
  [[nodiscard]] int perform(const io_uring_sqe& request);

 private:
  void map();
  [[nodiscard]] unsigned* at(void* base, unsigned offset) const;

  io_uring_params params_{};
  int fd_ = -1;
  int error_ = 0;
  void* submissions_ = nullptr;
  void* completions_ = nullptr;
  io_uring_sqe* entries_ = nullptr;
};

}  // namespace ambit::acts
