// SPDX-License-Identifier: Apache-2.0
// A program with a loader. Says that it ran by a file LAST-ARGUMENT.ran, unless its first argument
// is "quiet" (then nothing) or "dlopen" (then it loads the second).
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  char path[4096];

  if (argc > 2 && !strcmp(argv[1], "dlopen")) return dlopen(argv[2], RTLD_NOW) ? 0 : 1;
  if (argc < 2 || !strcmp(argv[1], "quiet")) return 0;
  snprintf(path, sizeof(path), "%s.ran", argv[argc - 1]);
  close(open(path, O_WRONLY | O_CREAT, 0644));
  return 0;
}
