// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/redact.h"

#include <algorithm>

#include "userspace/attribution/command_pipes.h"
#include "userspace/attribution/command_words.h"
#include "userspace/attribution/secret_assignments.h"
#include "userspace/attribution/secret_patterns.h"
#include "userspace/attribution/secret_urls.h"
#include "userspace/attribution/secret_values.h"
#include "userspace/model/event.h"

namespace ambit::attribution {
namespace {

// What is looked at is more than what is shown, so that hiding a long secret does not empty the
// rest.
constexpr std::size_t kReadArguments = 2 * kMaxArguments;
constexpr std::size_t kReadArgumentBytes = 4 * kMaxArgumentBytes;
constexpr std::size_t kReadArgvBytes = 4 * kMaxArgvBytes;

constexpr int kMostCommandsWithin = 4;  // sh -c, in ssh, in docker exec, …

std::string cut_mark(std::size_t bytes) { return "[+" + std::to_string(bytes) + " bytes]"; }

bool has_words(std::string_view text) {
  return text.find_first_of(" \t\n") != std::string_view::npos;
}

struct Depth {
  int commands = kMostCommandsWithin;  ///< that may still be entered
  std::size_t escapes = 0;             ///< backslashes before a double quote
};

std::string redact_command(std::string_view text, Depth depth);

/// `ssh h 'mysql -pX'` within `sh -c "…"`: a command line within a word of one.
std::string redact_quoted(std::string word, Depth depth) {
  const std::string quote(quote_around(word));
  if (quote.empty() || depth.commands == 0 || !has_words(word)) {
    return word;
  }
  --depth.commands;
  depth.escapes = quote.back() == '"' ? 2 * depth.escapes + 1 : depth.escapes;
  const std::string_view inside =
      std::string_view(word).substr(quote.size(), word.size() - 2 * quote.size());
  return quote + redact_command(inside, depth) + quote;
}

/// `sh -c "mysql -pX"`: a command line within one argument.
std::string redact_command(std::string_view text, Depth depth) {
  const std::vector<Span> spans = shell_words(text, depth.escapes);
  std::vector<std::string> words;
  words.reserve(spans.size());
  for (const Span& span : spans) {
    words.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  redact_words(words);
  redact_piped(text, spans, words);
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    out.append(text.substr(at, spans[i].begin - at));
    out += redact_quoted(std::move(words[i]), depth);
    at = spans[i].end;
  }
  return out.append(text.substr(at));
}

/// Hides the values that are known by their names, and does `between` to what stands between them.
std::string hide_values(const std::string& text, void (*between)(std::string&)) {
  std::string out;
  std::size_t at = 0;
  const auto add = [&](std::size_t end) {
    std::string part = text.substr(at, end - at);
    between(part);
    out += part;
  };
  for (const Span& value : secret_values(text)) {
    add(value.begin);
    out += kRedacted;
    at = value.end;
  }
  add(text.size());
  return out;
}

void redact_looks(std::string& text) {
  redact_url_users(text);
  redact_patterns(text);
  redact_assignments(text);
}

/// Values first, as long as all names stand: `-pX{"password": "Y"}` is one word of a command line.
/// The patterns see what stands between them only: one that ends at a quote would go past a
/// `[redacted]` that has none.
void redact_argument(std::string& text) {
  if (redact_variable(text)) {
    return;
  }
  if (has_words(text)) {
    text = redact_command(hide_values(text, [](std::string&) {}), Depth());
  }
  text = hide_values(text, redact_looks);
}

/// What there was before it was cut for reading, to be counted when it is cut for showing.
struct Sizes {
  std::size_t arguments = 0;  ///< without the mark that there are more
  bool goes_on = false;
  std::vector<std::size_t> cut_bytes;
};

/// An argument that happens to look like the mark makes no more of it than an "or more".
Sizes sizes_of(const std::vector<std::string>& whole) {
  const bool goes_on = !whole.empty() && whole.back() == model::kMoreArguments;
  return {.arguments = whole.size() - (goes_on ? 1 : 0), .goes_on = goes_on, .cut_bytes = {}};
}

/// The last element where not all arguments are shown.
std::string rest_mark(std::size_t left_out, bool goes_on) {
  if (left_out == 0) {
    return std::string(model::kMoreArguments);
  }
  return "[+" + std::to_string(left_out) + (goes_on ? " arguments or more]" : " arguments]");
}

Sizes cut_for_reading(std::vector<std::string>& argv, const std::vector<std::string>& whole) {
  Sizes sizes = sizes_of(whole);
  std::size_t room = kReadArgvBytes;
  for (std::size_t i = 0; i < sizes.arguments && i < kReadArguments && room > 0; ++i) {
    const std::string& argument = whole[i];
    const std::size_t kept = std::min({argument.size(), kReadArgumentBytes, room});
    argv.push_back(argument.substr(0, kept));
    sizes.cut_bytes.push_back(argument.size() - kept);
    room -= kept;
  }
  return sizes;
}

std::vector<std::string> cut_for_showing(std::vector<std::string> argv, const Sizes& sizes) {
  std::vector<std::string> shown;
  std::size_t room = kMaxArgvBytes;
  for (std::size_t i = 0; i < argv.size() && shown.size() < kMaxArguments && room > 0; ++i) {
    std::string& argument = argv[i];
    const std::size_t kept = std::min({argument.size(), kMaxArgumentBytes, room});
    const std::size_t cut = argument.size() - kept + sizes.cut_bytes[i];
    argument.resize(kept);
    room -= kept;
    shown.push_back(cut == 0 ? std::move(argument) : argument + cut_mark(cut));
  }
  const std::size_t left_out = sizes.arguments - shown.size();
  if (left_out > 0 || sizes.goes_on) {
    shown.push_back(rest_mark(left_out, sizes.goes_on));
  }
  return shown;
}

}  // namespace

std::vector<std::string> redact(const std::vector<std::string>& argv) {
  std::vector<std::string> words = argv;
  redact_words(words);
  std::ranges::for_each(words, redact_argument);
  return words;
}

std::vector<std::string> bounded(std::vector<std::string> argv) {
  Sizes sizes = sizes_of(argv);
  argv.resize(sizes.arguments);
  sizes.cut_bytes.assign(sizes.arguments, 0);
  return cut_for_showing(std::move(argv), sizes);
}

std::vector<std::string> presentable(const std::vector<std::string>& argv) {
  std::vector<std::string> read;
  const Sizes sizes = cut_for_reading(read, argv);
  return cut_for_showing(redact(read), sizes);
}

}  // namespace ambit::attribution
