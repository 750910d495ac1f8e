// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/run_session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "userspace/model/make_event.h"
#include "userspace/pipeline/choose.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/inherited.h"
#include "userspace/pipeline/leave_hooks.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/require.h"
#include "userspace/pipeline/storm.h"
#include "userspace/policy/document.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

model::Moment now() {
  const SystemClock clock;
  return {.boot_ns = clock.boot_ns(), .wall_ns = clock.wall_ns()};
}

/// Some of the names, and why the first has no address.
std::string list_of(const std::map<std::string, std::string>& unresolved) {
  constexpr std::size_t kShown = 4;
  std::string text;
  std::size_t count = 0;
  for (const auto& [name, why] : unresolved) {
    if (++count <= kShown) text += (text.empty() ? "" : ", ") + name;
  }
  if (count > kShown) text += " and " + std::to_string(count - kShown) + " more";
  return text.empty() ? text : text + " (" + unresolved.begin()->second + ")";
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    out.emplace_back(*entry);
  return out;
}

constexpr policy::PolicyNumbers kNumbers{};

/// The second line of portable for credentials that are known by pattern alone.
constexpr std::string_view kForPatterns = "sys_exit";

// ELF interpreters, which the kernel opens for every program. One that is itself executed is
// decided when it runs.
constexpr std::array kLoaders{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2",
                              "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-i386.so.1"};

std::vector<model::FileId> loader_ids() {
  std::vector<model::FileId> ids;
  const policy::RealFileSystem files;
  for (const char* path : kLoaders)
    if (auto facts = files.look(path)) ids.push_back(facts->id);
  return ids;
}

bool names_abstract_socket(const model::Scope& scope) {
  const auto names = [](const std::vector<model::DestinationRule>& rules) {
    return std::ranges::any_of(rules, [](const model::DestinationRule& rule) {
      return rule.type == model::DestinationType::unix_socket && rule.unix_path.starts_with('@');
    });
  };
  return (scope.network && names(*scope.network)) ||
         std::ranges::any_of(scope.credentials, [&](const model::ScopeCredential& credential) {
           return credential.destinations && names(*credential.destinations);
         });
}

bool always_denies(const model::Scope& scope) {
  return scope.mode == model::Mode::enforce && scope.response.credential >= model::Response::deny &&
         scope.response.network >= model::Response::deny &&
         scope.response.exec >= model::Response::deny;
}

}  // namespace

Result<void> RunSession::set_up() {
  if (auto done = load(); !done) return done;
  if (auto done = choose(); !done) return done;
  if (auto done = start_stream(); !done) return done;
  if (auto done = declare(); !done) return done;
  if (auto done = launch(); !done) return done;
  return start_holders();
}

Result<void> RunSession::load() {
  auto declared = load_documents(options_.scope, options_.catalogue);
  if (!declared) return std::unexpected(declared.error());
  const std::vector<std::string> environment = own_environment();
  auto identity = choose_identity(options_.user, environment);
  if (!identity) return std::unexpected(identity.error());
  identity_ = std::move(*identity);
  declared->environment = environment_of(identity_, environment);
  std::error_code error;
  declared->cwd = std::filesystem::current_path(error).string();
  if (declared->scope.parent) return fail(std::string(policy::kOnlyTheDaemonDelegates));
  auto prepared = prepare(std::move(*declared));
  if (!prepared) return std::unexpected(prepared.error());
  prepared_ = std::move(*prepared);
  return {};
}

Result<void> RunSession::choose() {
  // Verifying it takes a tenth of a start.
  std::vector<std::string> without;
  if (!prepared_->pattern_alone) without.emplace_back(kForPatterns);
  const bool carries = prepared_->policy.restricted != model::CredentialMask{};
  if (!carries)
    without.insert(without.end(), kernel::kCarryHooks.begin(), kernel::kCarryHooks.end());
  auto sensor = choose_backend(options_.backend, without, &proof_);
  if (!sensor) return std::unexpected(sensor.error());
  sensor_ = std::move(*sensor);
  const std::string unmet = unmet_requirement(options_.require, prepared_->declared.scope, proof_);
  if (!unmet.empty()) return fail(unmet);
  if (prepared_->pattern_alone && sensor_->backend() == model::Backend::portable)
    if (auto on = sensor_->switch_on(kForPatterns); !on) return on;
  if (carries && sensor_->backend() != model::Backend::portable)
    for (const std::string_view hook : kernel::kCarryHooks)
      if (auto on = sensor_->switch_on(hook); !on) return on;
  if (auto guarded = guard_own_program(*sensor_); !guarded) return guarded;
  for (const std::string& program : prepared_->policy.pinned)
    pinned_.emplace_back(::open(program.c_str(), O_PATH | O_CLOEXEC));
  if (auto installed = install(*sensor_, *prepared_, kNumbers); !installed) return installed;
  destinations_ = std::make_unique<Destinations>(*prepared_, kNumbers.policy, sets_);
  constexpr std::chrono::milliseconds kFirstLookUp{2000};
  if (auto looked_up = destinations_->refresh(*sensor_, kFirstLookUp); !looked_up) return looked_up;
  if (const std::string names = list_of(destinations_->unresolved()); !names.empty())
    std::fprintf(stderr, "ambit: no address yet for %s: what goes there is refused\n",
                 names.c_str());
  return {};
}

