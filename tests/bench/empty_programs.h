// SPDX-License-Identifier: Apache-2.0
// The floor of every cost: the hooks of a backend with programs that do nothing.
#pragma once

#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/model/words.h"

namespace ambit::bench {

/// Attached for as long as it lives. Made from the table of programs and from the object that is
/// embedded in the binary, so that a hook that is added there is here too.
class EmptyPrograms {
 public:
  [[nodiscard]] static Result<EmptyPrograms> attach(model::Backend backend);
  [[nodiscard]] std::size_t count() const { return links_.size(); }

 private:
  std::vector<Descriptor> programs_;
  std::vector<Descriptor> links_;
};

}  // namespace ambit::bench
