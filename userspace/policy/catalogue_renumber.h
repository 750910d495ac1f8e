// SPDX-License-Identifier: Apache-2.0
// A catalogue that takes another one's place while tasks go by its numbers.
#pragma once

#include "userspace/base/result.h"
#include "userspace/model/documents.h"

namespace ambit::policy {

/// The fresh one with the numbers of the one before: a name keeps its number, new names get the
/// next ones. A number whose credential is gone is no other's; no scope can name what stands there,
/// and what is gone gets its number back when it comes again.
[[nodiscard]] Result<model::Catalogue> renumbered(const model::Catalogue& before,
                                                  model::Catalogue fresh);

/// Whether it only stands for a credential that is gone.
[[nodiscard]] bool is_gone(const model::Credential& credential);

}  // namespace ambit::policy
