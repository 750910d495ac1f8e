// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/correlator.h"

#include <gmock/gmock.h>

namespace {

using namespace ambit::correlation;
using namespace ambit::model;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint16_t kGithub = 0;
constexpr std::uint16_t kAws = 1;
constexpr std::uint32_t kSlot = 3;

class CorrelatorTest : public testing::Test {
 protected:
  CorrelatorTest() {
    catalogue.credentials.resize(2);
    catalogue.credentials[kGithub].name = "github-cli";
    catalogue.credentials[kGithub].references.nhi = {"NHI7:2025", "NHI2:2025"};
    catalogue.credentials[kAws].name = "aws";
    catalogue.credentials[kAws].references.attack = {"T1552.001"};
    correlator.open_task(kSlot, {.credential_of_bit = {"github-cli", "aws"},
                                 .listed = {"github-cli"},
                                 .authority = {{"github-cli", Authority::delegated}}});
  }

  Process process(std::uint32_t pid, std::vector<std::uint32_t> parents = {}) {
    Process made;
    made.pid = pid;
    made.start_boot_ns = pid * kSecond;
    made.exe = "/bin/p" + std::to_string(pid);
    for (const std::uint32_t parent : parents) {
      made.parents.push_back({.pid = parent,
                              .exe = "/bin/p" + std::to_string(parent),
                              .start_boot_ns = parent * kSecond});
    }
    return made;
  }

  Event event(Kind kind, Process of, Reason reason, Effect effect) {
    Event made;
    made.kind = kind;
    made.slot = kSlot;
    made.seq = ++seq;
    made.boot_ns = 1000 * kSecond + seq;
    made.process = std::move(of);
    made.verdict = Verdict{};
    made.verdict->reason = reason;
    made.verdict->effective = effect;
    made.finding = reason != Reason::none;
    made.verdict->requested = made.finding ? Response::deny : Response::none;
    made.verdict->scope = made.finding ? ScopeSide::outside : ScopeSide::inside;
    return made;
  }

  /// A credential is opened; yields the number of the event.
  std::uint64_t opened(Process by, std::uint16_t credential, Effect effect = Effect::allowed) {
    Event made =
        event(Kind::file_open, std::move(by),
              effect == Effect::allowed ? Reason::none : Reason::credential_not_in_scope, effect);
    made.credential_ids = {credential};
    EXPECT_THAT(correlator.observe(made), IsEmpty());
    return made.seq;
  }

  Event connect(Process by, Reason reason, const char* ip = "203.0.113.9") {
    Event made = event(Kind::connect, std::move(by), reason, Effect::denied);
    made.destination = Destination{};
    made.destination->ip = ip;
    made.destination->port = 443;
    made.destination->protocol = "tcp";
    return made;
  }

  Event blocked(Process by, std::uint64_t bits = 1) {
    Event made = connect(std::move(by), Reason::destination_not_for_credential);
    made.held_mask = {bits, 0, 0, 0};
    made.blocking_mask = {bits, 0, 0, 0};
    return made;
  }

