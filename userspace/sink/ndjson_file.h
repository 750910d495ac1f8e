// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/base/clock.h"
#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::sink {

/// Lines that could not be written since the last report.
struct LostLines {
  std::uint64_t count = 0;
  std::int64_t since_ns = 0;  ///< wall clock of the first
};

/// The event file: whole lines only, each written once, however often writing is interrupted or
/// fails. What cannot be written waits in a bounded backlog; what does not fit there is counted.
class NdjsonFile {
 public:
  static constexpr std::size_t kBatchBytes = 64 * 1024;
  static constexpr std::size_t kBacklogBytes = 1024 * 1024;

  /// `path` "-" is standard output. A file is made with mode 0600; symbolic links, hard links,
  /// directories and files of another user are refused. `clock` must outlive this.
  [[nodiscard]] static Result<NdjsonFile> open(const std::string& path, const Clock& clock);

  NdjsonFile(NdjsonFile&&) noexcept = default;
  NdjsonFile& operator=(NdjsonFile&&) noexcept = delete;
  NdjsonFile(const NdjsonFile&) = delete;
  NdjsonFile& operator=(const NdjsonFile&) = delete;
  ~NdjsonFile();

  /// Takes a line without its newline; it is written with the next full batch or flush().
  void append(std::string_view line);

  /// Writes all that waits. After an error it goes on waiting: nothing is lost by that alone.
  [[nodiscard]] Result<void> flush();

  /// What was lost, once, when writing works again: to be appended as a `loss` event (sink_failed).
  [[nodiscard]] std::optional<LostLines> take_loss();

  /// Writes what waits, puts it on disk and closes. An error says how many lines did not get there.
  [[nodiscard]] Result<void> close();

 private:
  NdjsonFile(Descriptor file, std::string name, bool regular, const Clock& clock);
  int drain();
  [[nodiscard]] int write_some();
  void drop_written();
  /// Why who looks at the name at the end does not find what was written; empty: it is there.
  [[nodiscard]] std::string astray() const;

  Descriptor file_;
  std::string name_;
  bool regular_;
  bool named_ = false;  ///< a regular file that was opened by its name
  const Clock& clock_;
  std::string backlog_;       ///< whole lines, but for what is written of the first
  std::size_t written_ = 0;   ///< bytes of the backlog that are in the file
  std::uint64_t length_ = 0;  ///< of a regular file, as it must be at least
  LostLines lost_;
};

}  // namespace ambit::sink
