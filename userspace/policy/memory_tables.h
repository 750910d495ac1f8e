// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "userspace/model/tables.h"

namespace ambit::policy {

/// The kernel's tables in memory, byte for byte: for decisions without a kernel (compiling, tests).
class MemoryTables : public model::TableReader, public model::TableWriter {
 public:
  [[nodiscard]] bool find(model::Table table, model::Bytes key,
                          std::span<std::byte> value) const override;
  [[nodiscard]] Result<void> put(const model::TableEntry& entry) override;
  [[nodiscard]] Result<void> remove(model::Table table, const std::string& key) override;

 private:
  std::map<std::pair<model::Table, std::string>, std::string> entries_;
};

}  // namespace ambit::policy
