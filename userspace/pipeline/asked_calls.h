// SPDX-License-Identifier: Apache-2.0
// System calls of commands that Ambit starts about which the portable backend is asked, since no
// hook of it sees what they do. One table for the seccomp filter and for the answer.
#pragma once

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <span>

#include "userspace/model/words.h"

namespace ambit::pipeline {

/// What an answer depends on.
enum class Asked : std::uint8_t {
  family,            ///< a socket family
  family_in_memory,  ///< the same behind a pointer: socketcall of 32-bit programs
  machine,           ///< nothing: it changes or reads what all processes share
  perf,              ///< a process, a processor or a cgroup
  trace,             ///< a process, or who started the caller
  memory,            ///< a process
  monitor,           ///< whether the process is one of Ambit's
  limit,             ///< the same, when limits are given
  priority,          ///< the same, by process, group or user
};

struct AskedCall {
  Asked what = Asked::machine;
  model::Operation operation = model::Operation::none;
  model::Privilege privilege = model::Privilege::none;
  std::uint32_t number = 0;    ///< 0: none on that architecture
  std::uint32_t number32 = 0;  ///< i386
  std::uint32_t x32 = 0;       ///< without its bit, where it differs
  unsigned argument = 0;       ///< which the filter compares with `values`
  bool unless_listed = true;   ///< asked about unless it is one of them; else only then
  std::span<const std::uint32_t> values;
};

/// The bit of x32 calls' numbers, whose architecture is that of 64-bit ones (__X32_SYSCALL_BIT).
inline constexpr std::uint32_t kX32 = 0x40000000;

/// Families that the hooks see.
inline constexpr std::array<std::uint32_t, 5> kSeenFamilies{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK,
                                                            AF_ALG};
inline constexpr std::array<std::uint32_t, 1> kItself{0};
inline constexpr std::array<std::uint32_t, 3> kTraces{PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE};
inline constexpr std::array<std::uint32_t, 2> kTypes{0x5412, 0x541c};  ///< TIOCSTI, TIOCLINUX

// Numbers: arch/x86/entry/syscalls/syscall_{64,32}.tbl, which only ever grow.
inline constexpr std::array kFamilyCalls{
    AskedCall{
        .what = Asked::family, .number = SYS_socket, .number32 = 359, .values = kSeenFamilies},
    AskedCall{.what = Asked::family, .number32 = 360, .values = kSeenFamilies},  // socketpair
    AskedCall{.what = Asked::family_in_memory, .number32 = 102},
};

namespace asked {
using enum model::Operation;
using Needs = model::Privilege;
}  // namespace asked

inline constexpr std::array kGuardedCalls{
    AskedCall{Asked::machine, asked::bpf, asked::Needs::bpf, SYS_bpf, 357},
    AskedCall{Asked::perf, asked::perf_event_open, asked::Needs::perf, SYS_perf_event_open, 336, 0,
              1, true, kItself},
    AskedCall{Asked::machine, asked::load_module, asked::Needs::modules, SYS_init_module, 128},
    AskedCall{Asked::machine, asked::load_module, asked::Needs::modules, SYS_finit_module, 350},
    AskedCall{Asked::machine, asked::load_kexec, asked::Needs::kexec, SYS_kexec_load, 283, 528},
    AskedCall{Asked::machine, asked::load_kexec, asked::Needs::kexec, SYS_kexec_file_load},
    AskedCall{Asked::machine, asked::touch_kernel, asked::Needs::kernel_memory, SYS_iopl, 110},
    AskedCall{Asked::machine, asked::touch_kernel, asked::Needs::kernel_memory, SYS_ioperm, 101},
    AskedCall{Asked::machine, asked::type, asked::Needs::terminal, SYS_ioctl, 54, 514, 1, false,
              kTypes},
    AskedCall{Asked::trace, asked::ptrace, asked::Needs::ptrace, SYS_ptrace, 26, 521, 0, false,
              kTraces},
    AskedCall{Asked::memory, asked::ptrace, asked::Needs::ptrace, SYS_process_vm_readv, 347, 539},
    AskedCall{Asked::memory, asked::ptrace, asked::Needs::ptrace, SYS_process_vm_writev, 348, 540},
    AskedCall{Asked::monitor, asked::schedule, asked::Needs::none, SYS_sched_setparam, 154, 0, 0,
              true, kItself},
    AskedCall{Asked::monitor, asked::schedule, asked::Needs::none, SYS_sched_setscheduler, 156, 0,
              0, true, kItself},
    AskedCall{Asked::monitor, asked::schedule, asked::Needs::none, SYS_sched_setaffinity, 241, 0, 0,
              true, kItself},
    AskedCall{Asked::monitor, asked::schedule, asked::Needs::none, SYS_sched_setattr, 351, 0, 0,
              true, kItself},
    AskedCall{Asked::priority, asked::schedule, asked::Needs::none, SYS_setpriority, 97},
    AskedCall{Asked::priority, asked::schedule, asked::Needs::none, SYS_ioprio_set, 289},
    AskedCall{Asked::limit, asked::limit, asked::Needs::none, SYS_prlimit64, 340, 0, 0, true,
              kItself},
};

/// Installs the filter for the calling thread and what it starts: the listener, or -1 with errno.
[[nodiscard]] int install_asking_filter(bool families);

}  // namespace ambit::pipeline
