// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/acts/each.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

namespace ambit::acts {
namespace {

using Json = nlohmann::json;
constexpr int kPatienceMs = 20'000;

/// Memory takes the output, so that no act waits for a reader and a leftover process holds nothing.
struct Output {
  int fd = ::memfd_create("output", MFD_CLOEXEC);

  [[nodiscard]] std::string text() const {
    std::string all;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(all.size()))) > 0)
      all.append(buffer.data(), static_cast<std::size_t>(got));
    return all;
  }
};

bool ends_in_time(int pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd wanted{.fd = pidfd, .events = POLLIN, .revents = 0};
  const bool ended = ::poll(&wanted, 1, kPatienceMs) > 0;
  ::close(pidfd);
  return ended;
}

Json perform_one(const Json& item) {
  const Output out;
  const Output err;
  const Words words = item.at("argv").get<Words>();
  const int pid = ::fork();
  if (pid == 0) {
    ::dup2(out.fd, STDOUT_FILENO);
    ::dup2(err.fd, STDERR_FILENO);
    ::_exit(perform(words));
  }
  const bool in_time = pid > 0 && ends_in_time(pid);
  if (!in_time && pid > 0) ::kill(pid, SIGKILL);
  int status = 0;
  if (pid > 0) ::waitpid(pid, &status, 0);
  Json done{{"name", item.at("name")},
            {"pid", pid},
            {"timed_out", !in_time},
            {"out", out.text()},
            {"err", err.text()},
            {"signal", 0},
            {"exit", -1}};
  if (WIFSIGNALED(status)) {
    done["signal"] = WTERMSIG(status);
  } else {
    done["exit"] = WEXITSTATUS(status);
  }
  ::close(out.fd);
  ::close(err.fd);
  return done;
}

}  // namespace

int perform_each(const Words& words) {
  if (words.size() != 2) return kUsage;
  try {
    const Json plan = Json::parse(std::ifstream(words[1]));
    for (const Json& item : plan) {
      say(perform_one(item).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
  } catch (const std::exception& error) {
    say(std::string("bad plan: ") + error.what() + "\n");
    return kUsage;
  }
  return kDone;
}

}  // namespace ambit::acts
