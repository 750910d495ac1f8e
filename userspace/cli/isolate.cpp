// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/isolate.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>

#include "userspace/base/descriptor.h"

namespace ambit::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 16'384;

void limit_memory(std::size_t more) {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages;
  const rlim_t bytes = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + more;
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  static_cast<void>(::setrlimit(RLIMIT_AS, &limit));
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
}

std::string answer_of(const Job& job) {
  try {
    return job().substr(0, kLongestAnswer);
  } catch (const std::bad_alloc&) {
    return "needs more memory than it may have";
  } catch (const std::exception& error) {
    return error.what();
  }
}

bool write_all(int fd, const void* bytes, std::size_t size) {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t count = ::write(fd, at, size);
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

[[noreturn]] void work(const std::vector<Job>& jobs, std::size_t first, int out,
                       const Limits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit_memory(limits.memory);
  for (std::size_t i = first; i < jobs.size(); ++i) {
    const std::string answer = answer_of(jobs[i]);
    const auto size = static_cast<std::uint32_t>(answer.size());
    if (!write_all(out, &size, sizeof(size)) || !write_all(out, answer.data(), size)) break;
  }
  ::_exit(0);
}

enum class Heard : std::uint8_t { all, late, ended };

Heard read_all(int fd, void* bytes, std::size_t size, Clock::time_point deadline) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max(left.count(), 0L)));
    if (ready == 0) return Heard::late;
    const ssize_t count = ready < 0 ? -1 : ::read(fd, at, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Heard::ended;
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return Heard::all;
}

Heard read_answer(int fd, Clock::time_point deadline, std::string& answer) {
  std::uint32_t size = 0;
  const Heard heard = read_all(fd, &size, sizeof(size), deadline);
  if (heard != Heard::all) return heard;
  answer.resize(std::min<std::size_t>(size, kLongestAnswer));
  return read_all(fd, answer.data(), answer.size(), deadline);
}

std::string failure_of(pid_t child, bool late, const Limits& limits) {
  ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) return "takes longer than " + std::to_string(limits.time.count()) + " ms";
  return WIFSIGNALED(status)
             ? std::string("ends the program that does it: ") + ::strsignal(WTERMSIG(status))
             : "ends the program that does it";
}

/// Does jobs from the first unanswered one on, until one of them fails the process.
void work_on(const std::vector<Job>& jobs, const Limits& limits,
             std::vector<std::string>& answers) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    answers.push_back(std::string("cannot make a pipe: ") + std::strerror(errno));
    return;
  }
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) work(jobs, answers.size(), writer.get(), limits);
  if (child < 0) {
    answers.push_back(std::string("cannot start a process: ") + std::strerror(errno));
    return;
  }
  writer.reset();
  while (answers.size() < jobs.size()) {
    std::string answer;
    const Heard heard = read_answer(reader.get(), Clock::now() + limits.time, answer);
    if (heard != Heard::all) {
      answers.push_back(failure_of(child, heard == Heard::late, limits));
      return;
    }
    answers.push_back(std::move(answer));
  }
  static_cast<void>(failure_of(child, false, limits));
}

}  // namespace

std::vector<std::string> run_isolated(const std::vector<Job>& jobs, const Limits& limits) {
  std::vector<std::string> answers;
  while (answers.size() < jobs.size()) work_on(jobs, limits, answers);
  return answers;
}

}  // namespace ambit::cli
