// SPDX-License-Identifier: Apache-2.0
// Races on the name of a file: what is looked at is not what is opened.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTime = std::chrono::milliseconds(400);
constexpr std::string_view kPlain = "plain\n";

/// Opens `name` again and again while `change` runs beside; prints the first content that is not
/// the plain one.
int open_while(const char* name, const std::function<void()>& change) {
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    while (!stop) change();
  });
  int status = kFailed;
  const auto end = Clock::now() + kTime;
  while (status != kDone && Clock::now() < end) {
    const int fd = ::open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      if (errno == EPERM) status = kRefused;
      continue;
    }
    std::array<char, 256> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    const std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    if (text.empty() || text == kPlain) continue;
    say(text);
    status = kDone;
  }
  stop = true;
  changer.join();
  return status;
}

// PLAIN SECRET: another thread changes the string that names the file. Both have one length.
int swap_string(const Words& w) {
  static std::array<char, 4096> name{};
  std::memcpy(name.data(), w[1].c_str(), w[1].size() + 1);
  return open_while(name.data(), [&] {
    std::memcpy(name.data(), w[2].c_str(), w[2].size() + 1);
    std::memcpy(name.data(), w[1].c_str(), w[1].size() + 1);
  });
}

// PLAIN SECRET LINK
int swap_symlink(const Words& w) {
  const std::string other = w[3] + ".other";
  return open_while(w[3].c_str(), [&] {
    for (const std::string& target : {w[1], w[2]}) {
      if (::symlink(target.c_str(), other.c_str()) == 0) ::rename(other.c_str(), w[3].c_str());
    }
  });
}

// PLAIN SECRET LINK: a hard link that is one file and then the other.
int swap_link(const Words& w) {
  const std::string other = w[3] + ".other";
  return open_while(w[3].c_str(), [&] {
    for (const std::string& target : {w[1], w[2]}) {
      ::unlink(other.c_str());
      if (::link(target.c_str(), other.c_str()) == 0) ::rename(other.c_str(), w[3].c_str());
    }
  });
}

// SECRET: the page that the name stands in is filled only when the kernel reads it.
int late_name(const Words& w) {
  constexpr std::size_t kPage = 4096;
  const int faults = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  if (faults < 0) return failed("userfaultfd", errno == EPERM ? ENOSYS : errno);
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register range{};
  range.range = {.start = reinterpret_cast<std::uintptr_t>(page), .len = kPage};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (::ioctl(faults, UFFDIO_API, &api) != 0 || ::ioctl(faults, UFFDIO_REGISTER, &range) != 0)
    return failed("userfaultfd");
  std::thread filler([&] {
    uffd_msg message{};
    if (::read(faults, &message, sizeof message) <= 0) return;
    alignas(kPage) static std::array<char, kPage> content{};
    std::memcpy(content.data(), w[1].c_str(), w[1].size() + 1);
    uffdio_copy fill{};
    fill.dst = reinterpret_cast<std::uintptr_t>(page);
    fill.src = reinterpret_cast<std::uintptr_t>(content.data());
    fill.len = kPage;
    ::ioctl(faults, UFFDIO_COPY, &fill);
  });
  const int fd = ::open(static_cast<const char*>(page), O_RDONLY | O_CLOEXEC);
  const int error = errno;
  filler.join();
  return fd < 0 ? failed("open", error) : print_content(fd);
}

constexpr std::array kActs{
    Act{"swap-string", "PLAIN SECRET", 2, swap_string},
    Act{"swap-symlink", "PLAIN SECRET LINK", 3, swap_symlink},
    Act{"swap-link", "PLAIN SECRET LINK", 3, swap_link},
    Act{"late-name", "SECRET", 1, late_name},
};

}  // namespace

std::span<const Act> race_acts() { return kActs; }

}  // namespace ambit::acts
