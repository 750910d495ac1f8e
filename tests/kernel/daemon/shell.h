// SPDX-License-Identifier: Apache-2.0
// A process that does what it is told, one line after another, and can start others like it.
#pragma once

#include <memory>
#include <string>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {

class Shell {
 public:
  /// In no task. `before` starts it.
  Shell(const Scratch& scratch, const std::string& name, const Words& before = {});
  /// Started by another one, and so in its task.
  Shell(Shell& by, const std::string& name);
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What a command line comes to.
  Done run(const std::string& line);
  /// The same of one act.
  Done act(const std::string& words);
  /// Begun, and not waited for.
  void begin(const std::string& line);
  /// It and what it has started by itself end.
  void end();

 private:
  [[nodiscard]] std::string script() const;
  const Scratch& scratch_;
  std::string base_;
  Descriptor fifo_;
  std::unique_ptr<Child> process_;
  pid_t pid_ = -1;
  int lines_ = 0;
};

}  // namespace ambit::probe
