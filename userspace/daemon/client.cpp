// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstring>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

namespace ambit::daemon {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

namespace {

std::unexpected<Error> unreachable(const std::string& socket, const error_code& error) {
  std::string message = "no daemon answers at " + socket + ": " + error.message();
  if (error == boost::system::errc::permission_denied) message += " (only root may call it)";
  return std::unexpected(Error{.message = std::move(message), .code = error.value()});
}

/// Seconds; 0: for ever.
void wait_at_most(Local::socket& connection, int seconds) {
  const timeval patience{.tv_sec = seconds, .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(connection.native_handle(), SOL_SOCKET, option, &patience, sizeof(patience));
}

/// Connects and sends the request.
Result<void> ask(Local::socket& connection, const std::string& socket, const Call& call) {
  constexpr std::size_t kMaxPath = 107;
  constexpr int kPatience = 60;
  if (socket.size() > kMaxPath) return fail("socket " + socket + ": the path is too long");
  error_code error;
  static_cast<void>(connection.connect(Local::endpoint(socket), error));
  if (error) return unreachable(socket, error);
  wait_at_most(connection, kPatience);
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(call.method);
  request.target(call.target);
  request.set(http::field::host, "ambit");
  if (!call.body.empty()) request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = call.body;
  request.prepare_payload();
  http::write(connection, request, error);
  if (error) return unreachable(socket, error);
  return {};
}

/// Until something comes; false: whoever reads our output has gone.
bool wait_for_more(int connection) {
  std::array<pollfd, 2> wait{pollfd{.fd = connection, .events = POLLIN, .revents = 0},
                             pollfd{.fd = STDOUT_FILENO, .events = 0, .revents = 0}};
  while (::poll(wait.data(), wait.size(), -1) < 0 && errno == EINTR) continue;
  return wait[1].revents == 0;
}

/// Splits what comes into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& take) : take_(take) {}
  void add(std::string_view bytes) {
    rest_ += bytes;
    std::string_view left = rest_;
    for (std::size_t end = 0; (end = left.find('\n')) != std::string_view::npos;) {
      take_(left.substr(0, end));
      left.remove_prefix(end + 1);
    }
    rest_.erase(0, rest_.size() - left.size());
  }

 private:
  const std::function<void(std::string_view)>& take_;
  std::string rest_;
};

/// A stream that is being read. Not by http::read_some: that waits with the last bytes of a chunk
/// in hand, and nobody could say whether it does.
class BlockReader {
 public:
  explicit BlockReader(Local::socket& connection) : connection_(connection) {
    parser_.body_limit(boost::none);
  }
  [[nodiscard]] error_code read_header() {
    error_code error;
    http::read_header(connection_, buffer_, parser_, error);
    return error;
  }
  [[nodiscard]] unsigned status() const { return parser_.get().result_int(); }
  [[nodiscard]] bool is_done() const { return parser_.is_done(); }

  /// Some of the body, from what has come; nothing: more has to come first.
  [[nodiscard]] std::string take(error_code& error) {
    std::string block(kBlock, '\0');
    parser_.get().body() = {.data = block.data(), .size = block.size(), .more = true};
    while (buffer_.size() > 0 && !parser_.is_done() && parser_.get().body().size == kBlock) {
      buffer_.consume(parser_.put(buffer_.data(), error));
      if (error == http::error::need_buffer || error == http::error::need_more) {
        const bool more = error == http::error::need_more;
        error = {};
        if (more) break;
      }
      if (error) break;
    }
    block.resize(kBlock - parser_.get().body().size);
    return block;
  }
  [[nodiscard]] error_code receive() {
    error_code error;
    buffer_.commit(connection_.read_some(buffer_.prepare(kBlock), error));
    return error;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{64} << 10U;
  Local::socket& connection_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::buffer_body> parser_;
};

}  // namespace

Result<CallAnswer> call(const std::string& socket, const Call& call) {
  asio::io_context io;
  Local::socket connection(io);
  error_code error;
  if (auto asked = ask(connection, socket, call); !asked) return std::unexpected(asked.error());
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> answer;
  constexpr std::uint64_t kMaxAnswer = std::uint64_t{64} << 20U;
  answer.body_limit(kMaxAnswer);
  http::read(connection, buffer, answer, error);
  if (error) return unreachable(socket, error);
  return CallAnswer{.status = answer.get().result_int(), .body = answer.get().body()};
}

Result<StreamAnswer> stream(const std::string& socket, const std::string& target,
                            const std::function<void(std::string_view)>& take,
                            const std::function<void()>& rest) {
  asio::io_context io;
  Local::socket connection(io);
  const Call call{.method = "GET", .target = target, .body = {}};
  if (auto asked = ask(connection, socket, call); !asked) return std::unexpected(asked.error());
  BlockReader reader(connection);
  if (const error_code error = reader.read_header()) return unreachable(socket, error);
  StreamAnswer answer;
  answer.refusal.status = reader.status();
  const bool refused = answer.refusal.status != static_cast<unsigned>(http::status::ok);
  if (!refused) wait_at_most(connection, 0);
  Lines lines(take);
  for (;;) {
    error_code error;
    const std::string block = reader.take(error);
    if (refused)
      answer.refusal.body += block;
    else
      lines.add(block);
    if (reader.is_done()) break;
    if (error) return StreamAnswer{.end = StreamEnd::cut, .refusal = {}};
    if (!block.empty()) continue;
    rest();
    if (!wait_for_more(connection.native_handle()))
      return StreamAnswer{.end = StreamEnd::reader_gone, .refusal = {}};
    if (reader.receive()) return StreamAnswer{.end = StreamEnd::cut, .refusal = {}};
  }
  rest();
  answer.end = refused ? StreamEnd::refused : StreamEnd::done;
  return answer;
}

}  // namespace ambit::daemon
