// SPDX-License-Identifier: Apache-2.0
// The loop's signs of life for the service manager. They come from the loop itself: a loop that
// hangs is silent.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

#include "userspace/daemon/log.h"
#include "userspace/daemon/service_manager.h"

namespace ambit::daemon {

class Heartbeat {
 public:
  /// `status` is asked every second for a line about the daemon.
  Heartbeat(boost::asio::io_context& io, ServiceManager manager, Log& log,
            std::function<std::string()> status);

  void ready();
  void stopping();

 private:
  void tell(const std::string& state);
  void beat();
  void tell_status();

  ServiceManager manager_;
  Log& log_;
  std::function<std::string()> status_;
  std::string told_;
  bool failed_ = false;
  bool stopping_ = false;
  boost::asio::steady_timer beat_;
  boost::asio::steady_timer status_turn_;
};

}  // namespace ambit::daemon
