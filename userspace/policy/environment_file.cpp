// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/environment_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "userspace/base/descriptor.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;

}  // namespace

Result<std::string> read_system_file(const std::string& path) {
  // A FIFO in the file's place must not hold the start up: hence O_NONBLOCK.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    return fail_errno(path);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return fail_errno(path);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(path + ": not a regular file");
  }
  std::string bytes;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno(path);
    }
    if (got == 0) {
      return bytes;
    }
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > kMaxBytes) {
      return fail(path + ": larger than 4 MiB");
    }
  }
}

}  // namespace ambit::policy
