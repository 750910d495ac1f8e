// SPDX-License-Identifier: Apache-2.0
// What the command would inherit: descriptors that lead outside its scope, secrets in the
// environment.
#include <fcntl.h>
#include <sys/socket.h>

#include "tests/kernel/acts/address.h"
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kInherited = 7;

class ADescriptorFromBefore : public testing::Test {
 protected:
  TaskRun descriptors(const ScopeText& scope, int fd) {
    return run_ambit(scratch_, {.scope = scope,
                                .catalogue = {aws_},
                                .command = act({"descriptors", "0", "1", "2", "7"}),
                                .descriptors = {{kInherited, fd}}});
  }
  static std::vector<Json> reports(const TaskRun& run) {
    std::vector<Json> found;
    for (const Json& finding : run.events.findings()) {
      if (text_at(finding, "/verdict/reason") == "descriptor_from_before") found.push_back(finding);
    }
    return found;
  }

  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
  Descriptor open_secret_{::open(secret_.c_str(), O_RDONLY | O_CLOEXEC)};
  CredentialText aws_{.name = "aws", .files = {secret_}};
};

TEST_F(ADescriptorFromBefore, OfASecretIsClosedAndReported) {
  const TaskRun run = descriptors({}, open_secret_.get());
  EXPECT_THAT(run.ended.out, HasSubstr("0 open\n1 open\n2 open\n7 closed\n")) << run.ended.err;
  const std::vector<Json> found = reports(run);
  ASSERT_EQ(found.size(), 1U) << summary(run.events.findings());
  EXPECT_EQ(text_at(found[0], "/verdict/effective"), "denied");
  EXPECT_EQ(identity_of(secret_),
            (Identity{text_at(found[0], "/file/dev"), at(found[0], "/file/ino")}));
}

TEST_F(ADescriptorFromBefore, OfASecretIsReportedAndLeftInShadowAndAlert) {
  for (const ScopeText& scope :
       {ScopeText{.shadow = true}, ScopeText{.credential_response = "alert"}}) {
    const TaskRun run = descriptors(scope, open_secret_.get());
    EXPECT_THAT(run.ended.out, HasSubstr("7 open")) << run.ended.err;
    const std::vector<Json> found = reports(run);
    ASSERT_EQ(found.size(), 1U) << summary(run.events.findings());
    EXPECT_EQ(text_at(found[0], "/verdict/effective"), "alerted");
  }
}

TEST_F(ADescriptorFromBefore, OfASecretInsideTheScopeIsLeft) {
  const TaskRun run = descriptors({.credentials = {"{name: aws}"}}, open_secret_.get());
  EXPECT_THAT(run.ended.out, HasSubstr("7 open")) << run.ended.err;
  EXPECT_EQ(reports(run).size(), 0U) << summary(run.events.findings());
}

TEST_F(ADescriptorFromBefore, OfAConnectionOutsideTheScopeIsClosedAndReported) {
  const Collector peer = Collector::tcp("127.0.0.1");
  const Descriptor connected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const acts::Address to("127.0.0.1", peer.port_text());
  ASSERT_EQ(::connect(connected.get(), to.get(), to.length()), 0);
  const TaskRun run = descriptors({.network = Lines{}}, connected.get());
  EXPECT_THAT(run.ended.out, HasSubstr("7 closed")) << run.ended.err;
  const std::vector<Json> found = reports(run);
  ASSERT_EQ(found.size(), 1U) << summary(run.events.findings());
  EXPECT_EQ(at(found[0], "/destination/port"), peer.port());
  const TaskRun permitted =
      descriptors({.network = Lines{to_address("127.0.0.1", peer.port())}}, connected.get());
  EXPECT_THAT(permitted.ended.out, HasSubstr("7 open")) << permitted.ended.err;
  EXPECT_EQ(reports(permitted).size(), 0U) << summary(permitted.events.findings());
}

TEST_F(ADescriptorFromBefore, OfAPlainFileIsLeft) {
  const std::string plain = scratch_.write("plain", "plain\n");
  const Descriptor fd(::open(plain.c_str(), O_RDONLY | O_CLOEXEC));
  const TaskRun run = descriptors({}, fd.get());
  EXPECT_THAT(run.ended.out, HasSubstr("7 open")) << run.ended.err;
  EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
}

class ASecretInTheEnvironment : public testing::Test {
 protected:
  TaskRun attempt(const ScopeText& scope) {
    return run_ambit(scratch_,
                     {.scope = scope,
                      .catalogue = {{.name = "token", .variables = {"KERNEL_TEST_TOKEN"}}},
                      .command = act({"environment", "KERNEL_TEST_TOKEN"}),
                      .environment = {{"KERNEL_TEST_TOKEN", value_}}});
  }
  void expect_one_finding(const TaskRun& run) {
    ASSERT_EQ(run.events.findings().size(), 1U) << summary(run.events.findings());
    const Json finding = run.events.findings().front();
    EXPECT_EQ(text_at(finding, "/verdict/reason"), "secret_in_environment");
    EXPECT_EQ(text_at(finding, "/verdict/requested"), "alert");
    EXPECT_EQ(text_at(finding, "/credential/name"), "token");
    EXPECT_THAT(finding.dump(), HasSubstr("KERNEL_TEST_TOKEN"));
  }
  void expect_untold(const TaskRun& run) {
    EXPECT_THAT(run.events.raw, Not(HasSubstr(value_)));
    EXPECT_THAT(run.ended.err, Not(HasSubstr(value_)));
  }

  Scratch scratch_;
  std::string value_ = scratch_.fresh(std::string(kSecretWord));
};

TEST_F(ASecretInTheEnvironment, IsOneFindingAndStays) {
  const TaskRun run = attempt({});
  EXPECT_EQ(run.ended.out, "present") << run.ended.err;
  expect_one_finding(run);
  expect_untold(run);
}

TEST_F(ASecretInTheEnvironment, IsTakenOutWhereTheScopeSaysStrip) {
  const TaskRun run = attempt({.strip = true});
  EXPECT_EQ(run.ended.out, "absent") << run.ended.err;
  expect_one_finding(run);
  expect_untold(run);
}

TEST_F(ASecretInTheEnvironment, IsNoneWhereTheScopeListsTheCredential) {
  for (const bool strip : {false, true}) {
    const TaskRun run = attempt({.credentials = {"{name: token}"}, .strip = strip});
    EXPECT_EQ(run.ended.out, "present") << run.ended.err;
    EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
  }
}

TEST_F(ASecretInTheEnvironment, MakesNobodyHoldIt) {
  const Collector collector = Collector::tcp("127.0.0.1");
  const TaskRun run =
      run_ambit(scratch_, {.scope = {.credentials = {"{name: token}"}},
                           .catalogue = {{.name = "token",
                                          .variables = {"KERNEL_TEST_TOKEN"},
                                          .destinations = Lines{}}},
                           .command = act({"tcp", "127.0.0.1", collector.port_text(), "text"}),
                           .environment = {{"KERNEL_TEST_TOKEN", value_}}});
  EXPECT_EQ(run.ended.exit, 0) << run.ended.err;
  EXPECT_TRUE(collector.receives("text"));
}

}  // namespace
}  // namespace ambit::probe
