// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/task.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/cli/task_text.h"
#include "userspace/daemon/client.h"
#include "userspace/daemon/query.h"
#include "userspace/policy/document_file.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;
using Values = options::variables_map;

constexpr unsigned kFirstRefusal = 400;

/// What a word asks the daemon for; the error is a sentence about its use.
struct Verb {
  std::string_view name;
  bool takes_id;
  Result<daemon::Call> (*call)(const Values&);
  std::string (*show)(const std::string& json);
};

std::string text(const Values& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

/// The body with a scope, or with the name of one, in it.
Result<nlohmann::json> scope_of(const Values& values) {
  if ((values.count("scope") != 0) == (values.count("scope-name") != 0))
    return fail("one of --scope and --scope-name is needed");
  if (values.count("scope-name") != 0)
    return nlohmann::json{{"scopeName", text(values, "scope-name")}};
  auto scope = policy::read_document_file(text(values, "scope"));
  if (!scope) return fail(text(values, "scope") + " " + scope.error().message);
  if (auto good = policy::check_document_bytes(*scope); !good)
    return fail(text(values, "scope") + " " + good.error().message);
  return nlohmann::json{{"scope", *scope}};
}

Result<daemon::Call> open_call(const Values& values) {
  if (values.count("pid") == 0) return fail("open needs --scope or --scope-name, and --pid");
  auto body = scope_of(values);
  if (!body) return std::unexpected(body.error());
  (*body)["pid"] = values["pid"].as<int>();
  return daemon::Call{.method = "POST", .target = "/v1/tasks", .body = body->dump()};
}

Result<daemon::Call> narrow_call(const Values& values) {
  const auto body = scope_of(values);
  if (!body) return std::unexpected(body.error());
  return daemon::Call{.method = "POST",
                      .target = "/v1/tasks/" + text(values, "id") + "/narrow",
                      .body = body->dump()};
}

Result<daemon::Call> extend_call(const Values& values) {
  if (values.count("ttl") == 0) return fail("extend needs --ttl");
  const nlohmann::json body{{"ttl", text(values, "ttl")}};
  return daemon::Call{.method = "POST",
                      .target = "/v1/tasks/" + text(values, "id") + "/extend",
                      .body = body.dump()};
}

struct FilterOption {
  const char* option;
  const char* key;
  const char* meaning;
};

constexpr std::array kFilterOptions{
    FilterOption{"owner", "owner", "close: all tasks of this owner"},
    FilterOption{"on-behalf-of", "onBehalfOf", "close: all tasks on behalf of this person"},
    FilterOption{"agent", "agent", "close: all tasks of this agent"},
    FilterOption{"credential", "credential", "close: all tasks whose scope lists this credential"},
};

bool has_filter(const Values& values) {
  return std::ranges::any_of(
      kFilterOptions, [&](const FilterOption& filter) { return values.count(filter.option) != 0; });
}

Result<daemon::Call> close_call(const Values& values) {
  std::string query = values.count("kill") != 0 ? "&kill=true" : "";
  for (const FilterOption& filter : kFilterOptions)
    if (values.count(filter.option) != 0)
      query += std::string("&") + filter.key + "=" +
               daemon::percent_encoded(text(values, filter.option));
  if (!query.empty()) query.front() = '?';
  const std::string id = values.count("id") != 0 ? "/" + text(values, "id") : "";
  return daemon::Call{.method = "DELETE", .target = "/v1/tasks" + id + query, .body = {}};
}

Result<daemon::Call> list_call(const Values& /*values*/) {
  return daemon::Call{.method = "GET", .target = "/v1/tasks", .body = {}};
}

Result<daemon::Call> show_call(const Values& values) {
  return daemon::Call{.method = "GET", .target = "/v1/tasks/" + text(values, "id"), .body = {}};
}

constexpr std::array kVerbs{
    Verb{"open", false, open_call, task_text},      Verb{"close", true, close_call, task_text},
    Verb{"list", false, list_call, task_list_text}, Verb{"show", true, show_call, task_text},
    Verb{"narrow", true, narrow_call, task_text},   Verb{"extend", true, extend_call, task_text},
};

options::options_description common_options() {
  options::options_description all("Options");
  auto add = all.add_options();
  add("socket",
      options::value<std::string>()->value_name("PATH")->default_value(daemon::kDefaultSocket),
      "where the daemon listens");
  add("json", "the daemon's answer as it is");
  add("help,h", "this text");
  return all;
}

options::options_description task_options() {
  options::options_description all = common_options();
  auto add = all.add_options();
  add("scope", options::value<std::string>()->value_name("FILE"), "open, narrow: the task's scope");
  add("scope-name", options::value<std::string>()->value_name("NAME"),
      "open, narrow: a scope that the daemon has, by its name");
  add("pid", options::value<int>()->value_name("PID"),
      "open: the process that is bound, with what it has started");
  add("kill", "close: end the task's processes as well");
  add("ttl", options::value<std::string>()->value_name("TIME"),
      "extend: how long it lives from now on, such as 30m");
  for (const FilterOption& filter : kFilterOptions)
    add(filter.option, options::value<std::string>()->value_name("NAME"), filter.meaning);
  return all;
}

options::options_description status_options() {
  options::options_description all = common_options();
  all.add_options()("alive", "only whether it answers, not whether it is ready");
  return all;
}

std::string task_usage() {
  return "Usage: ambit task open --scope FILE|--scope-name NAME --pid PID\n"
         "       ambit task narrow ID --scope FILE|--scope-name NAME\n"
         "       ambit task extend ID --ttl TIME\n"
         "       ambit task close ID [--kill]\n"
         "       ambit task close --owner|--on-behalf-of|--agent|--credential NAME… [--kill]\n"
         "       ambit task list\n"
         "       ambit task show ID\n\n"
         "Asks the daemon of this machine (`ambit daemon`); only root may. Exit 0: done, 1: it\n"
         "refused, 125: none answers.\n\n" +
         describe(task_options());
}

struct Shown {
  std::string (*show)(const std::string& json);
  std::string scope_file;
};

int carry_out(const Values& values, const daemon::Call& call, const Shown& shown) {
  const auto answer = daemon::call(text(values, "socket"), call);
  if (!answer) {
    std::fprintf(stderr, "ambit: %s\n", answer.error().message.c_str());
    return kExitInternal;
  }
  const bool refused = answer->status >= kFirstRefusal;
  if (values.count("json") != 0)
    std::cout << answer->body;
  else if (refused && call.target != "/v1/ready")
    std::cerr << "ambit: " << refusal_text(answer->body, shown.scope_file);
  else
    std::cout << shown.show(answer->body);
  return refused ? kExitFaults : kExitOk;
}

}  // namespace

