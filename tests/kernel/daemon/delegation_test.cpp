// SPDX-License-Identifier: Apache-2.0
// Tasks that open tasks for processes of their own; judged by what those can do, beside the parent
// that can still do it.
#include "tests/kernel/daemon/delegation.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iterator>
#include <sstream>

namespace ambit::probe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ATask : public Delegation {};

TEST_F(ATask, OpensATaskThatMayDoNoMoreThanItIsGivenWhileTheParentMayDoTheRest) {
  const Json parent = node_.open(wide(), boss_.pid());
  Shell worker(boss_, "worker");
  for (const std::string& file : {mine_, theirs_})
    EXPECT_TRUE(worker.act("open " + file).done()) << "before it is delegated " << file;
  EXPECT_TRUE(worker.act(tcp(other_)).done());

  const Json child = opened(boss_, narrow(), worker.pid());
  EXPECT_EQ(text_at(child, "/parent"), text_at(parent, "/id")) << child.dump(1);
  EXPECT_THAT(at(child, "/processes").dump(), HasSubstr(std::to_string(worker.pid())));
  const Done own = worker.act("open " + mine_);
  EXPECT_TRUE(own.done()) << own;
  EXPECT_EQ(own.out, content_of(mine_));
  const Done theirs = worker.act("open " + theirs_);
  EXPECT_TRUE(theirs.refused()) << theirs;
  EXPECT_EQ(theirs.out, "");
  EXPECT_TRUE(worker.act(tcp(allowed_)).done());
  EXPECT_TRUE(worker.act(tcp(other_)).refused());
  EXPECT_TRUE(worker.act("open /etc/hostname").done());

  for (const std::string& file : {mine_, theirs_})
    EXPECT_TRUE(boss_.act("open " + file).done()) << "the parent still may " << file;
  EXPECT_TRUE(boss_.act(tcp(other_)).done()) << "the parent still may";
  Shell outsider(scratch_, "outsider");
  EXPECT_TRUE(outsider.act("open " + theirs_).done());

  const std::vector<Json> findings = findings_about(theirs_);
  ASSERT_EQ(findings.size(), 1U) << summary(node_.events().findings());
  EXPECT_EQ(text_at(findings[0], "/task/name"), "child");
  EXPECT_EQ(text_at(findings[0], "/task/parent"), text_at(parent, "/id"));
  ASSERT_EQ(at(findings[0], "/task/chain").size(), 1U) << findings[0].dump(1);
  EXPECT_EQ(text_at(at(findings[0], "/task/chain")[0], "/name"), "parent");
}

TEST_F(ATask, CarriesThePersonAtTheRootThroughAWholeChain) {
  std::string yaml = wide().yaml();
  yaml.insert(yaml.find("  owner:"), "  onBehalfOf: alice@test.example\n");
  const std::string file = scratch_.write("root.yaml", yaml);
  EXPECT_EQ(node_.task({"open", "--scope", file, "--pid", std::to_string(boss_.pid())}).exit, 0);
  Shell middle(boss_, "middle");
  Shell last(middle, "last");
  const std::string root = node_.ids().at(0);
  static_cast<void>(opened(boss_, narrow("middle"), middle.pid()));
  ScopeText nothing{.name = "last", .ttl = "30s", .credentials = {}, .network = Lines{}};
  static_cast<void>(opened(boss_, nothing, last.pid()));
  const Done refused = last.act("open " + mine_);
  EXPECT_TRUE(refused.refused()) << refused;
  const std::vector<Json> findings = findings_about(mine_);
  ASSERT_EQ(findings.size(), 1U) << summary(node_.events().findings());
  EXPECT_EQ(text_at(at(findings[0], "/task/chain")[0], "/id"), root);
  EXPECT_EQ(text_at(at(findings[0], "/task/chain")[0], "/on_behalf_of"), "alice@test.example");
}

