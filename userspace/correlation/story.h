// SPDX-License-Identifier: Apache-2.0
// What a task has done, in figures (docs/EVENTS.md, "A task's figures").
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "userspace/model/event.h"

namespace ambit::correlation {

/// Nothing stopped it.
[[nodiscard]] bool took_place(const model::Event& event);

/// How often a destination was used, before and after the task had its first credential.
struct Uses {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

struct Figures {
  std::map<std::string, std::uint64_t> credentials;  ///< by name: how often it was used
  std::map<std::string, Uses> destinations;
  Uses elsewhere;  ///< of destinations beyond Story::kMostDestinations
  std::uint64_t programs = 0;
  std::uint64_t findings = 0;
  std::uint64_t first_credential = 0;  ///< number of that event; 0: none yet
  std::uint64_t first_act = 0;         ///< likewise: a program, a connection, a write
};

class Story {
 public:
  static constexpr std::size_t kMostDestinations = 1024;

  /// Events of the task, in their order, with names. `uses_credential`: its process has what the
  /// event names from then on.
  void observe(const model::Event& event, bool uses_credential);
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  void reach(const model::Destination& destination);

  Figures figures_;
};

/// `api.example.com:443`, `[2001:db8::1]:53`, `/run/docker.sock`, `@abstract`, `family-17`.
[[nodiscard]] std::string text_of(const model::Destination& destination);

/// As the closing event has them.
void add_figures(const Figures& figures, std::map<std::string, std::string>& details);

}  // namespace ambit::correlation
