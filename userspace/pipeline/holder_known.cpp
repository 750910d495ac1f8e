// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_known.h"

#include <fcntl.h>

#include <array>
#include <cstddef>

#include "userspace/policy/encode.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

/// Type and bytes; empty where the file system has none.
std::string handle_of(int file) {
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> space{};
  auto* const handle = reinterpret_cast<file_handle*>(space.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (::name_to_handle_at(file, "", handle, &mount, AT_EMPTY_PATH) != 0) return {};
  return std::to_string(handle->handle_type) + ":" +
         std::string(space.data() + offsetof(file_handle, f_handle), handle->handle_bytes);
}

}  // namespace

model::FileId id_of(const struct statx& status) {
  return {.dev = policy::kernel_device(status.stx_dev_major, status.stx_dev_minor),
          .ino = status.stx_ino};
}

Result<kernel::Sensor::FileIs> KnownInodes::recognise(kernel::Sensor& sensor, int file,
                                                      const model::FileId& id,
                                                      std::uint32_t space) {
  auto what = sensor.recognise(file, space);
  if (!what || what->credentials.empty() || !is_another(file, id)) return what;
  forget(id);
  // The other holder may have removed it before.
  static_cast<void>(sensor.remove(model::Table::inodes, policy::encode_inode_key(id, space)));
  return sensor.recognise(file, space);
}

void KnownInodes::note(int file, const model::FileId& id) {
  if (std::string handle = handle_of(file); !handle.empty()) handles_[id] = std::move(handle);
}

bool KnownInodes::is_another(int file, const model::FileId& id) const {
  const auto known = handles_.find(id);
  if (known == handles_.end()) return false;
  const std::string handle = handle_of(file);
  return !handle.empty() && handle != known->second;
}

}  // namespace ambit::pipeline
