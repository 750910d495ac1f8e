// SPDX-License-Identifier: Apache-2.0
// What a holder writes, whoever of its task reads it holds (EVASION N17), and where that marks too
// much or too little. The channels themselves are cases of tests/kernel/evasion.
#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class WhatIsHandedOn : public testing::Test {
 protected:
  void SetUp() override {
    if (backend() == "portable") GTEST_SKIP() << "portable follows nothing that is handed on";
  }

  /// `bound` may be used at no place that is there; everything is permitted by the network section.
  PlanRun attempt(const std::string& how, const std::vector<Item>& items) {
    return run_plan(scratch_,
                    {.scope = {.credentials = {"{name: bound" + how + "}"}},
                     .catalogue = {{.name = "bound",
                                    .files = {secret_},
                                    .destinations = Lines{to_address("127.0.0.1", 1)}}}},
                    items);
  }
  [[nodiscard]] Item copies(const std::string& name, const std::string& target) const {
    return {.name = name, .argv = {"exec", tool_, "copy-range", secret_, target}};
  }
  /// Reads the file and sends its own name to the collector.
  [[nodiscard]] Item reads_and_sends(const std::string& name, const std::string& path) const {
    return {.name = name,
            .argv = {"hold-then", path, "tcp", "127.0.0.2", there_.port_text(), "[" + name + "]"}};
  }
  void expect_sent(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).done()) << name << ": " << plan.of(name);
    EXPECT_TRUE(there_.receives("[" + name + "]")) << name;
  }
  void expect_refused(const PlanRun& plan, const std::string& name) {
    EXPECT_TRUE(plan.of(name).refused()) << name << ": " << plan.of(name);
    EXPECT_THAT(there_.received(), Not(HasSubstr("[" + name + "]")));
  }

  Scratch scratch_;
  Collector there_ = Collector::tcp("127.0.0.2");
  std::string secret_ = scratch_.secret("home/bound");
  std::string copy_ = scratch_.path("copy");
  std::string tool_ = scratch_.program("tool", acts());
};

TEST_F(WhatIsHandedOn, BindsWhoReadsItAndNobodyElse) {
  const std::string plain = scratch_.write("plain", "nothing\n");
  const PlanRun control =
      run_plan_alone(scratch_, {copies("copies", copy_), reads_and_sends("alone", copy_)});
  ASSERT_TRUE(control.of("copies").done()) << control.of("copies");
  expect_sent(control, "alone");
  const PlanRun plan = attempt("", {copies("copies", copy_), reads_and_sends("taker", copy_),
                                    reads_and_sends("other", plain)});
  EXPECT_TRUE(plan.of("copies").done()) << plan.of("copies");
  expect_refused(plan, "taker");
  expect_sent(plan, "other");
  const std::vector<Json> findings = plan.run.events.findings();
  ASSERT_TRUE(is_only(findings, {"destination_not_for_credential", "deny", "denied", "connect"}));
  EXPECT_EQ(text_at(findings[0], "/credential/name"), "bound");
}

TEST_F(WhatIsHandedOn, ByAProgramThatReadersNamesBindsNobody) {
  const PlanRun plan = attempt(", readers: [" + probe::quoted(tool_) + "]",
                               {copies("copies", copy_), reads_and_sends("taker", copy_)});
  EXPECT_TRUE(plan.of("copies").done()) << plan.of("copies");
  expect_sent(plan, "taker");
}

TEST_F(WhatIsHandedOn, ByAProgramThatAReaderBecameBindsWhoReadsIt) {
  const std::string log = scratch_.write("log", "first line\n");
  const Words words{"exec", tool_, "hold-then", secret_, "exec", acts(), "append", log, "more"};
  const PlanRun plan =
      attempt(", readers: [" + probe::quoted(tool_) + "]", {reads_and_sends("before", log),
                                                            {.name = "writes", .argv = words},
                                                            reads_and_sends("after", log)});
  expect_sent(plan, "before");
  EXPECT_TRUE(plan.of("writes").done()) << plan.of("writes");
  expect_refused(plan, "after");
}

TEST_F(WhatIsHandedOn, IsNotFollowedWhereTheScopeSaysHowItIsHeld) {
  const PlanRun plan =
      attempt(", holding: process", {copies("copies", copy_), reads_and_sends("taker", copy_)});
  EXPECT_TRUE(plan.of("copies").done()) << plan.of("copies");
  expect_sent(plan, "taker");
}

// Too much: what is written need have nothing of the secret in it.
TEST_F(WhatIsHandedOn, IsAlsoALogThatAHolderWroteALineTo) {
  const std::string log = scratch_.write("log", "first line\n");
  const PlanRun plan =
      attempt("", {reads_and_sends("before", log),
                   {.name = "writes", .argv = {"hold-then", secret_, "append", log, "more"}},
                   reads_and_sends("after", log)});
  expect_sent(plan, "before");
  EXPECT_TRUE(plan.of("writes").done()) << plan.of("writes");
  expect_refused(plan, "after");
}

// Too little: no hook of these follows the messages of System V.
TEST_F(WhatIsHandedOn, IsNotFollowedThroughAMessageQueue) {
  const PlanRun plan = attempt(
      "", {{.name = "carries",
            .argv = {"carry-message", secret_, "127.0.0.2", there_.port_text(), "[carries]"}}});
  expect_sent(plan, "carries");
  EXPECT_TRUE(there_.receives(std::string(kSecretWord)));
}

}  // namespace
}  // namespace ambit::probe
