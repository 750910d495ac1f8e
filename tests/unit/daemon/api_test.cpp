// SPDX-License-Identifier: Apache-2.0
// What the control API takes, and what it says of everything else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/daemon/fake_tasks.h"

namespace ambit::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Api : public testing::Test {
 protected:
  ApiResponse ask(const std::string& method, const std::string& target,
                  const std::string& body = "") {
    return answer({.method = method, .target = target, .body = body, .caller = caller_}, tasks_);
  }
  ApiResponse open(const std::string& body) { return ask("POST", "/v1/tasks", body); }
  /// The message of a refusal with that status; what else came, where it is another.
  static std::string refused(const ApiResponse& response, unsigned status) {
    if (response.status != status) return std::to_string(response.status) + response.body;
    return json::parse(response.body).at("error").get<std::string>();
  }
  static std::string code_of(const ApiResponse& response) {
    return json::parse(response.body).at("code").get<std::string>();
  }

  probe::FakeTasks tasks_;
  Caller caller_{.uid = 0, .pidfd = 1};
};

TEST_F(Api, OpensATaskAndSaysWhatDoesNotHold) {
  const ApiResponse response = open(R"({"scope": "kind: TaskScope", "pid": 4711})");
  EXPECT_EQ(response.status, 201U) << response.body;
  const json task = json::parse(response.body);
  EXPECT_EQ(task.at("phase"), "live");
  EXPECT_EQ(task.at("processes"), json::array({4711}));
  EXPECT_EQ(task.at("limits"), json::array({"a limit"}));
  EXPECT_EQ(task.at("declaredBy"), "uid:0");
  ASSERT_THAT(tasks_.asked, SizeIs(1));
  EXPECT_EQ(tasks_.asked[0].scope, "kind: TaskScope");
  EXPECT_EQ(tasks_.asked[0].pid, 4711);
}

TEST_F(Api, TakesAScopeAsAnObjectToo) {
  EXPECT_EQ(open(R"({"pid": 1, "scope": {"kind": "TaskScope"}})").status, 201U);
  ASSERT_THAT(tasks_.asked, SizeIs(1));
  EXPECT_EQ(json::parse(tasks_.asked[0].scope), json({{"kind", "TaskScope"}}));
}

TEST_F(Api, TakesTheNameOfAScopeInstead) {
  const std::string id = json::parse(open(R"({"pid": 1, "scopeName": "triage"})").body).at("id");
  ASSERT_THAT(tasks_.asked, SizeIs(1));
  EXPECT_EQ(tasks_.asked[0].scope_name, "triage");
  EXPECT_EQ(tasks_.asked[0].scope, "");
  EXPECT_EQ(ask("POST", "/v1/tasks/" + id + "/narrow", R"({"scopeName": "less"})").status, 200U);
  EXPECT_EQ(tasks_.narrowed.at(0).scope_name, "less");
  tasks_.refusal = {
      .code = pipeline::RefusalCode::no_such_scope, .message = "none", .diagnostics = {}};
  EXPECT_EQ(code_of(open(R"({"pid": 1, "scopeName": "triage"})")), "no_such_scope");
}

