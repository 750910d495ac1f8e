// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/event.h"

namespace ambit::correlation {

/// A process as an opening or a lineage names it.
struct ProcessRef {
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;
  std::string exe;
};

/// One process opened one credential; a later opening by the same process takes its place.
struct Opening {
  std::string credential;
  std::uint64_t seq = 0;
  std::uint64_t boot_ns = 0;
  ProcessRef process;
  std::vector<ProcessRef> ancestors;  ///< nearest first, without exe
};

/// How the process that connects comes to what another opened.
enum class Relation : std::uint8_t { same_process, ancestor, held, other_process };

[[nodiscard]] std::string_view word_of(Relation relation);

/// An opening as evidence for a connection.
struct Origin {
  Opening opening;
  Relation relation = Relation::other_process;
  std::vector<ProcessRef> path;  ///< from the process that opened to the one that connects
};

/// The openings of one task, at most kMost; the longest ago are forgotten first.
class Openings {
 public:
  static constexpr std::size_t kMost = 128;

  void add(Opening opening);

  /// The names of all credentials that were opened, each once.
  [[nodiscard]] std::vector<std::string> credentials() const;

  /// The opening of `credential` that lies nearest to the process of `event` and before it.
  [[nodiscard]] std::optional<Origin> nearest(const std::string& credential,
                                              const model::Event& event) const;

  [[nodiscard]] std::size_t size() const { return openings_.size(); }

 private:
  std::list<Opening> openings_;  ///< the latest first
};

}  // namespace ambit::correlation
