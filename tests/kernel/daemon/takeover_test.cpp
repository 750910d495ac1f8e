// SPDX-License-Identifier: Apache-2.0
// A daemon that dies, at any moment, and the one that goes on in its place; judged by what the
// processes of its tasks can do before, between and after, beside one that is in no task.
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include "tests/kernel/daemon/node.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ADaemonThatDied : public testing::Test {
 protected:
  [[nodiscard]] std::vector<CredentialText> catalogue() const {
    return {{.name = "mine", .files = {mine_}}, {.name = "theirs", .files = {theirs_}}};
  }
  [[nodiscard]] ScopeText scope(const std::string& name) const {
    return {.name = name,
            .credentials = {"{name: mine}"},
            .network = Lines{to_address("127.0.0.1", allowed_.port())}};
  }
  [[nodiscard]] std::vector<Item> tries(const std::string& turn) const {
    return {{"mine" + turn, {"open", mine_}},
            {"theirs" + turn, {"open", theirs_}},
            {"allowed" + turn, {"tcp", "127.0.0.1", allowed_.port_text(), "allowed" + turn + " "}},
            {"other" + turn, {"tcp", "127.0.0.1", other_.port_text(), "other" + turn + " "}}};
  }
  static void expect_bound(const Worker& worker, const std::string& turn) {
    for (const std::string item : {"mine", "allowed"})
      EXPECT_TRUE(worker.of(item + turn).done()) << item << turn << " " << worker.of(item + turn);
    for (const std::string item : {"theirs", "other"})
      EXPECT_TRUE(worker.of(item + turn).refused())
          << item << turn << " " << worker.of(item + turn);
  }
  static void expect_free(const Worker& worker, const std::string& turn) {
    for (const std::string item : {"mine", "theirs", "allowed", "other"})
      EXPECT_TRUE(worker.of(item + turn).done()) << item << turn << " " << worker.of(item + turn);
  }
  static void expect_in_order(const Events& events) {
    EXPECT_THAT(events.malformed, IsEmpty());
    std::uint64_t last = 0;
    for (const Json& event : events.all) {
      const auto seq = at(event, "/seq").get<std::uint64_t>();
      EXPECT_GT(seq, last) << event.dump();
      last = seq;
    }
  }
  /// One that was written as its daemon was killed is told again. Each daemon asks anew how the
  /// kernel's clock and the wall's lie: the same moment differs by some microseconds.
  static std::size_t moments(const std::vector<Json>& events) {
    std::vector<std::int64_t> times;
    for (const Json& event : events) times.push_back(microseconds_of(text_at(event, "/time")));
    std::ranges::sort(times);
    constexpr std::int64_t kSame = 1000;
    std::size_t count = times.empty() ? 0 : 1;
    for (std::size_t i = 1; i < times.size(); ++i) count += times[i] - times[i - 1] > kSame ? 1 : 0;
    return count;
  }
  /// Of its day, in 2026-11-27T06:25:54.861716332Z.
  static std::int64_t microseconds_of(const std::string& time) {
    const auto number = [&](std::size_t at, std::size_t size) {
      return std::int64_t{std::stol(time.substr(at, size))};
    };
    constexpr std::int64_t kMinute = 60;
    constexpr std::int64_t kMillion = 1000000;
    return ((number(11, 2) * kMinute + number(14, 2)) * kMinute + number(17, 2)) * kMillion +
           number(20, 6);
  }
  /// Where the documents of live tasks are.
  [[nodiscard]] std::vector<fs::path> documents() const {
    std::vector<fs::path> out;
    for (const fs::directory_entry& entry :
         fs::recursive_directory_iterator(scratch_.path("run/state")))
      if (entry.path().extension() == ".task") out.push_back(entry.path());
    return out;
  }

  Scratch scratch_;
  std::string mine_ = scratch_.secret("mine/secret");
  std::string theirs_ = scratch_.secret("theirs/secret");
  Collector allowed_ = Collector::tcp("127.0.0.1");
  Collector other_ = Collector::tcp("127.0.0.1");
};

