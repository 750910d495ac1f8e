// SPDX-License-Identifier: Apache-2.0
// Ways to the bytes of a file.
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

int print_and_close(int fd, std::string_view what) {
  if (fd < 0) return failed(what);
  const int status = print_content(fd);
  ::close(fd);
  return status;
}

int open_plainly(const Words& w) {
  return print_and_close(::open(w[1].c_str(), O_RDONLY | O_CLOEXEC), "open");
}

int open_relative(const Words& w) {
  const int directory = ::open(w[1].c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed("open directory");
  return print_and_close(::openat(directory, w[2].c_str(), O_RDONLY | O_CLOEXEC), "openat");
}

int open_resolved(const Words& w) {
  const int directory = ::open(w[1].c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed("open directory");
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = std::stoul(w[3], nullptr, 0);
  const long fd = ::syscall(SYS_openat2, directory, w[2].c_str(), &how, sizeof how);
  return print_and_close(static_cast<int>(fd), "openat2");
}

int reopen_path_descriptor(const Words& w) {
  const int path = ::open(w[1].c_str(), O_PATH | O_CLOEXEC);
  if (path < 0) return failed("open O_PATH");
  const std::string link = "/proc/self/fd/" + std::to_string(path);
  return print_and_close(::open(link.c_str(), O_RDONLY | O_CLOEXEC), "reopen");
}

int open_by_handle(const Words& w) {
  struct {
    file_handle head;
    std::array<unsigned char, MAX_HANDLE_SZ> bytes;
  } handle{};
  handle.head.handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  if (::name_to_handle_at(AT_FDCWD, w[1].c_str(), &handle.head, &mount_id, 0) != 0)
    return failed("name_to_handle_at");
  const std::string directory = w[1].substr(0, w[1].rfind('/'));
  const int mount = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) return failed("open directory");
  return print_and_close(::open_by_handle_at(mount, &handle.head, O_RDONLY), "open_by_handle_at");
}

int map(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  return fd < 0 ? failed("open") : print_mapping(fd);
}

int send_whole_file(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed("pipe");
  if (::sendfile(ends[1], fd, nullptr, 4096) < 0) return failed("sendfile");
  ::close(ends[1]);
  return print_and_close(ends[0], "pipe");
}

int splice_file(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed("pipe");
  if (::splice(fd, nullptr, ends[1], nullptr, 4096, 0) < 0) return failed("splice");
  ::close(ends[1]);
  return print_and_close(ends[0], "pipe");
}

int tee_file(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open");
  std::array<int, 2> first{};
  std::array<int, 2> second{};
  if (::pipe(first.data()) != 0 || ::pipe(second.data()) != 0) return failed("pipe");
  if (::splice(fd, nullptr, first[1], nullptr, 4096, 0) < 0) return failed("splice");
  if (::tee(first[0], second[1], 4096, 0) < 0) return failed("tee");
  ::close(second[1]);
  return print_and_close(second[0], "pipe");
}

int reflink(const Words& w) {
  const int from = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return failed("open");
  const int to = ::open(w[2].c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0) return failed("open target");
  if (::ioctl(to, FICLONE, from) != 0) return failed("FICLONE");
  return print_and_close(to, "target");
}

// BASE NAME COUNT FILE: COUNT directories called NAME inside one another, then FILE.
int open_deep(const Words& w) {
  if (::chdir(w[1].c_str()) != 0) return failed("chdir");
  for (int i = 0; i < std::stoi(w[3]); ++i) {
    if (::chdir(w[2].c_str()) != 0) return failed("chdir");
  }
  return print_and_close(::open(w[4].c_str(), O_RDONLY | O_CLOEXEC), "open");
}

// DIRECTORY: its only file, whose name no command line could give.
int open_only(const Words& w) {
  DIR* const directory = ::opendir(w[1].c_str());
  if (directory == nullptr) return failed("opendir");
  const dirent* entry = ::readdir(directory);
  while (entry != nullptr && entry->d_type != DT_REG) entry = ::readdir(directory);
  if (entry == nullptr) return failed("readdir");
  return print_and_close(::openat(::dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC),
                         "openat");
}

// HANDLE DIRECTORY: the handle is one that another process made.
int open_given_handle(const Words& w) {
  struct {
    file_handle head;
    std::array<unsigned char, MAX_HANDLE_SZ> bytes;
  } handle{};
  const int from = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0 || ::read(from, &handle, sizeof handle) <= 0) return failed("read handle");
  const int mount = ::open(w[2].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) return failed("open directory");
  return print_and_close(::open_by_handle_at(mount, &handle.head, O_RDONLY), "open_by_handle_at");
}