TEST_F(Api, RefusesEveryOtherBody) {
  const std::string deep(100'000, '[');
  for (const auto& [body, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "no JSON"},
           {"scope: x", "no JSON"},
           {"\xff\xfe", "no JSON"},
           {"{\"scope\": \"\xff\", \"pid\": 1}", "no JSON"},
           {R"({"scope": "x", "pid": 1)", "no JSON"},
           {R"({"scope": "x", "pid": 1} {})", "no JSON"},
           {R"({"scope": "x", "pid": 1, "pid": 2})", "key twice"},
           {"{\"scope\": " + deep, "nested"},
           {"[]", "must be an object"},
           {"null", "must be an object"},
           {"7", "must be an object"},
           {R"({"pid": 1})", "missing field \"scope\" or \"scopeName\""},
           {R"({"scope": "x"})", "missing field \"pid\""},
           {R"({"scope": "x", "scopeName": "y", "pid": 1})", "both there"},
           {R"({"scopeName": 7, "pid": 1})", "scopeName must be"},
           {R"({"scopeName": "", "pid": 1})", "scopeName must be"},
           {R"({"scopeName": null, "pid": 1})", "scopeName must be"},
           {R"({"scope": "x", "pid": 1, "pids": 2})", "unknown field \"pids\""},
           {R"({"scope": "x", "pid": 1, "cgroup": "/a/../b"})", "unknown field \"cgroup\""},
           {R"({"scope": 7, "pid": 1})", "scope must be"},
           {R"({"scope": null, "pid": 1})", "scope must be"},
           {R"({"scope": ["x"], "pid": 1})", "scope must be"},
           {R"({"scope": "x", "pid": "1"})", "pid must be"},
           {R"({"scope": "x", "pid": 1.5})", "pid must be"},
           {R"({"scope": "x", "pid": true})", "pid must be"},
           {R"({"scope": "x", "pid": 0})", "pid must be"},
           {R"({"scope": "x", "pid": -1})", "pid must be"},
           {R"({"scope": "x", "pid": 2147483648})", "pid must be"},
           {R"({"scope": "x", "pid": 99999999999999999999})", "pid must be"}})
    EXPECT_THAT(refused(open(body), 400), HasSubstr(message)) << body.substr(0, 80);
  EXPECT_THAT(tasks_.asked, IsEmpty());
}

TEST_F(Api, SaysWhyATaskWasNotOpened) {
  using pipeline::RefusalCode;
  for (const auto& [code, status, word] :
       std::vector<std::tuple<RefusalCode, unsigned, std::string>>{
           {RefusalCode::scope_refused, 422, "scope_refused"},
           {RefusalCode::no_such_process, 422, "no_such_process"},
           {RefusalCode::process_in_task, 409, "process_in_task"},
           {RefusalCode::process_refused, 422, "process_refused"},
           {RefusalCode::unavailable, 503, "unavailable"}}) {
    tasks_.refusal = {.code = code, .message = "because", .diagnostics = {}};
    const ApiResponse response = open(R"({"scope": "x", "pid": 1})");
    EXPECT_EQ(refused(response, status), "because");
    EXPECT_EQ(code_of(response), word);
  }
  policy::Diagnostic mistake;
  mistake.line = 7;
  mistake.column = 3;
  mistake.message = "unknown key";
  mistake.suggestion = "ttl";
  tasks_.refusal = {.code = RefusalCode::scope_refused, .message = "x", .diagnostics = {mistake}};
  const json answer = json::parse(open(R"({"scope": "x", "pid": 1})").body);
  EXPECT_EQ(answer.at("diagnostics").at(0), json({{"severity", "error"},
                                                  {"message", "unknown key"},
                                                  {"line", 7},
                                                  {"column", 3},
                                                  {"suggestion", "ttl"}}));
}

TEST_F(Api, ListsShowsAndClosesTasks) {
  EXPECT_EQ(json::parse(ask("GET", "/v1/tasks").body).at("tasks"), json::array());
  const std::string id = json::parse(open(R"({"scope": "x", "pid": 1})").body).at("id");
  EXPECT_EQ(json::parse(ask("GET", "/v1/tasks").body).at("tasks").at(0).at("id"), id);
  EXPECT_EQ(json::parse(ask("GET", "/v1/tasks/" + id).body).at("id"), id);
  for (const auto& [query, kill] : std::vector<std::pair<std::string, bool>>{
           {"", false}, {"?kill=false", false}, {"?kill=true", true}}) {
    EXPECT_EQ(ask("DELETE", "/v1/tasks/" + id + query).status, 200U);
    EXPECT_EQ(tasks_.closed.at(id), kill) << query;
  }
}

TEST_F(Api, SaysOfAClosedTaskWhatIsNotTakenBack) {
  const std::string id = json::parse(open(R"({"scope": "x", "pid": 1})").body).at("id");
  EXPECT_FALSE(json::parse(ask("GET", "/v1/tasks/" + id).body).contains("residualAccess"));
  EXPECT_EQ(json::parse(ask("DELETE", "/v1/tasks/" + id).body).at("residualAccess"), json::array());
  tasks_.residual = {{.pid = 7,
                      .descriptor = 3,
                      .kind = "file",
                      .name = "/a/\xff",
                      .credential = "aws",
                      .why = "because"},
                     {.pid = 7, .descriptor = {}, .kind = "mapping", .name = "/b", .why = "so"}};
  const json all = json::parse(ask("DELETE", "/v1/tasks/" + id).body).at("residualAccess");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all.at(0).at("descriptor"), 3);
  EXPECT_EQ(all.at(0).at("credential"), "aws");
  EXPECT_EQ(all.at(1), json({{"pid", 7}, {"kind", "mapping"}, {"name", "/b"}, {"why", "so"}}));
}