TEST_F(ADaemonThatDied, LeavesItsTasksToTheNextOne) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2"), tries("3"), tries("4")});
  Worker outsider(scratch_, "outsider", {tries("1"), tries("2")});
  const Json before = node.open(scope("left"), worker.pid());
  const std::string id = text_at(before, "/id");
  worker.turn(1);
  expect_bound(worker, "1");
  node.kill();
  worker.turn(2);
  expect_bound(worker, "2");
  outsider.turn(1);
  expect_free(outsider, "1");

  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_THAT(node.ids(), ElementsAre(id));
  const Json after = node.show(id);
  for (const char* const same : {"/id", "/name", "/phase", "/expires", "/declared_by", "/limits",
                                 "/opened", "/scope_sha256"})
    EXPECT_EQ(at(before, same).dump(), at(after, same).dump()) << same;
  EXPECT_THAT(at(after, "/processes"), Contains(worker.pid())) << after;
  worker.turn(3);
  expect_bound(worker, "3");
  EXPECT_EQ(node.task({"close", id}).exit, 0);
  worker.turn(4);
  for (const std::string item : {"mine4", "theirs4", "allowed4", "other4"})
    EXPECT_TRUE(worker.of(item).refused()) << item << " " << worker.of(item);
  outsider.turn(2);
  expect_free(outsider, "2");
  worker.turn(5);
  EXPECT_EQ(worker.process().wait().exit, 0);
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 10s));
  EXPECT_THAT(documents(), IsEmpty());
  EXPECT_EQ(node.stop().exit, 0);
  const Events events = node.events();
  expect_in_order(events);
  EXPECT_EQ(moments(events.findings_about(identity_of(theirs_))), 4U) << summary(events.findings());
  EXPECT_EQ(moments(events.findings_about(identity_of(mine_))), 1U) << summary(events.findings());
  std::vector<Json> others = events.to_port(other_.port());
  std::erase_if(others, [](const Json& event) { return text_at(event, "/kind") != "connect"; });
  EXPECT_EQ(moments(others), 4U) << summary(events.all);
  for (const Json& finding : events.findings())
    EXPECT_EQ(text_at(finding, "/task/id"), id) << finding.dump();
  EXPECT_THAT(events.of_kind("loss"), IsEmpty());
}

TEST_F(ADaemonThatDied, AndOneThatKeepsItsTasksAreTheSameToTheNext) {
  Node node(scratch_, catalogue(), "keep");
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2")});
  const std::string id = text_at(node.open(scope("kept"), worker.pid()), "/id");
  EXPECT_EQ(node.stop().exit, 0);
  worker.turn(1);
  expect_bound(worker, "1");
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_THAT(node.ids(), ElementsAre(id));
  worker.turn(2);
  expect_bound(worker, "2");
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemonThatDied, DoesNotStopTheTimeOfItsTasks) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1"), tries("2"), tries("3")});
  ScopeText brief = scope("brief");
  brief.ttl = "6s";
  const std::string id = text_at(node.open(brief, worker.pid()), "/id");
  node.kill();
  worker.turn(1);
  expect_bound(worker, "1");
  sleep_for(7s);
  for (const std::string turn : {"2", "3"}) {
    worker.turn(static_cast<std::size_t>(std::stoul(turn)));
    for (const std::string item : {"mine", "theirs", "allowed", "other"})
      EXPECT_TRUE(worker.of(item + turn).refused()) << item << turn << worker.of(item + turn);
    if (turn == "3") break;
    node.start();
    ASSERT_TRUE(node.is_ready()) << node.process().err();
    EXPECT_EQ(text_at(node.show(id), "/phase"), "expired");
  }
  node.kill();
  node.start();
  EXPECT_EQ(text_at(node.show(id), "/phase"), "expired");
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_EQ(node.events().of_kind("task_expire").size(), 1U) << "told once";
}

