// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/secret_urls.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "userspace/attribution/secret_patterns.h"

namespace ambit::attribution {
namespace {

constexpr std::size_t kTokenSize = 20;  // where a user's name is usual, what is longer is no name

/// What the schemes end in: `git+ssh`, `svn+https`.
constexpr auto kNameSchemes = std::to_array<std::string_view>({"ssh", "sftp", "scp", "rsync"});
constexpr auto kTokenSchemes = std::to_array<std::string_view>({"http", "https"});

template <std::size_t N>
bool ends_in_one_of(const std::string& scheme, const std::array<std::string_view, N>& list) {
  return std::ranges::any_of(list, [&](std::string_view end) { return scheme.ends_with(end); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// What is written as the password where the token stands as the user.
constexpr auto kNoPasswords =
    std::to_array<std::string_view>({"", "x", "x-oauth-basic", "x-oauth-token", "api_token", "_"});

bool is_token(const std::string& scheme, std::string_view user) {
  if (user == "git" || ends_in_one_of(scheme, kNameSchemes)) {
    return false;
  }
  return ends_in_one_of(scheme, kTokenSchemes) || user.size() >= kTokenSize;
}

bool is_token_with(std::string_view password, const std::string& scheme, std::string_view user) {
  return std::ranges::find(kNoPasswords, lower(password)) != kNoPasswords.end() ||
         (ends_in_one_of(scheme, kTokenSchemes) && user.size() >= kTokenSize);
}

RE2::Options byte_options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

}  // namespace

void redact_url_users(std::string& text) {
  static const RE2 url(
      R"re(([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#:@"'<>\\]+)(?::([^\s/@"'<>\\]*))?@)re",
      byte_options());
  if (!text.contains("://")) {
    return;
  }
  std::string out;
  const char* copied = text.data();
  re2::StringPiece rest(text);
  re2::StringPiece scheme;
  re2::StringPiece user;
  re2::StringPiece password;
  while (RE2::FindAndConsume(&rest, url, &scheme, &user, &password)) {
    const std::string kind = lower({scheme.data(), scheme.size()});
    const std::string_view name(user.data(), user.size());
    const bool alone = password.data() == nullptr;
    if (alone ? is_token(kind, name)
              : is_token_with({password.data(), password.size()}, kind, name)) {
      out.append(copied, user.data()).append(kRedacted);
      copied = user.data() + user.size();
    }
  }
  out.append(copied, rest.data() + rest.size());
  text = std::move(out);
}

}  // namespace ambit::attribution
