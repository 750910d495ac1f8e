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

bool is_behind(std::string_view after, std::string_view word) {
  return after == word || (after.ends_with('.') && word.starts_with(after));
}

}  // namespace

Operands::Operands(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.starts_with('-') && !word.starts_with("--")) {
      std::ranges::for_each(word,
                            [this](char c) { short_flags_.set(static_cast<unsigned char>(c)); });
    }
  }
  for (const OperandRule& rule : operand_rules()) {
    if (rule.needs.empty() || std::ranges::find(words, rule.needs) != words.end()) {
      usable_.push_back(&rule);
    }
  }
}

void Operands::start(std::string_view program) {
  rules_.clear();
  for (const OperandRule* rule : usable_) {
    if (lists(rule->programs, program)) {
      rules_.push_back(rule);
    }
  }
  count_after("");
}

SecretPart Operands::take(std::string_view word) {
  if (rule_ == nullptr) {
    count_after(word);
    return SecretPart::nothing;
  }
  const bool of_flag = std::exchange(is_of_flag_, false);
  if (word.starts_with('-') && count_ == 0) {
    is_of_flag_ = awaits_value(rule_->valued, word);
    return SecretPart::nothing;
  }
  if (of_flag) {
    return SecretPart::nothing;
  }
  const SecretPart part = ++count_ >= rule_->first ? rule_->part : SecretPart::nothing;
  rule_ = count_ >= rule_->last ? nullptr : rule_;
  return part;
}

void Operands::count_after(std::string_view word) {
  const auto found =
      std::ranges::find_if(rules_, [&](const OperandRule* rule) { return fits(*rule, word); });
  rule_ = found == rules_.end() ? nullptr : *found;
  count_ = 0;
  is_of_flag_ = false;
}

bool Operands::fits(const OperandRule& rule, std::string_view word) const {
  return is_behind(rule.after, word) && std::ranges::all_of(rule.letters, [this](char letter) {
           return short_flags_.test(static_cast<unsigned char>(letter));
         });
}

}  // namespace ambit::attribution
