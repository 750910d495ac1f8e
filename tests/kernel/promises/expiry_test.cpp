// SPDX-License-Identifier: Apache-2.0
// Time is enforced in the kernel (promise 6).
#include <signal.h>

#include <sstream>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class AScopeThatHasEnded : public testing::TestWithParam<bool> {
 protected:
  /// "after open" -> status, from what the act printed.
  static std::map<std::string, std::string> statuses(const std::string& out) {
    std::map<std::string, std::string> all;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t colon = line.find(": ");
      if (colon != std::string::npos) all[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return all;
  }

  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
  Collector tcp_ = Collector::tcp("127.0.0.1");
  Collector udp_ = Collector::udp("127.0.0.1");
};

TEST_P(AScopeThatHasEnded, GivesNoCredentialAndNoNetworkFromThenOn) {
  const bool stopped = GetParam();
  const std::string go = scratch_.path("go");
  Live live(scratch_, {.scope = {.ttl = "3s",
                                 .credentials = {"{name: aws}"},
                                 .network = Lines{"{cidr: 127.0.0.1/32}"}},
                       .catalogue = {{.name = "aws", .files = {secret_}}},
                       .command = act({"around-expiry", secret_, "127.0.0.1", tcp_.port_text(),
                                       udp_.port_text(), go})});
  ASSERT_TRUE(eventually(
      [&] {
        return live.ambit().out().find("before plain open") != std::string::npos ||
               !live.ambit().running();
      },
      60s));
  if (stopped) live.ambit().signal(SIGSTOP);
  sleep_for(3300ms);
  scratch_.write("go", "");
  EXPECT_TRUE(eventually(
      [&] { return live.ambit().out().find("after plain open") != std::string::npos; }, 15s))
      << live.ambit().out() << live.ambit().err();
  if (stopped) live.ambit().signal(SIGCONT);
  const TaskRun run = live.finish();
  sleep_for(300ms);

  const auto status = statuses(run.ended.out);
  for (const std::string kind :
       {"open", "read", "send", "datagram", "connect", "sendto", "plain open"}) {
    ASSERT_TRUE(status.contains("before " + kind) && status.contains("after " + kind))
        << kind << " in " << run.ended.out << run.ended.err;
    EXPECT_EQ(status.at("before " + kind), "0") << kind;
    if (kind == "plain open") {
      EXPECT_EQ(status.at("after " + kind), "0")
          << "a file that is no credential stays open to all";
    } else {
      EXPECT_TRUE(status.at("after " + kind) == "10" || status.at("after " + kind) == "137")
          << kind << ": " << status.at("after " + kind);
    }
  }
  EXPECT_EQ(run.ended.out.find(std::string(kSecretWord)),
            run.ended.out.rfind(std::string(kSecretWord)))
      << "read a second time";
  for (const Collector* const collector : {&tcp_, &udp_}) {
    EXPECT_THAT(collector->received(), HasSubstr("before-"));
    EXPECT_THAT(collector->received(), Not(HasSubstr("after-")));
  }
  EXPECT_EQ(run.events.of_kind("task_expire").size(), 1U) << summary(run.events.all);
  const std::vector<Json> findings = run.events.findings();
  EXPECT_GE(findings.size(), 5U) << summary(findings);
  for (const Json& finding : findings)
    EXPECT_EQ(text_at(finding, "/verdict/reason"), "scope_expired") << summary({finding});
}

INSTANTIATE_TEST_SUITE_P(By, AScopeThatHasEnded, testing::Bool(), [](const auto& given) {
  return given.param ? "TheKernelItselfWhileAmbitIsStopped" : "TheKernelItself";
});

}  // namespace
}  // namespace ambit::probe
