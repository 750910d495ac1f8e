// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/leave_hooks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "userspace/base/descriptor.h"

namespace ambit::pipeline {

namespace {

/// What else this process has open (events, the terminal, what the caller gave) is nobody's
/// business any longer: a reader of it waits for the end.
void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned next = 0;
  for (const int fd : kept) {
    const auto here = static_cast<unsigned>(fd);
    if (here > next) ::close_range(next, here - 1, 0);
    next = here + 1;
  }
  ::close_range(next, ~0U, 0);
}

}  // namespace

void leave_hooks(const kernel::Sensor& sensor) {
  std::vector<int> kept = sensor.link_descriptors();
  std::array<int, 2> ends{};
  if (kept.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const Descriptor parent_ended(ends[0]);
  Descriptor parent_lives(ends[1]);
  if (::fork() != 0) {
    static_cast<void>(parent_lives.release());  // the end of this process closes it
    return;
  }
  ::setsid();
  if (::chdir("/") != 0) ::_exit(1);
  kept.push_back(parent_ended.get());
  close_all_but(std::move(kept));
  char none = 0;
  while (::read(parent_ended.get(), &none, 1) > 0) continue;
  ::_exit(0);
}

}  // namespace ambit::pipeline
