// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/task_host.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "userspace/model/make_event.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/choose.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/leave_hooks.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/records.h"
#include "userspace/policy/catalogue.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

constexpr std::uint64_t kRecords = 0;  ///< slots are from 1

/// The second line of portable for credentials that are known by pattern alone.
constexpr std::string_view kForPatterns = "sys_exit";

std::string rendered(const std::vector<policy::Diagnostic>& diagnostics) {
  std::string text = policy::render(diagnostics);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

TaskHost::TaskHost(HostOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<TaskHost>> TaskHost::start(const HostOptions& options) {
  std::unique_ptr<TaskHost> host(new TaskHost(options));
  if (auto seen = check_pid_namespace(); !seen) return std::unexpected(seen.error());
  for (const auto step : {&TaskHost::load_catalogue, &TaskHost::choose, &TaskHost::start_stream,
                          &TaskHost::recover, &TaskHost::start_holders})
    if (auto done = (host.get()->*step)(); !done) return std::unexpected(done.error());
  host->end_left_holders();
  host->finish_reload();
  return host;
}

Result<void> TaskHost::load_catalogue() {
  auto loaded = policy::load_catalogue(options_.catalogue);
  if (!loaded) return fail(rendered(loaded.error()));
  catalogue_ = std::move(*loaded);
  auto scopes = load_scopes(options_.scopes, catalogue_);
  if (!scopes) return fail(rendered(scopes.error()));
  scopes_ = std::move(*scopes);
  // No process's surroundings: the homes of the password file, and no variables.
  auto planned = plan_catalogue(catalogue_, {});
  if (!planned) return std::unexpected(planned.error());
  plan_ = std::move(*planned);
  return {};
}

Result<void> TaskHost::choose() {
  auto estate = Estate::enter(options_.places);
  if (!estate) return std::unexpected(estate.error());
  estate_.emplace(std::move(*estate));
  if (auto taken = take_over_programs(); !taken) return taken;
  if (!sensor_)
    if (auto loaded = load_programs(); !loaded) return loaded;
  if (auto guarded = guard_own_program(*sensor_, options_.program); !guarded) return guarded;
  if (auto entered = enter_documents(); !entered) return entered;
  return policy::put_all(*sensor_, policy::encode_paths(plan_.catalogue_paths, credential_space_));
}

Result<void> TaskHost::load_programs() {
  std::vector<std::string> without;
  if (!plan_.pattern_alone) without.emplace_back(kForPatterns);
  auto sensor = choose_backend(options_.backend, without, nullptr, true);
  if (!sensor) return std::unexpected(sensor.error());
  sensor_ = std::move(*sensor);
  if (auto on = switch_hooks_on(); !on) return on;
  auto pins = estate_->prepare_pins();
  if (!pins) return std::unexpected(pins.error());
  std::uint64_t generation = 0;
  if (::getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
    return fail_errno("no random numbers");
  if (auto pinned = sensor_->pin(*pins, generation | 1U); !pinned) return pinned;
  return estate_->publish();
}

/// Not when the first task needs them: holders keep what was attached before they were started, and
/// a task must not lose a hook with the daemon.
Result<void> TaskHost::switch_hooks_on() {
  if (sensor_->backend() == model::Backend::portable)
    return plan_.pattern_alone ? sensor_->switch_on(kForPatterns) : Result<void>();
  for (const std::string_view hook : kernel::kCarryHooks)
    if (auto on = sensor_->switch_on(hook); !on) return on;
  return {};
}

Result<void> TaskHost::start_stream() {
  static const SystemClock clock;
  auto ulids = UlidSource::create();
  if (!ulids) return std::unexpected(ulids.error());
  ulids_.emplace(std::move(*ulids));
  auto file = sink::NdjsonFile::open(options_.events, clock);
  if (!file) return std::unexpected(file.error());
  if (options_.events != "-")
    if (auto guarded = guard_event_file(*sensor_, options_.events); !guarded) return guarded;
  auto stream = Stream::create(*sensor_, catalogue_, std::move(*file), {});
  if (!stream) return std::unexpected(stream.error());
  stream_ = std::move(*stream);
  stream_->watch_lines(options_.watcher);
  stream_->go_on(tally_);
  return sensor_->deliver_to([this](model::Ring ring, std::span<const std::byte> record) {
    if (ring == model::Ring::findings) journal_->add(record);
    stream_->keep(record);
  });
}

HolderSetup TaskHost::holder_setup() {
  HolderSetup setup;
  setup.sensor = sensor_.get();
  setup.credential_space = credential_space_;
  setup.outlives = true;
  setup.left_in = LeftHolders::next_name(store_->path(""));
  setup.answers_opens = sensor_->backend() == model::Backend::portable;
  if (setup.answers_opens) {
    setup.marks = plan_.marks;
    setup.plan_again = [this] {
      const policy::RealFileSystem machine;
      return policy::plan_marks(plan_.catalogue, plan_.homes,
                                policy::RememberedFileSystem(machine));
    };
  }
  return setup;
}

Result<void> TaskHost::start_holders() {
  auto holders = Holders::start(holder_setup());
  if (!holders) return std::unexpected(holders.error());
  holders_ = std::move(*holders);
  wait_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (auto watched = watch(sensor_->ring_descriptor(), kRecords); !watched) return watched;
  return watch_holders(*holders_);
}

Result<void> TaskHost::watch_holders(const Holders& holders) {
  for (const int records : {holders.record_descriptor(), holders.finding_descriptor()})
    if (auto watched = watch(records, kRecords); !watched) return watched;
  return {};
}

Result<void> TaskHost::watch(int descriptor, std::uint64_t what) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = what}};
  if (::epoll_ctl(wait_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
    return fail_errno("cannot wait for records and ends");
  return {};
}

TaskHost::LiveTask* TaskHost::find_task(const std::string& id) const {
  const auto slot = slots_.find(id);
  return slot == slots_.end() ? nullptr : tasks_.at(slot->second).get();
}

bool TaskHost::serve() {
  constexpr int kAtOnce = 64;
  std::array<epoll_event, kAtOnce> events{};
  const int count = ::epoll_wait(wait_.get(), events.data(), kAtOnce, 0);
  for (int i = 0; i < count; ++i)
    if (events.at(static_cast<std::size_t>(i)).data.u64 != kRecords)
      ended_.insert(static_cast<std::uint32_t>(events.at(static_cast<std::size_t>(i)).data.u64));
  const Turn turn = take();
  write_fault_ = turn.written ? std::string() : "events: " + turn.written.error().message;
  look_after_ends();
  return turn.more || count == kAtOnce;
}

void TaskHost::tick() {
  holders_->tend();
  expire_tasks();
  refresh_names();
  remove_retired();
  constexpr unsigned kLossTurns = 8;
  if (++ticks_ % kLossTurns == 0) report_losses(*sensor_, *holders_, *stream_);
  serve();
}

/// One look at the table of members for all that have ended meanwhile.
void TaskHost::look_after_ends() {
  if (ended_.empty()) return;
  const std::vector<kernel::Sensor::Member> members = sensor_->members();
  for (const std::uint32_t slot : std::exchange(ended_, {})) {
    const auto task = tasks_.find(slot);
    if (task == tasks_.end()) continue;
    if (Descriptor next = living_member(*sensor_, members, slot); next.valid())
      follow_member(*task->second, std::move(next));
    else
      end(slot);
  }
}

void TaskHost::follow_member(LiveTask& task, Descriptor member) {
  // A holder that was made anew has a copy: closing ours would leave it in the epoll.
  if (task.watched.valid()) ::epoll_ctl(wait_.get(), EPOLL_CTL_DEL, task.watched.get(), nullptr);
  task.watched = std::move(member);
  // Where it cannot be waited for, the next turn looks again.
  if (!watch(task.watched.get(), task.task->slot)) ended_.insert(task.task->slot);
}

void TaskHost::end(std::uint32_t slot) {
  const LiveTask& task = *tasks_.at(slot);
  static_cast<void>(take());
  if (task.phase != TaskPhase::closed)
    stream_->take(model::make_task_close(now(), task.task, {{"reason", "ended"}}));
  if (auto below = end_below(slot, "parent_ended", false); !below)
    write_fault_ = "delegation: " + below.error().message;
  ::epoll_ctl(wait_.get(), EPOLL_CTL_DEL, task.watched.get(), nullptr);
  remove_tables(task);
  stream_->close_task(slot);
  store_->remove(task.task->id);
  slots_.erase(task.task->id);
  tasks_.erase(slot);
}

void TaskHost::expire_tasks() {
  const std::uint64_t at = SystemClock().boot_ns();
  for (const auto& [slot, task] : tasks_) {
    if (task->phase != TaskPhase::live || at < task->expires_boot_ns) continue;
    task->phase = TaskPhase::expired;
    amend(*task);
    stream_->take(model::make_task_expire(now(), task->task));
  }
}

/// One task a turn: a look-up makes everybody wait.
void TaskHost::refresh_names() {
  constexpr std::chrono::milliseconds kLimit{100};
  const auto at = std::chrono::steady_clock::now();
  std::set<std::uint32_t> asked;
  for (const auto& [slot, task] : tasks_) {
    Destinations& destinations = *task->policy->destinations;
    const auto next = destinations.next();
    // A task that was delegated stands behind its parent, whose addresses it has.
    const bool follows = asked.contains(task->parent);
    const bool due = asked.empty() && next && *next <= at;
    if (task->phase != TaskPhase::live || (!follows && !due)) continue;
    if (follows) destinations.take_from(*tasks_.at(task->parent)->policy->destinations);
    if (auto refreshed = destinations.refresh(*sensor_, kLimit); !refreshed)
      write_fault_ = "names: " + refreshed.error().message;
    stream_->registry().set_names(slot, destinations.names());
    amend(*task);
    asked.insert(slot);
  }
}

Result<void> TaskHost::stop(model::OnStop how) {
  while (take().more) continue;
  expire_tasks();
  kept_ = how == model::OnStop::keep && !tasks_.empty();
  released_ = !kept_;
  if (!kept_)
    for (const auto& [slot, task] : tasks_) {
      let_all_go(*sensor_, slot);
      if (task->phase != TaskPhase::closed)
        stream_->take(model::make_task_close(now(), task->task, {{"reason", "released"}}));
    }
  report_losses(*sensor_, *holders_, *stream_);
  stream_->take(model::make_stop(now(), {{"tasks", kept_ ? "kept" : "released"}}));
  return stream_->close();
}

TaskHost::~TaskHost() {
  if (kept_ && holders_) holders_->leave();
  holders_.reset();
  // Not when the start failed: what was found is somebody's still.
  if (released_) {
    static_cast<void>(estate_->remove_pins());
    estate_->remove_documents();
  }
  if (!kept_ && sensor_ && sensor_->backend() != model::Backend::portable) leave_hooks(*sensor_);
}

}  // namespace ambit::pipeline
