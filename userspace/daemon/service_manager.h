// SPDX-License-Identifier: Apache-2.0
// What systemd is told (sd_notify(3)), over the datagram socket that it names. By hand: its library
// for one datagram would bring six more, compression and cryptography among them, into a privileged
// process and its image; the protocol is promised to stay.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "userspace/base/result.h"

namespace ambit::daemon {

class ServiceManager {
 public:
  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: what the daemon
  /// starts is not the service.
  [[nodiscard]] static ServiceManager from_environment();

  /// Lines of VARIABLE=VALUE. Nothing where no manager is there; waits for nobody.
  [[nodiscard]] Result<void> tell(const std::string& state) const;
  /// Within which time it wants to hear WATCHDOG=1.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }
  [[nodiscard]] bool is_there() const { return !socket_.empty(); }

 private:
  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace ambit::daemon
