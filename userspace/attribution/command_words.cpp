// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/command_words.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "userspace/attribution/command_operands.h"
#include "userspace/attribution/secret_flags.h"
#include "userspace/attribution/secret_names.h"
#include "userspace/attribution/secret_patterns.h"

namespace ambit::attribution {
namespace {

/// `u/X@db`, but neither `/nolog` nor `u@//host/service`
std::string hide_after_slash(std::string_view value) {
  const std::size_t slash = value.find('/');
  const std::size_t database = value.rfind('@');
  const bool given = slash != 0 && slash != std::string_view::npos && value.find('@') > slash;
  return given ? std::string(value.substr(0, slash + 1)) + std::string(kRedacted) +
                     std::string(value.substr(std::min(database, value.size())))
               : std::string(value);
}

bool is_named(std::string_view value) {
  const std::size_t equals = value.find('=');
  return equals != 0 && value.find_first_not_of('=', equals) != std::string_view::npos &&
         equals != std::string_view::npos;
}

std::string hide_after(std::string_view value, std::size_t separator) {
  if (separator == std::string_view::npos) {
    return std::string(value);
  }
  const bool nothing_follows = separator + 1 == value.size();
  return nothing_follows ? std::string(kRedacted)
                         : std::string(value.substr(0, separator + 1)) + std::string(kRedacted);
}

std::string hide(std::string_view value, SecretPart part) {
  const std::string quote(quote_around(value));
  if (!quote.empty()) {
    const std::string_view inside = value.substr(quote.size(), value.size() - 2 * quote.size());
    return quote + hide(inside, part) + quote;
  }
  switch (part) {
    case SecretPart::whole:
      return std::string(kRedacted);
    case SecretPart::after_colon:
      return hide_after(value, value.find(':'));
    case SecretPart::after_percent:
      return hide_after(value, value.find('%'));
    case SecretPart::after_equals:
      return hide_after(value, value.find('='));
    case SecretPart::after_comma:
      return hide_after(value, value.find(','));
    case SecretPart::after_slash:
      return hide_after_slash(value);
    case SecretPart::unless_named:
      return std::string(is_named(value) ? value : kRedacted);
    case SecretPart::nothing:
      return std::string(value);
    case SecretPart::userinfo: {
      const std::size_t at = value.rfind('@');
      if (at == std::string_view::npos) {
        return std::string(value);
      }
      return hide_after(value.substr(0, at), value.substr(0, at).rfind(':')) +
             std::string(value.substr(at));
    }
  }
  return std::string(kRedacted);
}

bool is_flag_of(Place place, std::string_view word) {
  const std::size_t dashes = word.starts_with("--") ? 2 : 1;
  return word.starts_with('-') && is_secret_name(place, word.substr(dashes));
}

/// `--port`, `-b`; what is longer behind a single dash may be a secret that begins with one.
bool looks_like_flag(std::string_view word) {
  return word.starts_with("--") || (word.size() == 2 && word[0] == '-');
}

/// `--password`, `--githubToken`, `-storepass`
bool is_secret_flag(std::string_view word) { return is_flag_of(Place::flag, word); }

/// `=`, `:=`, `==`, `=>`, `:`
bool is_operator(std::string_view word) {
  return word.find_first_not_of("=:!?<>~|+") == std::string_view::npos &&
         word.find_first_of("=:") != std::string_view::npos;
}

/// The value of a flag or a setting, in the next word.
struct Awaited {
  SecretPart part = SecretPart::whole;
  bool may_be_flag = true;  ///< also where it begins with `-`
};

/// Walks over the words of one command line, knowing the program and which flag awaits its value.
class Walk {
 public:
  explicit Walk(std::vector<std::string>& words) : words_(words), operands_(words) {
    for (const FlagRule& rule : flag_rules()) {
      if (rule.needs.empty() || std::ranges::find(words, rule.needs) != words.end()) {
        usable_.push_back(&rule);
      }
    }
  }

  void run() {
    for (std::string& word : words_) {
      step(word);
    }
  }

 private:
  void step(std::string& word) {
    if (awaited_ && is_operator(word)) {
      return;  // `--password = X`
    }
    const std::optional<Awaited> awaited = std::exchange(awaited_, std::nullopt);
    if (awaited && is_value(*awaited, word)) {
      word = hide(word, awaited->part);
      return;
    }
    const bool may_be_set = std::exchange(sets_, false);
    if (take_program_flag(word) || take_secret_flag(word)) {
      sets_ = may_be_set;
      return;
    }
    sets_ = lists("set config", word) || (may_be_set && word.starts_with('-'));
    if (is_secret_name(Place::setting, word) ||
        (may_be_set && is_secret_name(Place::set_setting, word))) {
      awaited_ = {.part = SecretPart::whole, .may_be_flag = false};
    } else if (is_known_program(base_name(word))) {
      start(base_name(word));
    } else if (const SecretPart part = operands_.take(word); part != SecretPart::nothing) {
      word = hide(word, part);
    }
  }

