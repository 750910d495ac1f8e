// SPDX-License-Identifier: Apache-2.0
// What the supervisor and its holder processes share.
#pragma once

#include <sys/fanotify.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "userspace/kernel/sensor.h"
#include "userspace/policy/marks.h"

namespace ambit::pipeline {

inline constexpr std::size_t kHolders = 2;

/// What a mark on a credential asks about: opening it, and reading a descriptor that was passed on
/// or is still open when the scope ends.
inline constexpr std::uint64_t kCredentialEvents = FAN_OPEN_PERM | FAN_ACCESS_PERM;

/// Files that outlive holders' supervisor (HolderSetup::left_in).
inline constexpr const char* kSharedEnding = ".holders";
inline constexpr const char* kFindingsEnding = ".findings";
inline constexpr const char* kRecordsEnding = ".records";

/// What a process has held since a holder let it open a file. The two are asked one after the
/// other, in an order that the kernel chooses (by address), and the one that reports may be the
/// second: it must not tell that as held before.
struct GainNote {
  std::atomic<std::uint64_t> opening;  ///< process and inode; 0: none
  std::array<std::atomic<std::uint64_t>, 4> mask;
};
inline constexpr std::size_t kGainNotes = 256;

/// In memory that all of them map. A beat is a turn of the loop, at least ten a second.
struct HolderShared {
  std::array<std::atomic<std::uint64_t>, kHolders> beat;
  std::array<std::atomic<std::int32_t>, kHolders> pid;
  std::array<std::atomic<bool>, kHolders> ready;
  std::atomic<bool> stop;
  std::atomic<bool> quiet;  ///< what goes on is reported by others that are asked as well
  std::atomic<std::uint64_t> replaced;       ///< holders that died or hung and were made anew
  std::atomic<std::uint64_t> pipe_full;      ///< records that the supervisor did not take in time
  std::atomic<std::uint64_t> findings_lost;  ///< the same of findings
  std::atomic<std::uint64_t> undecided;  ///< opens of a task that were refused for want of facts
  std::atomic<std::uint64_t> mark_failed;
  std::atomic<std::uint64_t> watch_failed;  ///< names that came to a directory may not be known
  /// Their numbers in every holder, since all are forked: who takes over reads what is in them.
  std::atomic<std::int32_t> finding_reader;
  std::atomic<std::int32_t> record_reader;
  std::array<std::array<GainNote, kGainNotes>, kHolders> gains;  ///< by holder and process
};

struct HolderSetup {
  kernel::Sensor* sensor = nullptr;
  policy::MarkPlan marks;
  std::function<policy::MarkPlan()> plan_again;  ///< as the machine is when it is called
  int mount_namespace = -1;                      ///< every mount in it is asked about; -1: none
  bool ask_every_open = false;                   ///< of that namespace
  bool ask_every_exec = false;
  std::vector<model::FileId>
      loaders;  ///< ELF interpreters: opened for every program, never a program
  std::uint32_t credential_space = 0;  ///< in which new names are recognised
  std::uint32_t slot = 0;              ///< whose processes end when the supervisor does; 0: none
  std::string left_in;        ///< where the next daemon finds them: a name that files are made of
  bool outlives = false;      ///< its supervisor: it goes on until no process is in any task
  bool answers_opens = true;  ///< false: only guards the end of the task (lsm, fmod_ret)
};

/// What a holder process needs; it is forked, so that it shares all of it.
struct HolderContext {
  const HolderSetup* setup = nullptr;
  HolderShared* shared = nullptr;
  std::size_t index = 0;
  int record_pipe = -1;
  int finding_pipe = -1;  ///< of their own, so that a flood of the others pushes none out
  int supervisor = -1;    ///< pidfd
  int proc = -1;          ///< /proc, opened where opens of it are not asked about
  int null = -1;          ///< /dev/null
};

}  // namespace ambit::pipeline
