// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/daemon.h"

#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "userspace/daemon/event_feed.h"
#include "userspace/daemon/http_server.h"
#include "userspace/pipeline/task_host.h"

namespace ambit::daemon {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using pipeline::TaskHost;

class Loop {
 public:
  Loop(asio::io_context& io, TaskHost& host, EventFeed& feed)
      : io_(io),
        host_(host),
        feed_(feed),
        tick_(io),
        records_(io, host.descriptor()),
        signals_(io, SIGTERM, SIGINT) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { records_.release(); }  // the host's own

  [[nodiscard]] Result<void> run(const std::string& socket) {
    auto server = HttpServer::listen(
        io_, socket, [this](const ApiRequest& request) { return reply(request); }, {},
        [this](auto connection, const EventQuery& query) {
          feed_.begin(std::move(connection), query);
        });
    if (!server) return std::unexpected(server.error());
    signals_.async_wait([this](const error_code& error, int) {
      if (!error) io_.stop();
    });
    wait_for_records();
    wait_for_tick();
    std::fprintf(stderr, "ambit daemon: ready at %s\n", socket.c_str());
    io_.run();
    stopping_ = true;
    return {};
  }

  /// The host has written its last event: readers of the stream get it, if they are quick.
  void finish() {
    constexpr std::chrono::seconds kLimit{1};
    const auto end = std::chrono::steady_clock::now() + kLimit;
    feed_.stop();
    io_.restart();
    while (!feed_.is_idle() && std::chrono::steady_clock::now() < end) io_.run_one_until(end);
    feed_.close();
  }

 private:
  ApiResponse reply(const ApiRequest& request) {
    if (stopping_) return failure(503, "unavailable", "the daemon stops");
    ApiResponse response = answer(request, host_);
    if (response.events)
      if (auto refusal = feed_.refusal(*response.events)) return std::move(*refusal);
    return response;
  }

  void wait_for_records() {
    records_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (!error) take_records();
    });
  }

  /// In a flood callers and ends get their turn in between.
  void take_records() {
    if (stopping_) return;
    if (host_.serve())
      asio::post(io_, [this] { take_records(); });
    else
      wait_for_records();
  }

  void wait_for_tick() {
    constexpr std::chrono::milliseconds kTick{100};
    tick_.expires_after(kTick);
    tick_.async_wait([this](const error_code& error) {
      if (error || stopping_) return;
      host_.tick();
      wait_for_tick();
    });
  }

  asio::io_context& io_;
  TaskHost& host_;
  EventFeed& feed_;
  asio::steady_timer tick_;
  asio::posix::stream_descriptor records_;
  asio::signal_set signals_;
  bool stopping_ = false;
};

/// A task costs a descriptor for its process, and some for its programs.
void raise_limit_of_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<void> serve(const model::Config& config) {
  raise_limit_of_files();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit is a failed write, as a full disk is
  ::signal(SIGHUP, SIG_IGN);   // the end of a terminal is not the end of the tasks
  asio::io_context io{1};
  EventFeed feed(io);
  auto host =
      TaskHost::start({.catalogue = config.catalogue,
                       .events = config.events,
                       .backend = config.backend,
                       .watcher = [&feed](const model::Event& event, std::string_view line) {
                         feed.append(event, line);
                       }});
  if (!host) return std::unexpected(host.error());
  Loop loop(io, **host, feed);
  auto served = loop.run(config.socket);
  auto stopped = (*host)->stop(config.on_stop);
  loop.finish();
  return served ? stopped : served;
}

}  // namespace ambit::daemon
