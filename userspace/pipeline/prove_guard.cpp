// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_guard.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace ambit::pipeline {
namespace {

int result_of(long returned) { return returned < 0 ? errno : kDone; }

/// One that passed outweighs the refusals.
int all_refused(std::initializer_list<int> results) {
  for (const int result : results)
    if (result != EPERM && result != EACCES) return kDone;
  return EPERM;
}

}  // namespace

int signal_monitor(const Props& /*props*/, Belongings& /*mine*/) {
  return result_of(::kill(::getppid(), SIGURG));  // ignored by default
}

int read_monitor(const Props& /*props*/, Belongings& /*mine*/) {
  char byte = 0;
  const iovec here{.iov_base = &byte, .iov_len = 1};
  const iovec there{.iov_base = nullptr, .iov_len = 1};
  const int result = result_of(::process_vm_readv(::getppid(), &here, 1, &there, 1, 0));
  return result == EFAULT ? kDone : result;
}

int starve_monitor(const Props& /*props*/, Belongings& /*mine*/) {
  constexpr int kProcess = 1;
  const int parent = ::getppid();
  const auto id = static_cast<id_t>(parent);
  const int nice = ::getpriority(PRIO_PROCESS, id);
  const long priority = ::syscall(SYS_ioprio_get, kProcess, parent);
  cpu_set_t processors;
  rlimit limit{};
  if (::sched_getaffinity(parent, sizeof(processors), &processors) != 0 ||
      ::prlimit(parent, RLIMIT_CORE, nullptr, &limit) != 0)
    return kCannotBeTried;
  return all_refused({result_of(::setpriority(PRIO_PROCESS, id, nice)),
                      result_of(::sched_setaffinity(parent, sizeof(processors), &processors)),
                      result_of(::syscall(SYS_ioprio_set, kProcess, parent, priority)),
                      result_of(::prlimit(parent, RLIMIT_CORE, &limit, nullptr))});
}

int use_bpf(const Props& /*props*/, Belongings& /*mine*/) {
  bpf_attr attributes{};
  return result_of(::syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof(attributes)));
}

int replace_guarded(const Props& props, Belongings& /*mine*/) {
  const char* const path = props.guarded.data();
  return all_refused({result_of(::chmod(path, S_IRUSR | S_IWUSR)),
                      result_of(::chown(path, ::geteuid(), ::getegid())),
                      result_of(::rename(path, props.renamed.data())), result_of(::unlink(path))});
}

int open_setting(const Props& /*props*/, Belongings& /*mine*/) {
  const int fd = ::open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == EROFS ? kCannotBeTried : errno;
  ::close(fd);
  return kDone;
}

int observe_processor(const Props& /*props*/, Belongings& /*mine*/) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
  const long fd = ::syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return errno == ENOSYS ? kCannotBeTried : errno;
  ::close(static_cast<int>(fd));
  return kDone;
}

int load_module(const Props& props, Belongings& /*mine*/) {
  if (props.program == nullptr) return kCannotBeTried;
  const int fd = ::open(props.program, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kCannotBeTried;
  // No program is a module, nor are zeros.
  std::array<char, 256> image{};
  const int by_file = result_of(::syscall(SYS_finit_module, fd, "", 0));
  const int by_memory = result_of(::syscall(SYS_init_module, image.data(), image.size(), ""));
  ::close(fd);
  return by_file == ENOSYS ? kCannotBeTried : all_refused({by_file, by_memory});
}

int use_port(const Props& /*props*/, Belongings& /*mine*/) {
  constexpr unsigned long kDiagnostics = 0x80;
  if (::ioperm(kDiagnostics, 1, 1) != 0) return errno == ENOSYS ? kCannotBeTried : errno;
  ::ioperm(kDiagnostics, 1, 0);
  return kDone;
}

int type_into_terminal(const Props& props, Belongings& /*mine*/) {
  char key = ' ';
  // A socket is no terminal; whether one may type is asked before that is seen.
  const int result = result_of(::ioctl(props.channel, TIOCSTI, &key));
  return result == EPERM ? result : kDone;
}

int mount_over_secret(const Props& props, Belongings& /*mine*/) {
  const int result =
      result_of(::mount("none", props.directory.data(), "ambit-proof-no-such-type", 0, nullptr));
  return result == ENODEV ? kDone : result;
}

int make_user_namespace(const Props& /*props*/, Belongings& /*mine*/) {
  const pid_t child = ::_Fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return kCannotBeTried;
  return status == 0 ? kDone : kCannotBeTried;
}

}  // namespace ambit::pipeline
