// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/events.h"

#include <array>
#include <cstdio>
#include <iostream>

#include "userspace/base/utf8.h"
#include "userspace/cli/command.h"
#include "userspace/cli/events_text.h"
#include "userspace/cli/options.h"
#include "userspace/cli/task_text.h"
#include "userspace/daemon/client.h"
#include "userspace/daemon/query.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;
using Values = options::variables_map;

/// Options that are keys of the query, with the same name.
struct TextOption {
  const char* name;
  const char* value;
  const char* says;
};

constexpr std::array kTexts{
    TextOption{"from", "N", "begin with event N, or with the next one there is (next)"},
    TextOption{"run", "ID", "the run of the daemon of which N is a number"},
    TextOption{"task", "TASK", "only those of this task: its id or its name"},
    TextOption{"agent", "AGENT", "only those of this agent"},
    TextOption{"kind", "KIND[,KIND]", "only those of these kinds (docs/EVENTS.md)"},
    TextOption{"severity", "WORD", "only those of at least this severity"},
};

options::options_description described() {
  options::options_description all("Options");
  auto add = all.add_options();
  add("follow,f", "go on with the events to come, until the daemon stops");
  for (const TextOption& text : kTexts)
    add(text.name, options::value<std::string>()->value_name(text.value), text.says);
  add("findings", "only findings");
  add("socket",
      options::value<std::string>()->value_name("PATH")->default_value(daemon::kDefaultSocket),
      "where the daemon listens");
  add("help,h", "this text");
  return all;
}

std::string usage() {
  return "Usage: ambit events [--follow] [--from N] [options]\n\n"
         "Writes the daemon's events as they are in its file, one line of JSON each: those that "
         "it\n"
         "has in memory (the last 2 MiB), with --follow those to come as well. What is missing is\n"
         "said on standard error. Exit 0: all was written, 1: refused, or too slow to follow,\n"
         "125: no daemon answers, or the connection ended.\n\n" +
         describe(described());
}

std::string target_of(const Values& values) {
  std::string query;
  const auto add = [&query](const std::string& key, const std::string& value) {
    query += (query.empty() ? "?" : "&") + key + "=" + daemon::percent_encoded(value);
  };
  for (const TextOption& text : kTexts)
    if (values.count(text.name) != 0) add(text.name, values[text.name].as<std::string>());
  if (values.count("findings") != 0) add("finding", "true");
  if (values.count("follow") != 0) add("follow", "true");
  return "/v1/events" + query;
}

void say(const std::string& sentence) {
  if (!sentence.empty()) std::fprintf(stderr, "ambit: %s\n", sentence.c_str());
}

int show(const std::string& socket, const std::string& target) {
  StreamPlace place;
  const auto take = [&place](std::string_view line) {
    if (is_stream_line(line)) return say(stream_text(line, place));
    if (const std::uint64_t seq = seq_of(line); seq != 0) place.next = seq + 1;
    std::cout << line << '\n';
  };
  const auto answer = daemon::stream(socket, target, take, [] { std::cout.flush(); });
  if (!answer) {
    say(answer.error().message);
    return kExitInternal;
  }
  if (answer->end == daemon::StreamEnd::refused) {
    std::cerr << "ambit: " << refusal_text(answer->refusal.body, {});
    return kExitFaults;
  }
  if (answer->end == daemon::StreamEnd::reader_gone) return kExitOk;
  if (!place.ended) {
    say("the connection ended; go on with" + go_on_text(place));
    return kExitInternal;
  }
  if (!std::cout) {
    say("cannot write to standard output");
    return kExitInternal;
  }
  return place.slow ? kExitFaults : kExitOk;
}

}  // namespace

int events_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = described(), .positional = {}});
  if (!values) return usage_error(std::cerr, "events", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  return show((*values)["socket"].as<std::string>(), target_of(*values));
}

}  // namespace ambit::cli
