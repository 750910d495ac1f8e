// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/daemon.h"

#include <cstdio>
#include <iostream>
#include <variant>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/daemon/daemon.h"
#include "userspace/policy/document.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;

options::options_description described() {
  options::options_description all("Options");
  all.add_options()("config", options::value<std::string>()->value_name("FILE"),
                    "a document of kind Config; `ambit check` judges it the same way")("help,h",
                                                                                       "this text");
  return all;
}

std::string usage() {
  return "Usage: ambit daemon --config FILE\n\n"
         "Serves tasks of running processes on a Unix socket (docs/openapi.yaml) until SIGTERM.\n"
         "`ambit task` and `ambit status` are its clients.\n\n" +
         describe(described());
}

}  // namespace

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

int daemon_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = described(), .positional = {}});
  if (!values) return usage_error(std::cerr, "daemon", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  if (values->count("config") == 0) return usage_error(std::cerr, "daemon", "--config is missing");
  const auto config = load_config((*values)["config"].as<std::string>());
  if (!config) {
    std::fputs(config.error().message.c_str(), stderr);
    return kExitFaults;
  }
  if (auto served = daemon::serve(*config); !served) {
    std::fprintf(stderr, "ambit daemon: %s\n", served.error().message.c_str());
    return kExitInternal;
  }
  return kExitOk;
}

}  // namespace ambit::cli
