// SPDX-License-Identifier: Apache-2.0
// One process outside every task that does what it is told and keeps what it opened: what a holder
// may do after its scope has changed.
#pragma once

#include <sys/types.h>

#include <string>

#include "userspace/base/descriptor.h"

namespace ambit::probe {

class Puppet {
 public:
  Puppet();
  Puppet(const Puppet&) = delete;
  Puppet& operator=(const Puppet&) = delete;
  ~Puppet();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Each gives 0, or the errno; -1: the process is gone.
  int open(const std::string& path);  ///< and keeps it
  int map(const std::string& path);   ///< and keeps that, without the descriptor
  int connect(int port);              ///< to the loopback, and keeps it
  int send(const std::string& text);  ///< over the last connection
  /// What comes by the last descriptor from its beginning, by the mapping, or by the last
  /// connection within a second; "errno N" where it is refused, "" where there is nothing.
  [[nodiscard]] std::string read();
  [[nodiscard]] std::string look();
  [[nodiscard]] std::string receive();

 private:
  struct Answer {
    int code = -1;
    std::string text;
  };
  Answer ask(char what, const std::string& text);
  [[nodiscard]] std::string text_of(char what);

  pid_t pid_ = -1;
  Descriptor to_;
  Descriptor from_;
};

}  // namespace ambit::probe
