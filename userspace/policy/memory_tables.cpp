// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/memory_tables.h"

#include <cstring>

namespace ambit::policy {

namespace {

bool is_longest_prefix(model::Table table) {
  return table == model::Table::prefixes || table == model::Table::ports;
}

/// The key with only its first `length` data bits, and that length written into it.
std::string cut_key(model::Bytes key, std::uint32_t length) {
  std::string cut(key.size(), '\0');
  std::memcpy(cut.data(), &length, sizeof(length));
  for (std::uint32_t bit = 0; bit < length; ++bit) {
    const std::size_t at = sizeof(length) + bit / 8;
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    cut[at] = static_cast<char>(static_cast<unsigned char>(cut[at]) |
                                (std::to_integer<unsigned char>(key[at]) & mask));
  }
  return cut;
}

}  // namespace

bool MemoryTables::find(model::Table table, model::Bytes key, std::span<std::byte> value) const {
  const auto give = [&](const std::string& wanted) {
    const auto found = entries_.find({table, wanted});
    if (found == entries_.end() || found->second.size() != value.size()) return false;
    std::memcpy(value.data(), found->second.data(), value.size());
    return true;
  };
  if (!is_longest_prefix(table))
    return give({reinterpret_cast<const char*>(key.data()), key.size()});
  std::uint32_t length = 0;
  std::memcpy(&length, key.data(), sizeof(length));
  for (std::uint32_t bits = length + 1; bits-- > 0;)
    if (give(cut_key(key, bits))) return true;
  return false;
}

Result<void> MemoryTables::put(const model::TableEntry& entry) {
  std::string key = entry.key;
  if (is_longest_prefix(entry.table)) {
    std::uint32_t length = 0;
    std::memcpy(&length, key.data(), sizeof(length));
    key = cut_key(std::as_bytes(std::span(key)), length);
  }
  entries_[{entry.table, key}] = entry.value;
  return {};
}

Result<void> MemoryTables::remove(model::Table table, const std::string& key) {
  entries_.erase({table, key});
  return {};
}

}  // namespace ambit::policy
