// SPDX-License-Identifier: Apache-2.0
// A daemon dies after its tasks were narrowed, extended or reloaded, or while they are, or while
// its files change: the next one goes on with what they have become.
#include <filesystem>
#include <random>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/daemon/puppet.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

class AChangedTask : public testing::Test {
 protected:
  [[nodiscard]] std::vector<CredentialText> catalogue() const {
    return {{.name = "mine", .files = {mine_}},
            {.name = "bound",
             .files = {bound_},
             .destinations = Lines{to_address("127.0.0.1", other_.port())}}};
  }
  [[nodiscard]] CredentialText late() const { return {.name = "a-late", .files = {late_}}; }
  [[nodiscard]] static ScopeText wide(const std::string& name) {
    return {.name = name, .credentials = {"{name: mine}", "{name: bound}"}};
  }
  [[nodiscard]] static ScopeText small(const std::string& name) {
    return {.name = name, .credentials = {"{name: mine}"}};
  }
  [[nodiscard]] Words narrowing(const std::string& id, const ScopeText& scope) const {
    return {"narrow", id, "--scope", scratch_.write("narrow.yaml", scope.yaml())};
  }
  static void restart(Node& node) {
    node.kill();
    node.start();
    ASSERT_TRUE(node.is_ready()) << node.process().err();
  }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string bound_ = scratch_.secret("bound/secret");
  std::string late_ = scratch_.secret("late/secret");
  Collector allowed_ = Collector::tcp("127.0.0.1");
  Collector other_ = Collector::tcp("127.0.0.1");
};

TEST_F(AChangedTask, IsTakenOverAsItIs) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  Puppet outsider;
  const std::string id = text_at(node.open(wide("wide"), puppet.pid()), "/id");
  EXPECT_EQ(puppet.open(bound_), 0);
  node.declare(late());  // its name comes before those whose numbers the task goes by
  ASSERT_EQ(node.reload().exit, 0);
  ASSERT_EQ(node.task(narrowing(id, small("narrowed"))).exit, 0);
  const Json before = Json::parse(node.task({"extend", id, "--ttl", "1h"}).out);
  const auto expect_narrowed = [&] {
    EXPECT_EQ(puppet.open(mine_), 0);
    EXPECT_NE(puppet.open(bound_), 0);
    EXPECT_NE(puppet.open(late_), 0);
    EXPECT_EQ(puppet.connect(other_.port()), 0) << "what it holds may go there";
    EXPECT_NE(puppet.connect(allowed_.port()), 0) << "it holds what may not go there";
    EXPECT_EQ(outsider.open(bound_), 0);
    EXPECT_EQ(outsider.open(late_), 0);
    EXPECT_EQ(outsider.connect(allowed_.port()), 0);
  };
  expect_narrowed();
  node.kill();
  expect_narrowed();
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  expect_narrowed();
  const Json after = node.show(id);
  for (const char* const same :
       {"/name", "/phase", "/expires", "/limits", "/processes", "/opened", "/scope_sha256"})
    EXPECT_EQ(at(before, same).dump(), at(after, same).dump()) << same;
  // What takes the place of what was taken over: the bits that are held mean the same in it.
  ASSERT_EQ(node.task(narrowing(id, {.name = "nothing"})).exit, 0);
  EXPECT_NE(puppet.open(mine_), 0);
  EXPECT_NE(puppet.connect(allowed_.port()), 0);
  EXPECT_EQ(puppet.connect(other_.port()), 0);
  sleep_for(6s);  // what was in force before is gone from the tables
  EXPECT_NE(puppet.open(mine_), 0);
  restart(node);
  EXPECT_NE(puppet.open(mine_), 0);
  EXPECT_NE(puppet.connect(allowed_.port()), 0);
  EXPECT_EQ(text_at(node.show(id), "/name"), "nothing");
  EXPECT_EQ(node.stop().exit, 0);
  const Events events = node.events();
  const auto findings = events.findings_about(identity_of(late_));
  ASSERT_EQ(findings.size(), 3U) << summary(events.findings());
  for (const Json& finding : findings)
    EXPECT_EQ(text_at(finding, "/credential/name"), "a-late") << finding;
  EXPECT_THAT(events.of_kind("loss"), IsEmpty());
  EXPECT_THAT(events.malformed, IsEmpty());
}

