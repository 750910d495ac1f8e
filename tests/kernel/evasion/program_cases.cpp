// SPDX-License-Identifier: Apache-2.0
// E1 to E5, E8: ways to run a program that the scope does not name.
#include <filesystem>

#include "tests/kernel/evasion/stage.h"

namespace ambit::probe::evasion {
namespace {

constexpr const char* kMapped =
    "Code that is mapped into a program and not executed is not looked at: a program that loads "
    "others can run what they contain. List no loader in exec.allow, and treat a program that "
    "takes LD_PRELOAD or loads modules as one that runs anything.";

std::vector<Short> on_all(Result gives, const std::string& why) {
  return {{"lsm", gives, why}, {"fmod_ret", gives, why}, {"portable", gives, why}};
}

}  // namespace

std::vector<Case> program_cases() {
  const auto runs = [](std::string row, std::string name, Words argv) {
    return Case{.row = std::move(row),
                .name = std::move(name),
                .kind = Kind::runs,
                .argv = std::move(argv)};
  };
  const auto never = [](Case way) {
    way.never_allowed = true;
    return way;
  };
  // The scope names a program that is not there when the task starts.
  const auto absent = [](Case way) {
    way.before = [](Place& place) {
      std::filesystem::create_directories(place.at("tools"));
      place.programs.push_back(place.at("tools/forbidden"));
    };
    return way;
  };
  const auto mapped = [](Case way) {
    way.best = Result::alerted;
    way.shorts = on_all(Result::missed, kMapped);
    return way;
  };
  std::vector<Case> all{
      never(runs("E1", "memory by fexecve", {"exec-memory", "{permitted}", "{mark}"})),
      never(
          runs("E1", "memory by a link in proc", {"exec-memory-by-link", "{permitted}", "{mark}"})),
      runs("E1", "execveat with an empty path", {"exec-at", "{forbidden}", "{mark}"}),
      runs("E1", "deleted copy", {"exec-deleted", "{permitted}", "{at}/copy", "{mark}"}),
      runs("E1", "execve", {"exec", "{forbidden}", "{mark}"}),
      runs("E1", "relative path", {"chdir", "{forbidden-place}", "exec", "./forbidden", "{mark}"}),
      runs("E1", "execveat relative to a directory",
           {"exec-relative", "{forbidden-place}", "forbidden", "{mark}"}),
      runs("E1", "descriptor in proc", {"exec-by-link", "{forbidden}", "{mark}"}),
      runs("E2", "script with a forbidden interpreter", {"exec", "{permitted-script}"}),
      runs("E2", "forbidden script", {"exec", "{script}"}),
      runs("E2", "nested interpreters", {"exec", "{permitted-nested}"}),
      runs("E3", "loader that the scope does not name",
           {"exec", "{forbidden-loader}", "{dynamic}", "{mark}"}),
      mapped(
          runs("E3", "loader that the scope names", {"exec", "{loader}", "{dynamic}", "{mark}"})),
      mapped(runs("E3", "LD_PRELOAD",
                  {"exec-with", "LD_PRELOAD={library}", "{permitted-dynamic}", "quiet", "{mark}"})),
      mapped(
          runs("E3", "dlopen", {"exec", "{permitted-dynamic}", "dlopen", "{library}", "{mark}"})),
      runs("E4", "copy of a permitted program",
           {"exec-copy", "{permitted}", "{at}/copy", "{mark}"}),
      runs("E4", "symlink", {"symlink", "{forbidden}", "{at}/link", "exec", "{at}/link", "{mark}"}),
      runs("E4", "hard link", {"link", "{forbidden}", "{at}/link", "exec", "{at}/link", "{mark}"}),
      runs("E4", "rename to the permitted name",
           {"rename", "{permitted}", "{at}/old", "rename", "{forbidden}", "{at}/permitted", "exec",
            "{at}/permitted", "{mark}"}),
      runs("E4", "exchange with a permitted program",
           {"exchange", "{permitted}", "{forbidden}", "exec", "{at}/permitted", "{mark}"}),
      runs("E4", "bind mount over a permitted program",
           {"bind", "{forbidden}", "{permitted}", "exec", "{at}/permitted", "{mark}"}),
      runs("E4", "bind mount in a user namespace",
           {"in-user-namespace", "bind", "{forbidden}", "{permitted}", "exec", "{at}/permitted",
            "{mark}"}),
      absent(runs("E4", "bind mount that makes a permitted name in a user namespace",
                  {"in-user-namespace", "bind", "{forbidden-place}", "{at}/tools", "exec",
                   "{at}/tools/forbidden", "{mark}"})),
      runs("E4", "chroot with the permitted name",
           {"chroot", "{in-root}", "exec", "{at}/permitted", "{at}/it"}),
      runs("E5", "execve in a thread", {"exec-in-thread", "{forbidden}", "{mark}"}),
      runs("E5", "execve after vfork", {"exec-by-vfork", "{forbidden}", "{mark}"}),
      runs("E5", "posix_spawn", {"exec-by-spawn", "{forbidden}", "{mark}"}),
      runs("E5", "execve of a child with shared memory",
           {"exec-with-shared-memory", "{forbidden}", "{mark}"}),
      runs("E5", "execve of an orphan", {"in-orphan", "exec", "{forbidden}", "{mark}"}),
      runs("E6", "permitted program's comm",
           {"named", "permitted", "exec", "{forbidden}", "{mark}"}),
      runs("E6", "permitted program's argv[0]",
           {"exec-as", "{permitted}", "{forbidden}", "{mark}"}),
      runs("E8", "execve with argv of 2 MB", {"exec-with-much", "{forbidden}", "{mark}"}),
      runs("E8", "execve with 0xff and quotes in argv", {"exec-oddly", "{forbidden}", "{mark}"}),
  };
  add_short(all,
            {"memory by fexecve", "memory by a link in proc", "bind mount over a permitted program",
             "bind mount in a user namespace",
             "bind mount that makes a permitted name in a user namespace"},
            {"portable", Result::killed,
             "The file has no mark that asks before it is executed; the process is killed before "
             "the first instruction of the new program. The rest of the task goes on."});
  return all;
}

}  // namespace ambit::probe::evasion
