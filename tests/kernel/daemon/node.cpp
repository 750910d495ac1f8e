// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/daemon/node.h"

#include <signal.h>

#include <filesystem>

namespace ambit::probe {

namespace fs = std::filesystem;

Node::Node(const Scratch& scratch, const std::vector<CredentialText>& catalogue,
           const std::string& on_stop, const std::string& more)
    : scratch_(scratch),
      socket_(scratch.path("run/control.sock")),
      events_path_(scratch.path("node-events.ndjson")) {
  const std::string directory = scratch.directory("node-catalogue");
  for (const CredentialText& credential : catalogue) declare(credential);
  const char* const forced = std::getenv("AMBIT_BACKEND");
  config_ = scratch.write(
      "node.yaml",
      "apiVersion: ambit.dev/v1\nkind: Config\nmetadata: {name: test}\nspec:\n"
      "  socket: " +
          socket_ + "\n  events: " + events_path_ + "\n  catalogue: [" + directory +
          "]\n  onStop: " + on_stop + "\n" +
          (forced == nullptr ? std::string() : "  backend: " + std::string(forced) + "\n") + more);
  start();
}

Node::~Node() { static_cast<void>(release()); }

void Node::start_at_once() {
  process_ =
      std::make_unique<Child>(Command{.argv = {ambit_binary(), "daemon", "--config", config_}});
}

/// The socket of one that was killed is still there.
bool Node::has_said_ready() const {
  return process_->err().find(" ready socket=") != std::string::npos;
}

void Node::start() {
  start_at_once();
  ready_ = eventually([&] { return has_said_ready() || !process_->running(); }, 90s) &&
           process_->running();
}

std::string Node::pins() const {
  std::string name;
  for (const char letter : socket_)
    name += letter == '/' ? "+" : letter == '.' ? "%2e" : std::string(1, letter);
  return "/sys/fs/bpf/ambit" + name;
}

void Node::kill() {
  process_->signal(SIGKILL);
  static_cast<void>(process_->wait());
}

Ended Node::release() const {
  return run({.argv = {ambit_binary(), "release", "--all", "--config", config_}});
}

Ended Node::task(Words words) const {
  words.insert(words.begin(), {ambit_binary(), "task"});
  words.insert(words.end(), {"--socket", socket_, "--json"});
  return run({.argv = words});
}

Ended Node::reload() const {
  return run({.argv = {ambit_binary(), "reload", "--socket", socket_, "--json"}});
}

void Node::declare(const CredentialText& credential) const {
  scratch_.write("node-catalogue/" + credential.name + ".yaml", credential.yaml());
}

void Node::take_out(const std::string& credential) const {
  fs::remove(scratch_.path("node-catalogue/" + credential + ".yaml"));
}

Json Node::open(const ScopeText& scope, pid_t pid) const {
  const std::string file = scratch_.write("scope-" + scope.name + ".yaml", scope.yaml());
  const Ended ended = task({"open", "--scope", file, "--pid", std::to_string(pid)});
  EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
  return ended.exit == 0 ? Json::parse(ended.out, nullptr, false) : Json();
}

Json Node::show(const std::string& id) const {
  return Json::parse(task({"show", id}).out, nullptr, false);
}

std::vector<std::string> Node::ids() const {
  std::vector<std::string> out;
  const Json answer = Json::parse(task({"list"}).out, nullptr, false);
  if (!answer.is_object()) return out;
  for (const Json& task : answer.at("tasks")) out.push_back(text_at(task, "/id"));
  return out;
}

Ended Node::stop() {
  process_->signal(SIGTERM);
  return process_->wait(60s);
}

Worker::Worker(const Scratch& scratch, const std::string& name,
               const std::vector<std::vector<Item>>& turns, const Words& before)
    : scratch_(scratch), name_(name), turns_(turns.size()) {
  Json plan = Json::array();
  for (std::size_t n = 1; n <= turns.size(); ++n) {
    plan.push_back({{"name", "wait" + std::to_string(n)},
                    {"argv", {"handshake", file("ready", n), file("go", n)}}});
    for (const Item& item : turns[n - 1])
      plan.push_back({{"name", item.name}, {"argv", item.argv}});
  }
  plan.push_back({{"name", "last"},
                  {"argv", {"handshake", file("ready", turns_ + 1), file("go", turns_ + 1)}}});
  plan_ = scratch.write(name + "-plan.json", plan.dump());
  Words argv = act({"each", plan_});
  argv.insert(argv.begin(), before.begin(), before.end());
  process_ = std::make_unique<Child>(Command{.argv = argv});
  EXPECT_TRUE(eventually([&] { return fs::exists(file("ready", 1)); }, 30s)) << name;
}

std::string Worker::file(const char* what, std::size_t n) const {
  return scratch_.path(name_ + "-" + what + std::to_string(n));
}

void Worker::turn(std::size_t n) {
  scratch_.write(name_ + "-go" + std::to_string(n), "");
  EXPECT_TRUE(
      eventually([&] { return fs::exists(file("ready", n + 1)) || !process_->running(); }, 60s))
      << name_ << " turn " << n;
}

Done Worker::of(const std::string& item) const {
  const Outcomes all = read_outcomes(process_->out(), plan_);
  const auto found = all.find(item);
  return found == all.end() ? Done{} : found->second;
}

}  // namespace ambit::probe
