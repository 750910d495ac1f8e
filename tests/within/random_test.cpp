// SPDX-License-Identifier: Apache-2.0
// No child that is accepted can do what its parent could not: scopes, files and actions are drawn,
// compiled by the real compiler and decided by bpf/core. AMBIT_WITHIN_PAIRS says how many pairs of
// scopes are drawn, AMBIT_WITHIN_SEED where the drawing begins.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <map>

#include "tests/within/world.h"
#include "userspace/policy/destination_form.h"
#include "userspace/policy/within.h"

namespace ambit::policy::within {
namespace {

constexpr std::size_t kDefaultPairs = 1'000;
constexpr std::size_t kPairsThatShowHarm = 20'000;
constexpr std::size_t kParentsOfAGround = 8;
constexpr std::size_t kChildrenOfAParent = 10;
constexpr std::size_t kActions = 40;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  const std::string_view digits(text);
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return read.ec == std::errc{} ? number : otherwise;
}

std::string text_of(const std::vector<model::Pattern>& patterns) {
  std::string text = "[";
  for (const model::Pattern& pattern : patterns)
    text += " " + std::string(pattern.exclude ? "!" : "") + pattern.text;
  return text + " ]";
}

std::string text_of(const std::vector<model::DestinationRule>& rules) {
  std::string text = "[";
  for (const model::DestinationRule& rule : rules) {
    text += rule.type == model::DestinationType::host          ? " " + rule.host
            : rule.type == model::DestinationType::unix_socket ? " " + rule.unix_path
                                                               : " " + policy::text_of(rule.range);
    for (const model::PortRange& ports : rule.ports)
      text += ":" + std::to_string(ports.first) + "-" + std::to_string(ports.last);
    for (const std::uint8_t protocol : rule.protocols) text += "/" + std::to_string(protocol);
  }
  return text + " ]";
}

std::string text_of(const model::Scope& scope) {
  std::string text = scope.mode == model::Mode::shadow ? "shadow" : "enforce";
  text += ", responses " + std::string(name_of(scope.response.credential)) + " " +
          std::string(name_of(scope.response.network)) + " " +
          std::string(name_of(scope.response.exec)) + ", ttl " + std::to_string(scope.ttl.count());
  for (const model::ScopeCredential& credential : scope.credentials) {
    text += "\n  " + credential.name + " holding " +
            std::to_string(static_cast<int>(credential.holding));
    if (credential.readers) text += " readers " + text_of(*credential.readers);
    if (credential.destinations) text += " destinations " + text_of(*credential.destinations);
  }
  if (scope.network) text += "\n  network " + text_of(*scope.network);
  if (scope.exec) text += "\n  exec " + text_of(*scope.exec);
  return text;
}

struct Counts {
  std::size_t pairs = 0;
  std::size_t uncompiled = 0;
  std::size_t accepted = 0;
  std::size_t narrowed = 0;  ///< pairs whose child was not widened
  std::size_t narrowed_accepted = 0;
  std::size_t same = 0;  ///< parents asked about themselves
  std::size_t same_accepted = 0;
  std::size_t same_anywhere = 0;  ///< refused, since **/name cannot be proved beside known inodes
  std::size_t same_ended = 0;     ///< refused, since alert would answer after the end
  std::size_t gone_on = 0;        ///< actions of accepted children
  std::size_t refused = 0;
  std::map<std::string_view, std::size_t> kind_refused;
  std::map<std::string_view, std::size_t> kind_harmful;
};

/// One parent with its children.
class Family {
 public:
  Family(Dice& dice, const Ground& ground, const FakeFiles& files, Counts& counts)
      : dice_(dice), ground_(ground), files_(files), counts_(counts) {}

  /// False after a failure.
  bool draw() {
    parent_ = draw_scope(dice_, ground_);
    auto bound = bind(ground_, parent_, files_);
    if (!bound) return true;
    bound_ = std::move(*bound);
    const auto itself = beyond({.scope = parent_, .files = files_, .held = {}});
    ++counts_.same;
    counts_.same_accepted += itself && itself->empty() ? 1U : 0U;
    if (itself && !itself->empty()) {
      const std::string& said = itself->front().message;
      counts_.same_anywhere += said.find("\"**/") != std::string::npos ? 1U : 0U;
      counts_.same_ended += said.find("has ended") != std::string::npos ? 1U : 0U;
    }
    for (std::size_t i = 0; i < kChildrenOfAParent; ++i)
      if (!draw_one()) return false;
    return true;
  }

 private:
  struct Asked {
    const model::Scope& scope;
    const FakeFiles& files;
    model::CredentialMask held;
  };

