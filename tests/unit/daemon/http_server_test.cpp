// SPDX-License-Identifier: Apache-2.0
// Whatever comes over the socket: it is bounded, and others are served meanwhile.
#include "userspace/daemon/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "userspace/base/descriptor.h"
#include "userspace/daemon/client.h"

namespace ambit::daemon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::milliseconds kPatience{400};
constexpr std::size_t kLarge = std::size_t{8} << 20U;  // more than a socket holds

class HttpSocket : public testing::Test {
 protected:
  HttpSocket() {
    std::string name = "/tmp/ambit-http.XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/run/control.sock";
  }
  ~HttpSocket() override {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Result<std::unique_ptr<HttpServer>> listen() {
    return HttpServer::listen(
        io_, path_,
        {.answer =
             [](const ApiRequest& request) {
               if (request.target == "/large")
                 return ApiResponse{.status = 200, .body = std::string(kLarge, 'x'), .allow = {}};
               return ApiResponse{.status = 200,
                                  .body = request.method + " " + request.target + " " +
                                          std::to_string(request.body.size()) + " " +
                                          std::to_string(request.caller.uid) + " " +
                                          (request.caller.pidfd >= 0 ? "held" : "gone"),
                                  .allow = {}};
             },
         .stream = {},
         .counts = counts_},
        limits_);
  }
  void begin() {
    auto server = listen();
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }
  [[nodiscard]] Descriptor connect() const {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      return {};
    return socket;
  }
  static void send(const Descriptor& socket, const std::string& bytes) {
    static_cast<void>(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  /// All that comes until the other side closes; "open" behind it where it does not.
  static std::string receive(const Descriptor& socket) {
    std::string all;
    std::array<char, 65536> block{};
    for (;;) {
      pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
      constexpr int kLimit = 5000;
      if (::poll(&wait, 1, kLimit) == 0) return all + " open";
      const ssize_t size = ::recv(socket.get(), block.data(), block.size(), 0);
      if (size <= 0) return all;
      all.append(block.data(), static_cast<std::size_t>(size));
    }
  }
  void expect_served() const {
    const auto served = call(path_, {.method = "GET", .target = "/x", .body = {}});
    ASSERT_TRUE(served) << served.error().message;
    EXPECT_EQ(served->body, "GET /x 0 " + std::to_string(::getuid()) + " held");
  }

  /// The loop's own: to be looked at when the loop has ended.
  const ApiCounts& counts() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    return *counts_;
  }

  std::string directory_;
  std::string path_;
  HttpLimits limits_{.connections = 16, .patience = kPatience};
  std::shared_ptr<ApiCounts> counts_ = std::make_shared<ApiCounts>();
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpSocket, IsItsOwnersAloneAndKnowsItsCaller) {
  begin();
  struct stat facts{};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((directory_ + "/run").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
  expect_served();
}

TEST_F(HttpSocket, TakesTheSocketOfOneThatDiedAndNothingElse) {
  std::filesystem::create_directory(directory_ + "/run");
  std::ofstream(path_) << "a file";
  EXPECT_THAT(listen().error().message, HasSubstr("is no socket"));
  std::filesystem::remove(path_);
  {
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  begin();
  EXPECT_THAT(listen().error().message, HasSubstr("another daemon answers"));
  expect_served();
}

TEST_F(HttpSocket, RemovesItsSocketAtTheEnd) {
  begin();
  io_.stop();
  thread_.join();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HttpSocket, ServesSeveralRequestsOnOneConnection) {
  begin();
  const Descriptor socket = connect();
  send(socket,
       "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: "
       "close\r\n\r\n");
  const std::string all = receive(socket);
  EXPECT_THAT(all, HasSubstr("GET /a 0"));
  EXPECT_THAT(all, HasSubstr("GET /b 0"));
}

TEST_F(HttpSocket, RefusesABodyThatIsTooLargeBeforeItHasCome) {
  begin();
  const Descriptor socket = connect();
  send(socket, "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n{");
  EXPECT_THAT(receive(socket), StartsWith("HTTP/1.1 413 "));
  const Descriptor chunked = connect();
  send(chunked, "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string piece = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  for (int i = 0; i < 1600; ++i) send(chunked, piece);
  EXPECT_THAT(receive(chunked), testing::AnyOf(StartsWith("HTTP/1.1 413 "), ""));
  expect_served();
  EXPECT_EQ(counts().refused_size, 2U);
}

TEST_F(HttpSocket, RefusesAHeaderThatIsTooLargeAndWhatIsNoHttp) {
  begin();
  const Descriptor large = connect();
  send(large, "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(receive(large), StartsWith("HTTP/1.1 431 "));
  const std::vector<std::string> all{std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10),
                                     "GET\r\n\r\n", std::string(4000, '\0') + "\r\n\r\n"};
  for (const std::string& garbage : all) {
    const Descriptor socket = connect();
    send(socket, garbage);
    EXPECT_THAT(receive(socket), StartsWith("HTTP/1.1 400 "));
  }
  // Many small lines are as much as one long one.
  const Descriptor flood = connect();
  std::string lines = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 10'000; ++i) lines += "X" + std::to_string(i) + ": y\r\n";
  send(flood, lines);
  EXPECT_THAT(receive(flood), StartsWith("HTTP/1.1 431 "));
  expect_served();
  EXPECT_EQ(counts().refused_garbage, 3U);
  EXPECT_EQ(counts().refused_size, 2U);
}

TEST_F(HttpSocket, ClosesAHalfRequestWhenItsTimeIsOver) {
  begin();
  const Descriptor header = connect();
  send(header, "GET / HT");
  const Descriptor body = connect();
  send(body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(receive(header), "");
  EXPECT_EQ(receive(body), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10 * kPatience);
  expect_served();
  EXPECT_EQ(counts().timed_out, 2U);
}

TEST_F(HttpSocket, EndsARequestThatComesByteByByteWhenItsTimeIsOver) {
  begin();
  const Descriptor slow = connect();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 500 && std::chrono::steady_clock::now() - start < 3 * kPatience; ++i) {
    send(slow, i == 0 ? "GET /" : "x");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(receive(slow), "") << "each byte gives no time of its own";
  expect_served();
}

TEST_F(HttpSocket, ServesAHundredRequestsInOnePieceInTheirOrder) {
  begin();
  const Descriptor socket = connect();
  std::string all;
  for (int i = 0; i < 100; ++i)
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n" +
           (i == 99 ? "Connection: close\r\n\r\n" : "\r\n");
  send(socket, all);
  const std::string answers = receive(socket);
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = answers.find("GET /" + std::to_string(i) + " 0", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(HttpSocket, TurnsARequestAwayThatComesTooSoonAndTakesItLater) {
  limits_.process = {.per_second = 5, .burst = 3};
  begin();
  for (int i = 0; i < 3; ++i) expect_served();
  const auto fourth = call(path_, {.method = "GET", .target = "/x", .body = {}});
  ASSERT_TRUE(fourth) << fourth.error().message;
  EXPECT_EQ(fourth->status, 429U);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  expect_served();
  EXPECT_EQ(counts().refused_rate, 1U);
  EXPECT_EQ(counts().requests, 5U);
}

TEST_F(HttpSocket, TakesOnlySoManyBytesOfBodiesAtOnce) {
  limits_.bodies = 100'000;
  begin();
  const std::string header = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";
  const Descriptor first = connect();
  send(first, header + "x");
  const Descriptor second = connect();
  // Behind the first, whichever the loop sees first.
  expect_served();
  send(second, header + "x");
  EXPECT_THAT(receive(second), StartsWith("HTTP/1.1 503 "));
  send(first, std::string(59'999, 'x'));
  std::array<char, 12> begin{};
  ASSERT_EQ(::recv(first.get(), begin.data(), begin.size(), 0), 12);
  EXPECT_EQ(std::string(begin.data(), begin.size()), "HTTP/1.1 200");
  const auto again =
      call(path_, {.method = "POST", .target = "/", .body = std::string(60'000, 'x')});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->status, 200U) << "what is done is given back";
  EXPECT_EQ(counts().refused_busy, 1U);
}

TEST_F(HttpSocket, ServesOthersWhileAThousandConnectionsAreIdle) {
  begin();
  std::vector<Descriptor> idle;
  for (int i = 0; i < 1000; ++i) idle.push_back(connect());
  expect_served();
  for (const Descriptor& one : idle) EXPECT_EQ(receive(one), "");
  expect_served();
}

TEST_F(HttpSocket, IsNotHeldUpByOneWhoDoesNotReadAndEndsIt) {
  begin();
  const Descriptor slow = connect();
  send(slow, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_served();
  pollfd closed{.fd = slow.get(), .events = POLLRDHUP, .revents = 0};
  EXPECT_EQ(::poll(&closed, 1, static_cast<int>((10 * kPatience).count())), 1);
  EXPECT_LT(receive(slow).size(), kLarge);
  const auto whole = call(path_, {.method = "GET", .target = "/large", .body = {}});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body.size(), kLarge) << "who reads gets all of it";
}

}  // namespace
}  // namespace ambit::daemon
