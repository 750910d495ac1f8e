// SPDX-License-Identifier: Apache-2.0
// Records as the kernel writes them, made by hand.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "userspace/kernel/decode.h"

namespace ambit::kernel::bytes {

inline constexpr std::size_t kFixed = sizeof(ambit_any_record);

/// The fixed part with `strings` behind it; its size is what it should be.
inline std::string record_of(ambit_any_record fixed, std::string_view strings = {}) {
  fixed.head.size = static_cast<__u32>(kFixed + strings.size());
  return std::string(reinterpret_cast<const char*>(&fixed), kFixed) + std::string(strings);
}

inline auto decoded(std::string_view record) { return decode(std::as_bytes(std::span(record))); }

inline ambit_any_record of_kind(ambit_kind kind) {
  ambit_any_record out{};
  out.head.kind = static_cast<__u8>(kind);
  out.head.backend = AMBIT_BACKEND_lsm;
  out.head.pid = 42;
  return out;
}

inline ambit_any_record file_record(std::string_view path) {
  ambit_any_record out = of_kind(AMBIT_KIND_file_open);
  out.file.path_length = static_cast<__u32>(path.size());
  return out;
}

inline ambit_any_record exec_record(std::string_view path, std::string_view arguments) {
  ambit_any_record out = of_kind(AMBIT_KIND_exec);
  out.exec.path_length = static_cast<__u32>(path.size());
  out.exec.argv_length = static_cast<__u32>(arguments.size());
  return out;
}

}  // namespace ambit::kernel::bytes
