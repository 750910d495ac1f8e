// SPDX-License-Identifier: Apache-2.0
// Short flags that carry a secret only with certain programs: `mysql -pX`, `curl -u a:X`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ambit::attribution {

/// Which part of the value is the secret.
enum class SecretPart : std::uint8_t {
  whole,
  after_colon,    ///< user:secret; all of it when nothing stands after the colon (a token as user)
  after_percent,  ///< user%secret
  after_equals,   ///< name=secret
  userinfo,       ///< user:secret@host
};

struct FlagRule {
  std::string_view programs;  ///< separated by spaces
  std::string_view needs;     ///< a word that must stand on the command line too; empty: none
  std::string_view flag;      ///< `-p` or `--user`
  bool attached;              ///< `-pVALUE`, `--user=VALUE`
  bool separate;              ///< `-p VALUE`
  SecretPart part;
};

[[nodiscard]] std::span<const FlagRule> flag_rules();

/// The short flags of a program that take no value, so that `-su a:b` is found to end in `-u`.
[[nodiscard]] std::string_view plain_letters(std::string_view program);

}  // namespace ambit::attribution
