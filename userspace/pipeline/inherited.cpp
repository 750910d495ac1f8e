// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/inherited.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <cstring>
#include <memory>
#include <string_view>

#include "userspace/base/clock.h"
#include "userspace/model/make_event.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

std::string target_of(int descriptor) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

/// The peer of a connected inet socket.
std::optional<policy::DestinationFacts> peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  int protocol = 0;
  socklen_t protocol_size = sizeof(protocol);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_size) != 0)
    return std::nullopt;
  policy::DestinationFacts facts;
  facts.protocol = static_cast<std::uint8_t>(protocol);
  constexpr std::size_t kMapped = 12;
  if (address.ss_family == AF_INET) {
    const auto* peer = reinterpret_cast<const sockaddr_in*>(&address);
    facts.address[kMapped - 2] = 0xff;
    facts.address[kMapped - 1] = 0xff;
    std::memcpy(facts.address.data() + kMapped, &peer->sin_addr, sizeof(peer->sin_addr));
    facts.port = ntohs(peer->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* peer = reinterpret_cast<const sockaddr_in6*>(&address);
    std::memcpy(facts.address.data(), &peer->sin6_addr, sizeof(peer->sin6_addr));
    facts.port = ntohs(peer->sin6_port);
  } else {
    return std::nullopt;
  }
  return facts;
}

model::Destination destination_of(const policy::DestinationFacts& facts) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool ipv4 = std::equal(kMapped.begin(), kMapped.end(), facts.address.begin());
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, facts.address.data() + (ipv4 ? kMapped.size() : 0),
              text.data(), text.size());
  model::Destination destination;
  destination.ip = text.data();
  destination.port = facts.port;
  destination.protocol = facts.protocol == IPPROTO_TCP   ? "tcp"
                         : facts.protocol == IPPROTO_UDP ? "udp"
                                                         : std::to_string(facts.protocol);
  return destination;
}

class Judge {
 public:
  Judge(const kernel::Sensor& sensor, const model::Catalogue& catalogue,
        const std::shared_ptr<const model::Task>& task, const model::Process& process)
      : sensor_(sensor), catalogue_(catalogue), task_(task), process_(process) {}

  void judge(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return;
    if (S_ISREG(status.st_mode)) judge_file(descriptor, status);
    if (S_ISSOCK(status.st_mode))
      if (auto peer = peer_of(descriptor)) judge_peer(descriptor, *peer);
  }

  InheritedFindings take() { return std::move(findings_); }

 private:
  [[nodiscard]] policy::Subject subject() const {
    return {.slot = task_->slot, .held = {}, .readers = {}, .now_boot_ns = SystemClock().boot_ns()};
  }

  void judge_file(int descriptor, const struct stat& status) {
    const auto facts = std::make_unique<policy::PathFacts>();
    facts->file = {.dev = policy::kernel_device(major(status.st_dev), minor(status.st_dev)),
                   .ino = status.st_ino};
    const policy::Spaces spaces = policy::spaces_of(sensor_, task_->slot);
    const policy::Recognised what = policy::recognise(sensor_, spaces.credentials, *facts);
    if (what.count == 0) return;
    const policy::Decision decision =
        policy::decide_file(sensor_, subject(), {what.credentials.data(), what.count});
    if (decision.requested == model::Response::none) return;
    model::DescriptorFinding found = finding(descriptor, decision);
    model::File file;
    file.path = target_of(descriptor);
    file.dev_major = major(status.st_dev);
    file.dev_minor = minor(status.st_dev);
    file.ino = status.st_ino;
    found.file = file;
    for (std::size_t i = 0; i < what.count; ++i)
      found.credentials.push_back(catalogue_.credentials[what.credentials[i]].name);
    add(std::move(found));
  }

  void judge_peer(int descriptor, const policy::DestinationFacts& peer) {
    const policy::Decision decision = policy::decide_destination(sensor_, subject(), peer);
    if (decision.requested == model::Response::none) return;
    model::DescriptorFinding found = finding(descriptor, decision);
    found.destination = destination_of(peer);
    add(std::move(found));
  }

  [[nodiscard]] model::DescriptorFinding finding(int descriptor,
                                                 const policy::Decision& decision) const {
    model::DescriptorFinding found;
    found.task = task_;
    found.process = process_;
    found.mode = decision.shadow ? model::Mode::shadow : model::Mode::enforce;
    found.requested = decision.requested;
    found.closed = decision.effect != model::Effect::alerted;
    found.descriptor = descriptor;
    return found;
  }

  void add(model::DescriptorFinding found) {
    if (found.closed) findings_.close.insert(found.descriptor);
    const SystemClock clock;
    findings_.events.push_back(model::make_descriptor_from_before(
        {.boot_ns = clock.boot_ns(), .wall_ns = clock.wall_ns()}, std::move(found)));
  }

  const kernel::Sensor& sensor_;
  const model::Catalogue& catalogue_;
  std::shared_ptr<const model::Task> task_;
  const model::Process& process_;
  InheritedFindings findings_;
};

}  // namespace

std::set<int> inherited_descriptors() {
  std::set<int> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), &::closedir);
  if (!directory) return found;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number > 2 && number != ::dirfd(directory.get()) &&
        (::fcntl(number, F_GETFD) & FD_CLOEXEC) == 0)
      found.insert(number);
  }
  return found;
}

InheritedFindings judge_inherited(const std::set<int>& descriptors, const kernel::Sensor& sensor,
                                  const model::Catalogue& catalogue,
                                  const std::shared_ptr<const model::Task>& task,
                                  const model::Process& process) {
  Judge judge(sensor, catalogue, task, process);
  for (const int descriptor : descriptors) judge.judge(descriptor);
  return judge.take();
}

}  // namespace ambit::pipeline