int task_command(std::span<const std::string> arguments) {
  Syntax syntax{.options = task_options(), .positional = {}};
  syntax.options.add_options()("verb", options::value<std::string>(), "")(
      "id", options::value<std::string>(), "");
  syntax.positional.add("verb", 1).add("id", 1);
  auto values = parse_options(arguments, syntax);
  if (!values) return usage_error(std::cerr, "task", values.error().message);
  if (values->count("help") != 0) {
    std::cout << task_usage();
    return kExitOk;
  }
  const std::string word = text(*values, "verb");
  const auto* const verb = std::ranges::find(kVerbs, std::string_view(word), &Verb::name);
  if (verb == kVerbs.end())
    return usage_error(std::cerr, "task", "open, narrow, extend, close, list or show is wanted");
  const bool several = verb->call == close_call && has_filter(*values);
  if ((verb->takes_id && !several) != (values->count("id") != 0))
    return usage_error(std::cerr, "task",
                       word + (verb->takes_id ? " needs the id of a task" : " takes no id"));
  const auto call = verb->call(*values);
  if (!call) return usage_error(std::cerr, "task", call.error().message);
  return carry_out(
      *values, *call,
      {.show = several ? task_list_text : verb->show, .scope_file = text(*values, "scope")});
}

int reload_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = common_options(), .positional = {}});
  if (!values) return usage_error(std::cerr, "reload", values.error().message);
  if (values->count("help") != 0) {
    std::cout << "Usage: ambit reload\n\nHas the daemon of this machine read its configuration, "
                 "catalogue and named scopes anew.\n\n" +
                     describe(common_options());
    return kExitOk;
  }
  return carry_out(*values, {.method = "POST", .target = "/v1/reload", .body = {}},
                   {.show = reload_text, .scope_file = {}});
}

int status_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = status_options(), .positional = {}});
  if (!values) return usage_error(std::cerr, "status", values.error().message);
  if (values->count("help") != 0) {
    std::cout << "Usage: ambit status\n\nWhether the daemon of this machine is ready.\n\n" +
                     describe(status_options());
    return kExitOk;
  }
  const char* const target = values->count("alive") != 0 ? "/v1/health" : "/v1/ready";
  return carry_out(*values, {.method = "GET", .target = target, .body = {}},
                   {.show = status_text, .scope_file = {}});
}

}  // namespace ambit::cli