  Catalogue catalogue;
  Correlator correlator{catalogue};
  std::uint64_t seq = 0;
};

// Names

TEST_F(CorrelatorTest, NamesTheOpenedCredentialItsAuthorityAndTheScopesLine) {
  Event made = event(Kind::file_open, process(10), Reason::none, Effect::allowed);
  made.credential_ids = {kGithub};
  made.held_mask = {2, 0, 0, 0};
  (void)correlator.observe(made);
  EXPECT_THAT(made.credential->names, ElementsAre("github-cli"));
  EXPECT_EQ(made.credential->authority, Authority::delegated);
  EXPECT_THAT(made.credential->held, ElementsAre("aws"));
  EXPECT_EQ(made.verdict->rule, "/spec/credentials/0");
  EXPECT_EQ(made.severity, Severity::info);
  EXPECT_THAT(made.references.nhi, IsEmpty()) << "references are for findings";
}

TEST_F(CorrelatorTest, PutsTheCredentialsReferencesBeforeTheReasonsAndEachOnce) {
  Event made = event(Kind::file_open, process(10), Reason::credential_not_in_scope, Effect::killed);
  made.credential_ids = {kAws};
  (void)correlator.observe(made);
  EXPECT_EQ(made.severity, Severity::high);
  EXPECT_EQ(made.verdict->rule, "/spec/credentials");
  EXPECT_FALSE(made.credential->authority);
  EXPECT_THAT(made.references.attack, ElementsAre("T1552.001"));
  EXPECT_THAT(made.references.owasp_agentic, ElementsAre("ASI03"));
  EXPECT_THAT(made.references.nhi, ElementsAre("NHI5:2025"));
  EXPECT_THAT(made.references.csf, ElementsAre("PR.AA-05"));
  Event refused = blocked(process(10));
  (void)correlator.observe(refused);
  EXPECT_THAT(refused.references.nhi, ElementsAre("NHI7:2025", "NHI2:2025"));
  EXPECT_THAT(refused.references.attack, ElementsAre("T1567"));
  refused = blocked(process(10));
  refused.destination->port = 4444;
  (void)correlator.observe(refused);
  EXPECT_THAT(refused.references.attack, ElementsAre("T1041"));
}

TEST_F(CorrelatorTest, IgnoresNumbersThatNoCatalogueOrPolicyHas) {
  Event made = event(Kind::file_open, process(10), Reason::none, Effect::allowed);
  made.credential_ids = {65535, kGithub};
  made.held_mask = {0, 0, 0, ~std::uint64_t{0}};
  (void)correlator.observe(made);
  EXPECT_THAT(made.credential->names, ElementsAre("github-cli"));
  EXPECT_THAT(made.credential->held, IsEmpty());
}

TEST_F(CorrelatorTest, LeavesEventsOfUnknownTasksWithWhatTheCatalogueAloneTells) {
  Event made = event(Kind::file_open, process(10), Reason::credential_not_in_scope, Effect::denied);
  made.slot = 99;
  made.credential_ids = {kAws};
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.credential->names, ElementsAre("aws"));
  EXPECT_EQ(made.severity, Severity::high);
}

TEST_F(CorrelatorTest, LeavesExecutionsWithoutCredential) {
  Event made = event(Kind::exec, process(10), Reason::none, Effect::allowed);
  made.held_mask = {1, 0, 0, 0};
  (void)correlator.observe(made);
  EXPECT_FALSE(made.credential);
}

// A refused connection and the opening behind it

TEST_F(CorrelatorTest, GivesARefusedConnectionTheOpeningByTheSameProcessAsEvidence) {
  opened(process(11, {10}), kGithub);
  const auto own = opened(process(12, {10}), kGithub);
  Event made = blocked(process(12, {10}));
  EXPECT_THAT(correlator.observe(made), IsEmpty()) << "the connection itself is the finding";
  EXPECT_THAT(made.evidence, ElementsAre(own));
  EXPECT_THAT(made.credential->names, ElementsAre("github-cli"));
  EXPECT_EQ(made.details.at("relation.github-cli"), "same_process");
  EXPECT_EQ(made.details.at("opened_by.github-cli"), "pid 12 /bin/p12");
  EXPECT_EQ(made.details.at("inheritance.github-cli.00"), "pid 12 /bin/p12");
  EXPECT_FALSE(made.details.contains("inheritance.github-cli.01"));
  EXPECT_EQ(made.verdict->rule, "/spec/credentials/0");
}

TEST_F(CorrelatorTest, PrefersTheNearestAncestorAndTellsThePathOfInheritance) {
  opened(process(10), kGithub);
  const auto near = opened(process(11, {10}), kGithub);
  opened(process(99), kGithub);
  Event made = blocked(process(13, {12, 11, 10}));
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, ElementsAre(near));
  EXPECT_EQ(made.details.at("relation.github-cli"), "ancestor");
  EXPECT_EQ(made.details.at("inheritance.github-cli.00"), "pid 11 /bin/p11");
  EXPECT_EQ(made.details.at("inheritance.github-cli.01"), "pid 12 /bin/p12");
  EXPECT_EQ(made.details.at("inheritance.github-cli.02"), "pid 13 /bin/p13");
  EXPECT_FALSE(made.details.contains("inheritance.github-cli.03"));
}

