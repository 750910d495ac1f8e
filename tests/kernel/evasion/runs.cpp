// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/evasion/runs.h"

#include <algorithm>
#include <set>

namespace ambit::probe::evasion {
namespace {

/// What all runs share.
struct World {
  World() : scratch(), outside(scratch) {}
  Scratch scratch;
  Outside outside;
};

World& world() {
  static World all;
  return all;
}

void append(Lines& to, const Lines& more) { to.insert(to.end(), more.begin(), more.end()); }

/// The scope and the catalogue of a group, from what its cases need.
Task task_of(Group group, Phase phase, const std::map<std::string, Place>& places) {
  const bool allowed = phase == Phase::allowed;
  const std::string response = phase == Phase::killed ? "kill" : "deny";
  Task task{.scope = {.credential_response = response,
                      .network_response = response,
                      .exec_response = response},
            .limit = 400s};
  CredentialText aws{.name = "aws"};
  CredentialText meta{.name = "metadata"};
  // For what is taken from a process outside: its descriptors.
  if (allowed && (group == Group::files || group == Group::network))
    task.scope.privileges = {"ptrace"};
  if (group == Group::files && allowed) task.scope.credentials = {"{name: aws}"};
  if (group == Group::holders) task.scope.credentials = {"{name: aws}"};
  if (group == Group::holders && allowed) task.scope.credentials.push_back("{name: metadata}");
  if (group == Group::holders) aws.destinations = Lines{to_address("127.0.0.1", 1)};
  if (group == Group::network) task.scope.network = Lines{};
  if (group == Group::families && !allowed) task.scope.network = Lines{};
  if (group == Group::programs) task.scope.exec = Lines{acts()};
  for (const auto& [name, place] : places) {
    if (group == Group::files || group == Group::holders)
      aws.files.push_back(place.at(place.way->pattern));
    task.descriptors.insert(place.descriptors.begin(), place.descriptors.end());
    if (group == Group::programs) {
      append(*task.scope.exec, place.programs);
      if (allowed) task.scope.exec->push_back(place.at("**"));
    }
    if (group == Group::network) {
      append(*task.scope.network, place.always);
      if (allowed) append(*task.scope.network, place.destinations);
    }
    if (place.way->kind == Kind::carries && allowed) append(*aws.destinations, place.destinations);
    if (place.way->kind == Kind::endpoint) append(meta.endpoints, place.destinations);
  }
  if (group == Group::network) {
    const Outside& outside = world().outside;
    task.scope.network->push_back(to_address("127.0.0.1", outside.permitted_tcp().port()));
    task.scope.network->push_back(to_address("127.0.0.1", outside.permitted_udp().port()));
    task.scope.network->push_back(to_address("::1", outside.permitted_udp6().port()));
  }
  if (!aws.files.empty()) task.catalogue.push_back(aws);
  if (!meta.endpoints.empty()) task.catalogue.push_back(meta);
  return task;
}

/// Of findings that say the same of the same process one: a race makes some ten thousand, and
/// looking through them for every way took four minutes of a guest.
std::vector<Json> kinds_of(const std::vector<Json>& findings) {
  std::vector<Json> kinds;
  std::set<std::string> known;
  for (const Json& finding : findings) {
    std::string kind;
    for (const char* const subject :
         {"/kind", "/verdict", "/process/pid", "/process/exe", "/file", "/destination"})
      kind += at(finding, subject).dump();
    if (known.insert(std::move(kind)).second) kinds.push_back(finding);
  }
  return kinds;
}

}  // namespace

Group group_of(Kind kind) {
  switch (kind) {
    case Kind::reads:
    case Kind::changes:
      return Group::files;
    case Kind::runs:
      return Group::programs;
    case Kind::sends:
    case Kind::peers:
      return Group::network;
    case Kind::makes:
      return Group::families;
    case Kind::carries:
    case Kind::endpoint:
      return Group::holders;
  }
  return Group::files;
}

Trial::Trial(Group group, Phase phase) { perform(group, phase); }

void Trial::perform(Group group, Phase phase) {
  World& all = world();
  std::vector<Item> items;
  for (const Case& way : cases()) {
    if (group_of(way.kind) != group || (phase == Phase::allowed && way.never_allowed)) continue;
    const std::string name = test_name(way);
    const std::string word = kPhases[static_cast<int>(phase)];
    Place& place = places_[name];
    place.scratch = &all.scratch;
    place.way = &way;
    place.outside = &all.outside;
    place.phase = phase;
    place.below = word + "/" + name;
    place.text = "[" + word + "-" + name + "]";
    items.push_back(prepare(place));
  }
  const auto meanwhile = [this] {
    for (auto& [name, place] : places_) {
      if (place.way->meanwhile != nullptr) place.way->meanwhile(place);
    }
  };
  PlanRun plan;
  if (phase == Phase::alone) {
    meanwhile();
    std::map<int, int> descriptors;
    for (const auto& [name, place] : places_)
      descriptors.insert(place.descriptors.begin(), place.descriptors.end());
    plan = run_plan_alone(all.scratch, items, descriptors);
  } else {
    plan = run_plan(all.scratch, task_of(group, phase, places_), items, meanwhile);
  }
  // What a detached program would let go at last is on its way now.
  sleep_for(300ms);
  judge(plan);
}

void Trial::judge(const PlanRun& plan) {
  if (plan.run.ended.timed_out) trouble_ = "the run took too long";
  if (!plan.run.events.malformed.empty()) trouble_ = "malformed: " + plan.run.events.malformed[0];
  const std::vector<Json> findings = kinds_of(plan.run.events.findings());
  for (auto& [name, place] : places_) {
    const auto done = plan.outcomes.find(name);
    if (done == plan.outcomes.end()) {
      trouble_ = name + " was never tried: " + plan.run.ended.err.substr(0, 2000);
      continue;
    }
    Outcome& outcome = outcomes_[name];
    outcome.done = done->second;
    if (outcome.done.timed_out) trouble_ = name + " did not end";
    outcome.happened = happened(place, outcome.done);
    outcome.findings = findings_of(place, outcome.done, findings);
    for (const Json& finding : outcome.findings) {
      if (const std::string wrong = untrue(place, finding); !wrong.empty())
        outcome.untrue.push_back(wrong);
    }
  }
  for (auto& [name, place] : places_) place.kept.clear();
}

const Outcome& Trial::of(const Case& way) const {
  static const Outcome never{};
  const auto found = outcomes_.find(test_name(way));
  return found == outcomes_.end() ? never : found->second;
}

const Trial& trial_of(Group group, Phase phase) {
  static std::map<std::pair<Group, Phase>, Trial> all;
  const auto found = all.find({group, phase});
  if (found != all.end()) return found->second;
  return all
      .emplace(std::piecewise_construct, std::forward_as_tuple(group, phase),
               std::forward_as_tuple(group, phase))
      .first->second;
}

}  // namespace ambit::probe::evasion
