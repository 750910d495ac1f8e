// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/options.h"

#include <sstream>
#include <vector>

#include "userspace/base/utf8.h"
#include "userspace/policy/diagnostic_text.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;

std::string unknown_option(const std::string& name, const options::options_description& known) {
  std::vector<std::string> names;
  for (const auto& option : known.options())
    if (!option->long_name().empty()) names.push_back("--" + option->long_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::string sentence = "there is no option " + to_terminal(name, 64);
  if (const auto guess = policy::nearest(name, views))
    sentence += "; did you mean " + std::string(*guess) + "?";
  return sentence;
}

/// program_options would take the next option for the value.
std::string missing_value(const std::vector<std::string>& words,
                          const options::options_description& known) {
  for (std::size_t i = 0; i + 1 < words.size() && words[i] != "--"; ++i) {
    const std::string& next = words[i + 1];
    if (!needs_value(words[i], known)) continue;
    if (next == "--" || (next.starts_with("--") && known.find_nothrow(next.substr(2), false)))
      return words[i] + " needs a value, and " + next + " is none (a file of that name: ./" + next +
             ")";
    ++i;
  }
  return {};
}

}  // namespace

Result<options::variables_map> parse_options(std::span<const std::string> arguments,
                                             const Syntax& syntax) {
  options::variables_map values;
  try {
    const std::vector<std::string> words(arguments.begin(), arguments.end());
    if (const std::string missing = missing_value(words, syntax.options); !missing.empty())
      return fail(missing);
    options::store(options::command_line_parser(words)
                       .options(syntax.options)
                       .positional(syntax.positional)
                       .style(options::command_line_style::default_style &
                              ~options::command_line_style::allow_guessing)
                       .run(),
                   values);
  } catch (const options::unknown_option& error) {
    return fail(unknown_option(error.get_option_name(), syntax.options));
  } catch (const options::invalid_command_line_syntax& error) {
    if (error.kind() == options::invalid_syntax::missing_parameter)
      return fail(error.get_option_name() + " needs a value");
    return fail(to_terminal(error.what()));
  } catch (const options::error& error) {
    return fail(to_terminal(error.what()));
  }
  return values;
}

bool needs_value(const std::string& word, const options::options_description& known) {
  if (!word.starts_with("--") || word == "--") return false;
  const auto* const option = known.find_nothrow(word.substr(2), false);
  return option != nullptr && option->semantic()->min_tokens() > 0;
}

std::string describe(const options::options_description& options) {
  std::ostringstream text;
  text << options;
  return text.str();
}

}  // namespace ambit::cli
