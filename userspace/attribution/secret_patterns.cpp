// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_patterns.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <vector>

#include "userspace/attribution/secret_names.h"

namespace ambit::attribution {
namespace {

struct Rewrite {
  const char* pattern;
  const char* replacement;
};

// NAME stands for the names of members (secret_names.cpp), NEWLINE for the end of a line.
constexpr auto kRewrites = std::to_array<Rewrite>({
    {R"((?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z))",
     "[redacted]"},
    {R"((?s)AGE-SECRET-KEY-1[A-Z0-9]+)", "[redacted]"},
    {R"((?i)((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate|apikey|bot)\s+)?)[^\s"'](?:=\\*["'][^\s"'\\]+\\*["']|[^\r\n"'])*)",
     "\\1[redacted]"},
    {R"((?i)((?:x-[a-z0-9-]*(?:key|token|secret|auth|signature)|[a-z-]*-token|api-?key|(?:set-)?cookie|ocp-apim-subscription-key)\s*:\s*)[^\s"'](?:=\\*["'][^\s"'\\]+\\*["']|[^\r\n"'])*)",
     "\\1[redacted]"},
    {R"((?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,})", "\\1[redacted]"},
    {R"(([A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"']*:)[^\s/"'<>]+@)", "\\1[redacted]@"},
    {R"((?i)(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[^\s"'\\<>]+)",
     "\\1[redacted]"},
    {R"((?i)(api\.telegram\.org/(?:file/)?bot)[^\s"'\\<>/?]+)", "\\1[redacted]"},
    {R"((?i)(discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]+/)[^\s"'\\<>/?]+)",
     "\\1[redacted]"},
    {R"((?is)(<(?:[a-z0-9_.-]+:)?(?:NAME|credentials)(?:\s[^<>]*)?>)(?:<!\[CDATA\[.*?(?:\]\]>|\z)|[^<]+))",
     "\\1[redacted]"},
    {R"((?i)(\b(?:name|key|id)\s*=\s*["']NAME["']\s+value\s*=\s*)(?:"[^"]*"?|'[^']*'?))",
     "\\1[redacted]"},
    {R"((?i)(\bvalue\s*=\s*)(?:"[^"]*"|'[^']*')(\s+(?:name|key|id)\s*=\s*["']NAME["']))",
     "\\1[redacted]\\2"},
    // A part of a form: an empty line, and all up to the next boundary; `\r\n` may be written out.
    {R"((?is)(\bname=\\*["']?NAME\\*["']?(?:;[^\r\n\\]*)?(?:NEWLINE[^\r\n\\]+)*NEWLINENEWLINE).*?(NEWLINE--|\z))",
     "\\1[redacted]\\2"},
    {R"((?i)(\bauth\s*=\s*\(\s*["'][^"']*["']\s*,\s*)(?:"[^"]*"?|'[^']*'?))", "\\1[redacted]"},
    // netrc: a whole line, or all of a machine's entry within one; `\n` may be written out for
    // printf
    {R"((?im)((?:^|["']|\\n)[ \t]*(?:login[ \t]+[^\s"'\\]+[ \t]+)?passw(?:or)?d[ \t]+)[:=]*[^\s"'\\:=][^\s"'\\]*([ \t]*(?:$|["']|\\n)))",
     "\\1[redacted]\\2"},
    {R"((?i)(\b(?:machine(?:\s|\\[nt])+[^\s"'\\]+|default)(?:\s|\\[nt])+(?:(?:login|account)(?:\s|\\[nt])+[^\s"'\\]+(?:\s|\\[nt])+)*passw(?:or)?d(?:\s|\\t)+)[^\s"'\\]+)",
     "\\1[redacted]"},
    {R"((^|[^A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_.-]{16,}))",
     "\\1[redacted]"},
    {R"((^|[^A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}))",
     "\\1[redacted]"},
    {R"((^|[^A-Za-z0-9])(?:xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{8,}|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*))",
     "\\1[redacted]"},
    {R"((^|[^A-Za-z0-9])(?:npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{16,}|hv[sbr]\.[A-Za-z0-9_-]{8,}|dop_v1_[a-f0-9]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{16,}|tskey-[a-z]+-[A-Za-z0-9-]{8,}|lin_api_[A-Za-z0-9]{16,}|ATATT3[A-Za-z0-9_=-]{16,}))",
     "\\1[redacted]"},
});

constexpr const char* kNameName = "(?i)name|key|variable|header|field|parameter(?:key|name)";
constexpr const char* kValueName = "(?i)(?:string|parameter)?value|val";

RE2::Options byte_options() {
  RE2::Options options;
  options.set_encoding(
      RE2::Options::EncodingLatin1);  // as UTF-8, classes would stop at a stray byte
  options.set_log_errors(false);
  options.set_max_mem(4 << 20);
  return options;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::string filled_in(std::string pattern) {
  replace_all(pattern, "NAME", name_pattern(Place::member));
  replace_all(pattern, "NEWLINE", R"((?:\r?\n|\\+r\\+n|\\+n))");
  return pattern;
}

/// The rewrites, compiled, with one automaton that says in one pass which of them apply at all.
class Rewriter {
 public:
  Rewriter() : any_(byte_options(), RE2::UNANCHORED) {
    for (const Rewrite& rewrite : kRewrites) {
      const std::string pattern = filled_in(rewrite.pattern);
      ready_ = any_.Add(pattern, nullptr) >= 0 && ready_;
      patterns_.emplace_back(pattern, byte_options());
    }
    ready_ = any_.Compile() && ready_;
  }

  void apply(std::string& text) const {
    for (const int index : candidates(text)) {
      const auto at = static_cast<std::size_t>(index);
      RE2::GlobalReplace(&text, patterns_[at], kRewrites[at].replacement);
    }
  }

 private:
  [[nodiscard]] std::vector<int> candidates(const std::string& text) const {
    std::vector<int> hits;
    RE2::Set::ErrorInfo error{};
    if (ready_ && (any_.Match(text, &hits, &error) || error.kind == RE2::Set::kNoError)) {
      std::ranges::sort(hits);
      return hits;
    }
    hits.resize(kRewrites.size());  // the automaton ran out of memory: try every pattern
    std::iota(hits.begin(), hits.end(), 0);
    return hits;
  }

  RE2::Set any_;
  std::deque<RE2> patterns_;
  bool ready_ = true;
};

}  // namespace

void redact_patterns(std::string& text) {
  static const Rewriter rewriter;
  rewriter.apply(text);
}

Secrecy secrecy_of(std::string_view name) {
  if (is_secret_name(Place::member, name)) {
    return Secrecy::of_all;
  }
  return is_secret_name(Place::text_member, name) ? Secrecy::of_texts : Secrecy::none;
}

bool is_name_name(std::string_view name) {
  static const RE2 names(kNameName, byte_options());
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), names);
}

bool is_value_name(std::string_view name) {
  static const RE2 names(kValueName, byte_options());
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), names);
}

}  // namespace ambit::attribution
