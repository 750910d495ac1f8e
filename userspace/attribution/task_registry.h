// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "userspace/model/event.h"

namespace ambit::attribution {

/// The live tasks by the number that the kernel has for them. One thread uses it.
class TaskRegistry {
 public:
  void add(std::shared_ptr<const model::Task> task);
  void remove(std::uint32_t slot);
  [[nodiscard]] std::shared_ptr<const model::Task> find(std::uint32_t slot) const;

  /// Which host name an address of this task was resolved from; what was known before is replaced.
  void set_names(std::uint32_t slot, std::map<std::string, std::string> name_of_address);
  [[nodiscard]] std::optional<std::string> name_of(std::uint32_t slot, const std::string& ip) const;

 private:
  struct Entry {
    std::shared_ptr<const model::Task> task;
    std::map<std::string, std::string> name_of_address;
  };
  std::unordered_map<std::uint32_t, Entry> entries_;
};

}  // namespace ambit::attribution
