// SPDX-License-Identifier: Apache-2.0
// Under what the operations are measured; the first is what all others are compared with.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/measure.h"
#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/prepare.h"

namespace ambit::bench {

enum class Setting { nothing, landlock, empty, outside, inside, held };
struct SettingName {
  Setting setting;
  std::string_view name;
};
inline constexpr std::array kSettings{
    SettingName{Setting::nothing, "nothing loaded"},
    SettingName{Setting::landlock, "Landlock"},
    SettingName{Setting::empty, "empty programs"},
    SettingName{Setting::outside, "outside a task"},
    SettingName{Setting::inside, "in a task"},
    SettingName{Setting::held, "in a task, holding"},
};

using Round = std::map<Setting, Costs>;

struct BenchOptions {
  model::Backend backend = model::Backend::lsm;
  std::string ambit;  ///< the binary; what the portable backend is measured through
  std::vector<std::string> without;
  int batches = 5;
};

/// Runs until two runs in a row agree within 1 %: a machine that just started still has work of its
/// own, which a clock that counts instructions counts in.
[[nodiscard]] Result<void> settle(const Place& place, const BenchOptions& options);

/// Every setting once, one after the other.
[[nodiscard]] Result<Round> measure_round(const Place& place, const BenchOptions& options);

/// A sensor with the place's scope in it as task `kBenchSlot`.
inline constexpr std::uint32_t kBenchSlot = 1;
class Loaded {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Loaded>> load(const Place& place,
                                                            const BenchOptions& options);
  /// Puts a scope into the tables under `numbers`; its task is `kBenchSlot`'s from now on.
  [[nodiscard]] Result<void> install(std::unique_ptr<pipeline::Prepared> prepared,
                                     const policy::PolicyNumbers& numbers);
  [[nodiscard]] Result<Costs> measure_inside(const Place& place, Run run);
  [[nodiscard]] kernel::Sensor& sensor() { return *sensor_; }

 private:
  std::unique_ptr<kernel::Sensor> sensor_;
  std::unique_ptr<pipeline::Prepared> prepared_;
  policy::SetNumbers sets_;
  std::unique_ptr<pipeline::Destinations> destinations_;
};

}  // namespace ambit::bench
