// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/command_operands.h"

#include <algorithm>
#include <utility>

namespace ambit::attribution {
namespace {

/// `-C`, and `-bC` where short flags stand together.
bool awaits_value(std::string_view valued, std::string_view word) {
  const bool together = word.size() > 2 && word[1] != '-';
  return lists(valued, word) || (together && lists(valued, std::string("-") + word.back()));
}

}  // namespace

Operands::Operands(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.starts_with('-') && !word.starts_with("--")) {
      std::ranges::for_each(word,
                            [this](char c) { short_flags_.set(static_cast<unsigned char>(c)); });
    }
  }
}

void Operands::start(std::string_view program) {
  program_ = program;
  count_after("");
}

bool Operands::take(std::string_view word) {
  if (rule_ == nullptr) {
    count_after(word);
    return false;
  }
  const bool of_flag = std::exchange(is_of_flag_, false);
  if (word.starts_with('-') && count_ == 0) {
    is_of_flag_ = awaits_value(rule_->valued, word);
    return false;
  }
  // `vault login username=a password=X`: settings, which are known by their names
  const bool setting = !rule_->after.empty() && word.contains('=');
  if (of_flag || setting) {
    return false;
  }
  const bool secret = ++count_ >= rule_->first;
  rule_ = count_ >= rule_->last ? nullptr : rule_;
  return secret;
}

void Operands::count_after(std::string_view word) {
  const auto rules = operand_rules();
  const auto found =
      std::ranges::find_if(rules, [&](const OperandRule& rule) { return fits(rule, word); });
  rule_ = found == rules.end() ? nullptr : &*found;
  count_ = 0;
  is_of_flag_ = false;
}

bool Operands::fits(const OperandRule& rule, std::string_view word) const {
  return rule.program == program_ && rule.after == word &&
         std::ranges::all_of(rule.letters, [this](char letter) {
           return short_flags_.test(static_cast<unsigned char>(letter));
         });
}

}  // namespace ambit::attribution