TEST_F(ATask, DelegatesNothingThatGoesBeyondItAndIsToldEachLine) {
  ScopeText own = wide();
  own.exec = Lines{"/bin/*", "/usr/bin/*", acts(), ambit_binary()};
  own.credential_response = "kill";
  static_cast<void>(node_.open(own, boss_.pid()));
  Shell worker(boss_, "worker");
  ScopeText good = narrow();
  good.exec = Lines{acts()};
  good.credential_response = "kill";
  struct Wider {
    std::string says;
    std::function<void(ScopeText&)> widen;
  };
  const std::vector<Wider> all{
      {"ttl goes beyond the parent", [](ScopeText& scope) { scope.ttl = "10m"; }},
      {"mode shadow", [](ScopeText& scope) { scope.shadow = true; }},
      {"is milder than the parent's kill",
       [](ScopeText& scope) { scope.credential_response = "deny"; }},
      {"is not in the parent's network.allow",
       [](ScopeText& scope) { scope.network = Lines{"{cidr: 127.0.0.0/8}"}; }},
      {"has no network section", [](ScopeText& scope) { scope.network.reset(); }},
      {"is not in the parent's exec.allow", [](ScopeText& scope) { scope.exec = Lines{"/opt/*"}; }},
      {"has no exec section", [](ScopeText& scope) { scope.exec.reset(); }},
      {"may not be used at",
       [this](ScopeText& scope) {
         scope.credentials = {"{name: bound, destinations: [" + to_other() + "]}"};
       }},
      {"is not in the parent's scope",
       [](ScopeText& scope) { scope.credentials = {"{name: nobodys}"}; }},
      {"privilege ptrace is not the parent's",
       [](ScopeText& scope) { scope.privileges = {"ptrace"}; }},
  };
  for (const Wider& wider : all) {
    ScopeText scope = good;
    wider.widen(scope);
    const Done done = open(boss_, scope.yaml(), worker.pid());
    const Json answer = json(done);
    EXPECT_EQ(done.exit, 1) << wider.says << done;
    EXPECT_EQ(text_at(answer, "/code"), "beyond_parent") << wider.says << done;
    const Json& said = at(answer, "/diagnostics");
    ASSERT_TRUE(said.is_array() && !said.empty()) << done;
    EXPECT_THAT(said.dump(), HasSubstr(wider.says));
    EXPECT_GT(said[0].value("line", 0), 0) << done;
    EXPECT_GT(said[0].value("column", 0), 0) << done;
  }
  std::string person = good.yaml();
  person.insert(person.find("  owner:"), "  onBehalfOf: mallory@test.example\n");
  EXPECT_THAT(open(boss_, person, worker.pid()).out, HasSubstr("onBehalfOf goes beyond"));
  std::string other = good.yaml();
  other.insert(other.find("  owner:"), "  parent: another\n");
  EXPECT_THAT(open(boss_, other, worker.pid()).out, HasSubstr("is not the task above"));
  EXPECT_EQ(node_.ids().size(), 1U);
  EXPECT_TRUE(worker.act("open " + theirs_).done()) << "what was refused changed nothing";
  EXPECT_TRUE(open(boss_, good.yaml(), worker.pid()).done()) << "the control: within, it is opened";
}

TEST_F(ATask, GivesAwayNoProcessThatIsNotItsOwn) {
  static_cast<void>(node_.open(wide(), boss_.pid()));
  Shell worker(boss_, "worker");
  Shell outsider(scratch_, "outsider");
  Shell stranger(scratch_, "stranger");
  static_cast<void>(node_.open(wide("another"), stranger.pid()));
  const std::string yaml = narrow().yaml();
  for (const pid_t pid : {outsider.pid(), stranger.pid(), node_.process().pid(), pid_t{1}}) {
    const Done done = open(boss_, yaml, pid);
    EXPECT_EQ(text_at(json(done), "/code"), "no_such_process") << pid << done;
  }
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  EXPECT_EQ(text_at(json(open(boss_, yaml, gone)), "/code"), "no_such_process");
  EXPECT_EQ(text_at(json(open(outsider, yaml, outsider.pid())), "/code"), "not_in_task");
  EXPECT_EQ(text_at(json(ask(outsider, "list")), "/code"), "not_in_task");

  EXPECT_TRUE(stranger.act("open " + theirs_).done()) << "it is where it was";
  EXPECT_TRUE(outsider.act("open " + theirs_).done());
  const Json child = opened(boss_, narrow(), worker.pid());
  EXPECT_EQ(text_at(json(open(boss_, yaml, worker.pid())), "/code"), "no_such_process")
      << "it is the child's by now";
  EXPECT_EQ(text_at(json(open(worker, yaml, boss_.pid())), "/code"), "no_such_process")
      << "the parent's is not the child's";
}

