// SPDX-License-Identifier: Apache-2.0
// Records that the portable backend's holder writes: the same bytes as the kernel's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "userspace/model/policy.h"
#include "userspace/model/words.h"

namespace ambit::kernel {

struct HolderRecord {
  model::Kind kind = model::Kind::file_open;  ///< file_open or exec
  model::Reason reason = model::Reason::none;
  model::Response requested = model::Response::none;
  model::Effect effective = model::Effect::allowed;
  bool shadow = false;
  std::uint32_t slot = 0;
  std::uint64_t boot_ns = 0;
  std::uint64_t start_boot_ns = 0;
  std::uint32_t pid = 0;
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;
  std::string_view comm;
  model::CredentialMask held{};
  model::FileId file;
  bool reads = false;  ///< none of the three: it is not known for what
  bool writes = false;
  bool truncates = false;
  std::span<const std::uint16_t> credentials;
  std::string_view path;
  std::string_view cwd;  ///< empty: unknown
};

/// The most bytes that a record can have.
[[nodiscard]] std::size_t holder_record_limit();
/// The number of bytes written to `out`; a path that does not fit is cut from its start, a
/// directory that does not fit is left out.
[[nodiscard]] std::size_t encode(const HolderRecord& record, std::span<std::byte> out);

}  // namespace ambit::kernel
