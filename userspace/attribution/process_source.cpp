// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/process_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "userspace/base/clock.h"
#include "userspace/base/descriptor.h"
#include "userspace/base/whole_number.h"
#include "userspace/model/event.h"

namespace ambit::attribution {
namespace {

constexpr std::size_t kMostOfAFile = 64 * 1024;

std::optional<std::string> content_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) {
    return std::nullopt;
  }
  std::string content;
  std::array<char, 4096> part{};
  while (content.size() < kMostOfAFile) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return std::nullopt;
    }
    if (size == 0) {
      break;
    }
    content.append(part.data(), static_cast<std::size_t>(size));
  }
  return content;
}

std::optional<std::string> target_of(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size <= 0) {
    return std::nullopt;
  }
  return std::string(target.data(), static_cast<std::size_t>(size));
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

/// `pid (comm) state ppid … starttime …`; the comm may hold spaces and brackets itself.
std::optional<ProcessStat> parse_stat(std::string_view line) {
  constexpr int kPpidField = 4;
  constexpr int kStartField = 22;
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  std::string_view rest = line.substr(std::min(close + 2, line.size()));
  std::optional<std::uint64_t> ppid;
  std::optional<std::uint64_t> start;
  for (int field = 3; field <= kStartField; ++field) {
    const std::string_view word = take_word(rest);
    ppid = field == kPpidField ? whole_number<std::uint64_t>(word) : ppid;
    start = field == kStartField ? whole_number<std::uint64_t>(word) : start;
  }
  if (!ppid || !start) {
    return std::nullopt;
  }
  return ProcessStat{.ppid = static_cast<std::uint32_t>(*ppid),
                     .start_boot_ns = *start * kStartTickNs,
                     .comm = std::string(line.substr(open + 1, close - open - 1))};
}

}  // namespace

std::string ProcFilesystem::path(std::uint32_t pid, const char* name) const {
  return root_ + "/" + std::to_string(pid) + "/" + name;
}

std::optional<ProcessStat> ProcFilesystem::stat(std::uint32_t pid) {
  const auto line = content_of(path(pid, "stat"));
  return line ? parse_stat(*line) : std::nullopt;
}

std::optional<std::string> ProcFilesystem::exe(std::uint32_t pid) {
  return target_of(path(pid, "exe"));
}

std::optional<std::vector<std::string>> ProcFilesystem::argv(std::uint32_t pid) {
  const auto content = content_of(path(pid, "cmdline"));
  if (!content) {
    return std::nullopt;
  }
  std::vector<std::string> argv;
  for (std::string_view rest = *content; !rest.empty();) {
    const std::size_t end = rest.find('\0');
    argv.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (content->size() >= kMostOfAFile) {
    argv.emplace_back(model::kMoreArguments);
  }
  return argv;
}

std::optional<std::string> ProcFilesystem::cwd(std::uint32_t pid) {
  return target_of(path(pid, "cwd"));
}

std::optional<std::string> ProcFilesystem::cgroup(std::uint32_t pid) {
  return content_of(path(pid, "cgroup"));
}

}  // namespace ambit::attribution
