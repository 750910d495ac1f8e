// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/attribution/text_span.h"

namespace ambit::attribution {

/// `echo X | docker login --password-stdin`: what is said into a program that reads a secret,
/// by a pipe or by `<<<`.
/// `spans` say where the words of `text` stand; the words are rewritten in place.
void redact_piped(std::string_view text, const std::vector<Span>& spans,
                  std::vector<std::string>& words);

}  // namespace ambit::attribution
