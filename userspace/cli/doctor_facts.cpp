// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/doctor_facts.h"

#include <algorithm>

namespace ambit::cli {
namespace {

using pipeline::Attempt;
using pipeline::Outcome;
using pipeline::Strength;

struct Limit {
  model::Backend backend;
  std::string_view sentence;
};

// What no attempt shows, since it depends on how a task came about.
constexpr std::array kLimits{
    Limit{model::Backend::portable,
          "a credential known by pattern alone (**/name) is decided only in commands that Ambit "
          "starts"},
};

/// Empty when it is as it should be.
std::string_view what_became_of(const Attempt& attempt) {
  if (attempt.inside) return ": should not have been";
  switch (attempt.outcome) {
    case Outcome::seen:
      return ": seen and not stopped";
    case Outcome::passed:
      return ": neither stopped nor seen";
    case Outcome::untried:
    case Outcome::refused:
    case Outcome::killed:
      return {};
  }
  return {};
}

}  // namespace

const BackendFacts* DoctorFacts::in_use() const {
  const auto found = std::ranges::find_if(
      backends, [this](const BackendFacts& backend) { return chosen == backend.backend; });
  return found == backends.end() ? nullptr : &*found;
}

std::string_view word_for(Strength strength) {
  return strength == Strength::none ? std::string_view("not") : pipeline::name_of(strength);
}

std::vector<std::string> what_does_not_hold(const BackendFacts& backend) {
  std::vector<std::string> sentences;
  if (!backend.proof) return sentences;
  for (const Attempt& attempt : backend.proof->attempts)
    if (const std::string_view what = what_became_of(attempt); !what.empty())
      sentences.push_back(attempt.operation + (attempt.note.empty() ? "" : ", " + attempt.note) +
                          std::string(what));
  for (const pipeline::HookProof& hook : backend.proof->hooks)
    if (!hook.attached)
      sentences.push_back("hook " + hook.hook + ": " + hook.why_not + "; " + hook.without);
  if (backend.skips())
    sentences.push_back(
        "under load decisions are skipped: " + std::to_string(backend.storm->through) + " of " +
        std::to_string(backend.storm->opens) + " denied opens went through, " +
        std::to_string(backend.storm->skipped) + " programs did not run");
  for (const Limit& limit : kLimits)
    if (limit.backend == backend.backend) sentences.emplace_back(limit.sentence);
  return sentences;
}

std::vector<std::string> how_to_get_more(const DoctorFacts& facts) {
  std::vector<std::string> sentences;
  if (!facts.missing.empty()) return {facts.missing};
  for (const BackendFacts& backend : facts.backends) {
    if (facts.chosen == backend.backend) break;
    if (!backend.available && !backend.remedy.empty())
      sentences.push_back("for " + std::string(model::name_of(backend.backend)) + ": " +
                          backend.remedy);
  }
  const BackendFacts* const used = facts.in_use();
  if (used != nullptr && used->skips())
    sentences.emplace_back(
        "for decisions that are never skipped: preempt=voluntary on the kernel command line");
  return sentences;
}

}  // namespace ambit::cli
