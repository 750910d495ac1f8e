// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/guard/ways.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>

namespace ambit::probe {

namespace {

using Ways = std::vector<GuardedWay>;

Ways against_the_monitor() {
  const auto way = [](std::string name, Words argv, std::string operation) {
    return GuardedWay{std::move(name), std::move(argv), "monitor_protected", std::move(operation)};
  };
  Ways ways{
      way("KillTheMonitor", {"kill", "%", "9"}, "signal"),
      way("StopTheMonitor", {"kill", "%", "19"}, "signal"),
      way("TerminateTheMonitor", {"kill", "%", "15"}, "signal"),
      way("KillTheMonitorByPidfd", {"kill-by-pidfd", "%", "9"}, "signal"),
      way("KillTheMonitorsThread", {"kill-thread", "%", "9"}, "signal"),
      way("KillTheMonitorByAPipe", {"kill-by-pipe", "%", "9"}, "signal"),
      way("KillTheHolder", {"kill", "#", "9"}, "signal"),
      way("StopTheHolder", {"kill", "#", "19"}, "signal"),
      way("MakeTheMonitorNice", {"nice", "%"}, "schedule"),
      way("BindTheMonitorToAProcessor", {"affinity", "%"}, "schedule"),
      way("MakeTheMonitorIdle", {"scheduler", "%"}, "schedule"),
      way("MakeTheHolderIdle", {"scheduler", "#"}, "schedule"),
      way("StarveTheMonitorsInputAndOutput", {"io-priority", "%"}, "schedule"),
      way("LimitTheMonitor", {"limit", "%"}, "limit"),
      way("GiveTheMonitorToTheOomKiller", {"write-proc", "%", "oom_score_adj", "1000"}, "open"),
      way("ReadTheMonitorsEnvironment", {"environ", "%"}, "open"),
      way("TakeTheMonitorsDescriptor", {"getfd", "%", "0"}, "ptrace"),
      way("WriteCgroupFiles", {"open-to-write", "/sys/fs/cgroup/cgroup.procs"}, "open"),
  };
  ways[5].may_be_silent = ways[5].succeeds_anyway = true;
  return ways;
}

Ways against_the_event_file() {
  const auto way = [](std::string name, Words argv, std::string operation) {
    return GuardedWay{std::move(name), std::move(argv), "event_file_protected",
                      std::move(operation)};
  };
  return {
      way("OpenTheEventFileToWrite", {"open-to-write", "$"}, "open"),
      way("OpenTheEventFileToTruncate", {"open-to-truncate", "$"}, "open"),
      way("TruncateTheEventFile", {"truncate-to-nothing", "$"}, "truncate"),
      way("RemoveTheEventFile", {"remove", "$"}, "unlink"),
      way("RenameTheEventFile", {"rename-to", "$", "@/elsewhere"}, "rename"),
      way("RenameOverTheEventFile", {"rename-to", "@/plain", "$"}, "rename"),
      way("ExchangeTheEventFile", {"exchange-with", "@/plain", "$"}, "rename"),
      way("LinkTheEventFile", {"link-to", "$", "@/another"}, "link"),
      way("OpenTheEventFileToAll", {"open-to-all", "$"}, "change"),
      way("GiveTheEventFileAway", {"give-away", "$"}, "change"),
      way("MountOverTheEventFile", {"bind-over", "@/plain", "$"}, "mount"),
      way("MountOverItsDirectory", {"mount-over", "^"}, "mount"),
      way("RenameItsDirectory", {"rename-to", "^", "@/moved"}, "rename"),
  };
}

Ways against_other_processes() {
  const auto way = [](std::string name, Words argv, std::string operation) {
    return GuardedWay{std::move(name), std::move(argv), "process_not_in_task", std::move(operation),
                      "ptrace"};
  };
  return {
      way("ReadAnothersMemory", {"memory", "!"}, "ptrace"),
      way("WriteAnothersMemory", {"write-memory", "!"}, "ptrace"),
      way("ReadAnothersMemoryFile", {"memory-file", "!"}, "open"),
      way("TraceAnother", {"memory-by-ptrace", "!"}, "ptrace"),
      way("ReadAnothersEnvironment", {"environ", "&"}, "open"),
      way("TakeAnothersDescriptor", {"getfd", "&", "0"}, "ptrace"),
  };
}

Ways against_the_machine() {
  const auto way = [](std::string name, Words argv, std::string operation, std::string privilege) {
    return GuardedWay{std::move(name), std::move(argv), "privilege_not_in_scope",
                      std::move(operation), std::move(privilege)};
  };
  return {
      way("MakeABpfMap", {"bpf-map"}, "bpf", "bpf"),
      way("ObserveAProcessor", {"perf-processor"}, "perf_event_open", "perf"),
      way("WriteCorePattern", {"open-to-write", "/proc/sys/kernel/core_pattern"}, "open",
          "host_settings"),
      way("WriteModprobePath", {"open-to-write", "/proc/sys/kernel/modprobe"}, "open",
          "host_settings"),
      way("WriteANetworkSetting", {"open-to-write", "/proc/sys/net/ipv4/ip_forward"}, "open",
          "host_settings"),
      way("TriggerSysrq", {"open-to-write", "/proc/sysrq-trigger"}, "open", "host_settings"),
      way("WriteIntoSysfs", {"open-to-write", "/sys/kernel/rcu_expedited"}, "open",
          "host_settings"),
      way("ReadKcore", {"open-to-read", "/proc/kcore"}, "open", "kernel_memory"),
      way("OpenMemory", {"device", "@/mem", "c", "1", "1"}, "open", "kernel_memory"),
      way("OpenPorts", {"device", "@/port", "c", "1", "4"}, "open", "kernel_memory"),
      way("UseAPort", {"port"}, "touch_kernel", "kernel_memory"),
      way("OpenABlockDevice", {"device", "@/disk", "b", "7", "0"}, "open", "block_devices"),
      way("LoadAModule", {"module-file", "@/plain"}, "load_module", "modules"),
      way("LoadAModuleFromMemory", {"module-memory"}, "load_module", "modules"),
      way("LoadAnotherKernel", {"kexec"}, "load_kexec", "kexec"),
      way("TypeIntoATerminal", {"type"}, "type", "terminal"),
      way("MountOverCredentials", {"mount-over", "@/.aws"}, "mount", "mounts"),
      way("MountOverCredentialsByTheNewCalls", {"new-mount-over", "@/.aws"}, "mount", "mounts"),
      way("MountOverACredential", {"bind-over", "@/plain", "@/.aws/credentials"}, "mount",
          "mounts"),
  };
}

/// Which portable is asked about: it has no hook for files or signals.
constexpr auto kByNumbers = std::to_array<std::string_view>({
    "WriteAnothersMemory",
    "ReadAnothersMemory",
    "TraceAnother",
    "MakeABpfMap",
    "ObserveAProcessor",
    "UseAPort",
    "LoadAModule",
    "LoadAModuleFromMemory",
    "LoadAnotherKernel",
    "TypeIntoATerminal",
    "MakeTheMonitorNice",
    "BindTheMonitorToAProcessor",
    "MakeTheMonitorIdle",
    "MakeTheHolderIdle",
    "StarveTheMonitorsInputAndOutput",
    "LimitTheMonitor",
});

}  // namespace

void PrintTo(const GuardedWay& way, std::ostream* out) { *out << way.name; }

const std::vector<GuardedWay>& guarded_ways() {
  static const Ways all = [] {
    Ways ways = against_other_processes();
    for (const Ways& more :
         {against_the_machine(), against_the_event_file(), against_the_monitor()})
      ways.insert(ways.end(), more.begin(), more.end());
    for (GuardedWay& way : ways)
      way.by_numbers = std::ranges::find(kByNumbers, way.name) != kByNumbers.end();
    return ways;
  }();
  return all;
}

}  // namespace ambit::probe