TEST_F(Api, ReloadsAndSaysWhatItDidOrEveryMistake) {
  const ApiResponse done = ask("POST", "/v1/reload");
  EXPECT_EQ(done.status, 200U);
  EXPECT_EQ(json::parse(done.body), json({{"credentials", 3},
                                          {"scopes", 2},
                                          {"tasks", 1},
                                          {"restart", {"socket"}},
                                          {"notes", {"a note"}}}));
  policy::Diagnostic mistake;
  mistake.file = "/etc/ambit/a.yaml";
  mistake.line = 2;
  mistake.message = "m";
  tasks_.refusal = {.code = pipeline::RefusalCode::config_refused,
                    .message = "x",
                    .diagnostics = {mistake, mistake}};
  const ApiResponse broken = ask("POST", "/v1/reload");
  EXPECT_EQ(broken.status, 422U);
  EXPECT_EQ(code_of(broken), "config_refused");
  const json all = json::parse(broken.body).at("diagnostics");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all.at(1).at("file"), "/etc/ambit/a.yaml");
  EXPECT_EQ(ask("POST", "/v1/reload", "{}").status, 400U);
  EXPECT_EQ(ask("POST", "/v1/reload?now=true").status, 400U);
  EXPECT_EQ(ask("GET", "/v1/reload").status, 405U);
  EXPECT_EQ(tasks_.reloads, 2);
}

TEST_F(Api, KnowsNoOtherTaskPathMethodOrQuery) {
  for (const std::string method : {"GET", "DELETE"})
    EXPECT_EQ(code_of(ask(method, "/v1/tasks/01JNONE")), "no_such_task");
  for (const std::string path : {"/", "", "*", "/v1", "/v1/", "/v1/tasks/", "/v1/tasks/a/b",
                                 "/v1/tasks/../health", "/v2/tasks", "http://x/v1/tasks"})
    EXPECT_EQ(ask("GET", path).status, 404U) << path;
  const ApiResponse put = ask("PUT", "/v1/tasks");
  EXPECT_EQ(put.status, 405U);
  EXPECT_EQ(put.allow, "POST, GET, DELETE");
  EXPECT_EQ(ask("POST", "/v1/health").status, 405U);
  for (const std::string query : {"?kill", "?kill=yes", "?kil=true", "?kill=true&x=1"})
    EXPECT_EQ(ask("DELETE", "/v1/tasks/01J0" + query).status, 400U) << query;
  EXPECT_EQ(ask("GET", "/v1/tasks?kill=true").status, 400U);
  EXPECT_EQ(ask("DELETE", "/v1/tasks/01J0", "{}").status, 400U);
  EXPECT_THAT(tasks_.closed, IsEmpty());
}

TEST_F(Api, ClosesAllTasksOfAPersonAnAgentOrACredentialWithOneEntryEach) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(open(R"({"scope": "x", "pid": 1})").status, 201U);
  const ApiResponse response =
      ask("DELETE", "/v1/tasks?onBehalfOf=a%40b+c&credential=aws&agent=x&owner=y&kill=true");
  EXPECT_EQ(response.status, 200U) << response.body;
  const json entries = json::parse(response.body).at("tasks");
  ASSERT_THAT(entries, SizeIs(2));
  for (const json& entry : entries) EXPECT_TRUE(entry.contains("limits")) << entry;
  ASSERT_THAT(tasks_.filters, SizeIs(1));
  EXPECT_EQ(tasks_.filters[0].on_behalf_of, "a@b c");
  EXPECT_EQ(tasks_.filters[0].credential, "aws");
  EXPECT_EQ(tasks_.filters[0].agent, "x");
  EXPECT_EQ(tasks_.filters[0].owner, "y");
  for (const auto& [id, kill] : tasks_.closed) EXPECT_TRUE(kill) << id;

  tasks_.refusal = {.code = pipeline::RefusalCode::unavailable, .message = "m", .diagnostics = {}};
  const ApiResponse partly = ask("DELETE", "/v1/tasks?agent=x");
  EXPECT_EQ(partly.status, 503U) << "not all of them are closed";
  const json all = json::parse(partly.body).at("tasks");
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all.at(2).at("id"), "01JREFUSED");
  EXPECT_EQ(all.at(2).at("code"), "unavailable");
}

