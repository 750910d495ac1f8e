// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/residual_access.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/holder_known.h"
#include "userspace/policy/filesystem.h"
#include "userspace/policy/path_facts.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

// What is said of each kind, where it goes on.
constexpr const char* kMapped = "what is mapped stays readable";
constexpr const char* kNotEnforced = "the scope alerts and refuses nothing";
constexpr const char* kOpenFile =
    "reads are refused where the file was opened since the daemon has run; of others, and of "
    "writes, this backend is not asked";
constexpr const char* kOpenSocket =
    "what comes can still be received; a socket from before the task sends as well";

struct Ways {
  const char* file = nullptr;  ///< null: taken back
  const char* socket = nullptr;
};

Ways ways_of(const model::Scope& scope, model::Backend backend) {
  const bool shadow = scope.mode == model::Mode::shadow;
  const auto way = [&](model::Response response, const char* on_portable) {
    if (shadow || response < model::Response::deny) return kNotEnforced;
    return backend == model::Backend::portable ? on_portable : nullptr;
  };
  return {.file = way(scope.response.credential, kOpenFile),
          .socket = way(scope.response.network, kOpenSocket)};
}

std::string link_of(const std::string& path) {
  std::error_code gone;
  return fs::read_symlink(path, gone).string();
}

class Search {
 public:
  Search(const kernel::Sensor& sensor, const EndedTask& task)
      : sensor_(sensor), task_(task), ways_(ways_of(task.scope, sensor.backend())) {
    for (const auto& [id, anchor] : task.paths.anchors) devices_.insert(id.dev);
    for (const auto& [id, rule] : task.paths.inodes) devices_.insert(id.dev);
  }

  std::vector<ResidualAccess> take() {
    for (const std::uint32_t pid : sensor_.members(task_.slot)) {
      const Descriptor process = open_pidfd(static_cast<int>(pid));
      const auto slot = sensor_.slot_of(process.get());
      if (!slot || *slot != task_.slot) continue;
      take_descriptors(pid, process.get());
      take_mappings(pid);
    }
    return std::move(found_);
  }

 private:
  /// The names of the credentials that a file is.
  std::vector<std::string> credentials_of(const model::FileId& id, const std::string& path) {
    // Names are looked at only where credentials lie: a file system that the task serves itself
    // (FUSE) must not hold this process up.
    if (!devices_.contains(id.dev) || !policy::take_facts(machine_, path, *facts_))
      facts_->count = 0;
    facts_->file = id;
    const policy::Recognised what = policy::recognise(sensor_, task_.credential_space, *facts_);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < what.count; ++i)
      if (what.credentials.at(i) < task_.catalogue.credentials.size())
        names.push_back(task_.catalogue.credentials[what.credentials.at(i)].name);
    return names;
  }

  void add_file(ResidualAccess what, const model::FileId& id, const std::string& path) {
    for (const std::string& name : credentials_of(id, path)) {
      what.credential = name;
      what.name = path;
      found_.push_back(what);
    }
  }

  void take_descriptors(std::uint32_t pid, int process) {
    const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string number = entry->path().filename();
      int descriptor = -1;
      std::from_chars(number.data(), number.data() + number.size(), descriptor);
      struct statx facts{};
      if (::statx(AT_FDCWD, entry->path().c_str(), AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE,
                  &facts) != 0)
        continue;
      if (S_ISSOCK(facts.stx_mode))
        take_socket(process, {.pid = pid, .descriptor = descriptor, .kind = "socket"});
      else if (ways_.file != nullptr && !is_path_only(pid, number))
        add_file({.pid = pid, .descriptor = descriptor, .kind = "file", .why = ways_.file},
                 id_of(facts), link_of(entry->path()));
    }
  }

  /// O_PATH gives no access by itself, and opening it is refused.
  static bool is_path_only(std::uint32_t pid, const std::string& number) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/fdinfo/" + number);
    for (std::string word; file >> word;)
      if (word == "flags:") {
        unsigned flags = 0;
        file >> std::oct >> flags;
        return (flags & O_PATH) != 0;
      }
    return false;
  }

  void take_socket(int process, ResidualAccess what) {
    if (ways_.socket == nullptr) return;
    const Descriptor socket(
        static_cast<int>(::syscall(SYS_pidfd_getfd, process, what.descriptor, 0)));
    what.why = ways_.socket;
    // One that cannot be looked at may be connected.
    if (!socket.valid()) {
      what.name = "unknown";
      found_.push_back(std::move(what));
    } else if (auto peer = peer_of(socket.get())) {
      what.name = std::move(*peer);
      found_.push_back(std::move(what));
    }
  }

  /// Nothing: it is not connected.
  static std::optional<std::string> peer_of(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
      const auto& inet = reinterpret_cast<const sockaddr_in&>(address);
      ::inet_ntop(AF_INET, &inet.sin_addr, text.data(), text.size());
      return std::string(text.data()) + ":" + std::to_string(ntohs(inet.sin_port));
    }
    if (address.ss_family == AF_INET6) {
      const auto& inet = reinterpret_cast<const sockaddr_in6&>(address);
      ::inet_ntop(AF_INET6, &inet.sin6_addr, text.data(), text.size());
      return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(inet.sin6_port));
    }
    if (address.ss_family != AF_UNIX) return "family " + std::to_string(address.ss_family);
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    if (size <= offsetof(sockaddr_un, sun_path)) return "unix";
    if (local.sun_path[0] == 0) return "unix @" + std::string(local.sun_path + 1, length - 1);
    return "unix " + std::string(local.sun_path, ::strnlen(local.sun_path, length));
  }

  /// Of each file once.
  void take_mappings(std::uint32_t pid) {
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    std::set<model::FileId> seen;
    for (std::string line; std::getline(maps, line);) {
      unsigned long inode = 0;
      unsigned device_major = 0;
      unsigned device_minor = 0;
      int path = 0;
      // "start-end perms offset major:minor inode   path" (proc(5))
      if (std::sscanf(line.c_str(), "%*s %*s %*s %x:%x %lu %n", &device_major, &device_minor,
                      &inode, &path) != 3 ||
          inode == 0)
        continue;
      const model::FileId id{.dev = policy::kernel_device(device_major, device_minor),
                             .ino = inode};
      if (!seen.insert(id).second) continue;
      add_file({.pid = pid, .kind = "mapping", .why = kMapped}, id,
               line.substr(static_cast<std::size_t>(path)));
    }
  }

  const kernel::Sensor& sensor_;
  const EndedTask& task_;
  const policy::RealFileSystem machine_;
  std::unique_ptr<policy::PathFacts> facts_ = std::make_unique<policy::PathFacts>();
  std::set<std::uint64_t> devices_;
  Ways ways_;
  std::vector<ResidualAccess> found_;
};

}  // namespace

std::vector<ResidualAccess> residual_access(const kernel::Sensor& sensor, const EndedTask& task) {
  return Search(sensor, task).take();
}

}  // namespace ambit::pipeline
