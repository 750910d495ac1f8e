// SPDX-License-Identifier: Apache-2.0
// What each reason means for a finding: how grave it is and what it refers to (docs/EVENTS.md).
#pragma once

#include "userspace/model/event.h"

namespace ambit::correlation {

[[nodiscard]] model::Severity severity_of(model::Reason reason);

/// The reason's own references; those of the credentials are added by the caller.
[[nodiscard]] model::References references_of(const model::Event& event);

/// `more` behind `all`, each once.
void add_references(model::References& all, const model::References& more);

/// The part of the scope that decided, as a JSON pointer; `index` is the credential's place in
/// spec.credentials, if it has one.
[[nodiscard]] std::string rule_of(model::Reason reason, std::optional<std::size_t> index);

}  // namespace ambit::correlation
