// SPDX-License-Identifier: Apache-2.0
// P1 to P3: ways out of a task. Each is tried twice, with a secret and with a destination.
#include "tests/kernel/evasion/case.h"

namespace ambit::probe::evasion {
namespace {

struct Way {
  const char* row;
  const char* name;
  Words before;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"P1", "child", {"in-child"}},
      {"P1", "orphan", {"in-orphan"}},
      {"P1", "orphan of an orphan", {"in-orphan", "in-orphan"}},
      {"P1", "sibling by CLONE_PARENT", {"in-sibling"}},
      {"P1", "another session", {"in-session"}},
      {"P1", "thread", {"in-thread"}},
      {"P1", "vfork", {"by-vfork"}},
      {"P1", "posix_spawn", {"by-spawn"}},
      {"P1", "execve", {"by-exec"}},
      {"P1", "execve in the leader's place", {"by-exec-in-thread"}},
      {"P1",
       "execve in a thread of an orphan",
       {"in-orphan", "in-child", "by-exec-in-thread", "by-vfork"}},
      {"P1", "new namespaces", {"in-namespaces"}},
      {"P1", "new user namespace", {"in-user-namespace"}},
      {"P1", "another name", {"named", "sshd"}},
      {"P2", "write to cgroup.procs", {"in-cgroup", "{cgroup}"}},
      {"P2", "CLONE_INTO_CGROUP", {"born-in-cgroup", "{cgroup}"}},
      {"P2", "nested cgroup of its own", {"mkdir", "{new-cgroup}", "in-cgroup", "{new-cgroup}"}},
  };
  return all;
}

Words joined(Words before, const Words& act) {
  before.insert(before.end(), act.begin(), act.end());
  return before;
}

}  // namespace

std::vector<Case> membership_cases() {
  std::vector<Case> all;
  for (const Way& way : ways()) {
    const std::string name = way.name;
    all.push_back({.row = way.row,
                   .name = name + ", opens",
                   .kind = Kind::reads,
                   .argv = joined(way.before, {"open", "{secret}"})});
    all.push_back({.row = way.row,
                   .name = name + ", connects",
                   .kind = Kind::sends,
                   .argv = joined(way.before, {"tcp", "{address}", "{port}", "{text}"})});
  }
  for (const char* const backend : {"lsm", "fmod_ret"}) {
    const Short less{backend, Result::denied,
                     "No scope grants files of cgroups: who writes them can freeze Ambit.", "",
                     true};
    add_short(all,
              {"write to cgroup.procs, opens", "write to cgroup.procs, connects",
               "nested cgroup of its own, opens", "nested cgroup of its own, connects"},
              less);
  }
  for (const char* const who : {"worker", "poller"}) {
    const std::string name = std::string("io_uring ") + who;
    all.push_back({.row = "P3",
                   .name = name + ", opens",
                   .kind = Kind::reads,
                   .argv = {std::string("uring-") + who, "{secret}"}});
  }
  all.push_back({.row = "P3",
                 .name = "io_uring poller, connects",
                 .kind = Kind::sends,
                 .argv = {"uring-poller-tcp", "{address}", "{port}", "{text}"}});
  return all;
}

}  // namespace ambit::probe::evasion
