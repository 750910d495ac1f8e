// SPDX-License-Identifier: Apache-2.0
// When which name must be looked up again, and which addresses count until then.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/policy/hosts_match.h"
#include "userspace/policy/resolver.h"

namespace ambit::policy {

/// Asks nobody and reads no clock. Each name is due at once; the last answer holds until the next
/// one, and an address that an answer no longer has stays for the old answer's life and a minute,
/// so that a rotation refuses no use that is under way.
class NameWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  NameWatch(const std::vector<std::string>& names, Time now);

  /// Names to look up now; each stays due until it is answered or has failed.
  [[nodiscard]] std::vector<std::string> due(Time now) const;
  /// When something is next to do: a look-up or an address that leaves. Empty: never.
  [[nodiscard]] std::optional<Time> next() const;

  /// What a look-up gave; names that are not watched are ignored. True: `addresses()` changed.
  [[nodiscard]] bool answered(const std::string& name, const Resolved& answer, Time now);
  void failed(const std::string& name, Time now);
  /// Lets go of addresses whose time is over. True: `addresses()` changed.
  [[nodiscard]] bool expire(Time now);

  [[nodiscard]] ResolvedNames addresses() const;
  /// As answered() takes them, for another watch of the same names; without a life.
  [[nodiscard]] std::map<std::string, Resolved> answers() const;

  [[nodiscard]] bool watches(const std::string& name) const { return names_.contains(name); }
  /// Of names that both watch, what the other one knows and when it is due.
  void take_over(const NameWatch& other);

 private:
  using Duration = std::chrono::steady_clock::duration;

  struct Watched {
    Time next;
    Duration backoff{};  ///< zero: the last look-up was answered
    Duration life{};     ///< of the last answer
    std::vector<Address> current;
    std::map<Address, Time> leaving;
  };

  [[nodiscard]] static std::vector<Address> all_of(const Watched& watched);

  std::map<std::string, Watched> names_;
};

}  // namespace ambit::policy
