// SPDX-License-Identifier: Apache-2.0
// What becomes of the known ways around a monitor, as the tests found it (docs/CONTAINMENT.md).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/words.h"

namespace ambit::cli {

/// Ways that come to less than the best, and why.
struct ShortOfBest {
  std::string result;
  std::vector<std::string> ways;
  std::string why;
};

/// One backend on one kernel.
struct Containment {
  std::string date;
  std::string kernel;                 ///< on which it was tried
  bool same_kernel = false;           ///< as the machine's, by its first two numbers
  std::map<std::string, int> counts;  ///< "D", "K", "A", "U", "-", "n/a" -> ways
  std::vector<ShortOfBest> shorts;
};

/// docs/containment.json, embedded at build time (cmake/containment.cmake).
[[nodiscard]] std::string_view containment_facts();

/// What `facts` say of a backend: of this kernel, else of the newest that was tried; nothing when
/// none was.
[[nodiscard]] std::optional<Containment> containment_of(std::string_view facts,
                                                        model::Backend backend,
                                                        const std::string& kernel);

/// "231 denied, 4 killed before the effect, …"
[[nodiscard]] std::string counts_in_words(const Containment& containment);

}  // namespace ambit::cli
