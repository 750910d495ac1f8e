// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/sensor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "ambit.skel.h"
#include "bpf/abi.h"
#include "userspace/kernel/kernel_functions.h"

namespace ambit::kernel {

namespace {

static_assert(CORE_MAX_MATCHES == 4);

constexpr std::string_view kCanCast = "bpf_rdonly_cast";
constexpr std::string_view kCanSignal = "bpf_send_signal_task";

// libbpf tells why a load failed only through its printer, which has no context argument.
thread_local std::string library_log;

int keep_log(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  std::string text(static_cast<std::size_t>(std::max(size, 0)) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  text.pop_back();
  library_log += text;
  constexpr std::size_t kKeep = 16384;
  if (library_log.size() > kKeep) library_log.erase(0, library_log.size() - kKeep);
  return size;
}

std::string last_log_lines(std::size_t count) {
  std::vector<std::string> lines;
  std::istringstream stream(library_log);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::string out;
  for (std::size_t i = lines.size() > count ? lines.size() - count : 0; i < lines.size(); ++i)
    out += (out.empty() ? "" : "\n") + lines[i];
  return out;
}

Result<FunctionNames> functions_for(std::span<const ProgramSpec> specs) {
  FunctionNames wanted{kCanCast, kCanSignal};
  for (const ProgramSpec& spec : specs) wanted.insert({spec.function, spec.only_with});
  return functions_of_kernel(wanted);
}

/// Ambit's own and the machine's, which is process 1's; its own twice where that one hides it.
std::array<std::uint32_t, 2> namespace_numbers(const std::string& name) {
  struct stat facts{};
  std::array<std::uint32_t, 2> numbers{};
  if (::stat(("/proc/self/ns/" + name).c_str(), &facts) == 0)
    numbers.fill(static_cast<std::uint32_t>(facts.st_ino));
  if (::stat(("/proc/1/ns/" + name).c_str(), &facts) == 0)
    numbers.back() = static_cast<std::uint32_t>(facts.st_ino);
  return numbers;
}

/// Others than root may move and freeze the processes of this cgroup.
bool cgroup_is_delegated() {
  auto mount = cgroup2_mount();
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; mount && std::getline(own, line);) {
    if (!line.starts_with("0::")) continue;
    struct stat facts{};
    const std::string procs = *mount + line.substr(3) + "/cgroup.procs";
    if (::stat(procs.c_str(), &facts) == 0) return facts.st_uid != 0;
  }
  return false;
}

bool follows_what_is_carried(const SensorOptions& options) {
  return options.backend != model::Backend::portable &&
         std::ranges::find(options.without, kCarryHooks.front()) == options.without.end();
}

/// Files of `portable` are answered by processes: there nothing holds without one.
bool goes_on_alone(const SensorOptions& options) {
  return options.outlives && options.backend != model::Backend::portable;
}

bool belongs(const ProgramSpec& spec, model::Backend backend) {
  return spec.backend == model::Backend::none || spec.backend == backend;
}

}  // namespace

Result<std::string> cgroup2_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string path;
    std::string type;
    fields >> device >> path >> type;
    if (type == "cgroup2") return path;
  }
  return fail("no cgroup v2 is mounted");
}

Result<std::unique_ptr<Sensor>> Sensor::open(const SensorOptions& options) {
  std::unique_ptr<Sensor> sensor(new Sensor(options));
  if (auto loaded = sensor->load(); !loaded) return std::unexpected(loaded.error());
  if (auto attached = sensor->attach(); !attached) return std::unexpected(attached.error());
  if (auto guarded = sensor->guard_objects(); !guarded) return std::unexpected(guarded.error());
  return sensor;
}

Sensor::~Sensor() {
  for (ring_buffer* const one : {findings_, observations_})
    if (one != nullptr) ring_buffer__free(one);
  if (rings_ != nullptr) ring_buffer__free(rings_);
  for (bpf_link* link : links_) bpf_link__destroy(link);
  if (skeleton_ != nullptr) ambit_bpf__destroy(skeleton_);
  if (about_ != nullptr) ::munmap(about_, sizeof(ambit_about));
}

Result<void> Sensor::load() {
  library_log.clear();
  libbpf_set_print(keep_log);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  auto functions = functions_for(program_specs());
  if (!functions) return std::unexpected(functions.error());
  skeleton_ = ambit_bpf__open();
  if (skeleton_ == nullptr) return fail_errno("cannot open the BPF programs");
  skeleton_->rodata->ambit_backend = static_cast<std::uint8_t>(options_.backend);
  std::ranges::copy(namespace_numbers("mnt"), skeleton_->rodata->ambit_mount_namespaces);
  std::ranges::copy(namespace_numbers("net"), skeleton_->rodata->ambit_net_namespaces);
  skeleton_->rodata->ambit_cgroup_delegated = cgroup_is_delegated() ? 1 : 0;
  skeleton_->rodata->ambit_can_cast = functions->contains(kCanCast) ? 1 : 0;
  skeleton_->rodata->ambit_can_signal =
      functions->contains(kCanSignal) && !goes_on_alone(options_) ? 1 : 0;
  skeleton_->rodata->ambit_carries = follows_what_is_carried(options_) ? 1 : 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) bpf_program__set_autoload(program, false);
  for (const ProgramSpec& spec : program_specs()) {
    if (!belongs(spec, options_.backend)) continue;
    if (!spec.only_with.empty() && !functions->contains(spec.only_with)) continue;
    HookState state{.spec = &spec, .attached = false, .why_not = {}};
    program = bpf_object__find_program_by_name(skeleton_->obj, std::string(spec.program).c_str());
    if (std::ranges::find(options_.without, spec.hook) != options_.without.end()) {
      state.why_not = "switched off";
    } else if (program == nullptr) {
      state.why_not = "not in this build";
    } else if (!spec.function.empty() && !functions->contains(spec.function)) {
      state.why_not = "this kernel has no " + std::string(spec.function);
    } else {
      bpf_program__set_autoload(program, true);
      if (spec.attach_type >= 0)
        bpf_program__set_expected_attach_type(program,
                                              static_cast<bpf_attach_type>(spec.attach_type));
    }
    if (!state.why_not.empty() && spec.required)
      return fail("hook " + std::string(spec.hook) + ": " + state.why_not);
    hooks_.push_back(std::move(state));
  }
  if (const int failed = ambit_bpf__load(skeleton_); failed != 0)
    return std::unexpected(Error{.message = "the kernel refuses the BPF programs of backend " +
                                            std::string(model::name_of(options_.backend)) + ": " +
                                            std::strerror(-failed) + "\n" + last_log_lines(24),
                                 .code = -failed});
  return {};
}

