// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/machine.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>

#include "userspace/base/descriptor.h"
#include "userspace/base/proc_field.h"
#include "userspace/kernel/sensor.h"

namespace ambit::pipeline {
namespace {

struct NeededCapability {
  unsigned number;
  const char* name;
};

// sys_admin: fanotify permission events; net_admin: cgroup programs; perfmon: tracing programs;
// dac_read_search: credentials in directories of others, which would be left without marks;
// sys_ptrace: programs and namespaces of others; kill: ending what runs as others.
constexpr std::array kNeeded{
    NeededCapability{.number = CAP_BPF, .name = "CAP_BPF"},
    NeededCapability{.number = CAP_PERFMON, .name = "CAP_PERFMON"},
    NeededCapability{.number = CAP_NET_ADMIN, .name = "CAP_NET_ADMIN"},
    NeededCapability{.number = CAP_SYS_ADMIN, .name = "CAP_SYS_ADMIN"},
    NeededCapability{.number = CAP_DAC_READ_SEARCH, .name = "CAP_DAC_READ_SEARCH"},
    NeededCapability{.number = CAP_SYS_PTRACE, .name = "CAP_SYS_PTRACE"},
    NeededCapability{.number = CAP_KILL, .name = "CAP_KILL"},
};

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

std::vector<std::string> missing_capabilities() {
  constexpr int kHexadecimal = 16;
  const std::uint64_t effective =
      proc_number("/proc/self/status", "CapEff:", kHexadecimal).value_or(0);
  std::vector<std::string> missing;
  for (const NeededCapability& needed : kNeeded)
    if ((effective >> needed.number & 1U) == 0) missing.emplace_back(needed.name);
  return missing;
}

/// A map of one number: the smallest thing that bpf() can be asked for.
std::string why_bpf_is_refused() {
  bpf_attr attribute{};
  attribute.map_type = BPF_MAP_TYPE_ARRAY;
  attribute.key_size = sizeof(std::uint32_t);
  attribute.value_size = sizeof(std::uint32_t);
  attribute.max_entries = 1;
  const Descriptor map(
      static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &attribute, sizeof(attribute))));
  return map.valid() ? std::string() : std::strerror(errno);
}

/// Some systems refuse every program that needs a trampoline before the verifier looks at it, with
/// EPERM (KERNEL-FACTS); where they are allowed, this one is refused for naming no function.
std::string why_trampolines_are_refused() {
  const std::array code{
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K},
      bpf_insn{.code = BPF_JMP | BPF_EXIT},
  };
  bpf_attr attribute{};
  attribute.prog_type = BPF_PROG_TYPE_TRACING;
  attribute.expected_attach_type = BPF_MODIFY_RETURN;
  attribute.attach_btf_id = 1;
  attribute.insns = reinterpret_cast<std::uintptr_t>(code.data());
  attribute.insn_cnt = code.size();
  attribute.license = reinterpret_cast<std::uintptr_t>("GPL");
  const Descriptor program(
      static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof(attribute))));
  return program.valid() || errno != EPERM ? std::string() : std::strerror(errno);
}

/// debugfs says "none voluntary (full)"; without it the command line and the build's name do.
std::string preemption(const std::string& version) {
  const std::string modes = first_line("/sys/kernel/debug/sched/preempt");
  const std::size_t open = modes.find('(');
  const std::size_t close = modes.find(')');
  if (open != std::string::npos && close != std::string::npos && close > open)
    return modes.substr(open + 1, close - open - 1);
  constexpr std::string_view kParameter = "preempt=";
  for (const std::string& word : split(first_line("/proc/cmdline"), ' '))
    if (word.starts_with(kParameter)) return word.substr(kParameter.size());
  if (version.find("PREEMPT_RT") != std::string::npos) return "realtime";
  if (version.find("PREEMPT_DYNAMIC") != std::string::npos) return {};
  return version.find("PREEMPT") != std::string::npos ? "full" : "voluntary";
}

std::string why_no_fanotify() {
  const Descriptor group(
      ::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC));
  return group.valid() ? std::string() : std::strerror(errno);
}

