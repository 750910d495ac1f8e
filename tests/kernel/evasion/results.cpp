// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/evasion/results.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace ambit::probe::evasion {
namespace {

/// A line of what an act said, without paths of this run.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  return line.empty() ? "it did nothing and said nothing" : line.substr(0, 120);
}

bool all_say_stopped(const std::vector<Json>& findings) {
  return std::ranges::all_of(findings, [](const Json& finding) {
    const std::string effective = text_at(finding, "/verdict/effective");
    return effective == "denied" || effective == "killed";
  });
}

/// What the first finding must say of what was asked for and done.
std::string untold(const Outcome& outcome, Phase phase, Result result) {
  const Json& finding = outcome.findings.front();
  const std::string requested = text_at(finding, "/verdict/requested");
  const std::string effective = text_at(finding, "/verdict/effective");
  // What user space decides before the start (descriptors) knows no kill.
  if (requested != kPhases[static_cast<int>(phase)] &&
      !(result == Result::alerted && requested == "alert"))
    return "the finding says that " + requested + " was asked for";
  const std::string wanted = result == Result::alerted                            ? "alerted"
                             : result == Result::killed || phase == Phase::killed ? "killed"
                                                                                  : "denied";
  if (effective == wanted) return "";
  if (text_at(finding, "/verdict/backend") == "user" && effective == "denied") return "";
  return "the finding says " + effective + ", and it was " + wanted;
}

void find_faults(const Outcome& outcome, Phase phase, Verdict& verdict) {
  if (outcome.done.timed_out) verdict.faults.emplace_back("it did not end");
  for (const std::string& wrong : outcome.untrue) verdict.faults.push_back("event: " + wrong);
  if (outcome.findings.empty()) return;
  if (outcome.happened && all_say_stopped(outcome.findings))
    verdict.faults.emplace_back("it happened, and every finding says that it was stopped");
  if (const std::string wrong = untold(outcome, phase, verdict.result); !wrong.empty())
    verdict.faults.push_back("event: " + wrong);
}

}  // namespace

Verdict verdict_of(const Case& way, Phase phase) {
  const Group group = group_of(way.kind);
  const Outcome& control = trial_of(group, Phase::alone).of(way);
  Verdict verdict;
  if (!control.happened) {
    verdict.cause = first_line(control.done.err);
    return verdict;
  }
  verdict.applicable = true;
  const Outcome& outcome = trial_of(group, phase).of(way);
  if (phase == Phase::allowed) {
    verdict.result = outcome.happened && outcome.findings.empty() ? Result::denied : Result::missed;
    if (!outcome.happened) verdict.cause = "it did not happen: " + first_line(outcome.done.err);
    if (!outcome.findings.empty()) verdict.cause += summary(outcome.findings);
    return verdict;
  }
  if (outcome.happened) {
    verdict.result = outcome.findings.empty() ? Result::missed : Result::alerted;
  } else if (outcome.done.killed()) {
    verdict.result = Result::killed;
  } else {
    verdict.result = outcome.findings.empty() ? Result::unreported : Result::denied;
  }
  find_faults(outcome, phase, verdict);
  return verdict;
}

const Short* short_of(const Case& way) {
  for (const Short& one : way.shorts) {
    if (one.backend == backend() && kernel_release().starts_with(one.kernel)) return &one;
  }
  return nullptr;
}

Result wanted_of(const Case& way) {
  const Short* const less = short_of(way);
  return less == nullptr ? way.best : less->gives;
}

std::string kernel_release() {
  utsname names{};
  ::uname(&names);
  return names.release;
}

std::string letter_of(Result result) {
  switch (result) {
    case Result::missed:
      return "-";
    case Result::alerted:
      return "A";
    case Result::killed:
      return "K";
    case Result::unreported:
      return "U";
    case Result::denied:
      return "D";
  }
  return "?";
}

void write_result(const Json& line) {
  const char* const directory = std::getenv("AMBIT_RESULTS");
  if (directory == nullptr) return;
  Json all = line;
  all["kernel"] = kernel_release();
  all["backend"] = backend();
  std::ofstream(std::string(directory) + "/containment.jsonl", std::ios::app)
      << all.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void write_result(const Case& way, Phase phase, const Verdict& verdict) {
  const Short* const less = short_of(way);
  const bool allowed = phase == Phase::allowed;
  std::string result = verdict.applicable ? letter_of(verdict.result) : "n/a";
  if (allowed && verdict.applicable) result = verdict.result == Result::denied ? "ok" : "refused";
  Json line{{"row", way.row},
            {"case", way.name},
            {"mode", kPhases[static_cast<int>(phase)]},
            {"result", result},
            {"best", letter_of(way.best)},
            {"cause", verdict.cause},
            {"faults", verdict.faults}};
  if (allowed && way.never_allowed) line["result"] = "never";
  if (less != nullptr && !allowed && verdict.applicable && verdict.result < way.best)
    line["why"] = less->why;
  write_result(line);
}

}  // namespace ambit::probe::evasion
