// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/http_server.h"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <list>
#include <optional>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "userspace/daemon/socket_file.h"

namespace ambit::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr int kVersion = 11;

struct ReadFault {
  http::error error;
  unsigned status;
  const char* message;
};

constexpr std::array kTooLarge{
    ReadFault{http::error::body_limit, 413, "the body is too large"},
    ReadFault{http::error::header_limit, 431, "the header is too large"},
};

/// What to say of a request that could not be read; nothing: whoever sent it has gone, or was too
/// slow.
std::optional<ApiResponse> fault_of(const error_code& error, ApiCounts& counts) {
  if (error == beast::error::timeout) ++counts.timed_out;
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_method).category())
    return std::nullopt;
  for (const ReadFault& fault : kTooLarge)
    if (error == fault.error) {
      ++counts.refused_size;
      return failure(fault.status, "too_large", fault.message);
    }
  ++counts.refused_garbage;
  return failure(400, "bad_request", "this is no HTTP request: " + error.message());
}

}  // namespace

/// What all sessions of a listener have together.
struct HttpServer::Shared {
  HttpService service;
  HttpLimits limits;
  RateLimit rate{limits.process, limits.user};
  std::size_t bodies = 0;  ///< bytes that are on their way, as far as they were announced
};

class HttpServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Local::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)), counts_(*shared_->service.counts) {
    caller_ = caller_of(stream_.socket().native_handle(), process_);
    ++counts_.connections;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    give_back();
    --counts_.connections;
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(kMaxBody);
    stream_.expires_after(shared_->limits.patience);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& error, std::size_t) {
                              self->on_header(error);
                            });
  }

  /// A holder that was made anew may have a copy of the descriptor: closing alone would not be
  /// seen.
  void close() {
    error_code ignored;
    static_cast<void>(stream_.socket().shutdown(Local::socket::shutdown_both, ignored));
    stream_.close();
  }

 private:
  void on_header(const error_code& error) {
    if (error) return on_fault(error);
    if (parser_->is_done()) return on_read();
    const std::size_t size = parser_->content_length().value_or(kMaxBody);
    if (shared_->bodies + size > shared_->limits.bodies) {
      ++counts_.refused_busy;
      return write(failure(503, "busy", "too many large bodies are on their way"), false);
    }
    body_ = size;
    shared_->bodies += size;
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& failed, std::size_t) {
                       if (failed) return self->on_fault(failed);
                       self->on_read();
                     });
  }

  void on_fault(const error_code& error) {
    auto fault = fault_of(error, counts_);
    if (!fault) return close();
    write(*fault, false);
  }

  void on_read() {
    ++counts_.requests;
    if (!shared_->rate.take(caller_.uid, caller_.pid, std::chrono::steady_clock::now())) {
      ++counts_.refused_rate;
      return write(failure(429, "too_many_requests", "too many requests a second"), false);
    }
    http::request<http::string_body> request = parser_->release();
    const bool keep = request.keep_alive();
    const bool chunks = request.version() >= kVersion;
    const ApiResponse answer =
        shared_->service.answer({.method = std::string(request.method_string()),
                                 .target = std::string(request.target()),
                                 .body = std::move(request.body()),
                                 .caller = caller_,
                                 .counts = &counts_});
    give_back();
    constexpr unsigned kForbidden = 403;
    if (answer.status == kForbidden) ++counts_.refused_caller;
    if (!answer.events) return write(answer, keep);
    if (!chunks) return write(failure(400, "bad_request", "a stream needs HTTP/1.1"), false);
    shared_->service.stream(stream_.release_socket(), *answer.events);
  }

  void give_back() { shared_->bodies -= std::exchange(body_, 0); }

  void write(const ApiResponse& answer, bool keep) {
    response_ = {};
    response_.version(kVersion);
    response_.result(answer.status);
    response_.set(http::field::content_type, "application/json");
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    response_.keep_alive(keep);
    response_.body() = answer.body;
    response_.prepare_payload();
    stream_.expires_after(shared_->limits.patience);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep](const error_code& error, std::size_t) {
                        if (error == beast::error::timeout) ++self->counts_.timed_out;
                        if (error || !keep) return self->close();
                        self->read();
                      });
  }

  beast::basic_stream<Local> stream_;
  std::shared_ptr<Shared> shared_;
  ApiCounts& counts_;
  Descriptor process_;
  Caller caller_;
  std::size_t body_ = 0;  ///< its part of Shared::bodies
  beast::flat_buffer buffer_{kMaxHeader + kMaxBody};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

class HttpServer::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& io, std::string path, std::shared_ptr<Shared> shared)
      : acceptor_(io), pause_(io), path_(std::move(path)), shared_(std::move(shared)) {}

  [[nodiscard]] Result<void> begin() {
    auto socket = listen_at(path_);
    if (!socket) return std::unexpected(socket.error());
    error_code error;
    static_cast<void>(acceptor_.assign(Local(), socket->release(), error));
    if (error) return fail("cannot listen at " + path_ + ": " + error.message());
    accept();
    return {};
  }

  void end() {
    error_code ignored;
    static_cast<void>(acceptor_.close(ignored));
    pause_.cancel();
    for (const auto& session : std::exchange(sessions_, {}))
      if (const auto live = session.lock()) live->close();
    std::remove(path_.c_str());
  }

 private:
  void accept() {
    acceptor_.async_accept(
        [self = shared_from_this()](const error_code& error, Local::socket socket) {
          if (error == asio::error::operation_aborted) return;
          if (error) return self->accept_later();
          self->begin_session(std::move(socket));
          self->accept();
        });
  }

  /// No descriptors, most likely: accepting again at once would only spin.
  void accept_later() {
    constexpr std::chrono::milliseconds kPause{100};
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->accept();
    });
  }

  /// Somebody who holds connections open does not keep others out.
  void begin_session(Local::socket socket) {
    std::erase_if(sessions_, [](const auto& session) { return session.expired(); });
    if (sessions_.size() >= shared_->limits.connections) {
      ++shared_->service.counts->displaced;
      if (const auto oldest = sessions_.front().lock()) oldest->close();
      sessions_.pop_front();
    }
    const auto session = std::make_shared<Session>(std::move(socket), shared_);
    sessions_.push_back(session);
    session->read();
  }

  Local::acceptor acceptor_;
  asio::steady_timer pause_;
  std::string path_;
  std::shared_ptr<Shared> shared_;
  std::list<std::weak_ptr<Session>> sessions_;  ///< the oldest first
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io,
                                                       const std::string& path, HttpService service,
                                                       HttpLimits limits) {
  auto shared = std::make_shared<Shared>(Shared{.service = std::move(service), .limits = limits});
  auto listener = std::make_shared<Listener>(io, path, std::move(shared));
  if (auto begun = listener->begin(); !begun) return std::unexpected(begun.error());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

HttpServer::HttpServer(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

HttpServer::~HttpServer() {
  try {
    listener_->end();
  } catch (const std::exception&) {
    // Memory was short; the next daemon takes the place of a socket at which nobody answers.
    listener_.reset();
  }
}

}  // namespace ambit::daemon
