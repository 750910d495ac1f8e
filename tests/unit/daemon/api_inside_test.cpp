// SPDX-License-Identifier: Apache-2.0
// The API as a process in a task has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "userspace/daemon/api.h"

namespace ambit::daemon {
namespace {

using nlohmann::json;
using pipeline::RefusalCode;
using pipeline::TaskView;
using testing::IsEmpty;
using testing::SizeIs;

TaskView view(const std::string& id, const std::optional<std::string>& parent) {
  auto task = std::make_shared<model::Task>();
  task->id = id;
  task->name = "task-" + id;
  task->parent = parent;
  if (parent) task->chain = {{.id = *parent, .name = "above", .agent = "a", .on_behalf_of = "p"}};
  return {.task = task};
}

class FakeFamily : public pipeline::DelegationService {
 public:
  pipeline::Answer<TaskView> delegate(const pipeline::DelegateRequest& request) override {
    asked.push_back(request);
    if (refusal) return std::unexpected(*refusal);
    return view("02", "01");
  }
  [[nodiscard]] pipeline::Answer<void> admit(const pipeline::Delegator& caller) const override {
    if (caller.pidfd != 7)
      return pipeline::refuse(RefusalCode::not_in_task, "the caller is in no task");
    return {};
  }
  [[nodiscard]] pipeline::Answer<std::vector<TaskView>> family(
      const pipeline::Delegator& caller) const override {
    if (auto admitted = admit(caller); !admitted) return std::unexpected(admitted.error());
    return std::vector{view("01", std::nullopt), view("02", "01")};
  }
  std::vector<pipeline::DelegateRequest> asked;
  std::optional<pipeline::Refusal> refusal;
};

class ApiInside : public testing::Test {
 protected:
  ApiResponse ask(const std::string& method, const std::string& target,
                  const std::string& body = "") {
    return answer_inside({.method = method, .target = target, .body = body, .caller = caller_},
                         tasks_);
  }
  static std::string code_of(const ApiResponse& response) {
    return json::parse(response.body).at("code").get<std::string>();
  }
  FakeFamily tasks_;
  Caller caller_{.uid = 1000, .pidfd = 7, .pid = 4711};
};

TEST_F(ApiInside, DelegatesForWhoeverIsInATask) {
  const ApiResponse response = ask("POST", "/v1/tasks", R"({"scope": "x", "pid": 12})");
  EXPECT_EQ(response.status, 201U) << response.body;
  const json task = json::parse(response.body);
  EXPECT_EQ(task.at("parent"), "01");
  EXPECT_EQ(task.at("chain").at(0).at("onBehalfOf"), "p");
  ASSERT_THAT(tasks_.asked, SizeIs(1));
  EXPECT_EQ(tasks_.asked[0].pid, 12);
  EXPECT_EQ(tasks_.asked[0].caller.pid, 4711);
  EXPECT_EQ(tasks_.asked[0].caller.uid, 1000U);
}

TEST_F(ApiInside, ShowsItsOwnTaskAndThoseBelowItAlone) {
  const json all = json::parse(ask("GET", "/v1/tasks").body).at("tasks");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("id"), "01");
  EXPECT_TRUE(all[0].at("parent").is_null());
  EXPECT_EQ(json::parse(ask("GET", "/v1/tasks/02").body).at("name"), "task-02");
  EXPECT_EQ(code_of(ask("GET", "/v1/tasks/03")), "no_such_task");
}

TEST_F(ApiInside, SaysNothingToWhoeverIsInNoTask) {
  for (const int pidfd : {-1, 8}) {
    caller_.pidfd = pidfd;
    EXPECT_EQ(code_of(ask("POST", "/v1/tasks", R"({"scope": "x", "pid": 12})")), "not_in_task");
    EXPECT_EQ(code_of(ask("GET", "/v1/tasks")), "not_in_task");
    EXPECT_EQ(code_of(ask("GET", "/v1/health")), "not_in_task");
    EXPECT_EQ(code_of(ask("PUT", "no path")), "not_in_task");
  }
  caller_ = {.uid = 0, .pidfd = 8, .pid = 1};
  EXPECT_EQ(code_of(ask("GET", "/v1/tasks")), "not_in_task") << "root as well";
  EXPECT_THAT(tasks_.asked, IsEmpty());
}

TEST_F(ApiInside, ClosesNothingAndTakesNothingElse) {
  EXPECT_EQ(ask("DELETE", "/v1/tasks/02").status, 405U);
  EXPECT_EQ(ask("DELETE", "/v1/tasks?agent=a").status, 405U);
  for (const char* path :
       {"/v1/health", "/v1/events", "/v1/reload", "/v1/tasks/02/narrow", "/v1/tasks/02/extend"})
    for (const char* method : {"GET", "POST"}) EXPECT_EQ(ask(method, path).status, 404U) << path;
  EXPECT_EQ(ask("GET", "/v1/tasks?x=true").status, 400U);
  for (const std::string body :
       {"", "[]", R"({"scope": "x"})", R"({"scope": "x", "pid": 0})",
        R"({"scope": "x", "pid": 1, "parent": "y"})", R"({"scopeName": "x", "pid": 1})"})
    EXPECT_EQ(ask("POST", "/v1/tasks", body).status, 400U) << body;
  EXPECT_THAT(tasks_.asked, IsEmpty());
}

TEST_F(ApiInside, SaysWhyItDoesNotDelegate) {
  for (const auto& [code, status, word] :
       std::vector<std::tuple<RefusalCode, unsigned, std::string>>{
           {RefusalCode::beyond_parent, 422, "beyond_parent"},
           {RefusalCode::parent_is_over, 409, "parent_is_over"},
           {RefusalCode::too_many, 409, "too_many"},
           {RefusalCode::not_allowed, 403, "not_allowed"}}) {
    tasks_.refusal = {.code = code, .message = "because", .diagnostics = {}};
    const ApiResponse response = ask("POST", "/v1/tasks", R"({"scope": "x", "pid": 1})");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(code_of(response), word);
  }
}

}  // namespace
}  // namespace ambit::daemon
