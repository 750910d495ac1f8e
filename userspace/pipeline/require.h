// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/model/documents.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/run.h"

namespace ambit::pipeline {

/// Why this machine cannot do for the scope what is required; empty: it can. A class counts when
/// the scope binds it.
[[nodiscard]] std::string unmet_requirement(Require require, const model::Scope& scope,
                                            const Proof& proof);

}  // namespace ambit::pipeline
