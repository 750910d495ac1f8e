// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>
#include <vector>

#include "userspace/cli/run.h"

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.empty() || arguments.front() != "run") return 2;
  return ambit::cli::run_command(std::span(arguments).subspan(1));
}
