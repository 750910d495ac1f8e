// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations_statement.h"

#include <netinet/in.h>

#include <algorithm>

namespace ambit::policy {
namespace {

constexpr std::uint8_t kWholeAddress = 128;

class Gatherer {
 public:
  explicit Gatherer(const ResolvedNames& resolved) : names_(resolved) {}

  Result<void> add(Claim claim, std::uint16_t subject,
                   const std::vector<model::DestinationRule>& rules) {
    for (const model::DestinationRule& rule : rules) {
      if (rule.type == model::DestinationType::unix_socket) {
        continue;
      }
      const auto statement = number_of(claim, subject, rule);
      if (!statement) {
        return std::unexpected(statement.error());
      }
      if (auto added = add_ranges(rule, *statement); !added) {
        return added;
      }
      if (result_.ranges.size() > kMaxRanges) {
        return too_many();
      }
    }
    return {};
  }

  [[nodiscard]] Statements take() {
    result_.all.resize(numbers_.size());
    for (const auto& [statement, number] : numbers_) {
      result_.all[number] = statement;
    }
    return std::move(result_);
  }

 private:
  Result<std::uint32_t> number_of(Claim claim, std::uint16_t subject,
                                  const model::DestinationRule& rule) {
    Statement statement{
        .claim = claim, .subject = subject, .protocols = rule.protocols, .ports = {}};
    if (statement.protocols.empty()) {
      statement.protocols = {IPPROTO_TCP, IPPROTO_UDP};
    }
    std::ranges::sort(statement.protocols);
    const auto repeated = std::ranges::unique(statement.protocols);
    statement.protocols.erase(repeated.begin(), repeated.end());
    for (const model::PortRange& ports : rule.ports) {
      if (ports.first > ports.last) {
        return fail("the port range " + std::to_string(ports.first) + "-" +
                    std::to_string(ports.last) + " ends before it begins");
      }
      statement.ports.emplace_back(ports.first, ports.last);
    }
    join_ports(statement.ports);
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    return numbers_.try_emplace(std::move(statement), next).first->second;
  }

  static void join_ports(std::vector<std::pair<std::uint16_t, std::uint16_t>>& ports) {
    if (ports.empty()) {
      ports.emplace_back(std::uint16_t{0}, std::uint16_t{UINT16_MAX});
    }
    std::ranges::sort(ports);
    std::vector<std::pair<std::uint16_t, std::uint16_t>> joined{ports.front()};
    for (const auto& [first, last] : ports) {
      auto& open = joined.back().second;
      if (first <= open || first == open + 1) {
        open = std::max(open, last);
      } else {
        joined.emplace_back(first, last);
      }
    }
    ports = std::move(joined);
  }

  Result<void> add_ranges(const model::DestinationRule& rule, std::uint32_t statement) {
    if (rule.type == model::DestinationType::range) {
      if (rule.range.prefix > kWholeAddress) {
        return fail("a prefix length of " + std::to_string(rule.range.prefix) +
                    " is more than an address has bits");
      }
      result_.ranges.push_back({.range = masked(rule.range), .statement = statement});
      return {};
    }
    if (const auto literal = address_of(rule.host)) {
      add_address(*literal, statement);
      return {};
    }
    for (const NameIndex::Entry* entry : names_.find(rule.host)) {
      for (const Address& address : entry->addresses) {
        add_address(address, statement);
        remember_name(address, entry->name);
      }
      if (result_.ranges.size() > kMaxRanges) {
        return too_many();
      }
    }
    return {};
  }

  static Result<void> too_many() {
    return fail("the destinations have more than " + std::to_string(kMaxRanges) +
                " address ranges");
  }

  void add_address(const Address& address, std::uint32_t statement) {
    result_.ranges.push_back(
        {.range = {.address = address, .prefix = kWholeAddress}, .statement = statement});
  }

  // Several names may share an address; the least one makes the choice the same in every run.
  void remember_name(const Address& address, const std::string& name) {
    const auto [at, added] = result_.name_of_address.try_emplace(text_of(address), name);
    if (!added && name < at->second) {
      at->second = name;
    }
  }

  NameIndex names_;
  std::map<Statement, std::uint32_t> numbers_;
  Statements result_;
};

}  // namespace

Result<Statements> gather_statements(const DestinationInput& input) {
  Gatherer gatherer(input.resolved);
  Result<void> done;
  if (input.network != nullptr && input.network->has_value()) {
    done = gatherer.add(Claim::in_network, 0, **input.network);
  }
  if (done) {
    done = gatherer.add(Claim::always, 0, input.always);
  }
  for (const CredentialDestinations& credential : input.restricted) {
    if (done) {
      done = gatherer.add(Claim::allowed, credential.bit, credential.rules);
    }
  }
  for (const CredentialEndpoints& credential : input.endpoints) {
    if (done) {
      done = gatherer.add(Claim::endpoint, credential.number, credential.rules);
    }
  }
  if (!done) {
    return std::unexpected(done.error());
  }
  return gatherer.take();
}

}  // namespace ambit::policy
