// SPDX-License-Identifier: Apache-2.0
// The operations whose cost is measured. Prints one line a batch: OPERATION NANOSECONDS of one.
//
//   ops [-l] [-g FD] [-k FILE] [-n BATCHES] [-o LETTERS] DIRECTORY TCP-PORT UDP-PORT
//
// -l in a Landlock domain; -g waits for a byte first; -k opens FILE, so that it is held from then
// on; -o which operations (f first open, o later opens, h the held file, c connect, u UDP send,
// x exec, p pipe write, s getppid). Static, and without allocation while it measures.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/ops_landlock.h"

static char directory[256], self[300], held[512];
static struct sockaddr_in tcp, udp;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void open_one(const char* path) {
  char buffer[16];
  int fd = open(path, O_RDONLY);

  if (fd < 0 || read(fd, buffer, sizeof(buffer)) < 0) die(path);
  close(fd);
}

static double later_opens(void) {
  enum { kCount = 400 };
  char path[300];
  double start;

  snprintf(path, sizeof(path), "%s/src/file", directory);
  start = now();
  for (int i = 0; i < kCount; i++) open_one(path);
  return (now() - start) / kCount;
}

static double held_opens(void) {
  enum { kCount = 200 };
  double start = now();

  for (int i = 0; i < kCount; i++) open_one(held);
  return (now() - start) / kCount;
}

// Each file is opened once, by a name that the kernel knows already: mknod() makes it without
// opening it.
static double first_opens(void) {
  enum { kCount = 200 };
  static char path[kCount][300];
  static int made;
  double start, end;

  for (int i = 0; i < kCount; i++) {
    snprintf(path[i], sizeof(path[i]), "%s/src/new%06d", directory, made++);
    if (mknod(path[i], S_IFREG | 0600, 0) < 0) die(path[i]);
  }
  start = now();
  for (int i = 0; i < kCount; i++) open_one(path[i]);
  end = now();
  for (int i = 0; i < kCount; i++) unlink(path[i]);
  return (end - start) / kCount;
}

static double connects(void) {
  enum { kCount = 50 };
  // Reset at close: nothing is left in TIME_WAIT.
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  double start = now();

  for (int i = 0; i < kCount; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (connect(fd, (struct sockaddr*)&tcp, sizeof(tcp)) < 0) die("connect");
    close(fd);
  }
  return (now() - start) / kCount;
}

static double udp_sends(void) {
  enum { kCount = 200 };
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  double start = now();

  for (int i = 0; i < kCount; i++)
    if (sendto(fd, "x", 1, 0, (struct sockaddr*)&udp, sizeof(udp)) < 0) die("sendto");
  start = now() - start;
  close(fd);
  return start / kCount;
}

static pid_t start_self(void) {
  char* const words[] = {self, NULL};
  const pid_t pid = vfork();

  if (pid == 0) {
    execv(self, words);
    _exit(1);
  }
  return pid;
}

static double execs(void) {
  enum { kCount = 10 };
  double start = now();

  for (int i = 0; i < kCount; i++) {
    int status;
    const pid_t pid = start_self();

    if (waitpid(pid, &status, 0) != pid || status != 0) die("exec");
  }
  return (now() - start) / kCount;
}

static double pipe_writes(void) {
  enum { kCount = 1000 };
  int ends[2];
  double start;

  if (pipe(ends) < 0) die("pipe");
  start = now();
  for (int i = 0; i < kCount; i++)
    if (write(ends[1], "x", 1) != 1) die("write");
  start = now() - start;
  close(ends[0]);
  close(ends[1]);
  return start / kCount;
}

static double system_calls(void) {
  enum { kCount = 2000 };
  double start = now();

  for (int i = 0; i < kCount; i++) getppid();
  return (now() - start) / kCount;
}

static const struct {
  char letter;
  double (*run)(void);
  const char* name;
} kOperations[] = {{'f', first_opens, "first"}, {'o', later_opens, "open"},
                   {'h', held_opens, "held"},   {'c', connects, "connect"},
                   {'u', udp_sends, "udp"},     {'x', execs, "exec"},
                   {'p', pipe_writes, "pipe"},  {'s', system_calls, "getppid"}};

static struct sockaddr_in loopback(const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(port))};

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int main(int argc, char** argv) {
  const char* letters = "focuxps";
  int option, gate = -1, batches = 5, landlock = 0;
  char byte;

  if (argc == 1) return 0;  // what the exec operation starts
  while ((option = getopt(argc, argv, "lg:k:n:o:")) != -1) {
    if (option == 'l') landlock = 1;
    if (option == 'g') gate = atoi(optarg);
    if (option == 'k') snprintf(held, sizeof(held), "%s", optarg);
    if (option == 'n') batches = atoi(optarg);
    if (option == 'o') letters = optarg;
  }
  if (argc - optind != 3) return 2;
  snprintf(directory, sizeof(directory), "%s", argv[optind]);
  snprintf(self, sizeof(self), "%s/ops", directory);
  tcp = loopback(argv[optind + 1]);
  udp = loopback(argv[optind + 2]);
  if (gate >= 0 && read(gate, &byte, 1) != 1) return 1;
  if (landlock && enter_landlock(ntohs(tcp.sin_port)) < 0) die("landlock");
  if (held[0]) open_one(held);
  for (unsigned i = 0; i < sizeof(kOperations) / sizeof(kOperations[0]); i++) {
    if (!strchr(letters, kOperations[i].letter)) continue;
    for (int batch = 0; batch <= batches; batch++) {
      double cost = kOperations[i].run();

      if (batch > 0) printf("%s %.1f\n", kOperations[i].name, cost);  // the first warms up
    }
    fflush(stdout);
  }
  return 0;
}
