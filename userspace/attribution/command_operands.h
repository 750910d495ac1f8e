// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/attribution/secret_flags.h"

namespace ambit::attribution {

/// Counts the operands of the programs that take a secret as one.
class Operands {
 public:
  explicit Operands(const std::vector<std::string>& words);

  /// The words behind this one are the program's.
  void start(std::string_view program);

  /// What of the next word, which is neither a known flag nor its value, is a secret.
  [[nodiscard]] SecretPart take(std::string_view word);

 private:
  void count_after(std::string_view word);
  [[nodiscard]] bool fits(const OperandRule& rule, std::string_view word) const;

  std::vector<const OperandRule*> usable_;  ///< whose needed word is there
  std::bitset<256> short_flags_;            ///< the letters given anywhere on the command line
  std::vector<const OperandRule*> rules_;   ///< of this program
  const OperandRule* rule_ = nullptr;       ///< by which operands are being counted
  unsigned count_ = 0;
  bool is_of_flag_ = false;  ///< the word that comes is a flag's value
};

}  // namespace ambit::attribution
