// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/task_limits.h"

#include <array>
#include <string_view>

namespace ambit::pipeline {

namespace {

struct Limit {
  bool portable_only;
  bool (*applies)(const AdoptedFacts&);
  std::string_view sentence;
};

bool always(const AdoptedFacts& /*facts*/) { return true; }
bool binds_network(const AdoptedFacts& facts) { return facts.scope.network.has_value(); }
bool binds_programs(const AdoptedFacts& facts) { return facts.scope.exec.has_value(); }
bool has_pattern_alone(const AdoptedFacts& facts) { return facts.pattern_alone; }
bool strips(const AdoptedFacts& facts) { return facts.scope.strip_environment; }

// `ambit run` has a private mount namespace, a seccomp filter and a Landlock domain around its
// command; none of them can be put around a process that runs.
constexpr std::array kLimits{
    Limit{true, always,
          "files: credentials are asked about by their inodes and directories alone; one that is "
          "made anew in a directory that all of the machine uses is known some microseconds after "
          "its name is there"},
    Limit{true, has_pattern_alone,
          "files: what is known by a pattern such as **/.env alone is not denied; the process is "
          "killed when the call that opened it returns, and not at all for io_uring"},
    Limit{true, binds_programs,
          "programs: one that is outside is not denied but killed before its first instruction, "
          "and a script is judged by its interpreter"},
    Limit{true, binds_network,
          "network: sockets of other families than Unix and inet are not refused"},
    Limit{true, always,
          "network: sockets that the process had before the task are not bound, also when it "
          "ends"},
    Limit{true, always,
          "guard: signals, ptrace and descriptors of other processes are left to the kernel's own "
          "rules"},
    Limit{true, always,
          "descriptors: a credential that the process had open before can be read where its file "
          "has no mark, and stays mapped where it is mapped"},
    Limit{false, always,
          "descriptors: what the process has read before the task is not taken back"},
    Limit{false, strips,
          "environment: strip has no effect, since the process has its variables already"},
};

/// Variables that say where credentials lie; the daemon's catalogue has the usual places only.
std::vector<std::string> relocations(const AdoptedFacts& facts) {
  std::vector<std::string> out;
  for (const model::Credential& credential : facts.catalogue.credentials)
    for (const auto& [variable, pattern] : credential.relocated_by) {
      const auto value = policy::variable_of(facts.environment, variable);
      if (!value || value->empty()) continue;
      out.push_back(std::string(kRelocationLimit) + variable + " of the process moves credential " +
                    credential.name + "; where it leads to is not followed");
    }
  return out;
}

}  // namespace

std::vector<std::string> limits_of(const AdoptedFacts& facts) {
  std::vector<std::string> out;
  for (const Limit& limit : kLimits)
    if ((!limit.portable_only || facts.backend == model::Backend::portable) && limit.applies(facts))
      out.emplace_back(limit.sentence);
  for (std::string& sentence : relocations(facts)) out.push_back(std::move(sentence));
  return out;
}

}  // namespace ambit::pipeline
