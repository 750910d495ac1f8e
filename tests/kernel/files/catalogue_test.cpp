// SPDX-License-Identifier: Apache-2.0
// What a catalogue's patterns mean to the kernel, and who may read (DESIGN §5).
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

class ACatalogue : public testing::Test {
 protected:
  Item open(const std::string& name, const std::string& path) {
    return {.name = name, .argv = {"open", path}};
  }
  void expect_open(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).done()) << name << ": " << plan.of(name);
  }
  void expect_refused(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).refused() || plan.of(name).killed()) << name << ": " << plan.of(name);
    EXPECT_EQ(plan.of(name).out, "") << name;
  }

  Scratch scratch_;
};

TEST_F(ACatalogue, ExcludesWhatAPatternWithAnExclamationMarkNames) {
  const std::string secret = scratch_.secret("ssh/id_ed25519");
  const std::string known = scratch_.secret("ssh/known_hosts");
  const PlanRun plan = run_plan(
      scratch_,
      {.catalogue = {{.name = "ssh", .files = {scratch_.path("ssh/**"), quoted("!" + known)}}}},
      {open("secret", secret), open("excluded", known)});
  expect_refused(plan, "secret");
  expect_open(plan, "excluded");
}

TEST_F(ACatalogue, MatchesOneStarWithinOneComponent) {
  const std::string matched = scratch_.secret("run/user-1000/bus");
  const std::string deeper = scratch_.secret("run/user-1000/other/bus");
  const std::string prefixed = scratch_.secret("caches/krb5cc_1000");
  const std::string unprefixed = scratch_.secret("caches/other_1000");
  const PlanRun plan = run_plan(
      scratch_,
      {.catalogue = {{.name = "stars",
                      .files = {scratch_.path("run/*/bus"), scratch_.path("caches/krb5cc_*")}}}},
      {open("matched", matched), open("deeper", deeper), open("prefixed", prefixed),
       open("unprefixed", unprefixed)});
  expect_refused(plan, "matched");
  expect_refused(plan, "prefixed");
  expect_open(plan, "deeper");
  expect_open(plan, "unprefixed");
}

TEST_F(ACatalogue, KnowsAFileByItsNameAlone) {
  const std::string secret = scratch_.secret("project/deep/private.ambitkey");
  const std::string plain = scratch_.write("project/deep/private.txt", "plain\n");
  const PlanRun plan =
      run_plan(scratch_, {.catalogue = {{.name = "keys", .files = {quoted("**/*.ambitkey")}}}},
               {open("secret", secret), open("again", secret), open("plain", plain)});
  expect_refused(plan, "secret");
  expect_refused(plan, "again");
  expect_open(plan, "plain");
  EXPECT_EQ(plan.run.events.findings_about(identity_of(secret)).size(), 2U)
      << summary(plan.run.events.findings());
}

TEST_F(ACatalogue, LetsTheMostSpecificPatternDecide) {
  const std::string particular = scratch_.secret("store/mine/token");
  const std::string general = scratch_.secret("store/theirs/token");
  const PlanRun plan =
      run_plan(scratch_,
               {.scope = {.credentials = {"{name: particular}"}},
                .catalogue = {{.name = "general", .files = {scratch_.path("store/**")}},
                              {.name = "particular", .files = {scratch_.path("store/mine/**")}}}},
               {open("particular", particular), open("general", general)});
  expect_open(plan, "particular");
  expect_refused(plan, "general");
}

TEST_F(ACatalogue, WantsAllCredentialsOfATieInside) {
  const std::string shared = scratch_.secret("shared/token");
  const std::vector<CredentialText> catalogue{{.name = "one", .files = {shared}},
                                              {.name = "other", .files = {shared}}};
  const PlanRun half =
      run_plan(scratch_, {.scope = {.credentials = {"{name: one}"}}, .catalogue = catalogue},
               {open("it", shared)});
  expect_refused(half, "it");
  const PlanRun both =
      run_plan(scratch_,
               {.scope = {.credentials = {"{name: one}", "{name: other}"}}, .catalogue = catalogue},
               {open("it", shared)});
  expect_open(both, "it");
}

TEST_F(ACatalogue, RefusesAFileOfMoreCredentialsThanItCanTellApart) {
  const std::string directory = scratch_.directory("many");
  std::vector<CredentialText> catalogue;
  Lines inside;
  for (const char* pattern : {"/abcd*", "/abc*e", "/ab*de", "/a*cde", "/*bcde"}) {
    const std::string name = "credential-" + std::to_string(catalogue.size());
    catalogue.push_back({.name = name, .files = {quoted(directory + pattern)}});
    inside.push_back("{name: " + name + "}");
  }
  const PlanRun plan =
      run_plan(scratch_, {.scope = {.credentials = inside}, .catalogue = catalogue},
               {open("five", directory + "/abcde"), open("one", directory + "/abcd")}, [&] {
                 scratch_.secret("many/abcde");
                 scratch_.secret("many/abcd");
               });
  expect_refused(plan, "five");
  expect_open(plan, "one");
  EXPECT_TRUE(is_only(plan.run.events.findings(),
                      {"undecided", "deny", plan.of("five").effect(), "file_open"}));
}