TEST_F(Api, ClosesNothingWhenWhoseTasksIsNotSaidOrNotUnderstood) {
  EXPECT_EQ(open(R"({"scope": "x", "pid": 1})").status, 201U);
  for (const std::string query :
       {"", "?kill=true", "?agent", "?agent=", "?agent=a&agent=b", "?agents=a", "?agent=%4",
        "?agent=%zz", "?agent=%ff", "?agent=%00", "?agent=a&kill=yes", "?agent=a&&owner=b", "?=a"})
    EXPECT_EQ(ask("DELETE", "/v1/tasks" + query).status, 400U) << query;
  EXPECT_THAT(tasks_.filters, IsEmpty());
  EXPECT_THAT(tasks_.closed, IsEmpty());
}

TEST_F(Api, ShowsWhatATaskMayUseHasAndHasUsed) {
  const std::string id = json::parse(open(R"({"scope": "x", "pid": 1})").body).at("id");
  pipeline::TaskView& view = tasks_.tasks.at(id);
  view.left = std::chrono::milliseconds(1500);
  view.use = pipeline::TaskUse{.granted = {"aws", "github-cli"}, .held = {"aws"}, .figures = {}};
  view.use->figures.credentials = {{"aws", 2}};
  view.use->figures.destinations = {{"a.example:443", {.before = 1, .after = 3}}, {"/x\xff", {}}};
  view.use->figures.first_act = 17;
  const json body = json::parse(ask("GET", "/v1/tasks/" + id).body);
  EXPECT_EQ(body.at("secondsLeft"), 1.5);
  EXPECT_EQ(body.at("granted"), json({"aws", "github-cli"}));
  EXPECT_EQ(body.at("held"), json({"aws"}));
  EXPECT_EQ(body.at("neverUsed"), json({"github-cli"}));
  const json& used = body.at("used");
  EXPECT_EQ(used.at("credentials").at("aws"), 2);
  EXPECT_EQ(used.at("destinations").at("a.example:443"), json({{"before", 1}, {"after", 3}}));
  EXPECT_TRUE(used.at("destinations").contains("/x\\xff"));
  EXPECT_TRUE(used.at("firstCredential").is_null());
  EXPECT_EQ(used.at("firstAct"), 17);
}

TEST_F(Api, NarrowsAndExtendsATask) {
  const std::string id = json::parse(open(R"({"scope": "x", "pid": 1})").body).at("id");
  const ApiResponse narrow = ask("POST", "/v1/tasks/" + id + "/narrow", R"({"scope": "y"})");
  EXPECT_EQ(narrow.status, 200U) << narrow.body;
  EXPECT_EQ(json::parse(narrow.body).at("id"), id);
  ASSERT_THAT(tasks_.narrowed, SizeIs(1));
  EXPECT_EQ(tasks_.narrowed[0].id, id);
  EXPECT_EQ(tasks_.narrowed[0].scope, "y");
  const ApiResponse extend = ask("POST", "/v1/tasks/" + id + "/extend", R"({"ttl": "1h30m"})");
  EXPECT_EQ(extend.status, 200U) << extend.body;
  EXPECT_EQ(tasks_.extended.at(id), std::chrono::minutes(90));

  using pipeline::RefusalCode;
  for (const auto& [code, status, word] :
       std::vector<std::tuple<RefusalCode, unsigned, std::string>>{
           {RefusalCode::scope_refused, 422, "scope_refused"},
           {RefusalCode::no_such_task, 404, "no_such_task"},
           {RefusalCode::task_over, 409, "task_over"},
           {RefusalCode::deadline_refused, 422, "deadline_refused"}}) {
    tasks_.refusal = {.code = code, .message = "because", .diagnostics = {}};
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"/narrow", R"({"scope": "y"})"}, {"/extend", R"({"ttl": "1s"})"}}) {
      const ApiResponse response = ask("POST", "/v1/tasks/" + id + path, body);
      EXPECT_EQ(refused(response, status), "because");
      EXPECT_EQ(code_of(response), word);
    }
  }
}

