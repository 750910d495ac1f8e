// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/release.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/daemon/config_file.h"
#include "userspace/pipeline/release.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;

options::options_description described() {
  options::options_description all("Options");
  auto add = all.add_options();
  add("all", "every task, every program and every file; it must be said");
  add("config", options::value<std::string>()->value_name("FILE"),
      "the daemon's, where its socket is not at the usual place");
  add("json", "what was taken away, for programs");
  add("help,h", "this text");
  return all;
}

std::string usage() {
  return "Usage: ambit release --all [--config FILE]\n\n"
         "Takes everything of the daemon's away at once, whether it runs or not: it is killed, "
         "the\n"
         "processes of its tasks go on unbound, programs and maps are unpinned. Exit 0: nothing\n"
         "is left, also where nothing was.\n\n" +
         describe(described());
}

void print(const pipeline::Released& released, bool json) {
  if (json) {
    std::cout << nlohmann::json{{"daemon", released.daemon},
                                {"processes", released.processes},
                                {"pins", released.pins}}
                     .dump()
              << "\n";
    return;
  }
  if (released.daemon == 0 && released.processes.empty() && released.pins == 0) {
    std::cout << "nothing was there\n";
    return;
  }
  if (released.daemon != 0) std::cout << "killed the daemon, process " << released.daemon << "\n";
  std::cout << "let " << released.processes.size() << " processes go\n"
            << "removed " << released.pins << " pins\n";
}

}  // namespace

int release_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, {.options = described(), .positional = {}});
  if (!values) return usage_error(std::cerr, "release", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  if (values->count("all") == 0) return usage_error(std::cerr, "release", "--all is wanted");
  model::Config config;
  if (values->count("config") != 0) {
    auto loaded = daemon::read_config((*values)["config"].as<std::string>());
    if (!loaded) {
      std::fputs(policy::render(loaded.error()).c_str(), stderr);
      return kExitFaults;
    }
    config = std::move(*loaded);
  }
  const auto released = pipeline::release_all(pipeline::places_of(config.socket));
  if (!released) {
    std::fprintf(stderr, "ambit: %s\n", released.error().message.c_str());
    return kExitInternal;
  }
  print(*released, values->count("json") != 0);
  return kExitOk;
}

}  // namespace ambit::cli
