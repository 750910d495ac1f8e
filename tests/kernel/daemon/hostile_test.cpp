// SPDX-License-Identifier: Apache-2.0
// Callers that send what they should not, or do not read what they asked for, while others call:
// what those wait, and what it costs the daemon.
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iostream>

#include "tests/kernel/daemon/node.h"

namespace ambit::probe {
namespace {

using Clock = std::chrono::steady_clock;

/// A connection of bytes.
class Raw {
 public:
  explicit Raw(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const timeval limit{.tv_sec = 1, .tv_usec = 0};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
      ::setsockopt(socket_.get(), SOL_SOCKET, option, &limit, sizeof(limit));
    open_ =
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  /// False when it was closed.
  bool send(const std::string& bytes) {
    open_ = open_ && ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    return open_;
  }
  [[nodiscard]] std::string receive() {
    std::array<char, 65536> block{};
    const ssize_t size = ::recv(socket_.get(), block.data(), block.size(), 0);
    open_ = open_ && size > 0;
    return size > 0 ? std::string(block.data(), static_cast<std::size_t>(size)) : std::string();
  }
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  Descriptor socket_;
  bool open_ = false;
};

const std::string kHealth = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n";

using Misdeed = void (*)(const std::string& path);

void sends_garbage(const std::string& path) {
  std::string bytes(4096, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7919 >> 3U);
  Raw caller(path);
  caller.send(bytes + "\r\n\r\n");
  static_cast<void>(caller.receive());
}

void sends_half_requests(const std::string& path) {
  std::vector<std::unique_ptr<Raw>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::make_unique<Raw>(path));
    all.back()->send(i % 2 == 0
                         ? "GET /v1/he"
                         : "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
  }
  sleep_for(200ms);
}

void does_not_read_its_answers(const std::string& path) {
  Raw caller(path);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += kHealth;
  while (caller.send(many)) continue;
}

void sends_a_body_of_100_mb(const std::string& path) {
  Raw told(path);
  told.send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
  const std::string piece = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  for (int i = 0; i < 1600 && told.send(piece); ++i) continue;
  Raw chunked(path);
  chunked.send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 1600 && chunked.send(piece); ++i) continue;
}

void holds_large_bodies_back(const std::string& path) {
  std::vector<std::unique_ptr<Raw>> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(std::make_unique<Raw>(path));
    all.back()->send("POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
                     std::string(100'000, 'x'));
  }
  sleep_for(200ms);
}

void holds_1000_idle_connections(const std::string& path) {
  std::vector<std::unique_ptr<Raw>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(std::make_unique<Raw>(path));
  sleep_for(500ms);
}

void pipelines_requests(const std::string& path) {
  Raw caller(path);
  std::string many;
  for (int i = 0; i < 100; ++i) many += kHealth;
  while (caller.send(many) && !caller.receive().empty()) continue;
}

void floods_with_headers(const std::string& path) {
  Raw caller(path);
  caller.send("GET /v1/health HTTP/1.1\r\n");
  for (int i = 0; i < 100'000; ++i)
    if (!caller.send("X-" + std::to_string(i) + ": y\r\n")) return;
}

void sends_byte_by_byte(const std::string& path) {
  Raw caller(path);
  for (const char c : kHealth + "GET /" + std::string(200, 'x')) {
    if (!caller.send(std::string(1, c))) return;
    sleep_for(2ms);
  }
}

void asks_without_rest(const std::string& path) {
  Raw caller(path);
  while (caller.send("GET /v1/tasks HTTP/1.1\r\nHost: x\r\n\r\n") && !caller.receive().empty())
    continue;
}

void reads_no_events(const std::string& path) {
  std::vector<std::unique_ptr<Raw>> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(std::make_unique<Raw>(path));
    all.back()->send("GET /v1/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  sleep_for(200ms);
}

struct Row {
  const char* name;
  Misdeed misdeed;
};

constexpr std::array kRows{
    Row{"garbage", sends_garbage},
    Row{"half requests", sends_half_requests},
    Row{"answers not read", does_not_read_its_answers},
    Row{"100 MB body", sends_a_body_of_100_mb},
    Row{"40 slow bodies of 2 MB", holds_large_bodies_back},
    Row{"1,000 idle connections", holds_1000_idle_connections},
    Row{"pipelined", pipelines_requests},
    Row{"header flood", floods_with_headers},
    Row{"byte by byte", sends_byte_by_byte},
    Row{"without rest", asks_without_rest},
    Row{"events not read", reads_no_events},
};

/// A process of its own: limits are counted by process.
class Offender {
 public:
  Offender(Misdeed misdeed, const std::string& path) : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) misdeed(path);
  }
  Offender(const Offender&) = delete;
  Offender& operator=(const Offender&) = delete;
  ~Offender() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

struct Waits {
  std::vector<double> ms;
  int failed = 0;
  [[nodiscard]] double at(double share) {
    if (ms.empty()) return 1e9;
    std::ranges::sort(ms);
    return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
  }
};

/// Calls every 5 ms, a connection each.
Waits well_behaved(const std::string& path, std::chrono::milliseconds time) {
  Waits waits;
  for (const auto end = Clock::now() + time; Clock::now() < end; sleep_for(5ms)) {
    const auto begin = Clock::now();
    Raw caller(path);
    caller.send(kHealth);
    const bool good = caller.receive().starts_with("HTTP/1.1 200");
    if (!good) ++waits.failed;
    if (good)
      waits.ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return waits;
}

long resident_kb(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  return -1;
}

TEST(HostileCallers, LeaveAWellBehavedOneItsAnswersAndTheDaemonItsMemory) {
  const Scratch scratch;
  const std::string secret = scratch.secret("mine/secret");
  Node node(scratch, {{.name = "mine", .files = {secret}}});
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch, "worker", {{{"open", {"open", secret}}}});
  static_cast<void>(node.open({.name = "held", .credentials = {}}, worker.pid()));
  Waits quiet = well_behaved(node.socket(), 1s);
  const double floor = quiet.at(0.5);
  const long before = resident_kb(node.process().pid());
  std::cout << "nobody else: median " << floor << " ms, " << before << " kB resident\n";
  for (const Row& row : kRows) {
    long most = 0;
    Waits waits;
    {
      const Offender offender(row.misdeed, node.socket());
      sleep_for(100ms);
      waits = well_behaved(node.socket(), 2s);
      most = resident_kb(node.process().pid());
    }
    std::cout << row.name << ": median " << waits.at(0.5) << " ms, p99 " << waits.at(0.99)
              << " ms, failed " << waits.failed << " of "
              << waits.ms.size() + static_cast<std::size_t>(waits.failed) << ", " << most
              << " kB resident\n";
    EXPECT_LT(waits.at(0.5), floor + 10) << row.name;
    EXPECT_LE(waits.failed, static_cast<int>(waits.ms.size()) / 20) << row.name;
    EXPECT_LT(most, before + 16 * 1024) << row.name;
  }
  worker.turn(1);
  EXPECT_TRUE(worker.of("open").refused()) << "it goes on deciding";
  const Ended status =
      run({.argv = {ambit_binary(), "status", "--json", "--socket", node.socket()}});
  const Json counts = at(Json::parse(status.out, nullptr, false), "/api");
  std::cout << counts.dump(1) << "\n";
  for (const char* const cause : {"/refused/rate", "/refused/size", "/refused/garbage",
                                  "/refused/busy", "/connections/displaced"})
    EXPECT_GT(at(counts, cause).get<int>(), 0) << cause;
  EXPECT_EQ(node.stop().exit, 0);
}

}  // namespace
}  // namespace ambit::probe