/// Present, readable and BTF: containers hide such files behind empty ones.
bool has_btf() {
  constexpr std::array<char, 2> kMagic{'\x9f', '\xeb'};  // BTF_MAGIC, as x86 stores it
  std::array<char, 2> begins{};
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  return file.read(begins.data(), begins.size()) && begins == kMagic;
}

bool has_seccomp_filters() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : std::string(separator)) + part;
  return out;
}

}  // namespace

bool Machine::has_lsm(std::string_view name) const {
  return std::ranges::find(lsms, name) != lsms.end();
}

Machine look_at_machine() {
  Machine machine;
  utsname names{};
  if (::uname(&names) == 0) {
    machine.kernel = names.release;
    machine.architecture = names.machine;
    machine.preemption = preemption(names.version);
  }
  machine.root = ::geteuid() == 0;
  machine.missing_capabilities = missing_capabilities();
  machine.bpf_refused = why_bpf_is_refused();
  if (machine.bpf_refused.empty()) machine.trampolines_refused = why_trampolines_are_refused();
  machine.btf = has_btf();
  machine.lsms = split(first_line("/sys/kernel/security/lsm"), ',');
  if (auto mount = kernel::cgroup2_mount()) {
    machine.cgroup2 = *mount;
  } else {
    machine.cgroup2_why_not = mount.error().message;
  }
  const long landlock = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U);
  machine.landlock_abi = static_cast<int>(std::max(landlock, 0L));
  machine.fanotify_why_not = why_no_fanotify();
  machine.seccomp = has_seccomp_filters();
  return machine;
}

std::string what_is_missing(const Machine& machine) {
  const std::string names = join(machine.missing_capabilities, ", ");
  if (!machine.root && !names.empty())
    return "this needs root (" + names + " missing): run it with sudo";
  if (!names.empty())
    return "root lacks " + names +
           " here, as in a container: give the container these capabilities, or run Ambit on the "
           "host";
  if (!machine.bpf_refused.empty())
    return "this system refuses bpf() (" + machine.bpf_refused +
           "): use a kernel with CONFIG_BPF_SYSCALL=y, and in a container a seccomp profile that "
           "allows bpf";
  if (!machine.btf)
    return "this kernel has no BTF (/sys/kernel/btf/vmlinux): use a kernel built with "
           "CONFIG_DEBUG_INFO_BTF=y, and in a container mount /sys";
  return {};
}

std::string ruled_out(model::Backend backend, const Machine& machine) {
  if (backend == model::Backend::portable) return machine.cgroup2_why_not;
  if (backend != model::Backend::lsm && backend != model::Backend::fmod_ret) return {};
  if (!machine.trampolines_refused.empty())
    return "this system refuses BPF trampolines (" + machine.trampolines_refused + ")";
  if (backend == model::Backend::lsm && !machine.lsms.empty() && !machine.has_lsm("bpf"))
    return "bpf is not among the active LSMs (" + join(machine.lsms, ",") + ")";
  return {};
}

std::string remedy(model::Backend backend, const Machine& machine, int code) {
  // The caller's limits, whatever the kernel can do.
  if (code == EMFILE) return "raise the limit of open files: ulimit -n 1024";
  if (code == EFBIG) return "raise the limit of file sizes: ulimit -f unlimited";
  switch (backend) {
    case model::Backend::lsm:
      if (!machine.lsms.empty() && !machine.has_lsm("bpf"))
        return "add bpf to lsm= on the kernel command line: lsm=" + join(machine.lsms, ",") +
               ",bpf";
      return "use a kernel with CONFIG_BPF_LSM=y on a host that lets BPF trampolines be attached";
    case model::Backend::fmod_ret:
      return "use a kernel with CONFIG_FUNCTION_TRACER=y and CONFIG_BPF_JIT=y on a host that lets "
             "BPF trampolines be attached";
    case model::Backend::portable:
      if (!machine.cgroup2_why_not.empty())
        return "mount cgroup v2: mount -t cgroup2 none /sys/fs/cgroup/unified";
      return "use Linux 6.18 or later, or make lsm or fmod_ret available";
    case model::Backend::none:
    case model::Backend::user:
      return {};
  }
  return {};
}

}  // namespace ambit::pipeline
