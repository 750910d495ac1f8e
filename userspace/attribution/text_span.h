// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ambit::attribution {

/// Part of a text, from `begin` up to `end`.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

}  // namespace ambit::attribution
