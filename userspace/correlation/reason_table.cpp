// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/reason_table.h"

#include <algorithm>
#include <array>

namespace ambit::correlation {
namespace {

using model::Reason;
using model::References;
using model::Severity;

struct Row {
  Severity severity;
  std::string_view rule;  ///< with `#` where the credential's place stands
  std::string_view attack;
  std::string_view owasp;
  std::string_view nhi;  ///< separated by spaces
  std::string_view csf;
};

// In the order of AMBIT_REASONS. The references are those that shared REFERENCES gives each reason;
// the reasons that it does not name take those of the nearest one.
constexpr std::array kRows{std::to_array<Row>({
    {Severity::info, "/spec/credentials/#", "", "", "", ""},
    {Severity::high, "/spec/credentials", "", "ASI03", "NHI5:2025", "PR.AA-05"},
    {Severity::high, "/spec/credentials/#/readers", "T1552.001", "ASI03", "", ""},
    {Severity::medium, "/spec/network", "T1041", "ASI02", "", ""},
    {Severity::high, "/spec/credentials/#", "T1041", "ASI03", "NHI2:2025", ""},
    {Severity::medium, "/spec/exec", "T1059", "ASI05", "", ""},
    {Severity::medium, "/spec/ttl", "", "", "NHI1:2025 NHI7:2025", ""},
    {Severity::low, "/spec/credentials", "T1552", "ASI03", "NHI2:2025", ""},
    {Severity::medium, "/spec/credentials", "", "ASI03", "", "PR.AA-05"},
    {Severity::medium, "", "", "", "", ""},
    {Severity::critical, "", "T1685", "ASI10", "", "DE.CM-09"},
    {Severity::critical, "", "T1685", "ASI10", "", "DE.CM-09"},
    {Severity::high, "/spec/privileges", "T1055.008 T1003.007", "ASI03", "", ""},
    {Severity::high, "/spec/privileges", "T1611", "ASI03", "NHI5:2025", "PR.AA-05"},
    {Severity::high, "/spec/credentials/#", "", "ASI03", "NHI5:2025", "PR.AA-05"},
})};
static_assert(kRows.size() == model::kReasons.size(), "every reason needs its row");

const Row& row_of(Reason reason) { return kRows.at(static_cast<std::size_t>(reason)); }

void add_words(std::vector<std::string>& list, std::string_view words) {
  while (!words.empty()) {
    const std::size_t space = words.find(' ');
    list.emplace_back(words.substr(0, space));
    words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
  }
}

void add_each_once(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& one : more) {
    if (std::ranges::find(all, one) == all.end()) {
      all.push_back(one);
    }
  }
}

/// Secrets that leave by the web go to a service of it; by anything else, to whoever listens.
bool is_web(const std::optional<model::Destination>& destination) {
  constexpr auto kWebPorts = std::to_array<std::uint16_t>({80, 443, 8080, 8443});
  return destination && destination->port &&
         std::ranges::find(kWebPorts, *destination->port) != kWebPorts.end();
}

}  // namespace

Severity severity_of(Reason reason) { return row_of(reason).severity; }

References references_of(const model::Event& event) {
  const Reason reason = event.verdict ? event.verdict->reason : Reason::none;
  const Row& row = row_of(reason);
  const bool web = reason == Reason::destination_not_for_credential && is_web(event.destination);
  References references;
  add_words(references.attack, web ? "T1567" : row.attack);
  add_words(references.owasp_agentic, row.owasp);
  add_words(references.nhi, row.nhi);
  add_words(references.csf, row.csf);
  return references;
}

void add_references(References& all, const References& more) {
  add_each_once(all.attack, more.attack);
  add_each_once(all.atlas, more.atlas);
  add_each_once(all.owasp_agentic, more.owasp_agentic);
  add_each_once(all.nhi, more.nhi);
  add_each_once(all.csf, more.csf);
}

std::string rule_of(Reason reason, std::optional<std::size_t> index) {
  const std::string_view rule = row_of(reason).rule;
  const std::size_t place = rule.find("/#");
  if (place == std::string_view::npos) {
    return std::string(rule);
  }
  if (!index) {
    return reason == Reason::none ? "" : "/spec/credentials";
  }
  return std::string(rule.substr(0, place + 1)) + std::to_string(*index) +
         std::string(rule.substr(place + 2));
}

}  // namespace ambit::correlation