TEST_F(Api, RefusesEveryOtherBodyOfNarrowAndExtend) {
  for (const auto& [path, body, message] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"narrow", "", "no JSON"},
           {"narrow", "[]", "must be an object"},
           {"narrow", "{}", "missing field \"scope\""},
           {"narrow", R"({"scope": "x", "pid": 1})", "unknown field \"pid\""},
           {"narrow", R"({"scope": 7})", "scope must be"},
           {"narrow", R"({"scope": "x", "scope": "y"})", "key twice"},
           {"extend", "", "no JSON"},
           {"extend", "{}", "missing field \"ttl\""},
           {"extend", R"({"ttl": "30m", "by": 1})", "unknown field \"by\""},
           {"extend", R"({"ttl": 30})", "ttl must be"},
           {"extend", R"({"ttl": null})", "ttl must be"},
           {"extend", R"({"ttl": "30"})", "ttl \"30\""},
           {"extend", R"({"ttl": "-1m"})", "ttl \"-1m\""},
           {"extend", R"({"ttl": "0s"})", "ttl \"0s\""},
           {"extend", R"({"ttl": "9999h"})", "ttl \"9999h\""}})
    EXPECT_THAT(refused(ask("POST", "/v1/tasks/01J0/" + path, body), 400), HasSubstr(message))
        << path << " " << body;
  EXPECT_EQ(ask("GET", "/v1/tasks/01J0/narrow").status, 405U);
  EXPECT_EQ(ask("POST", "/v1/tasks//narrow", "{}").status, 404U);
  EXPECT_EQ(ask("POST", "/v1/tasks/a/b/narrow", "{}").status, 404U);
  EXPECT_EQ(ask("POST", "/v1/tasks/01J0/narrow?kill=true", "{}").status, 400U);
  EXPECT_THAT(tasks_.narrowed, IsEmpty());
  EXPECT_THAT(tasks_.extended, IsEmpty());
}

TEST_F(Api, IsHealthyWheneverItAnswersAndReadyOnlyWithoutAFault) {
  EXPECT_EQ(ask("GET", "/v1/health").status, 200U);
  EXPECT_EQ(ask("GET", "/v1/ready").status, 200U);
  tasks_.fault = "no holder answers";
  EXPECT_EQ(ask("GET", "/v1/health").status, 200U);
  const ApiResponse ready = ask("GET", "/v1/ready");
  EXPECT_EQ(ready.status, 503U);
  EXPECT_EQ(json::parse(ready.body).at("fault"), "no holder answers");
}

TEST_F(Api, AnswersInAsciiWhateverTextsATaskHas) {
  const std::string id = json::parse(open(R"({"scope": "x", "pid": 1})").body).at("id");
  auto task = std::make_shared<model::Task>(*tasks_.tasks[id].task);
  task->owner =
      "a\u202eb\xc2\x9b"
      "2J\xff";
  tasks_.tasks[id].task = task;
  for (const std::string& body :
       {ask("GET", "/v1/tasks/" + id).body, ask("GET", "/v1/events?\xe2\x80\xae").body})
    for (const char c : body) EXPECT_TRUE((c >= ' ' && c < '\x7f') || c == '\n') << body;
}

TEST_F(Api, SaysInItsStatusWhatBecameOfRequests) {
  const ApiCounts counts{.requests = 7, .refused_rate = 2, .readers_slow = 1};
  const json status = json::parse(
      answer({.method = "GET", .target = "/v1/health", .caller = caller_, .counts = &counts},
             tasks_)
          .body);
  EXPECT_EQ(status.at("api").at("requests"), 7);
  EXPECT_EQ(status.at("api").at("refused").at("rate"), 2);
  EXPECT_EQ(status.at("api").at("readers").at("slow"), 1);
}

TEST_F(Api, HandsAStreamOfEventsToTheTransport) {
  const ApiResponse response = ask("GET", "/v1/events?from=7&follow=true&kind=exec");
  EXPECT_EQ(response.status, 200U) << response.body;
  ASSERT_TRUE(response.events);
  EXPECT_EQ(response.events->from, 7U);
  EXPECT_TRUE(response.events->follow);
  EXPECT_THAT(refused(ask("GET", "/v1/events?from=x"), 400), HasSubstr("from is the number"));
  EXPECT_EQ(ask("POST", "/v1/events").status, 405U);
  caller_.uid = 1000;
  EXPECT_FALSE(ask("GET", "/v1/events").events);
}

TEST_F(Api, AnswersNobodyButRootOutsideOfTasks) {
  caller_.uid = 1000;
  EXPECT_EQ(code_of(ask("GET", "/v1/health")), "not_allowed");
  caller_ = {.uid = 0, .pidfd = -1};
  EXPECT_EQ(code_of(ask("GET", "/v1/health")), "not_allowed") << "the caller has ended";
  caller_.pidfd = 1;
  tasks_.in_task = true;
  EXPECT_EQ(code_of(open(R"({"scope": "x", "pid": 1})")), "in_task");
  tasks_.in_task = std::nullopt;
  EXPECT_EQ(code_of(ask("GET", "/v1/tasks")), "not_allowed");
  EXPECT_THAT(tasks_.asked, IsEmpty());
}

}  // namespace
}  // namespace ambit::daemon
