// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "userspace/base/ignored_signal.h"
#include "userspace/cli/command.h"

int main(int count, char** words) {
  // Whoever ignores it hands that on, and then no child could be waited for.
  std::signal(SIGCHLD, SIG_DFL);
  // A limit of file sizes is a failed write, as a full disk is. A handler and not SIG_IGN: programs
  // that are started from here have the signal as it was.
  if (!ambit::ignores_signal(SIGXFSZ)) std::signal(SIGXFSZ, [](int) {});
  // Libraries throw; a person gets a sentence all the same.
  try {
    const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
    const int status = ambit::cli::dispatch(arguments, ambit::cli::commands(),
                                            {.out = std::cout, .err = std::cerr});
    if (std::cout.flush()) return status;
    std::fputs("ambit: the output cannot be written\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ambit: %s\n", error.what());
  } catch (...) {
    std::fputs("ambit: failed without saying why\n", stderr);
  }
  return ambit::cli::kExitInternal;
}
