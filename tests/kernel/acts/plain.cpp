// SPDX-License-Identifier: Apache-2.0
// What stands around the other acts: waiting, ending, staying behind.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

constexpr int kPollMicros = 2000;
constexpr int kPolls = 10'000;

void make_file(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  ::rename((path + ".new").c_str(), path.c_str());
}

int wait_for(const Words& w) {
  for (int i = 0; i < kPolls; ++i) {
    if (::access(w[1].c_str(), F_OK) == 0) return kDone;
    ::usleep(kPollMicros);
  }
  return failed("wait");
}

// READY GO ACT…: says that it is there, and goes on when it is told.
int after_handshake(const Words& w) {
  make_file(w[1], std::to_string(::getpid()));
  if (const int status = wait_for({"wait-for", w[2]}); status != kDone) return status;
  return perform_rest(w, 3);
}

int handshake(const Words& w) {
  make_file(w[1], std::to_string(::getpid()));
  return wait_for({"wait-for", w[2]});
}

int stay(const Words& w) {
  ::sleep(static_cast<unsigned>(std::stoi(w[1])));
  return kDone;
}

int end_with(const Words& w) { return std::stoi(w[1]); }

int end_by_signal(const Words& w) {
  ::raise(std::stoi(w[1]));
  return kFailed;
}

int catch_signal(const Words& w) {
  const int number = std::stoi(w[1]);
  sigset_t wanted{};
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, number);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  make_file(w[2], std::to_string(::getpid()));
  const timespec limit{.tv_sec = 10, .tv_nsec = 0};
  if (::sigtimedwait(&wanted, nullptr, &limit) != number) return failed("sigtimedwait");
  say("caught\n");
  return kDone;
}

// PIDFILE OUTPUT ACT…: leaves a process of another session behind, whose output goes to a file.
int leave_behind(const Words& w) {
  const int pid = ::fork();
  if (pid < 0) return failed("fork");
  if (pid > 0) return wait_for({"wait-for", w[1]});
  ::setsid();
  const int output = ::open(w[2].c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(output, fd);
  make_file(w[1], std::to_string(::getpid()));
  const int status = perform_rest(w, 3);
  say("ended " + std::to_string(status) + "\n");
  ::_exit(status);
}

// PATH TIMES: opens and reads again and again; prints refusals, and the longest call in
// microseconds.
int open_often(const Words& w) {
  using Clock = std::chrono::steady_clock;
  long refused = 0;
  auto longest = Clock::duration::zero();
  const long times = std::stol(w[2]);
  const bool until_told = w.size() > 3;
  for (long i = 0; i < times || until_told; ++i) {
    const auto start = Clock::now();
    const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 64> buffer{};
    if (fd < 0 || ::read(fd, buffer.data(), buffer.size()) <= 0) ++refused;
    if (fd >= 0) ::close(fd);
    longest = std::max(longest, Clock::now() - start);
    if (until_told && ::access(w[3].c_str(), F_OK) == 0) break;
  }
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(longest).count();
  say(std::to_string(refused) + " " + std::to_string(micros) + "\n");
  return refused == 0 ? kDone : kRefused;
}

int print_environment(const Words& w) {
  const char* const value = std::getenv(w[1].c_str());
  say(value == nullptr ? "absent" : "present");
  return kDone;
}

int print_identity(const Words&) {
  std::array<gid_t, 64> groups{};
  const int count = ::getgroups(groups.size(), groups.data());
  say(std::to_string(::getuid()) + " " + std::to_string(::geteuid()) + " " +
      std::to_string(::getgid()));
  for (int i = 0; i < count; ++i)
    say((i == 0 ? " groups " : ",") + std::to_string(groups[static_cast<std::size_t>(i)]));
  const char* const home = std::getenv("HOME");
  say(std::string(" home ") + (home == nullptr ? "none" : home) + "\n");
  return kDone;
}

// Which of the descriptors are open.
int print_descriptors(const Words& w) {
  for (std::size_t i = 1; i < w.size(); ++i) {
    const bool open = ::fcntl(std::stoi(w[i]), F_GETFD) >= 0;
    say(w[i] + (open ? " open\n" : " closed\n"));
  }
  return kDone;
}

constexpr std::array kActs{
    Act{"wait-for", "PATH", 1, wait_for},
    Act{"handshake", "READY GO", 2, handshake},
    Act{"after-handshake", "READY GO ACT…", 3, after_handshake},
    Act{"stay", "SECONDS", 1, stay},
    Act{"exit", "STATUS", 1, end_with},
    Act{"raise", "SIGNAL", 1, end_by_signal},
    Act{"catch", "SIGNAL READY", 2, catch_signal},
    Act{"leave", "PIDFILE OUTPUT ACT…", 3, leave_behind},
    Act{"open-often", "PATH TIMES [UNTIL]", 2, open_often},
    Act{"environment", "VARIABLE", 1, print_environment},
    Act{"identity", "", 0, print_identity},
    Act{"descriptors", "NUMBER…", 1, print_descriptors},
};

}  // namespace

std::span<const Act> plain_acts() { return kActs; }

}  // namespace ambit::acts
