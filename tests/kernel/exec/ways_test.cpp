// SPDX-License-Identifier: Apache-2.0
// Every way to run a program that the scope does not name (EVASION E1 to E6), judged by what it
// did.
#include "tests/kernel/fixture/ways.h"

#include <filesystem>

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

/// "@" is the way's directory: @/permitted and @/forbidden are programs. A program that runs leaves
/// a file *.ran.
struct Way {
  std::string name;
  Words argv;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"Exec", {"exec", "@/forbidden"}},
      {"ExecInAThread", {"exec-in-thread", "@/forbidden"}},
      {"ExecAfterVfork", {"exec-by-vfork", "@/forbidden"}},
      {"ExecInAnOrphan", {"in-orphan", "exec", "@/forbidden"}},
      {"ASymlink", {"symlink", "@/forbidden", "@/link", "exec", "@/link"}},
      {"AHardLink", {"link", "@/forbidden", "@/link", "exec", "@/link"}},
      {"ThePermittedName",
       {"rename", "@/permitted", "@/old", "rename", "@/forbidden", "@/permitted", "exec",
        "@/permitted"}},
      {"ExchangedWithAPermittedProgram",
       {"exchange", "@/permitted", "@/forbidden", "exec", "@/permitted"}},
      {"BindMountOverAPermittedProgram",
       {"bind", "@/forbidden", "@/permitted", "exec", "@/permitted"}},
      {"BindMountInAUserNamespace",
       {"in-user-namespace", "bind", "@/forbidden", "@/permitted", "exec", "@/permitted"}},
      {"ACopyOfAPermittedProgram", {"exec-copy", "@/permitted", "@/copy"}},
      {"MemoryWithAPermittedProgram", {"exec-memory", "@/permitted"}},
      {"ADeletedCopy", {"exec-deleted", "@/permitted", "@/copy"}},
      {"AScript", {"exec", "@/script"}},
      {"ANestedScript", {"exec", "@/nested"}},
      {"ARelativePath", {"chdir", "@", "exec", "./forbidden"}},
      {"ANameOfAnother", {"named", "permitted", "exec", "@/forbidden"}},
      {"ChrootWithAPermittedName", {"chroot", "@/root", "exec", "@/permitted"}},
  };
  return all;
}

class AllWays {
 public:
  AllWays() {
    control = run_plan_alone(scratch, prepare("alone"));
    const std::vector<Item> bound = prepare("bound");
    Task task{.scope = {.exec = Lines{acts()}}};
    for (const Way& way : ways()) task.scope.exec->push_back(place(way, "bound") + "/permitted");
    plan = run_plan(scratch, task, bound);
  }

  [[nodiscard]] std::string place(const Way& way, const std::string& phase) const {
    return scratch.path(phase + "/" + way.name);
  }
  /// Whether a program left its mark there.
  [[nodiscard]] bool ran_at(const Way& way, const std::string& phase) const {
    for (const auto& entry : fs::recursive_directory_iterator(place(way, phase))) {
      if (entry.path().extension() == ".ran") return true;
    }
    return false;
  }

  Scratch scratch;
  PlanRun control;
  PlanRun plan;

 private:
  std::vector<Item> prepare(const std::string& phase) {
    std::vector<Item> items;
    for (const Way& way : ways()) {
      const std::string here = phase + "/" + way.name;
      const std::string at = scratch.path(here);
      scratch.program(here + "/permitted", ran());
      scratch.program(here + "/forbidden", ran());
      // In another root, the permitted path is another file.
      scratch.program(here + "/root" + at + "/permitted", ran());
      scratch.write(here + "/script", "#!" + at + "/forbidden\n", 0755);
      scratch.write(here + "/nested", "#!" + at + "/script\n", 0755);
      Item item{.name = way.name, .argv = way.argv};
      for (std::string& word : item.argv) {
        if (word.starts_with("@")) word = at + word.substr(1);
      }
      const bool script = way.argv.back() == "@/script" || way.argv.back() == "@/nested";
      if (!script) item.argv.push_back(at + "/it");
      items.push_back(item);
    }
    return items;
  }
};

const AllWays& all_ways() {
  static const AllWays all;
  return all;
}

class AWayToRunAForbiddenProgram : public testing::TestWithParam<Way> {};

TEST_P(AWayToRunAForbiddenProgram, RunsNoInstructionOfItAndIsAFinding) {
  const Way& way = GetParam();
  const AllWays& all = all_ways();
  if (all.control.of(way.name).unsupported()) GTEST_SKIP() << all.control.of(way.name).err;
  ASSERT_TRUE(all.ran_at(way, "alone")) << all.control.of(way.name);
  const Done& bound = all.plan.of(way.name);
  EXPECT_FALSE(all.ran_at(way, "bound")) << bound;
  EXPECT_TRUE(bound.refused() || bound.killed()) << bound;
  std::vector<Json> findings;
  for (const Json& finding : all.plan.run.events.findings()) {
    const bool ours = text_at(finding, "/process/pid") == std::to_string(bound.pid) ||
                      finding.dump().find(all.place(way, "bound") + "/") != std::string::npos;
    if (ours) findings.push_back(finding);
  }
  ASSERT_FALSE(findings.empty()) << "all findings:" << summary(all.plan.run.events.findings());
  EXPECT_TRUE(says(findings.front(), {"executable_not_in_scope", "deny", bound.effect(), "exec"}));
}

INSTANTIATE_TEST_SUITE_P(By, AWayToRunAForbiddenProgram, testing::ValuesIn(ways()),
                         name_of_way<Way>);

}  // namespace
}  // namespace ambit::probe
