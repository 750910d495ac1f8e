/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox that the costs are compared with: ten path rules, and network rules where the kernel
 * has them (6.7 and later).
 */
#ifndef AMBIT_OPS_LANDLOCK_H
#define AMBIT_OPS_LANDLOCK_H

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of Debian 12 is of 6.1. */
struct ops_ruleset {
  unsigned long long fs, net;
};
struct ops_net_port {
  unsigned long long access, port;
};
#define OPS_CONNECT_TCP 2ULL
#define OPS_RULE_NET_PORT 2
/* All rights of the first version. */
#define OPS_FS_ALL 0x1fffULL

static int add_path(int ruleset, const char* path) {
  struct landlock_path_beneath_attr rule = {.allowed_access = OPS_FS_ALL};

  rule.parent_fd = open(path, O_PATH | O_DIRECTORY);
  if (rule.parent_fd < 0) return -1;
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) return -1;
  return close(rule.parent_fd);
}

static int add_port(int ruleset, unsigned short port) {
  struct ops_net_port rule = {OPS_CONNECT_TCP, port};

  return (int)syscall(SYS_landlock_add_rule, ruleset, OPS_RULE_NET_PORT, &rule, 0);
}

/* What is opened lies in /tmp, one of the ten. */
static int enter_landlock(unsigned short port) {
  static const char* const paths[] = {"/usr", "/etc", "/dev",  "/proc", "/sys",
                                      "/run", "/var", "/home", "/root", "/tmp"};
  struct ops_ruleset rules = {.fs = OPS_FS_ALL};
  long abi = syscall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
  int ruleset;

  if (abi >= 4) rules.net = OPS_CONNECT_TCP;
  ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, abi >= 4 ? 16UL : 8UL, 0);
  if (ruleset < 0) return -1;
  for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
    if (add_path(ruleset, paths[i]) < 0) return -1;
  if (rules.net && (add_port(ruleset, port) < 0 || add_port(ruleset, 443) < 0)) return -1;
  return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

#endif