TEST_F(CorrelatorTest, BelievesTheKernelThatAProcessHoldsWhatNoLineageExplains) {
  const auto seen = opened(process(20, {10}), kGithub);
  Event made = blocked(process(30, {1}));
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.evidence, ElementsAre(seen));
  EXPECT_EQ(made.details.at("relation.github-cli"), "held");
}

TEST_F(CorrelatorTest, NamesEveryCredentialThatForbadeTheDestinationAndNoOther) {
  const auto github = opened(process(10), kGithub);
  const auto aws = opened(process(10), kAws);
  Event both = blocked(process(10), 3);
  (void)correlator.observe(both);
  EXPECT_THAT(both.evidence, ElementsAre(github, aws));
  EXPECT_THAT(both.credential->names, ElementsAre("github-cli", "aws"));
  Event one = blocked(process(10), 1);
  (void)correlator.observe(one);
  EXPECT_THAT(one.evidence, ElementsAre(github));
}

TEST_F(CorrelatorTest, TakesTheLatestOpeningOfAProcessButNoneFromAfterTheConnection) {
  opened(process(10), kGithub);
  const auto again = opened(process(10), kGithub);
  Event made = blocked(process(10));
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, ElementsAre(again));
  Event earlier = blocked(process(10));
  earlier.boot_ns = 5;
  (void)correlator.observe(earlier);
  EXPECT_THAT(earlier.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, TellsAReusedPidFromTheProcessThatOpened) {
  opened(process(10), kGithub);
  Process reused = process(10);
  reused.start_boot_ns = 500 * kSecond;
  Event made = connect(reused, Reason::destination_not_in_scope);
  EXPECT_EQ(correlator.observe(made).size(), 1U) << "another process of the task";
  EXPECT_THAT(made.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, CountsNoOpeningThatWasStopped) {
  opened(process(10), kAws, Effect::denied);
  opened(process(10), kAws, Effect::killed);
  Event made = connect(process(10), Reason::destination_not_in_scope);
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, CountsAnOpeningThatWasOnlyReported) {
  const auto seen = opened(process(10), kAws, Effect::alerted);
  Event made = connect(process(10), Reason::destination_not_in_scope);
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.evidence, ElementsAre(seen));
}

TEST_F(CorrelatorTest, CountsConnectingToACredentialsEndpointAsOpening) {
  Event endpoint = event(Kind::connect, process(10), Reason::none, Effect::allowed);
  endpoint.destination = Destination{};
  endpoint.credential_ids = {kAws};
  (void)correlator.observe(endpoint);
  Event made = blocked(process(10), 2);
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, ElementsAre(endpoint.seq));
}

// Carried outside

TEST_F(CorrelatorTest, MakesAConnectionOutsideByAHolderOneFindingWithBothEnds) {
  const auto seen = opened(process(10), kGithub);
  Event made = connect(process(11, {10}), Reason::destination_not_in_scope);
  EXPECT_THAT(correlator.observe(made), IsEmpty()) << "the connection itself is the finding";
  EXPECT_THAT(made.evidence, ElementsAre(seen));
  EXPECT_THAT(made.credential->names, ElementsAre("github-cli"));
  EXPECT_EQ(made.credential->authority, Authority::delegated);
  EXPECT_EQ(made.severity, Severity::high);
  EXPECT_EQ(made.verdict->rule, "/spec/network");
  EXPECT_THAT(made.references.owasp_agentic, ElementsAre("ASI02"));
}

TEST_F(CorrelatorTest, TakesNoCredentialThatIsNotInheritedAsCarriedOn) {
  correlator.open_task(kSlot, {.credential_of_bit = {"github-cli", "aws"},
                               .listed = {"github-cli", "aws"},
                               .hold_process = {1, 0, 0, 0},
                               .authority = {}});
  opened(process(10), kGithub);
  const auto aws = opened(process(10), kAws);
  Event child = connect(process(11, {10}), Reason::destination_not_in_scope);
  child.held_mask = {2, 0, 0, 0};
  EXPECT_THAT(correlator.observe(child), IsEmpty());
  EXPECT_THAT(child.credential->names, ElementsAre("aws"));
  EXPECT_THAT(child.evidence, ElementsAre(aws));
  EXPECT_FALSE(child.details.contains("relation.github-cli"));
}

