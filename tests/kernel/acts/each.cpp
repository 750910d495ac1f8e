// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/acts/each.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

namespace ambit::acts {
namespace {

using Json = nlohmann::json;
constexpr int kPatienceMs = 20'000;

/// Files take the output, so that no act waits for a reader and a leftover process holds nothing.
/// They are read outside the task: who reads here what a holder wrote would hold as well.
int output(const std::string& directory, const Json& item, const char* which) {
  const std::string path = directory + "/" + item.at("name").get<std::string>() + which;
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

bool ends_in_time(int pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd wanted{.fd = pidfd, .events = POLLIN, .revents = 0};
  const bool ended = ::poll(&wanted, 1, kPatienceMs) > 0;
  ::close(pidfd);
  return ended;
}

Json perform_one(const Json& item, const std::string& directory) {
  const int out = output(directory, item, ".out");
  const int err = output(directory, item, ".err");
  const Words words = item.at("argv").get<Words>();
  const int pid = ::fork();
  if (pid == 0) {
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::_exit(perform(words));
  }
  const bool in_time = pid > 0 && ends_in_time(pid);
  if (!in_time && pid > 0) ::kill(pid, SIGKILL);
  int status = 0;
  if (pid > 0) ::waitpid(pid, &status, 0);
  Json done{{"name", item.at("name")},
            {"pid", pid},
            {"timed_out", !in_time},
            {"signal", 0},
            {"exit", -1}};
  if (WIFSIGNALED(status)) {
    done["signal"] = WTERMSIG(status);
  } else {
    done["exit"] = WEXITSTATUS(status);
  }
  ::close(out);
  ::close(err);
  return done;
}

}  // namespace

int perform_each(const Words& words) {
  if (words.size() != 2) return kUsage;
  try {
    const Json plan = Json::parse(std::ifstream(words[1]));
    ::mkdir((words[1] + ".d").c_str(), 0777);
    for (const Json& item : plan) {
      say(perform_one(item, words[1] + ".d").dump(-1, ' ', false, Json::error_handler_t::replace) +
          "\n");
    }
  } catch (const std::exception& error) {
    say(std::string("bad plan: ") + error.what() + "\n");
    return kUsage;
  }
  return kDone;
}

}  // namespace ambit::acts
