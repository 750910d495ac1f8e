// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_patterns.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <vector>

namespace ambit::attribution {
namespace {

struct Rewrite {
  const char* pattern;
  const char* replacement;
};

// A setting's name that ends in one of these words holds a secret. `PWD` alone is the working
// directory.
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
    {R"((?is)(<(?:[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|credentials?)|pass|pwd|(?:[a-z0-9_.-]+:)password)(?:\s[^<>]*)?>)(?:<!\[CDATA\[.*?(?:\]\]>|\z)|[^<]+))",
     "\\1[redacted]"},
    {R"((?i)(\bname\s*=\s*["'][a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[-_]?key)["']\s+value\s*=\s*)(?:"[^"]*"?|'[^']*'?))",
     "\\1[redacted]"},
    {R"((?i)(\bauth\s*=\s*\(\s*["'][^"']*["']\s*,\s*)(?:"[^"]*"?|'[^']*'?))", "\\1[redacted]"},
    // netrc: a whole line, or all of a machine's entry within one; `\n` may be written out for
    // printf
    {R"((?im)((?:^|["']|\\n)[ \t]*(?:login[ \t]+[^\s"'\\]+[ \t]+)?passw(?:or)?d[ \t]+)[^\s"'\\]+([ \t]*(?:$|["']|\\n)))",
     "\\1[redacted]\\2"},
    {R"((?i)(\b(?:machine(?:\s|\\[nt])+[^\s"'\\]+|default)(?:\s|\\[nt])+(?:(?:login|account)(?:\s|\\[nt])+[^\s"'\\]+(?:\s|\\[nt])+)*passw(?:or)?d(?:\s|\\t)+)[^\s"'\\]+)",
     "\\1[redacted]"},
    {R"re((?i)([a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key|account[-_]?key|auth[-_]?key|signing[-_]?key|encryption[-_]?key|credential|_auth|[-_.;]pass|[-_.;]pwd)["']?\s*[:=]>*\s*)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'&;,}>][^\s"'&;,}]*))re",
     "\\1[redacted]"},
    {R"re((?i)((?:^|[^a-z0-9_])(?:pass|pwd|pw)["']?\s*[:=]>*\s*)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'&;,}/>][^\s"'&;,}]*))re",
     "\\1[redacted]"},
    {R"((?i)([?&;](?:sig|signature|x-amz-signature|x-amz-credential|x-goog-signature|key|code|auth|jwt|session|sid)=)[^&\s"'#]+)",
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

constexpr const char* kSecretFlag =
    R"((?i)--?(?:[a-z0-9_.-]*(?:password|passwd|passphrase|secret|secret-string|token|api[-_]?key|access[-_]?key|secret[-_]?key|account[-_]?key|auth[-_]?key|storepass|keypass|userpass)|(?:[a-z0-9]+[-_.])*(?:pass|pwd|pw|bearer|cookie)))";
constexpr const char* kHarmlessFlag =
    R"((?i)--?(?:no|ask|prompt|with|require|skip|show|use|disable|enable)[-_].*)";
constexpr const char* kSecretSetting =
    R"((?i)[a-z0-9_./:-]*[_:](?:secret_access_key|session_token|secret_key|secret|auth_?token|token|password|api_?key|_auth))";

constexpr const char* kVariable =
    R"((?i)([a-z_][a-z0-9_]*(?:password|passwd|passphrase|secret|token|api_?key|access_?key|secret_?key|_pass|_pwd|_auth)=)(?s:.+))";
constexpr const char* kSecretMember =
    R"((?i)[a-z0-9_.-]*(?:password|passwd|passphrase|passcode|secret|token|(?:api|access|secret|account|auth|signing|encryption|private)[-_.]?key|credential|authorization|[-_.](?:auth|pass|pwd|pw))|pass|pwd|pw|jwt|x-[a-z0-9-]*(?:key|auth|signature))";
constexpr const char* kSecretTextMember =
    R"((?i)[a-z0-9_.-]*(?:passwords|secrets|credentials|api[-_.]?keys|cookies?|auth)|(?:(?:access|api|auth|bearer|id|refresh|session)[-_.]?)?tokens|bearer)";
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

/// The rewrites, compiled, with one automaton that says in one pass which of them apply at all.
class Rewriter {
 public:
  Rewriter() : any_(byte_options(), RE2::UNANCHORED) {
    for (const Rewrite& rewrite : kRewrites) {
      ready_ = any_.Add(rewrite.pattern, nullptr) >= 0 && ready_;
      patterns_.emplace_back(rewrite.pattern, byte_options());
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

bool redact_variable(std::string& argument) {
  static const RE2 variable(kVariable, byte_options());
  std::string name;
  if (!RE2::FullMatch(argument, variable, &name)) {
    return false;
  }
  argument = name + std::string(kRedacted);
  return true;
}

Secrecy secrecy_of(std::string_view name) {
  static const RE2 all(kSecretMember, byte_options());
  static const RE2 texts(kSecretTextMember, byte_options());
  const re2::StringPiece piece(name.data(), name.size());
  if (RE2::FullMatch(piece, all)) {
    return Secrecy::of_all;
  }
  return RE2::FullMatch(piece, texts) ? Secrecy::of_texts : Secrecy::none;
}

bool is_name_name(std::string_view name) {
  static const RE2 names(kNameName, byte_options());
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), names);
}

bool is_value_name(std::string_view name) {
  static const RE2 names(kValueName, byte_options());
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), names);
}

bool is_secret_flag(std::string_view name) {
  static const RE2 secret(kSecretFlag, byte_options());
  static const RE2 harmless(kHarmlessFlag, byte_options());
  const re2::StringPiece piece(name.data(), name.size());
  return RE2::FullMatch(piece, secret) && !RE2::FullMatch(piece, harmless);
}

bool is_secret_setting(std::string_view word) {
  static const RE2 setting(kSecretSetting, byte_options());
  return RE2::FullMatch(re2::StringPiece(word.data(), word.size()), setting);
}

}  // namespace ambit::attribution
