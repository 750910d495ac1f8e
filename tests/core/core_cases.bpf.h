/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* One case of the decisions, as it goes into the kernel and comes back. */
#ifndef AMBIT_CORE_CASES_BPF_H
#define AMBIT_CORE_CASES_BPF_H

#include "bpf/core/tables.h"

enum case_operation { CASE_OPEN, CASE_REACH, CASE_EXECUTE, CASE_RECOGNISE, CASE_GUARD };

#define CASE_MAX_COMPONENTS 64
#define CASE_MAX_CREDENTIALS 8

struct case_component {
  __u64 ino; /* of the directory that it stands in */
  __u32 dev;
  __u32 length;
  char name[256];
};

struct case_input {
  __u32 operation;
  __u32 slot;
  struct core_mask held;
  struct core_mask readers;
  __u64 now_boot_ns;
  __u16 credential[CASE_MAX_CREDENTIALS];
  __u32 credential_count;
  __u32 program;
  __u8 address[16];
  __u16 port;
  __u8 protocol;
  __u8 other;
  __u32 own;
  __u32 aim;
  __u32 privilege;
  __u32 space;
  __u64 ino;
  __u32 dev;
  __u32 by_inode;
  __u32 reserved;
  __u32 count;
  struct case_component components[CASE_MAX_COMPONENTS]; /* the file first */
};

struct case_output {
  __u32 decided;
  __u8 reason;
  __u8 requested;
  __u8 effect;
  __u8 shadow;
  struct core_mask blocking;
  struct core_mask gained;
  struct core_mask mask;
  __u16 credential[CORE_MAX_MATCHES];
  __u8 count;
  __u8 flags;
  __u16 overflow;
  __u8 reserved[4];
};

#endif
