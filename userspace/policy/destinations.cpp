// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "userspace/policy/destination_form.h"
#include "userspace/policy/destinations_ports.h"
#include "userspace/policy/destinations_statement.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxWork = std::size_t{1} << 21U;
constexpr std::uint32_t kNothing = 0;  ///< the empty list, and the set that says nothing

using Chosen = std::vector<std::uint32_t>;  ///< statements, sorted

/// One range of the result, before its set has a number.
struct Node {
  model::AddressRange range;
  std::uint32_t chosen = kNothing;    ///< which list of statements holds there
  std::optional<std::size_t> around;  ///< the next shorter range, an index
};

bool stands_before(const model::AddressRange& a, const model::AddressRange& b) {
  const int order = std::memcmp(a.address.data(), b.address.data(), a.address.size());
  return order < 0 || (order == 0 && a.prefix < b.prefix);
}

bool same_range(const model::AddressRange& a, const model::AddressRange& b) {
  return a.prefix == b.prefix && a.address == b.address;
}

/// Lists of statements, each once; 0 is the empty one.
class ChosenLists {
 public:
  /// The list `base` with `own` (sorted, no repeats) added.
  std::uint32_t joined(std::uint32_t base, const Chosen& own) {
    const auto [at, fresh] = joins_.try_emplace({base, own}, kNothing);
    if (fresh) {
      Chosen all;
      std::ranges::set_union(lists_[base], own, std::back_inserter(all));
      size_ += all.size();
      const auto next = static_cast<std::uint32_t>(lists_.size());
      const auto [known, added] = numbers_.try_emplace(std::move(all), next);
      if (added) {
        lists_.push_back(known->first);
      }
      at->second = known->second;
    }
    return at->second;
  }

  [[nodiscard]] const std::vector<Chosen>& lists() const { return lists_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::map<std::pair<std::uint32_t, Chosen>, std::uint32_t> joins_;
  std::map<Chosen, std::uint32_t> numbers_{{Chosen{}, kNothing}};
  std::vector<Chosen> lists_{Chosen{}};
  std::size_t size_ = 0;
};

/// A rule for IPv6 says nothing of IPv4 although mapped addresses lie in its range: the root of
/// IPv4 then stands in the table on its own, and inherits nothing.
class Sweep {
 public:
  explicit Sweep(Statements& statements) : ranges_(statements.ranges) {
    std::ranges::sort(ranges_, [](const StatedRange& a, const StatedRange& b) {
      return stands_before(a.range, b.range) ||
             (same_range(a.range, b.range) && a.statement < b.statement);
    });
  }

  Result<void> run() {
    const bool barrier = std::ranges::any_of(
        ranges_, [](const StatedRange& stated) { return is_around_ipv4(stated.range); });
    bool barrier_due = barrier;
    for (std::size_t at = 0; at < ranges_.size();) {
      const model::AddressRange range = ranges_[at].range;
      if (barrier_due && !stands_before(range, ipv4_root())) {
        barrier_due = false;
        if (!same_range(range, ipv4_root())) {
          enter(ipv4_root(), {});
        }
      }
      Chosen own;
      for (; at < ranges_.size() && same_range(ranges_[at].range, range); ++at) {
        if (own.empty() || own.back() != ranges_[at].statement) {
          own.push_back(ranges_[at].statement);
        }
      }
      enter(range, own);
      if (chosen_.size() > kMaxWork) {
        return fail("too many unlike destinations overlap");
      }
    }
    if (barrier_due) {
      enter(ipv4_root(), {});
    }
    return {};
  }

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<Chosen>& lists() const { return chosen_.lists(); }

 private:
  void enter(const model::AddressRange& range, const Chosen& own) {
    while (!open_.empty() && !covers(nodes_[open_.back()].range, range)) {
      open_.pop_back();
    }
    Node node{.range = range, .chosen = kNothing, .around = std::nullopt};
    std::uint32_t inherited = kNothing;
    if (!open_.empty()) {
      node.around = open_.back();
      if (!same_range(range, ipv4_root())) {
        inherited = nodes_[open_.back()].chosen;
      }
    }
    node.chosen = chosen_.joined(inherited, own);
    open_.push_back(nodes_.size());
    nodes_.push_back(node);
  }

