// SPDX-License-Identifier: Apache-2.0
// All cases that one scope can serve, in one task for each phase: a start costs more than a case.
#pragma once

#include <map>
#include <vector>

#include "tests/kernel/evasion/stage.h"

namespace ambit::probe::evasion {

/// Files; programs; destinations; other families; what holders send.
enum class Group { files, programs, network, families, holders };

[[nodiscard]] Group group_of(Kind kind);

/// What came of one case in one phase.
struct Outcome {
  bool happened = false;
  Done done;
  std::vector<Json> findings;
  std::vector<std::string> untrue;  ///< what is wrong with findings
};

class Trial {
 public:
  Trial(Group group, Phase phase);

  [[nodiscard]] const Outcome& of(const Case& way) const;
  /// Empty when all went as it should.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void perform(Group group, Phase phase);
  void judge(const PlanRun& plan);

  std::map<std::string, Place> places_;
  std::map<std::string, Outcome> outcomes_;
  std::string trouble_;
};

/// Made when it is first asked for.
[[nodiscard]] const Trial& trial_of(Group group, Phase phase);

}  // namespace ambit::probe::evasion
