// SPDX-License-Identifier: Apache-2.0
// The guard in shadow and under other responses, what it leaves alone, and gains of privilege.
#include <sys/stat.h>

#include <filesystem>

#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

class TheGuard : public testing::Test {
 protected:
  [[nodiscard]] static std::vector<Json> of(const PlanRun& plan, const std::string& name,
                                            const std::string& kind = "guard") {
    std::vector<Json> found;
    for (const Json& event : plan.run.events.of_kind(kind))
      if (at(event, "/process/pid") == plan.of(name).pid) found.push_back(event);
    return found;
  }

  Scratch scratch_;
};

TEST_F(TheGuard, KeepsTheMonitorAndTheEventFileInShadowAndOnlyReportsTheRest) {
  if (on_portable()) GTEST_SKIP() << "portable has no hooks for that";
  const std::string events = scratch_.path("events");
  const PlanRun plan = run_plan(
      scratch_, {.scope = {.shadow = true, .credential_response = "kill"}, .events = events},
      {{"kill", {"kill", "monitor", "9"}}, {"remove", {"remove", events}}, {"bpf", {"bpf-map"}}});
  EXPECT_TRUE(plan.of("kill").refused()) << plan.of("kill");
  EXPECT_TRUE(plan.of("remove").refused()) << plan.of("remove");
  EXPECT_TRUE(plan.of("bpf").done()) << plan.of("bpf");
  EXPECT_TRUE(is_only(of(plan, "kill"), {"monitor_protected", "kill", "denied", "guard"}));
  EXPECT_TRUE(is_only(of(plan, "remove"), {"event_file_protected", "kill", "denied", "guard"}));
  EXPECT_TRUE(is_only(of(plan, "bpf"), {"privilege_not_in_scope", "kill", "alerted", "guard"}));
}

TEST_F(TheGuard, OnlyReportsInShadowWhatIsNotAimedAtAmbit) {
  const PlanRun plan = run_plan(scratch_, {.scope = {.shadow = true}},
                                {{"nice", {"nice", "monitor"}}, {"bpf", {"bpf-map"}}});
  EXPECT_TRUE(plan.of("nice").refused()) << plan.of("nice");
  EXPECT_TRUE(plan.of("bpf").done()) << plan.of("bpf");
  EXPECT_TRUE(is_only(of(plan, "nice"), {"monitor_protected", "deny", "denied", "guard"}));
  EXPECT_TRUE(is_only(of(plan, "bpf"), {"privilege_not_in_scope", "deny", "alerted", "guard"}));
}

TEST_F(TheGuard, RespondsAsForCredentialsAndAtLeastDenies) {
  const Item bpf{"bpf", {"bpf-map"}};
  const PlanRun killed = run_plan(scratch_, {.scope = {.credential_response = "kill"}}, {bpf});
  EXPECT_TRUE(killed.of("bpf").killed()) << killed.of("bpf");
  EXPECT_TRUE(is_only(of(killed, "bpf"), {"privilege_not_in_scope", "kill", "killed", "guard"}));
  const PlanRun alert = run_plan(scratch_, {.scope = {.credential_response = "alert"}}, {bpf});
  EXPECT_TRUE(alert.of("bpf").refused()) << alert.of("bpf");
  EXPECT_TRUE(is_only(of(alert, "bpf"), {"privilege_not_in_scope", "deny", "denied", "guard"}));
}

TEST_F(TheGuard, LeavesTheOrdinaryWorkOfAnAgentAlone) {
  const std::string home = scratch_.directory("home/.aws");
  scratch_.write("home/.aws/credentials", "known\n");
  const std::vector<Item> items{
      {"debug-child", {"debug-child"}},
      {"perf-itself", {"perf-itself"}},
      {"own-niceness", {"nice", "self"}},
      {"own-processors", {"affinity", "self"}},
      {"own-limits", {"limit", "self"}},
      {"debug-child-of-a-namespace", {"in-namespaces", "debug-child"}},
      {"own-sandbox", {"own-mount-over", home}},
      {"mount-elsewhere", {"mount-over", scratch_.directory("elsewhere")}},
      {"own-group", {"kill-own-group", "23"}},
      {"own-oom-score", {"write-proc", "self", "oom_score_adj", "100"}},
      {"own-environment", {"in-child", "environ", "self"}},
      {"namespaces", {"in-namespaces", "open", scratch_.write("plain", "plain\n")}},
      {"own-network-setting", {"in-own-network", "open-to-write", "/proc/sys/net/ipv4/ip_forward"}},
      {"bit-bucket", {"open-to-write", "/dev/null"}},
  };
  const PlanRun alone = run_plan_alone(scratch_, items);
  const PlanRun plan =
      run_plan(scratch_, {.catalogue = {{.name = "aws", .files = {home + "/**"}}}}, items);
  for (const Item& item : items) {
    EXPECT_TRUE(alone.of(item.name).done()) << item.name << ": " << alone.of(item.name);
    EXPECT_TRUE(plan.of(item.name).done()) << item.name << ": " << plan.of(item.name);
  }
  EXPECT_TRUE(plan.run.events.of_kind("guard").empty())
      << summary(plan.run.events.of_kind("guard"));
}

