// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_assignments.h"

#include <re2/re2.h>

#include <string_view>
#include <utility>

#include "userspace/attribution/secret_names.h"
#include "userspace/attribution/secret_patterns.h"

namespace ambit::attribution {
namespace {

// What stands between a name and its value: `=`, `: `, `:=`, `=>`, `==`, `?=`, `<-`; as an address
// writes it, `%3D`, and `%22%3A` behind a quote.
constexpr const char* kNamed =
    R"re((?i)([a-z0-9_.-]+)(["']?\s*(?:[?|!+:]*[:=][:=>~]*|<-)\s*|(?:%(?:25)*22)?%(?:25)*3[ad]))re";
// Strings of shells, and of languages: `$'X'`, `b'X'`, `f"X"`, `("X")`
constexpr const char* kValue =
    R"re((?s)(\$'(?:[^'\\]|\\.)*'?|(?:[$@(]|[bfruBFRU]{1,2})?"(?:[^"\\]|\\.)*"?|(?:\(|[bfruBFRU]{1,2})?'[^']*'?|[^\s"'&;,}>][^\s"'&;,}]*))re";
// `secret: str = "X"`: what follows the colon is the type
constexpr const char* kTypedValue =
    R"re(([&A-Za-z][^="'\n,;(){}]{0,48}=\s*(?:"(?:[^"\\]|\\.)*"?|'[^']*'?)))re";
constexpr const char* kEncodedValue =
    R"re((?i)((?:[^%&\s"';,}]|%[013-9a-f][0-9a-f]|%2[0-57-9a-f])+))re";

RE2::Options byte_options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

struct Named {
  std::string_view name;
  std::string_view operation;
  char before = 0;  ///< what stands before the name; 0: nothing
  char after = 0;
};

bool is_one_of(char c, std::string_view list) { return list.contains(c); }

/// `=` or `: `, no `:=`
bool is_single(std::string_view operation) {
  return operation.find_first_of("=:") == operation.find_last_of("=:");
}

bool is_secret(const Named& named) {
  const bool path = named.after == '/' && named.before != ';' && is_single(named.operation);
  if (is_secret_name(Place::assignment, named.name) ||
      (!path && is_secret_name(Place::word, named.name))) {
    return true;
  }
  const bool close = named.operation.find_first_of(" \t\r\n") == std::string_view::npos &&
                     is_one_of(named.operation.front(), "=%");
  if (!close) {
    return false;
  }
  const bool in_query = is_one_of(named.before, "?&;");
  // `auth=("a", "X")` is taken apart by the patterns
  const bool begins_word = (named.before == 0 || is_one_of(named.before, " \t\r\n\"'")) &&
                           !is_one_of(named.after, "([{");
  return is_secret_name(Place::variable, named.name) ||
         ((in_query || begins_word) && is_secret_name(Place::field, named.name)) ||
         (in_query && is_secret_name(Place::query, named.name));
}

/// What is hidden already, where what follows belongs to the text around it.
bool take_hidden(re2::StringPiece& rest, re2::StringPiece& value) {
  static const RE2 hidden(R"((\[redacted\])[)\]]*:?(?:[\s;,{]|\z))", byte_options());
  re2::StringPiece with_end(rest);
  if (!RE2::Consume(&with_end, hidden, &value)) {
    return false;
  }
  rest.remove_prefix(value.size());
  return true;
}

bool take_value(re2::StringPiece& rest, std::string_view operation, re2::StringPiece& value) {
  static const RE2 plain(kValue, byte_options());
  static const RE2 typed(kTypedValue, byte_options());
  static const RE2 encoded(kEncodedValue, byte_options());
  if (operation.starts_with('%')) {
    return RE2::Consume(&rest, encoded, &value);
  }
  const bool may_be_typed = operation.ends_with(':') || operation.ends_with(": ");
  return take_hidden(rest, value) || (may_be_typed && RE2::Consume(&rest, typed, &value)) ||
         RE2::Consume(&rest, plain, &value);
}

std::string_view view_of(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

}  // namespace

void redact_assignments(std::string& text) {
  static const RE2 named_value(kNamed, byte_options());
  std::string out;
  const char* copied = text.data();
  re2::StringPiece rest(text);
  re2::StringPiece name;
  re2::StringPiece operation;
  re2::StringPiece value;
  while (RE2::FindAndConsume(&rest, named_value, &name, &operation)) {
    const Named named{.name = view_of(name),
                      .operation = view_of(operation),
                      .before = name.data() == text.data() ? char{0} : *(name.data() - 1),
                      .after = rest.empty() ? char{0} : rest[0]};
    if (is_secret(named) && take_value(rest, named.operation, value)) {
      out.append(copied, value.data()).append(kRedacted);
      copied = value.data() + value.size();
    }
  }
  out.append(copied, std::as_const(text).data() + text.size());
  text = std::move(out);
}

bool redact_variable(std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals + 1 == argument.size()) {
    return false;
  }
  const std::string_view name = std::string_view(argument).substr(0, equals);
  if (name.find_first_of(".-") != std::string_view::npos ||
      !is_secret_name(Place::variable, name)) {
    return false;
  }
  argument = argument.substr(0, equals + 1) + std::string(kRedacted);
  return true;
}

}  // namespace ambit::attribution
