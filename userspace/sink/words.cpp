// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "userspace/sink/native.h"

namespace ambit::sink {

using namespace model;

std::string rfc3339(std::int64_t wall_ns) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  std::int64_t seconds = wall_ns / kNsPerSecond;
  std::int64_t rest = wall_ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    seconds -= 1;
  }
  const time_t when = seconds;
  tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ",
                                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                                 parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(rest));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string_view word_of(ScopeSide side) {
  switch (side) {
    case ScopeSide::inside:
      return "inside";
    case ScopeSide::outside:
      return "outside";
    case ScopeSide::unscoped:
      return "unscoped";
  }
  return "unscoped";
}

std::string_view word_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  return "critical";
}

std::string_view word_of(Mode mode) { return mode == Mode::shadow ? "shadow" : "enforce"; }

std::string_view word_of(Authority authority) {
  return authority == Authority::delegated ? "delegated" : "agent";
}

std::optional<std::uint16_t> port_of(const Destination& destination) {
  constexpr auto kWithPorts =
      std::to_array<std::string_view>({"tcp", "udp", "sctp", "dccp", "udplite"});
  const bool has = std::ranges::find(kWithPorts, destination.protocol) != kWithPorts.end();
  return has ? destination.port : std::nullopt;
}

bool has_ring(LossCause cause) {
  switch (cause) {
    case LossCause::ring_full:
    case LossCause::record_malformed:
    case LossCause::record_unknown:
    case LossCause::pipe_full:
    case LossCause::mark_failed:
    case LossCause::watch_failed:
    case LossCause::holder_replaced:
      return true;
    case LossCause::storage_failed:
    case LossCause::map_full:
    case LossCause::path_too_deep:
    case LossCause::read_failed:
    case LossCause::program_skipped:
    case LossCause::sink_failed:
      return false;
  }
  return false;
}

}  // namespace ambit::sink
