// SPDX-License-Identifier: Apache-2.0
// The events of this daemon as a stream for several readers. None of them makes the loop wait or
// the memory grow: each has a place in one ring, and who falls behind it is told so and let go.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "userspace/daemon/api.h"
#include "userspace/daemon/api_counts.h"
#include "userspace/daemon/event_query.h"
#include "userspace/daemon/event_ring.h"

namespace ambit::daemon {

struct FeedLimits {
  std::size_t ring_bytes = EventRing::kBytes;
  std::size_t readers = 16;
  std::chrono::milliseconds stall{60'000};  ///< how long a reader may read nothing
};

class EventFeed {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  EventFeed(boost::asio::io_context& io, std::shared_ptr<ApiCounts> counts, FeedLimits limits = {});
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;
  ~EventFeed();

  void append(const model::Event& event, std::string_view line);
  /// What is wrong with this query now.
  [[nodiscard]] std::optional<ApiResponse> refusal(const EventQuery& query) const;
  /// Answers on this connection until it ends.
  void begin(Socket socket, EventQuery query);
  /// No event follows: readers get what there is and a last line.
  void stop();
  /// All readers have gone.
  [[nodiscard]] bool is_idle() const { return readers_.empty(); }
  /// Closes what is left of them.
  void close();
  [[nodiscard]] const std::shared_ptr<ApiCounts>& counts() const { return counts_; }

 private:
  class Reader;
  void wake();
  void forget(const Reader& reader);

  boost::asio::io_context& io_;
  std::shared_ptr<ApiCounts> counts_;
  FeedLimits limits_;
  EventRing ring_;
  std::string run_;  ///< the id of its first event
  std::list<std::shared_ptr<Reader>> readers_;
  std::size_t unseen_ = 0;  ///< bytes since the readers were last looked after
  bool wake_posted_ = false;
  bool stopping_ = false;
};

}  // namespace ambit::daemon
