// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/parse_lists.h"

#include <algorithm>

#include "userspace/policy/destination_form.h"
#include "userspace/policy/destinations_address.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {
namespace {

using model::DestinationRule;
using model::DestinationType;

bool check_whole(Reporter& report, const DocumentNode& item, const DestinationDraft& draft) {
  if (draft.places.empty()) {
    // A place that is there and wrong has been reported.
    if (find(item, "host") || find(item, "cidr") || find(item, "unix")) return false;
    report.error(item.at, "a destination needs one of host, cidr and unix");
    return false;
  }
  if (draft.places.size() > 1) {
    report.error(draft.places.back()->key_at,
                 "a destination has one of host, cidr and unix; write one item for each");
    return false;
  }
  if (draft.rule.type == DestinationType::unix_socket && (draft.ports || draft.protocol)) {
    report.error((draft.ports ? draft.ports : draft.protocol)->key_at,
                 "a Unix socket has no ports and no protocol");
    return false;
  }
  if (draft.ports && std::ranges::any_of(draft.rule.protocols, std::not_fn(has_ports))) {
    report.error(draft.ports->key_at, "the protocol has no ports");
    return false;
  }
  return true;
}

/// Who writes ::/0 alone may mean every address; whoever names IPv4 too knows the difference.
void warn_of_missing_ipv4(Reporter& report, const std::vector<DestinationRule>& rules) {
  const auto is_ipv4 = [](const DestinationRule& rule) {
    return rule.type == DestinationType::range && covers(ipv4_root(), rule.range);
  };
  if (std::ranges::any_of(rules, is_ipv4)) return;
  for (const DestinationRule& rule : rules) {
    if (rule.type != DestinationType::range || !is_around_ipv4(rule.range)) continue;
    report.warning(rule.at, in_quotes(text_of(rule.range)) +
                                " says nothing of IPv4 addresses; for those write cidr: 0.0.0.0/0");
  }
}

}  // namespace

void read_host(Reporter& report, const DocumentNode& value, DestinationDraft& into) {
  into.places.push_back(&value);
  into.rule.type = DestinationType::host;
  into.rule.host = read_formed(report, value, parse_host).value_or("");
}

void read_cidr(Reporter& report, const DocumentNode& value, DestinationDraft& into) {
  into.places.push_back(&value);
  into.rule.type = DestinationType::range;
  into.rule.range = read_formed(report, value, parse_address_range).value_or(model::AddressRange{});
}

void read_unix(Reporter& report, const DocumentNode& value, DestinationDraft& into) {
  into.places.push_back(&value);
  into.rule.type = DestinationType::unix_socket;
  into.rule.unix_path = read_formed(report, value, parse_unix_socket).value_or("");
}

void read_ports(Reporter& report, const DocumentNode& value, DestinationDraft& into) {
  into.ports = &value;
  if (value.items.empty()) {
    report.error(value.at,
                 "an empty list of ports is no destination; leave the key out for all ports");
  }
  read_items(report, value, Shape::scalar, "ports", [&](const DocumentNode& item) {
    if (const auto range = read_formed(report, item, parse_port_range))
      into.rule.ports.push_back(*range);
  });
}

void read_protocol(Reporter& report, const DocumentNode& value, DestinationDraft& into) {
  into.protocol = &value;
  const auto take = [&](const DocumentNode& item) {
    const auto number = read_formed(report, item, parse_protocol);
    if (number) into.rule.protocols.push_back(*number);
  };
  if (value.type != NodeType::list) return take(value);
  if (value.items.empty()) report.error(value.at, "the list of protocols is empty");
  read_items(report, value, Shape::scalar, "protocol", take);
}

std::vector<DestinationRule> read_destinations(Reporter& report, const DocumentNode& list,
                                               std::string_view what) {
  std::vector<DestinationRule> rules;
  read_items(report, list, Shape::mapping, what, [&](const DocumentNode& item) {
    DestinationDraft draft;
    draft.rule.at = item.at;
    const std::size_t errors_before = report.errors();
    read_mapping(report, item, "a destination", kDestinationKeys, draft);
    const bool good = report.errors() == errors_before;
    if (check_whole(report, item, draft) && good) rules.push_back(std::move(draft.rule));
  });
  warn_of_missing_ipv4(report, rules);
  return rules;
}

std::vector<DestinationRule> read_endpoints(Reporter& report, const DocumentNode& list) {
  std::vector<DestinationRule> endpoints = read_destinations(report, list, "endpoints");
  for (const DestinationRule& endpoint : endpoints) {
    if (endpoint.type == DestinationType::unix_socket) {
      report.error(endpoint.at, "a Unix socket is written under sockets, not under endpoints");
    } else if (endpoint.host.starts_with("*.")) {
      report.error(endpoint.at,
                   "an endpoint is an address or an exact name, since a * cannot be looked up");
    }
  }
  return endpoints;
}

std::vector<model::Pattern> read_patterns(Reporter& report, const DocumentNode& list,
                                          std::string_view what) {
  std::vector<model::Pattern> patterns;
  read_items(report, list, Shape::text, what, [&](const DocumentNode& item) {
    const std::optional<std::string> text = read_text(report, item);
    if (!text) return;
    const bool exclude = text->starts_with('!');
    const std::string_view bare = std::string_view(*text).substr(exclude ? 1 : 0);
    if (auto form = parse_pattern_form(bare); !form) {
      report_mistake(report, item, form.error());
      return;
    }
    patterns.push_back({.text = std::string(bare), .exclude = exclude, .at = item.at});
  });
  if (!patterns.empty() && std::ranges::all_of(patterns, &model::Pattern::exclude)) {
    report.error(patterns.front().at,
                 std::string(what) + " only excludes; name what it excludes from");
  }
  return patterns;
}

}  // namespace ambit::policy