  std::vector<StatedRange>& ranges_;
  ChosenLists chosen_;
  std::vector<Node> nodes_;
  std::vector<std::size_t> open_;  ///< the ranges around the current one, outermost first
};

/// The port entries of each list of statements, and the bytes by which equal ones are known.
struct PortSets {
  std::vector<std::string> content_of_list;
  std::map<std::string, std::vector<model::CompiledPort>> by_content;
};

Result<void> check_endpoints(const std::vector<model::CompiledPort>& ports,
                             const DestinationInput& input) {
  for (const model::CompiledPort& entry : ports) {
    if (entry.endpoint_of.size() <= kMaxEndpointOwners) {
      continue;
    }
    std::string names;
    for (const CredentialEndpoints& credential : input.endpoints) {
      if (std::ranges::find(entry.endpoint_of, credential.number) != entry.endpoint_of.end()) {
        names += (names.empty() ? "" : ", ") + credential.name;
      }
    }
    return fail("more than " + std::to_string(kMaxEndpointOwners) +
                " credentials have one endpoint (" + names +
                "): describe it in one credential, or load fewer of them");
  }
  return {};
}

Result<PortSets> compile_sets(const std::vector<Statement>& statements,
                              const std::vector<Chosen>& lists, const DestinationInput& input) {
  PortSets sets;
  std::size_t work = kMaxWork;
  std::size_t entries = 0;
  for (const Chosen& list : lists) {
    auto ports = compile_ports(statements, list, work);
    if (!ports) {
      return std::unexpected(ports.error());
    }
    if (auto checked = check_endpoints(*ports, input); !checked) {
      return std::unexpected(checked.error());
    }
    std::string content = content_of(*ports);
    const std::size_t count = ports->size();
    if (sets.by_content.try_emplace(content, std::move(*ports)).second) {
      entries += count;
    }
    if (entries > kMaxPortEntries) {
      return fail("the destinations need more than " + std::to_string(kMaxPortEntries) +
                  " port entries; name fewer single ports");
    }
    sets.content_of_list.push_back(std::move(content));
  }
  return sets;
}

}  // namespace

std::uint32_t SetNumbers::number_of(std::string_view content) {
  if (const auto known = numbers_.find(content); known != numbers_.end()) {
    return known->second;
  }
  const std::uint32_t next = ++last_;
  numbers_.emplace(content, next);
  return next;
}

Result<model::CompiledDestinations> compile_destinations(const DestinationInput& input,
                                                         SetNumbers& numbers) {
  auto statements = gather_statements(input);
  if (!statements) {
    return std::unexpected(statements.error());
  }
  Sweep sweep(*statements);
  if (auto swept = sweep.run(); !swept) {
    return std::unexpected(swept.error());
  }
  auto sets = compile_sets(statements->all, sweep.lists(), input);
  if (!sets) {
    return std::unexpected(sets.error());
  }
  model::CompiledDestinations result;
  result.name_of_address = std::move(statements->name_of_address);
  std::map<std::string_view, std::uint32_t> number_of_content;
  for (const auto& [content, ports] : sets->by_content) {
    const std::uint32_t set = content.empty() ? kNothing : numbers.number_of(content);
    number_of_content.emplace(content, set);
    for (model::CompiledPort entry : ports) {
      entry.set = set;
      result.ports.push_back(std::move(entry));
    }
  }
  std::vector<std::uint32_t> set_of_node;
  for (const Node& node : sweep.nodes()) {
    const std::uint32_t set = number_of_content.at(sets->content_of_list[node.chosen]);
    const std::uint32_t around = node.around ? set_of_node[*node.around] : kNothing;
    set_of_node.push_back(set);
    if (set != around) {
      result.prefixes.push_back({.range = node.range, .set = set});
    }
  }
  return result;
}

Result<model::CompiledDestinations> compile_destinations(const DestinationInput& input) {
  SetNumbers numbers;
  return compile_destinations(input, numbers);
}

}  // namespace ambit::policy