  [[nodiscard]] static bool is_value(const Awaited& awaited, std::string_view word) {
    return !(word.starts_with("--") && is_secret_flag(word)) &&
           (awaited.may_be_flag || !looks_like_flag(word));
  }

  void start(std::string_view program) {
    program_ = program;
    operands_.start(program);
    rules_.clear();
    for (const FlagRule* rule : usable_) {
      if (lists(rule->programs, program)) {
        rules_.push_back(rule);
      }
    }
  }

  bool take_secret_flag(std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string_view flag = std::string_view(word).substr(0, equals);
    if (!is_secret_flag(flag) && !is_flag_of(Place::weak_flag, flag)) {
      return false;
    }
    if (equals == std::string::npos) {
      awaited_ = {.part = SecretPart::whole, .may_be_flag = is_secret_flag(flag)};
    } else {
      word = word.substr(0, equals + 1) + std::string(kRedacted);
    }
    return true;
  }

  bool take_program_flag(std::string& word) {
    return std::ranges::any_of(rules_, [&](const FlagRule* rule) { return take(*rule, word); });
  }

  bool take(const FlagRule& rule, std::string& word) {
    const std::optional<std::size_t> value = value_of(rule, word);
    if (!value) {
      return false;
    }
    if (*value == word.size()) {
      awaited_ = rule.separate ? std::optional(Awaited{.part = rule.part}) : std::nullopt;
    } else if (rule.attached) {
      word = word.substr(0, *value) + hide(std::string_view(word).substr(*value), rule.part);
    }
    return true;
  }

  /// Where the flag's value begins in this word (its end: in the next word), if it is that flag.
  [[nodiscard]] std::optional<std::size_t> value_of(const FlagRule& rule,
                                                    std::string_view word) const {
    if (word == rule.flag) {
      return word.size();
    }
    if (rule.flag.starts_with("--")) {
      const std::size_t size = rule.flag.size();
      const bool given = word.starts_with(rule.flag) && word.at(size) == '=';
      return given ? std::optional(size + 1) : std::nullopt;
    }
    if (rule.flag.size() > 2) {
      return rule.attached && word.starts_with(rule.flag) ? std::optional(rule.flag.size())
                                                          : std::nullopt;
    }
    return value_in_cluster(rule.flag, word);
  }

  [[nodiscard]] std::optional<std::size_t> value_in_cluster(std::string_view flag,
                                                            std::string_view word) const {
    if (word.size() < 2 || word[0] != flag[0]) {
      return std::nullopt;
    }
    std::size_t at = 1;
    while (at < word.size() && word[at] != flag[1] && plain_letters(program_).contains(word[at])) {
      ++at;
    }
    return at < word.size() && word[at] == flag[1] ? std::optional(at + 1) : std::nullopt;
  }

  std::vector<std::string>& words_;
  std::string program_;
  std::optional<Awaited> awaited_;
  bool sets_ = false;  ///< the name of a setting may follow
  Operands operands_;
  std::vector<const FlagRule*> usable_;  ///< of all programs: whose needed word is there
  std::vector<const FlagRule*> rules_;   ///< of this program
};

bool ends_word(char c) {
  return std::string_view(" \t\r\n\v\f;|&()`").find(c) != std::string_view::npos;
}

bool is_escaped_quote(std::string_view text, std::size_t at, std::size_t escapes) {
  return std::min(text.find_first_not_of('\\', at), text.size()) == at + escapes &&
         text.substr(at + escapes).starts_with('"');
}

/// Past the word that starts at `at`; an open quote goes to the end.
std::size_t end_of_word(std::string_view text, std::size_t at, std::size_t escapes) {
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (escapes > 0 && quote != '\'' && is_escaped_quote(text, at, escapes)) {
      quote = quote == 0 ? '"' : char{0};
      at += escapes;
    } else if (c == '\\' && quote != '\'') {
      ++at;
    } else if (quote != 0) {
      quote = c == quote ? char{0} : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (ends_word(c)) {
      break;
    }
  }
  return std::min(at, text.size());
}

}  // namespace

std::string_view base_name(std::string_view word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string_view::npos ? word : word.substr(slash + 1);
}

void redact_words(std::vector<std::string>& words) { Walk(words).run(); }

std::string_view quote_around(std::string_view word) {
  const std::size_t quote = std::min(word.find_first_not_of('\\'), word.size());
  const std::string_view mark = word.substr(0, quote + 1);
  const bool quoted = (mark.ends_with('"') || mark.ends_with('\'')) && word.ends_with(mark) &&
                      word.size() >= 2 * mark.size();
  return quoted ? mark : std::string_view();
}

std::vector<Span> shell_words(std::string_view text, std::size_t escapes) {
  std::vector<Span> spans;
  for (std::size_t at = 0; at < text.size();) {
    if (ends_word(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = end_of_word(text, at, escapes);
    spans.push_back({.begin = at, .end = end});
    at = end;
  }
  return spans;
}

}  // namespace ambit::attribution
