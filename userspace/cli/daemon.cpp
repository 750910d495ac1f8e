// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/daemon.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <optional>
#include <variant>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/daemon/daemon.h"
#include "userspace/pipeline/guard.h"
#include "userspace/policy/document.h"

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
  add("help,h", "this text");
  return all;
}

std::string usage() {
  return "Usage: ambit daemon [--root DIR] [--shadow] --config FILE\n\n"
         "Serves tasks of running processes on a Unix socket (docs/openapi.yaml) until SIGTERM.\n"
         "`ambit task` and `ambit status` are its clients.\n\n" +
         describe(described());
}

/// The error is the rendered diagnostics.
Result<model::Config> load_config(const std::string& path) {
  const policy::ParsedFile parsed = policy::parse_document_file(path);
  if (policy::has_errors(parsed.diagnostics)) return fail(policy::render(parsed.diagnostics));
  const auto* const config = parsed.documents.size() == 1
                                 ? std::get_if<model::Config>(&parsed.documents.front())
                                 : nullptr;
  if (config == nullptr)
    return fail(path + ": error: exactly one document of kind Config is wanted\n");
  return *config;
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

}  // namespace

int daemon_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = described(), .positional = {}});
  if (!values) return usage_error(std::cerr, "daemon", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  if (values->count("config") == 0) return usage_error(std::cerr, "daemon", "--config is missing");
  const auto program = enter_root(*values);
  if (!program) {
    std::fprintf(stderr, "ambit daemon: %s\n", program.error().message.c_str());
    return kExitInternal;
  }
  const auto config = load_config((*values)["config"].as<std::string>());
  if (!config) {
    std::fputs(config.error().message.c_str(), stderr);
    return kExitFaults;
  }
  if (auto served =
          daemon::serve(*config, {.shadow = values->count("shadow") != 0, .program = *program});
      !served) {
    std::fprintf(stderr, "ambit daemon: %s\n", served.error().message.c_str());
    return kExitInternal;
  }
  return kExitOk;
}

}  // namespace ambit::cli