TEST_F(ATask, KeepsAProcessOfItsOwn) {
  static_cast<void>(node_.open(wide(), boss_.pid()));
  const Done done = open(boss_, narrow().yaml(), boss_.pid());
  EXPECT_EQ(text_at(json(done), "/code"), "process_refused") << done;
  EXPECT_TRUE(boss_.act("open " + theirs_).done());
}

TEST_F(ATask, SeesItselfAndWhatIsBelowItAndNothingElse) {
  const Json parent = node_.open(wide(), boss_.pid());
  Shell worker(boss_, "worker");
  Shell stranger(scratch_, "stranger");
  const Json another = node_.open(wide("another"), stranger.pid());
  const Json child = opened(boss_, narrow(), worker.pid());
  const auto names = [this](Shell& shell) {
    std::vector<std::string> out;
    const Json answer = json(ask(shell, "list"));
    for (const Json& task : at(answer, "/tasks")) out.push_back(text_at(task, "/name"));
    return out;
  };
  EXPECT_THAT(names(boss_), ElementsAre("parent", "child"));
  EXPECT_THAT(names(worker), ElementsAre("child"));
  EXPECT_EQ(text_at(json(ask(worker, "show " + text_at(child, "/id"))), "/name"), "child");
  for (const Json& other : {parent, another})
    EXPECT_EQ(text_at(json(ask(worker, "show " + text_at(other, "/id"))), "/code"), "no_such_task");
  EXPECT_EQ(ask(worker, "close " + text_at(child, "/id")).exit, 1);
  EXPECT_TRUE(worker.act("open " + mine_).done()) << "nobody closed it";
}

TEST_F(ATask, EndsWhatItHasDelegatedWhenItIsClosed) {
  const Json parent = node_.open(wide(), boss_.pid());
  Shell middle(boss_, "middle");
  Shell last(middle, "last");
  static_cast<void>(opened(boss_, narrow("middle"), middle.pid()));
  EXPECT_TRUE(last.act("open " + mine_).done()) << "the control";
  EXPECT_EQ(node_.task({"close", text_at(parent, "/id")}).exit, 0);
  for (Shell* const shell : {&boss_, &middle, &last}) {
    EXPECT_TRUE(shell->act("open " + mine_).refused());
    EXPECT_TRUE(shell->act(tcp(allowed_)).refused());
  }
  std::vector<std::string> reasons;
  for (const Json& event : node_.events().of_kind("task_close"))
    reasons.push_back(text_at(event, "/task/name") + " " + text_at(event, "/details/reason"));
  EXPECT_THAT(reasons, testing::UnorderedElementsAre("parent closed", "middle parent_closed"));
}

TEST_F(ATask, EndsWhatItHasDelegatedWhenItsLastProcessEnds) {
  static_cast<void>(node_.open(wide(), boss_.pid()));
  Shell worker(boss_, "worker");
  const Json child = opened(boss_, narrow(), worker.pid());
  EXPECT_TRUE(worker.act("open " + mine_).done()) << "the control";
  boss_.end();
  EXPECT_TRUE(eventually(
      [&] { return text_at(node_.show(text_at(child, "/id")), "/phase") == "closed"; }, 10s));
  EXPECT_TRUE(worker.act("open " + mine_).refused());
}

TEST_F(ATask, ThatIsOverDelegatesNothingAndItsChildrenEndWithItsTime) {
  ScopeText brief = wide();
  brief.ttl = "15s";
  const Json parent = node_.open(brief, boss_.pid());
  Shell worker(boss_, "worker");
  Shell late(boss_, "late");
  ScopeText child = narrow();
  child.ttl = "5s";
  static_cast<void>(opened(boss_, child, worker.pid()));
  EXPECT_TRUE(worker.act("open " + mine_).done()) << "the control";
  sleep_for(5500ms);
  EXPECT_TRUE(worker.act("open " + mine_).refused()) << "its own time is over";
  EXPECT_TRUE(boss_.act("open " + mine_).done()) << "the parent's is not";
  EXPECT_EQ(node_.task({"close", text_at(parent, "/id")}).exit, 0);
  const Done done = open(boss_, child.yaml(), late.pid());
  EXPECT_NE(done.exit, 0) << "closed, it reaches no socket, or is refused";
  EXPECT_EQ(node_.ids().size(), 2U);
}

