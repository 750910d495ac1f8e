// SPDX-License-Identifier: Apache-2.0
// The scope and the deadline of a task that lives change; judged by what its process can do then,
// beside one that is in no task.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/daemon/puppet.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class ALivingTask : public testing::Test {
 protected:
  /// What is `bound` may be used at `other_` alone.
  [[nodiscard]] std::vector<CredentialText> catalogue() const {
    return {{.name = "mine", .files = {mine_}},
            {.name = "bound",
             .files = {bound_},
             .destinations = Lines{to_address("127.0.0.1", other_.port())}}};
  }
  [[nodiscard]] ScopeText whole(const std::string& name) const {
    return {.name = name,
            .credentials = {"{name: bound}", "{name: mine}"},
            .network = Lines{to_address("127.0.0.1", allowed_.port()),
                             to_address("127.0.0.1", other_.port())}};
  }
  [[nodiscard]] ScopeText part(const std::string& name) const {
    return {.name = name,
            .credentials = {"{name: mine}"},
            .network = Lines{to_address("127.0.0.1", allowed_.port())}};
  }
  [[nodiscard]] Ended narrow(const Node& node, const std::string& id,
                             const ScopeText& scope) const {
    return node.task({"narrow", id, "--scope", scratch_.write("narrow.yaml", scope.yaml())});
  }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string bound_ = scratch_.secret("bound/secret");
  Collector allowed_ = Collector::tcp("127.0.0.1");
  Collector other_ = Collector::tcp("127.0.0.1");
};

TEST_F(ALivingTask, IsBoundByANarrowerScopeFromTheAnswerOn) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  Puppet outsider;
  const std::string id = text_at(node.open(whole("wide"), puppet.pid()), "/id");
  EXPECT_EQ(puppet.open(bound_), 0);
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_EQ(puppet.connect(other_.port()), 0);
  EXPECT_EQ(puppet.send("before "), 0);

  const Ended narrowed = narrow(node, id, part("narrow"));
  ASSERT_EQ(narrowed.exit, 0) << narrowed.out << narrowed.err;
  EXPECT_EQ(text_at(Json::parse(narrowed.out), "/name"), "narrow");
  EXPECT_NE(puppet.send("after "), 0) << "the connection leads outside now";
  EXPECT_NE(puppet.open(bound_), 0);
  EXPECT_EQ(puppet.open(mine_), 0) << "what both scopes allow was never refused";
  EXPECT_EQ(puppet.read(), content_of(mine_));
  EXPECT_NE(puppet.connect(other_.port()), 0);
  EXPECT_EQ(outsider.open(bound_), 0);
  EXPECT_EQ(outsider.connect(other_.port()), 0);
  EXPECT_EQ(outsider.send("outsider "), 0);
  EXPECT_TRUE(other_.receives("outsider "));
  EXPECT_THAT(other_.received(), HasSubstr("before "));
  EXPECT_EQ(other_.received().find("after "), std::string::npos);

  EXPECT_EQ(node.stop().exit, 0);
  const Events events = node.events();
  const auto told = events.of_kind("task_narrow");
  ASSERT_EQ(told.size(), 1U) << summary(events.all);
  EXPECT_EQ(text_at(told.front(), "/task/id"), id);
  EXPECT_NE(text_at(told.front(), "/task/scope_sha256"),
            text_at(told.front(), "/details/scope_sha256_before"));
  EXPECT_THAT(events.of_kind("loss"), IsEmpty());
  EXPECT_THAT(events.malformed, IsEmpty());
}

TEST_F(ALivingTask, HoldsOnWhatItHeldBeforeItWasNarrowed) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet holder;
  Puppet free_of_it;
  const std::string held = text_at(node.open(whole("held"), holder.pid()), "/id");
  const std::string other = text_at(node.open(whole("other"), free_of_it.pid()), "/id");
  EXPECT_EQ(holder.open(bound_), 0);
  for (const std::string& id : {held, other})
    ASSERT_EQ(narrow(node, id, part("narrow")).exit, 0) << id;
  EXPECT_EQ(free_of_it.connect(allowed_.port()), 0) << "who holds nothing may go there";
  EXPECT_NE(holder.connect(allowed_.port()), 0)
      << "what it holds may be used elsewhere alone, though its scope does not list it any more";
  EXPECT_EQ(node.stop().exit, 0);
  const auto findings = node.events().findings();
  ASSERT_EQ(findings.size(), 1U) << summary(findings);
  EXPECT_EQ(text_at(findings.front(), "/verdict/reason"), "destination_not_for_credential");
  EXPECT_EQ(text_at(findings.front(), "/credential/name"), "bound");
  EXPECT_EQ(at(findings.front(), "/evidence").size(), 1U) << "the opening under the former scope";
}

