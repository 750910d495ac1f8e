// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/doctor.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "userspace/cli/command.h"
#include "userspace/cli/doctor_facts.h"
#include "userspace/cli/options.h"
#include "userspace/pipeline/choose.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;

constexpr std::chrono::milliseconds kStorm{100};

Syntax syntax() {
  Syntax syntax{.options = options::options_description("Options"), .positional = {}};
  syntax.options.add_options()("json", "one JSON object instead of text")(
      "backend", options::value<std::string>()->value_name("NAME"),
      "look at lsm, fmod_ret or portable only")("help,h", "this text");
  return syntax;
}

std::string usage() {
  return "Usage: ambit doctor [--json] [--backend NAME]\n\n"
         "Says which backend this machine gets and what holds with it. Each backend is loaded,\n"
         "and a process that is bound tries what a scope forbids: a hook counts when it was seen\n"
         "to fire. Needs root; nothing stays loaded. Exit 0 when a backend can be had, else "
         "1.\n\n" +
         describe(syntax().options);
}

BackendFacts look_at_backend(model::Backend backend, const pipeline::Machine& machine) {
  BackendFacts facts;
  facts.backend = backend;
  pipeline::Proof proof;
  auto sensor = pipeline::open_proved({.backend = backend, .without = {}, .outlives = false},
                                      machine, &proof);
  if (!proof.hooks.empty()) facts.proof = std::move(proof);
  if (!sensor) {
    const std::string& message = sensor.error().message;
    const std::size_t end = message.find('\n');
    facts.why_not = message.substr(0, end);
    if (end != std::string::npos) facts.log = message.substr(end + 1);
    facts.remedy = pipeline::remedy(backend, machine, sensor.error().code);
    return facts;
  }
  facts.available = true;
  if (backend == model::Backend::portable) return facts;
  if (auto storm = pipeline::raise_storm(**sensor, kStorm)) facts.storm = *storm;
  return facts;
}

DoctorFacts look(const std::optional<model::Backend>& only) {
  DoctorFacts facts;
  facts.version = version();
  facts.machine = pipeline::look_at_machine();
  facts.missing = pipeline::what_is_missing(facts.machine);
  for (const model::Backend backend : pipeline::kBackendOrder) {
    if (only && *only != backend) continue;
    if (facts.missing.empty()) {
      facts.backends.push_back(look_at_backend(backend, facts.machine));
    } else {
      facts.backends.push_back({.backend = backend, .why_not = facts.missing});
    }
    if (facts.backends.back().available && !facts.chosen) facts.chosen = backend;
  }
  if (facts.chosen)
    facts.containment = containment_of(containment_facts(), *facts.chosen, facts.machine.kernel);
  return facts;
}

}  // namespace

int doctor_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, syntax());
  if (!values) return usage_error(std::cerr, "doctor", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  std::optional<model::Backend> only;
  if (values->count("backend") != 0) {
    auto backend = pipeline::parse_backend((*values)["backend"].as<std::string>());
    if (!backend) return usage_error(std::cerr, "doctor", backend.error().message);
    only = *backend;
  }
  const DoctorFacts facts = look(only);
  std::cout << (values->count("json") != 0 ? render_json(facts)
                                           : render_text(facts, Style::of(STDOUT_FILENO)));
  return facts.chosen ? kExitOk : kExitFaults;
}

}  // namespace ambit::cli
