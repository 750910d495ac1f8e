// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/native.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/sink/sample_event.h"
#include "userspace/base/utf8.h"
#include "userspace/model/make_event.h"

namespace {

using namespace ambit::model;
using ambit::sink::to_json;
using Json = nlohmann::ordered_json;
using testing::ElementsAre;
namespace sample = ambit::sink::sample;

Json parsed(const Event& event) { return Json::parse(to_json(event, "node-7")); }

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.push_back(name);
  }
  return names;
}

TEST(NativeForm, IsWordForWordWhatTheDesignShows) {
  EXPECT_EQ(
      to_json(sample::file_finding(), "node-7"),
      R"({"v":1,"id":"01ARYZ6S410000000000000000","seq":1042,"time":"2026-11-20T14:03:07.123456789Z","host":"node-7","kind":"file_open","finding":true,"severity":"high",)"
      R"("verdict":{"scope":"outside","reason":"credential_not_in_scope","rule":"/spec/credentials","mode":"enforce","requested":"kill","effective":"killed","backend":"lsm"},)"
      R"("task":{"id":"01ARYZ6S410000000000000001","name":"triage-4711","agent":"spiffe://corp.example/agent/triage","on_behalf_of":"alice@corp.example","owner":"team-support","context":{"ticket":"INC-4711"},"parent":null,"expires":"2026-11-20T14:03:07.000000000Z","scope_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","declared_by":"uid:0"},)"
      R"("process":{"pid":4242,"tid":4243,"start":"2026-11-20T14:03:06.000000001Z","uid":1000,"exe":"/usr/bin/cat","argv":["cat","/home/a/.aws/credentials"],"cwd":"/work","parents":[{"pid":4200,"exe":"/usr/bin/node"}]},)"
      R"("container":{"id":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"},)"
      R"("file":{"path":"/home/a/.aws/credentials","dev":"254:0","ino":131,"flags":["read"]},)"
      R"("credential":{"name":"aws-shared-config","authority":null,"held":["github-cli"]},)"
      R"("evidence":[1017],)"
      R"("references":{"attack":["T1552.001"],"owasp_agentic":["ASI03"],"nhi":["NHI2:2025","NHI5:2025"]}})");
}

TEST(NativeForm, LeavesOutWhatDoesNotApply) {
  Event event;
  event.kind = Kind::task_expire;
  EXPECT_THAT(keys(parsed(event)),
              ElementsAre("v", "id", "seq", "time", "host", "kind", "finding", "severity"));
}

TEST(NativeForm, SaysNullWhereAFieldAppliesAndHasNoValue) {
  Event event = sample::file_finding();
  event.finding = false;
  event.verdict = Verdict{};
  event.process = Process{};
  event.file = File{};
  auto task = std::make_shared<Task>();
  event.task = task;
  const Json out = parsed(event);
  for (const char* name : {"reason", "rule", "requested", "backend"}) {
    EXPECT_TRUE(out.at("verdict").at(name).is_null()) << name;
  }
  EXPECT_EQ(out.at("verdict").at("effective"), "allowed");
  for (const char* name :
       {"on_behalf_of", "owner", "parent", "expires", "scope_sha256", "declared_by"}) {
    EXPECT_TRUE(out.at("task").at(name).is_null()) << name;
  }
  for (const char* name : {"start", "exe", "argv", "cwd"}) {
    EXPECT_TRUE(out.at("process").at(name).is_null()) << name;
  }
  for (const char* name : {"path", "dev", "ino"}) {
    EXPECT_TRUE(out.at("file").at(name).is_null()) << name;
  }
  EXPECT_FALSE(out.contains("references")) << "on findings only";
  EXPECT_FALSE(out.contains("evidence"));
}

TEST(NativeForm, NamesTheWholeChainOfATaskThatWasDelegated) {
  Event event = sample::file_finding();
  auto task = std::make_shared<Task>();
  task->parent = "02";
  task->chain = {{.id = "01", .name = "root", .agent = "a", .on_behalf_of = "alice"},
                 {.id = "02", .name = "middle", .agent = "b", .on_behalf_of = {}}};
  event.task = task;
  EXPECT_EQ(parsed(event).at("task").at("parent"), "02");
  EXPECT_EQ(
      parsed(event).at("task").at("chain").dump(),
      R"([{"id":"01","name":"root","agent":"a","on_behalf_of":"alice"},{"id":"02","name":"middle","agent":"b","on_behalf_of":null}])");
}