TEST_F(ALivingTask, KeepsItsScopeWhenAnotherGoesBeyondItAndTheLinesAreNamed) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  const std::string id = text_at(node.open(part("small"), puppet.pid()), "/id");
  const Ended refused = narrow(node, id, whole("large"));
  EXPECT_EQ(refused.exit, 1) << refused.out;
  const Json answer = Json::parse(refused.out);
  EXPECT_EQ(text_at(answer, "/code"), "scope_refused");
  ASSERT_EQ(at(answer, "/diagnostics").size(), 2U) << refused.out;
  for (const Json& line : at(answer, "/diagnostics"))
    EXPECT_GT(line.value("line", 0), 1) << "a line of the scope: " << line;
  EXPECT_THAT(refused.out, HasSubstr("\\\"bound\\\" is not in the parent's scope"));
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_NE(puppet.open(bound_), 0);
  ScopeText stranger = part("stranger");
  stranger.agent = "spiffe://kernel.test/other";
  EXPECT_THAT(narrow(node, id, stranger).out, HasSubstr("the task's agent is"));
  EXPECT_EQ(text_at(node.show(id), "/name"), "small");
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_THAT(node.events().of_kind("task_narrow"), IsEmpty());
}

TEST_F(ALivingTask, LivesLongerWhenItIsExtendedAndStaysOverWhenItIsOver) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet extended;
  Puppet left;
  ScopeText brief = part("extended");
  brief.ttl = "4s";
  const std::string id = text_at(node.open(brief, extended.pid()), "/id");
  brief.name = "left";
  const std::string other = text_at(node.open(brief, left.pid()), "/id");
  EXPECT_EQ(node.task({"extend", id, "--ttl", "1s"}).exit, 1) << "sooner is no extension";
  const Ended done = node.task({"extend", id, "--ttl", "60s"});
  EXPECT_EQ(done.exit, 0) << done.out << done.err;
  EXPECT_TRUE(eventually([&] { return text_at(node.show(other), "/phase") == "expired"; }, 10s));
  EXPECT_EQ(text_at(node.show(id), "/phase"), "live");
  EXPECT_EQ(extended.open(mine_), 0);
  EXPECT_NE(left.open(mine_), 0);
  const Ended late = node.task({"extend", other, "--ttl", "60s"});
  EXPECT_EQ(late.exit, 1);
  EXPECT_THAT(late.out, HasSubstr("\"task_over\""));
  EXPECT_NE(left.open(mine_), 0) << "what is over stays over";
  EXPECT_THAT(narrow(node, other, part("late")).out, HasSubstr("\"task_over\""));
  EXPECT_EQ(node.task({"close", id}).exit, 0);
  EXPECT_THAT(node.task({"extend", id, "--ttl", "60s"}).out, HasSubstr("\"task_over\""));
  EXPECT_EQ(node.stop().exit, 0);
  const auto told = node.events().of_kind("task_extend");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_GT(text_at(told.front(), "/task/expires"),
            text_at(told.front(), "/details/expires_before"));
}

TEST_F(ALivingTask, ClosesWithAllOthersOfItsAgentOrOfItsCredential) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet one;
  Puppet two;
  Puppet three;
  ScopeText of_other = whole("of-other");
  of_other.agent = "spiffe://kernel.test/other";
  const std::string first = text_at(node.open(whole("first"), one.pid()), "/id");
  const std::string second = text_at(node.open(part("second"), two.pid()), "/id");
  const std::string third = text_at(node.open(of_other, three.pid()), "/id");
  const auto closed = [](const Ended& ended) {
    std::vector<std::string> ids;
    const Json answer = Json::parse(ended.out, nullptr, false);
    if (answer.is_object() && answer.contains("tasks"))
      for (const Json& task : answer.at("tasks"))
        ids.push_back(text_at(task, "/id") + " " + text_at(task, "/phase"));
    return ids;
  };
  EXPECT_THAT(closed(node.task({"close", "--agent", "spiffe://kernel.test/other"})),
              ElementsAre(third + " closed"));
  EXPECT_NE(three.open(mine_), 0);
  EXPECT_EQ(one.open(mine_), 0);
  EXPECT_THAT(closed(node.task({"close", "--agent", "spiffe://kernel.test/nobody"})), IsEmpty());
  // Narrowed: it may have the credential still.
  ASSERT_EQ(narrow(node, first, part("narrow")).exit, 0);
  EXPECT_THAT(closed(node.task({"close", "--credential", "bound"})),
              UnorderedElementsAre(first + " closed", third + " closed"));
  EXPECT_NE(one.open(mine_), 0);
  EXPECT_EQ(two.open(mine_), 0) << "another's credential";
  EXPECT_EQ(text_at(node.show(second), "/phase"), "live");
  EXPECT_EQ(node.stop().exit, 0);
}

/// What close() says that a process has still.
std::vector<std::string> residual_of(const Ended& closed) {
  std::vector<std::string> out;
  const Json answer = Json::parse(closed.out, nullptr, false);
  for (const Json& one : at(answer, "/residualAccess"))
    out.push_back(text_at(one, "/kind") + " " + text_at(one, "/name"));
  return out;
}

