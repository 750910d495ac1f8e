// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_stage.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <ranges>
#include <string_view>
#include <system_error>

#include "userspace/pipeline/prove.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/encode.h"

namespace ambit::pipeline {
namespace {

constexpr std::uint32_t kSlot = kFirstProofNumber;
constexpr std::uint32_t kCredentialSpace = kFirstProofNumber;

constexpr policy::PolicyNumbers numbers_of(Phase phase) {
  const std::uint32_t step = phase == Phase::observed ? 0 : 1;
  return {.policy = kFirstProofNumber + step,
          .credential_space = kCredentialSpace,
          .program_space = kFirstProofNumber + 1 + step};
}

template <std::size_t N>
void copy_to(std::array<char, N>& to, const std::string& from) {
  std::memcpy(to.data(), from.data(), std::min(from.size(), N - 1));
}

constexpr std::string_view kDirectoryPrefix = "ambit-proof.";
// The files that a stage may have in its directory.
constexpr std::array kFileNames{"secret", "link", "renamed", "socket", "gone", "asked", "guarded"};

/// A stage whose process was killed leaves its directory; no stage lives for a minute.
void sweep(const std::string& parent) {
  constexpr std::time_t kAge = 60;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    struct stat status{};
    if (!entry->path().filename().string().starts_with(kDirectoryPrefix) ||
        ::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != ::geteuid() || std::time(nullptr) - status.st_mtime < kAge)
      continue;
    for (const char* name : kFileNames) ::unlink((path + "/" + name).c_str());
    ::rmdir(path.c_str());
  }
}

const char* find_program() {
  constexpr std::array kPrograms{"/bin/true", "/usr/bin/true", "/bin/sh", "/bin/busybox"};
  const auto found =
      std::ranges::find_if(kPrograms, [](const char* path) { return ::access(path, X_OK) == 0; });
  return found == kPrograms.end() ? nullptr : *found;
}

/// A socket bound to a free port of loopback; `address` learns the port.
template <typename Address>
Descriptor bind_loopback(Address& address, int family, int type) {
  Descriptor made(::socket(family, type | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!made.valid() || ::bind(made.get(), generic, length) != 0 ||
      ::getsockname(made.get(), generic, &length) != 0)
    return {};
  return made;
}

UnixName unix_name(const std::string& name, bool abstract) {
  UnixName out;
  out.address.sun_family = AF_UNIX;
  const std::size_t start = abstract ? 1 : 0;
  const std::size_t size = std::min(name.size(), sizeof(out.address.sun_path) - start - 1);
  std::memcpy(out.address.sun_path + start, name.data(), size);
  out.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + start + size + (abstract ? 0 : 1));
  return out;
}

Result<Descriptor> bind_unix(const UnixName& name, int type) {
  Descriptor made(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!made.valid() ||
      ::bind(made.get(), reinterpret_cast<const sockaddr*>(&name.address), name.length) != 0)
    return fail_errno("cannot make a Unix socket to prove the backend with");
  if (type == SOCK_STREAM && ::listen(made.get(), 1) != 0)
    return fail_errno("cannot listen on a Unix socket to prove the backend with");
  return made;
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::set_up(kernel::Sensor& sensor) {
  std::unique_ptr<Stage> stage(new Stage(sensor));
  for (const auto step :
       {&Stage::make_directory, &Stage::make_files, &Stage::make_sockets, &Stage::write_tables})
    if (auto done = (*stage.*step)(); !done) return std::unexpected(done.error());
  return stage;
}

Stage::~Stage() {
  for (const auto& [table, key] : written_ | std::views::reverse)
    (void)sensor_.remove(table, key);  // nobody is left who could do anything about it
  for (const std::string& file : files_) ::unlink(file.c_str());
  if (!directory_.empty()) ::rmdir(directory_.c_str());
}

Result<void> Stage::make_directory() {
  // Memory first: on overlay file systems a file's device is not what stat() says.
  for (const char* parent : {"/dev/shm", "/run", "/tmp", "/var/tmp"}) {
    sweep(parent);
    std::string name = std::string(parent) + "/" + std::string(kDirectoryPrefix) + "XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) continue;
    directory_ = name;
    return {};
  }
  return fail_errno(
      "cannot make a directory in /dev/shm, /run, /tmp or /var/tmp to prove the backend with");
}

Result<std::string> Stage::make_file(const std::string& name) {
  std::string path = directory_ + "/" + name;
  const Descriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made.valid()) return fail_errno("cannot make " + path);
  files_.push_back(path);
  return path;
}

Result<void> Stage::make_files() {
  auto secret = make_file("secret");
  if (!secret) return std::unexpected(secret.error());
  secret_ = Descriptor(::open(secret->c_str(), O_RDWR | O_CLOEXEC));
  if (!secret_.valid() || ::write(secret_.get(), "secret\n", 7) != 7)
    return fail_errno("cannot write " + *secret);
  files_.push_back(directory_ + "/link");
  files_.push_back(directory_ + "/renamed");
  copy_to(props_.secret, *secret);
  copy_to(props_.link, directory_ + "/link");
  copy_to(props_.renamed, directory_ + "/renamed");
  auto guarded = make_file("guarded");
  if (!guarded) return std::unexpected(guarded.error());
  copy_to(props_.guarded, *guarded);
  copy_to(props_.directory, directory_);
  props_.secret_fd = secret_.get();
  props_.program = find_program();
  return {};
}

Result<void> Stage::make_sockets() {
  props_.tcp4.sin_family = props_.udp4.sin_family = AF_INET;
  props_.tcp4.sin_addr.s_addr = props_.udp4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  props_.tcp6.sin6_family = props_.udp6.sin6_family = AF_INET6;
  props_.tcp6.sin6_addr = props_.udp6.sin6_addr = in6addr_loopback;
  sockets_.push_back(bind_loopback(props_.tcp4, AF_INET, SOCK_STREAM));
  sockets_.push_back(bind_loopback(props_.udp4, AF_INET, SOCK_DGRAM));
  sockets_.push_back(bind_loopback(props_.tcp6, AF_INET6, SOCK_STREAM));
  props_.ipv6 = sockets_.back().valid();
  sockets_.push_back(bind_loopback(props_.udp6, AF_INET6, SOCK_DGRAM));
  const std::string path = directory_ + "/socket";
  files_.push_back(path);
  props_.stream = unix_name(path, false);
  props_.datagram = unix_name(directory_, true);
  auto stream = bind_unix(props_.stream, SOCK_STREAM);
  if (!stream) return std::unexpected(stream.error());
  auto datagram = bind_unix(props_.datagram, SOCK_DGRAM);
  if (!datagram) return std::unexpected(datagram.error());
  sockets_.push_back(std::move(*stream));
  sockets_.push_back(std::move(*datagram));
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail_errno("cannot make a pair of sockets to prove the backend with");
  sender_ = Descriptor(pair[0]);
  receiver_ = Descriptor(pair[1]);
  props_.channel = receiver_.get();
  return {};
}

Result<void> Stage::send_secret() {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = secret_.get();
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  if (::sendmsg(sender_.get(), &message, MSG_DONTWAIT) != 1)
    return fail_errno("cannot hand over a descriptor to prove the backend with");
  return {};
}

void Stage::take_over(std::uint16_t port) {
  sockaddr_in address = props_.udp4;
  address.sin_port = htons(port);
  sockets_.push_back(bind_loopback(address, AF_INET, SOCK_DGRAM));
}

Result<void> Stage::put(const model::TableEntry& entry) {
  written_.emplace_back(entry.table, entry.key);
  return sensor_.put(entry);
}

Result<void> Stage::write_tables() {
  model::Catalogue catalogue;
  catalogue.credentials.push_back({.name = "proof"});
  const policy::ExpandedCatalogue expanded{.catalogue = &catalogue,
                                           .files = {{{.text = props_.secret.data()}}}};
  auto paths = policy::compile_catalogue(expanded, policy::RealFileSystem());
  if (!paths) return std::unexpected(paths.error());
  for (const model::TableEntry& entry : policy::encode_paths(*paths, kCredentialSpace))
    if (auto done = put(entry); !done) return done;
  const auto facts = policy::RealFileSystem().look(props_.guarded.data());
  if (!facts) return fail(std::string("cannot look at ") + props_.guarded.data());
  if (auto done = put(policy::encode_guarded(facts->id, policy::Guarded::events)); !done)
    return done;
  for (const Phase phase : {Phase::observed, Phase::bound})
    if (auto done = write_policy(phase); !done) return done;
  return enter(Phase::observed);
}

Result<void> Stage::write_policy(Phase phase) {
  model::Scope scope;
  scope.network.emplace();
  if (phase != Phase::observed) scope.exec.emplace();
  auto compiled = policy::compile_policy({.scope = &scope}, {}, policy::RealFileSystem());
  if (!compiled) return std::unexpected(compiled.error());
  for (const model::TableEntry& entry : policy::encode_policy(*compiled, numbers_of(phase)))
    if (auto done = put(entry); !done) return done;
  return {};
}

Result<void> Stage::enter(Phase phase) {
  constexpr std::uint64_t kLongAgo = 1;
  return put(policy::encode_task({.slot = kSlot,
                                  .policy = numbers_of(phase).policy,
                                  .expires_boot_ns = phase == Phase::ended ? kLongAgo : 0}));
}

}  // namespace ambit::pipeline
