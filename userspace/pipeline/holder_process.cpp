// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/end_task.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/holder_answer.h"
#include "userspace/pipeline/holder_marks.h"
#include "userspace/pipeline/holder_watch.h"
#include "userspace/pipeline/journal.h"

namespace ambit::pipeline {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTurnMs = 50;
// An open waits at most this long for a holder that hangs; a second is promised.
constexpr auto kPatience = std::chrono::milliseconds(400);

/// A holder is not bound to the terminal, not to signals for the command, and not starved.
void settle(const HolderContext& context) {
  ::setpgid(0, 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTOU, SIGTTIN,
                           SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD})
    ::signal(number, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "ambit-holder");
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::setpriority(PRIO_PROCESS, 0, -20);
  // Five hundred threads of a task kept a holder of -20 off two cores for half a second. What it
  // does for one open takes microseconds; where the kernel refuses (RT groups) the niceness stands.
  const sched_param first{.sched_priority = 1};
  ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(context.null, fd);
  static_cast<void>(::mlockall(MCL_CURRENT));
}

class HolderProcess {
 public:
  explicit HolderProcess(HolderContext context) : context_(context), answer_(context_, known_) {}

  void run() {
    serve();
    if (!context_.setup->left_in.empty()) leave_what_was_told();
  }

 private:
  void serve() {
    settle(context_);
    // Whoever started it may be killed before it has noted that.
    context_.shared->pid[context_.index] = ::getpid();
    if (!guard_own_process(*context_.setup->sensor)) return;
    if (context_.setup->answers_opens) {
      group_ = make_group(context_);
      if (!group_.valid()) return;
      watch_.emplace(context_, group_.get(), known_);
      watch_->begin();
    }
    HolderShared& shared = *context_.shared;
    shared.ready[context_.index] = true;
    while (!shared.stop.load()) {
      ++shared.beat[context_.index];
      const int names = watch_ ? watch_->descriptor() : -1;
      std::array<pollfd, 3> waits{{{.fd = names, .events = POLLIN, .revents = 0},
                                   {.fd = group_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = context_.supervisor, .events = POLLIN, .revents = 0}}};
      ::poll(waits.data(), waits.size(), kTurnMs);
      // First what has come: it is what the opens may be of.
      if ((waits[0].revents & POLLIN) != 0) watch_->take();
      if (watch_) watch_->tend();
      if ((waits[1].revents & POLLIN) != 0) answer_all();
      if ((waits[2].revents & POLLIN) != 0) {
        // It may have said so a moment before.
        if (shared.stop.load()) return;
        if (!context_.setup->outlives) return supervisor_ended();
        context_.supervisor = -1;
      }
      if (context_.supervisor < 0 && context_.setup->outlives && nobody_is_left()) return;
      if (context_.setup->answers_opens) look_after_peer();
    }
  }

  /// `run` ended without a word: its task ends with it, while this holder still answers.
  void supervisor_ended() {
    if (context_.setup->slot == 0) return;
    if (!context_.setup->sensor->revoke(context_.setup->slot, true)) ++context_.shared->undecided;
    end_task(*context_.setup->sensor, context_.setup->slot);
  }

  /// What was told and nobody has taken: where no daemon does it (it locks its journals), it is put
  /// where the next one looks. Others must not wait for this one meanwhile.
  void leave_what_was_told() {
    watch_.reset();
    group_ = Descriptor();
    const HolderShared& shared = *context_.shared;
    const std::string& name = context_.setup->left_in;
    const std::array rest{std::pair{shared.finding_reader.load(), name + kFindingsEnding},
                          std::pair{shared.record_reader.load(), name + kRecordsEnding}};
    const auto is_taken = [](const auto& one) {
      return is_empty(one.first) || append_to_journal(one.first, one.second);
    };
    while (!std::ranges::all_of(rest, is_taken))
      std::this_thread::sleep_for(std::chrono::milliseconds(kTurnMs));
  }

  /// Looked at once a second: a turn of the loop is too dear for a whole table.
  bool nobody_is_left() {
    constexpr std::chrono::seconds kEvery{1};
    if (Clock::now() - counted_ < kEvery) return false;
    counted_ = Clock::now();
    return context_.setup->sensor->members().empty();
  }

  struct Waiting {
    fanotify_event_metadata event{};
    Descriptor file;
    Descriptor pidfd;
  };

