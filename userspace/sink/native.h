// SPDX-License-Identifier: Apache-2.0
// The native form of an event (DESIGN §6, docs/EVENTS.md).
#pragma once

#include <string>
#include <string_view>

#include "userspace/model/event.h"

namespace ambit::sink {

/// One line of NDJSON without its newline: ASCII alone, whatever bytes the event holds.
[[nodiscard]] std::string to_json(const model::Event& event, std::string_view host);

/// `2026-11-20T14:03:07.123456789Z`.
[[nodiscard]] std::string rfc3339(std::int64_t wall_ns);

/// Words of enums whose names are not in bpf/words.h.
[[nodiscard]] std::string_view word_of(model::ScopeSide side);
[[nodiscard]] std::string_view word_of(model::Severity severity);
[[nodiscard]] std::string_view word_of(model::Mode mode);
[[nodiscard]] std::string_view word_of(model::Authority authority);

/// The port, where the protocol has ports.
[[nodiscard]] std::optional<std::uint16_t> port_of(const model::Destination& destination);

/// False: a loss of this cause has no ring to name.
[[nodiscard]] bool has_ring(model::LossCause cause);

}  // namespace ambit::sink
