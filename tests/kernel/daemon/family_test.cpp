// SPDX-License-Identifier: Apache-2.0
// What goes from a task into one that it delegated and back again, and what becomes of that one
// when the other changes; judged by what arrives, beside a process that was handed nothing.
#include <sys/stat.h>

#include <filesystem>

#include "tests/kernel/daemon/delegation.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

class AFamily : public Delegation {
 protected:
  /// One that may go wherever its parent may, and lists no `bound`.
  [[nodiscard]] ScopeText roaming(const std::string& name = "child") const {
    ScopeText scope = narrow(name);
    scope.network = Lines{to_allowed(), to_other()};
    return scope;
  }
  [[nodiscard]] ScopeText with_bound() const {
    ScopeText scope = roaming();
    scope.credentials = {"{name: mine}", to_allowed_only("bound")};
    return scope;
  }
  std::string pipe(const std::string& name) const {
    const std::string path = scratch_.path(name);
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  /// Holds the pipe open, reads a line of it once `go-NAME` is there, and then goes everywhere.
  void begin_reader(Shell& shell, const std::string& from, const std::string& name) const {
    std::string line = "(exec 4<>" + from + "; echo >" + scratch_.path("ready-" + name) + "; " +
                       acts() + " wait-for " + scratch_.path("go-" + name) + "; read -r got <&4; ";
    for (const Collector* to : {&allowed_, &other_})
      line +=
          acts() + " tcp 127.0.0.1 " + to->port_text() + " " + name + "-" + to->port_text() + "; ";
    shell.begin(line + "echo >" + scratch_.path("end-" + name) + ") >/dev/null 2>&1 &");
    EXPECT_TRUE(there("ready-" + name));
  }
  void let_read(const std::string& name) const {
    scratch_.write("go-" + name, "");
    EXPECT_TRUE(there("end-" + name));
  }
  [[nodiscard]] bool there(const std::string& name) const {
    return eventually([&] { return std::filesystem::exists(scratch_.path(name)); }, 30s);
  }
  /// One process reads the credential and writes it into the pipe.
  void pour(Shell& shell, const std::string& file, const std::string& into) const {
    EXPECT_TRUE(shell.run("head -c 6 " + file + " 1<>" + into + "; echo 1<>" + into).done());
  }
  [[nodiscard]] std::string there_by(const std::string& name, const Collector& to) const {
    return name + "-" + to.port_text();
  }
};

TEST_F(AFamily, HoldsWhatComesThroughAPipeFromTheTaskAbove) {
  if (on_portable()) GTEST_SKIP() << "nothing is followed through pipes there (README)";
  static_cast<void>(node_.open(wide(), boss_.pid()));
  Shell worker(boss_, "worker");
  static_cast<void>(opened(boss_, roaming(), worker.pid()));
  const std::string filled = pipe("filled");
  const std::string plain = pipe("plain");
  begin_reader(worker, filled, "given");
  begin_reader(worker, plain, "free");
  pour(boss_, bound_, filled);
  pour(boss_, "/etc/passwd", plain);
  let_read("given");
  let_read("free");
  EXPECT_TRUE(other_.receives(there_by("free", other_))) << "the control";
  EXPECT_TRUE(allowed_.receives(there_by("free", allowed_))) << "the control";
  EXPECT_THAT(other_.received(), Not(HasSubstr("given")));
  EXPECT_THAT(allowed_.received(), Not(HasSubstr("given")))
      << "the child's scope lets it use the credential nowhere";
}

TEST_F(AFamily, HoldsWhatAChildWroteAlsoWhenTheChildIsGone) {
  if (on_portable()) GTEST_SKIP() << "nothing is followed through pipes there (README)";
  static_cast<void>(node_.open(wide(), boss_.pid()));
  const std::string filled = pipe("filled");
  const std::string plain = pipe("plain");
  begin_reader(boss_, filled, "given");
  begin_reader(boss_, plain, "free");
  {
    Shell worker(boss_, "worker");
    static_cast<void>(opened(boss_, with_bound(), worker.pid()));
    pour(worker, bound_, filled);
    pour(worker, "/etc/passwd", plain);
  }
  EXPECT_TRUE(eventually([&] { return node_.ids().size() == 1; }, 20s)) << "the child is over";
  let_read("given");
  let_read("free");
  EXPECT_TRUE(other_.receives(there_by("free", other_))) << "the control";
  EXPECT_TRUE(allowed_.receives(there_by("given", allowed_))) << "there it may be used";
  EXPECT_THAT(other_.received(), Not(HasSubstr("given")));
}

TEST_F(AFamily, SendsNothingOverConnectionsThatTheParentMadeAndTheChildMayNot) {
  const Collector datagrams = Collector::udp("127.0.0.1");
  ScopeText own = wide();
  own.network->push_back(to_address("127.0.0.1", datagrams.port()));
  static_cast<void>(node_.open(own, boss_.pid()));
  const std::string go = scratch_.path("go");
  const std::string said = scratch_.path("said");
  const auto begun = [&](const std::string& name, const Collector& stream) {
    return boss_.run("(" + acts() + " around-expiry " + theirs_ + " 127.0.0.1 " +
                     stream.port_text() + " " + datagrams.port_text() + " " + go + " >" + said +
                     name + " 2>&1) & echo $!");
  };
  const Done moved = begun("moved", other_);
  const Done stays = begun("stays", allowed_);
  EXPECT_TRUE(other_.receives("before-send"));
  EXPECT_TRUE(allowed_.receives("before-send"));
  static_cast<void>(opened(boss_, narrow(), std::stoi(moved.out)));
  scratch_.write("go", "");
  EXPECT_TRUE(allowed_.receives("after-connect")) << "the control, which was not delegated";
  EXPECT_TRUE(eventually(
      [&] { return content_of(said + "moved").find("after plain open: 0") != std::string::npos; },
      20s));
  EXPECT_THAT(other_.received(), Not(HasSubstr("after")));
  EXPECT_THAT(content_of(said + "moved"), Not(HasSubstr("after open: 0")));
  EXPECT_THAT(content_of(said + "stays"), HasSubstr("after open: 0")) << "the control";
}

TEST_F(AFamily, EndsWhatGoesBeyondAParentThatWasNarrowedAndLeavesTheRest) {
  const std::string parent = text_at(node_.open(wide(), boss_.pid()), "/id");
  Shell within(boss_, "within");
  Shell beyond(boss_, "beyond");
  ScopeText large = narrow("beyond");
  large.credentials = {"{name: mine}", "{name: theirs}"};
  large.ttl = "2m";
  const std::string kept = text_at(opened(boss_, narrow("within"), within.pid()), "/id");
  const std::string ended = text_at(opened(boss_, large, beyond.pid()), "/id");
  Shell below(beyond, "below");
  const std::string ended_too = text_at(opened(beyond, narrow("below"), below.pid()), "/id");
  for (Shell* const one : {&within, &beyond, &below})
    EXPECT_TRUE(one->act("open " + mine_).done()) << "the control";

  ScopeText less = narrow("less");
  less.ttl = "20s";
  EXPECT_EQ(
      node_.task({"narrow", parent, "--scope", scratch_.write("less.yaml", less.yaml())}).exit, 0);
  EXPECT_TRUE(within.act("open " + mine_).done());
  EXPECT_TRUE(beyond.act("open " + mine_).refused());
  EXPECT_TRUE(below.act("open " + mine_).refused());
  EXPECT_EQ(text_at(node_.show(kept), "/phase"), "live");
  EXPECT_EQ(text_at(node_.show(ended), "/phase"), "closed");
  EXPECT_EQ(text_at(node_.show(ended_too), "/phase"), "closed");
  EXPECT_LE(text_at(node_.show(kept), "/expires"), text_at(node_.show(parent), "/expires"))
      << "it ends no later than its parent, which ends sooner now";
  EXPECT_EQ(node_.task({"extend", kept, "--ttl", "1m"}).exit, 1) << "nor is it let to";
  EXPECT_EQ(node_.task({"extend", parent, "--ttl", "1m"}).exit, 0);
  EXPECT_EQ(node_.task({"extend", kept, "--ttl", "30s"}).exit, 0) << "the control";
  std::vector<std::string> reasons;
  for (const Json& event : node_.events().of_kind("task_close"))
    reasons.push_back(text_at(event, "/task/name") + " " + text_at(event, "/details/reason"));
  EXPECT_THAT(reasons,
              testing::UnorderedElementsAre("beyond beyond_parent", "below beyond_parent"));
}

TEST_F(AFamily, HoldsAsAWholeWhatOneProcessHoldsOnceAScopeSaysSo) {
  const std::string id = text_at(node_.open(wide(), boss_.pid()), "/id");
  boss_.begin("(exec 3<" + bound_ + "; echo >" + scratch_.path("ready-holder") + "; " + acts() +
              " wait-for " + scratch_.path("never") + ") >/dev/null 2>&1 &");
  ASSERT_TRUE(there("ready-holder"));
  EXPECT_TRUE(boss_.act(tcp(other_)).done()) << "the control: another process holds it";
  ScopeText held = wide();
  held.credentials = {"{name: mine}", "{name: theirs}",
                      "{name: bound, holding: task, destinations: [" + to_allowed() + "]}"};
  const Ended narrowed =
      node_.task({"narrow", id, "--scope", scratch_.write("held.yaml", held.yaml())});
  ASSERT_EQ(narrowed.exit, 0) << narrowed.out << narrowed.err;
  EXPECT_TRUE(boss_.act(tcp(allowed_)).done());
  EXPECT_TRUE(boss_.act(tcp(other_)).refused());
  scratch_.write("never", "");
}

TEST_F(AFamily, KnowsCredentialsByTheSameBitsAfterAChildWasGivenOtherReaders) {
  if (on_portable()) GTEST_SKIP() << "nothing is followed through pipes there (README)";
  const auto bound_to = [this](const std::string& readers) {
    return "{name: bound, readers: [" + readers + "], destinations: [" + to_allowed() + "]}";
  };
  ScopeText own = wide();
  own.credentials = {bound_to("/bin/sh, /bin/cat, /usr/bin/head")};
  static_cast<void>(node_.open(own, boss_.pid()));
  Shell first(boss_, "first");
  ScopeText child = roaming("first");
  child.credentials = {bound_to("/bin/sh, /bin/cat")};
  const std::string id = text_at(opened(boss_, child, first.pid()), "/id");
  // Another bit of the child's alone, which its parent does not know.
  child.credentials = {bound_to("/bin/sh")};
  const Ended narrowed =
      node_.task({"narrow", id, "--scope", scratch_.write("readers.yaml", child.yaml())});
  EXPECT_EQ(narrowed.exit, 0) << narrowed.out << narrowed.err;
  const std::string filled = pipe("filled");
  const std::string plain = pipe("plain");
  begin_reader(boss_, filled, "given");
  begin_reader(boss_, plain, "free");
  // The shell may open it; the program that it becomes hands on what it holds.
  const Done poured = first.run("exec 3<" + bound_ + "; exec /bin/cat <&3 1<>" + filled);
  EXPECT_TRUE(poured.done()) << poured;
  EXPECT_TRUE(first.run("echo 1<>" + filled).done());
  pour(first, "/etc/passwd", plain);
  let_read("given");
  let_read("free");
  EXPECT_TRUE(other_.receives(there_by("free", other_))) << "the control";
  EXPECT_THAT(other_.received(), Not(HasSubstr("given")));
}

}  // namespace
}  // namespace ambit::probe
