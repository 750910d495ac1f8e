// SPDX-License-Identifier: Apache-2.0
// Holders that a daemon left when it ended. They go on answering until others do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/holders.h"

namespace ambit::pipeline {

class LeftHolders {
 public:
  /// All that stand in a directory of documents.
  [[nodiscard]] static std::vector<std::unique_ptr<LeftHolders>> find(const std::string& directory,
                                                                      const kernel::Sensor& sensor);
  /// A name for new ones there (HolderSetup::left_in).
  [[nodiscard]] static std::string next_name(const std::string& directory);
  LeftHolders(const LeftHolders&) = delete;
  LeftHolders& operator=(const LeftHolders&) = delete;
  ~LeftHolders();

  /// Gives what they told and nobody has written.
  void drain(const RecordPipe::Sink& sink);
  /// They stop, and no other ones come in their place. Before they end what they told is taken.
  void end(const RecordPipe::Sink& sink);
  /// What was drained is written: nothing of them is left.
  void forget();
  [[nodiscard]] const HolderShared& shared() const { return *shared_; }

 private:
  explicit LeftHolders(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] bool map();
  void take_pipes(const kernel::Sensor& sensor);
  [[nodiscard]] bool are_alive(const kernel::Sensor& sensor) const;

  std::string name_;
  HolderShared* shared_ = nullptr;
  const kernel::Sensor* sensor_ = nullptr;
  RecordPipe findings_;
  RecordPipe records_;
};

}  // namespace ambit::pipeline
