// SPDX-License-Identifier: Apache-2.0
// `ambit daemon` as a node has it, and its clients.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {

class Node {
 public:
  /// Starts the daemon and waits until it answers. `more`: lines of its configuration.
  Node(const Scratch& scratch, const std::vector<CredentialText>& catalogue,
       const std::string& on_stop = "release", const std::string& more = "");
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// What was pinned goes, whatever became of the daemon.
  ~Node();
  /// Another daemon, in the place of one that ended.
  void start();
  /// Without waiting for it.
  void start_at_once();
  [[nodiscard]] bool has_said_ready() const;
  void kill();
  /// `ambit release --all`.
  Ended release() const;  // NOLINT(modernize-use-nodiscard): the destructor's
  [[nodiscard]] const std::string& config() const { return config_; }
  /// Where its programs are pinned.
  [[nodiscard]] std::string pins() const;

  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] Child& process() { return *process_; }
  [[nodiscard]] Events events() const { return read_events(events_path_); }
  [[nodiscard]] const std::string& socket() const { return socket_; }

  /// `ambit task WORDS… --json`.
  [[nodiscard]] Ended task(Words words) const;
  /// `ambit reload --json`.
  [[nodiscard]] Ended reload() const;
  /// A credential of its catalogue, anew; it takes a reload.
  void declare(const CredentialText& credential) const;
  void take_out(const std::string& credential) const;
  /// The answer to `open`; null where it was refused.
  [[nodiscard]] Json open(const ScopeText& scope, pid_t pid) const;
  [[nodiscard]] Json show(const std::string& id) const;
  /// The ids of all tasks.
  [[nodiscard]] std::vector<std::string> ids() const;
  /// SIGTERM, and its end.
  Ended stop();

 private:
  const Scratch& scratch_;
  std::string socket_;
  std::string events_path_;
  std::string config_;
  std::unique_ptr<Child> process_;
  bool ready_ = false;
};

/// A credential for the scopes of a test, and one that none of them lists.
class TwoCredentials : public testing::Test {
 protected:
  [[nodiscard]] std::vector<CredentialText> catalogue() const {
    return {{.name = "mine", .files = {mine_}}, {.name = "theirs", .files = {theirs_}}};
  }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string theirs_ = scratch_.secret("theirs/secret");
};

/// A process outside every task that does what it is told, turn by turn.
class Worker {
 public:
  /// The acts of each turn; it waits before each until turn() calls for it. `before` starts it.
  Worker(const Scratch& scratch, const std::string& name,
         const std::vector<std::vector<Item>>& turns, const Words& before = {});
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] Child& process() { return *process_; }
  /// Lets turn `n` (from 1) go and waits until it is done.
  void turn(std::size_t n);
  /// What became of an act; its name is that of the item.
  [[nodiscard]] Done of(const std::string& item) const;

 private:
  [[nodiscard]] std::string file(const char* what, std::size_t n) const;
  const Scratch& scratch_;
  std::string name_;
  std::string plan_;
  std::size_t turns_;
  std::unique_ptr<Child> process_;
};

}  // namespace ambit::probe
