// SPDX-License-Identifier: Apache-2.0
// Tasks of processes that run already, opened and closed by the daemon of the node; judged by what
// the processes can do, beside one that is in no task.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ADaemon : public TwoCredentials {
 protected:
  [[nodiscard]] ScopeText scope(const std::string& name, const std::string& credential,
                                int port) const {
    return {.name = name,
            .credentials = {"{name: " + credential + "}"},
            .network = Lines{to_address("127.0.0.1", port)}};
  }
  [[nodiscard]] std::vector<Item> tries(const std::string& turn) const {
    return {{"mine" + turn, {"open", mine_}},
            {"theirs" + turn, {"open", theirs_}},
            {"plain" + turn, {"open", "/etc/hostname"}},
            {"allowed" + turn, {"tcp", "127.0.0.1", allowed_.port_text(), "allowed" + turn + " "}},
            {"other" + turn, {"tcp", "127.0.0.1", other_.port_text(), "other" + turn + " "}}};
  }
  static void expect_free(const Worker& worker, const std::string& turn) {
    for (const std::string item : {"mine", "theirs", "plain", "allowed", "other"})
      EXPECT_TRUE(worker.of(item + turn).done()) << item << turn << " " << worker.of(item + turn);
  }

  Collector allowed_ = Collector::tcp("127.0.0.1");
  Collector other_ = Collector::tcp("127.0.0.1");
};

TEST_F(ADaemon, BindsAProcessThatRunsFromOpenToCloseAndNobodyElse) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2"), tries("3")});
  Worker outsider(scratch_, "outsider", {tries("1"), tries("2"), tries("3")});
  worker.turn(1);
  expect_free(worker, "1");

  const Json task = node.open(scope("bound", "mine", allowed_.port()), worker.pid());
  const std::string id = text_at(task, "/id");
  ASSERT_NE(id, "");
  EXPECT_EQ(text_at(task, "/phase"), "live");
  EXPECT_THAT(at(task, "/processes").dump(), HasSubstr(std::to_string(worker.pid())));
  EXPECT_EQ(at(task, "/limits").size() > 3, on_portable()) << task.dump(1);
  worker.turn(2);
  outsider.turn(1);
  EXPECT_TRUE(worker.of("mine2").done()) << worker.of("mine2");
  EXPECT_EQ(worker.of("mine2").out, content_of(mine_));
  EXPECT_TRUE(worker.of("theirs2").refused()) << worker.of("theirs2");
  EXPECT_EQ(worker.of("theirs2").out, "");
  EXPECT_TRUE(worker.of("plain2").done()) << worker.of("plain2");
  EXPECT_TRUE(worker.of("allowed2").done()) << worker.of("allowed2");
  EXPECT_TRUE(worker.of("other2").refused()) << worker.of("other2");
  expect_free(outsider, "1");

  const Ended closed = node.task({"close", id});
  EXPECT_EQ(closed.exit, 0) << closed.err;
  worker.turn(3);
  outsider.turn(2);
  for (const std::string item : {"mine3", "theirs3", "allowed3", "other3"})
    EXPECT_TRUE(worker.of(item).refused()) << item << " " << worker.of(item);
  EXPECT_TRUE(worker.of("plain3").done()) << worker.of("plain3");
  expect_free(outsider, "2");
  EXPECT_THAT(allowed_.received(), HasSubstr("allowed2 "));
  EXPECT_EQ(text_at(node.show(id), "/phase"), "closed");

  worker.turn(4);
  EXPECT_EQ(worker.process().wait().exit, 0);
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 10s)) << "the task outlives it";
  EXPECT_EQ(node.stop().exit, 0);
  outsider.turn(3);
  expect_free(outsider, "3");
  const Events events = node.events();
  EXPECT_EQ(events.of_kind("task_open").size(), 1U);
  EXPECT_EQ(events.of_kind("task_close").size(), 1U) << summary(events.all);
  EXPECT_THAT(events.malformed, IsEmpty());
  EXPECT_EQ(events.findings_about(identity_of(theirs_)).size(), 2U) << summary(events.findings());
  for (const Json& finding : events.findings())
    EXPECT_EQ(text_at(finding, "/task/name"), "bound") << finding.dump();
  EXPECT_THAT(events.of_kind("loss"), IsEmpty());
}

