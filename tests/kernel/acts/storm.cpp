// SPDX-License-Identifier: Apache-2.0
// One operation again and again from many threads, now and then a forbidden one among them.
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

using Clock = std::chrono::steady_clock;

/// What became of tries: done is that the effect was had.
struct Counts {
  std::atomic<long> tried = 0;
  std::atomic<long> done = 0;
  std::atomic<long> refused = 0;
  std::atomic<int> other = 0;  ///< the last errno that is neither

  void add(int result) {
    ++tried;
    if (result == 0)
      ++done;
    else if (result == EPERM || result == EACCES)
      ++refused;
    else
      other = result;
  }
  [[nodiscard]] nlohmann::json json() const {
    return {{"tried", tried.load()},
            {"done", done.load()},
            {"refused", refused.load()},
            {"other", other.load()}};
  }
};

class Socket {
 public:
  Socket(int family, int type) : fd_(::socket(family, type | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

int open_once(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  char byte = 0;
  const ssize_t got = ::read(fd, &byte, 1);
  const int result = got == 1 ? 0 : errno;
  ::close(fd);
  return result;
}

// Nobody need listen: that the peer refuses is an answer too. A reset leaves no TIME_WAIT behind,
// of which there would soon be as many as there are ports.
int connect_once(const std::string& port) {
  const Socket socket(AF_INET, SOCK_STREAM);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  const Address to("127.0.0.1", port);
  if (::connect(socket.get(), to.get(), to.length()) == 0) return 0;
  return errno == ECONNREFUSED ? 0 : errno;
}

int send_to(const Socket& socket, const Address& to) {
  return ::sendto(socket.get(), "storm", 5, 0, to.get(), to.length()) == 5 ? 0 : errno;
}

int send_once(const std::string& port) {
  thread_local const Socket socket(AF_INET, SOCK_DGRAM);
  const Address to("127.0.0.1", port);
  return send_to(socket, to);
}

int connect_unix_once(const std::string& path) {
  const Socket socket(AF_UNIX, SOCK_STREAM);
  const UnixAddress to(path);
  return ::connect(socket.get(), to.get(), to.length()) == 0 ? 0 : errno;
}

// The program leaves PATH.ran behind: what is done is told by that too.
int execute_once(const std::string& path) {
  pid_t pid = -1;
  std::string program = path;
  const std::array<char*, 3> argv{program.data(), program.data(), nullptr};
  posix_spawn_file_actions_t silent;
  ::posix_spawn_file_actions_init(&silent);
  ::posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const int refused = ::posix_spawn(&pid, path.c_str(), &silent, nullptr, argv.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&silent);
  if (refused != 0) return refused;
  return status_of(pid) == 0 ? 0 : EPERM;
}

struct Way {
  std::string_view name;
  int (*once)(const std::string& what);
};
constexpr std::array kWays{
    Way{"open", open_once},         Way{"connect", connect_once}, Way{"send", send_once},
    Way{"unix", connect_unix_once}, Way{"exec", execute_once},
};

// WAY THREADS MILLISECONDS PERIOD ALLOWED FORBIDDEN: every PERIODth try of each thread is the
// forbidden one. Prints what became of both.
int storm(const Words& w) {
  const auto* const way =
      std::ranges::find_if(kWays, [&](const Way& known) { return known.name == w[1]; });
  if (way == kWays.end()) return kUsage;
  const long period = std::stol(w[4]);
  const auto end = Clock::now() + std::chrono::milliseconds(std::stol(w[3]));
  Counts allowed;
  Counts forbidden;
  std::vector<std::thread> threads;
  for (int i = 0; i < std::stoi(w[2]); ++i)
    threads.emplace_back([&, i] {
      for (long turn = i; Clock::now() < end; ++turn) {
        const bool wrong = turn % period == period - 1;
        (wrong ? forbidden : allowed).add(way->once(wrong ? w[6] : w[5]));
      }
    });
  for (std::thread& thread : threads) thread.join();
  say(nlohmann::json{{"allowed", allowed.json()}, {"forbidden", forbidden.json()}}.dump() + "\n");
  return kDone;
}

// DIRECTORY COUNT: makes, opens and removes one file after the other.
int burst_of_files(const Words& w) {
  Counts counts;
  for (long i = 0; i < std::stol(w[2]); ++i) {
    const std::string path = w[1] + "/" + std::to_string(i);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int result = fd < 0 ? errno : 0;
    ::close(fd);
    counts.add(::unlink(path.c_str()) == 0 ? result : errno);
  }
  say(counts.json().dump() + "\n");
  return kDone;
}

// PORT COUNT: as many sockets, each of which sends once.
int burst_of_sockets(const Words& w) {
  Counts counts;
  const Address to("127.0.0.1", w[1]);
  for (long i = 0; i < std::stol(w[2]); ++i) {
    const Socket socket(AF_INET, SOCK_DGRAM);
    counts.add(send_to(socket, to));
  }
  say(counts.json().dump() + "\n");
  return kDone;
}

// PATH COUNT: as many children, one after the other, each of which tries PATH and ends.
int burst_of_children(const Words& w) {
  Counts counts;
  for (long i = 0; i < std::stol(w[2]); ++i) {
    const int pid = ::fork();
    if (pid == 0) ::_exit(open_once(w[1]));
    counts.add(pid < 0 ? errno : status_of(pid));
  }
  say(counts.json().dump() + "\n");
  return kDone;
}

constexpr std::array kActs{
    Act{"storm", "WAY THREADS MILLISECONDS PERIOD ALLOWED FORBIDDEN", 6, storm},
    Act{"burst-of-files", "DIRECTORY COUNT", 2, burst_of_files},
    Act{"burst-of-sockets", "PORT COUNT", 2, burst_of_sockets},
    Act{"burst-of-children", "PATH COUNT", 2, burst_of_children},
};

}  // namespace

std::span<const Act> storm_acts() { return kActs; }

}  // namespace ambit::acts
