// SPDX-License-Identifier: Apache-2.0
// Host names -> addresses, through a seam: later the agent's own look-ups take this place.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/policy/destinations_address.h"

namespace ambit::policy {

struct Resolved {
  std::vector<Address> addresses;  ///< sorted, never empty
  std::chrono::seconds ttl{};      ///< the least of the answer's records
  bool from_file = false;          ///< of /etc/hosts: it has no life
};

class NameSource {
 public:
  virtual ~NameSource() = default;
  [[nodiscard]] virtual Result<Resolved> resolve(const std::string& host) = 0;
  /// One answer for each name. A source that can asks for all at once.
  [[nodiscard]] virtual std::map<std::string, Result<Resolved>> resolve_all(
      const std::vector<std::string>& hosts);

 protected:
  NameSource() = default;
  NameSource(const NameSource&) = default;
  NameSource& operator=(const NameSource&) = default;
  NameSource(NameSource&&) = default;
  NameSource& operator=(NameSource&&) = default;
};

struct ResolverOptions {
  std::chrono::milliseconds limit{2000};  ///< for all names of a call together
  bool hosts_file = true;                 ///< false: DNS alone
  std::string servers;                    ///< "127.0.0.1:5353,…"; empty: those of resolv.conf
};

/// /etc/hosts first, then DNS (A and AAAA). A call never lasts longer than the limit.
class Resolver final : public NameSource {
 public:
  explicit Resolver(ResolverOptions options = {}) : options_(std::move(options)) {}

  [[nodiscard]] Result<Resolved> resolve(const std::string& host) override;
  [[nodiscard]] std::map<std::string, Result<Resolved>> resolve_all(
      const std::vector<std::string>& hosts) override;

 private:
  ResolverOptions options_;
};

/// The `nameserver` lines, without scope ids; as in libc 127.0.0.1 where there are none.
[[nodiscard]] std::vector<Address> parse_resolvers(std::string_view resolv_conf);

/// The same of a file; an absent one counts as empty, one that cannot be read is an error.
[[nodiscard]] Result<std::vector<Address>> configured_resolvers(
    const std::string& path = "/etc/resolv.conf");

}  // namespace ambit::policy
