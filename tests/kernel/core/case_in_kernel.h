// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tests/core/cases.h"
#include "userspace/base/result.h"

struct core_cases;

namespace ambit::policy {

/// The decisions in the running kernel, over maps of their own.
class CaseInKernel {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CaseInKernel>> open();
  CaseInKernel(const CaseInKernel&) = delete;
  CaseInKernel& operator=(const CaseInKernel&) = delete;
  ~CaseInKernel();

  /// Fills the maps, asks, and empties them again.
  [[nodiscard]] Result<Answer> answer(const Case& one);
  /// What the verifier looked at.
  [[nodiscard]] std::uint32_t verified_instructions() const;

 private:
  explicit CaseInKernel(core_cases* skeleton) : skeleton_(skeleton) {}
  [[nodiscard]] int map_of(model::Table table) const;

  core_cases* skeleton_;
};

}  // namespace ambit::policy