TEST_F(ACatalogue, CountsConnectingToACredentialSocketAsOpeningIt) {
  const std::string path = scratch_.directory("agent") + "/socket";
  const Collector agent = Collector::unix_stream(path);
  const std::vector<CredentialText> catalogue{{.name = "ssh-agent", .sockets = {path}}};
  const std::vector<Item> items{{.name = "it", .argv = {"unix", path, "sign-this"}}};
  EXPECT_TRUE(run_plan_alone(scratch_, items).of("it").done());
  ASSERT_TRUE(agent.receives("sign-this"));
  const PlanRun outside = run_plan(scratch_, {.catalogue = catalogue},
                                   {{.name = "it", .argv = {"unix", path, "outside"}}});
  EXPECT_TRUE(on_portable() ? outside.of("it").killed() : outside.of("it").refused())
      << outside.of("it");
  EXPECT_THAT(agent.received(), testing::Not(HasSubstr("outside")));
  ASSERT_EQ(outside.run.events.findings().size(), 1U) << summary(outside.run.events.findings());
  EXPECT_EQ(text_at(outside.run.events.findings()[0], "/verdict/reason"),
            "credential_not_in_scope");
  const PlanRun inside =
      run_plan(scratch_, {.scope = {.credentials = {"{name: ssh-agent}"}}, .catalogue = catalogue},
               {{.name = "it", .argv = {"unix", path, "inside"}}});
  EXPECT_TRUE(inside.of("it").done()) << inside.of("it");
  EXPECT_TRUE(agent.receives("inside"));
}

TEST_F(ACatalogue, CountsConnectingToAnEndpointAsOpeningIt) {
  const Collector metadata = Collector::tcp("127.0.0.1");
  const std::vector<CredentialText> catalogue{
      {.name = "metadata", .endpoints = {to_address("127.0.0.1", metadata.port())}}};
  const auto tcp = [&](const std::string& text) {
    return std::vector<Item>{
        {.name = "it", .argv = {"tcp", "127.0.0.1", metadata.port_text(), text}}};
  };
  EXPECT_TRUE(run_plan_alone(scratch_, tcp("alone")).of("it").done());
  const PlanRun outside = run_plan(scratch_, {.catalogue = catalogue}, tcp("outside"));
  EXPECT_TRUE(outside.of("it").refused()) << outside.of("it");
  EXPECT_TRUE(is_only(outside.run.events.findings(),
                      {"credential_not_in_scope", "deny", "denied", "connect"}));
  const PlanRun inside =
      run_plan(scratch_, {.scope = {.credentials = {"{name: metadata}"}}, .catalogue = catalogue},
               tcp("inside"));
  EXPECT_TRUE(inside.of("it").done()) << inside.of("it");
  EXPECT_TRUE(metadata.receives("inside"));
  EXPECT_THAT(metadata.received(), testing::Not(HasSubstr("outside")));
}

TEST_F(ACatalogue, LetsOnlyReadersOpenWhereTheScopeNamesThem) {
  const std::string secret = scratch_.secret("home/token");
  const std::string reader = scratch_.program("bin/reader", "/usr/bin/cat");
  const std::string linked = scratch_.path("bin/linked");
  ASSERT_EQ(::symlink(reader.c_str(), linked.c_str()), 0);
  const PlanRun plan =
      run_plan(scratch_,
               {.scope = {.credentials = {"{name: token, readers: [" + reader + "]}"}},
                .catalogue = {{.name = "token", .files = {secret}}}},
               {{.name = "reader", .argv = {"exec", reader, secret}},
                {.name = "linked", .argv = {"exec", linked, secret}},
                {.name = "other", .argv = {"exec", "/usr/bin/cat", secret}},
                open("acts", secret)});
  EXPECT_EQ(plan.of("reader").out, content_of(secret)) << plan.of("reader");
  EXPECT_EQ(plan.of("linked").out, content_of(secret)) << plan.of("linked");
  EXPECT_EQ(plan.of("other").out, "") << plan.of("other");
  expect_refused(plan, "acts");
  const std::vector<Json> findings = plan.run.events.findings();
  ASSERT_EQ(findings.size(), 2U) << summary(findings);
  for (const Json& finding : findings)
    EXPECT_TRUE(says(finding, {"reader_not_allowed", "deny", "denied"}));
}

TEST_F(ACatalogue, TakesOutReadersWithAnExclamationMark) {
  const std::string secret = scratch_.secret("home/token");
  const std::string reader = scratch_.program("bin/reader", "/usr/bin/cat");
  const std::string excluded = scratch_.program("bin/excluded", "/usr/bin/cat");
  const std::string readers = scratch_.path("bin/**") + ", " + quoted("!" + excluded);
  const PlanRun plan =
      run_plan(scratch_,
               {.scope = {.credentials = {"{name: token, readers: [" + readers + "]}"}},
                .catalogue = {{.name = "token", .files = {secret}}}},
               {{.name = "reader", .argv = {"exec", reader, secret}},
                {.name = "excluded", .argv = {"exec", excluded, secret}}});
  EXPECT_EQ(plan.of("reader").out, content_of(secret)) << plan.of("reader");
  EXPECT_EQ(plan.of("excluded").out, "") << plan.of("excluded");
  EXPECT_TRUE(is_only(plan.run.events.findings(), {"reader_not_allowed", "deny", "denied"}));
}

}  // namespace
}  // namespace ambit::probe
