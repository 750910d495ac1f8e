// SPDX-License-Identifier: Apache-2.0
// Ways to change a file without reading it, and attributes without opening it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/ring.h"

namespace ambit::acts {
namespace {

int after_chmod(const Words& w) {
  if (::chmod(w[1].c_str(), static_cast<mode_t>(std::stoi(w[2], nullptr, 8))) != 0)
    return failed("chmod");
  return perform_rest(w, 3);
}

int after_chown(const Words& w) {
  if (::lchown(w[1].c_str(), static_cast<uid_t>(std::stoi(w[2])), static_cast<gid_t>(-1)) != 0)
    return failed("chown");
  return perform_rest(w, 3);
}

int chmod_descriptor(const Words& w) {
  const int path = ::open(w[1].c_str(), O_PATH | O_CLOEXEC);
  if (path < 0) return failed("open O_PATH");
  const std::string link = "/proc/self/fd/" + std::to_string(path);
  return ::chmod(link.c_str(), static_cast<mode_t>(std::stoi(w[2], nullptr, 8))) == 0
             ? kDone
             : failed("chmod");
}

int append(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return failed("open");
  return ::write(fd, w[2].data(), w[2].size()) < 0 ? failed("write") : kDone;
}

int perform_by_ring(const io_uring_sqe& request, std::string_view what) {
  Ring ring(0);
  if (ring.error() != 0) return failed("io_uring_setup", ring.error());
  const int result = ring.perform(request);
  return result < 0 ? failed(what, -result) : kDone;
}

int unlink_by_ring(const Words& w) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_UNLINKAT;
  request.fd = AT_FDCWD;
  request.addr = reinterpret_cast<std::uintptr_t>(w[1].c_str());
  return perform_by_ring(request, "io_uring unlinkat");
}

int rename_by_ring(const Words& w) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_RENAMEAT;
  request.fd = AT_FDCWD;
  request.len = static_cast<unsigned>(AT_FDCWD);
  request.addr = reinterpret_cast<std::uintptr_t>(w[1].c_str());
  request.off = reinterpret_cast<std::uintptr_t>(w[2].c_str());
  return perform_by_ring(request, "io_uring renameat");
}

constexpr std::array kActs{
    Act{"chmod", "PATH MODE [ACT…]", 2, after_chmod},
    Act{"chown", "PATH USER [ACT…]", 2, after_chown},
    Act{"chmod-descriptor", "PATH MODE", 2, chmod_descriptor},
    Act{"append", "PATH TEXT", 2, append},
    Act{"uring-unlink", "PATH", 1, unlink_by_ring},
    Act{"uring-rename", "OLD NEW", 2, rename_by_ring},
};

}  // namespace

std::span<const Act> change_acts() { return kActs; }

}  // namespace ambit::acts
