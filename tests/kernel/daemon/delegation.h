// SPDX-License-Identifier: Apache-2.0
// A task with a process that does what it is told, and asks the daemon for tasks below its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/daemon/shell.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {

class Delegation : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(node_.is_ready()) << node_.process().err(); }
  void TearDown() override {
    boss_.end();
    EXPECT_EQ(node_.stop().exit, 0);
  }

  [[nodiscard]] std::vector<CredentialText> catalogue() const {
    return {{.name = "mine", .files = {mine_}},
            {.name = "theirs", .files = {theirs_}},
            {.name = "bound", .files = {bound_}},
            {.name = "nobodys", .files = {scratch_.path("nobodys/secret")}}};
  }
  [[nodiscard]] std::string to_allowed() const { return to_address("127.0.0.1", allowed_.port()); }
  [[nodiscard]] std::string to_other() const { return to_address("127.0.0.1", other_.port()); }
  [[nodiscard]] std::string to_allowed_only(const std::string& credential) const {
    return "{name: " + credential + ", destinations: [" + to_allowed() + "]}";
  }
  /// The parent's.
  [[nodiscard]] ScopeText wide(const std::string& name = "parent") const {
    return {.name = name,
            .credentials = {"{name: mine}", "{name: theirs}", to_allowed_only("bound")},
            .network = Lines{to_allowed(), to_other()}};
  }
  [[nodiscard]] ScopeText narrow(const std::string& name = "child") const {
    return {
        .name = name, .ttl = "1m", .credentials = {"{name: mine}"}, .network = Lines{to_allowed()}};
  }
  [[nodiscard]] std::string socket() const {
    return std::filesystem::path(node_.socket()).replace_filename("delegate.sock");
  }
  /// `ambit task WORDS` inside, at the socket for tasks.
  Done ask(Shell& shell, const std::string& words) {
    return shell.run(ambit_binary() + " task " + words + " --json --socket " + socket());
  }
  Done open(Shell& shell, const std::string& yaml, pid_t pid) {
    const std::string file = scratch_.write(scratch_.fresh("scope") + ".yaml", yaml);
    return ask(shell, "open --scope " + file + " --pid " + std::to_string(pid));
  }
  static Json json(const Done& done) { return Json::parse(done.out, nullptr, false); }
  Json opened(Shell& shell, const ScopeText& scope, pid_t pid) {
    const Done done = open(shell, scope.yaml(), pid);
    EXPECT_TRUE(done.done()) << done;
    return json(done);
  }
  /// The first of them comes a moment after what it tells of.
  [[nodiscard]] std::vector<Json> findings_about(const std::string& file) const {
    static_cast<void>(
        eventually([&] { return !node_.events().findings_about(identity_of(file)).empty(); }));
    return node_.events().findings_about(identity_of(file));
  }
  std::string tcp(const Collector& to) const { return "tcp 127.0.0.1 " + to.port_text() + " x"; }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string theirs_ = scratch_.secret("theirs/secret");
  std::string bound_ = scratch_.secret("bound/secret");
  Collector allowed_ = Collector::tcp("127.0.0.1");
  Collector other_ = Collector::tcp("127.0.0.1");
  Node node_{scratch_, catalogue()};
  Shell boss_{scratch_, "boss"};
};

}  // namespace ambit::probe