  [[nodiscard]] Result<std::vector<Diagnostic>> beyond(const Asked& asked) const {
    return beyond_parent(
        {.scope = parent_, .policy = bound_.policy, .left = parent_.ttl, .held = asked.held},
        expanded(asked.scope), ground_.catalogue, asked.files);
  }

  bool draw_one() {
    FakeFiles files = files_;
    if (!dice_.one_in(3)) change_files(dice_, files, true);
    const Child child = draw_child(dice_, ground_, parent_);
    model::CredentialMask held{};
    for (std::size_t bit = 0; bit < bound_.policy.credential_of_bit.size(); ++bit)
      if (dice_.one_in(4)) held[0] |= 1ULL << bit;
    auto own = within::bind(ground_, child.scope, files, bound_.policy.credential_of_bit);
    ++counts_.pairs;
    if (!own) {
      ++counts_.uncompiled;
      return true;
    }
    const auto found = beyond({.scope = child.scope, .files = files, .held = held});
    if (!found) {
      ADD_FAILURE() << found.error().message;
      return false;
    }
    const bool accepted = found->empty();
    counts_.accepted += accepted ? 1U : 0U;
    if (child.kinds.empty()) {
      ++counts_.narrowed;
      counts_.narrowed_accepted += accepted ? 1U : 0U;
    }
    if (!accepted)
      for (const std::string_view kind : child.kinds) ++counts_.kind_refused[kind];
    return live(child, files, *own, {.accepted = accepted, .held = held});
  }

  struct Verdict {
    bool accepted = false;
    model::CredentialMask held;
  };

  bool live(const Child& child, const FakeFiles& then, Bound& own, const Verdict& verdict) {
    FakeFiles files = then;
    if (dice_.one_in(2)) change_files(dice_, files, false);
    Life life(then, files, bound_, own, verdict.held);
    for (std::size_t i = 0; i < kActions; ++i) {
      if (life.act(dice_)) continue;
      if (verdict.accepted) {
        ADD_FAILURE() << "parent: " << text_of(parent_) << "\nchild: " << text_of(child.scope)
                      << "\n"
                      << life.story();
        return false;
      }
      for (const std::string_view kind : child.kinds) ++counts_.kind_harmful[kind];
      return true;
    }
    if (verdict.accepted) {
      counts_.gone_on += life.gone_on();
      counts_.refused += life.refused();
    }
    return true;
  }

  Dice& dice_;
  const Ground& ground_;
  const FakeFiles& files_;
  Counts& counts_;
  model::Scope parent_;
  Bound bound_;
};

Counts draw(std::uint64_t pairs, std::uint64_t seed) {
  Counts counts;
  for (; counts.pairs < pairs; ++seed) {
    Dice dice(seed);
    const FakeFiles files = make_files(dice);
    const Ground ground = make_ground(dice, files);
    for (std::size_t i = 0; i < kParentsOfAGround; ++i) {
      Family family(dice, ground, files, counts);
      if (family.draw()) continue;
      ADD_FAILURE() << "seed " << seed;
      return counts;
    }
  }
  return counts;
}

TEST(RandomDelegation, AnAcceptedChildNeverDoesWhatItsParentCouldNot) {
  Counts counts =
      draw(number_from("AMBIT_WITHIN_PAIRS", kDefaultPairs), number_from("AMBIT_WITHIN_SEED", 1));
  std::cout << counts.pairs << " pairs, " << counts.accepted << " accepted, of those not widened "
            << counts.narrowed_accepted << " of " << counts.narrowed << ", of parents themselves "
            << counts.same_accepted << " of " << counts.same << " (refused for **/name "
            << counts.same_anywhere << ", for alert at the end " << counts.same_ended << "); "
            << counts.uncompiled << " not compiled; accepted children's actions: " << counts.gone_on
            << " went on, " << counts.refused << " were refused\n";
  // Or it would say nothing: children are accepted, do something and are refused something; each
  // kind of widening is refused and, in a longer run, seen to do what the parent could not.
  EXPECT_GT(counts.accepted, counts.pairs / 5);
  EXPECT_GT(counts.narrowed_accepted, counts.narrowed / 2);
  EXPECT_GT(counts.same_accepted, counts.same * 6 / 10);
  EXPECT_GT(counts.gone_on, counts.accepted);
  EXPECT_GT(counts.refused, counts.accepted);
  for (const std::string_view kind : widening_kinds()) {
    std::cout << "  " << kind << ": " << counts.kind_refused[kind] << " refused, "
              << counts.kind_harmful[kind] << " seen to matter\n";
    EXPECT_GT(counts.kind_refused[kind], 0U) << kind;
    if (counts.pairs < kPairsThatShowHarm) continue;
    EXPECT_GT(counts.kind_harmful[kind], 0U) << kind;
  }
}

}  // namespace
}  // namespace ambit::policy::within
