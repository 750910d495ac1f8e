// SPDX-License-Identifier: Apache-2.0
// The tables of bpf/core/ for C++: the same definitions that the BPF programs are compiled from.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "bpf/core/hash.h"
#include "bpf/core/tables.h"
#pragma GCC diagnostic pop

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "userspace/model/policy.h"

namespace ambit::policy {

template <typename T>
  requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

[[nodiscard]] inline core_mask to_core(const model::CredentialMask& mask) {
  return {{mask[0], mask[1], mask[2], mask[3]}};
}

[[nodiscard]] inline model::CredentialMask from_core(const core_mask& mask) {
  return {mask.word[0], mask.word[1], mask.word[2], mask.word[3]};
}

/// The hash of a component, or of the first or last bytes of one.
[[nodiscard]] inline std::uint64_t name_hash(std::string_view name) {
  core_name buffer{};
  std::memcpy(&buffer, name.data(), std::min(name.size(), sizeof(buffer)));
  return core_hash_name(&buffer, static_cast<__u32>(name.size()));
}

}  // namespace ambit::policy