Result<void> RunSession::start_stream() {
  std::optional<sink::NdjsonFile> file;
  static const SystemClock clock;
  if (options_.events) {
    auto opened = sink::NdjsonFile::open(*options_.events, clock);
    if (!opened) return std::unexpected(opened.error());
    file.emplace(std::move(*opened));
    if (*options_.events != "-")
      if (auto guarded = guard_event_file(*sensor_, *options_.events); !guarded) return guarded;
  }
  auto stream =
      Stream::create(*sensor_, prepared_->declared.catalogue, std::move(file), options_.watcher);
  if (!stream) return std::unexpected(stream.error());
  stream_ = std::move(*stream);
  return sensor_->deliver_to(
      [this](model::Ring, std::span<const std::byte> record) { stream_->keep(record); });
}

Result<void> RunSession::declare() {
  const model::Scope& scope = prepared_->declared.scope;
  const model::Moment at = now();
  auto ulids = UlidSource::create();
  if (!ulids) return std::unexpected(ulids.error());
  task_ = std::make_shared<const model::Task>(
      model::make_task(scope, at,
                       {.slot = kSlot,
                        .id = ulids->next(at.wall_ns),
                        .declared_by = "uid:" + std::to_string(::getuid())}));
  expires_boot_ns_ = at.boot_ns + static_cast<std::uint64_t>(scope.ttl.count());
  stream_->open_task(task_, correlation::task_table(prepared_->policy, scope));
  stream_->registry().set_names(kSlot, destinations_->names());
  return sensor_->put(policy::encode_task({.slot = kSlot,
                                           .policy = kNumbers.policy,
                                           .expires_boot_ns = expires_boot_ns_,
                                           .revoked = false}));
}

Result<void> RunSession::launch() {
  const model::Scope& scope = prepared_->declared.scope;
  const bool portable = sensor_->backend() == model::Backend::portable;
  plan_.command = options_.command;
  plan_.environment = scope.strip_environment
                          ? policy::strip_environment(prepared_->declared.environment,
                                                      prepared_->declared.catalogue, scope)
                          : prepared_->declared.environment;
  plan_.identity = identity_;
  plan_.private_mounts = portable;
  plan_.refuse_fanotify = portable && scope.mode == model::Mode::enforce &&
                          scope.response.credential >= model::Response::deny;
  plan_.ask_calls = portable;
  plan_.ask_families = scope.network.has_value();
  // On the other backends Landlock would refuse before they see, and nothing would be reported.
  // It keeps processes from being traced as well, and cannot be told apart from that.
  plan_.scope_signals =
      portable && always_denies(scope) && !scope.privileges.contains(model::Privilege::ptrace);
  plan_.scope_abstract = plan_.scope_signals && scope.network && !names_abstract_socket(scope);
  // Before the fork: the child closes what stands in its copy of the plan.
  InheritedFindings found =
      judge_inherited(inherited_, *sensor_, prepared_->declared.catalogue, task_, {});
  plan_.close = std::move(found.close);
  inherited_events_ = std::move(found.events);
  auto launched = Launched::prepare(plan_);
  if (!launched) return std::unexpected(launched.error());
  launched_.emplace(std::move(*launched));
  stream_->started(static_cast<std::uint32_t>(launched_->pid()));
  return sensor_->bind(launched_->pidfd(), kSlot);
}

Result<void> RunSession::start_holders() {
  HolderSetup setup;
  setup.sensor = sensor_.get();
  setup.slot = kSlot;
  setup.credential_space = kNumbers.credential_space;
  setup.answers_opens = sensor_->backend() == model::Backend::portable;
  if (setup.answers_opens) {
    setup.marks = prepared_->marks;
    setup.plan_again = [this] {
      const policy::RealFileSystem machine;
      return policy::plan_marks(prepared_->catalogue, prepared_->homes,
                                policy::RememberedFileSystem(machine));
    };
    setup.mount_namespace = launched_->mount_namespace();
    setup.ask_every_open = true;
    setup.ask_every_exec = prepared_->policy.exec_bound;
    setup.loaders = loader_ids();
  }
  auto holders = Holders::start(std::move(setup));
  if (!holders) return std::unexpected(holders.error());
  holders_ = std::move(*holders);
  return {};
}

void RunSession::announce() {
  const model::Scope& scope = prepared_->declared.scope;
  stream_->take(
      model::make_start(now(), {{"backend", std::string(model::name_of(sensor_->backend()))}}));
  model::Process process;
  process.pid = static_cast<std::uint32_t>(launched_->pid());
  process.tid = process.pid;
  process.uid = identity_.uid;
  process.argv = options_.command;
  stream_->take(model::make_task_open(now(), task_, {}));
  for (const policy::EnvironmentSecret& secret : policy::find_environment_secrets(
           prepared_->declared.environment, prepared_->declared.catalogue, scope))
    stream_->take(model::make_secret_in_environment(now(), {.task = task_,
                                                            .process = process,
                                                            .mode = scope.mode,
                                                            .credentials = {secret.credential},
                                                            .variables = secret.variables,
                                                            .stripped = scope.strip_environment}));
  for (model::Event& event : inherited_events_) {
    event.process = process;
    stream_->take(std::move(event));
  }
  inherited_events_.clear();
}

Result<void> RunSession::finish() {
  if (options_.keep) {
    auto handed = hand_over();
    if (handed && *handed) return {};
  }
  TaskKiller killer(*sensor_);
  if (auto ended = killer.kill_task(kSlot); !ended) return std::unexpected(ended.error());
  return write_end();
}

Result<void> RunSession::write_end() {
  while (take_records()) continue;
  report_losses(*sensor_, *holders_, *stream_);
  stream_->take(model::make_task_close(now(), task_, {{"status", std::to_string(status_)}}));
  stream_->take(model::make_stop(now(), {}));
  return stream_->close();
}

RunSession::~RunSession() {
  // The holders first: they use the sensor's maps.
  holders_.reset();
  if (sensor_ && sensor_->backend() != model::Backend::portable) leave_hooks(*sensor_);
}

}  // namespace ambit::pipeline