TEST_F(ADaemon, HoldsEachOfSeveralTasksToItsOwnScope) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker first(scratch_, "first", {tries("1"), tries("2")});
  Worker second(scratch_, "second", {tries("1"), tries("2")});
  const Json one = node.open(scope("first", "mine", allowed_.port()), first.pid());
  const Json two = node.open(scope("second", "theirs", other_.port()), second.pid());
  first.turn(1);
  second.turn(1);
  for (const std::string item : {"mine1", "allowed1"}) {
    EXPECT_TRUE(first.of(item).done()) << item << first.of(item);
    EXPECT_TRUE(second.of(item).refused()) << item << second.of(item);
  }
  for (const std::string item : {"theirs1", "other1"}) {
    EXPECT_TRUE(first.of(item).refused()) << item << first.of(item);
    EXPECT_TRUE(second.of(item).done()) << item << second.of(item);
  }
  EXPECT_THAT(node.ids(), ElementsAre(text_at(one, "/id"), text_at(two, "/id")));
  EXPECT_EQ(node.task({"close", text_at(one, "/id")}).exit, 0);
  first.turn(2);
  second.turn(2);
  EXPECT_TRUE(first.of("mine2").refused()) << first.of("mine2");
  EXPECT_TRUE(second.of("theirs2").done()) << "another's end is not its own";
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemon, EndsATaskWithItsLastProcessAndSaysSo) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")});
  const Json task = node.open(scope("short", "mine", allowed_.port()), worker.pid());
  EXPECT_THAT(node.ids(), ElementsAre(text_at(task, "/id")));
  worker.turn(1);
  worker.turn(2);
  EXPECT_EQ(worker.process().wait().exit, 0);
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 10s));
  EXPECT_EQ(node.task({"show", text_at(task, "/id")}).exit, 1);
  EXPECT_EQ(node.stop().exit, 0);
  const std::vector<Json> closed = node.events().of_kind("task_close");
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(text_at(closed.front(), "/details/reason"), "ended") << closed.front().dump();
}

TEST_F(ADaemon, ItsTasksExpire) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2")});
  ScopeText brief = scope("brief", "mine", allowed_.port());
  brief.ttl = "4s";
  const Json task = node.open(brief, worker.pid());
  worker.turn(1);
  EXPECT_TRUE(worker.of("mine1").done()) << worker.of("mine1");
  EXPECT_TRUE(eventually(
      [&] { return text_at(node.show(text_at(task, "/id")), "/phase") == "expired"; }, 10s));
  worker.turn(2);
  EXPECT_TRUE(worker.of("mine2").refused()) << worker.of("mine2");
  EXPECT_TRUE(worker.of("allowed2").refused()) << worker.of("allowed2");
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_EQ(node.events().of_kind("task_expire").size(), 1U);
}

TEST_F(ADaemon, BindsEveryThreadOfAProcess) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const std::string go = scratch_.path("go");
  const pid_t pid = ::fork();
  if (pid == 0) {
    // The first thread waits for ever; the other one was there before the task.
    std::thread([&] {
      while (::access(go.c_str(), F_OK) != 0) ::usleep(1000);
      const Descriptor own(::open(mine_.c_str(), O_RDONLY | O_CLOEXEC));
      const Descriptor others(::open(theirs_.c_str(), O_RDONLY | O_CLOEXEC));
      ::_exit(own.valid() && !others.valid() && errno == EPERM ? 7 : 8);
    }).join();
  }
  ASSERT_TRUE(eventually([&] {
    return std::distance(
               std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"), {}) ==
           2;
  }));
  const std::string file =
      scratch_.write("threads.yaml", scope("threads", "mine", allowed_.port()).yaml());
  const Ended opened = node.task({"open", "--scope", file, "--pid", std::to_string(pid)});
  scratch_.write("go", "");
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (opened.exit != 0) {
    EXPECT_THAT(opened.out, HasSubstr("before 6.9")) << "refused, and said why";
  } else {
    EXPECT_EQ(WEXITSTATUS(status), 7);
  }
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemon, BindsWhatTheProcessHasStartedBefore) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")}, {"/bin/sh", "-c", "\"$@\"; true", "sh"});
  const Json task = node.open(scope("tree", "mine", allowed_.port()), worker.pid());
  EXPECT_GE(at(task, "/processes").size(), 3U) << "the shell, its child and a child of that";
  worker.turn(1);
  EXPECT_TRUE(worker.of("mine1").done()) << worker.of("mine1");
  EXPECT_TRUE(worker.of("theirs1").refused()) << worker.of("theirs1");
  EXPECT_TRUE(worker.of("other1").refused()) << worker.of("other1");
  worker.turn(2);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemon, KillsWithItsTaskWhenItIsToldTo) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")});
  const Json task = node.open(scope("killed", "mine", allowed_.port()), worker.pid());
  const Ended closed = node.task({"close", text_at(task, "/id"), "--kill"});
  EXPECT_EQ(closed.exit, 0) << closed.err;
  EXPECT_EQ(worker.process().wait(5s).signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 10s));
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemon, LetsGoOfItsTasksWhenItStopsUnlessItIsToKeepThem) {
  for (const std::string on_stop : {"release", "keep"}) {
    SCOPED_TRACE(on_stop);
    Node node(scratch_, catalogue(), on_stop);
    ASSERT_TRUE(node.is_ready()) << node.process().err();
    Worker worker(scratch_, on_stop, {tries("1"), tries("2")});
    static_cast<void>(node.open(scope(on_stop, "mine", allowed_.port()), worker.pid()));
    worker.turn(1);
    EXPECT_TRUE(worker.of("theirs1").refused()) << worker.of("theirs1");
    EXPECT_EQ(node.stop().exit, 0);
    worker.turn(2);
    if (on_stop == "release")
      expect_free(worker, "2");
    else
      EXPECT_TRUE(worker.of("theirs2").refused()) << worker.of("theirs2");
    EXPECT_TRUE(worker.of("mine2").done()) << worker.of("mine2");
    worker.turn(3);
    EXPECT_EQ(worker.process().wait().exit, 0);
  }
}

