// SPDX-License-Identifier: Apache-2.0
// What a daemon leaves when it dies, and the next one goes on with: programs and maps pinned in
// bpffs, and beside them the documents of the tasks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::pipeline {

struct Places {
  std::string pins;   ///< a directory of its own in bpffs
  std::string state;  ///< a directory of its own, best on tmpfs
};

/// Those of the daemon behind a control socket: each has its own.
[[nodiscard]] Places places_of(const std::string& socket);

/// Of one process at a time.
class Estate {
 public:
  /// Makes both directories, and waits for another daemon that is about to end.
  [[nodiscard]] static Result<Estate> enter(const Places& places);

  /// Where pins are that a daemon can go on with; whether they are there is not said.
  [[nodiscard]] std::string pins() const { return places_.pins + "/live"; }
  /// An empty directory for new ones; they count from publish() on, all at once.
  [[nodiscard]] Result<std::string> prepare_pins() const;
  [[nodiscard]] Result<void> publish() const;
  /// The number of pins that were taken away.
  [[nodiscard]] Result<std::size_t> remove_pins() const;

  /// Where the documents that belong to one generation of pins are. Those of others mean nothing
  /// any more, and are removed.
  [[nodiscard]] Result<std::string> documents(std::uint64_t generation) const;
  [[nodiscard]] std::string documents_of(std::uint64_t generation) const;
  void remove_documents() const;
  /// What tasks must leave alone, with the directories above it: nobody unmounts bpffs. Not the
  /// documents: a task may have put others beside them.
  [[nodiscard]] std::vector<std::string> own_files() const;

 private:
  Estate(Places places, Descriptor lock) : places_(std::move(places)), lock_(std::move(lock)) {}
  Places places_;
  Descriptor lock_;
};

/// The process that has the lock; 0: none.
[[nodiscard]] int owner_of(const std::string& state);

}  // namespace ambit::pipeline
