// SPDX-License-Identifier: Apache-2.0
// What stands outside every task and is shared by all cases: networks, collectors, cgroups.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/kernel/fixture/collector.h"
#include "tests/kernel/fixture/scratch.h"

namespace ambit::probe::evasion {

/// Puts this process into a network of its own, with the addresses that cases name. Before any
/// thread is there.
void enter_own_network();

/// Another network, with a collector in it; a file names it.
class OtherNetwork {
 public:
  explicit OtherNetwork(const std::string& file);
  OtherNetwork(const OtherNetwork&) = delete;
  OtherNetwork& operator=(const OtherNetwork&) = delete;
  ~OtherNetwork();

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::shared_ptr<Collector> collector() const { return collector_; }

 private:
  std::string file_;
  std::shared_ptr<Collector> collector_;
};

/// A loop device with a file system that shares extents, mounted; works() is false where there is
/// none.
class ReflinkMount {
 public:
  ReflinkMount(const std::string& image, const std::string& directory);
  ReflinkMount(const ReflinkMount&) = delete;
  ReflinkMount& operator=(const ReflinkMount&) = delete;
  ~ReflinkMount();

  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  bool mounted_ = false;
};

class Outside {
 public:
  explicit Outside(const Scratch& scratch);
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  ~Outside();

  [[nodiscard]] const OtherNetwork& network() const { return network_; }
  [[nodiscard]] const std::string& cgroup() const { return cgroup_; }
  [[nodiscard]] const std::string& reflinks() const { return reflinks_.directory(); }
  [[nodiscard]] const Collector& permitted_tcp() const { return tcp_; }
  [[nodiscard]] const Collector& permitted_udp() const { return udp_; }
  [[nodiscard]] const Collector& permitted_udp6() const { return udp6_; }

 private:
  OtherNetwork network_;
  ReflinkMount reflinks_;
  std::string cgroup_;
  Collector tcp_;
  Collector udp_;
  Collector udp6_;
};

}  // namespace ambit::probe::evasion
