// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/guard.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "userspace/policy/encode.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

Result<void> guard_path(kernel::Sensor& sensor, const std::string& path, policy::Guarded as) {
  const auto facts = policy::RealFileSystem().look(path);
  if (!facts) return fail_errno("cannot guard " + path);
  return sensor.put(policy::encode_guarded(facts->id, as));
}

}  // namespace

Result<void> guard_own_process(kernel::Sensor& sensor) {
  const int pid = ::getpid();
  const Descriptor self(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!self.valid()) return fail_errno("cannot guard Ambit's own process");
  return sensor.guard_process(self.get(), static_cast<std::uint32_t>(pid));
}

Result<void> guard_own_program(kernel::Sensor& sensor) {
  return guard_path(sensor, "/proc/self/exe", policy::Guarded::monitor);
}

Result<void> guard_event_file(kernel::Sensor& sensor, const std::string& path) {
  struct stat facts{};
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error || ::stat(file.c_str(), &facts) != 0)
    return fail("cannot guard the event file " + path + ": " + error.message());
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) return {};
  if (auto put = guard_path(sensor, file.string(), policy::Guarded::events); !put) return put;
  for (std::filesystem::path at = file.parent_path();; at = at.parent_path()) {
    if (auto put = guard_path(sensor, at.string(), policy::Guarded::way); !put) return put;
    if (at == at.parent_path()) return {};
  }
}

}  // namespace ambit::pipeline
