// SPDX-License-Identifier: Apache-2.0
// Credentials that are opened, and programs that are executed.
#include "tests/core/cases.h"
#include "userspace/policy/encode.h"

namespace ambit::policy {

namespace {

using model::Effect;
using model::Reason;
using model::Response;

// Catalogue numbers; the policy gives each a bit.
constexpr std::uint16_t kListed = 40;
constexpr std::uint16_t kForReaders = 7;
constexpr std::uint16_t kOutside = 12;
constexpr std::uint16_t kHeldByTask = 300;
constexpr std::uint16_t kLast = 999;
constexpr std::uint16_t kWithoutBit = 500;

constexpr std::uint32_t kSlot = 5;
constexpr std::uint64_t kNow = 1'000'000;

struct Policy {
  Response credential = Response::deny;
  Response exec = Response::deny;
  bool shadow = false;
  bool exec_bound = true;
};

model::CompiledPolicy compiled(const Policy& given) {
  model::CompiledPolicy policy;
  policy.shadow = given.shadow;
  policy.exec_bound = given.exec_bound;
  policy.response = {
      .credential = given.credential, .network = Response::alert, .exec = given.exec};
  policy.bit_of_credential = {
      {kListed, 0}, {kForReaders, 1}, {kOutside, 64}, {kHeldByTask, 130}, {kLast, 255}};
  policy.inside = mask_of({0, 1, 130, 255});
  policy.readers = mask_of({1});
  policy.hold_task = mask_of({130});
  return policy;
}

struct Task {
  std::uint64_t expires = 0;
  bool revoked = false;
  std::uint32_t policy = 3;
};

std::vector<model::TableEntry> tables(const Policy& policy, const Task& task) {
  auto out =
      encode_policy(compiled(policy), {.policy = 3, .credential_space = 8, .program_space = 9});
  out.push_back(encode_task({.slot = kSlot,
                             .policy = task.policy,
                             .expires_boot_ns = task.expires,
                             .revoked = task.revoked}));
  return out;
}

Subject subject(const std::vector<std::uint16_t>& readers = {}) {
  return {.slot = kSlot, .held = {}, .readers = mask_of(readers), .now_boot_ns = kNow};
}

struct Opening {
  const char* name;
  Policy policy;
  Task task;
  std::vector<std::uint16_t> credentials;
  Answer expected;
  std::vector<std::uint16_t> readers = {};
};

Answer inside(std::vector<std::uint16_t> gained) {
  return {.decided = true, .gained = std::move(gained)};
}

Answer outside(Reason reason, Response requested, Effect effect,
               std::vector<std::uint16_t> gained = {}) {
  return {.decided = true,
          .reason = reason,
          .requested = requested,
          .effect = effect,
          .gained = std::move(gained)};
}

Answer in_shadow(Answer answer) {
  answer.shadow = true;
  return answer;
}

std::vector<Opening> listed_openings() {
  return {
      {"AListedCredentialIsInsideAndHeldFromThenOn", {}, {}, {kListed}, inside({0})},
      {"ACredentialOfTheLastBitIsInside", {}, {}, {kLast}, inside({255})},
      {"ACredentialThatTheTaskHoldsIsGainedLikeAnyOther", {}, {}, {kHeldByTask}, inside({130})},
      {"AReaderMayReadWhatIsForReaders", {}, {}, {kForReaders}, inside({1}), {1}},
      {"AProgramThatIsNoReaderMayNot",
       {},
       {},
       {kForReaders},
       outside(Reason::reader_not_allowed, Response::deny, Effect::denied, {1})},
      {"AReaderOfAnotherCredentialMayNot",
       {},
       {},
       {kForReaders},
       outside(Reason::reader_not_allowed, Response::deny, Effect::denied, {1}),
       {0, 64, 255}},
      {"AFileInTwoListedCredentialsIsHeldAsBoth", {}, {}, {kListed, kLast}, inside({0, 255})},
      {"AFileInTwoCredentialsNeedsBothInside",
       {},
       {},
       {kListed, kOutside},
       outside(Reason::credential_not_in_scope, Response::deny, Effect::denied, {0, 64})},
      {"TheFirstReasonStaysWhenTwoAskForTheSame",
       {},
       {},
       {kForReaders, kOutside},
       outside(Reason::reader_not_allowed, Response::deny, Effect::denied, {1, 64})},
      {"AFileThatIsNoCredentialIsInside", {}, {}, {}, inside({})},
  };
}

std::vector<Opening> responses() {
  const auto refused = [](Response response, Effect effect) {
    return outside(Reason::credential_not_in_scope, response, effect, {64});
  };
  return {
      {"ACredentialOutsideIsDenied", {}, {}, {kOutside}, refused(Response::deny, Effect::denied)},
      {"ACredentialOutsideIsAlertedOn",
       {.credential = Response::alert},
       {},
       {kOutside},
       refused(Response::alert, Effect::alerted)},
      {"ACredentialOutsideKills",
       {.credential = Response::kill},
       {},
       {kOutside},
       refused(Response::kill, Effect::killed)},
      {"ACredentialOutsideKillsTheTask",
       {.credential = Response::kill_task},
       {},
       {kOutside},
       refused(Response::kill_task, Effect::task_killed)},
      {"ShadowAsksForTheSameAndOnlyAlerts",
       {.credential = Response::kill_task, .shadow = true},
       {},
       {kOutside},
       in_shadow(refused(Response::kill_task, Effect::alerted))},
      {"ShadowSaysSoOfWhatIsInsideToo", {.shadow = true}, {}, {kListed}, in_shadow(inside({0}))},
      {"ACredentialWithoutABitIsOutsideAndCannotBeHeld",
       {},
       {},
       {kWithoutBit},
       outside(Reason::credential_not_in_scope, Response::deny, Effect::denied)},
      {"ATaskThatNobodyKnowsIsNotDecided", {}, {.policy = 4}, {kListed}, {}},
  };
}

std::vector<Opening> expiries() {
  const auto expired = [](std::vector<std::uint16_t> gained) {
    return outside(Reason::scope_expired, Response::deny, Effect::denied, std::move(gained));
  };
  return {
      {"NothingIsOpenedFromTheMomentOfExpiryOn", {}, {.expires = kNow}, {kListed}, expired({0})},
      {"ALittleEarlierItIs", {}, {.expires = kNow + 1}, {kListed}, inside({0})},
      {"NothingIsOpenedLongAfterExpiry", {}, {.expires = 1}, {kListed}, expired({0})},
      {"NothingIsOpenedOnceRevoked", {}, {.revoked = true}, {kListed}, expired({0})},
      {"ExpiryIsTheReasonForWhatIsOutsideToo", {}, {.expires = 1}, {kOutside}, expired({64})},
      {"ExpiryInShadowOnlyAlerts",
       {.shadow = true},
       {.expires = 1},
       {kListed},
       in_shadow(outside(Reason::scope_expired, Response::deny, Effect::alerted, {0}))},
      {"WhatIsOpenedAfterExpiryAllTheSameIsHeld",
       {.credential = Response::alert},
       {.expires = 1},
       {kListed},
       outside(Reason::scope_expired, Response::alert, Effect::alerted, {0})},
      {"ACredentialWithoutABitExpiresToo",
       {},
       {.expires = 1},
       {kWithoutBit},
       outside(Reason::scope_expired, Response::deny, Effect::denied)},
  };
}

struct Execution {
  const char* name;
  Policy policy;
  bool program;
  Answer expected;
};

std::vector<Execution> executions() {
  const auto refused = [](Response response, Effect effect) {
    return outside(Reason::executable_not_in_scope, response, effect);
  };
  return {
      {"AListedProgramRuns", {}, true, inside({})},
      {"AnUnlistedProgramIsDenied", {}, false, refused(Response::deny, Effect::denied)},
      {"AnUnlistedProgramKills",
       {.exec = Response::kill},
       false,
       refused(Response::kill, Effect::killed)},
      {"AnUnlistedProgramIsAlertedOn",
       {.exec = Response::alert},
       false,
       refused(Response::alert, Effect::alerted)},
      {"AnyProgramRunsWhereExecIsNotBound", {.exec_bound = false}, false, inside({})},
      {"ShadowOnlyAlertsOnAProgram",
       {.exec = Response::kill, .shadow = true},
       false,
       in_shadow(refused(Response::kill, Effect::alerted))},
  };
}

}  // namespace

std::vector<Case> decision_cases() {
  std::vector<Case> out;
  for (const auto& openings : {listed_openings(), responses(), expiries()})
    for (const Opening& opening : openings)
      out.push_back({.name = opening.name,
                     .tables = tables(opening.policy, opening.task),
                     .operation = OpenCredentials{.subject = subject(opening.readers),
                                                  .credentials = opening.credentials},
                     .expected = opening.expected});
  for (const Execution& execution : executions())
    out.push_back({.name = execution.name,
                   .tables = tables(execution.policy, {}),
                   .operation = Execute{.subject = subject(), .program = execution.program},
                   .expected = execution.expected});
  return out;
}

}  // namespace ambit::policy
