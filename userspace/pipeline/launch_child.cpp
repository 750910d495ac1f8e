// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/launch_child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "userspace/base/ignored_signal.h"
#include "userspace/pipeline/asked_calls.h"

namespace ambit::pipeline {

namespace {

void report(int control, LaunchStage stage, int value) {
  const LaunchReport message{.stage = stage, .value = value};
  static_cast<void>(::write(control, &message, sizeof(message)));
}

[[noreturn]] void give_up(int control, LaunchStage stage) {
  report(control, stage, errno);
  ::_exit(125);
}

/// What the caller ignores (nohup) the command ignores as well.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number)
    if (!ignores_signal(number)) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool take_identity(const Identity& identity) {
  if (!identity.changes) return true;
  return ::setgroups(identity.groups.size(), identity.groups.data()) == 0 &&
         ::setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         ::setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Not in Debian 12's headers: Landlock's third field (ABI 6, kernel 6.12).
struct LandlockAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scoped;
};
constexpr std::uint64_t kScopeAbstract = 1;
constexpr std::uint64_t kScopeSignal = 2;

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArchitecture = offsetof(seccomp_data, arch);
constexpr std::uint32_t kFirst = offsetof(seccomp_data, args);

}  // namespace

bool enter_landlock(bool abstract_sockets) {
  const LandlockAttributes attributes{
      .files = 0, .network = 0, .scoped = kScopeSignal | (abstract_sockets ? kScopeAbstract : 0)};
  const int ruleset =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0));
  if (ruleset < 0) return false;
  const bool entered = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  ::close(ruleset);
  return entered;
}

/// A fanotify group hands its owner open descriptors of what others open, and nobody is asked about
/// those. Groups that tell handles instead are let be.
bool install_fanotify_filter() {
  constexpr std::uint32_t kFanotifyInit32 = 338;
  constexpr std::uint32_t kAsks = FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT;
  const std::array<sock_filter, 12> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArchitecture),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 2, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kFanotifyInit32, 3, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~kX32),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fanotify_init, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFirst),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kAsks | FAN_REPORT_FID),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FAN_REPORT_FID, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  }};
  const sock_fprog program{.len = filter.size(), .filter = const_cast<sock_filter*>(filter.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

void run_child(const LaunchPlan& plan, int control) {
  if (plan.private_mounts && (::unshare(CLONE_NEWNS) != 0 ||
                              ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0))
    give_up(control, LaunchStage::mounts);
  if (plan.refuse_fanotify && !install_fanotify_filter()) give_up(control, LaunchStage::filter);
  int listener = -1;
  if (plan.ask_calls) {
    listener = install_asking_filter(plan.ask_families);
    if (listener < 0) give_up(control, LaunchStage::filter);
  }
  report(control, LaunchStage::prepared, listener);
  char leave = 0;
  if (::read(control, &leave, 1) != 1) ::_exit(125);
  if (listener >= 0) ::close(listener);
  for (const int descriptor : plan.close) ::close(descriptor);
  if (plan.scope_signals) static_cast<void>(enter_landlock(plan.scope_abstract));
  if (!take_identity(plan.identity)) give_up(control, LaunchStage::identity);
  // After the change of user, which clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  reset_signals();
  const std::vector<char*> arguments = pointers_to(plan.command);
  std::vector<char*> environment = pointers_to(plan.environment);
  ::environ = environment.data();
  ::execvp(arguments[0], arguments.data());
  give_up(control, LaunchStage::execution);
}

}  // namespace ambit::pipeline
