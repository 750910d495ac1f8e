// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/remembered/opener.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "userspace/pipeline/prepare.h"
#include "userspace/policy/encode.h"

namespace ambit::probe {

Result<std::unique_ptr<Opener>> Opener::start(kernel::Sensor& sensor, std::uint32_t slot) {
  std::unique_ptr<Opener> opener(new Opener);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("socketpair");
  const Descriptor theirs(ends[1]);
  opener->channel_ = Descriptor(ends[0]);
  opener->pid_ = ::fork();
  if (opener->pid_ < 0) return fail_errno("fork");
  if (opener->pid_ == 0) {
    opener->channel_.reset();
    serve(theirs.get());
  }
  const Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, opener->pid_, 0)));
  if (!pidfd.valid()) return fail_errno("pidfd_open");
  if (auto bound = sensor.bind(pidfd.get(), slot); !bound) return std::unexpected(bound.error());
  return opener;
}

Opener::~Opener() {
  channel_.reset();
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

namespace {

int open_and_close(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const int result = fd < 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  return result;
}

}  // namespace

// A request is a path, or two of them with a NUL between.
void Opener::serve(int channel) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::array<char, 8192> path{};
  for (;;) {
    const ssize_t length = ::recv(channel, path.data(), path.size() - 1, 0);
    if (length <= 0) ::_exit(0);
    path.at(static_cast<std::size_t>(length)) = '\0';
    const std::size_t first = std::strlen(path.data());
    const bool both = first < static_cast<std::size_t>(length);
    const int result = !both ? open_and_close(path.data())
                       : ::rename(path.data(), path.data() + first + 1) == 0 ? 0
                                                                             : errno;
    if (::send(channel, &result, sizeof(result), MSG_NOSIGNAL) < 0) ::_exit(0);
  }
}

int Opener::open(const std::string& path) const { return ask(path); }

int Opener::rename(const std::string& from, const std::string& to) const {
  return ask(from + '\0' + to);
}

int Opener::ask(const std::string& request) const {
  int result = -1;
  if (::send(channel_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
      ::recv(channel_.get(), &result, sizeof(result), 0) != sizeof(result))
    return -1;
  return result;
}

Result<void> declare(kernel::Sensor& sensor, std::uint32_t number,
                     const std::vector<std::string>& patterns) {
  pipeline::Declared declared;
  declared.cwd = "/";
  declared.scope.name = "remembered";
  model::Credential credential;
  credential.name = "secret";
  for (const std::string& pattern : patterns) credential.files.push_back({.text = pattern});
  declared.catalogue.credentials.push_back(std::move(credential));
  auto prepared = pipeline::prepare(std::move(declared));
  if (!prepared) return std::unexpected(prepared.error());
  const policy::PolicyNumbers numbers{
      .policy = number, .credential_space = 2 * number, .program_space = 2 * number + 1};
  if (auto put = pipeline::install(sensor, **prepared, numbers); !put) return put;
  return sensor.put(policy::encode_task({.slot = number, .policy = number}));
}

}  // namespace ambit::probe
