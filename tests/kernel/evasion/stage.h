// SPDX-License-Identifier: Apache-2.0
// What has to be there for one case in one phase, and what it turned out to do.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "tests/kernel/evasion/case.h"
#include "tests/kernel/evasion/outside.h"
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe::evasion {

/// alone: no task. The others: in a task whose scope forbids it (with one of two responses), or
/// allows it.
enum class Phase { alone, denied, killed, allowed };

inline constexpr const char* kPhases[] = {"alone", "deny", "kill", "allow"};

/// The directory of one case in one phase, and who waits outside.
struct Place {
  const Scratch* scratch = nullptr;
  const Case* way = nullptr;
  Outside* outside = nullptr;
  Phase phase = Phase::alone;
  std::string below{};
  std::string text{};                ///< what a sender sends here
  std::set<std::string> contents{};  ///< of the secret, whatever stood in its place
  std::vector<Identity> identities{};
  std::string state{};  ///< of the secret, before
  // What the scope has to name, in both phases or where it allows.
  Lines programs{};
  Lines always{};
  Lines destinations{};
  std::map<int, int> descriptors{};  ///< number in the task -> here
  std::shared_ptr<Collector> collector{};
  std::string peer{};  ///< a Unix socket's name
  std::vector<std::shared_ptr<void>> kept{};

  [[nodiscard]] std::string at(const std::string& name) const {
    return scratch->path(below + "/" + name);
  }
  [[nodiscard]] std::string secret() const { return at(way->secret); }
  [[nodiscard]] std::string directory() const { return secret().substr(0, secret().rfind('/')); }
  /// Makes a secret there that counts as this case's.
  std::string make_secret(const std::string& name);
  /// Notes what stands there now.
  void note(const std::string& path);
  /// Content, mode and owner: what a change changes.
  [[nodiscard]] std::string state_of_secret() const;
};

/// Makes what the case needs and the item that performs it.
[[nodiscard]] Item prepare(Place& place);

/// Whether what the case is after happened.
[[nodiscard]] bool happened(const Place& place, const Done& done);

/// Those of a run's findings that are about it.
[[nodiscard]] std::vector<Json> findings_of(const Place& place, const Done& done,
                                            const std::vector<Json>& findings);

/// What is wrong with a finding: empty when it names the real file, program or destination.
[[nodiscard]] std::string untrue(const Place& place, const Json& finding);

/// Fills in the braces of a word (tokens.cpp).
[[nodiscard]] std::string filled(Place& place, const std::string& word);

}  // namespace ambit::probe::evasion
