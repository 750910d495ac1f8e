// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/estate.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnerOnly = 0700;

/// A directory that others could write to would be theirs to fill.
Result<void> make_own(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST)
    return fail_errno("cannot make " + path);
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return fail_errno(path);
  if (!S_ISDIR(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 022) != 0)
    return fail(path + " must be a directory that only root may write to");
  return {};
}

bool is_bpffs(const std::string& path) {
  constexpr long kMagic = 0xcafe4a11;  // BPF_FS_MAGIC
  struct statfs facts{};
  return ::statfs(path.c_str(), &facts) == 0 && facts.f_type == kMagic;
}

/// Where systemd runs it is mounted; a container or an initramfs may lack it.
Result<void> want_bpffs(const std::string& path) {
  constexpr const char* kUsual = "/sys/fs/bpf";
  std::string at = fs::path(path).parent_path();
  std::error_code error;
  while (at.size() > 1 && !fs::exists(at, error)) at = fs::path(at).parent_path();
  if (is_bpffs(at)) return {};
  if (at == kUsual &&
      ::mount("bpf", kUsual, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
    return {};
  return fail("pins: " + at + " is no bpffs: mount -t bpf bpf " + kUsual);
}

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string lock_of(const std::string& state) { return state + "/lock"; }

/// A lock of the process, which holders do not inherit.
Result<Descriptor> lock(const std::string& state) {
  Descriptor file(::open(lock_of(state).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_errno(lock_of(state));
  constexpr int kTurns = 500;
  for (int turn = 0; turn < kTurns; ++turn) {
    struct flock wanted = whole_file();
    if (::fcntl(file.get(), F_SETLK, &wanted) == 0) return file;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail("another daemon has " + state + ": process " + std::to_string(owner_of(state)));
}

}  // namespace

Places places_of(const std::string& socket) {
  const std::string state = fs::path(socket).parent_path().string() + "/state";
  if (socket == "/run/ambit/control.sock") return {.pins = "/sys/fs/bpf/ambit", .state = state};
  // bpffs has no names with dots.
  std::string name;
  for (const char letter : socket) {
    std::array<char, 4> escaped{};
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_')
      name += letter;
    else if (letter == '/')
      name += '+';
    else if (std::snprintf(escaped.data(), escaped.size(), "%%%02x",
                           static_cast<unsigned>(static_cast<unsigned char>(letter))) > 0)
      name += escaped.data();
  }
  return {.pins = "/sys/fs/bpf/ambit" + name, .state = state};
}

int owner_of(const std::string& state) {
  const Descriptor file(::open(lock_of(state).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct flock found = whole_file();
  if (!file.valid() || ::fcntl(file.get(), F_GETLK, &found) != 0) return 0;
  return found.l_type == F_UNLCK ? 0 : found.l_pid;
}

Result<Estate> Estate::enter(const Places& places) {
  if (auto made = make_own(places.state); !made) return std::unexpected(made.error());
  auto locked = lock(places.state);
  if (!locked) return std::unexpected(locked.error());
  if (auto wanted = want_bpffs(places.pins); !wanted) return std::unexpected(wanted.error());
  if (auto made = make_own(places.pins); !made) return std::unexpected(made.error());
  return Estate(places, std::move(*locked));
}

Result<std::string> Estate::prepare_pins() const {
  std::string making = places_.pins + "/making";
  std::error_code error;
  fs::remove_all(making, error);
  if (auto made = make_own(making); !made) return std::unexpected(made.error());
  return making;
}

Result<void> Estate::publish() const {
  if (::rename((places_.pins + "/making").c_str(), pins().c_str()) != 0)
    return fail_errno("cannot pin in " + pins());
  return {};
}

Result<std::size_t> Estate::remove_pins() const {
  std::size_t count = 0;
  for (const std::string& directory : {pins(), places_.pins + "/making"}) {
    std::error_code error;
    const auto removed = fs::remove_all(directory, error);
    if (error) return fail(directory + ": " + error.message());
    if (removed > 1) count += removed - 1;
  }
  return count;
}

std::string Estate::documents_of(std::uint64_t generation) const {
  std::array<char, 17> name{};
  std::snprintf(name.data(), name.size(), "%016llx", static_cast<unsigned long long>(generation));
  return places_.state + "/" + name.data();
}

Result<std::string> Estate::documents(std::uint64_t generation) const {
  std::string own = documents_of(generation);
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(places_.state, error))
    if (entry.path() != own && entry.is_directory(error)) fs::remove_all(entry.path(), error);
  if (auto made = make_own(own); !made) return std::unexpected(made.error());
  return own;
}

void Estate::remove_documents() const {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(places_.state, error))
    if (entry.is_directory(error)) fs::remove_all(entry.path(), error);
}

std::vector<std::string> Estate::own_files() const {
  std::vector<std::string> out{lock_of(places_.state)};
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(places_.pins, error))
    out.push_back(entry.path());
  for (const fs::directory_entry& entry : fs::directory_iterator(places_.state, error))
    if (entry.is_directory(error)) out.push_back(entry.path());
  for (fs::path at : {fs::path(places_.pins), fs::path(places_.state)})
    for (;; at = at.parent_path()) {
      out.push_back(at);
      if (at == at.parent_path()) break;
    }
  return out;
}

}  // namespace ambit::pipeline
