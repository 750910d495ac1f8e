// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/require.h"

#include <array>

namespace ambit::pipeline {

namespace {

bool binds(const model::Scope& scope, Class of) {
  switch (of) {
    case Class::files:
    case Class::expiry:
      return true;
    case Class::network:
    case Class::unix_sockets:
    case Class::unix_datagrams:
    case Class::families:
      return scope.network.has_value();
    case Class::exec:
      return scope.exec.has_value();
    case Class::guard:  // is asked for by no scope; `doctor` shows what of it holds
      return false;
  }
  return true;
}

}  // namespace

std::string unmet_requirement(Require require, const model::Scope& scope, const Proof& proof) {
  if (require == Require::none) return {};
  const Strength wanted = require == Require::deny ? Strength::deny : Strength::kill;
  std::string unmet;
  for (std::size_t i = 0; i < kClasses.size(); ++i) {
    const auto of = static_cast<Class>(i);
    if (!binds(scope, of) || proof.strength(of) >= wanted) continue;
    unmet += (unmet.empty() ? "" : ", ") + std::string(name_of(of)) + " (" +
             std::string(name_of(proof.strength(of))) + ")";
  }
  if (unmet.empty()) return {};
  return "backend " + std::string(model::name_of(proof.backend)) + " cannot " +
         std::string(name_of(wanted)) + " what the scope binds: " + unmet +
         "; `ambit doctor` says what would";
}

}  // namespace ambit::pipeline
