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

#include "userspace/daemon/http_server.h"
#include "userspace/pipeline/task_host.h"

namespace ambit::daemon {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using pipeline::TaskHost;

class Loop {
 public:
  explicit Loop(TaskHost& host)
      : host_(host), tick_(io_), records_(io_, host.descriptor()), signals_(io_, SIGTERM, SIGINT) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { records_.release(); }  // the host's own

  [[nodiscard]] Result<void> run(const std::string& socket) {
    auto server = HttpServer::listen(
        io_, socket, [this](const ApiRequest& request) { return answer(request, host_); });
    if (!server) return std::unexpected(server.error());
    signals_.async_wait([this](const error_code& error, int) {
      if (!error) io_.stop();
    });
    wait_for_records();
    wait_for_tick();
    std::fprintf(stderr, "ambit daemon: ready at %s\n", socket.c_str());
    io_.run();
    return {};
  }

 private:
  void wait_for_records() {
    records_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (!error) take_records();
    });
  }

  /// In a flood callers and ends get their turn in between.
  void take_records() {
    if (host_.serve())
      asio::post(io_, [this] { take_records(); });
    else
      wait_for_records();
  }

  void wait_for_tick() {
    constexpr std::chrono::milliseconds kTick{100};
    tick_.expires_after(kTick);
    tick_.async_wait([this](const error_code& error) {
      if (error) return;
      host_.tick();
      wait_for_tick();
    });
  }

  asio::io_context io_{1};
  TaskHost& host_;
  asio::steady_timer tick_;
  asio::posix::stream_descriptor records_;
  asio::signal_set signals_;
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
  auto host = TaskHost::start({.catalogue = config.catalogue,
                               .events = config.events,
                               .backend = config.backend,
                               .watcher = {},
                               .places = pipeline::places_of(config.socket)});
  if (!host) return std::unexpected(host.error());
  auto served = Loop(**host).run(config.socket);
  auto stopped = (*host)->stop(served ? config.on_stop : model::OnStop::keep);
  return served ? stopped : served;
}

}  // namespace ambit::daemon
