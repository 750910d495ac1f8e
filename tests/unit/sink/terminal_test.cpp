// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/terminal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sink/sample_event.h"
#include "userspace/model/make_event.h"

namespace {

using namespace ambit::model;
using ambit::sink::render_for_terminal;
namespace sample = ambit::sink::sample;

std::string plain(const Event& event) { return render_for_terminal(event, false); }

TEST(Terminal, SaysWhatWasStoppedAndWhatWouldAllowIt) {
  EXPECT_EQ(plain(sample::file_finding()),
            "ambit: killed  cat[4242] reading /home/a/.aws/credentials "
            "(credential aws-shared-config is not in scope triage-4711)\n"
            "       to allow: spec.credentials: - name: aws-shared-config\n");
}

TEST(Terminal, SpeaksInTheConditionalInShadow) {
  Event event = sample::file_finding();
  event.verdict->mode = Mode::shadow;
  event.verdict->requested = Response::deny;
  event.verdict->effective = Effect::alerted;
  EXPECT_TRUE(plain(event).starts_with("ambit: would have been denied  cat[4242] reading "));
}

TEST(Terminal, SaysWhatTheGuardRefusedAndWhichPrivilegeWouldAllowIt) {
  Event event = sample::file_finding();
  event.kind = Kind::guard;
  event.file.reset();
  event.credential.reset();
  event.verdict->reason = Reason::privilege_not_in_scope;
  event.verdict->effective = Effect::denied;
  event.details = {{"operation", "bpf"}, {"privilege", "bpf"}};
  EXPECT_EQ(plain(event),
            "ambit: denied  cat[4242] using bpf() (privilege bpf is not in scope triage-4711)\n"
            "       to allow: spec.privileges: - bpf\n");
}

TEST(Terminal, SaysThatTheMonitorWasGuardedInShadowToo) {
  Event event = sample::file_finding();
  event.kind = Kind::guard;
  event.file.reset();
  event.credential.reset();
  event.verdict->mode = Mode::shadow;
  event.verdict->reason = Reason::monitor_protected;
  event.verdict->effective = Effect::denied;
  event.details = {{"operation", "signal"}, {"target_pid", "12"}};
  EXPECT_EQ(plain(event),
            "ambit: denied  cat[4242] signalling process 12 (it is Ambit's own, and guarded in "
            "every mode)\n       nothing in a scope allows it\n");
}

TEST(Terminal, NamesTheOpeningOfTheCredentialThatForbadeADestination) {
  Event event = sample::connect_finding();
  event.destination->name = "paste.example";
  EXPECT_EQ(plain(event),
            "ambit: denied  cat[4242] connecting to paste.example port 443 (203.0.113.9, tcp) "
            "(credential github-cli, opened in event 1017, may not be used there)\n"
            "       to allow: spec.credentials: - name: github-cli, destinations: "
            "[{host: paste.example, ports: [443]}] beside those that it has (a list here replaces "
            "the catalogue's)\n");
}

TEST(Terminal, DoesNotOfferAListThatWouldTakeAwayTheReadersThatThereAre) {
  Event event = sample::file_finding();
  event.verdict->reason = Reason::reader_not_allowed;
  event.process->exe = "/usr/bin/jq";
  EXPECT_NE(plain(event).find("readers: [/usr/bin/jq] beside those that it has\n"),
            std::string::npos)
      << plain(event);
}

TEST(Terminal, OffersARuleThatFitsTheKindOfDestination) {
  Event event = sample::connect_finding();
  event.verdict->reason = Reason::destination_not_in_scope;
  const auto rule = [&event] {
    const std::string text = plain(event);
    const std::size_t at = text.find("allow: - ");
    return text.substr(at + 9, text.size() - at - 10);
  };
  EXPECT_EQ(rule(), "{cidr: 203.0.113.9/32, ports: [443]}");
  event.destination->ip = "2001:db8::1";
  EXPECT_EQ(rule(), "{cidr: \"2001:db8::1/128\", ports: [443]}");
  event.destination->protocol = "sctp";
  EXPECT_EQ(rule(), "{cidr: \"2001:db8::1/128\", ports: [443], protocol: sctp}");
  event.destination = Destination{};
  event.destination->unix_path = "@a b";
  event.destination->protocol = "unix";
  EXPECT_EQ(rule(), "{unix: \"@a b\"}");
}

TEST(Terminal, OffersNoRuleForSocketsThatAScopeCannotName) {
  Event event = sample::connect_finding();
  event.verdict->reason = Reason::destination_not_in_scope;
  event.destination = Destination{};
  event.destination->protocol = "family-17";
  event.destination->family = 17;
  EXPECT_NE(plain(event).find("connecting to a peer of family-17"), std::string::npos);
  EXPECT_NE(plain(event).find("\n       nothing in a scope allows sockets of this kind\n"),
            std::string::npos);
}

TEST(Terminal, SpeaksOfNoPortWhereTheProtocolHasNone) {
  Event event = sample::connect_finding();
  event.verdict->reason = Reason::destination_not_in_scope;
  event.destination->protocol = "icmp";
  event.destination->port = 0;
  EXPECT_EQ(plain(event).find("port"), std::string::npos) << plain(event);
}

TEST(Terminal, SaysThatACredentialWasOpenedBeforeAConnectionOutside) {
  Event event = sample::connect_finding();
  event.verdict->reason = Reason::destination_not_in_scope;
  EXPECT_NE(plain(event).find("the destination is not in scope triage-4711; credential github-cli "
                              "was opened before"),
            std::string::npos);
  event.credential.reset();
  EXPECT_EQ(plain(event).find("opened before"), std::string::npos);
}

TEST(Terminal, NamesBothEndsOfAFindingOverSeveralProcesses) {
  Event event = sample::connect_finding();
  event.kind = Kind::finding;
  event.verdict->reason = Reason::destination_not_in_scope;
  event.evidence = {1017, 1043};
  event.details = {{"opened_by.github-cli", "pid 12 /usr/bin/gh"}};
  EXPECT_NE(plain(event).find("credential github-cli was opened by pid 12 /usr/bin/gh in event "
                              "1017, the connection is event 1043\n"),
            std::string::npos)
      << plain(event);
}

TEST(Terminal, NamesBothCredentialsOfBlendedAuthorityAndWhoOpenedThem) {
  Event event = sample::file_finding();
  event.kind = Kind::finding;
  event.verdict->reason = Reason::blended_authority;
  event.verdict->requested = Response::alert;
  event.verdict->effective = Effect::alerted;
  event.evidence = {17, 20};
  event.details = {{"delegated", "github-cli"},
                   {"agent", "aws"},
                   {"opened_by.github-cli", "pid 12 /usr/bin/gh"},
                   {"opened_by.aws", "pid 13 /usr/bin/aws"}};
  const std::string text = plain(event);
  EXPECT_NE(text.find("(scope triage-4711 has used a person's github-cli and the agent's own aws)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("two tasks; github-cli was opened by pid 12 /usr/bin/gh, aws by pid 13"),
            std::string::npos)
      << text;
}

TEST(Terminal, NamesTheProgramThatMayNotRun) {
  Event event = sample::file_finding();
  event.kind = Kind::exec;
  event.verdict->reason = Reason::executable_not_in_scope;
  event.file->path = "/tmp/a b";
  EXPECT_EQ(plain(event),
            "ambit: killed  cat[4242] executing /tmp/a b (the program is not in scope "
            "triage-4711)\n       to allow: spec.exec.allow: - \"/tmp/a b\"\n");
}

TEST(Terminal, NamesTheVariablesButNotWhatIsInThem) {
  Event event = make_secret_in_environment({}, {.task = sample::task(),
                                                .process = sample::process(),
                                                .mode = Mode::enforce,
                                                .credentials = {"aws"},
                                                .variables = {"AWS_SECRET_ACCESS_KEY"},
                                                .stripped = false});
  EXPECT_EQ(plain(event),
            "ambit: reported, not stopped  cat[4242] starting with AWS_SECRET_ACCESS_KEY in its "
            "environment (credential aws is not in scope triage-4711)\n"
            "       to allow: spec.credentials: - name: aws; to take it out: spec.environment: "
            "strip\n");
}

TEST(Terminal, SaysOfALossThatTheEventsAreNotComplete) {
  EXPECT_EQ(plain(make_loss({}, {.ring = Ring::observations,
                                 .cause = LossCause::ring_full,
                                 .count = 812,
                                 .since_ns = 0})),
            "ambit: lost 812 (ring_full): the events are not complete\n");
}

TEST(Terminal, IsSilentAboutWhatIsInside) {
  Event event = sample::file_finding();
  event.finding = false;
  EXPECT_EQ(plain(event), "");
}

TEST(Terminal, HasTwoLinesForEveryReasonHoweverLittleIsKnown) {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    Event event;
    event.finding = true;
    event.verdict = Verdict{};
    event.verdict->reason = static_cast<Reason>(i);
    const std::string text = plain(event);
    EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
    EXPECT_EQ(text.find(i == 0 ? "\x1b" : "nothing to allow"), std::string::npos) << text;
  }
}

TEST(Terminal, LetsNothingFromOutsideSteerTheTerminal) {
  Event event = sample::file_finding();
  const std::string hostile = "\x1b[2J\nambit: denied nothing\r\u202e\xff\u009b";
  event.file->path = hostile;
  event.process->exe = "/x/" + hostile;
  event.credential->names = {hostile};
  auto task = sample::task();
  task->name = hostile;
  event.task = task;
  const std::string text = plain(event);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
  for (const char* bad : {"\x1b", "\r", "\u202e", "\xff", "\u009b"}) {
    EXPECT_EQ(text.find(bad), std::string::npos);
  }
}

TEST(Terminal, ColoursItsOwnWordsOnly) {
  Event event = sample::file_finding();
  EXPECT_TRUE(render_for_terminal(event, true).starts_with("ambit: \x1b[1;31mkilled\x1b[0m  cat"));
  event.verdict->mode = Mode::shadow;
  event.verdict->effective = Effect::alerted;
  EXPECT_TRUE(render_for_terminal(event, true).starts_with("ambit: \x1b[1;33mwould have been"));
}

}  // namespace
