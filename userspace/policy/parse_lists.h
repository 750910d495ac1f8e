// SPDX-License-Identifier: Apache-2.0
// The lists that scopes and credentials have in common: patterns and destinations.
#pragma once

#include <string_view>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/document_reader.h"

namespace ambit::policy {

/// What one destination says before it is known to be whole.
struct DestinationDraft {
  model::DestinationRule rule;
  std::vector<const DocumentNode*> places;  ///< of host, cidr and unix: exactly one must be there
  const DocumentNode* ports = nullptr;
  const DocumentNode* protocol = nullptr;
};

void read_host(Reporter& report, const DocumentNode& value, DestinationDraft& into);
void read_cidr(Reporter& report, const DocumentNode& value, DestinationDraft& into);
void read_unix(Reporter& report, const DocumentNode& value, DestinationDraft& into);
void read_ports(Reporter& report, const DocumentNode& value, DestinationDraft& into);
void read_protocol(Reporter& report, const DocumentNode& value, DestinationDraft& into);

inline constexpr std::array kDestinationKeys{
    Key<DestinationDraft>{.facts = {.name = "host", .shape = Shape::text}, .read = read_host},
    Key<DestinationDraft>{.facts = {.name = "cidr", .shape = Shape::text}, .read = read_cidr},
    Key<DestinationDraft>{.facts = {.name = "unix", .shape = Shape::text}, .read = read_unix},
    Key<DestinationDraft>{.facts = {.name = "ports", .shape = Shape::list}, .read = read_ports},
    Key<DestinationDraft>{.facts = {.name = "protocol", .shape = Shape::scalar_or_list},
                          .read = read_protocol},
};

/// Only the good ones are in the result; the others are reported.
[[nodiscard]] std::vector<model::DestinationRule> read_destinations(Reporter& report,
                                                                    const DocumentNode& list,
                                                                    std::string_view what);

/// As above for the metadata endpoints of a credential: addresses and exact names.
[[nodiscard]] std::vector<model::DestinationRule> read_endpoints(Reporter& report,
                                                                 const DocumentNode& list);

[[nodiscard]] std::vector<model::Pattern> read_patterns(Reporter& report, const DocumentNode& list,
                                                        std::string_view what);

}  // namespace ambit::policy
