// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_feed.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <cerrno>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23
#include <vector>

#include "userspace/daemon/event_cursor.h"

namespace ambit::daemon {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t kBatch = std::size_t{64} << 10U;
constexpr std::string_view kHeader =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/x-ndjson\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Connection: close\r\n\r\n";

std::string chunk_of(const std::string& text) {
  return boost::beast::buffers_to_string(http::make_chunk(asio::buffer(text)));
}

}  // namespace

/// Sends by itself rather than by async_write, whose completion comes with the loop's next turn:
/// one turn of a flood has more events than the ring.
class EventFeed::Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(EventFeed& feed, Socket socket, EventQuery query)
      : feed_(feed),
        socket_(std::move(socket)),
        stall_(feed.io_),
        cursor_(feed.ring_, std::move(query)) {}

  void begin() {
    out_ = std::string(kHeader) + chunk_of(cursor_.begin_line(feed_.run_));
    wait_for_end();
    pump();
  }

  /// As far as it goes without waiting.
  void pump() {
    while (!closed_ && !waiting_) {
      if (sent_ == out_.size() && !refill()) return;
      const ssize_t size = ::send(socket_.native_handle(), out_.data() + sent_, out_.size() - sent_,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN)
        wait_for_room();
      else if (size <= 0)
        close();
      else
        sent_ += static_cast<std::size_t>(size);
    }
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    stall_.cancel();
    // A holder that was made anew may have a copy of the descriptor.
    static_cast<void>(socket_.shutdown(Socket::shutdown_both, ignored));
    static_cast<void>(socket_.close(ignored));
    feed_.forget(*this);
  }

 private:
  /// False: there is nothing to send now.
  bool refill() {
    if (cursor_.is_over()) {
      if (cursor_.was_slow()) ++feed_.counts_->readers_slow;
      close();
      return false;
    }
    const std::string lines = cursor_.next_lines(kBatch, feed_.stopping_);
    if (lines.empty()) return false;
    sent_ = 0;
    out_ = chunk_of(lines);
    if (cursor_.is_over()) out_ += boost::beast::buffers_to_string(http::make_chunk_last());
    return true;
  }

  void wait_for_room() {
    waiting_ = true;
    stall_.expires_after(feed_.limits_.stall);
    stall_.async_wait([self = shared_from_this()](const error_code& error) {
      if (error || !self->waiting_ || self->closed_) return;
      ++self->feed_.counts_->readers_stalled;
      self->close();
    });
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
      if (error || self->closed_) return;
      self->waiting_ = false;
      self->stall_.cancel();
      self->pump();
    });
  }

  /// Nothing is expected from a reader: whatever comes, its end too, is the end.
  void wait_for_end() {
    socket_.async_read_some(
        asio::buffer(input_),
        [self = shared_from_this()](const error_code&, std::size_t) { self->close(); });
  }

  EventFeed& feed_;
  Socket socket_;
  asio::steady_timer stall_;
  EventCursor cursor_;
  std::string out_;
  std::size_t sent_ = 0;
  std::array<char, 1> input_{};
  bool waiting_ = false;
  bool closed_ = false;
};

EventFeed::EventFeed(asio::io_context& io, std::shared_ptr<ApiCounts> counts, FeedLimits limits)
    : io_(io), counts_(std::move(counts)), limits_(limits), ring_(limits.ring_bytes) {}

EventFeed::~EventFeed() = default;

void EventFeed::append(const model::Event& event, std::string_view line) {
  if (run_.empty()) run_ = event.id;
  ring_.append(event, line);
  if (readers_.empty()) return;
  unseen_ += line.size();
  if (unseen_ > limits_.ring_bytes / 8) return wake();
  if (std::exchange(wake_posted_, true)) return;
  asio::post(io_, [this] {
    wake_posted_ = false;
    wake();
  });
}

void EventFeed::wake() {
  unseen_ = 0;
  for (const auto& reader : std::vector(readers_.begin(), readers_.end())) reader->pump();
}

void EventFeed::forget(const Reader& reader) {
  std::erase_if(readers_, [&](const auto& one) { return one.get() == &reader; });
  counts_->readers = readers_.size();
}

std::optional<ApiResponse> EventFeed::refusal(const EventQuery& query) const {
  if (readers_.size() >= limits_.readers)
    return failure(503, "too_many_readers",
                   std::to_string(limits_.readers) + " readers are served at most");
  if (!query.run.empty() && query.run != run_)
    return failure(409, "other_run", "this daemon's run is " + run_ + ": its events count from 1");
  if (query.from && *query.from > ring_.next())
    return failure(409, "other_run",
                   "the next event has the number " + std::to_string(ring_.next()));
  return std::nullopt;
}

void EventFeed::begin(Socket socket, EventQuery query) {
  readers_.push_back(std::make_shared<Reader>(*this, std::move(socket), std::move(query)));
  counts_->readers = readers_.size();
  const auto reader = readers_.back();
  reader->begin();
}

void EventFeed::stop() {
  stopping_ = true;
  wake();
}

void EventFeed::close() {
  for (const auto& reader : std::vector(readers_.begin(), readers_.end())) reader->close();
}

}  // namespace ambit::daemon
