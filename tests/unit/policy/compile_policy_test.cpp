// SPDX-License-Identifier: Apache-2.0
// What a scope says of programs, sockets and credentials once it is compiled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/unit/policy/compile_probe.h"

namespace ambit::policy {
namespace {

using probe::patterns_of;
using probe::Texts;
using testing::ElementsAre;
using testing::HasSubstr;

/// A scope over a catalogue of credentials without files; programs and sockets are looked up as the
/// kernel does.
class PolicyProbe {
 public:
  FakeFiles files;
  model::Scope scope{.name = "s", .agent = "a"};
  model::Catalogue catalogue;

  PolicyProbe() {
    for (const char* name : {"one", "two", "three"})
      catalogue.credentials.push_back({.name = name});
  }
  PolicyProbe(const PolicyProbe&) = delete;
  PolicyProbe& operator=(const PolicyProbe&) = delete;
  ~PolicyProbe() = default;

  model::ScopeCredential& lists(const std::string& name) {
    readers_.emplace_back();
    return scope.credentials.emplace_back(model::ScopeCredential{.name = name});
  }
  void readers(const std::string& name, const Texts& patterns) {
    lists(name).readers = patterns_of(patterns);
    readers_.back() = patterns;
  }
  void allow_exec(const Texts& patterns) {
    scope.exec = patterns_of(patterns);
    exec_ = patterns;
  }

  [[nodiscard]] std::string start(const FormerPolicy* former = nullptr) {
    ExpandedScope expanded{.scope = &scope, .exec = patterns_of(exec_)};
    for (const Texts& texts : readers_) expanded.readers.push_back(patterns_of(texts));
    auto compiled = compile_policy(expanded, catalogue, files, former);
    if (!compiled) return compiled.error().message;
    policy = std::move(*compiled);
    const auto put = put_all(tables, encode_policy(policy, {}));
    return put ? std::string() : put.error().message;
  }

  [[nodiscard]] Recognised what(const std::string& path) const {
    return probe::recognised(tables, PolicyNumbers{}.program_space, files, path);
  }
  [[nodiscard]] bool may_run(const std::string& path) const { return what(path).program; }
  [[nodiscard]] bool reads(const std::string& path, std::uint8_t bit) const {
    return ((what(path).mask[bit / 64] >> (bit % 64)) & 1U) != 0;
  }

  model::CompiledPolicy policy;
  MemoryTables tables;