TEST_F(CorrelatorTest, TakesACredentialThatAnExecDroppedAsGone) {
  correlator.open_task(kSlot, {.credential_of_bit = {"github-cli"},
                               .listed = {"github-cli"},
                               .hold_process = {1, 0, 0, 0},
                               .authority = {}});
  const auto seen = opened(process(10), kGithub);
  Event before = connect(process(10), Reason::destination_not_in_scope);
  before.held_mask = {1, 0, 0, 0};
  EXPECT_THAT(correlator.observe(before), IsEmpty());
  EXPECT_THAT(before.evidence, ElementsAre(seen));
  Event after = connect(process(10), Reason::destination_not_in_scope);
  EXPECT_THAT(correlator.observe(after), IsEmpty());
  EXPECT_FALSE(after.credential);
  EXPECT_EQ(after.severity, Severity::medium);
}

TEST_F(CorrelatorTest, LeavesAConnectionOutsideAloneWhenNothingWasOpened) {
  Event made = connect(process(11), Reason::destination_not_in_scope);
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_FALSE(made.credential);
  EXPECT_EQ(made.severity, Severity::medium);
}

TEST_F(CorrelatorTest, MakesOneFindingOfAnOpeningAndAConnectionByUnrelatedProcesses) {
  const auto github = opened(process(20, {15, 10}), kGithub);
  const auto aws = opened(process(21, {10}), kAws);
  Event made = connect(process(30, {25, 10, 5}), Reason::destination_not_in_scope);
  const auto more = correlator.observe(made);
  EXPECT_THAT(made.evidence, IsEmpty());
  EXPECT_FALSE(made.credential);
  ASSERT_EQ(more.size(), 1U) << "one for the attempt, whatever was opened";
  const Event& found = more[0];
  EXPECT_EQ(found.kind, Kind::finding);
  EXPECT_TRUE(found.finding);
  EXPECT_EQ(found.seq, 0U) << "it gets its own";
  EXPECT_THAT(found.evidence, ElementsAre(github, aws, made.seq));
  EXPECT_THAT(found.credential->names, testing::UnorderedElementsAre("github-cli", "aws"));
  EXPECT_EQ(found.severity, Severity::high);
  EXPECT_EQ(found.verdict->effective, Effect::denied);
  EXPECT_EQ(found.destination->ip, "203.0.113.9");
  EXPECT_EQ(found.details.at("relation.github-cli"), "other_process");
  EXPECT_EQ(found.details.at("inheritance.github-cli.00"), "pid 20 /bin/p20");
  EXPECT_EQ(found.details.at("inheritance.github-cli.01"), "pid 10 /bin/p10");
  EXPECT_EQ(found.details.at("inheritance.github-cli.02"), "pid 30 /bin/p30");
  EXPECT_THAT(found.references.attack, ElementsAre("T1552.001", "T1041"));
}

TEST_F(CorrelatorTest, ReportsEachPairOfCredentialAndDestinationOnce) {
  opened(process(20, {10}), kGithub);
  const auto attempts = [&](const char* ip, std::uint16_t port) {
    Event made = connect(process(30, {10}), Reason::destination_not_in_scope, ip);
    made.destination->port = port;
    return correlator.observe(made).size();
  };
  EXPECT_EQ(attempts("203.0.113.9", 443), 1U);
  EXPECT_EQ(attempts("203.0.113.9", 443), 0U);
  EXPECT_EQ(attempts("203.0.113.9", 80), 1U);
  EXPECT_EQ(attempts("203.0.113.10", 443), 1U);
  opened(process(21, {10}), kAws);
  EXPECT_EQ(attempts("203.0.113.9", 443), 1U) << "another credential";
}

