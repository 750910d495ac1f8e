// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <optional>
#include <string_view>

namespace ambit::bench {
namespace {

struct Operation {
  std::string_view name;
  std::string_view title;
};
constexpr std::array kOperations{
    Operation{.name = "first", .title = "open+read+close, first of an inode"},
    Operation{.name = "open", .title = "open+read+close, later"},
    Operation{.name = "held", .title = "open+read+close of an allowed credential"},
    Operation{.name = "connect", .title = "TCP socket+connect+close"},
    Operation{.name = "udp", .title = "UDP send"},
    Operation{.name = "exec", .title = "vfork+exec+wait"},
    Operation{.name = "pipe", .title = "pipe write"},
    Operation{.name = "getppid", .title = "getppid"},
};

__attribute__((format(printf, 1, 2))) std::string format(const char* text, ...) {
  std::array<char, 256> line{};
  va_list arguments;
  va_start(arguments, text);
  std::vsnprintf(line.data(), line.size(), text, arguments);
  va_end(arguments);
  return line.data();
}

/// One number of each round that has it.
std::vector<double> each(const std::vector<Round>& rounds,
                         const std::function<std::optional<double>(const Round&)>& take) {
  std::vector<double> values;
  for (const Round& round : rounds)
    if (const auto value = take(round)) values.push_back(*value);
  return values;
}

std::optional<double> cost(const Round& round, Setting setting, std::string_view operation) {
  const auto costs = round.find(setting);
  if (costs == round.end()) return {};
  const auto found = costs->second.find(std::string(operation));
  if (found == costs->second.end()) return {};
  return found->second;
}

/// What `setting` costs over `floor`, as a ratio of the same round.
std::vector<double> ratios(const std::vector<Round>& rounds, std::string_view operation,
                           Setting setting, Setting floor) {
  return each(rounds, [&](const Round& round) -> std::optional<double> {
    const auto mine = cost(round, setting, operation);
    const auto base = cost(round, floor, operation);
    if (!mine || !base || *base <= 0) return {};
    return *mine / *base;
  });
}

std::vector<double> added(const std::vector<Round>& rounds, std::string_view operation,
                          Setting setting, Setting floor) {
  return each(rounds, [&](const Round& round) -> std::optional<double> {
    const auto mine = cost(round, setting, operation);
    const auto base = cost(round, floor, operation);
    if (!mine || !base) return {};
    return *mine - *base;
  });
}

/// Half of the distance between the quartiles.
double spread(std::vector<double> values) {
  std::ranges::sort(values);
  if (values.size() < 2) return 0;
  return (values[values.size() * 3 / 4] - values[values.size() / 4]) / 2;
}

std::string unit(const ReportOptions& options) { return options.counts ? "instructions" : "ns"; }

struct Target {
  std::string text;
  double reached = 0;
  double limit = 0;
  const char* shape = "%.0f";
};

double worst_ratio_outside(const std::vector<Round>& rounds, Setting floor, std::string_view& at) {
  double worst = 0;
  for (const Operation& operation : kOperations) {
    const auto values = ratios(rounds, operation.name, Setting::outside, floor);
    if (values.empty() || median(values) <= worst) continue;
    worst = median(values);
    at = operation.title;
  }
  return worst;
}

std::vector<Target> targets(const std::vector<Round>& rounds, const ReportOptions& options) {
  const auto over_nothing = [&](std::string_view operation, Setting setting) {
    return median(added(rounds, operation, setting, Setting::nothing));
  };
  std::string_view at;
  const double outside = worst_ratio_outside(rounds, Setting::empty, at);
  std::vector<Target> all{
      {.text = "outside a task, over empty programs; worst: " + std::string(at),
       .reached = outside,
       .limit = 1.03,
       .shape = "%.3f"},
      {.text = "first open in a task, added; limit: what Landlock adds",
       .reached = over_nothing("first", Setting::inside),
       .limit = over_nothing("first", Setting::landlock)},
      {.text = "later open in a task, added; limit: a quarter of what Landlock adds",
       .reached = over_nothing("open", Setting::inside),
       .limit = over_nothing("open", Setting::landlock) / 4},
      {.text = "connect to a permitted destination, added; limit: twice what empty programs add",
       .reached = over_nothing("connect", Setting::inside),
       .limit = 2 * over_nothing("connect", Setting::empty)},
  };
  if (options.backend == model::Backend::portable)
    for (const char* operation : {"open", "exec", "getppid"})
      all.push_back(
          {.text = "outside a task, over nothing loaded: " + std::string(operation),
           .reached = median(ratios(rounds, operation, Setting::outside, Setting::nothing)),
           .limit = 1.03,
           .shape = "%.3f"});
  return all;
}

std::string say(const char* shape, double value) {
  std::array<char, 32> text{};
  // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): one of two literals of this file
  std::snprintf(text.data(), text.size(), shape, value);
  return text.data();
}

}  // namespace

std::string render_costs(const std::vector<Round>& rounds, const ReportOptions& options) {
  std::string out = "| " + unit(options) + " |";
  for (const SettingName& setting : kSettings) out += " " + std::string(setting.name) + " |";
  out += "\n|---|";
  for (std::size_t i = 0; i < kSettings.size(); ++i) out += "---|";
  for (const Operation& operation : kOperations) {
    out += "\n| " + std::string(operation.title) + " |";
    for (const SettingName& setting : kSettings) {
      const auto ratio = ratios(rounds, operation.name, setting.setting, Setting::nothing);
      const auto more = added(rounds, operation.name, setting.setting, Setting::nothing);
      if (ratio.empty()) {
        out += " |";
      } else if (setting.setting == Setting::nothing) {
        out += format(" %.0f |", median(each(rounds, [&](const Round& round) {
                        return cost(round, Setting::nothing, operation.name);
                      })));
      } else {
        out += format(" %.3f ± %.3f, %+.0f |", median(ratio), spread(ratio), median(more));
      }
    }
  }
  out += "\n\n| target | reached | limit | |\n|---|---|---|---|\n";
  for (const Target& target : targets(rounds, options))
    out += "| " + target.text + " | " + say(target.shape, target.reached) + " | " +
           say(target.shape, target.limit) + " | " +
           (target.reached <= target.limit
                ? "holds"
                : "missed by " + say(target.shape, target.reached - target.limit)) +
           " |\n";
  return out;
}

std::string render_scaling(const std::vector<ScalePoint>& points, const ReportOptions& options) {
  std::string out = "\n| in a task, " + unit(options) + " |";
  for (const Operation& operation : kOperations)
    if (!points.empty() && points.front().costs.contains(std::string(operation.name)))
      out += " " + std::string(operation.title) + " |";
  out += "\n|---|---|---|---|---|\n";
  const ScalePoint* first = nullptr;
  for (const ScalePoint& point : points) {
    if (first == nullptr || first->what != point.what) first = &point;
    out += format("| %d %s |", point.amount, point.what.c_str());
    for (const Operation& operation : kOperations) {
      const auto found = point.costs.find(std::string(operation.name));
      if (found == point.costs.end()) continue;
      const double least = first->costs.at(found->first);
      out += format(" %.0f, %.3f |", found->second, least > 0 ? found->second / least : 0);
    }
    out += "\n";
  }
  return out;
}

}  // namespace ambit::bench
