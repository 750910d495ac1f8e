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
  after_comma,    ///< user,secret
  after_slash,    ///< user/secret@database
  userinfo,       ///< user:secret@host
  unless_named,   ///< whole, but no `name=value`: settings are known by their names
  nothing,        ///< of a flag that takes no value
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

/// A secret that no flag announces: `cargo login X`, `htpasswd -b file user X`.
struct OperandRule {
  std::string_view programs;  ///< separated by spaces
  /// Operands are counted behind this word, or one that begins so where it ends in `.`; empty:
  /// behind the program.
  std::string_view after;
  std::string_view needs;    ///< a word that must stand on the command line too; empty: none
  std::string_view letters;  ///< short flags that must be given, `-bn` or `-b -n`
  std::string_view valued;   ///< flags whose value stands in the next word, which is no operand
  unsigned first;            ///< operands from here
  unsigned last;             ///< to here are hidden
  SecretPart part;
};

/// Of those that fit, the first one counts.
[[nodiscard]] std::span<const OperandRule> operand_rules();

/// A program that reads a secret from what is piped into it: `echo X | docker login
/// --password-stdin`.
struct StdinRule {
  std::string_view programs;  ///< separated by spaces; empty: any
  std::string_view word;      ///< must stand behind it; empty: none
};

[[nodiscard]] std::span<const StdinRule> stdin_rules();

/// Whether a program stands in any rule.
[[nodiscard]] bool is_known_program(std::string_view name);

/// Whether `word` is one of those in `list`, which spaces separate.
[[nodiscard]] bool lists(std::string_view list, std::string_view word);

/// The short flags of a program that take no value, so that `-su a:b` is found to end in `-u`.
[[nodiscard]] std::string_view plain_letters(std::string_view program);

}  // namespace ambit::attribution
