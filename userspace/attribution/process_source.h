// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ambit::attribution {

struct ProcessStat {
  std::uint32_t ppid = 0;
  std::uint64_t start_boot_ns = 0;  ///< whole ticks (base/clock.h)
  std::string comm;
};

/// What can be asked about a live process. Nothing: it is gone, or may not be read.
class ProcessSource {
 public:
  virtual ~ProcessSource() = default;
  [[nodiscard]] virtual std::optional<ProcessStat> stat(std::uint32_t pid) = 0;
  [[nodiscard]] virtual std::optional<std::string> exe(std::uint32_t pid) = 0;
  /// Ends in model::kMoreArguments where there are more than could be read.
  [[nodiscard]] virtual std::optional<std::vector<std::string>> argv(std::uint32_t pid) = 0;
  [[nodiscard]] virtual std::optional<std::string> cwd(std::uint32_t pid) = 0;
  [[nodiscard]] virtual std::optional<std::string> cgroup(std::uint32_t pid) = 0;
};

/// /proc, or another place where a proc file system is mounted.
class ProcFilesystem final : public ProcessSource {
 public:
  explicit ProcFilesystem(std::string root = "/proc") : root_(std::move(root)) {}
  [[nodiscard]] std::optional<ProcessStat> stat(std::uint32_t pid) override;
  [[nodiscard]] std::optional<std::string> exe(std::uint32_t pid) override;
  [[nodiscard]] std::optional<std::vector<std::string>> argv(std::uint32_t pid) override;
  [[nodiscard]] std::optional<std::string> cwd(std::uint32_t pid) override;
  [[nodiscard]] std::optional<std::string> cgroup(std::uint32_t pid) override;

 private:
  [[nodiscard]] std::string path(std::uint32_t pid, const char* name) const;

  std::string root_;
};

}  // namespace ambit::attribution
