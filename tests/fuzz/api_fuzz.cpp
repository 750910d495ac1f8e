// SPDX-License-Identifier: Apache-2.0
// A request of the control API: method, target and body, one line each but for the body. Whatever
// it is, the answer is JSON with a status that the page knows, or a stream.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tests/fuzz/checks.h"
#include "tests/unit/daemon/fake_tasks.h"
#include "userspace/daemon/query.h"
#include "userspace/policy/diagnostic_text.h"

namespace {

using namespace ambit;

std::string line_of(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void require_answer(const daemon::ApiResponse& response) {
  constexpr std::array kStatuses{200U, 201U, 400U, 404U, 405U};
  fuzz::require(std::ranges::find(kStatuses, response.status) != kStatuses.end(),
                "the status is one that the page knows");
  if (response.events) return fuzz::require(response.body.empty(), "a stream has no body");
  fuzz::require(response.body.ends_with('\n'), "the body is a line");
  fuzz::require_json_line(response.body.substr(0, response.body.size() - 1));
  const auto body = nlohmann::json::parse(response.body);
  constexpr unsigned kFirstRefusal = 400;
  fuzz::require((response.status >= kFirstRefusal) == body.contains("error"),
                "a refusal says why, and nothing else does");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  daemon::probe::FakeTasks tasks;
  daemon::ApiRequest request{.caller = {.uid = 0, .pidfd = 1}};
  request.method = line_of(rest);
  request.target = line_of(rest);
  request.body = rest;
  require_answer(daemon::answer(request, tasks));
  for (const pipeline::OpenRequest& asked : tasks.asked)
    fuzz::require(asked.pid > 0 && asked.declared_by == "uid:0", "what is asked for is checked");
  // As the client writes what it was given, the daemon reads it.
  const auto query = daemon::parse_query("task=" + daemon::percent_encoded(request.target), "task");
  const bool is_text = !request.target.empty() && !policy::first_non_utf8(request.target) &&
                       request.target.find('\0') == std::string::npos;
  fuzz::require(query ? query->at("task") == request.target : !is_text,
                "a value goes through a query");
  return 0;
}
