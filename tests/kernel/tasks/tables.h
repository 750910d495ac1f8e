// SPDX-License-Identifier: Apache-2.0
// Many tasks in the tables of one sensor, each with a scope of its own: what a daemon would do, on
// the libraries.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/kernel/fixture/ambit.h"
#include "userspace/kernel/sensor.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/destinations.h"
#include "userspace/policy/encode.h"

namespace ambit::probe {

[[nodiscard]] Result<std::unique_ptr<kernel::Sensor>> open_sensor();

/// BPF programs that this process has loaded, as the kernel counts them.
[[nodiscard]] std::size_t programs_of_this_process();

/// What task `i` may use, and its neighbour may not.
struct Own {
  std::string secret;   ///< a file
  std::string address;  ///< in 127.0.0.0/8
};

class ManyTasks {
 public:
  static constexpr std::uint32_t kCredentialSpace = 1;

  /// Makes the secrets; nothing is in the tables yet.
  ManyTasks(const Scratch& scratch, std::size_t count, int port);

  [[nodiscard]] const Own& own(std::size_t task) const { return own_[task % own_.size()]; }
  /// The secret that no task may read.
  [[nodiscard]] const std::string& forbidden() const { return forbidden_; }
  [[nodiscard]] const policy::ExpandedCatalogue& catalogue() const { return expanded_; }

  [[nodiscard]] Result<void> install_catalogue(kernel::Sensor& sensor);
  /// Opens task `i` in slot i + 1.
  [[nodiscard]] Result<void> open(kernel::Sensor& sensor, std::size_t task);

 private:
  void add_credential(const std::string& name, const std::string& file);

  int port_;
  std::vector<Own> own_;
  std::string forbidden_;
  model::Catalogue catalogue_;
  policy::ExpandedCatalogue expanded_;
  policy::SetNumbers sets_;
};

/// Fails the test with what went wrong.
#define AMBIT_DONE(call)                                             \
  do {                                                               \
    if (auto&& done = (call); !done) FAIL() << done.error().message; \
  } while (false)

}  // namespace ambit::probe
