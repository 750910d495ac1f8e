// SPDX-License-Identifier: Apache-2.0
// The tables that decisions read, as bytes: policy/ knows what the bytes mean (bpf/core/tables.h),
// kernel/ puts them into maps, and memory holds the same bytes for tests and replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/words.h"

namespace ambit::model {

using Bytes = std::span<const std::byte>;

struct TableEntry {
  Table table = Table::tasks;
  std::string key;
  std::string value;
};

class TableReader {
 public:
  virtual ~TableReader() = default;
  /// Copies the value of `key` into `value`; false when there is none. LPM tables match the longest
  /// prefix. Must not allocate, open or throw: the holder answers opens with it.
  [[nodiscard]] virtual bool find(Table table, Bytes key, std::span<std::byte> value) const = 0;
};

class TableWriter {
 public:
  virtual ~TableWriter() = default;
  [[nodiscard]] virtual Result<void> put(const TableEntry& entry) = 0;
  [[nodiscard]] virtual Result<void> remove(Table table, const std::string& key) = 0;
};

}  // namespace ambit::model
