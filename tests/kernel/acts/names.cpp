// SPDX-License-Identifier: Apache-2.0
// Other names for a file, and then an act that uses them.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

int after_symlink(const Words& w) {
  if (::symlink(w[1].c_str(), w[2].c_str()) != 0) return failed("symlink");
  return perform_rest(w, 3);
}

int after_link(const Words& w) {
  if (::link(w[1].c_str(), w[2].c_str()) != 0) return failed("link");
  return perform_rest(w, 3);
}

int after_rename(const Words& w) {
  if (::rename(w[1].c_str(), w[2].c_str()) != 0) return failed("rename");
  return perform_rest(w, 3);
}

int after_exchange(const Words& w) {
  if (::renameat2(AT_FDCWD, w[1].c_str(), AT_FDCWD, w[2].c_str(), RENAME_EXCHANGE) != 0)
    return failed("renameat2");
  return perform_rest(w, 3);
}

int after_unlink(const Words& w) {
  if (::unlink(w[1].c_str()) != 0) return failed("unlink");
  return perform_rest(w, 2);
}

int after_mkdir(const Words& w) {
  if (::mkdir(w[1].c_str(), 0755) != 0) return failed("mkdir");
  return perform_rest(w, 2);
}

int after_chdir(const Words& w) {
  if (::chdir(w[1].c_str()) != 0) return failed("chdir");
  return perform_rest(w, 2);
}

/// 0, or the status of what failed.
int enter_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("mount private");
  return kDone;
}

int after_bind(const Words& w) {
  if (const int status = enter_mount_namespace(); status != kDone) return status;
  if (::mount(w[1].c_str(), w[2].c_str(), nullptr, MS_BIND, nullptr) != 0) return failed("bind");
  return perform_rest(w, 3);
}

int after_new_bind(const Words& w) {
  constexpr unsigned kClone = 1;      // OPEN_TREE_CLONE
  constexpr unsigned kEmptyPath = 4;  // MOVE_MOUNT_F_EMPTY_PATH
  if (const int status = enter_mount_namespace(); status != kDone) return status;
  const long tree = ::syscall(SYS_open_tree, AT_FDCWD, w[1].c_str(), kClone | O_CLOEXEC);
  if (tree < 0) return failed("open_tree");
  if (::syscall(SYS_move_mount, tree, "", AT_FDCWD, w[2].c_str(), kEmptyPath) != 0)
    return failed("move_mount");
  return perform_rest(w, 3);
}

int after_recursive_bind(const Words& w) {
  if (const int status = enter_mount_namespace(); status != kDone) return status;
  if (::mount(w[1].c_str(), w[2].c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return failed("bind");
  return perform_rest(w, 3);
}

int after_mount_namespace(const Words& w) {
  const int status = enter_mount_namespace();
  return status == kDone ? perform_rest(w, 1) : status;
}

// A tree of mounts that stands nowhere.
int in_detached_tree(const Words& w) {
  constexpr unsigned kClone = 1;  // OPEN_TREE_CLONE
  const long tree = ::syscall(SYS_open_tree, AT_FDCWD, w[1].c_str(), kClone | O_CLOEXEC);
  if (tree < 0) return failed("open_tree");
  const int fd = ::openat(static_cast<int>(tree), w[2].c_str(), O_RDONLY | O_CLOEXEC);
  return fd < 0 ? failed("openat") : print_content(fd);
}

int after_pivot(const Words& w) {
  if (const int status = enter_mount_namespace(); status != kDone) return status;
  if (::mount(w[1].c_str(), w[1].c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return failed("bind");
  if (::chdir(w[1].c_str()) != 0) return failed("chdir");
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return failed("pivot_root");
  if (::umount2(".", MNT_DETACH) != 0) return failed("umount");
  return perform_rest(w, 2);
}

int after_link_of_descriptor(const Words& w) {
  const int path = ::open(w[1].c_str(), O_PATH | O_CLOEXEC);
  if (path < 0) return failed("open O_PATH");
  if (::linkat(path, "", AT_FDCWD, w[2].c_str(), AT_EMPTY_PATH) != 0) return failed("linkat");
  return perform_rest(w, 3);
}

int after_chroot(const Words& w) {
  if (::chroot(w[1].c_str()) != 0 || ::chdir("/") != 0) return failed("chroot");
  return perform_rest(w, 2);
}

int after_overlay(const Words& w) {
  if (const int status = enter_mount_namespace(); status != kDone) return status;
  const std::string layers =
      "lowerdir=" + w[1] + ",upperdir=" + w[2] + "/upper,workdir=" + w[2] + "/work";
  for (const char* const name : {"/upper", "/work", "/merged"})
    ::mkdir((w[2] + name).c_str(), 0755);
  const std::string merged = w[2] + "/merged";
  if (::mount("overlay", merged.c_str(), "overlay", 0, layers.c_str()) != 0)
    return errno == ENODEV ? kUnsupported : failed("mount overlay");
  return perform_rest(w, 3);
}

constexpr std::array kActs{
    Act{"symlink", "TARGET NAME [ACT…]", 2, after_symlink},
    Act{"link", "OLD NEW [ACT…]", 2, after_link},
    Act{"rename", "OLD NEW [ACT…]", 2, after_rename},
    Act{"exchange", "ONE OTHER [ACT…]", 2, after_exchange},
    Act{"unlink", "PATH [ACT…]", 1, after_unlink},
    Act{"mkdir", "PATH [ACT…]", 1, after_mkdir},
    Act{"chdir", "PATH ACT…", 2, after_chdir},
    Act{"bind", "FROM TO ACT…", 3, after_bind},
    Act{"new-bind", "FROM TO ACT…", 3, after_new_bind},
    Act{"chroot", "PATH ACT…", 2, after_chroot},
    Act{"bind-all", "FROM TO ACT…", 3, after_recursive_bind},
    Act{"in-mount-namespace", "ACT…", 1, after_mount_namespace},
    Act{"tree", "DIRECTORY NAME", 2, in_detached_tree},
    Act{"pivot", "PATH ACT…", 2, after_pivot},
    Act{"link-descriptor", "PATH NEW ACT…", 3, after_link_of_descriptor},
    Act{"overlay", "LOWER DIRECTORY ACT…", 3, after_overlay},
};

}  // namespace

std::span<const Act> name_acts() { return kActs; }

}  // namespace ambit::acts
