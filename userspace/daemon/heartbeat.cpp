// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/heartbeat.h"

#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "userspace/base/utf8.h"

namespace ambit::daemon {

using boost::system::error_code;

Heartbeat::Heartbeat(boost::asio::io_context& io, ServiceManager manager, Log& log,
                     std::function<std::string()> status)
    : manager_(std::move(manager)),
      log_(log),
      status_(std::move(status)),
      beat_(io),
      status_turn_(io) {}

/// Said once, not at each beat.
void Heartbeat::tell(const std::string& state) {
  const auto told = manager_.tell(state);
  if (!told && !failed_) log_.warning("service manager", {{"reason", told.error().message}});
  failed_ = !told;
}

void Heartbeat::ready() {
  if (!manager_.is_there()) return;
  told_ = status_();
  tell("READY=1\nSTATUS=" + to_terminal(told_));
  beat();
  tell_status();
}

void Heartbeat::stopping() {
  stopping_ = true;
  beat_.cancel();
  status_turn_.cancel();
  tell("STOPPING=1\nSTATUS=stopping");
}

void Heartbeat::beat() {
  if (!manager_.watchdog()) return;
  beat_.expires_after(*manager_.watchdog() / 2);
  beat_.async_wait([this](const error_code& error) {
    if (error || stopping_) return;
    tell("WATCHDOG=1");
    beat();
  });
}

void Heartbeat::tell_status() {
  status_turn_.expires_after(std::chrono::seconds(1));
  status_turn_.async_wait([this](const error_code& error) {
    if (error || stopping_) return;
    if (std::string now = status_(); now != told_) {
      told_ = std::move(now);
      tell("STATUS=" + to_terminal(told_));
    }
    tell_status();
  });
}

}  // namespace ambit::daemon
