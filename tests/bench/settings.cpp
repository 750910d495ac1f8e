// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/settings.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "tests/bench/empty_programs.h"
#include "userspace/policy/encode.h"

namespace ambit::bench {
namespace {

constexpr const char* kHeldOperations = "hcuxps";

Run plain(const BenchOptions& options) { return {.batches = options.batches}; }

Run holding(const Place& place, const BenchOptions& options) {
  return {
      .options = {"-k", place.held()}, .operations = kHeldOperations, .batches = options.batches};
}

Result<void> put_costs(Round& round, Setting setting, Result<Costs> costs) {
  if (!costs) return std::unexpected(costs.error());
  round[setting].insert(costs->begin(), costs->end());
  return {};
}

/// The held file is opened under all settings, so that its opening has a floor as well.
Result<void> put_both(Round& round, Setting setting, const Place& place,
                      const BenchOptions& options, const std::vector<std::string>& more = {}) {
  Run run = plain(options);
  run.options = more;
  if (auto put = put_costs(round, setting, measure(place, run)); !put) return put;
  run.options.insert(run.options.end(), {"-k", place.held()});
  run.operations = "h";
  return put_costs(round, setting, measure(place, run));
}

std::vector<std::string> ambit_run(const Place& place, const BenchOptions& options) {
  return {options.ambit, "run",
          "--backend",   std::string(name_of(options.backend)),
          "--scope",     place.scope(),
          "--catalogue", "builtin",
          "--catalogue", place.catalogue(),
          "--events",    place.path("events"),
          "--"};
}

/// A task that does nothing, so that there is one while others are measured.
class Idle {
 public:
  explicit Idle(std::vector<std::string> words) {
    words.insert(words.end(), {"/usr/bin/sleep", "600"});
    pid_ = ::fork();
    if (pid_ != 0) return;
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;
  ~Idle() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool runs() const { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_;
};

/// On `portable` files are answered by processes that `ambit run` starts, so all goes through it.
Result<void> measure_portable(Round& round, const Place& place, const BenchOptions& options) {
  {
    std::vector<std::string> words = ambit_run(place, options);
    const Idle idle(words);
    ::sleep(3);  // longer than a start takes, on a busy machine too
    if (!idle.runs()) return fail(options.ambit + " run does not stay");
    if (auto put = put_both(round, Setting::outside, place, options); !put) return put;
  }
  Run run = plain(options);
  run.before = ambit_run(place, options);
  if (auto put = put_costs(round, Setting::inside, measure(place, run)); !put) return put;
  run = holding(place, options);
  run.before = ambit_run(place, options);
  return put_costs(round, Setting::held, measure(place, run));
}

Result<void> measure_denying(Round& round, const Place& place, const BenchOptions& options) {
  auto loaded = Loaded::load(place, options);
  if (!loaded) return std::unexpected(loaded.error());
  if (auto put = put_both(round, Setting::outside, place, options); !put) return put;
  if (auto put =
          put_costs(round, Setting::inside, (*loaded)->measure_inside(place, plain(options)));
      !put)
    return put;
  return put_costs(round, Setting::held, (*loaded)->measure_inside(place, holding(place, options)));
}

}  // namespace

Result<std::unique_ptr<Loaded>> Loaded::load(const Place& place, const BenchOptions& options) {
  auto declared = pipeline::load_documents(place.scope(), {"builtin", place.catalogue()});
  if (!declared) return std::unexpected(declared.error());
  declared->cwd = "/";
  auto prepared = pipeline::prepare(std::move(*declared));
  if (!prepared) return std::unexpected(prepared.error());
  auto loaded = std::make_unique<Loaded>();
  auto sensor = kernel::Sensor::open({.backend = options.backend, .without = options.without});
  if (!sensor) return std::unexpected(sensor.error());
  loaded->sensor_ = std::move(*sensor);
  if (auto delivered = loaded->sensor_->deliver_to([](auto, auto) {}); !delivered)
    return std::unexpected(delivered.error());
  if (auto installed = loaded->install(std::move(*prepared), {}); !installed)
    return std::unexpected(installed.error());
  return loaded;
}

Result<void> Loaded::install(std::unique_ptr<pipeline::Prepared> prepared,
                             const policy::PolicyNumbers& numbers) {
  prepared_ = std::move(prepared);
  if (auto put = pipeline::install(*sensor_, *prepared_, numbers); !put) return put;
  destinations_ = std::make_unique<pipeline::Destinations>(*prepared_, numbers.policy, sets_);
  constexpr std::chrono::milliseconds kNoNames{1};
  if (auto put = destinations_->refresh(*sensor_, kNoNames); !put) return put;
  // Ends some day, since a scope always does; nobody waits for it here.
  constexpr std::uint64_t kFarAway = 1ULL << 60U;
  return sensor_->put(policy::encode_task(
      {.slot = kBenchSlot, .policy = numbers.policy, .expires_boot_ns = kFarAway}));
}

Result<Costs> Loaded::measure_inside(const Place& place, Run run) {
  run.bind = [this](int pidfd) { return sensor_->bind(pidfd, kBenchSlot); };
  auto costs = measure(place, run);
  // Nobody reads while it is measured: on one processor the reader would be counted in.
  if (auto drained = sensor_->drain(); !drained) return std::unexpected(drained.error());
  for (const std::uint64_t lost : sensor_->losses())
    if (lost != 0) return fail("records were lost: the costs are not those of whole decisions");
  return costs;
}

Result<void> settle(const Place& place, const BenchOptions& options) {
  constexpr int kMostRuns = 30;
  constexpr double kAgree = 0.01;
  Costs before;
  for (int i = 0; i < kMostRuns; ++i) {
    auto costs = measure(place, plain(options));
    if (!costs) return std::unexpected(costs.error());
    const bool agree = std::ranges::all_of(*costs, [&](const auto& cost) {
      return std::abs(before[cost.first] / cost.second - 1) < kAgree;
    });
    if (agree) return {};
    before = std::move(*costs);
  }
  return fail("this machine does not come to rest");
}

Result<Round> measure_round(const Place& place, const BenchOptions& options) {
  Round round;
  if (auto put = put_both(round, Setting::nothing, place, options); !put)
    return std::unexpected(put.error());
  if (auto put = put_both(round, Setting::landlock, place, options, {"-l"}); !put)
    return std::unexpected(put.error());
  {
    auto programs = EmptyPrograms::attach(options.backend);
    if (!programs) return std::unexpected(programs.error());
    if (auto put = put_both(round, Setting::empty, place, options); !put)
      return std::unexpected(put.error());
  }
  const auto measured = options.backend == model::Backend::portable
                            ? measure_portable(round, place, options)
                            : measure_denying(round, place, options);
  if (!measured) return std::unexpected(measured.error());
  return round;
}

}  // namespace ambit::bench
