// SPDX-License-Identifier: Apache-2.0
// Not one false denial: a coding agent's day (day.sh) in a scope that allows it is the day that it
// is without a task, and no finding is written.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/fixture/collector.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

const std::string kHere = AMBIT_DAY_DIRECTORY;
// Itself, and not `git daemon`, which starts it and would leave it behind.
constexpr const char* kGitDaemon = "/usr/lib/git-core/git-daemon";

class ADay : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* const program : {kGitDaemon, "/usr/bin/npm", "/usr/bin/gcc"})
      if (!fs::exists(program)) GTEST_SKIP() << program << " is not here";
    ASSERT_EQ(run({.argv = {"/bin/sh", "-ec", seed(), "seed", scratch_.directory("served")}}).exit,
              0);
    git_ = std::make_unique<Child>(
        Command{.argv = {kGitDaemon, "--reuseaddr", "--export-all", "--enable=receive-pack",
                         "--base-path=" + scratch_.path("served"), "--listen=127.0.0.1",
                         "--port=" + std::to_string(git_port_)}});
    const std::string port = scratch_.path("port");
    registry_ = std::make_unique<Child>(Command{.argv = {kHere + "/registry.py", port}});
    ASSERT_TRUE(eventually([&] { return !content_of(port).empty(); }, 60s)) << registry_->err();
    registry_port_ = std::stoi(content_of(port));
  }

  void TearDown() override {
    for (Child* const server : {git_.get(), registry_.get()})
      if (server != nullptr) server->signal(SIGTERM);
  }

  /// A repository with one commit, which takes pushes.
  static std::string seed() {
    return R"(export HOME="$1"; cd "$1"; git init -q --bare repo.git
      git -C repo.git symbolic-ref HEAD refs/heads/main; git init -q -b main first; cd first
      git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
      git push -q ../repo.git HEAD:main)";
  }

  Words command(const std::string& directory, const std::string& branch) {
    return {kHere + "/day.sh", directory,
            "git://127.0.0.1:" + std::to_string(git_port_) + "/repo.git",
            "http://127.0.0.1:" + std::to_string(registry_port_) + "/", branch};
  }

  static std::vector<std::string> log_of(const std::string& directory) {
    std::vector<std::string> lines;
    std::ifstream log(directory + "/log");
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }

  Scratch scratch_;
  std::unique_ptr<Child> git_;
  std::unique_ptr<Child> registry_;
  int git_port_ = Collector::tcp("127.0.0.1").port();  // free a moment ago
  int registry_port_ = 0;
};

TEST_F(ADay, OfACodingAgentGoesAsWithoutATaskAndGivesNoFinding) {
  const std::string alone = scratch_.directory("alone");
  const std::string bound = scratch_.directory("bound");
  ASSERT_EQ(Child({.argv = command(alone, "alone")}).wait(600s).exit, 0);

  const std::string registry = to_address("127.0.0.1", registry_port_);
  Lines programs{"/usr/**", "/bin/**", "/lib/**", "/lib64/**", kHere + "/day.sh", bound + "/**"};
  // Where this machine's python and others stand.
  for (const char* const place : {"/root/.pyenv/**", "/opt/**"}) programs.emplace_back(place);
  const Task task{
      .scope = {.name = "day",
                .ttl = "30m",
                .credentials = {"{name: npm, holding: process, destinations: [" + registry + "]}"},
                .network = Lines{registry, to_address("127.0.0.1", git_port_)},
                .exec = programs},
      .command = command(bound, "bound"),
      .limit = 600s};
  const TaskRun day = run_ambit(scratch_, task);
  EXPECT_EQ(day.ended.exit, 0) << day.ended.err;
  EXPECT_EQ(day.events.findings().size(), 0U) << summary(day.events.findings());

  const std::vector<std::string> expected = log_of(alone);
  const std::vector<std::string> done = log_of(bound);
  const auto [other, same] = std::ranges::mismatch(done, expected);
  EXPECT_TRUE(done == expected) << done.size() << " commands and " << expected.size()
                                << " without a task; first other one: "
                                << (other == done.end() ? "none" : *other) << ", "
                                << (same == expected.end() ? "none" : *same);
  std::set<std::string> names;
  for (const std::string& line : done) names.insert(line.substr(0, line.find(' ')));
  EXPECT_GE(done.size(), 2000U);
  EXPECT_GE(names.size(), 200U);
  const auto failed =
      std::ranges::count_if(done, [](const std::string& line) { return !line.ends_with(" 0"); });
  EXPECT_LT(failed * 20, std::ssize(done)) << "what fails everywhere shows nothing";
  std::printf("a day: %zu commands of %zu programs, %zu events\n", done.size(), names.size(),
              day.events.all.size());
}

}  // namespace
}  // namespace ambit::probe