int copy_range(const Words& w) {
  const int from = ::open(w[1].c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return failed("open");
  const int to = ::open(w[2].c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0) return failed("open target");
  if (::copy_file_range(from, nullptr, to, nullptr, 4096, 0) < 0) return failed("copy_file_range");
  ::lseek(to, 0, SEEK_SET);
  return print_and_close(to, "target");
}

// The system calls of 32-bit programs, whose pointers have 32 bits.
int call_by_int80(const Words& w, long number, long directory) {
  void* const low =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED || w[1].size() >= 4096) return kUnsupported;
  std::memcpy(low, w[1].c_str(), w[1].size() + 1);
  const bool relative = directory != 0;
  const long path = reinterpret_cast<long>(low);
  long result = number;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(relative ? directory : path), "c"(relative ? path : O_RDONLY), "d"(O_RDONLY),
                 "S"(0L)
               : "memory", "r8", "r9", "r10", "r11");
  const int code = static_cast<int>(result);
  if (code < 0) return failed("int 0x80 open", -code);
  return print_and_close(code, "open");
}

int open_by_int80(const Words& w) { return call_by_int80(w, 5, 0); }
int openat_by_int80(const Words& w) { return call_by_int80(w, 295, AT_FDCWD); }

int truncate_path(const Words& w) {
  return ::truncate(w[1].c_str(), 0) == 0 ? kDone : failed("truncate");
}

int open_truncating(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  return fd >= 0 ? kDone : failed("open O_TRUNC");
}

int write_to(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed("open for writing");
  if (::write(fd, w[2].data(), w[2].size()) < 0) return failed("write");
  return kDone;
}

int create_new(const Words& w) {
  const int fd = ::open(w[1].c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failed("create");
  say("created\n");
  return kDone;
}

int read_descriptor(const Words& w) { return print_content(std::stoi(w[1])); }

int open_in_thread(const Words& w) {
  int status = kFailed;
  std::thread([&] { status = open_plainly(w); }).join();
  return status;
}

constexpr std::array kActs{
    Act{"open", "PATH", 1, open_plainly},
    Act{"openat", "DIRECTORY NAME", 2, open_relative},
    Act{"openat2", "DIRECTORY NAME RESOLVE", 3, open_resolved},
    Act{"opath", "PATH", 1, reopen_path_descriptor},
    Act{"handle", "PATH", 1, open_by_handle},
    Act{"mmap", "PATH", 1, map},
    Act{"sendfile", "PATH", 1, send_whole_file},
    Act{"copy-range", "PATH TARGET", 2, copy_range},
    Act{"int80", "PATH", 1, open_by_int80},
    Act{"int80-openat", "PATH", 1, openat_by_int80},
    Act{"splice", "PATH", 1, splice_file},
    Act{"tee", "PATH", 1, tee_file},
    Act{"reflink", "PATH TARGET", 2, reflink},
    Act{"open-deep", "BASE NAME COUNT FILE", 4, open_deep},
    Act{"open-only", "DIRECTORY", 1, open_only},
    Act{"given-handle", "HANDLE DIRECTORY", 2, open_given_handle},
    Act{"truncate", "PATH", 1, truncate_path},
    Act{"open-truncate", "PATH", 1, open_truncating},
    Act{"write", "PATH TEXT", 2, write_to},
    Act{"create", "PATH", 1, create_new},
    Act{"read-fd", "NUMBER", 1, read_descriptor},
    Act{"open-in-thread", "PATH", 1, open_in_thread},
};

}  // namespace

std::span<const Act> file_acts() { return kActs; }

}  // namespace ambit::acts
