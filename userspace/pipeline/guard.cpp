// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/guard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>

#include "userspace/base/pidfd.h"
#include "userspace/base/proc_field.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

/// The file as the kernel keeps it: stat() says other devices on btrfs and overlayfs, mountinfo has
/// those of the superblocks.
std::optional<model::FileId> kernel_id_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  const std::string fdinfo = "/proc/self/fdinfo/" + std::to_string(file.get());
  const auto mount = proc_number(fdinfo, "mnt_id:");
  const auto ino = proc_number(fdinfo, "ino:");
  if (!mount || !ino) return std::nullopt;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::uint64_t id = 0;
    std::uint64_t parent = 0;
    unsigned major = 0;
    unsigned minor = 0;
    char colon = 0;
    if (fields >> id >> parent >> major >> colon >> minor && id == *mount)
      return model::FileId{.dev = policy::kernel_device(major, minor), .ino = *ino};
  }
  return std::nullopt;
}

Result<model::FileId> where_it_lies(const std::string& path) {
  const auto id = kernel_id_of(path);
  if (!id) return fail("cannot guard " + path + ": /proc does not tell where it lies");
  return *id;
}

Result<void> guard_path(kernel::Sensor& sensor, const std::string& path, policy::Guarded as) {
  const auto id = where_it_lies(path);
  if (!id) return std::unexpected(id.error());
  return sensor.put(policy::encode_guarded(*id, as));
}

}  // namespace

Result<void> guard_own_process(kernel::Sensor& sensor) {
  const int pid = ::getpid();
  const Descriptor self = open_pidfd(pid);
  if (!self.valid()) return fail_errno("cannot guard Ambit's own process");
  return sensor.guard_process(self.get(), static_cast<std::uint32_t>(pid));
}

Result<model::FileId> own_program() { return where_it_lies("/proc/self/exe"); }

Result<void> guard_own_program(kernel::Sensor& sensor, std::optional<model::FileId> known) {
  if (sensor.backend() == model::Backend::portable) return {};
  const auto program = known ? Result<model::FileId>(*known) : own_program();
  if (!program) return std::unexpected(program.error());
  return sensor.put(policy::encode_guarded(*program, policy::Guarded::monitor));
}

Result<void> guard_event_file(kernel::Sensor& sensor, const std::string& path) {
  if (sensor.backend() == model::Backend::portable) return {};
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

Result<void> guard_own_files(kernel::Sensor& sensor, const std::vector<std::string>& paths) {
  if (sensor.backend() == model::Backend::portable) return {};
  for (const std::string& path : paths) {
    std::error_code error;
    const bool directory = std::filesystem::is_directory(path, error);
    if (auto put =
            guard_path(sensor, path, directory ? policy::Guarded::way : policy::Guarded::monitor);
        !put)
      return put;
  }
  return {};
}

bool is_own_file(const kernel::Sensor& sensor, const std::string& path) {
  if (sensor.backend() == model::Backend::portable) return true;
  const auto id = kernel_id_of(path);
  if (!id) return false;
  const model::TableEntry own = policy::encode_guarded(*id, policy::Guarded::monitor);
  std::string value(own.value.size(), '\0');
  return sensor.find(own.table, std::as_bytes(std::span(own.key)),
                     std::as_writable_bytes(std::span(value))) &&
         value == own.value;
}

}  // namespace ambit::pipeline
