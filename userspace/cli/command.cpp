// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/command.h"

#include <algorithm>
#include <array>
#include <vector>

#include "userspace/base/utf8.h"
#include "userspace/cli/version.h"
#include "userspace/policy/diagnostic_text.h"

namespace ambit::cli {
namespace {

constexpr std::size_t kColumn = 10;

bool is_help(std::string_view word) { return word == "--help" || word == "-h"; }

void print_help(std::ostream& out, std::span<const Command> table) {
  out << "Usage: ambit COMMAND [argument…]\n"
         "\n"
         "Watches what AI agents' processes open, reach and execute, and holds them to a declared "
         "task scope.\n"
         "\n"
         "Commands:\n";
  for (const Command& command : table)
    out << "  " << command.name
        << std::string(kColumn - std::min(kColumn, command.name.size()), ' ') << command.summary
        << '\n';
  out << "  help      what a command does and takes: ambit help COMMAND\n"
         "\n"
         "  --version version, commit and ABI\n"
         "\n"
         "Exit status: 0 yes, 1 no, 2 wrong usage, 125 a failure of Ambit's own; `run` ends with\n"
         "its command's.\n";
}

int unknown_command(std::ostream& err, std::string_view word, std::span<const Command> table) {
  std::vector<std::string_view> names{"help"};
  for (const Command& command : table) names.push_back(command.name);
  std::string sentence = "there is no command \"" + to_terminal(word, 64) + "\"";
  if (const auto guess = policy::nearest(word, names))
    sentence += "; did you mean " + std::string(*guess) + "?";
  return usage_error(err, "", sentence);
}

int help(std::span<const std::string> words, std::span<const Command> table, Streams streams) {
  if (words.empty() || is_help(words.front()) || words.front() == "help") {
    print_help(streams.out, table);
    return kExitOk;
  }
  const auto found = std::ranges::find(table, std::string_view(words.front()), &Command::name);
  if (found == table.end()) return unknown_command(streams.err, words.front(), table);
  const std::array arguments{std::string("--help")};
  return found->run(arguments);
}

}  // namespace

int usage_error(std::ostream& err, std::string_view command, std::string_view sentence) {
  const std::string name = command.empty() ? "ambit" : "ambit " + std::string(command);
  err << name << ": " << sentence << "\nTry `" << name << " --help`.\n";
  return kExitUsage;
}

int dispatch(std::span<const std::string> arguments, std::span<const Command> table,
             Streams streams) {
  if (arguments.empty()) {
    print_help(streams.err, table);
    return kExitUsage;
  }
  const std::string& word = arguments.front();
  const auto rest = arguments.subspan(1);
  if (is_help(word) || word == "help") return help(rest, table, streams);
  if (word == "--version" || word == "-V") {
    streams.out << version_line() << '\n';
    return kExitOk;
  }
  const auto found = std::ranges::find(table, std::string_view(word), &Command::name);
  if (found == table.end()) return unknown_command(streams.err, word, table);
  return found->run(rest);
}

}  // namespace ambit::cli
