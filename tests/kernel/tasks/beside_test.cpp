// SPDX-License-Identifier: Apache-2.0
// Two `ambit run` at once, each with programs, tables and holders of its own.
#include <filesystem>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A run that tries everything once it is told, again when it is told again, and then ends.
class Side {
 public:
  Side(const std::string& name, const std::string& own, const std::string& others, int port,
       int others_port)
      : name_(name) {
    Json plan = Json::array();
    for (const std::string turn : {"1", "2"}) {
      plan.push_back({{"name", "wait" + turn}, {"argv", {"handshake", ready(turn), go(turn)}}});
      plan.push_back({{"name", "own" + turn}, {"argv", {"open", own}}});
      plan.push_back({{"name", "others" + turn}, {"argv", {"open", others}}});
      plan.push_back({{"name", "own-port" + turn},
                      {"argv", {"tcp", "127.0.0.1", std::to_string(port), name + turn}}});
      plan.push_back({{"name", "others-port" + turn},
                      {"argv", {"tcp", "127.0.0.1", std::to_string(others_port), name + turn}}});
    }
    const Task task{.scope = {.name = name,
                              .credentials = {"{name: of-" + name + "}"},
                              .network = Lines{to_address("127.0.0.1", port)}},
                    .catalogue = {{.name = "of-" + name, .files = {own}},
                                  {.name = "of-the-other", .files = {others}}},
                    .command = act({"each", scratch_.write("plan.json", plan.dump())})};
    live_ = std::make_unique<Live>(scratch_, task);
  }

  [[nodiscard]] bool is_ready(const std::string& turn) const {
    return eventually([&] { return fs::exists(ready(turn)); }, 30s);
  }
  void tell(const std::string& turn) const { scratch_.write("go" + turn, ""); }
  [[nodiscard]] Outcomes finish() {
    run_ = live_->finish();
    return read_outcomes(run_.ended.out, scratch_.path("plan.json"));
  }
  [[nodiscard]] const TaskRun& run() const { return run_; }

 private:
  [[nodiscard]] std::string ready(const std::string& turn) const {
    return scratch_.path("ready" + turn);
  }
  [[nodiscard]] std::string go(const std::string& turn) const { return scratch_.path("go" + turn); }

  std::string name_;
  Scratch scratch_;
  std::unique_ptr<Live> live_;
  TaskRun run_;
};

class TwoRunsAtOnce : public testing::Test {
 protected:
  void expect_own_scope(Side& side, const std::string& name, const std::string& own) {
    const Outcomes done = side.finish();
    for (const std::string turn : {"1", "2"}) {
      SCOPED_TRACE(name + ", turn " + turn);
      ASSERT_TRUE(done.contains("others-port" + turn)) << side.run().ended.err;
      EXPECT_EQ(done.at("own" + turn).out, content_of(own)) << done.at("own" + turn);
      EXPECT_TRUE(done.at("others" + turn).refused()) << done.at("others" + turn);
      EXPECT_EQ(done.at("others" + turn).out, "");
      EXPECT_TRUE(done.at("own-port" + turn).done()) << done.at("own-port" + turn);
      EXPECT_TRUE(done.at("others-port" + turn).refused()) << done.at("others-port" + turn);
    }
    std::vector<Json> findings = side.run().events.findings();
    std::erase_if(findings, [](const Json& event) { return text_at(event, "/kind") == "finding"; });
    EXPECT_EQ(findings.size(), 4U) << summary(findings);
    for (const Json& event : side.run().events.all) {
      if (!at(event, "/task/name").is_null()) {
        EXPECT_EQ(text_at(event, "/task/name"), name);
      }
    }
    EXPECT_EQ(side.run().events.of_kind("loss").size(), 0U);
  }

  Scratch scratch_;
  std::string a_ = scratch_.secret("a/secret");
  std::string b_ = scratch_.secret("b/secret");
  Collector to_a_ = Collector::tcp("127.0.0.1");
  Collector to_b_ = Collector::tcp("127.0.0.1");
};

TEST_F(TwoRunsAtOnce, EachIsBoundByItsOwnScopeWhileBothLiveAndWhenTheOtherHasEnded) {
  Side first("first", a_, b_, to_a_.port(), to_b_.port());
  Side second("second", b_, a_, to_b_.port(), to_a_.port());
  for (const Side* side : {&first, &second}) ASSERT_TRUE(side->is_ready("1"));
  for (const Side* side : {&first, &second}) side->tell("1");
  for (const Side* side : {&first, &second}) ASSERT_TRUE(side->is_ready("2"));
  first.tell("2");
  expect_own_scope(first, "first", a_);
  second.tell("2");
  expect_own_scope(second, "second", b_);
  for (const std::string turn : {"1", "2"}) {
    EXPECT_THAT(to_a_.received(), HasSubstr("first" + turn));
    EXPECT_THAT(to_b_.received(), HasSubstr("second" + turn));
  }
  EXPECT_THAT(to_a_.received(), Not(HasSubstr("second")));
  EXPECT_THAT(to_b_.received(), Not(HasSubstr("first")));
}

}  // namespace
}  // namespace ambit::probe
