// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "userspace/cli/options.h"
#include "userspace/pipeline/choose.h"
#include "userspace/pipeline/run.h"
#include "userspace/sink/terminal.h"

namespace ambit::cli {

namespace {

namespace options = boost::program_options;

constexpr int kUsage = 2;

struct Wanted {
  pipeline::RunOptions run;
  std::string findings = "live";
};

options::options_description described() {
  options::options_description all("Options");
  auto add = all.add_options();
  add("scope", options::value<std::string>()->value_name("FILE"),
      "what the task may use; without it a built-in shadow scope that allows nothing");
  add("catalogue", options::value<std::vector<std::string>>()->value_name("SOURCE"),
      "credentials: a directory, a file, `builtin` or `builtin:NAME`; may be repeated (default: "
      "builtin)");
  add("events", options::value<std::string>()->value_name("FILE"),
      "where events go as NDJSON; `-` is standard output");
  add("backend", options::value<std::string>()->value_name("NAME"),
      "lsm, fmod_ret or portable (default: the best that is proved to work)");
  add("require", options::value<std::string>()->value_name("deny|kill"),
      "refuse to start where what the scope binds could not be denied (or killed)");
  add("user", options::value<std::string>()->value_name("NAME"),
      "as whom the command runs (default: who called, under sudo too)");
  add("findings", options::value<std::string>()->value_name("live|end|none"),
      "when findings are shown on standard error (default: live)");
  add("keep", "leave processes of the task that outlive the command, bound until they end");
  add("help,h", "this text");
  return all;
}

std::string usage() {
  std::ostringstream text;
  text << "Usage: ambit run [options] -- CMD [ARG…]\n\n"
          "Runs CMD bound to a task scope from its first instruction and ends with its status:\n"
          "128+n after signal n, 125 for a failure of Ambit's own, 126 not executable, 127 not\n"
          "found, 2 wrong usage.\n\n"
       << described();
  return text.str();
}

Result<pipeline::Require> parse_require(const std::string& text) {
  if (text == "deny") return pipeline::Require::deny;
  if (text == "kill") return pipeline::Require::kill;
  return fail("--require takes deny or kill, not \"" + text + "\"");
}

Result<Wanted> take(const options::variables_map& values) {
  Wanted wanted;
  const auto text = [&](const char* name) -> std::optional<std::string> {
    if (values.count(name) == 0) return std::nullopt;
    return values[name].as<std::string>();
  };
  wanted.run.scope = text("scope");
  wanted.run.events = text("events");
  wanted.run.user = text("user");
  wanted.run.keep = values.count("keep") != 0;
  if (values.count("catalogue") != 0)
    wanted.run.catalogue = values["catalogue"].as<std::vector<std::string>>();
  if (auto backend = text("backend")) {
    auto parsed = pipeline::parse_backend(*backend);
    if (!parsed) return std::unexpected(parsed.error());
    wanted.run.backend = *parsed;
  }
  if (auto require = text("require")) {
    auto parsed = parse_require(*require);
    if (!parsed) return std::unexpected(parsed.error());
    wanted.run.require = *parsed;
  }
  wanted.findings = text("findings").value_or("live");
  if (wanted.findings != "live" && wanted.findings != "end" && wanted.findings != "none")
    return fail("--findings takes live, end or none, not \"" + wanted.findings + "\"");
  return wanted;
}

Result<Wanted> parse(std::span<const std::string> arguments) {
  const auto separator = std::ranges::find(arguments, "--");
  // Without `--` the command begins at the first word that is no option: that is easy to get
  // wrong, so it is asked for. An option that lacks its value is the nearer mistake.
  const bool cut_short = !arguments.empty() && needs_value(arguments.back(), described());
  if (separator == arguments.end() && !cut_short)
    return fail("the command must stand behind `--`: ambit run [options] -- CMD");
  const std::span<const std::string> own(arguments.begin(), separator);
  auto values = parse_options(own, {.options = described(), .positional = {}});
  if (!values) return std::unexpected(values.error());
  auto wanted = take(*values);
  if (!wanted) return wanted;
  wanted->run.command.assign(separator + 1, arguments.end());
  if (wanted->run.command.empty()) return fail("no command stands behind `--`");
  return wanted;
}

}  // namespace

int run_command(std::span<const std::string> arguments) {
  const auto own_end = std::ranges::find(arguments, "--");
  if (std::any_of(arguments.begin(), own_end,
                  [](const std::string& word) { return word == "--help" || word == "-h"; })) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  auto wanted = parse(arguments);
  if (!wanted) {
    std::fprintf(stderr, "ambit run: %s\nTry `ambit run --help`.\n",
                 wanted.error().message.c_str());
    return kUsage;
  }
  const bool colour = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::string at_end;
  std::uint64_t shown = 0;
  if (wanted->findings != "none")
    wanted->run.watcher = [&](const model::Event& event) {
      // What was joined from events tells a person nothing new when the last of them was just
      // shown.
      const bool told = event.kind == model::Kind::finding &&
                        std::ranges::find(event.evidence, shown) != event.evidence.end();
      const std::string text = told ? "" : sink::render_for_terminal(event, colour);
      if (event.finding) shown = event.seq;
      if (wanted->findings == "live")
        std::fputs(text.c_str(), stderr);
      else
        at_end += text;
    };
  const pipeline::RunOutcome outcome = pipeline::run(wanted->run);
  std::fputs(at_end.c_str(), stderr);
  if (!outcome.error.empty()) std::fprintf(stderr, "ambit: %s\n", outcome.error.c_str());
  return outcome.exit_status;
}

}  // namespace ambit::cli
