// SPDX-License-Identifier: Apache-2.0
// A command's options, by Boost.Program_options; its exceptions end here.
#pragma once

#include <boost/program_options.hpp>
#include <span>
#include <string>

#include "userspace/base/result.h"

namespace ambit::cli {

struct Syntax {
  boost::program_options::options_description options;
  boost::program_options::positional_options_description positional;
};

/// The error is a sentence, with a suggestion for a misspelt option.
[[nodiscard]] Result<boost::program_options::variables_map> parse_options(
    std::span<const std::string> arguments, const Syntax& syntax);

/// Whether the word is an option that takes the next word as its value.
[[nodiscard]] bool needs_value(const std::string& word,
                               const boost::program_options::options_description& known);

/// The list of options as --help shows it.
[[nodiscard]] std::string describe(const boost::program_options::options_description& options);

}  // namespace ambit::cli
