// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_names.h"

#include <re2/re2.h>

#include <array>
#include <deque>
#include <initializer_list>
#include <span>

namespace ambit::attribution {
namespace {

constexpr std::size_t kPlaces = static_cast<std::size_t>(Place::set_setting) + 1;

constexpr unsigned in(std::initializer_list<Place> places) {
  unsigned bits = 0;
  for (const Place place : places) {
    bits |= 1U << static_cast<unsigned>(place);
  }
  return bits;
}

struct NameRule {
  const char* stem;   ///< what may stand before
  const char* words;  ///< one of these
  unsigned places;
};

using enum Place;

constexpr const char* kAny = "[a-z0-9_.-]*";
constexpr const char* kParts = "(?:[a-z0-9]*[-_.]+)*";  // `db-pass`, no `compass`
constexpr const char* kSomeParts = "(?:[a-z0-9]*[-_.]+)+";

constexpr const char* kSecretWords =
    "password|passwd|passphrase|passcode|secret|token"
    "|(?:api|access|secret|account|auth|signing|encryption)[-_.]?key";

constexpr auto kNames = std::to_array<NameRule>({
    {kAny, kSecretWords, in({assignment, variable, member, flag})},
    {kAny, "credential|secret[-_.]id|secret_key_base|_auth", in({assignment, variable, member})},
    {kSomeParts, "pass|pwd", in({assignment, variable, member})},
    {kSomeParts, "pw|auth", in({member})},
    {"[-.]*", "pass|pwd|pw", in({word})},
    {"", "pass|pwd|pw|jwt|t?otp|pin|x-[a-z0-9-]*(?:key|auth|signature)", in({member})},
    {kAny, "authorization|private[-_.]?key", in({member})},
    {kAny, "passwords|secrets|credentials|api[-_.]?keys|cookies?|auth", in({text_member})},
    {"", "bearer|(?:(?:access|api|auth|bearer|id|refresh|session)[-_.]?)?tokens",
     in({text_member})},
    // The environment's are in capitals: `file_pat=`, `auth=` are other things. `-eNAME=X` is
    // docker's.
    {"(?-i:-e)?", "(?-i:[A-Z0-9_]*(?:[A-Z0-9]PASS|[A-Z0-9]PWD|PRIVATE_KEY))", in({variable})},
    {"(?-i:-e)?", "(?-i:(?:[A-Z0-9]*_)*(?:PASS|PAT|JWT|AUTH|OTP|CREDENTIALS))", in({variable})},
    // Of forms; `-dNAME=X` is curl's.
    {"(?-i:-[dF])?", "(?:[a-z0-9]*[-_.])*(?:jwt|t?otp|assertion)|pin|auth|session[-_]?id",
     in({field})},
    {"", "sig|signature|x-amz-signature|x-amz-credential|x-goog-signature|key|code|session|sid",
     in({query})},
    {kAny, "secret-string|storepass|keypass|userpass|private-key-data", in({flag})},
    {kParts, "pass|pwd|pw|bearer|cookie", in({flag})},
    {kParts, "jwt|t?otp|auth|authorization|credentials?", in({weak_flag})},
    {"[a-z0-9_./:-]*[_:]",
     "secret_access_key|session_token|secret_key|secret|auth_?token|token|password|api_?key|_auth",
     in({setting})},
    {"[a-z0-9_./:-]*[./-]", kSecretWords, in({set_setting})},
    {"[a-z0-9_./:-]*[a-z0-9]", "(?-i:Password|Passphrase|Secret|Token|ApiKey|AuthKey|AccessKey)",
     in({set_setting})},
});

/// What ends like a secret's name and is none.
constexpr auto kHarmless = std::to_array<NameRule>({
    {"(?:no|ask|prompt|with|require|skip|show|use|disable|enable)[-_]", ".*",
     in({flag, weak_flag})},
    {"(?:.*_)?", "(?:by|com|encom|ask|multi|sub)pass|oldpwd|google_application_credentials",
     in({assignment, variable})},
});

RE2::Options byte_options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  return options;
}

constexpr const char* kNothing = "[^\\x00-\\xff]";

std::string alternatives(std::span<const NameRule> rules, Place place) {
  std::string all;
  for (const NameRule& rule : rules) {
    if ((rule.places & in({place})) != 0) {
      all += (all.empty() ? "" : "|") + std::string(rule.stem) + "(?:" + rule.words + ")";
    }
  }
  return all.empty() ? kNothing : "(?:" + all + ")";
}

/// One automaton for the names of each place, one for its exceptions.
class Names {
 public:
  Names() {
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const auto place = static_cast<Place>(i);
      secret_.emplace_back(alternatives(kNames, place), byte_options());
      harmless_.emplace_back(alternatives(kHarmless, place), byte_options());
    }
  }

  [[nodiscard]] bool contain(Place place, std::string_view name) const {
    const auto i = static_cast<std::size_t>(place);
    const re2::StringPiece piece(name.data(), name.size());
    return RE2::FullMatch(piece, secret_[i]) && !RE2::FullMatch(piece, harmless_[i]);
  }

 private:
  std::deque<RE2> secret_;
  std::deque<RE2> harmless_;
};

}  // namespace

bool is_secret_name(Place place, std::string_view name) {
  static const Names names;
  return names.contain(place, name);
}

std::string name_pattern(Place place) { return alternatives(kNames, place); }

}  // namespace ambit::attribution
