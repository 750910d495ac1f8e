// SPDX-License-Identifier: Apache-2.0
// What a process with power may try against the machine, and names of the event file.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pty.h>
#include <sched.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

int outcome(std::string_view what, long returned) { return returned < 0 ? failed(what) : kDone; }

long use_bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

int make_map(const Words&) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = attributes.value_size = 4;
  attributes.max_entries = 1;
  return outcome("bpf", use_bpf(BPF_MAP_CREATE, attributes));
}

int get_pinned(const Words& w) {
  bpf_attr attributes{};
  attributes.pathname = reinterpret_cast<std::uint64_t>(w[1].c_str());
  return outcome("bpf", use_bpf(BPF_OBJ_GET, attributes));
}

struct Objects {
  std::string_view word;
  int next;
  int open;
};
constexpr std::array kObjects{
    Objects{"maps", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID},
    Objects{"programs", BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID},
    Objects{"links", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID},
};

// maps, programs or links: all that there are, by their numbers. Done when one could be had.
int open_objects(const Words& w) {
  for (const Objects& objects : kObjects) {
    if (objects.word != w[1]) continue;
    bpf_attr attributes{};
    int seen = 0;
    while (use_bpf(objects.next, attributes) == 0) {
      const unsigned id = attributes.next_id;
      bpf_attr wanted{};
      wanted.map_id = id;
      if (use_bpf(objects.open, wanted) >= 0) {
        say("had " + std::to_string(id) + "\n");
        return kDone;
      }
      if (errno != EPERM && errno != ENOENT) return failed("open by number");
      ++seen;
      attributes = {};
      attributes.start_id = id;
    }
    say("saw " + std::to_string(seen) + "\n");
    return errno == ENOENT && seen == 0 ? kFailed : kRefused;
  }
  return kUsage;
}

int perf(int pid, int cpu, bool kernel) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.exclude_kernel = kernel ? 0 : 1;
  return outcome("perf_event_open", ::syscall(SYS_perf_event_open, &attributes, pid, cpu, -1, 0));
}

int observe_processor(const Words&) { return perf(-1, 0, true); }
int observe_itself(const Words&) { return perf(0, -1, false); }

int open_for(const Words& w, int flags) {
  const int fd = ::open(w[1].c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) return kUnsupported;
  if (fd < 0) return failed("open");
  ::close(fd);
  return kDone;
}
int open_to_write(const Words& w) { return open_for(w, O_WRONLY); }
int open_to_read(const Words& w) { return open_for(w, O_RDONLY); }
int open_to_truncate(const Words& w) { return open_for(w, O_RDONLY | O_TRUNC); }

// PATH b|c MAJOR MINOR: a node of one's own for a device. Without a driver the kernel was asked.
int open_device(const Words& w) {
  const dev_t device =
      makedev(static_cast<unsigned>(std::stoul(w[3])), static_cast<unsigned>(std::stoul(w[4])));
  ::unlink(w[1].c_str());
  if (::mknod(w[1].c_str(), (w[2] == "b" ? S_IFBLK : S_IFCHR) | 0600U, device) != 0)
    return failed("mknod");
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return fd >= 0 || errno == ENXIO || errno == ENODEV ? kDone : failed("open");
}

int use_port(const Words&) { return outcome("ioperm", ::ioperm(0x80, 1, 1)); }

// No file that is given here is a module: being told so is the effect.
int load_module_file(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open");
  const long loaded = ::syscall(SYS_finit_module, fd, "", 0);
  return loaded < 0 && errno == ENOEXEC ? kDone : outcome("finit_module", loaded);
}

int load_module_memory(const Words&) {
  const std::array<char, 256> image{};
  const long loaded = ::syscall(SYS_init_module, image.data(), image.size(), "");
  return loaded < 0 && errno == ENOEXEC ? kDone : outcome("init_module", loaded);
}

int load_kernel(const Words&) {
  return outcome("kexec_load", ::syscall(SYS_kexec_load, 0, 0, nullptr, 0));
}

// A terminal of its own, into which it types.
int type(const Words&) {
  int controller = -1;
  int terminal = -1;
  if (::openpty(&controller, &terminal, nullptr, nullptr, nullptr) != 0) return failed("openpty");
  ::setsid();
  if (::ioctl(terminal, TIOCSCTTY, 0) != 0) return failed("TIOCSCTTY");
  const char key = '\n';
  if (::ioctl(terminal, TIOCSTI, &key) != 0) return failed("TIOCSTI");
  char typed = 0;
  return ::read(terminal, &typed, 1) == 1 && typed == key ? kDone : kFailed;
}

int mount_over(const Words& w) {
  if (::mount("none", w[1].c_str(), "tmpfs", 0, nullptr) != 0) return failed("mount");
  ::umount2(w[1].c_str(), MNT_DETACH);
  return kDone;
}