TEST_F(ADaemonThatDied, MissesNoEndOfATask) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")});
  static_cast<void>(node.open(scope("ended"), worker.pid()));
  node.kill();
  worker.turn(1);
  expect_bound(worker, "1");
  worker.turn(2);
  EXPECT_EQ(worker.process().wait().exit, 0);
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 10s));
  EXPECT_THAT(documents(), IsEmpty());
  EXPECT_EQ(node.stop().exit, 0);
  const Events events = node.events();
  const std::vector<Json> closed = events.of_kind("task_close");
  ASSERT_EQ(closed.size(), 1U) << summary(events.all);
  EXPECT_EQ(text_at(closed.front(), "/details/reason"), "ended");
  EXPECT_EQ(moments(events.findings_about(identity_of(theirs_))), 1U) << summary(events.findings());
}

TEST_F(ADaemonThatDied, IsReplacedByOneAtATime) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const Ended second = run({.argv = {ambit_binary(), "daemon", "--config", node.config()}});
  EXPECT_EQ(second.exit, 125) << second.err;
  EXPECT_THAT(second.err, HasSubstr("another daemon"));
  EXPECT_TRUE(node.ids().empty());
  EXPECT_EQ(node.stop().exit, 0);
  EXPECT_FALSE(fs::exists(node.pins() + "/live")) << "nothing is left where nothing is kept";
}

/// A process of a task that tries for a forbidden file all the time.
struct Load {
  std::atomic<std::uint64_t> tried;
  std::atomic<std::uint64_t> got;
  std::atomic<bool> stop;
};

TEST_F(ADaemonThatDied, LosesNoMembershipNoDecisionAndNoFindingAtAnyMoment) {
  const char* const wanted = std::getenv("AMBIT_KILLS");
  const int kills = wanted == nullptr ? 8 : std::atoi(wanted);
  auto* const load =
      new (::mmap(nullptr, sizeof(Load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
          Load{};
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (::access(scratch_.path("go").c_str(), F_OK) != 0) ::usleep(1000);
    while (!load->stop.load()) {
      // Whether by itself or by a child: that the children are members is tried as well.
      const bool child = load->tried.load() % 16 == 0;
      const pid_t other = child ? ::fork() : 0;
      if (other == 0) {
        ++load->tried;
        const Descriptor file(::open(theirs_.c_str(), O_RDONLY | O_CLOEXEC));
        if (file.valid()) ++load->got;
        if (child) ::_exit(0);
      } else {
        ::waitpid(other, nullptr, 0);
      }
      ::usleep(2000);
    }
    ::_exit(0);
  }
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const std::string id = text_at(node.open(scope("stormed"), pid), "/id");
  ASSERT_NE(id, "");
  scratch_.write("go", "");
  std::mt19937 random(std::random_device{}());
  const auto began = std::chrono::steady_clock::now();
  for (int kill = 0; kill < kills; ++kill) {
    // Half of them before the daemon is ready, at any point of its start.
    if (kill % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return node.has_said_ready(); }, 90s));
    }
    sleep_for(std::chrono::milliseconds(random() % 700));
    node.kill();
    node.start_at_once();
  }
  ASSERT_TRUE(eventually([&] { return node.has_said_ready(); }, 90s)) << node.process().err();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  EXPECT_THAT(node.ids(), ElementsAre(id));
  load->stop = true;
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return node.ids().empty(); }, 20s));
  EXPECT_EQ(node.stop().exit, 0);
  Events events = node.events();
  // A line may be cut where its daemon was killed; what it told is told whole by the next.
  EXPECT_LE(events.malformed.size(), static_cast<std::size_t>(kills));
  const std::size_t cut = std::exchange(events.malformed, {}).size();
  expect_in_order(events);
  EXPECT_GT(load->tried.load(), static_cast<std::uint64_t>(kills));
  EXPECT_EQ(load->got.load(), 0U) << "of " << load->tried.load();
  const auto findings = events.findings_about(identity_of(theirs_));
  std::cout << kills << " kills in " << took.count() << " ms; " << load->tried.load() << " tries, "
            << load->got.load() << " got through, " << moments(findings) << " told, "
            << findings.size() - moments(findings) << " of them again, " << cut << " lines cut, "
            << events.of_kind("loss").size() << " losses\n";
  EXPECT_EQ(moments(findings), load->tried.load());
  EXPECT_LE(findings.size() - moments(findings), load->tried.load() / 10);
  EXPECT_THAT(events.of_kind("loss"), IsEmpty()) << summary(events.of_kind("loss"));
  ::munmap(load, sizeof(Load));
}