TEST_F(CorrelatorTest, TakesAddressesOfOneNameAsOneDestination) {
  opened(process(20, {10}), kGithub);
  Event first = connect(process(30, {10}), Reason::destination_not_in_scope, "203.0.113.1");
  first.destination->name = "cdn.example";
  Event second = connect(process(30, {10}), Reason::destination_not_in_scope, "203.0.113.2");
  second.destination->name = "cdn.example";
  EXPECT_EQ(correlator.observe(first).size(), 1U);
  EXPECT_EQ(correlator.observe(second).size(), 0U);
}

TEST_F(CorrelatorTest, MakesNothingOfConnectionsInside) {
  opened(process(20, {10}), kGithub);
  Event made = connect(process(30, {10}), Reason::none);
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, KeepsWhatItKnowsOfATaskWhoseScopeChanges) {
  const auto seen = opened(process(10), kGithub);
  correlator.change_task(kSlot, {.credential_of_bit = {"github-cli", "aws", "github-cli"},
                                 .listed = {"aws", "github-cli"},
                                 .authority = {}});
  Event made = blocked(process(10));
  made.held_mask = {5, 0, 0, 0};
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, ElementsAre(seen));
  EXPECT_THAT(made.credential->held, ElementsAre("github-cli")) << "one name, two bits";
  Event reader = event(Kind::file_open, process(10), Reason::reader_not_allowed, Effect::denied);
  reader.credential_ids = {kGithub};
  (void)correlator.observe(reader);
  EXPECT_EQ(reader.verdict->rule, "/spec/credentials/1/readers") << "its place in the new scope";
}

TEST_F(CorrelatorTest, KeepsTasksApart) {
  correlator.open_task(
      4, {.credential_of_bit = {"github-cli"}, .listed = {"github-cli"}, .authority = {}});
  opened(process(20, {10}), kGithub);
  Event made = connect(process(20, {10}), Reason::destination_not_in_scope);
  made.slot = 4;
  EXPECT_THAT(correlator.observe(made), IsEmpty());
  EXPECT_THAT(made.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, ForgetsATaskThatIsClosedAlsoWhenItsNumberIsUsedAgain) {
  opened(process(10), kGithub);
  correlator.close_task(kSlot);
  correlator.open_task(
      kSlot, {.credential_of_bit = {"github-cli"}, .listed = {"github-cli"}, .authority = {}});
  Event made = blocked(process(10));
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, IsEmpty());
}

TEST_F(CorrelatorTest, RepeatsARefusalsEvidenceForEveryAttempt) {
  const auto seen = opened(process(10), kGithub);
  for (int attempt = 0; attempt < 3; ++attempt) {
    Event made = blocked(process(10));
    (void)correlator.observe(made);
    EXPECT_THAT(made.evidence, ElementsAre(seen));
  }
}

TEST_F(CorrelatorTest, KeepsRecentOpeningsWhenATaskFloodsItWithOthers) {
  opened(process(10), kGithub);
  for (std::uint32_t pid = 100; pid < 5000; ++pid) {
    opened(process(pid, {10}), kAws);
  }
  const auto last = opened(process(11), kAws);
  Event made = blocked(process(11), 2);
  (void)correlator.observe(made);
  EXPECT_THAT(made.evidence, ElementsAre(last));
}

TEST(Openings, AreBounded) {
  Openings openings;
  for (std::uint32_t pid = 0; pid < 10'000; ++pid) {
    openings.add(
        {.credential = "c", .seq = pid, .boot_ns = 1, .process = {pid, pid, ""}, .ancestors = {}});
  }
  EXPECT_EQ(openings.size(), Openings::kMost);
}

TEST(TaskTable, ComesFromThePolicyAndTheScope) {
  CompiledPolicy policy;
  policy.credential_of_bit = {"a", "b"};
  policy.hold_process = {2, 0, 0, 0};
  Scope scope;
  scope.credentials.resize(2);
  scope.credentials[0].name = "a";
  scope.credentials[0].authority = Authority::agent;
  scope.credentials[1].name = "b";
  const TaskTable table = task_table(policy, scope);
  EXPECT_EQ(table.credential_of_bit, policy.credential_of_bit);
  EXPECT_EQ(table.listed, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.hold_process, policy.hold_process);
  EXPECT_EQ(table.authority, (std::map<std::string, Authority>{{"a", Authority::agent}}));
}

}  // namespace
