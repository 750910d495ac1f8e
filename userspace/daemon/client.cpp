// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstring>
#include <nlohmann/json.hpp>
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

}  // namespace

Result<CallAnswer> call(const std::string& socket, const Call& call) {
  constexpr std::size_t kMaxPath = 107;
  if (socket.size() > kMaxPath) return fail("socket " + socket + ": the path is too long");
  asio::io_context io;
  Local::socket connection(io);
  error_code error;
  static_cast<void>(connection.connect(Local::endpoint(socket), error));
  if (error) return unreachable(socket, error);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(connection.native_handle(), SOL_SOCKET, option, &patience, sizeof(patience));
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
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> answer;
  constexpr std::uint64_t kMaxAnswer = std::uint64_t{64} << 20U;
  answer.body_limit(kMaxAnswer);
  http::read(connection, buffer, answer, error);
  if (error) return unreachable(socket, error);
  return CallAnswer{.status = answer.get().result_int(), .body = answer.get().body()};
}

Result<CallAnswer> call_default(const Call& asked) {
  auto inside = call(kDefaultDelegateSocket, asked);
  if (!inside) return call(kDefaultSocket, asked);
  const auto body = nlohmann::json::parse(inside->body, nullptr, false);
  if (body.is_object() && body.contains("code") && body["code"] == "not_in_task")
    return call(kDefaultSocket, asked);
  return inside;
}

}  // namespace ambit::daemon
