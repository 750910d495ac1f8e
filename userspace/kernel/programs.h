// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "userspace/model/words.h"

namespace ambit::kernel {

/// What a hook is for; a scope that binds a class needs its hooks.
enum class Concern : std::uint8_t {
  membership,
  files,
  network,
  unix_sockets,
  exec,
  guard,
  cleanup
};

/// How a program gets onto its hook.
enum class AttachBy : std::uint8_t {
  automatic,
  cgroup,
  sockmap,
  demand,  ///< loaded, and attached by Sensor::switch_on
  call,    ///< run when it is asked something
  once     ///< run after the load: it finds something out
};

/// One BPF program: where it attaches, for which backends, and what is lost without it.
struct ProgramSpec {
  std::string_view program;
  std::string_view hook;
  Concern concern;
  model::Backend backend;     ///< none: every backend
  std::string_view function;  ///< must stand in the kernel's BTF; empty: no question
  bool required;              ///< without it the backend is not had
  std::string_view without;   ///< what does not hold when it is missing
  AttachBy by = AttachBy::automatic;
  std::string_view only_with = {};  ///< kernels without this function do not need the program
  int attach_type = -1;             ///< for section names that libbpf 1.1.2 does not know
};

/// Which follow what one process of a task hands to another: on demand, all or none.
inline constexpr std::array<std::string_view, 6> kCarryHooks{
    "carry_file", "carry_map", "carry_send", "carry_datagram", "carry_receive", "carry_trace"};

[[nodiscard]] std::span<const ProgramSpec> program_specs();

}  // namespace ambit::kernel