TEST_F(ADaemonThatDied, IsReleasedWithEverythingThatItLeft) {
  for (const bool alive : {true, false}) {
    SCOPED_TRACE(alive);
    Node node(scratch_, catalogue(), "keep");
    ASSERT_TRUE(node.is_ready()) << node.process().err();
    const std::string name = alive ? "alive" : "dead";
    Worker worker(scratch_, name, {tries("1"), tries("2")});
    static_cast<void>(node.open(scope(name), worker.pid()));
    worker.turn(1);
    expect_bound(worker, "1");
    if (!alive) node.kill();
    const Ended released = node.release();
    EXPECT_EQ(released.exit, 0) << released.err;
    EXPECT_THAT(released.out, HasSubstr("let "));
    EXPECT_EQ(released.out.find("killed the daemon") != std::string::npos, alive) << released.out;
    worker.turn(2);
    expect_free(worker, "2");
    EXPECT_FALSE(fs::exists(node.pins()));
    EXPECT_THAT(documents(), IsEmpty());
    const Ended again = node.release();
    EXPECT_EQ(again.exit, 0) << again.err;
    EXPECT_EQ(again.out, "nothing was there\n");
    EXPECT_TRUE(eventually([] { return ambit_processes().empty(); }, 10s)) << "holders are left";
    worker.turn(3);
    EXPECT_EQ(worker.process().wait().exit, 0);
  }
}

/// The first word of what stands beside the pins, as another version would have it.
void pretend_version(const std::string& pins, std::uint32_t version) {
  const std::string path = pins + "/live/map_about";
  bpf_attr wanted{};
  wanted.pathname = reinterpret_cast<std::uint64_t>(path.c_str());
  const Descriptor map(static_cast<int>(::syscall(SYS_bpf, BPF_OBJ_GET, &wanted, sizeof wanted)));
  ASSERT_TRUE(map.valid()) << path;
  std::vector<std::uint32_t> value(65536);
  const std::uint32_t key = 0;
  bpf_attr element{};
  element.map_fd = static_cast<std::uint32_t>(map.get());
  element.key = reinterpret_cast<std::uint64_t>(&key);
  element.value = reinterpret_cast<std::uint64_t>(value.data());
  ASSERT_EQ(::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &element, sizeof element), 0);
  value.front() = version;
  ASSERT_EQ(::syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &element, sizeof element), 0);
}

