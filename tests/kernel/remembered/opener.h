// SPDX-License-Identifier: Apache-2.0
// A sensor with one task whose process opens what it is told, and the tests outside of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/kernel/fixture/scratch.h"
#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"

namespace ambit::probe {

/// A process that opens files for reading, and renames, when it is asked to.
class Opener {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Opener>> start(kernel::Sensor& sensor,
                                                             std::uint32_t slot);
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;
  ~Opener();

  /// 0, or errno of the open.
  [[nodiscard]] int open(const std::string& path) const;
  /// 0, or errno of the rename.
  [[nodiscard]] int rename(const std::string& from, const std::string& to) const;

 private:
  Opener() = default;
  [[noreturn]] static void serve(int channel);
  [[nodiscard]] int ask(const std::string& request) const;

  pid_t pid_ = -1;
  Descriptor channel_;
};

/// Puts a scope that allows nothing, over a catalogue of these patterns, into the tables as task
/// `number`.
[[nodiscard]] Result<void> declare(kernel::Sensor& sensor, std::uint32_t number,
                                   const std::vector<std::string>& patterns);

}  // namespace ambit::probe
