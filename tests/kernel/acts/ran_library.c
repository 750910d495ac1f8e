// SPDX-License-Identifier: Apache-2.0
// A library that says that it was loaded: by a file LAST-ARGUMENT.ran of the program.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(int argc, char** argv) {
  char path[4096];

  snprintf(path, sizeof(path), "%s.ran", argv[argc - 1]);
  close(open(path, O_WRONLY | O_CREAT, 0644));
}
