// SPDX-License-Identifier: Apache-2.0
// kind: Config, the daemon's own document.
#pragma once

#include "userspace/model/documents.h"
#include "userspace/policy/document_reader.h"

namespace ambit::policy {

using ConfigKey = Key<model::Config>;

inline constexpr std::array kOnStopWords{
    Word<model::OnStop>{.spelling = "keep", .value = model::OnStop::keep},
    Word<model::OnStop>{.spelling = "release", .value = model::OnStop::release},
};

inline constexpr std::array kBackendWords{
    Word<model::Backend>{.spelling = name_of(model::Backend::lsm), .value = model::Backend::lsm},
    Word<model::Backend>{.spelling = name_of(model::Backend::fmod_ret),
                         .value = model::Backend::fmod_ret},
    Word<model::Backend>{.spelling = name_of(model::Backend::portable),
                         .value = model::Backend::portable},
};

extern const std::array<ConfigKey, 6> kConfigKeys;

/// From the mapping under `spec`; name and source are the caller's.
[[nodiscard]] model::Config parse_config(Reporter& report, const DocumentNode& spec);

}  // namespace ambit::policy