TEST_F(TheGuard, KeepsItsOwnObjectsFromATaskThatMayUseBpf) {
  if (on_portable()) GTEST_SKIP() << "portable has no hooks for that";
  const std::vector<Item> items{{"maps", {"bpf-objects", "maps"}},
                                {"programs", {"bpf-objects", "programs"}},
                                {"links", {"bpf-objects", "links"}},
                                {"own", {"bpf-map"}}};
  PlanRun outside;
  const PlanRun plan = run_plan(scratch_, {.scope = {.privileges = {"bpf"}}}, items,
                                [&] { outside = run_plan_alone(scratch_, items); });
  EXPECT_TRUE(plan.of("own").done()) << plan.of("own");
  for (const char* const name : {"maps", "programs", "links"}) {
    EXPECT_TRUE(outside.of(name).done()) << name << ": " << outside.of(name);
    EXPECT_TRUE(plan.of(name).refused()) << name << ": " << plan.of(name);
    const std::vector<Json> findings = of(plan, name);
    ASSERT_FALSE(findings.empty()) << name;
    for (const Json& finding : findings)
      EXPECT_TRUE(says(finding, {"monitor_protected", "deny", "denied", "guard"}));
  }
}

TEST_F(TheGuard, LetsNoCommandMakeTheMonitorItsTracer) {
  const Words traceme = act({"traceme"});
  ASSERT_EQ(run({.argv = traceme}).exit, 0);
  const TaskRun bound = run_ambit(scratch_, {.command = traceme});
  EXPECT_EQ(bound.ended.exit, 10) << bound.ended.err;
  EXPECT_TRUE(
      is_only(bound.events.of_kind("guard"), {"monitor_protected", "deny", "denied", "guard"}));
}

TEST_F(TheGuard, SaysOnTheTerminalWhatWasRefusedAndWhatWouldAllowIt) {
  const TaskRun bound = run_ambit(scratch_, {.command = act({"bpf-map"})});
  EXPECT_THAT(bound.ended.err, HasSubstr("using bpf() (privilege bpf is not in scope"));
  EXPECT_THAT(bound.ended.err, HasSubstr("to allow: spec.privileges: - bpf"));
}

TEST_F(TheGuard, ReportsGainsOfPrivilege) {
  if (on_portable()) GTEST_SKIP() << "portable has no hooks for that";
  // Below /tmp, where another user gets to.
  const std::string program = "/tmp/" + scratch_.fresh("set-user-id");
  std::filesystem::copy_file(acts(), program);
  ASSERT_EQ(::chmod(program.c_str(), 04755), 0);
  const std::vector<Item> items{{"program", {"by-set-user-id", program, "1000", "identity"}},
                                {"set-user", {"root-again"}},
                                {"namespace", {"user-namespace"}},
                                {"no-gain", {"by-exec", "identity"}}};
  const PlanRun plan = run_plan(scratch_, {}, items);
  std::filesystem::remove(program);
  ASSERT_TRUE(plan.of("program").done()) << plan.of("program");
  EXPECT_THAT(plan.of("program").out, HasSubstr("1000 0 "));
  const std::vector<Json> program_events = of(plan, "program", "privilege");
  ASSERT_EQ(program_events.size(), 1U) << summary(plan.run.events.of_kind("privilege"));
  const Json& gain = program_events.front();
  EXPECT_EQ(at(gain, "/finding"), false);
  EXPECT_EQ(text_at(gain, "/details/operation"), "exec");
  EXPECT_EQ(text_at(gain, "/details/user"), "0");
  EXPECT_EQ(text_at(gain, "/details/capabilities"), "all");
  EXPECT_EQ(text_at(gain, "/file/path"), program);
  const std::vector<Json> set_user = of(plan, "set-user", "privilege");
  ASSERT_EQ(set_user.size(), 1U);
  EXPECT_EQ(text_at(set_user.front(), "/details/operation"), "set_user");
  if (!plan.of("namespace").done()) GTEST_SKIP() << "no user namespaces here";
  const std::vector<Json> name_space = of(plan, "namespace", "privilege");
  ASSERT_EQ(name_space.size(), 1U);
  EXPECT_EQ(text_at(name_space.front(), "/details/operation"), "user_namespace");
  EXPECT_TRUE(of(plan, "no-gain", "privilege").empty());
}

}  // namespace
}  // namespace ambit::probe
