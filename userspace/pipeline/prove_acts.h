// SPDX-License-Identifier: Apache-2.0
// The operations of a proof. They run after fork() in a process that may have had threads: system
// calls only. Each gives kDone, an errno, kCannotBeTried or kWasKilled.
#pragma once

#include <cstdint>

#include "userspace/pipeline/prove_stage.h"

namespace ambit::pipeline {

/// What the process has made itself on the way. Each is gone when the process is.
struct Belongings {
  int listener = -1;
  int connection = -1;
  int datagrams = -1;
  std::uint16_t port = 0;  ///< of `datagrams`
  int gate = -1;           ///< closing it lets the child process end
  int child = 0;
};

/// Beyond errno: what an operation answers.
inline constexpr int kDone = 0;
inline constexpr int kCannotBeTried = -1;
inline constexpr int kWasKilled = -2;

[[nodiscard]] int open_secret(const Props& props, Belongings& mine);
[[nodiscard]] int truncate_secret(const Props& props, Belongings& mine);
[[nodiscard]] int receive_secret(const Props& props, Belongings& mine);
[[nodiscard]] int link_secret(const Props& props, Belongings& mine);
[[nodiscard]] int rename_secret(const Props& props, Belongings& mine);
[[nodiscard]] int chmod_secret(const Props& props, Belongings& mine);
[[nodiscard]] int chown_secret(const Props& props, Belongings& mine);
[[nodiscard]] int unlink_secret(const Props& props, Belongings& mine);
[[nodiscard]] int start_child(const Props& props, Belongings& mine);
[[nodiscard]] int end_child(const Props& props, Belongings& mine);
[[nodiscard]] int execute(const Props& props, Belongings& mine);
[[nodiscard]] int connect4(const Props& props, Belongings& mine);
[[nodiscard]] int send4(const Props& props, Belongings& mine);
[[nodiscard]] int connect6(const Props& props, Belongings& mine);
[[nodiscard]] int send6(const Props& props, Belongings& mine);
[[nodiscard]] int bind6(const Props& props, Belongings& mine);
[[nodiscard]] int connect_unix(const Props& props, Belongings& mine);
[[nodiscard]] int send_unix(const Props& props, Belongings& mine);
[[nodiscard]] int open_vsock(const Props& props, Belongings& mine);
[[nodiscard]] int open_packet(const Props& props, Belongings& mine);
[[nodiscard]] int listen_itself(const Props& props, Belongings& mine);
[[nodiscard]] int set_option(const Props& props, Belongings& mine);
[[nodiscard]] int ask_for_port(const Props& props, Belongings& mine);
[[nodiscard]] int connect_to_itself(const Props& props, Belongings& mine);
[[nodiscard]] int send_on_connection(const Props& props, Belongings& mine);
[[nodiscard]] int bind_itself(const Props& props, Belongings& mine);
[[nodiscard]] int send_to_itself(const Props& props, Belongings& mine);
[[nodiscard]] int send_datagram(const Props& props, Belongings& mine);
[[nodiscard]] int receive_datagram(const Props& props, Belongings& mine);
[[nodiscard]] int close_port(const Props& props, Belongings& mine);
[[nodiscard]] int send_to_old_port(const Props& props, Belongings& mine);
[[nodiscard]] int read_open_secret(const Props& props, Belongings& mine);

}  // namespace ambit::pipeline
