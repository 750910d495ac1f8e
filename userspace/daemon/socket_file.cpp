// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <utility>

#include "userspace/base/pidfd.h"

namespace ambit::daemon {

namespace {

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // 6.5
#endif

constexpr mode_t kOwnerOnly = 0600;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return fail("socket " + path + ": the path is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

Result<Descriptor> new_socket() {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  return socket;
}

Result<void> make_room(const std::string& path, const sockaddr_un& address) {
  const std::string directory = std::filesystem::path(path).parent_path();
  constexpr mode_t kPrivate = 0700;
  if (::mkdir(directory.c_str(), kPrivate) != 0 && errno != EEXIST)
    return fail_errno("cannot make " + directory);
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (!S_ISSOCK(facts.st_mode)) return fail(path + " is there and is no socket");
  const auto probe = new_socket();
  if (!probe) return std::unexpected(probe.error());
  if (::connect(probe->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN)
    return fail("another daemon answers at " + path);
  if (::unlink(path.c_str()) != 0) return fail_errno("cannot replace " + path);
  return {};
}

}  // namespace

Result<Descriptor> listen_at(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  if (auto room = make_room(path, *address); !room) return std::unexpected(room.error());
  auto socket = new_socket();
  if (!socket) return std::unexpected(socket.error());
  // The mode is there with the name: nobody connects in between.
  const mode_t before = ::umask(static_cast<mode_t>(~kOwnerOnly & 0777U));
  const int bound =
      ::bind(socket->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address));
  const int code = errno;
  ::umask(before);
  if (bound != 0) return fail_errno("cannot listen at " + path, code);
  constexpr int kBacklog = 128;
  if (::listen(socket->get(), kBacklog) != 0) return fail_errno("cannot listen at " + path);
  return std::move(*socket);
}

Caller caller_of(int connection, Descriptor& process) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  int pidfd = -1;
  size = sizeof(pidfd);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
    process = Descriptor(pidfd);
  else if (errno == ENOPROTOOPT)
    process = open_pidfd(peer.pid);
  return {.uid = peer.uid, .pidfd = process.get(), .pid = peer.pid};
}

}  // namespace ambit::daemon
