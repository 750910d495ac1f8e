// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_values.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "userspace/attribution/secret_patterns.h"

namespace ambit::attribution {
namespace {

constexpr std::size_t kLongestName = 128;

bool is_one_of(char c, std::string_view list) { return list.contains(c); }
bool is_space(char c) { return is_one_of(c, " \t\r\n"); }
bool is_quote(char c) { return is_one_of(c, "\"'"); }

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         is_one_of(c, "_.-");
}

std::size_t past(std::string_view text, std::size_t at, bool (*skipped)(char)) {
  while (at < text.size() && skipped(text[at])) {
    ++at;
  }
  return at;
}

std::size_t past_backslashes(std::string_view text, std::size_t at) {
  return past(text, at, [](char c) { return c == '\\'; });
}

/// Past the string whose quote, behind `escapes` backslashes, stands at `quote`. Each level of
/// quoting doubles the backslashes and adds one, so their number says whether a quote is of this
/// string, of one within it, or of one around it, which ends this one too.
std::size_t past_string(std::string_view text, std::size_t quote, std::size_t escapes) {
  for (std::size_t at = quote + 1; at < text.size(); ++at) {
    const std::size_t run = at;
    at = past_backslashes(text, at);
    if (at == text.size() || text[at] != text[quote]) {
      continue;
    }
    const std::size_t count = at - run;
    if (count < escapes) {
      return run;
    }
    const bool within = (count - escapes) / (escapes + 1) % 2 == 1;
    if (!within) {
      return at + 1;
    }
  }
  return text.size();
}

/// Past a list or an object; one that is not closed goes to the end.
std::size_t past_container(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const std::size_t run = at;
    at = past_backslashes(text, at);
    if (at == text.size()) {
      break;
    }
    const char c = text[at];
    if (is_quote(c)) {
      at = past_string(text, at, at - run);
      continue;
    }
    ++at;
    depth += is_one_of(c, "[{") ? 1 : 0;
    if (is_one_of(c, "]}") && --depth == 0) {
      return at;
    }
  }
  return text.size();
}

enum class Kind : std::uint8_t { nothing, hidden, plain_string, escaped_string, container, scalar };

Kind kind_at(std::string_view text, std::size_t at) {
  const std::size_t quote = past_backslashes(text, at);
  if (at == text.size()) {
    return Kind::nothing;
  }
  if (quote < text.size() && is_quote(text[quote])) {
    return quote == at ? Kind::plain_string : Kind::escaped_string;
  }
  if (text.substr(at).starts_with(kRedacted)) {
    return Kind::hidden;
  }
  return is_one_of(text[at], "[{") ? Kind::container : Kind::scalar;
}

bool is_bare(char c) { return !is_space(c) && !is_one_of(c, "\"'\\&;,}])"); }

/// Behind a string, what separates a name is of the next member.
bool is_glue(char c) { return is_bare(c) && !is_one_of(c, ":="); }

/// Past what stands together: `12`, `"X"`, `u'X'`, and `"'"X"'"`, where a shell's string is left
/// and entered again. A quote behind bare letters else ends a string around them.
std::size_t past_text(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  bool may_open = true;
  while (at < text.size()) {
    const std::size_t quote = past_backslashes(text, at);
    if (may_open && quote < text.size() && is_quote(text[quote])) {
      at = past_string(text, quote, quote - at);
      may_open = false;
      continue;
    }
    const std::size_t bare = past(text, at, at == begin ? is_bare : is_glue);
    if (bare == at) {
      break;
    }
    const bool is_prefix =
        bare - at <= 2 &&
        text.substr(at, bare - at).find_first_not_of("bfruBFRU") == std::string_view::npos;
    may_open = at != begin || is_prefix;
    at = bare;
  }
  return at;
}

Span value_at(std::string_view text, std::size_t at) {
  const Kind kind = kind_at(text, at);
  std::size_t end = at;
  if (kind == Kind::hidden) {
    end = at + kRedacted.size();
  } else if (kind == Kind::container) {
    end = past_container(text, at);
  } else if (kind != Kind::nothing) {
    end = past_text(text, at);
  }
  return {.begin = at, .end = end};
}

/// `pass\u0077ord`: a name may be written with escapes, behind any number of backslashes.
std::string without_escapes(std::string_view name) {
  static const RE2 escape(R"(\\+(?:u00|x)([0-7][0-9A-Fa-f]))");
  std::string out(name);
  std::string digits;
  while (out.contains('\\') && RE2::PartialMatch(out, escape, &digits)) {
    const std::string letter(1, static_cast<char>(std::stoi(digits, nullptr, 16)));
    RE2::Replace(&out, escape, RE2::QuoteMeta(letter));
  }
  return out;
}

struct Name {
  std::string text;
  bool marked =
      false;  ///< `"name":`, `["name"] =`, `form[name]=`, `$ENV{name} =`: no word of a sentence
};

