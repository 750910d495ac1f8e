// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/daemon.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string_view>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/daemon/config_file.h"
#include "userspace/daemon/daemon.h"
#include "userspace/pipeline/guard.h"
#include "userspace/policy/document_reader.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;

options::options_description described() {
  options::options_description all("Options");
  auto add = all.add_options();
  add("config", options::value<std::string>()->value_name("FILE"),
      "a document of kind Config; `ambit check` judges it the same way");
  add("root", options::value<std::string>()->value_name("DIR"),
      "in a container: where the machine's root is mounted; all paths, FILE included, are in it");
  add("shadow",
      "every task is decided and reported, and nothing is stopped, whatever its scope says");
  add("log-level", options::value<std::string>()->value_name("LEVEL")->default_value("info"),
      "from which level on its own lines go to standard error: debug, info, warning or error");
  add("log-format", options::value<std::string>()->value_name("FORMAT")->default_value("plain"),
      "plain, or json: one object a line");
  add("help,h", "this text");
  return all;
}

std::string usage() {
  return "Usage: ambit daemon [--root DIR] [--shadow] --config FILE\n\n"
         "Serves tasks of running processes on a Unix socket (docs/openapi.yaml) until SIGTERM.\n"
         "SIGHUP: reads the configuration, the catalogue and the named scopes anew.\n"
         "`ambit task` and `ambit status` are its clients.\n\n" +
         describe(described());
}

/// Credentials, programs, homes and name servers are those of the machine, not of the image.
Result<void> enter(const std::string& root) {
  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) return fail_errno("cannot enter " + root);
  return {};
}

/// The program's place is told where it is not below the root any more.
Result<std::optional<model::FileId>> enter_root(const options::variables_map& values) {
  if (values.count("root") == 0) return std::nullopt;
  auto program = pipeline::own_program();
  if (!program) return std::unexpected(program.error());
  if (auto entered = enter(values["root"].as<std::string>()); !entered)
    return std::unexpected(entered.error());
  return *program;
}

constexpr std::array kLevels{
    policy::Word<daemon::LogLevel>{.spelling = "debug", .value = daemon::LogLevel::debug},
    policy::Word<daemon::LogLevel>{.spelling = "info", .value = daemon::LogLevel::info},
    policy::Word<daemon::LogLevel>{.spelling = "warning", .value = daemon::LogLevel::warning},
    policy::Word<daemon::LogLevel>{.spelling = "error", .value = daemon::LogLevel::error},
};
constexpr std::array kFormats{
    policy::Word<daemon::LogFormat>{.spelling = "plain", .value = daemon::LogFormat::plain},
    policy::Word<daemon::LogFormat>{.spelling = "json", .value = daemon::LogFormat::json},
};

template <typename Table>
bool is_read(const Table& table, const std::string& word, auto& into) {
  for (const auto& row : table)
    if (row.spelling == word) {
      into = row.value;
      return true;
    }
  return false;
}

Result<daemon::LogOptions> log_options(const options::variables_map& values) {
  daemon::LogOptions log;
  if (!is_read(kLevels, values["log-level"].as<std::string>(), log.level))
    return fail("--log-level is debug, info, warning or error");
  if (!is_read(kFormats, values["log-format"].as<std::string>(), log.format))
    return fail("--log-format is plain or json");
  return log;
}

}  // namespace

int daemon_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = described(), .positional = {}});
  if (!values) return usage_error(std::cerr, "daemon", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  if (values->count("config") == 0) return usage_error(std::cerr, "daemon", "--config is missing");
  const auto log = log_options(*values);
  if (!log) return usage_error(std::cerr, "daemon", log.error().message);
  const auto program = enter_root(*values);
  if (!program) {
    std::fprintf(stderr, "ambit daemon: %s\n", program.error().message.c_str());
    return kExitInternal;
  }
  const auto config = daemon::read_config((*values)["config"].as<std::string>());
  if (!config) {
    std::fputs(policy::render(config.error()).c_str(), stderr);
    return kExitFaults;
  }
  const auto served = daemon::serve(
      *config, {.log = *log, .shadow = values->count("shadow") != 0, .program = *program});
  return served ? kExitOk : kExitInternal;  // its log has said why
}

}  // namespace ambit::cli
