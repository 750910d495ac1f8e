// SPDX-License-Identifier: Apache-2.0
// A small world in which scopes touch each other: few names, few addresses, few credentials. Two
// scopes are compiled by the real compiler and bound as two tasks of the same processes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/core/fake_files.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/decide.h"

namespace ambit::policy::within {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>(random_() % std::uint64_t{limit});
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <typename Range>
  const auto& pick(const Range& range) {
    return *(std::begin(range) + below(static_cast<std::uint32_t>(std::size(range))));
  }

 private:
  std::mt19937_64 random_;
};

/// The kernel's tables, quick enough to be asked a hundred million times.
class QuickTables final : public model::TableReader, public model::TableWriter {
 public:
  [[nodiscard]] bool find(model::Table table, model::Bytes key,
                          std::span<std::byte> value) const override;
  [[nodiscard]] Result<void> put(const model::TableEntry& entry) override;
  [[nodiscard]] Result<void> remove(model::Table table, const std::string& key) override;

 private:
  struct Entries {
    std::unordered_map<std::string, std::string> values;
    std::set<std::uint32_t, std::greater<>> lengths;  ///< of prefixes
  };
  std::array<Entries, model::kTables.size()> tables_;
};

/// What does not change from scope to scope.
struct Ground {
  model::Catalogue catalogue;
  model::CompiledPaths credential_paths;
  ResolvedNames resolved;
};

/// `files` must have what make_files() makes.
[[nodiscard]] Ground make_ground(Dice& dice, const FakeFiles& files);
[[nodiscard]] FakeFiles make_files(Dice& dice);
/// What a task can do to its files. `moves`: also hard links and renames of files.
void change_files(Dice& dice, FakeFiles& files, bool moves);
/// Somewhere a file or socket may be.
[[nodiscard]] std::string some_path(Dice& dice);

/// A scope and what the compiler is given of it. There is no `~` in this world.
[[nodiscard]] ExpandedScope expanded(const model::Scope& scope);
[[nodiscard]] model::Scope draw_scope(Dice& dice, const Ground& ground);

/// How a child differs from its parent; `kinds` are the names of what was widened.
struct Child {
  model::Scope scope;
  std::vector<std::string_view> kinds;
};
[[nodiscard]] Child draw_child(Dice& dice, const Ground& ground, const model::Scope& parent);
/// Every name that `kinds` can have.
[[nodiscard]] std::vector<std::string_view> widening_kinds();

/// A scope in force.
struct Bound {
  model::CompiledPolicy policy;
  QuickTables tables;
};
/// `given_bits`: of a child, as a delegated task is compiled.
[[nodiscard]] Result<Bound> bind(const Ground& ground, const model::Scope& scope,
                                 const FakeFiles& files,
                                 const std::vector<std::string>& given_bits = {});

/// What the same processes may do in either task.
class Life {
 public:
  /// `then`: when the child was compiled; `files`: now. `held`: bits of the parent's policy.
  Life(const FakeFiles& then, const FakeFiles& files, Bound& parent, Bound& child,
       const model::CredentialMask& held);

  /// Does something at random; false when the child could what the parent could not.
  [[nodiscard]] bool act(Dice& dice);
  /// What was done, for who reads a failure.
  [[nodiscard]] const std::string& story() const { return story_; }
  [[nodiscard]] std::size_t gone_on() const { return gone_on_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  struct State {
    model::CredentialMask held{};
    model::CredentialMask readers{};
  };
  struct Side {
    Bound* bound = nullptr;
    std::vector<State> processes{1};
    model::CredentialMask task_held{};
  };
  using Sides = std::array<Side, 2>;  ///< parent, child

  [[nodiscard]] Subject subject(const Side& side) const;
  [[nodiscard]] bool settle(const std::array<Decision, 2>& decisions);
  [[nodiscard]] bool open_file(Dice& dice);
  [[nodiscard]] bool execute(Dice& dice);
  [[nodiscard]] bool reach(Dice& dice);
  [[nodiscard]] bool reach_unix(Dice& dice);
  [[nodiscard]] bool use_privilege(Dice& dice);
  void fork_process(Dice& dice);
  [[nodiscard]] std::vector<Recognised> programs_of(bool parent, const FileFacts& file) const;
  [[nodiscard]] Recognised recognised(const Side& side, std::uint32_t space,
                                      const std::string& path) const;

  const FakeFiles& then_;
  const FakeFiles& files_;
  Sides sides_;
  std::size_t current_ = 0;
  std::uint64_t now_ = 0;
  std::string story_;
  std::size_t gone_on_ = 0;
  std::size_t refused_ = 0;
};

}  // namespace ambit::policy::within
