// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/measure.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <sstream>

#include "userspace/base/descriptor.h"

namespace ambit::bench {
namespace {

// Where `ops` waits until it is bound; started by another program it need not.
constexpr int kGate = 100;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  return Pipe{.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

std::vector<std::string> words_of(const Place& place, const Run& run) {
  std::vector<std::string> words = run.before;
  words.push_back(place.path("ops"));
  if (run.before.empty()) words.insert(words.end(), {"-g", std::to_string(kGate)});
  words.insert(words.end(), {"-n", std::to_string(run.batches), "-o", run.operations});
  words.insert(words.end(), run.options.begin(), run.options.end());
  words.insert(words.end(), {place.directory(), std::to_string(place.tcp_port()),
                             std::to_string(place.udp_port())});
  return words;
}

[[noreturn]] void become(std::vector<std::string> words, int gate, int output) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(gate, kGate);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

Result<Costs> take_costs(const std::string& text) {
  std::map<std::string, std::vector<double>> batches;
  std::istringstream lines(text);
  std::string name;
  for (double cost = 0; lines >> name >> cost;) batches[name].push_back(cost);
  Costs costs;
  for (auto& [operation, values] : batches) costs[operation] = std::ranges::min(values);
  if (costs.empty()) return fail("the operations said nothing");
  return costs;
}

Result<void> open_gate(const Run& run, pid_t pid, int gate) {
  if (run.bind) {
    const Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd.valid()) return fail_errno("cannot open the process of the operations");
    if (auto bound = run.bind(pidfd.get()); !bound) return bound;
  }
  if (::write(gate, "g", 1) != 1) return fail_errno("cannot start the operations");
  return {};
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Result<Costs> measure(const Place& place, const Run& run) {
  auto gate = make_pipe();
  if (!gate) return std::unexpected(gate.error());
  auto output = make_pipe();
  if (!output) return std::unexpected(output.error());
  const std::vector<std::string> words = words_of(place, run);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start the operations");
  if (pid == 0) become(words, gate->read.get(), output->write.get());
  output->write.reset();
  auto opened = open_gate(run, pid, gate->write.get());
  if (!opened) ::kill(pid, SIGKILL);
  const std::string text = read_all(output->read.get());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  place.empty_queues();
  if (!opened) return std::unexpected(opened.error());
  if (status != 0) return fail(words.front() + " ended with wait status " + std::to_string(status));
  return take_costs(text);
}

}  // namespace ambit::bench
