// SPDX-License-Identifier: Apache-2.0
// docs/EVENTS.md gives each reason the severity and the references that the code gives it.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

#include "userspace/correlation/openings.h"
#include "userspace/correlation/reason_table.h"

namespace {

using namespace ambit::model;

std::string events_doc() {
  std::ifstream in(AMBIT_SOURCE_DIR "/docs/EVENTS.md");
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

TEST(EventsDoc, GivesEachReasonItsSeverity) {
  constexpr auto kWords =
      std::to_array<std::string_view>({"info", "low", "medium", "high", "critical"});
  const std::string text = events_doc();
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    const auto severity = ambit::correlation::severity_of(static_cast<Reason>(i));
    const std::string row = "\n| `" + std::string(kReasons[i]) + "` | " +
                            std::string(kWords.at(static_cast<std::size_t>(severity))) + " | ";
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

TEST(EventsDoc, ListsTheReferencesOfEachReason) {
  const std::string text = events_doc();
  const std::size_t part = text.find("\n### References\n");
  ASSERT_NE(part, std::string::npos);
  for (std::size_t i = 1; i < kReasons.size(); ++i) {
    Event event;
    event.verdict = Verdict{};
    event.verdict->reason = static_cast<Reason>(i);
    const References own = ambit::correlation::references_of(event);
    const std::size_t row = text.find("\n| `" + std::string(kReasons[i]) + "` | ", part);
    ASSERT_NE(row, std::string::npos) << kReasons[i];
    const std::string line = text.substr(row + 1, text.find('\n', row + 1) - row);
    for (const auto* some : {&own.attack, &own.owasp_agentic, &own.nhi, &own.csf}) {
      for (const std::string& reference : *some) {
        EXPECT_NE(line.find(reference), std::string::npos) << kReasons[i] << " " << reference;
      }
    }
  }
}

TEST(EventsDoc, ExplainsHowAProcessCanComeToACredential) {
  using ambit::correlation::Relation;
  for (const Relation relation :
       {Relation::same_process, Relation::ancestor, Relation::held, Relation::other_process}) {
    const std::string word = "`" + std::string(ambit::correlation::word_of(relation)) + "`";
    EXPECT_NE(events_doc().find(word), std::string::npos) << word;
  }
}

}  // namespace
