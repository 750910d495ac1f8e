// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/scaling.h"

#include <netinet/in.h>

#include <algorithm>

#include "userspace/policy/encode.h"

namespace ambit::bench {
namespace {

/// A scope with as many of everything as is asked for, without the shipped catalogue: what is
/// measured is the amount alone.
struct Amounts {
  int credentials = 10;
  int ranges = 10;
};

model::AddressRange ipv4_range(std::uint32_t address, std::uint8_t prefix) {
  model::AddressRange range;
  range.address[10] = range.address[11] = 0xff;
  for (std::size_t i = 0; i < 4; ++i)
    range.address[12 + i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
  range.prefix = static_cast<std::uint8_t>(96 + prefix);
  return range;
}

Result<std::unique_ptr<pipeline::Prepared>> prepare_amounts(const Place& place,
                                                            const Amounts& amounts) {
  pipeline::Declared declared;
  declared.cwd = "/";
  for (int i = 0; i < amounts.credentials; ++i) {
    model::Credential credential;
    credential.name = "bench-" + std::to_string(i);
    credential.files.push_back({.text = place.path("keys/secret-" + std::to_string(i))});
    declared.catalogue.credentials.push_back(std::move(credential));
  }
  model::Scope& scope = declared.scope;
  scope.name = "bench";
  scope.agent = "spiffe://bench.example/agent";
  scope.credentials.push_back({.name = "bench-0"});
  scope.network.emplace();
  constexpr std::uint32_t kFirst = 0x0a000000;  // 10.0.0.0/8, in ranges of two addresses
  for (int i = 0; i < amounts.ranges; ++i)
    scope.network->push_back({.type = model::DestinationType::range,
                              .range = ipv4_range(kFirst + 4 * static_cast<std::uint32_t>(i), 31)});
  scope.network->push_back(
      {.type = model::DestinationType::range, .range = ipv4_range(INADDR_LOOPBACK, 32)});
  return pipeline::prepare(std::move(declared));
}

Run few(const BenchOptions& options) {
  // On `portable` files are the holders' part, and they are not in the sensor.
  return {.operations = options.backend == model::Backend::portable ? "cu" : "focu",
          .batches = options.batches};
}

/// Other tasks with policies of their own, as a daemon would have them.
Result<void> add_tasks(Loaded& loaded, const pipeline::Prepared& prepared, int from, int to) {
  for (int i = from; i < to; ++i) {
    const policy::PolicyNumbers numbers{
        .policy = static_cast<std::uint32_t>(i + 1), .credential_space = 1, .program_space = 2};
    for (const model::TableEntry& entry : policy::encode_policy(prepared.policy, numbers))
      if (entry.table != model::Table::inodes && entry.table != model::Table::anchors &&
          entry.table != model::Table::names && entry.table != model::Table::spaces)
        if (auto put = loaded.sensor().put(entry); !put) return put;
    if (auto put = loaded.sensor().put(policy::encode_task(
            {.slot = static_cast<std::uint32_t>(i + 1), .policy = numbers.policy}));
        !put)
      return put;
  }
  return {};
}

class Series {
 public:
  Series(const Place& place, const BenchOptions& options, Loaded& loaded)
      : place_(place), options_(options), loaded_(loaded) {}

  [[nodiscard]] Result<void> tasks() {
    auto prepared = prepare_amounts(place_, {});
    auto others = prepare_amounts(place_, {});
    if (!prepared || !others) return std::unexpected((prepared ? others : prepared).error());
    if (auto put = loaded_.install(std::move(*prepared), {}); !put) return put;
    int there = 1;
    for (const int amount : {1, 100, 10'000}) {
      if (auto put = add_tasks(loaded_, **others, there, amount); !put) return put;
      there = amount;
      if (auto taken = take("tasks", amount); !taken) return taken;
    }
    return {};
  }
  [[nodiscard]] Result<void> credentials() {
    for (const int amount : {10, 1'000})
      if (auto taken = take_with("credentials", amount, {.credentials = amount}); !taken)
        return taken;
    return {};
  }
  [[nodiscard]] Result<void> ranges() {
    for (const int amount : {10, 100'000})
      if (auto taken = take_with("address ranges", amount, {.ranges = amount}); !taken)
        return taken;
    return {};
  }
  [[nodiscard]] std::vector<ScalePoint> points() && { return std::move(points_); }

 private:
  [[nodiscard]] Result<void> take_with(const char* what, int amount, const Amounts& amounts) {
    auto prepared = prepare_amounts(place_, amounts);
    if (!prepared) return std::unexpected(prepared.error());
    // Numbers that no task of the first series has.
    const policy::PolicyNumbers numbers{
        .policy = next_, .credential_space = next_ + 1, .program_space = next_ + 2};
    next_ += 3;
    if (auto put = loaded_.install(std::move(*prepared), numbers); !put) return put;
    return take(what, amount);
  }
  [[nodiscard]] Result<void> take(const char* what, int amount) {
    auto costs = loaded_.measure_inside(place_, few(options_));
    if (!costs) return std::unexpected(costs.error());
    points_.push_back({.what = what, .amount = amount, .costs = std::move(*costs)});
    return {};
  }

  const Place& place_;
  const BenchOptions& options_;
  Loaded& loaded_;
  std::vector<ScalePoint> points_;
  std::uint32_t next_ = 20'000;
};

}  // namespace

Result<std::vector<ScalePoint>> measure_scaling(const Place& place, const BenchOptions& options) {
  auto loaded = Loaded::load(place, options);
  if (!loaded) return std::unexpected(loaded.error());
  Series series(place, options, **loaded);
  for (const auto step : {&Series::tasks, &Series::credentials, &Series::ranges})
    if (auto done = (series.*step)(); !done) return std::unexpected(done.error());
  return std::move(series).points();
}

}  // namespace ambit::bench
