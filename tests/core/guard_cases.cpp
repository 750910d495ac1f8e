// SPDX-License-Identifier: Apache-2.0
// The guard: whom an operation is aimed at, what the scope grants, and in which modes it is
// refused.
#include "tests/core/cases.h"
#include "userspace/policy/encode.h"

namespace ambit::policy {

namespace {

using model::Effect;
using model::Privilege;
using model::Reason;
using model::Response;

constexpr std::uint32_t kSlot = 5;
constexpr std::uint64_t kNow = 1'000'000;

struct Policy {
  std::vector<Privilege> privileges;
  Response credential = Response::deny;
  bool shadow = false;
  bool expired = false;
};

std::vector<model::TableEntry> tables(const Policy& given) {
  model::CompiledPolicy policy;
  policy.shadow = given.shadow;
  policy.response = {
      .credential = given.credential, .network = Response::alert, .exec = Response::alert};
  policy.privileges = {given.privileges.begin(), given.privileges.end()};
  auto out = encode_policy(policy, {.policy = 3, .credential_space = 8, .program_space = 9});
  out.push_back(encode_task(
      {.slot = kSlot, .policy = 3, .expires_boot_ns = given.expired ? 1U : 0U, .revoked = false}));
  return out;
}

struct Row {
  const char* name;
  Policy policy;
  Aim aim;
  Privilege privilege;
  Answer expected;
};

const Answer kAllowed{.decided = true};

Answer refused(Reason reason, Response requested = Response::deny, Effect effect = Effect::denied) {
  return {.decided = true, .reason = reason, .requested = requested, .effect = effect};
}

Answer in_shadow(Answer answer) {
  answer.shadow = true;
  return answer;
}

std::vector<Row> grants() {
  return {
      {"AProcessOfTheTaskIsItsOwnAffair", {}, Aim::own, Privilege::ptrace, kAllowed},
      {"AProcessOutsideIsNot",
       {},
       Aim::process,
       Privilege::ptrace,
       refused(Reason::process_not_in_task)},
      {"AProcessOutsideIsWhenGranted",
       {.privileges = {Privilege::ptrace}},
       Aim::process,
       Privilege::ptrace,
       kAllowed},
      {"APowerThatIsNotGrantedIsRefused",
       {.privileges = {Privilege::perf, Privilege::terminal}},
       Aim::machine,
       Privilege::bpf,
       refused(Reason::privilege_not_in_scope)},
      {"APowerThatIsGrantedIsHad",
       {.privileges = {Privilege::bpf}},
       Aim::machine,
       Privilege::bpf,
       kAllowed},
      {"TheLastPowerIsGrantedLikeAnyOther",
       {.privileges = {Privilege::terminal}},
       Aim::machine,
       Privilege::terminal,
       kAllowed},
      {"WhatNoWordNamesIsNeverGranted",
       {.privileges = {Privilege::none, Privilege::bpf}},
       Aim::machine,
       Privilege::none,
       refused(Reason::privilege_not_in_scope)},
      {"AGrantEndsWithTheScope",
       {.privileges = {Privilege::bpf}, .expired = true},
       Aim::machine,
       Privilege::bpf,
       refused(Reason::scope_expired)},
      {"TheMonitorIsRefusedWhateverIsGranted",
       {.privileges = {Privilege::ptrace, Privilege::bpf}},
       Aim::monitor,
       Privilege::ptrace,
       refused(Reason::monitor_protected)},
      {"TheEventFileIsRefusedWhateverIsGranted",
       {.privileges = {Privilege::host_settings}},
       Aim::events,
       Privilege::host_settings,
       refused(Reason::event_file_protected)},
  };
}

std::vector<Row> guard_modes() {
  return {
      {"TheGuardAlertsToNothingLess",
       {.credential = Response::alert},
       Aim::machine,
       Privilege::bpf,
       refused(Reason::privilege_not_in_scope)},
      {"TheGuardKillsWhereCredentialsDo",
       {.credential = Response::kill},
       Aim::machine,
       Privilege::bpf,
       refused(Reason::privilege_not_in_scope, Response::kill, Effect::killed)},
      {"TheGuardInShadowOnlyAlerts",
       {.credential = Response::kill, .shadow = true},
       Aim::machine,
       Privilege::bpf,
       in_shadow(refused(Reason::privilege_not_in_scope, Response::kill, Effect::alerted))},
      {"TheGuardInShadowOnlyAlertsOnProcessesOutside",
       {.shadow = true},
       Aim::process,
       Privilege::ptrace,
       in_shadow(refused(Reason::process_not_in_task, Response::deny, Effect::alerted))},
      {"TheMonitorIsGuardedInShadowAndNobodyIsKilled",
       {.credential = Response::kill_task, .shadow = true},
       Aim::monitor,
       Privilege::none,
       in_shadow(refused(Reason::monitor_protected, Response::kill_task, Effect::denied))},
      {"TheEventFileIsGuardedInShadow",
       {.shadow = true},
       Aim::events,
       Privilege::none,
       in_shadow(refused(Reason::event_file_protected))},
      {"TheMonitorIsGuardedWhereCredentialsOnlyAlert",
       {.credential = Response::alert},
       Aim::monitor,
       Privilege::none,
       refused(Reason::monitor_protected)},
  };
}

}  // namespace

std::vector<Case> guard_cases() {
  std::vector<Case> out;
  for (const auto& rows : {grants(), guard_modes()})
    for (const Row& row : rows)
      out.push_back({.name = row.name,
                     .tables = tables(row.policy),
                     .operation = Guard{.subject = {.slot = kSlot, .now_boot_ns = kNow},
                                        .aim = row.aim,
                                        .privilege = row.privilege},
                     .expected = row.expected});
  return out;
}

}  // namespace ambit::policy
