// SPDX-License-Identifier: Apache-2.0
// The daemon's events as `ambit events` has them, beside the file.
#include <signal.h>

#include <sstream>

#include "tests/kernel/daemon/node.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class AStreamOfEvents : public TwoCredentials {
 protected:
  [[nodiscard]] std::vector<Item> tries(const std::string& turn) const {
    return {{"mine" + turn, {"open", mine_}}, {"theirs" + turn, {"open", theirs_}}};
  }
  static ScopeText scope(const std::string& name) {
    return {.name = name, .credentials = {"{name: mine}"}};
  }
  static Words asks(const Node& node, Words words) {
    words.insert(words.begin(), {ambit_binary(), "events", "--socket", node.socket()});
    return words;
  }
  static std::vector<Json> parsed(const std::string& text) {
    std::vector<Json> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      out.push_back(Json::parse(line, nullptr, false));
    return out;
  }
};

TEST_F(AStreamOfEvents, HasTheLinesOfTheFileFromTheNumberThatIsAskedFor) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")});
  static_cast<void>(node.open(scope("seen"), worker.pid()));
  worker.turn(1);
  ASSERT_TRUE(eventually([&] { return node.events().findings().size() == 1; }));
  const std::string file = node.events().raw;
  const Ended all = run({.argv = asks(node, {})});
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_THAT(all.err, IsEmpty());
  EXPECT_THAT(all.out, StartsWith(file)) << "the file's lines, byte by byte";
  const Ended later = run({.argv = asks(node, {"--from", "3"})});
  EXPECT_EQ(later.out, all.out.substr(all.out.find("{\"v\":1", all.out.find("\"seq\":2,"))));
  const std::string run_id = text_at(node.events().all.front(), "/id");
  EXPECT_EQ(run({.argv = asks(node, {"--from", "3", "--run", run_id})}).exit, 0);
  const Ended other = run({.argv = asks(node, {"--from", "3", "--run", "01J0"})});
  EXPECT_EQ(other.exit, 1);
  EXPECT_THAT(other.err, HasSubstr(run_id));
  EXPECT_EQ(run({.argv = asks(node, {"--from", "99999"})}).exit, 1) << "not of this run";
  EXPECT_EQ(run({.argv = asks(node, {"--kind", "conect"})}).exit, 1);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(AStreamOfEvents, FollowsOneTaskAmongOthersUntilTheDaemonStops) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Child whole({.argv = asks(node, {"--follow"})});
  Child findings({.argv = asks(node, {"--follow", "--from", "next", "--findings", "--task", "one",
                                      "--severity", "medium"})});
  ASSERT_TRUE(eventually([&] { return whole.out().find("\"start\"") != std::string::npos; }));
  sleep_for(200ms);  // the other one says nothing before it has something
  Worker one(scratch_, "one", {tries("1")});
  Worker two(scratch_, "two", {tries("1")});
  static_cast<void>(node.open(scope("one"), one.pid()));
  static_cast<void>(node.open(scope("two"), two.pid()));
  one.turn(1);
  two.turn(1);
  EXPECT_TRUE(eventually([&] { return parsed(findings.out()).size() == 1; }));
  EXPECT_EQ(node.stop().exit, 0);
  const Ended all = whole.wait(10s);
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(all.out, node.events().raw) << "the last event as well";
  EXPECT_THAT(all.err, HasSubstr("the daemon has stopped"));
  const Ended some = findings.wait(10s);
  EXPECT_EQ(some.exit, 0) << some.err;
  ASSERT_EQ(parsed(some.out).size(), 1U) << some.out;
  EXPECT_EQ(text_at(parsed(some.out)[0], "/task/name"), "one");
  EXPECT_EQ(text_at(parsed(some.out)[0], "/verdict/reason"), "credential_not_in_scope");
}

TEST_F(AStreamOfEvents, EndsWithItsReaderAndWithItsDaemon) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const Ended head =
      run({.argv = {"/bin/bash", "-c",
                    "set -o pipefail; " + ambit_binary() + " events --follow --socket " +
                        node.socket() + " | head -n 1"}});
  EXPECT_FALSE(head.timed_out) << "nothing came that it could have failed to write";
  EXPECT_EQ(head.exit, 0) << head.err;
  EXPECT_THAT(head.out, HasSubstr("\"start\""));
  EXPECT_THAT(head.err, IsEmpty());
  Child follower({.argv = asks(node, {"--follow"})});
  ASSERT_TRUE(eventually([&] { return follower.out().find("\"start\"") != std::string::npos; }));
  node.process().signal(SIGKILL);
  static_cast<void>(node.process().wait());
  const Ended cut = follower.wait(10s);
  EXPECT_EQ(cut.exit, 125) << cut.err;
  EXPECT_THAT(cut.err, HasSubstr("go on with --from 2 --run "));
  EXPECT_EQ(run({.argv = asks(node, {})}).exit, 125) << "nobody answers";
}

TEST_F(AStreamOfEvents, IsNotForATask) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const Item ask{"ask", {"exec", ambit_binary(), "events", "--socket", node.socket()}};
  Worker worker(scratch_, "worker", {{ask}});
  ScopeText permits{
      .name = "asks", .credentials = {}, .network = Lines{"{unix: \"" + node.socket() + "\"}"}};
  static_cast<void>(node.open(permits, worker.pid()));
  worker.turn(1);
  EXPECT_EQ(worker.of("ask").exit, 1) << worker.of("ask");
  EXPECT_THAT(worker.of("ask").out, Not(HasSubstr("seq")));
  EXPECT_EQ(node.stop().exit, 0);
}

}  // namespace
}  // namespace ambit::probe
