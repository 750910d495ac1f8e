// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/parse_references.h"

#include <algorithm>

#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

/// In a form `#` is a digit, `@` a capital letter and everything else itself.
struct Identifiers {
  ReferenceList list;
  std::string_view name;
  std::array<std::string_view, 2> forms;
  std::string_view example;
};

constexpr std::array kIdentifiers{
    Identifiers{.list = ReferenceList::attack,
                .name = "attack",
                .forms = {"T####", "T####.###"},
                .example = "T1552.001"},
    Identifiers{.list = ReferenceList::atlas,
                .name = "atlas",
                .forms = {"AML.T####", "AML.T####.###"},
                .example = "AML.T0055"},
    Identifiers{.list = ReferenceList::owasp_agentic,
                .name = "owaspAgentic",
                .forms = {"ASI0#", "ASI10"},
                .example = "ASI03"},
    Identifiers{.list = ReferenceList::nhi,
                .name = "nhi",
                .forms = {"NHI#:2025", "NHI10:2025"},
                .example = "NHI2:2025"},
    Identifiers{.list = ReferenceList::csf,
                .name = "csf",
                .forms = {"@@.@@-##", "@@.@@-##"},
                .example = "PR.AA-05"},
};

constexpr std::array<std::string_view, 7> kWithdrawn{"PR.DS-05", "DE.CM-04", "DE.CM-05", "DE.CM-07",
                                                     "DE.CM-08", "ASI00",    "NHI0:2025"};

bool has_form(std::string_view text, std::string_view form) {
  return std::ranges::equal(text, form, [](char letter, char wanted) {
    if (wanted == '#') return letter >= '0' && letter <= '9';
    if (wanted == '@') return letter >= 'A' && letter <= 'Z';
    return letter == wanted;
  });
}

bool is_withdrawn(std::string_view text) {
  return std::ranges::find(kWithdrawn, text) != kWithdrawn.end() || text.starts_with("PR.AC-");
}

}  // namespace

std::vector<std::string> read_identifiers(Reporter& report, const DocumentNode& value,
                                          ReferenceList list) {
  const auto* const known = std::ranges::find(kIdentifiers, list, &Identifiers::list);
  std::vector<std::string> identifiers;
  read_items(report, value, Shape::text, known->name, [&](const DocumentNode& item) {
    const auto fits = [&](std::string_view form) { return has_form(item.text, form); };
    if (!std::ranges::any_of(known->forms, fits)) {
      report.error(item.at, in_quotes(item.text) + " is no identifier of " +
                                std::string(known->name) + "; they look like " +
                                std::string(known->example));
    } else if (is_withdrawn(item.text)) {
      report.error(item.at, in_quotes(item.text) + " is not in the list's present edition");
    } else {
      identifiers.push_back(item.text);
    }
  });
  return identifiers;
}

}  // namespace ambit::policy
