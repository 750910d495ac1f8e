// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/each.h"

namespace ambit::acts {
namespace {

const Act* find(std::string_view name) {
  for (const auto acts :
       {file_acts(),     uring_acts(),         uring_send_acts(),    ring_message_acts(),
        name_acts(),     process_acts(),       exec_acts(),          inet_acts(),
        datagram_acts(), unix_acts(),          listen_acts(),        time_acts(),
        plain_acts(),    race_acts(),          change_acts(),        descriptor_acts(),
        protocol_acts(), raw_acts(),           carry_acts(),         storm_acts(),
        measure_acts(),  guard_process_acts(), guard_machine_acts(), beside_acts()}) {
    for (const Act& act : acts) {
      if (act.name == name) return &act;
    }
  }
  return nullptr;
}

}  // namespace

int perform(const Words& words) {
  if (words.empty()) {
    std::fputs("no act named\n", stderr);
    return kUsage;
  }
  if (words.front() == "each") return perform_each(words);
  const Act* const act = find(words.front());
  if (act == nullptr || words.size() - 1 < act->least) {
    std::fprintf(stderr, "usage: %s %s\n", words.front().c_str(),
                 act == nullptr ? "(no such act)" : std::string(act->usage).c_str());
    return kUsage;
  }
  return act->perform(words);
}

int perform_rest(const Words& words, std::size_t first) {
  if (first >= words.size()) return kDone;
  return perform(Words(words.begin() + static_cast<std::ptrdiff_t>(first), words.end()));
}

int failed(std::string_view what, int code) {
  std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(), std::strerror(code));
  switch (code) {
    case EPERM:
    case EACCES:
      return kRefused;
    case ENOSYS:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EOPNOTSUPP:
      return kUnsupported;
    default:
      return kFailed;
  }
}

int failed(std::string_view what) { return failed(what, errno); }

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

int print_content(int fd) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return failed("read");
    if (got == 0) return kDone;
    say(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  }
}

int print_mapping(int fd) {
  struct stat known{};
  if (::fstat(fd, &known) != 0) return failed("fstat");
  const auto size = static_cast<std::size_t>(known.st_size);
  void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) return failed("mmap");
  say(std::string_view(static_cast<const char*>(bytes), size));
  return kDone;
}

int status_of(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0) {
    if (errno != EINTR) return failed("waitpid");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<char*> own_command(const Words& words) {
  static std::string own = [] {
    std::array<char, 4096> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
    return std::string(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  }();
  std::vector<char*> command{own.data()};
  for (const std::string& word : words) command.push_back(const_cast<char*>(word.c_str()));
  command.push_back(nullptr);
  return command;
}

}  // namespace ambit::acts

int main(int argc, char** argv) {
  return ambit::acts::perform(ambit::acts::Words(argv + 1, argv + argc));
}