TEST_F(ADaemonThatDied, IsNotTakenOverByAnotherVersionWhileItsTasksRun) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker worker(scratch_, "worker", {tries("1")});
  static_cast<void>(node.open(scope("old"), worker.pid()));
  node.kill();
  pretend_version(node.pins(), 4711);
  node.start();
  EXPECT_FALSE(node.is_ready());
  EXPECT_THAT(node.process().err(), HasSubstr("ABI 4711"));
  EXPECT_THAT(node.process().err(), HasSubstr("ambit release --all"));
  worker.turn(1);
  expect_bound(worker, "1");
  worker.turn(2);
  EXPECT_EQ(worker.process().wait().exit, 0);
  node.start();
  ASSERT_TRUE(node.is_ready()) << "nobody is bound by the old ones: " << node.process().err();
  Worker next(scratch_, "next", {tries("1")});
  static_cast<void>(node.open(scope("new"), next.pid()));
  next.turn(1);
  expect_bound(next, "1");
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemonThatDied, IsFollowedByOneThatBelievesNoDocumentThatIsNotWhole) {
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker spoilt(scratch_, "spoilt", {tries("1"), tries("2")});
  Worker other(scratch_, "other", {tries("1")});
  const std::string id = text_at(node.open(scope("spoilt"), spoilt.pid()), "/id");
  const std::string kept = text_at(node.open(scope("other"), other.pid()), "/id");
  node.kill();
  for (const fs::path& document : documents())
    if (document.stem() == id) fs::resize_file(document, fs::file_size(document) / 2);
  std::ofstream(documents().front().parent_path() / "XX.task") << R"({"v":1,"id":7})";
  spoilt.turn(1);
  expect_bound(spoilt, "1");
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_THAT(node.ids(), ElementsAre(kept));
  EXPECT_THAT(node.process().err(), HasSubstr("cannot be taken over and is revoked"));
  spoilt.turn(2);
  for (const std::string item : {"mine2", "theirs2", "allowed2", "other2"})
    EXPECT_TRUE(spoilt.of(item).refused()) << item << " " << spoilt.of(item);
  other.turn(1);
  expect_bound(other, "1");
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemonThatDied, LeavesNothingThatATaskOfRootCanTakeAway) {
  if (on_portable()) GTEST_SKIP() << "portable has no hook that sees a pin or a document";
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  const std::string link = node.pins() + "/live/map_members";
  const auto attempts = [&](const std::string& turn, const std::string& document) {
    return std::vector<Item>{
        {"get" + turn, {"bpf-get", link}},
        {"move" + turn, {"rename-to", node.pins() + "/live", node.pins() + "/moved"}},
        {"remove" + turn, {"remove", link}},
        {"cover" + turn, {"mount-over", node.pins()}},
        {"unmount" + turn, {"unmount", "/sys/fs/bpf"}},
        {"rewrite" + turn, {"open-to-truncate", document}},
        {"document" + turn, {"remove", document}}};
  };
  // The control: another process of root's may, on pins and files of its own.
  Worker outsider(scratch_, "outsider", {{{"get", {"bpf-get", link}}}});
  outsider.turn(1);
  EXPECT_TRUE(outsider.of("get").done()) << outsider.of("get");
  Worker first(scratch_, "first", {tries("1")});
  static_cast<void>(node.open(scope("first"), first.pid()));
  ASSERT_EQ(documents().size(), 1U);
  Worker second(scratch_, "second", {attempts("", documents().front())});
  ScopeText powerful = scope("second");
  powerful.privileges = {"bpf", "mounts", "host_settings"};
  static_cast<void>(node.open(powerful, second.pid()));
  second.turn(1);
  for (const std::string item :
       {"get", "move", "remove", "cover", "unmount", "rewrite", "document"})
    EXPECT_TRUE(second.of(item).refused()) << item << " " << second.of(item);
  node.kill();
  first.turn(1);
  expect_bound(first, "1");
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_EQ(node.ids().size(), 2U);
  EXPECT_EQ(node.stop().exit, 0);
}

TEST_F(ADaemonThatDied, IsFollowedByOneThatBelievesNoDocumentThatATaskMade) {
  if (on_portable()) GTEST_SKIP() << "portable cannot tell which documents are its own";
  Node node(scratch_, catalogue());
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  Worker first(scratch_, "first", {tries("1"), tries("2")});
  const std::string id = text_at(node.open(scope("first"), first.pid()), "/id");
  ASSERT_EQ(documents().size(), 1U);
  const fs::path real = documents().front();
  std::ifstream text(real);
  Json record = Json::parse(text);
  record["id"] = "01FORGED";
  record["slot"] = 9999;  // it has ended: its tables, which are another's, would go
  const std::string forged = scratch_.write("forged", record.dump());
  fs::permissions(forged, fs::perms::owner_read | fs::perms::owner_write);
  Worker forger(scratch_, "forger",
                {{{"put", {"rename-to", forged, real.parent_path() / "01FORGED.task"}}}});
  static_cast<void>(node.open(scope("forger"), forger.pid()));
  forger.turn(1);
  EXPECT_TRUE(forger.of("put").done()) << forger.of("put");
  node.kill();
  node.start();
  ASSERT_TRUE(node.is_ready()) << node.process().err();
  EXPECT_THAT(node.process().err(), HasSubstr("was not made by Ambit"));
  EXPECT_THAT(node.ids(), Not(Contains("01FORGED")));
  EXPECT_THAT(node.ids(), Contains(id));
  first.turn(1);
  expect_bound(first, "1");
  sleep_for(1s);
  first.turn(2);
  expect_bound(first, "2");
  EXPECT_EQ(node.stop().exit, 0);
}

}  // namespace
}  // namespace ambit::probe