TEST_F(AChangedTask, GoesByTheCatalogueThatTheNextDaemonReads) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet holder;
  Puppet outsider;
  const std::string id = text_at(node.open(wide("holder"), holder.pid()), "/id");
  EXPECT_EQ(holder.open(bound_), 0);
  node.kill();
  node.take_out("bound");
  node.declare(late());
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const auto expect_new = [&] {
    EXPECT_EQ(holder.open(mine_), 0);
    EXPECT_EQ(holder.open(bound_), 0) << "it is no credential any more";
    EXPECT_NE(holder.open(late_), 0);
    EXPECT_NE(holder.connect(allowed_.port()), 0) << "what is held stays bound";
    EXPECT_EQ(holder.connect(other_.port()), 0);
    EXPECT_EQ(outsider.open(late_), 0);
  };
  expect_new();
  EXPECT_EQ(text_at(node.show(id), "/phase"), "live");
  sleep_for(6s);
  restart(node);
  expect_new();
  // It comes again: not into a scope that it has left.
  node.declare(catalogue().back());
  restart(node);
  EXPECT_NE(holder.open(bound_), 0);
  EXPECT_EQ(holder.open(mine_), 0);
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_EQ(node.events().of_kind("reload").size(), 2U) << "not where nothing has changed";
}

TEST_F(AChangedTask, IsOneOrTheOtherWhereItsDaemonDiesMeanwhile) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet outsider;
  std::mt19937 random(std::random_device{}());
  int narrowed = 0;
  int reloaded = 0;
  constexpr int kTurns = 12;
  for (int turn = 0; turn < kTurns; ++turn) {
    SCOPED_TRACE(turn);
    const bool reloads = turn % 2 == 1;
    Puppet puppet;
    const std::string id = text_at(node.open(wide("wide"), puppet.pid()), "/id");
    ASSERT_EQ(puppet.open(bound_), 0);
    if (reloads && turn % 4 == 1) node.declare(late());
    if (reloads && turn % 4 == 3) node.take_out("a-late");
    Words change = narrowing(id, small("small"));
    change.insert(change.begin(), {ambit_binary(), "task"});
    if (reloads) change = {ambit_binary(), "reload"};
    change.insert(change.end(), {"--socket", node.socket(), "--json"});
    Child changing(Command{.argv = change});
    sleep_for(std::chrono::milliseconds(random() % (reloads ? 400 : 40)));
    node.kill();
    static_cast<void>(changing.wait());
    const bool bound_before = puppet.open(bound_) == 0;
    node.start();
    ASSERT_TRUE(node.is_ready()) << node.process().err();
    const std::string name = text_at(node.show(id), "/name");
    EXPECT_THAT(name, AnyOf("wide", "small"));
    EXPECT_EQ(puppet.open(bound_) == 0, name == "wide");
    EXPECT_EQ(bound_before, name == "wide") << "it does not become another by the takeover";
    EXPECT_EQ(puppet.open(mine_), 0);
    EXPECT_EQ(puppet.open(late_) == 0, turn % 4 == 3 || turn < 1 || (turn % 4 == 0))
        << "as the catalogue says that was read last";
    EXPECT_EQ(outsider.open(late_), 0);
    narrowed += name == "small" ? 1 : 0;
    reloaded += reloads && changing.out().find("\"credentials\"") != std::string::npos ? 1 : 0;
    EXPECT_THAT(node.process().err(), testing::Not(HasSubstr("cannot be taken over")));
  }
  std::cout << narrowed << " of 6 were narrowed, " << reloaded << " of 6 reloads answered\n";
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_THAT(node.events().malformed, IsEmpty());
}

}  // namespace
}  // namespace ambit::probe