Result<void> Sensor::attach() {
  for (HookState& hook : hooks_) {
    if (!hook.why_not.empty()) continue;
    if (hook.spec->by == AttachBy::demand) {
      hook.why_not = "attached only while a live scope needs it";
      continue;
    }
    if (auto attached = attach_one(hook); !attached) {
      hook.why_not = attached.error().message;
      if (hook.spec->required)
        return std::unexpected(Error{
            .message = "hook " + std::string(hook.spec->hook) + ": " + attached.error().message,
            .code = attached.error().code});
    }
  }
  return {};
}

Result<void> Sensor::switch_on(std::string_view name) {
  const auto hook = std::ranges::find_if(
      hooks_, [&](const HookState& state) { return state.spec->hook == name; });
  if (hook == hooks_.end() || hook->spec->by != AttachBy::demand)
    return fail("there is no hook " + std::string(name) + " that could be switched on");
  if (hook->attached) return {};
  auto attached = attach_one(*hook);
  if (!attached) return attached;
  hook->why_not.clear();
  return {};
}

Result<void> Sensor::attach_one(HookState& hook) {
  bpf_program* program =
      bpf_object__find_program_by_name(skeleton_->obj, std::string(hook.spec->program).c_str());
  bpf_link* link = nullptr;
  if (hook.spec->by == AttachBy::cgroup) {
    if (!cgroup_.valid()) {
      auto mount = cgroup2_mount();
      if (!mount) return std::unexpected(mount.error());
      cgroup_ = Descriptor(::open(mount->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!cgroup_.valid()) return fail_errno(*mount);
    }
    link = bpf_program__attach_cgroup(program, cgroup_.get());
  } else if (hook.spec->by == AttachBy::call) {
    hook.attached = true;
    return {};
  } else if (hook.spec->by == AttachBy::once) {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0)
      return fail_errno("cannot be run");
    if (options.retval != 0) return fail("the kernel does not say where its locks are");
    hook.attached = true;
    return {};
  } else if (hook.spec->by == AttachBy::sockmap) {
    // Goes when the map goes: there is no link for sk_msg before 6.10.
    if (bpf_prog_attach(bpf_program__fd(program), bpf_map__fd(skeleton_->maps.connections),
                        BPF_SK_MSG_VERDICT, 0) != 0)
      return fail_errno("attach is refused");
    hook.attached = true;
    return {};
  } else {
    link = bpf_program__attach(program);
  }
  if (link == nullptr) return fail_errno("attach is refused");
  links_.push_back(link);
  linked_.push_back(hook.spec->program);
  hook.attached = true;
  return {};
}

/// What bpf() could name by a number.
Result<void> Sensor::guard_objects() {
  if (options_.backend == model::Backend::portable) return {};
  const int ids = bpf_map__fd(skeleton_->maps.guarded_ids);
  const auto add = [&](std::uint32_t kind, std::uint32_t id) {
    const ambit_guarded_id key{.kind = kind, .id = id};
    const std::uint8_t yes = 1;
    return bpf_map_update_elem(ids, &key, &yes, BPF_ANY) == 0;
  };
  bool all = true;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_map__fd(map) < 0) continue;
    all = all && bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size) == 0 &&
          add(AMBIT_ID_MAP, info.id);
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_program__fd(program) < 0) continue;
    all = all && bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0 &&
          add(AMBIT_ID_PROGRAM, info.id);
  }
  for (const bpf_link* link : links_) {
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    all = all && bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) == 0 &&
          add(AMBIT_ID_LINK, info.id);
  }
  if (!all) return fail_errno("cannot guard Ambit's own BPF objects");
  return {};
}

std::vector<int> Sensor::link_descriptors() const {
  std::vector<int> out;
  for (const bpf_link* link : links_) out.push_back(bpf_link__fd(link));
  return out;
}

std::vector<int> Sensor::program_descriptors() const {
  std::vector<int> out;
  for (const Descriptor& pinned : programs_) out.push_back(pinned.get());
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    if (bpf_program__fd(program) >= 0) out.push_back(bpf_program__fd(program));
  }
  return out;
}

std::size_t Sensor::programs_loaded() const { return program_descriptors().size(); }

}  // namespace ambit::kernel