  static Waiting take(const fanotify_event_metadata& event) {
    Waiting waiting{.event = event, .file = Descriptor(event.fd), .pidfd = {}};
    const auto* info = reinterpret_cast<const fanotify_event_info_pidfd*>(
        reinterpret_cast<const char*>(&event) + event.metadata_len);
    if (event.event_len >= event.metadata_len + sizeof(*info) &&
        info->hdr.info_type == FAN_EVENT_INFO_TYPE_PIDFD && info->pidfd >= 0)
      waiting.pidfd = Descriptor(info->pidfd);
    return waiting;
  }

  /// A task that makes hundreds of its opens wait must not make an outsider wait behind them.
  void answer_all() {
    alignas(fanotify_event_metadata) std::array<char, 16384> buffer{};
    const ssize_t size = ::read(group_.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    auto left = static_cast<std::size_t>(size);
    std::vector<Waiting> members;
    for (auto* event = reinterpret_cast<fanotify_event_metadata*>(buffer.data());
         FAN_EVENT_OK(event, left); event = FAN_EVENT_NEXT(event, left)) {
      Waiting waiting = take(*event);
      if (answer_.is_of_a_task(waiting.pidfd.get()))
        members.push_back(std::move(waiting));
      else
        answer(waiting, true);
    }
    for (const Waiting& waiting : members)
      answer(waiting, answer_.allows(waiting.event, waiting.pidfd.get(), group_.get()));
  }

  /// Each answer is a sign of life: a holder that has much to do does not hang.
  void answer(const Waiting& waiting, bool allowed) {
    ++context_.shared->beat[context_.index];
    if ((waiting.event.mask & (kCredentialEvents | FAN_OPEN_EXEC_PERM)) == 0) return;
    const fanotify_response response{
        .fd = waiting.event.fd, .response = static_cast<__u32>(allowed ? FAN_ALLOW : FAN_DENY)};
    static_cast<void>(::write(group_.get(), &response, sizeof(response)));
  }

  /// The other holder: dead, or hanging (then it is killed, which lets go of all that waits for
  /// it), it is made anew. Meanwhile this one answers alone.
  void look_after_peer() {
    const std::size_t peer = 1 - context_.index;
    HolderShared& shared = *context_.shared;
    const int pid = shared.pid[peer].load();
    if (pid <= 0) return;
    if (pid != peer_pid_) {
      peer_pid_ = pid;
      peer_ = open_pidfd(pid);
      peer_beat_ = shared.beat[peer].load();
      peer_seen_ = Clock::now();
    }
    const std::uint64_t beat = shared.beat[peer].load();
    if (beat != peer_beat_) {
      peer_beat_ = beat;
      peer_seen_ = Clock::now();
    }
    pollfd wait{.fd = peer_.get(), .events = POLLIN, .revents = 0};
    const bool dead = !peer_.valid() || ::poll(&wait, 1, 0) == 1;
    if (!dead && Clock::now() - peer_seen_ < kPatience) return;
    // It may have been told to stop a moment before this one was.
    if (shared.stop.load()) return;
    if (!dead)
      static_cast<void>(::syscall(SYS_pidfd_send_signal, peer_.get(), SIGKILL, nullptr, 0));
    shared.ready[peer] = false;
    // Whoever changes the number makes the new one: the supervisor looks after both as well.
    int expected = pid;
    if (!shared.pid[peer].compare_exchange_strong(expected, -1)) return;
    ++shared.replaced;
    HolderContext other = context_;
    other.index = peer;
    const int group = group_.get();
    const int made = ::fork();
    if (made == 0) {
      ::close(group);
      HolderProcess(other).run();
      ::_exit(0);
    }
    shared.pid[peer] = made;
  }

  HolderContext context_;
  KnownInodes known_;
  HolderAnswer answer_;
  Descriptor group_;
  std::optional<HolderWatch> watch_;
  Descriptor peer_;
  int peer_pid_ = 0;
  std::uint64_t peer_beat_ = 0;
  Clock::time_point peer_seen_;
  Clock::time_point counted_;  ///< the members
};

}  // namespace

int spawn_holder(const HolderContext& context) {
  const int pid = ::fork();
  if (pid == 0) {
    HolderProcess(context).run();
    ::_exit(0);
  }
  return pid;
}

}  // namespace ambit::pipeline