 private:
  std::vector<Texts> readers_;
  Texts exec_;
};

class CompilePolicy : public testing::Test {
 protected:
  CompilePolicy() {
    for (const char* file :
         {"/usr/bin/git", "/usr/bin/gh", "/usr/bin/curl", "/opt/t/a", "/opt/t/b"})
      probe_.files.file(file);
  }
  PolicyProbe probe_;
};

TEST_F(CompilePolicy, AReaderReadsItsCredentialAndNoOther) {
  probe_.readers("one", {"/usr/bin/gh"});
  probe_.readers("two", {"/usr/bin/git"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.reads("/usr/bin/gh", 0));
  EXPECT_FALSE(probe_.reads("/usr/bin/gh", 1));
  EXPECT_TRUE(probe_.reads("/usr/bin/git", 1));
  EXPECT_FALSE(probe_.reads("/usr/bin/curl", 0));
}

TEST_F(CompilePolicy, AReaderThatIsTakenOutDoesNotRead) {
  probe_.readers("one", {"/opt/t/**", "!/opt/t/b"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.reads("/opt/t/a", 0));
  EXPECT_FALSE(probe_.reads("/opt/t/b", 0));
}

TEST_F(CompilePolicy, AReaderIsTakenOutInWhateverOrder) {
  probe_.readers("one", {"!/opt/t/*b", "/opt/t/**", "/opt/t/b"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.reads("/opt/t/a", 0));
  EXPECT_FALSE(probe_.reads("/opt/t/b", 0));
}

TEST_F(CompilePolicy, AReaderThatIsTakenOutOfOneCredentialReadsTheOther) {
  probe_.readers("one", {"/usr/bin/*", "!/usr/bin/curl"});
  probe_.readers("two", {"/usr/bin/curl"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_FALSE(probe_.reads("/usr/bin/curl", 0));
  EXPECT_TRUE(probe_.reads("/usr/bin/curl", 1));
  EXPECT_TRUE(probe_.reads("/usr/bin/gh", 0));
}

TEST_F(CompilePolicy, AReaderThatIsTakenOutMayStillRun) {
  probe_.readers("one", {"/usr/bin/*", "!/usr/bin/curl"});
  probe_.allow_exec({"/usr/bin/*"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.may_run("/usr/bin/curl"));
  EXPECT_FALSE(probe_.reads("/usr/bin/curl", 0));
}

TEST_F(CompilePolicy, AProgramThatIsTakenOutMayNotRunThoughItIsAReader) {
  probe_.readers("one", {"/usr/bin/curl"});
  probe_.allow_exec({"/usr/bin/*", "!/usr/bin/curl"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_FALSE(probe_.may_run("/usr/bin/curl"));
  EXPECT_TRUE(probe_.reads("/usr/bin/curl", 0));
  EXPECT_TRUE(probe_.may_run("/usr/bin/gh"));
}

TEST_F(CompilePolicy, OnePatternThatIsAndIsNotAReaderIsAnErrorThatSaysSo) {
  probe_.readers("one", {"!/usr/lib/x*"});
  probe_.readers("two", {"/usr/lib/x*"});
  EXPECT_THAT(probe_.start(), HasSubstr("pattern /usr/lib/x*: it is a reader of one credential and "
                                        "excluded from those of another"));
}

TEST_F(CompilePolicy, AProgramIsWhatItsSymlinkLeadsTo) {
  probe_.files.symlink("/usr/bin/python3", "python3.11");
  probe_.files.file("/usr/bin/python3.11");
  probe_.allow_exec({"/usr/bin/python3"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.may_run("/usr/bin/python3.11"));
  EXPECT_FALSE(probe_.may_run("/usr/bin/git"));
}

TEST_F(CompilePolicy, WhatTakesTheNameOfAProgramThatWasThereIsAnother) {
  probe_.allow_exec({"/usr/bin/git"});
  ASSERT_EQ(probe_.start(), "");
  probe::replace(probe_.files, "/usr/bin/git");
  EXPECT_FALSE(probe_.may_run("/usr/bin/git"));
  EXPECT_THAT(probe_.policy.pinned, ElementsAre("/usr/bin/git"));
}

TEST_F(CompilePolicy, AProgramThatIsNotThereYetIsKnownByItsName) {
  probe_.allow_exec({"/usr/bin/later"});
  ASSERT_EQ(probe_.start(), "");
  probe_.files.file("/usr/bin/later");
  EXPECT_TRUE(probe_.may_run("/usr/bin/later"));
}

TEST_F(CompilePolicy, AProgramThatIsASymlinkIntoADirectoryBesideItAllowsNoOtherDirectory) {
  probe_.files.file("/opt/app/v1/run");
  probe_.files.symlink("/opt/app/current", "v1");
  probe_.files.symlink("/opt/app/run", "current/run");
  probe_.files.file("/opt/app/uploads/run");
  probe_.allow_exec({"/opt/app/run"});
  probe_.readers("one", {"/opt/app/run"});
  ASSERT_EQ(probe_.start(), "");
  EXPECT_TRUE(probe_.may_run("/opt/app/run"));
  EXPECT_FALSE(probe_.may_run("/opt/app/uploads/run"));
  EXPECT_FALSE(probe_.reads("/opt/app/uploads/run", 0));
}

TEST_F(CompilePolicy, ACredentialThatTheCatalogueLacksIsAnError) {
  probe_.lists("four");
  EXPECT_EQ(probe_.start(), "credential four is not in the catalogue");
}

TEST_F(CompilePolicy, ListedCredentialsAreInsideAndOthersAreNot) {
  probe_.lists("two");
  probe_.lists("three").holding = model::Holding::process;
  ASSERT_EQ(probe_.start(), "");
  EXPECT_EQ(probe_.policy.inside, (model::CredentialMask{3, 0, 0, 0}));
  EXPECT_EQ(probe_.policy.hold_process, (model::CredentialMask{2, 0, 0, 0}));
  EXPECT_EQ(probe_.policy.hold_task, model::CredentialMask{});
  EXPECT_THAT(probe_.policy.credential_of_bit, ElementsAre("two", "three"));
}

TEST_F(CompilePolicy, WhatIsOutsideHasABitOnlyWhereItMayComeToBeHeld) {
  probe_.lists("two");
  probe_.scope.response.credential = model::Response::alert;
  ASSERT_EQ(probe_.start(), "");
  EXPECT_THAT(probe_.policy.credential_of_bit, ElementsAre("two", "one", "three"));
  probe_.scope.response.credential = model::Response::kill;
  ASSERT_EQ(probe_.start(), "");
  EXPECT_THAT(probe_.policy.credential_of_bit, ElementsAre("two"));
  probe_.scope.mode = model::Mode::shadow;
  ASSERT_EQ(probe_.start(), "");
  EXPECT_THAT(probe_.policy.credential_of_bit, ElementsAre("two", "one", "three"));
}

TEST_F(CompilePolicy, AScopesDestinationsReplaceThoseOfTheCatalogue) {
  model::DestinationRule socket{.type = model::DestinationType::unix_socket,
                                .unix_path = "/run/catalogue.sock"};
  probe_.catalogue.credentials[0].destinations = {socket};
  socket.unix_path = "/run/scope.sock";
  probe_.lists("one").destinations = {socket};
  ASSERT_EQ(probe_.start(), "");
  for (const char* path : {"/run/catalogue.sock", "/run/scope.sock"}) probe_.files.file(path);
  EXPECT_FALSE(probe_.reads("/run/catalogue.sock", 0));
  EXPECT_TRUE(probe_.reads("/run/scope.sock", 0));
  EXPECT_EQ(probe_.policy.restricted, (model::CredentialMask{1, 0, 0, 0}));
}

TEST_F(CompilePolicy, ADestinationsListThatIsEmptyBindsToNowhere) {
  probe_.lists("one").destinations.emplace();
  probe_.lists("two");
  ASSERT_EQ(probe_.start(), "");
  EXPECT_EQ(probe_.policy.restricted, (model::CredentialMask{1, 0, 0, 0}));
}

TEST_F(CompilePolicy, TheSocketsOfLibcsNameServicesAreAlwaysInside) {
  probe_.lists("one").destinations.emplace();
  probe_.scope.network.emplace();
  ASSERT_EQ(probe_.start(), "");
  probe_.files.file("/run/nscd/socket");
  probe_.files.file("/run/systemd/userdb/io.systemd.Multiplexer");
  probe_.files.file("/run/other/socket");
  for (const char* path : {"/run/nscd/socket", "/run/systemd/userdb/io.systemd.Multiplexer"}) {
    EXPECT_TRUE(probe_.what(path).unix_socket) << path;
    EXPECT_TRUE(probe_.reads(path, 0)) << path;
  }
  EXPECT_FALSE(probe_.what("/run/other/socket").unix_socket);
}

TEST_F(CompilePolicy, ACredentialBeyondTheTwoHundredAndFiftySixthIsAnErrorOnlyWhereItIsListed) {
  probe_.catalogue.credentials.clear();
  for (int i = 0; i < 300; ++i)
    probe_.catalogue.credentials.push_back({.name = "c" + std::to_string(i)});
  probe_.lists("c299");
  probe_.scope.response.credential = model::Response::alert;
  ASSERT_EQ(probe_.start(), "");
  EXPECT_EQ(probe_.policy.bit_of_credential.at(299), 0);
  EXPECT_EQ(probe_.policy.credential_of_bit.size(), model::kMaxPolicyCredentials);
  for (int i = 0; i < 256; ++i) probe_.lists("c" + std::to_string(i));
  EXPECT_EQ(probe_.start(), "a scope can list at most 256 credentials");
}

/// A scope in the place of another one.
class SecondPolicy : public CompilePolicy {
 protected:
  [[nodiscard]] std::string start_second() {
    second_.files = probe_.files;
    const FormerPolicy former{.policy = probe_.policy,
                              .readers_changed = readers_changed(probe_.scope, second_.scope)};
    return second_.start(&former);
  }
  static std::optional<std::vector<model::DestinationRule>> host(const std::string& name) {
    model::DestinationRule rule;
    rule.host = name;
    return std::vector{rule};
  }
  [[nodiscard]] std::vector<std::string> hosts_of(std::uint8_t bit) const {
    std::vector<std::string> out;
    for (const CredentialDestinations& one :
         destination_input(second_.scope, second_.catalogue, second_.policy, {}).restricted)
      if (one.bit == bit)
        for (const model::DestinationRule& rule : one.rules) out.push_back(rule.host);
    return out;
  }
  PolicyProbe second_;
};

TEST_F(SecondPolicy, KnowsEachCredentialByItsFormerBitAndBindsWhatLeftTheScope) {
  probe_.lists("one").destinations = host("a.example");
  probe_.lists("two").destinations = host("b.example");
  ASSERT_EQ(probe_.start(), "");
  second_.lists("three");
  second_.lists("two").destinations = host("c.example");
  ASSERT_EQ(start_second(), "");
  EXPECT_THAT(second_.policy.credential_of_bit, ElementsAre("one", "two", "three"));
  EXPECT_EQ(second_.policy.inside, (model::CredentialMask{6, 0, 0, 0}));
  EXPECT_EQ(second_.policy.restricted, (model::CredentialMask{3, 0, 0, 0}));
  EXPECT_THAT(hosts_of(0), ElementsAre("a.example")) << "held before, bound as before";
  EXPECT_THAT(hosts_of(1), ElementsAre("c.example")) << "held before, bound as it is now";
}

TEST_F(SecondPolicy, GivesAnotherBitWhereTheReadersHaveChanged) {
  probe_.readers("one", {"/usr/bin/gh", "/usr/bin/git"});
  probe_.readers("two", {"/usr/bin/gh"});
  probe_.scope.credentials[0].destinations = host("a.example");
  probe_.scope.credentials[0].holding = model::Holding::task;
  ASSERT_EQ(probe_.start(), "");
  second_.readers("one", {"/usr/bin/gh"});
  second_.readers("two", {"/usr/bin/gh"});
  second_.scope.credentials[0].destinations = host("a.example");
  second_.scope.credentials[0].holding = model::Holding::task;
  ASSERT_EQ(start_second(), "");
  EXPECT_THAT(second_.policy.credential_of_bit, ElementsAre("one", "two", "one"));
  EXPECT_EQ(second_.policy.bit_of_credential.at(0), 2);
  EXPECT_TRUE(second_.reads("/usr/bin/gh", 2));
  EXPECT_FALSE(second_.reads("/usr/bin/git", 2));
  EXPECT_FALSE(second_.reads("/usr/bin/gh", 0)) << "what runs already has this bit";
  EXPECT_TRUE(second_.reads("/usr/bin/gh", 1)) << "its readers are the same";
  for (const std::uint8_t bit : std::array<std::uint8_t, 2>{0, 2})
    EXPECT_THAT(hosts_of(bit), ElementsAre("a.example"));
  EXPECT_EQ(second_.policy.hold_task, (model::CredentialMask{5, 0, 0, 0}));
}

TEST_F(SecondPolicy, RefusesWhenTheBitsAreUsedUp) {
  probe_.readers("one", {"/usr/bin/gh"});
  ASSERT_EQ(probe_.start(), "");
  while (probe_.policy.credential_of_bit.size() < model::kMaxPolicyCredentials) {
    probe_.policy.credential_of_bit.emplace_back("one");
    probe_.policy.use_of_bit.emplace_back();
  }
  second_.readers("one", {"/usr/bin/git"});
  EXPECT_THAT(start_second(), HasSubstr("no bit left for credential one"));
}

}  // namespace
}  // namespace ambit::policy
