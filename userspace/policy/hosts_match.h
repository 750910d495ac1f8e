// SPDX-License-Identifier: Apache-2.0
// Which resolved names a host of a destination rule means.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/policy/destinations_address.h"

namespace ambit::policy {

/// Host name -> its addresses (IPv4 mapped).
using ResolvedNames = std::map<std::string, std::vector<Address>>;

/// Lower case, without the dot that may end a name.
[[nodiscard]] std::string plain_host(std::string_view name);

/// True for "*.example.com".
[[nodiscard]] bool is_wildcard(std::string_view host);

/// Resolved names in an order in which all names below a domain stand together, so that thousands
/// of wildcards over thousands of names stay cheap.
class NameIndex {
 public:
  struct Entry {
    std::string name;
    std::vector<Address> addresses;
  };

  explicit NameIndex(const ResolvedNames& resolved);

  /// The entries that `host` means: "*.example.com" is every name below example.com and never
  /// itself, any other only itself. None where nothing was resolved.
  [[nodiscard]] std::vector<const Entry*> find(std::string_view host) const;

 private:
  std::map<std::string, Entry> by_reversed_labels_;
};

}  // namespace ambit::policy