TEST_F(ADaemon, LeavesItsTasksBoundWhenItIsKilled) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2")});
  static_cast<void>(node.open(scope("orphan", "mine", allowed_.port()), worker.pid()));
  worker.turn(1);
  EXPECT_TRUE(worker.of("theirs1").refused()) << worker.of("theirs1");
  node.process().signal(SIGKILL);
  static_cast<void>(node.process().wait());
  sleep_for(1500ms);
  worker.turn(2);
  EXPECT_TRUE(worker.of("mine2").done()) << worker.of("mine2");
  EXPECT_TRUE(worker.of("theirs2").refused()) << worker.of("theirs2");
  EXPECT_TRUE(worker.of("other2").refused()) << worker.of("other2");
}

TEST_F(ADaemon, RefusesProcessesThatCannotBeBound) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const std::string file =
      scratch_.write("refused.yaml", scope("refused", "mine", allowed_.port()).yaml());
  const auto open = [&](pid_t pid) {
    return node.task({"open", "--scope", file, "--pid", std::to_string(pid)});
  };
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(ended), &info, WEXITED | WNOWAIT);
  EXPECT_THAT(open(ended).out, HasSubstr("no_such_process")) << "a zombie";
  ::waitpid(ended, nullptr, 0);
  EXPECT_THAT(open(ended).out, HasSubstr("no_such_process"));
  EXPECT_THAT(open(2).out, HasSubstr("process_refused")) << "a kernel thread";
  EXPECT_THAT(open(1).out, HasSubstr("process_refused")) << "what the daemon runs below";
  EXPECT_THAT(open(node.process().pid()).out, HasSubstr("process_refused"));
  Worker worker(scratch_, "worker", {{}});
  EXPECT_EQ(open(worker.pid()).exit, 0);
  EXPECT_THAT(open(worker.pid()).out, HasSubstr("process_in_task"));
  EXPECT_EQ(node.ids().size(), 1U);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemon, HearsNobodyFromInsideATask) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const Item ask{"ask",
                 {"exec", ambit_binary(), "task", "list", "--json", "--socket", node.socket()}};
  Worker outside(scratch_, "outside", {{ask}});
  outside.turn(1);
  EXPECT_TRUE(outside.of("ask").done()) << outside.of("ask");
  Worker worker(scratch_, "worker", {{ask}});
  // Its network section allows the socket: the daemon itself has to refuse.
  ScopeText permits{
      .name = "asks", .credentials = {}, .network = Lines{"{unix: \"" + node.socket() + "\"}"}};
  static_cast<void>(node.open(permits, worker.pid()));
  worker.turn(1);
  EXPECT_EQ(worker.of("ask").exit, 1) << worker.of("ask");
  EXPECT_THAT(worker.of("ask").out, HasSubstr("\"in_task\""));
  EXPECT_EQ(node.stop().exit, 0);
}

}  // namespace
}  // namespace ambit::probe
