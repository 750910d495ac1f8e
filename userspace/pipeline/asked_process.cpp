// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/asked_process.h"

#include <filesystem>
#include <string>
#include <utility>

#include "userspace/base/proc_field.h"
#include "userspace/base/whole_number.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

std::string directory_of(std::uint32_t pid) { return "/proc/" + std::to_string(pid); }

std::string status_file_of(std::uint32_t pid) { return directory_of(pid) + "/status"; }

fs::path pid_namespace_of(std::uint32_t pid) {
  std::error_code gone;
  return fs::read_symlink(directory_of(pid) + "/ns/pid", gone);
}

/// What a process is called in the innermost of its PID namespaces.
std::optional<std::uint32_t> innermost_of(std::uint32_t pid) {
  const auto numbers = proc_field(status_file_of(pid), "NSpid:");
  return numbers ? whole_number<std::uint32_t>(
                       std::string_view(*numbers).substr(numbers->find_last_of("\t ") + 1))
                 : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> status_of(std::uint32_t pid, std::string_view word) {
  const auto number = proc_number(status_file_of(pid), word);
  return number && std::in_range<std::uint32_t>(*number)
             ? std::optional(static_cast<std::uint32_t>(*number))
             : std::nullopt;
}

std::uint32_t process_of_thread(std::uint32_t tid) { return status_of(tid, "Tgid:").value_or(tid); }

std::optional<std::uint32_t> process_called(std::uint32_t number, std::uint32_t asker) {
  const fs::path there = pid_namespace_of(asker);
  std::error_code gone;
  if (there.empty()) return std::nullopt;
  if (there == fs::read_symlink("/proc/self/ns/pid", gone)) return number;
  // Threads other than the first are not looked for: who is meant by one stays unknown.
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const auto pid = whole_number<std::uint32_t>(entry.path().filename().string());
    if (pid && innermost_of(*pid) == number && pid_namespace_of(*pid) == there) return pid;
  }
  return std::nullopt;
}

}  // namespace ambit::pipeline
