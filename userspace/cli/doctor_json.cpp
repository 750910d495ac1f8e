// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "userspace/base/utf8.h"
#include "userspace/cli/doctor_facts.h"

namespace ambit::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kOutcomes{
    std::to_array<std::string_view>({"untried", "refused", "killed", "seen", "passed"})};

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(to_utf8(text));
}

Json json_of(const pipeline::HookProof& hook) {
  return {{"hook", hook.hook},
          {"required", hook.required},
          {"attached", hook.attached},
          {"proved", hook.proved},
          {"why_not", text_or_null(hook.why_not)},
          {"without", hook.without}};
}

Json json_of(const pipeline::Attempt& attempt) {
  return {{"operation", attempt.operation},
          {"class", pipeline::name_of(attempt.of)},
          {"inside", attempt.inside},
          {"outcome", kOutcomes.at(static_cast<std::size_t>(attempt.outcome))},
          {"errno", attempt.error},
          {"note", text_or_null(attempt.note)}};
}

Json strengths_of(const pipeline::Proof& proof) {
  Json strengths = Json::object();
  for (std::size_t i = 0; i < pipeline::kClasses.size(); ++i)
    strengths[std::string(pipeline::kClasses.at(i))] = word_for(proof.strengths.at(i));
  return strengths;
}

void add_proof(Json& json, const pipeline::Proof& proof) {
  Json& hooks = json["hooks"] = Json::array();
  for (const pipeline::HookProof& hook : proof.hooks) hooks.push_back(json_of(hook));
  json["strengths"] = strengths_of(proof);
  Json& attempts = json["attempts"] = Json::array();
  for (const pipeline::Attempt& attempt : proof.attempts) attempts.push_back(json_of(attempt));
}

Json json_of(const BackendFacts& backend) {
  Json json{{"name", model::name_of(backend.backend)},
            {"available", backend.available},
            {"why_not", text_or_null(backend.why_not)},
            {"remedy", text_or_null(backend.remedy)},
            {"kernel_log", text_or_null(backend.log)}};
  if (backend.proof) add_proof(json, *backend.proof);
  if (backend.storm)
    json["storm"] = {{"opens", backend.storm->opens},
                     {"through", backend.storm->through},
                     {"skipped_programs", backend.storm->skipped}};
  return json;
}

Json json_of(const Containment& containment) {
  Json shorts = Json::array();
  for (const ShortOfBest& less : containment.shorts)
    shorts.push_back({{"result", less.result}, {"ways", less.ways}, {"why", less.why}});
  return {{"date", containment.date},
          {"kernel", containment.kernel},
          {"same_kernel", containment.same_kernel},
          {"counts", containment.counts},
          {"short", shorts}};
}

Json json_of(const pipeline::Machine& machine) {
  return {{"kernel", machine.kernel},
          {"architecture", machine.architecture},
          {"preemption", text_or_null(machine.preemption)},
          {"root", machine.root},
          {"missing_capabilities", machine.missing_capabilities},
          {"bpf", machine.bpf_refused.empty()},
          {"bpf_trampolines", machine.bpf_refused.empty() && machine.trampolines_refused.empty()},
          {"btf", machine.btf},
          {"lsms", machine.lsms.empty() ? Json(nullptr) : Json(machine.lsms)},
          {"cgroup2", text_or_null(machine.cgroup2)},
          {"fanotify_permission_events", machine.fanotify_why_not.empty()},
          {"landlock_abi", machine.landlock_abi},
          {"seccomp_filters", machine.seccomp}};
}

}  // namespace

std::string render_json(const DoctorFacts& facts) {
  const BackendFacts* const used = facts.in_use();
  Json json{{"version", facts.version.version},
            {"commit", facts.version.commit},
            {"abi", facts.version.abi},
            {"backend", used == nullptr ? Json(nullptr) : Json(model::name_of(used->backend))},
            {"missing", text_or_null(facts.missing)},
            {"strengths", used == nullptr ? Json(nullptr) : strengths_of(*used->proof)},
            {"decisions_are_skipped", used != nullptr && used->skips()},
            {"does_not_hold", used == nullptr ? Json::array() : Json(what_does_not_hold(*used))},
            {"to_do", how_to_get_more(facts)}};
  Json& backends = json["backends"] = Json::array();
  for (const BackendFacts& backend : facts.backends) backends.push_back(json_of(backend));
  json["containment"] = facts.containment ? json_of(*facts.containment) : Json(nullptr);
  json["machine"] = json_of(facts.machine);
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ambit::cli