TEST_F(ATask, IsTheLastOfItsChainAtSixteen) {
  static_cast<void>(node_.open(wide("chain-1"), boss_.pid()));
  std::vector<std::unique_ptr<Shell>> chain;
  for (int depth = 2; depth <= 17; ++depth) {
    Shell& above = depth == 2 ? boss_ : *chain.back();
    chain.push_back(std::make_unique<Shell>(above, "chain-" + std::to_string(depth)));
    ScopeText scope = wide("chain-" + std::to_string(depth));
    scope.ttl = std::to_string(290 - 15 * depth) + "s";
    const Done done = open(above, scope.yaml(), chain.back()->pid());
    if (depth == 17)
      EXPECT_EQ(text_at(json(done), "/code"), "too_many") << done;
    else
      ASSERT_TRUE(done.done()) << depth << done;
  }
  EXPECT_EQ(node_.ids().size(), 16U);
  EXPECT_TRUE(chain[14]->act("open " + mine_).done());
  EXPECT_EQ(node_.task({"close", node_.ids().at(0)}).exit, 0);
  EXPECT_TRUE(chain[14]->act("open " + mine_).refused()) << "ending the first ends the sixteenth";
}

TEST_F(ATask, TakesWhatIsHeldAlongIntoTheChild) {
  static_cast<void>(node_.open(wide(), boss_.pid()));
  const std::string ready = scratch_.path("ready");
  const std::string go = scratch_.path("go");
  const auto holder = [&](const std::string& file, const std::string& name) {
    return boss_.run("(exec 3<" + file + "; echo >" + ready + name + "; while [ ! -e " + go +
                     " ]; do sleep 0.1; done; for port in " + allowed_.port_text() + " " +
                     other_.port_text() + "; do " + acts() + " tcp 127.0.0.1 $port " + name +
                     "$port; done) >/dev/null 2>&1 & echo $!");
  };
  ScopeText child = narrow();
  child.network = Lines{to_allowed(), to_other()};
  ScopeText with = child;
  with.credentials = {"{name: mine}", to_allowed_only("bound")};
  const pid_t holds = std::stoi(holder(bound_, "holds").out);
  const pid_t holds_not = std::stoi(holder(mine_, "free").out);
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(ready + "holds") && std::filesystem::exists(ready + "free");
  }));
  const Done without = open(boss_, child.yaml(), holds);
  EXPECT_EQ(text_at(json(without), "/code"), "beyond_parent") << without;
  EXPECT_THAT(without.out, HasSubstr("is held already"));
  static_cast<void>(opened(boss_, with, holds));
  static_cast<void>(opened(boss_, child, holds_not));
  scratch_.write("go", "");
  EXPECT_TRUE(eventually([&] { return !alive(holds) && !alive(holds_not); }, 20s));
  EXPECT_TRUE(allowed_.receives("holds" + allowed_.port_text()));
  EXPECT_TRUE(allowed_.receives("free" + allowed_.port_text()));
  EXPECT_TRUE(other_.receives("free" + other_.port_text())) << "the control";
  EXPECT_THAT(other_.received(), Not(HasSubstr("holds"))) << "what it held before binds it after";
}

TEST_F(ATask, MovesAProcessWithAllThatItStartsMeanwhile) {
  static_cast<void>(node_.open(wide(), boss_.pid()));
  Shell worker(boss_, "worker");
  const std::string stop = scratch_.path("stop");
  const std::string out = scratch_.path("tried");
  // It forks without a pause; whoever is started tries what the child may not.
  worker.begin("while [ ! -e " + stop + " ]; do (:; (:)) & (:); " + acts() + " open " + theirs_ +
               " >/dev/null 2>&1; echo $? >>" + out + "; wait; done");
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(out); }, 20s));
  const Json child = opened(boss_, narrow(), worker.pid());
  const auto tries = [&out] {
    std::istringstream lines(content_of(out));
    return std::vector<std::string>(std::istream_iterator<std::string>(lines), {});
  };
  const std::size_t before = tries().size();
  EXPECT_TRUE(eventually([&] { return tries().size() > before + 20; }, 60s));
  scratch_.write("stop", "");
  const std::vector<std::string> all = tries();
  EXPECT_EQ(all.front(), "0") << "the control";
  // One may have been under way.
  for (std::size_t i = before + 1; i < all.size(); ++i) EXPECT_EQ(all[i], "10") << i;
  const Json parent = node_.show(node_.ids().at(0));
  EXPECT_EQ(at(parent, "/processes").dump(), "[" + std::to_string(boss_.pid()) + "]")
      << "nothing stays behind";
}

}  // namespace
}  // namespace ambit::probe
