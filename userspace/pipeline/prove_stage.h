// SPDX-License-Identifier: Apache-2.0
// What a proof needs around it: a secret file, ports and sockets where nobody answers, and the
// entries of a tiny policy in the tables. All of it goes when the stage does.
#pragma once

#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"
#include "userspace/model/tables.h"

namespace ambit::pipeline {

/// How the bound process is bound, one after the other.
enum class Phase : std::uint8_t {
  observed,  ///< files and network bound, programs only observed
  bound,     ///< everything bound, nothing allowed
  ended,     ///< the scope has expired
};

struct UnixName {
  sockaddr_un address{};
  socklen_t length = 0;
};

/// Names and descriptors that the process uses: only plain memory, since it is read after fork().
struct Props {
  std::array<char, 128> secret{};
  std::array<char, 128> link{};
  std::array<char, 128> renamed{};
  const char* program = nullptr;    ///< one that can be executed; null: none was found
  std::array<char, 128> guarded{};  ///< a file that counts as the event file
  std::array<char, 128> directory{};
  int secret_fd = -1;  ///< the secret, opened before anyone was bound
  int channel = -1;    ///< where descriptors are received
  sockaddr_in tcp4{};  ///< bound, not listening
  sockaddr_in udp4{};
  sockaddr_in6 tcp6{};
  sockaddr_in6 udp6{};
  bool ipv6 = false;
  UnixName stream;
  UnixName datagram;
};

class Stage {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Stage>> set_up(kernel::Sensor& sensor);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  [[nodiscard]] const Props& props() const { return props_; }
  [[nodiscard]] Result<void> enter(Phase phase);
  /// Sends the secret's descriptor into `props().channel`.
  [[nodiscard]] Result<void> send_secret();
  /// Binds a UDP port that the process has given up.
  void take_over(std::uint16_t port);
  /// A further file of the stage, as a path.
  [[nodiscard]] Result<std::string> make_file(const std::string& name);
  /// As TableWriter::put; taken out again at the end.
  [[nodiscard]] Result<void> put(const model::TableEntry& entry);

 private:
  explicit Stage(kernel::Sensor& sensor) : sensor_(sensor) {}
  [[nodiscard]] Result<void> make_directory();
  [[nodiscard]] Result<void> make_files();
  [[nodiscard]] Result<void> make_sockets();
  [[nodiscard]] Result<void> write_tables();
  [[nodiscard]] Result<void> write_policy(Phase phase);

  kernel::Sensor& sensor_;
  Props props_;
  std::string directory_;
  std::vector<std::string> files_;
  std::vector<Descriptor> sockets_;
  Descriptor secret_;
  Descriptor sender_;
  Descriptor receiver_;
  std::vector<std::pair<model::Table, std::string>> written_;
};

}  // namespace ambit::pipeline
