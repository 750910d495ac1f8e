// SPDX-License-Identifier: Apache-2.0
// A parent and a child as documents, and what is said of the child.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/core/fake_files.h"
#include "tests/unit/policy/document_probe.h"
#include "tests/within/world.h"
#include "userspace/policy/within.h"

namespace ambit::policy::within {

/// `parent` and `child` go below spec (probe::scope_with). The parent is compiled when it is given,
/// the child when it is asked about: `files` may change between the two.
class Delegation : public testing::Test {
 protected:
  Delegation() {
    for (const char* file : {"/usr/bin/git", "/usr/bin/gh", "/opt/t/a", "/opt/t/b"})
      files.file(file);
    ground.catalogue.credentials = {credential("free", ""),
                                    credential("bound", "  destinations: [{host: api.x}]\n"),
                                    credential("token", "  variables: [TOKEN]\n")};
    ground.resolved = {{"api.x", {from_ipv4({10, 0, 0, 1})}}};
  }

  void parent(const std::string& more) {
    parent_ = probe::scope_of(probe::scope_with(more));
    ASSERT_EQ(parent_.name, "probe") << probe::messages_of(probe::scope_with(more)).front();
    left = parent_.ttl;
    auto made = bind(ground, parent_, files);
    ASSERT_TRUE(made) << made.error().message;
    bound = std::move(*made);
  }

  /// "line:column: message" of the first that goes beyond; "" where none does.
  [[nodiscard]] std::string refusal(const std::string& more) {
    const auto found = beyond(more);
    if (found.empty()) return "";
    return std::to_string(found[0].line) + ":" + std::to_string(found[0].column) + ": " +
           found[0].message;
  }

  [[nodiscard]] std::vector<Diagnostic> beyond(const std::string& more) {
    const std::string text = probe::scope_with(more);
    child_ = probe::scope_of(text);
    EXPECT_EQ(child_.name, "probe") << text;
    auto found =
        beyond_parent({.scope = parent_, .policy = bound.policy, .left = left, .held = held},
                      expanded(child_), ground.catalogue, files);
    EXPECT_TRUE(found);
    if (!found) return {};
    attach_source(*found, text);
    return std::move(*found);
  }

  /// Whether the child may run what stands at the path, as it is compiled now.
  [[nodiscard]] bool child_runs(const std::string& path) {
    auto own = bind(ground, child_, files);
    return own && recognise_in(own->tables, path).program;
  }
  [[nodiscard]] Result<Bound> bind_child() const { return bind(ground, child_, files); }
  [[nodiscard]] bool runs(const QuickTables& tables, const std::string& path) const {
    return recognise_in(tables, path).program;
  }
  [[nodiscard]] bool parent_runs(const std::string& path) {
    return recognise_in(bound.tables, path).program;
  }

  FakeFiles files;
  Ground ground;
  Bound bound;
  std::chrono::nanoseconds left{};
  model::CredentialMask held{};

 private:
  static model::Credential credential(const std::string& name, const std::string& more) {
    model::Credential out =
        probe::credential_of(probe::credential_with("  files: [/s/" + name + "]\n" + more));
    out.name = name;
    return out;
  }
  [[nodiscard]] Recognised recognise_in(const QuickTables& tables, const std::string& path) const {
    const auto facts = std::make_unique<PathFacts>(files.facts(path));
    return recognise(tables, 2, *facts);
  }

  model::Scope parent_;
  model::Scope child_;
};

}  // namespace ambit::policy::within
