// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/daemon.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "userspace/daemon/config_file.h"
#include "userspace/daemon/document_watch.h"
#include "userspace/daemon/event_feed.h"
#include "userspace/daemon/heartbeat.h"
#include "userspace/daemon/http_server.h"
#include "userspace/daemon/log.h"
#include "userspace/pipeline/task_host.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::daemon {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using pipeline::TaskHost;

class Loop {
 public:
  Loop(asio::io_context& io, TaskHost& host, EventFeed& feed, DocumentWatch& documents, Log& log)
      : io_(io),
        host_(host),
        feed_(feed),
        documents_(documents),
        log_(log),
        tick_(io),
        records_(io, host.descriptor()),
        signals_(io, SIGTERM, SIGINT),
        reload_(io, SIGHUP) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { records_.release(); }  // the host's own

  [[nodiscard]] Result<void> run(const std::string& socket, const std::string& inside,
                                 ServiceManager manager) {
    // First: where both have one directory, tasks must be able to pass it.
    auto delegation = listen_inside(inside);
    if (!delegation) return std::unexpected(delegation.error());
    auto server = HttpServer::listen(
        io_, socket,
        {.answer = [this](const ApiRequest& request) { return reply(request); },
         .stream = [this](auto connection,
                          const EventQuery& query) { feed_.begin(std::move(connection), query); },
         .counts = counts_});
    if (!server) return std::unexpected(server.error());
    heartbeat_.emplace(io_, std::move(manager), log_, [this] { return status_line(); });
    signals_.async_wait([this](const error_code& error, int number) {
      if (error) return;
      log_.info("stopping", {{"signal", static_cast<unsigned>(number)}});
      io_.stop();
    });
    wait_for_records();
    wait_for_tick();
    wait_for_reload();
    log_.info("ready", {{"socket", socket}, {"backend", model::name_of(host_.status().backend)}});
    heartbeat_->ready();
    io_.run();
    heartbeat_->stopping();
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
  /// None: nobody delegates.
  Result<std::unique_ptr<HttpServer>> listen_inside(const std::string& socket) {
    if (socket.empty()) return nullptr;
    // A task must not keep the daemon from others.
    constexpr Rate kProcess{.per_second = 100, .burst = 200};
    constexpr Rate kUser{.per_second = 200, .burst = 400};
    return HttpServer::listen(
        io_, socket,
        {.answer =
             [this](const ApiRequest& request) {
               return logged(request, stopping_ ? stopped() : answer_inside(request, host_));
             },
         .stream = {},
         .counts = counts_},
        {.process = kProcess, .user = kUser, .reach = Reach::everybody});
  }

  static ApiResponse stopped() { return failure(503, "unavailable", "the daemon stops"); }

  ApiResponse reply(const ApiRequest& request) {
    ApiResponse response = stopping_ ? stopped() : answer(request, host_);
    if (response.events)
      if (auto refusal = feed_.refusal(*response.events)) response = std::move(*refusal);
    return logged(request, std::move(response));
  }

  ApiResponse logged(const ApiRequest& request, ApiResponse response) {
    constexpr unsigned kForbidden = 403;
    const LogFields what{{"method", request.method},
                         {"target", request.target},
                         {"status", response.status},
                         {"uid", request.caller.uid},
                         {"pid", static_cast<std::uint32_t>(request.caller.pid)}};
    if (response.status == kForbidden)
      log_.warning("a caller was turned away", what);
    else
      log_.debug("answered", what);
    return response;
  }

  [[nodiscard]] std::string status_line() const {
    const pipeline::ServiceStatus status = host_.status();
    if (!status.fault.empty()) return "not ready: " + status.fault;
    return std::string(model::name_of(status.backend)) + ", " + std::to_string(status.tasks) +
           " tasks, " + std::to_string(status.findings) + " findings";
  }

  /// What changed since the last look.
  void log_changes() {
    if (std::string fault = host_.status().fault; fault != fault_) {
      if (fault.empty())
        log_.info("ready again");
      else
        log_.warning("not ready", {{"reason", fault}});
      fault_ = std::move(fault);
    }
    const std::uint64_t gone = counts_->readers_slow + counts_->readers_stalled;
    if (gone != readers_gone_)
      log_.warning("readers of events were too slow", {{"readers", gone - readers_gone_}});
    readers_gone_ = gone;
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

  void wait_for_reload() {
    reload_.async_wait([this](const error_code& error, int) {
      if (error) return;
      reload();
      wait_for_reload();
    });
  }

  void reload() { static_cast<void>(host_.reload()); }  // it is told by itself (log_reload)

  void wait_for_tick() {
    constexpr std::chrono::milliseconds kTick{100};
    tick_.expires_after(kTick);
    tick_.async_wait([this](const error_code& error) {
      if (error || stopping_) return;
      host_.tick();
      constexpr unsigned kTurnsOfASecond = 10;
      if (++ticks_ % kTurnsOfASecond == 0) look_around();
      wait_for_tick();
    });
  }

  void look_around() {
    log_changes();
    if (!documents_.has_changed()) return;
    log_.info("files have changed");
    reload();
  }

  asio::io_context& io_;
  TaskHost& host_;
  EventFeed& feed_;
  DocumentWatch& documents_;
  Log& log_;
  std::shared_ptr<ApiCounts> counts_ = feed_.counts();
  asio::steady_timer tick_;
  asio::posix::stream_descriptor records_;
  asio::signal_set signals_;
  asio::signal_set reload_;
  std::optional<Heartbeat> heartbeat_;
  std::string fault_;
  std::uint64_t readers_gone_ = 0;
  unsigned ticks_ = 0;
  bool stopping_ = false;
};

/// A mistake in a document has several lines: each is one of the log.
void log_lines(Log& log, std::string_view message) {
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    log.error(message.substr(0, end));
    message.remove_prefix(std::min(end + 1, message.size()));
  }
}

void log_reload(Log& log, const pipeline::Answer<pipeline::ReloadView>& done) {
  if (!done) {
    log.error("reload refused", {{"reason", done.error().message}});
    log_lines(log, policy::render(done.error().diagnostics));
    return;
  }
  log.info("reloaded",
           {{"credentials", done->credentials}, {"scopes", done->scopes}, {"tasks", done->tasks}});
  for (const std::string& key : done->restart)
    log.warning("what is new there wants a new start", {{"key", key}});
  for (const std::string& note : done->notes) log.warning(note);
}

std::vector<std::string> documents_of(const model::Config& config) {
  std::vector<std::string> out{config.source};
  out.insert(out.end(), config.catalogue.begin(), config.catalogue.end());
  out.insert(out.end(), config.scopes.begin(), config.scopes.end());
  return out;
}

/// A task costs a descriptor for its process, and some for its programs.
void raise_limit_of_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> serve_logged(const model::Config& config, const Started& started,
                          ServiceManager manager, Log& log) {
  const std::string inside = config.delegate_socket.value_or(
      std::filesystem::path(config.socket).replace_filename("delegate.sock"));
  asio::io_context io{1};
  EventFeed feed(io, std::make_shared<ApiCounts>());
  DocumentWatch documents(documents_of(config));
  const auto read_anew = [&documents, file = config.source] {
    documents.take();
    auto fresh = read_config(file);
    if (fresh) documents.watch(documents_of(*fresh));
    return fresh;
  };
  auto host =
      TaskHost::start({.catalogue = config.catalogue,
                       .scopes = config.scopes,
                       .events = config.events,
                       .delegate_socket = inside,
                       .backend = config.backend,
                       .watcher = [&feed](const model::Event& event,
                                          std::string_view line) { feed.append(event, line); },
                       .shadow = started.shadow,
                       .program = started.program,
                       .config = config,
                       .read_config = read_anew,
                       .on_reload = [&log](const auto& done) { log_reload(log, done); },
                       .places = pipeline::places_of(config.socket),
                       .on_fault = [&log](const std::string& fault) { log.warning(fault); }});
  if (!host) return std::unexpected(host.error());
  Loop loop(io, **host, feed, documents, log);
  auto served = loop.run(config.socket, inside, std::move(manager));
  auto stopped = (*host)->stop(served ? (*host)->on_stop() : model::OnStop::keep);
  loop.finish();
  return served ? stopped : served;
}

}  // namespace

Result<void> serve(const model::Config& config, const Started& started) {
  raise_limit_of_files();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);  // until there is something to read anew
  ServiceManager manager = ServiceManager::from_environment();
  Log log(started.log, STDERR_FILENO);
  log.info("starting", {{"pid", static_cast<std::uint32_t>(::getpid())}});
  auto served = serve_logged(config, started, std::move(manager), log);
  if (served)
    log.info("stopped");
  else
    log_lines(log, served.error().message);
  return served;
}

}  // namespace ambit::daemon
