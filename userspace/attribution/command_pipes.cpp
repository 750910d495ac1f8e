// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/command_pipes.h"

#include <algorithm>
#include <span>

#include "userspace/attribution/command_words.h"
#include "userspace/attribution/secret_flags.h"
#include "userspace/attribution/secret_patterns.h"

namespace ambit::attribution {
namespace {

using Words = std::span<std::string>;

bool ends_command(std::string_view gap) {
  return gap.find_first_of(";|&\n()`") != std::string_view::npos;
}

bool reads_secret(const StdinRule& rule, Words command) {
  const auto program = std::ranges::find_if(command, [&](const std::string& word) {
    return rule.programs.empty() || lists(rule.programs, base_name(word));
  });
  return program != command.end() &&
         (rule.word.empty() || std::find(program, command.end(), rule.word) != command.end());
}

bool reads_secret(Words command) {
  return std::ranges::any_of(stdin_rules(),
                             [&](const StdinRule& rule) { return reads_secret(rule, command); });
}

void hide_quoted(std::string& word) {
  const std::string quote(quote_around(word));
  word = quote + std::string(kRedacted) + quote;
}

/// `docker login --password-stdin <<< X`
void hide_here_string(Words command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] == "<<<" && i + 1 < command.size()) {
      hide_quoted(command[++i]);
    } else if (command[i].starts_with("<<<") && command[i].size() > 3) {
      command[i] = "<<<" + std::string(kRedacted);
    }
  }
}

/// What `echo` and `printf` write; `-n` stays.
void hide_said(Words command) {
  const auto program = std::ranges::find_if(
      command, [](const std::string& word) { return lists("echo printf", base_name(word)); });
  for (auto word = program; word != command.end(); ++word) {
    if (word != program && !word->starts_with('-')) {
      hide_quoted(*word);
    }
  }
}

}  // namespace

void redact_piped(std::string_view text, const std::vector<Span>& spans,
                  std::vector<std::string>& words) {
  Words before;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= spans.size(); ++i) {
    const bool last = i == spans.size();
    const std::string_view gap =
        last ? std::string_view()
             : text.substr(spans[i - 1].end, spans[i].begin - spans[i - 1].end);
    if (!last && !ends_command(gap)) {
      continue;
    }
    const Words command = Words(words).subspan(begin, i - begin);
    if (reads_secret(command)) {
      hide_said(before);
      hide_here_string(command);
    }
    const bool piped = gap.contains('|') && !gap.contains("||");
    before = piped ? command : Words();
    begin = i;
  }
}

}  // namespace ambit::attribution
