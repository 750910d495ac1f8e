// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/catalogue_renumber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::policy {
namespace {

using testing::ElementsAre;

model::Catalogue catalogue_of(const std::vector<std::string>& names, const char* provider = "") {
  model::Catalogue out;
  for (const std::string& name : names)
    out.credentials.push_back({.name = name, .provider = provider});
  return out;
}

std::vector<std::string> names_of(const model::Catalogue& catalogue) {
  std::vector<std::string> out;
  for (const model::Credential& credential : catalogue.credentials)
    out.push_back(is_gone(credential) ? "" : credential.name);
  return out;
}

TEST(RenumberedCatalogue, KeepsTheNumberOfEachNameAndPutsNewOnesBehind) {
  const auto next =
      renumbered(catalogue_of({"b", "d"}), catalogue_of({"a", "b", "c", "d"}, "fresh"));
  ASSERT_TRUE(next);
  EXPECT_THAT(names_of(*next), ElementsAre("b", "d", "a", "c"));
  for (const model::Credential& credential : next->credentials)
    EXPECT_EQ(credential.provider, "fresh");
}

TEST(RenumberedCatalogue, GivesNoNumberToAnotherNameAndAGoneOneItsOwnBack) {
  const auto without = renumbered(catalogue_of({"a", "b", "c"}), catalogue_of({"c", "d"}));
  ASSERT_TRUE(without);
  EXPECT_THAT(names_of(*without), ElementsAre("", "", "c", "d"));
  EXPECT_TRUE(is_gone(without->credentials[0]));
  EXPECT_TRUE(without->credentials[0].files.empty());
  const auto again = renumbered(*without, catalogue_of({"b", "c", "e"}));
  ASSERT_TRUE(again);
  EXPECT_THAT(names_of(*again), ElementsAre("", "b", "c", "", "e"));
  const auto once_more = renumbered(*again, catalogue_of({"a"}));
  ASSERT_TRUE(once_more);
  EXPECT_THAT(names_of(*once_more), ElementsAre("a", "", "", "", ""));
}

TEST(RenumberedCatalogue, RefusesMoreThanThereAreNumbers) {
  std::vector<std::string> names;
  for (int i = 0; i < 65'535; ++i) names.push_back("n" + std::to_string(i));
  EXPECT_FALSE(renumbered(catalogue_of(names), catalogue_of({"one-more"})));
}

}  // namespace
}  // namespace ambit::policy