/// The name that ends before the separator at `separator`.
Name name_before(std::string_view text, std::size_t separator) {
  std::size_t end = separator;
  const auto last_is = [&](auto&& what) { return end > 0 && what(text[end - 1]); };
  while (last_is(is_space)) {
    --end;
  }
  const std::size_t spaced = end;
  const bool of_hash = text[separator] == '=' && last_is([](char c) { return c == '}'; });
  if (of_hash || last_is([](char c) { return c == ']'; })) {
    --end;
  }
  const bool quoted = last_is(is_quote);
  if (quoted) {
    --end;
    while (last_is([](char c) { return c == '\\'; })) {
      --end;
    }
  }
  std::size_t begin = end;
  const auto in_name = [&](char c) { return is_name(c) || (quoted && c == '\\'); };
  while (begin > 0 && end - begin < kLongestName && in_name(text[begin - 1])) {
    --begin;
  }
  return {.text = without_escapes(text.substr(begin, end - begin)), .marked = end != spaced};
}

std::string_view inside_quotes(std::string_view value) {
  while (!value.empty() && is_one_of(value.front(), "\\\"'")) {
    value.remove_prefix(1);
  }
  while (!value.empty() && is_one_of(value.back(), "\\\"'")) {
    value.remove_suffix(1);
  }
  return value;
}

bool is_string(Kind kind) { return kind == Kind::plain_string || kind == Kind::escaped_string; }

/// Without a mark, `password: x` may be said in a sentence and is left to the patterns, which know
/// all of it but lists and escaped quotes.
bool holds_secret(const Name& name, Kind kind) {
  switch (secrecy_of(name.text)) {
    case Secrecy::none:
      return false;
    case Secrecy::of_texts:
      return name.marked && kind != Kind::scalar;
    case Secrecy::of_all:
      return name.marked || kind == Kind::container || kind == Kind::escaped_string;
  }
  return false;
}

bool is_more_of_operator(char c) { return is_one_of(c, "=>"); }
bool is_nothing(char) { return false; }

class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::vector<Span> run() {
    for (std::size_t at = 0; at < text_.size();) {
      at = step(at);
    }
    while (!objects_.empty()) {
      close_object();
    }
    return in_order();
  }

 private:
  /// `{"name": "DB_PASSWORD", "value": "X"}`
  struct Object {
    bool names_secret = false;
    std::vector<std::size_t> values;  ///< where they begin
  };

  std::size_t step(std::size_t at) {
    const char c = text_[at];
    if (c == '{') {
      objects_.emplace_back();
    } else if (c == '}' && !objects_.empty()) {
      close_object();
    } else if (c == ':' || c == '=') {
      return take_member(at);
    }
    return at + 1;
  }

  std::size_t take_member(std::size_t separator) {
    const std::size_t after =
        past(text_, separator + 1, text_[separator] == '=' ? is_more_of_operator : is_nothing);
    const bool compares = after > separator + 1 && text_[separator + 1] == '=';
    const Name name = name_before(text_, separator);
    const std::size_t begin = past(text_, after, is_space);
    const Kind kind = kind_at(text_, begin);
    if (name.text.empty() || kind == Kind::nothing || (compares && !is_string(kind))) {
      return after;
    }
    if ((kind == Kind::hidden && name.marked) || holds_secret(name, kind)) {
      found_.push_back(value_at(text_, begin));
      return std::max(found_.back().end, after);
    }
    if (name.marked && !objects_.empty()) {
      take_pair(name.text, kind, begin);
    }
    return after;
  }

  void take_pair(std::string_view name, Kind kind, std::size_t begin) {
    if (is_value_name(name)) {
      objects_.back().values.push_back(begin);
    } else if (is_name_name(name) && is_string(kind)) {
      const Span at = value_at(text_, begin);
      const auto told = inside_quotes(text_.substr(at.begin, at.end - at.begin));
      objects_.back().names_secret |= secrecy_of(without_escapes(told)) == Secrecy::of_all;
    }
  }

  void close_object() {
    if (objects_.back().names_secret) {
      for (const std::size_t begin : objects_.back().values) {
        found_.push_back(value_at(text_, begin));
      }
    }
    objects_.pop_back();
  }

  std::vector<Span> in_order() {
    std::ranges::sort(found_, {}, &Span::begin);
    std::vector<Span> out;
    for (const Span& span : found_) {
      if (!out.empty() && span.begin < out.back().end) {
        out.back().end = std::max(out.back().end, span.end);
      } else if (span.begin < span.end) {
        out.push_back(span);
      }
    }
    return out;
  }

  std::string_view text_;
  std::vector<Object> objects_;
  std::vector<Span> found_;
};

}  // namespace

std::vector<Span> secret_values(std::string_view text) { return Scan(text).run(); }

}  // namespace ambit::attribution