int mount_over_by_new_calls(const Words& w) {
  const int context = static_cast<int>(::syscall(SYS_fsopen, "tmpfs", 0));
  if (context < 0) return failed("fsopen");
  ::syscall(SYS_fsconfig, context, 6 /* create */, nullptr, nullptr, 0);
  const int mount = static_cast<int>(::syscall(SYS_fsmount, context, 0, 0));
  if (mount < 0) return failed("fsmount");
  if (::syscall(SYS_move_mount, mount, "", AT_FDCWD, w[1].c_str(), 4 /* empty path */) != 0)
    return failed("move_mount");
  ::umount2(w[1].c_str(), MNT_DETACH);
  return kDone;
}

// As an agent's own sandbox does: a mount namespace of its own, private, and an empty directory
// over what it does not want to see.
int mount_over_in_own_namespace(const Words& w) {
  if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return failed("slave");
  return mount_over(w);
}

int unmount(const Words& w) { return outcome("umount", ::umount2(w[1].c_str(), MNT_DETACH)); }

int truncate_to_nothing(const Words& w) { return outcome("truncate", ::truncate(w[1].c_str(), 0)); }
int remove_name(const Words& w) { return outcome("unlink", ::unlink(w[1].c_str())); }
int rename_to(const Words& w) { return outcome("rename", ::rename(w[1].c_str(), w[2].c_str())); }
int link_to(const Words& w) { return outcome("link", ::link(w[1].c_str(), w[2].c_str())); }
int exchange_with(const Words& w) {
  return outcome("renameat2", ::syscall(SYS_renameat2, AT_FDCWD, w[1].c_str(), AT_FDCWD,
                                        w[2].c_str(), RENAME_EXCHANGE));
}
int open_to_all(const Words& w) { return outcome("chmod", ::chmod(w[1].c_str(), 0666)); }
int give_away(const Words& w) { return outcome("chown", ::chown(w[1].c_str(), 1000, 1000)); }
int bind_over(const Words& w) {
  if (::mount(w[1].c_str(), w[2].c_str(), nullptr, MS_BIND, nullptr) != 0) return failed("mount");
  ::umount2(w[2].c_str(), MNT_DETACH);
  return kDone;
}

// PROGRAM UID ACT…: as that user, by a program with the set-user-id bit.
int by_set_user_id(const Words& w) {
  const auto user = static_cast<uid_t>(std::stoul(w[2]));
  // From its own directory: another user need not get through those above (a guest's root).
  const std::filesystem::path program(w[1]);
  std::filesystem::current_path(program.parent_path());
  const std::string here = "./" + program.filename().string();
  if (::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0)
    return failed("setresuid");
  Words rest(w.begin() + 3, w.end());
  std::vector<char*> command = own_command(rest);
  command.front() = const_cast<char*>(here.c_str());
  ::execv(here.c_str(), command.data());
  return failed("execv");
}

int become_root_again(const Words&) {
  if (::setresuid(1000, 1000, 0) != 0) return failed("setresuid");
  return outcome("seteuid", ::seteuid(0));
}

int in_own_network(const Words& w) {
  if (::unshare(CLONE_NEWNET) != 0) return failed("unshare");
  return perform_rest(w, 1);
}

int make_user_namespace(const Words&) { return outcome("unshare", ::unshare(CLONE_NEWUSER)); }

constexpr std::array kActs{
    Act{"bpf-map", "", 0, make_map},
    Act{"bpf-get", "PIN", 1, get_pinned},
    Act{"bpf-objects", "maps|programs|links", 1, open_objects},
    Act{"perf-processor", "", 0, observe_processor},
    Act{"perf-itself", "", 0, observe_itself},
    Act{"open-to-write", "PATH", 1, open_to_write},
    Act{"open-to-read", "PATH", 1, open_to_read},
    Act{"open-to-truncate", "PATH", 1, open_to_truncate},
    Act{"device", "PATH b|c MAJOR MINOR", 4, open_device},
    Act{"port", "", 0, use_port},
    Act{"module-file", "PATH", 1, load_module_file},
    Act{"module-memory", "", 0, load_module_memory},
    Act{"kexec", "", 0, load_kernel},
    Act{"type", "", 0, type},
    Act{"mount-over", "DIRECTORY", 1, mount_over},
    Act{"new-mount-over", "DIRECTORY", 1, mount_over_by_new_calls},
    Act{"own-mount-over", "DIRECTORY", 1, mount_over_in_own_namespace},
    Act{"unmount", "DIRECTORY", 1, unmount},
    Act{"truncate-to-nothing", "PATH", 1, truncate_to_nothing},
    Act{"remove", "PATH", 1, remove_name},
    Act{"rename-to", "OLD NEW", 2, rename_to},
    Act{"exchange-with", "ONE OTHER", 2, exchange_with},
    Act{"link-to", "OLD NEW", 2, link_to},
    Act{"open-to-all", "PATH", 1, open_to_all},
    Act{"give-away", "PATH", 1, give_away},
    Act{"bind-over", "FROM TO", 2, bind_over},
    Act{"by-set-user-id", "PROGRAM UID ACT…", 3, by_set_user_id},
    Act{"root-again", "", 0, become_root_again},
    Act{"in-own-network", "ACT…", 1, in_own_network},
    Act{"user-namespace", "", 0, make_user_namespace},
};

}  // namespace

std::span<const Act> guard_machine_acts() { return kActs; }

}  // namespace ambit::acts
