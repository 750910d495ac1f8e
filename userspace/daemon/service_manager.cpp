// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "userspace/base/descriptor.h"
#include "userspace/base/whole_number.h"

namespace ambit::daemon {

namespace {

std::string taken(const char* name) {
  const char* const value = std::getenv(name);
  std::string out = value == nullptr ? "" : value;
  ::unsetenv(name);
  return out;
}

/// 0: it is no number.
std::uint64_t number_of(const std::string& text) {
  return whole_number<std::uint64_t>(text).value_or(0);
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.socket_ = taken("NOTIFY_SOCKET");
  const std::string pid = taken("WATCHDOG_PID");
  const std::uint64_t limit = number_of(taken("WATCHDOG_USEC"));
  const bool meant = pid.empty() || number_of(pid) == static_cast<std::uint64_t>(::getpid());
  if (limit != 0 && meant) manager.watchdog_ = std::chrono::microseconds(limit);
  return manager;
}

Result<void> ServiceManager::tell(const std::string& state) const {
  if (socket_.empty()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof(address.sun_path) || (socket_[0] != '/' && socket_[0] != '@'))
    return fail("NOTIFY_SOCKET names no socket");
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  if (::sendto(socket.get(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size) < 0)
    return fail_errno("cannot tell the service manager");
  return {};
}

}  // namespace ambit::daemon