TEST(NativeForm, NamesDestinationsByWhatTheyAre) {
  Event event = sample::connect_finding();
  EXPECT_EQ(parsed(event).at("destination").dump(),
            R"({"ip":"203.0.113.9","port":443,"protocol":"tcp","name":null})");
  event.destination->protocol = "icmp";
  event.destination->port = 0;
  EXPECT_TRUE(parsed(event).at("destination").at("port").is_null()) << "it has no ports";
  event.destination = Destination{
      .ip = "", .port = {}, .protocol = "unix", .name = {}, .unix_path = "@bus", .family = {}};
  EXPECT_EQ(parsed(event).at("destination").dump(), R"({"protocol":"unix","unix":"@bus"})");
  event.destination = Destination{
      .ip = "", .port = {}, .protocol = "family-17", .name = {}, .unix_path = "", .family = 17};
  EXPECT_EQ(parsed(event).at("destination").dump(), R"({"protocol":"family-17","family":17})");
}

TEST(NativeForm, NamesAllCredentialsWhenThereAreSeveral) {
  Event event = sample::connect_finding();
  event.credential->names = {"a", "b"};
  event.credential->authority = Authority::delegated;
  EXPECT_EQ(parsed(event).at("credential").dump(),
            R"({"name":"a","names":["a","b"],"authority":"delegated","held":["github-cli"]})");
}

TEST(NativeForm, SpellsKillTaskWithAHyphenOnlyWhereItIsRequested) {
  Event event = sample::file_finding();
  event.verdict->requested = Response::kill_task;
  event.verdict->effective = Effect::task_killed;
  const Json out = parsed(event);
  EXPECT_EQ(out.at("verdict").at("requested"), "kill-task");
  EXPECT_EQ(out.at("verdict").at("effective"), "task_killed");
}

TEST(NativeForm, TellsTheVersionsOfTheListsOnceInStart) {
  const Json start = parsed(make_start({}, {{"version", "0.1.0"}}));
  EXPECT_EQ(start.at("references").at("versions").at("attack"), "19");
  EXPECT_EQ(start.at("references").at("versions").at("nhi"), "2025");
  EXPECT_EQ(start.at("details").at("version"), "0.1.0");
  EXPECT_FALSE(parsed(sample::file_finding()).at("references").contains("versions"));
}

TEST(NativeForm, NamesTheRingOfALossOnlyWhenItHasOne) {
  const Json full = parsed(make_loss(
      {},
      {.ring = Ring::observations, .cause = LossCause::ring_full, .count = 812, .since_ns = 1}));
  EXPECT_EQ(
      full.at("loss").dump(),
      R"({"ring":"observations","cause":"ring_full","count":812,"since":"1970-01-01T00:00:00.000000001Z"})");
  const Json sink = parsed(make_loss(
      {},
      {.ring = Ring::observations, .cause = LossCause::sink_failed, .count = 1, .since_ns = 1}));
  EXPECT_FALSE(sink.at("loss").contains("ring"));
}

TEST(NativeForm, NeverShowsTheNameThatAProcessGaveItself) {
  EXPECT_EQ(to_json(sample::file_finding(), "h").find("secret-comm"), std::string::npos);
}

TEST(NativeForm, HoldsHostileStringsInOneLineOfAscii) {
  Event event = sample::file_finding();
  const std::string hostile = "\xff\n\r\"},{\\xff\u2028\u2029\u0085\x1b[31m\x7f\U0001f600";
  event.file->path = hostile;
  event.process->argv = {hostile, std::string("nul\0byte", 8)};
  event.process->exe = hostile;
  event.details = {{hostile, hostile}};
  const std::string line = to_json(event, hostile);
  for (const char c : line) {
    ASSERT_TRUE(c >= ' ' && c < 0x7f);
  }
  const Json out = Json::parse(line);
  EXPECT_EQ(ambit::from_utf8(out.at("file").at("path").get<std::string>()), hostile);
  EXPECT_EQ(ambit::from_utf8(out.at("host").get<std::string>()), hostile);
  EXPECT_EQ(out.at("process").at("argv").at(1), std::string("nul\0byte", 8));
  EXPECT_EQ(ambit::from_utf8(out.at("details").items().begin().key()), hostile);
  EXPECT_EQ(out.at("kind"), "file_open") << "nothing was forged";
}

TEST(NativeForm, KeepsAnyBytesReversibly) {
  std::mt19937 random(3);  // NOLINT: the same bytes in every run
  Event event = sample::file_finding();
  for (int round = 0; round < 3000; ++round) {
    event.file->path.assign(1 + random() % 20, 'x');
    for (char& c : event.file->path) {
      c = static_cast<char>(random() % 256);
    }
    const Json out = Json::parse(to_json(event, "h"));
    ASSERT_EQ(ambit::from_utf8(out.at("file").at("path").get<std::string>()), event.file->path);
  }
}

TEST(Rfc3339, HasNineDigitsAndZ) {
  EXPECT_EQ(ambit::sink::rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(ambit::sink::rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(ambit::sink::rfc3339(951827696000000007), "2000-02-29T12:34:56.000000007Z");
}

}  // namespace