TEST_F(ALivingTask, HasNothingLeftWhenItIsClosedButWhatTheAnswerNames) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  // Who sends to whoever comes: outside every task.
  const Descriptor giver(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(giver.get(), any, size), 0);
  ASSERT_EQ(::listen(giver.get(), 8), 0);
  ASSERT_EQ(::getsockname(giver.get(), any, &size), 0);
  const int port = ntohs(address.sin_port);
  Puppet puppet;
  Puppet outsider;
  ScopeText scope = part("closed");
  scope.network = Lines{to_address("127.0.0.1", port)};
  const std::string id = text_at(node.open(scope, puppet.pid()), "/id");
  std::vector<Descriptor> peers;
  for (Puppet* each : {&puppet, &outsider}) {
    EXPECT_EQ(each->map(mine_), 0);
    EXPECT_EQ(each->open(mine_), 0);
    EXPECT_EQ(each->connect(port), 0);
    peers.emplace_back(::accept4(giver.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(each->read(), content_of(mine_));
    EXPECT_EQ(each->look(), content_of(mine_));
    EXPECT_EQ(each->send("live "), 0);
  }
  const Ended closed = node.task({"close", id});
  ASSERT_EQ(closed.exit, 0) << closed.out << closed.err;
  const std::vector<std::string> left = residual_of(closed);
  for (const Descriptor& peer : peers) EXPECT_EQ(::send(peer.get(), "late", 4, 0), 4);
  const auto named = [&](const std::string& what) { return std::ranges::count(left, what) == 1; };
  const std::string mapping = puppet.look();
  const std::string file = puppet.read();
  const std::string received = puppet.receive();
  const std::string peer = "socket 127.0.0.1:" + std::to_string(port);
  EXPECT_TRUE(mapping != content_of(mine_) || named("mapping " + mine_)) << closed.out;
  EXPECT_TRUE(file.starts_with("errno") || named("file " + mine_)) << file << closed.out;
  EXPECT_TRUE(received.starts_with("errno") || received.empty() || named(peer))
      << received << closed.out;
  static_cast<void>(puppet.send("after "));
  std::array<char, 64> bytes{};
  const ssize_t came = ::recv(peers[0].get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  EXPECT_EQ(std::string(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(came, 0))),
            "live ");
  EXPECT_THAT(left, Contains("mapping " + mine_)) << "on every backend";
  if (!on_portable()) {
    EXPECT_EQ(left.size(), 1U) << closed.out;
  }
  EXPECT_EQ(outsider.look(), content_of(mine_));
  EXPECT_EQ(outsider.read(), content_of(mine_));
  EXPECT_EQ(outsider.receive(), "late");
  EXPECT_EQ(outsider.send("after "), 0);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ALivingTask, ShowsWhatItMayUseHasAndHasUsed) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Puppet puppet;
  const std::string id = text_at(node.open(part("shown"), puppet.pid()), "/id");
  const auto shown = [&] { return Json::parse(node.task({"show", id}).out); };
  EXPECT_EQ(at(shown(), "/held"), Json::array());
  EXPECT_EQ(puppet.open(mine_), 0);
  EXPECT_EQ(puppet.connect(allowed_.port()), 0);
  EXPECT_TRUE(eventually([&] { return at(shown(), "/used/destinations").size() == 1; }));
  const Json task = shown();
  ASSERT_EQ(at(task, "/held").size(), 1U) << task.dump();
  const std::string name = at(task, "/held").at(0);
  EXPECT_EQ(at(task, "/used/credentials/" + name), 1) << task.dump();
  const Json uses = at(task, "/used/destinations").front();
  EXPECT_EQ(at(uses, "/before"), 0) << "it held the credential before";
  EXPECT_EQ(at(uses, "/after"), 1);
  EXPECT_GT(at(task, "/secondsLeft").get<double>(), 60.0);
  EXPECT_THAT(at(task, "/neverUsed").dump(), Not(HasSubstr("\"" + name + "\"")));
  const Ended closed = node.task({"close", id});
  EXPECT_EQ(closed.exit, 0);
  EXPECT_EQ(node.stop().exit, 0);
  const std::vector<Json> ends = node.events().of_kind("task_close");
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(text_at(ends[0], "/details/used." + name), "1");
  EXPECT_EQ(text_at(ends[0], "/details/destinations_after_credential"), "1");
}

TEST_F(ALivingTask, IsToldWhatItHadOpenBeforeItWasATask) {
  Puppet early;
  EXPECT_EQ(early.open(mine_), 0);
  EXPECT_EQ(early.connect(allowed_.port()), 0);
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const std::string id = text_at(node.open(part("early"), early.pid()), "/id");
  const Ended closed = node.task({"close", id});
  const std::vector<std::string> left = residual_of(closed);
  const std::string file = early.read();
  static_cast<void>(early.send("after "));
  EXPECT_TRUE(file.starts_with("errno") || std::ranges::count(left, "file " + mine_) == 1)
      << file << closed.out;
  const std::string peer = "socket 127.0.0.1:" + allowed_.port_text();
  EXPECT_TRUE(!allowed_.receives("after ", 1s) || std::ranges::count(left, peer) == 1)
      << closed.out;
  EXPECT_EQ(node.stop().exit, 0);
}

}  // namespace
}  // namespace ambit::probe
