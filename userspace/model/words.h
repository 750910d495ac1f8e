// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "bpf/words.h"

namespace ambit::model {

#define AMBIT_WORD(word) word,
#define AMBIT_NAME(word) #word,
#define AMBIT_WORD_LIST(Type, LIST, plural)                                                \
  enum class Type : std::uint8_t { LIST(AMBIT_WORD) };                                     \
  inline constexpr std::array plural{std::to_array<std::string_view>({LIST(AMBIT_NAME)})}; \
  [[nodiscard]] constexpr std::string_view name_of(Type value) {                           \
    return plural.at(static_cast<std::size_t>(value));                                     \
  }

AMBIT_WORD_LIST(Kind, AMBIT_KINDS, kKinds)
AMBIT_WORD_LIST(Reason, AMBIT_REASONS, kReasons)
AMBIT_WORD_LIST(Response, AMBIT_RESPONSES, kResponses)
AMBIT_WORD_LIST(Effect, AMBIT_EFFECTS, kEffects)
AMBIT_WORD_LIST(Backend, AMBIT_BACKENDS, kBackends)
AMBIT_WORD_LIST(Privilege, AMBIT_PRIVILEGES, kPrivileges)
AMBIT_WORD_LIST(Operation, AMBIT_OPERATIONS, kOperations)
AMBIT_WORD_LIST(Ring, AMBIT_RINGS, kRings)
AMBIT_WORD_LIST(LossCause, AMBIT_LOSS_CAUSES, kLossCauses)
AMBIT_WORD_LIST(Table, AMBIT_TABLES, kTables)

#undef AMBIT_WORD_LIST
#undef AMBIT_NAME
#undef AMBIT_WORD

/// The spelling in documents and events, where `_` of `kill_task` is a hyphen.
[[nodiscard]] constexpr std::string_view spelling_of(Response value) {
  return value == Response::kill_task ? std::string_view{"kill-task"} : name_of(value);
}

}  // namespace ambit::model
