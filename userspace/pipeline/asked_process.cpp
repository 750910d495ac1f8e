// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/asked_process.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

std::string directory_of(std::uint32_t pid) { return "/proc/" + std::to_string(pid); }

std::optional<std::string> line_of(std::uint32_t pid, std::string_view word) {
  std::ifstream status(directory_of(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(word)) return line;
  return std::nullopt;
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

fs::path pid_namespace_of(std::uint32_t pid) {
  std::error_code gone;
  return fs::read_symlink(directory_of(pid) + "/ns/pid", gone);
}

/// What a process is called in the innermost of its PID namespaces.
std::optional<std::uint32_t> innermost_of(std::uint32_t pid) {
  const auto line = line_of(pid, "NSpid:");
  return line ? number_in(std::string_view(*line).substr(line->find_last_of("\t ") + 1))
              : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> status_of(std::uint32_t pid, std::string_view word) {
  const auto line = line_of(pid, word);
  if (!line) return std::nullopt;
  const std::size_t begin = line->find_first_of("0123456789", word.size());
  if (begin == std::string::npos) return std::nullopt;
  return number_in(
      std::string_view(*line).substr(begin, line->find_first_not_of("0123456789", begin) - begin));
}

std::uint32_t process_of_thread(std::uint32_t tid) { return status_of(tid, "Tgid:").value_or(tid); }

std::optional<std::uint32_t> process_called(std::uint32_t number, std::uint32_t asker) {
  const fs::path there = pid_namespace_of(asker);
  std::error_code gone;
  if (there.empty()) return std::nullopt;
  if (there == fs::read_symlink("/proc/self/ns/pid", gone)) return number;
  // Threads other than the first are not looked for: who is meant by one stays unknown.
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const auto pid = number_in(entry.path().filename().string());
    if (pid && innermost_of(*pid) == number && pid_namespace_of(*pid) == there) return pid;
  }
  return std::nullopt;
}

}  // namespace ambit::pipeline
