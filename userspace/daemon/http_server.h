// SPDX-License-Identifier: Apache-2.0
// HTTP on a Unix socket that only root can reach. Whatever comes: bounded in size, in time and in
// number.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "userspace/base/result.h"
#include "userspace/daemon/api.h"
#include "userspace/daemon/api_counts.h"
#include "userspace/daemon/rate_limit.h"

namespace ambit::daemon {

struct HttpLimits {
  std::size_t connections = 64;              ///< one more closes the oldest
  std::chrono::milliseconds patience{5000};  ///< for a whole request, idle time before it too
  std::size_t bodies = 4 * kMaxBody;         ///< of all connections at once
  Rate process{.per_second = 2000, .burst = 4000};
  Rate user{.per_second = 4000, .burst = 8000};
};

using Handler = std::function<ApiResponse(const ApiRequest&)>;
/// Takes the connection of a request whose answer is a stream.
using StreamHandler =
    std::function<void(boost::asio::local::stream_protocol::socket, const EventQuery&)>;

struct HttpService {
  Handler answer;
  StreamHandler stream;  ///< where an answer has `events`
  std::shared_ptr<ApiCounts> counts = std::make_shared<ApiCounts>();
};

class HttpServer {
 public:
  /// Makes the socket (mode 0600) and its directory (0700) where that is missing; takes the place
  /// of one that nobody answers at.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io,
                                                                  const std::string& path,
                                                                  HttpService service,
                                                                  HttpLimits limits = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Removes the socket.
  ~HttpServer();

 private:
  class Listener;
  class Session;
  struct Shared;
  explicit HttpServer(std::shared_ptr<Listener> listener);
  std::shared_ptr<Listener> listener_;
};

}  // namespace ambit::daemon
