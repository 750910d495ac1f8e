// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "userspace/attribution/process_source.h"

namespace ambit::attribution {

struct FakeProcess {
  ProcessStat stat;
  std::string exe;
  std::vector<std::string> argv;
  std::optional<std::string> cwd;
  std::string cgroup;
};

/// A machine whose processes the test makes and ends.
class FakeProcesses final : public ProcessSource {
 public:
  std::map<std::uint32_t, FakeProcess> live;
  int reads = 0;

  FakeProcess& start(std::uint32_t pid, std::uint32_t ppid, std::uint64_t start_ns,
                     const std::string& exe) {
    const std::string comm = exe.substr(exe.rfind('/') + 1);
    return live[pid] = FakeProcess{.stat = {ppid, start_ns / 10'000'000 * 10'000'000, comm},
                                   .exe = exe,
                                   .argv = {comm},
                                   .cwd = "/work",
                                   .cgroup = "0::/\n"};
  }

  std::optional<ProcessStat> stat(std::uint32_t pid) override {
    const auto found = live.find(pid);
    return found == live.end() ? std::nullopt : std::optional(found->second.stat);
  }
  std::optional<std::string> exe(std::uint32_t pid) override {
    ++reads;
    return live.contains(pid) ? std::optional(live[pid].exe) : std::nullopt;
  }
  std::optional<std::vector<std::string>> argv(std::uint32_t pid) override {
    return live.contains(pid) ? std::optional(live[pid].argv) : std::nullopt;
  }
  std::optional<std::string> cwd(std::uint32_t pid) override {
    return live.contains(pid) ? live[pid].cwd : std::nullopt;
  }
  std::optional<std::string> cgroup(std::uint32_t pid) override {
    return live.contains(pid) ? std::optional(live[pid].cgroup) : std::nullopt;
  }
};

}  // namespace ambit::attribution
