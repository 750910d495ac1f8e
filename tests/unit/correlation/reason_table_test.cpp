// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/reason_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace {

using namespace ambit::correlation;
using namespace ambit::model;

Event finding(Reason reason) {
  Event event;
  event.finding = true;
  event.verdict = Verdict{};
  event.verdict->reason = reason;
  return event;
}

TEST(ReasonTable, GivesEveryFindingASeverity) {
  for (std::size_t i = 1; i < kReasons.size(); ++i) {
    EXPECT_GT(severity_of(static_cast<Reason>(i)), Severity::info) << kReasons[i];
  }
  EXPECT_EQ(severity_of(Reason::none), Severity::info);
}

TEST(ReasonTable, PointsAtTheCredentialsPlaceWhereItHasOne) {
  EXPECT_EQ(rule_of(Reason::reader_not_allowed, 2), "/spec/credentials/2/readers");
  EXPECT_EQ(rule_of(Reason::reader_not_allowed, std::nullopt), "/spec/credentials");
  EXPECT_EQ(rule_of(Reason::destination_not_for_credential, 0), "/spec/credentials/0");
  EXPECT_EQ(rule_of(Reason::executable_not_in_scope, 7), "/spec/exec");
  EXPECT_EQ(rule_of(Reason::none, std::nullopt), "");
  EXPECT_EQ(rule_of(Reason::undecided, 1), "");
}

/// What the shared list says of a reason, as one text.
std::string line_of(const std::string& list, std::string_view reason) {
  const std::size_t at = list.find("What each reason refers to");
  const std::size_t name = list.find("`" + std::string(reason) + "`", at);
  return name == std::string::npos ? "" : list.substr(name, list.find(';', name) - name);
}

TEST(ReasonTable, RefersToWhatTheSharedListNames) {
  std::ifstream in(AMBIT_SOURCE_DIR "/../shared/REFERENCES.md");
  if (!in) {
    GTEST_SKIP() << "the shared list is not here: references are not compared with it";
  }
  std::stringstream list;
  list << in.rdbuf();
  int compared = 0;
  for (std::size_t i = 1; i < kReasons.size(); ++i) {
    const std::string line = line_of(list.str(), kReasons[i]);
    if (line.empty()) {
      continue;
    }
    ++compared;
    const References own = references_of(finding(static_cast<Reason>(i)));
    EXPECT_GE(own.attack.size() + own.owasp_agentic.size() + own.nhi.size() + own.csf.size(), 2U);
    for (const auto* some : {&own.attack, &own.owasp_agentic, &own.nhi, &own.csf}) {
      for (const std::string& reference : *some) {
        EXPECT_NE(line.find(reference), std::string::npos) << kReasons[i] << " " << reference;
      }
    }
  }
  EXPECT_EQ(compared, 6);
}

}  // namespace
