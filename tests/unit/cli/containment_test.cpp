// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/containment.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "userspace/cli/doctor_facts.h"

namespace {

using namespace ambit;
using namespace ambit::cli;
using testing::HasSubstr;

constexpr std::string_view kFacts = R"({"date":"2026-11-26","columns":[
  {"kernel":"6.1.0-56","backend":"lsm","rows":{"F1":{"D":3}},"short":[]},
  {"kernel":"6.12.117+deb12","backend":"lsm","rows":{"F1":{"D":3,"n/a":1},"N17":{"-":2}},
   "short":[{"result":"-","ways":["N17 pipe","N17 file"],"why":"Not followed."}]}]})";

TEST(Containment, IsThatOfTheKernelWhereItWasTried) {
  const auto found = containment_of(kFacts, model::Backend::lsm, "6.1.5");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kernel, "6.1.0-56");
  EXPECT_TRUE(found->same_kernel);
  EXPECT_EQ(counts_in_words(*found), "3 denied");
}

TEST(Containment, IsThatOfTheNewestKernelElse) {
  const auto found = containment_of(kFacts, model::Backend::lsm, "6.18.44");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kernel, "6.12.117+deb12");
  EXPECT_FALSE(found->same_kernel);
  EXPECT_EQ(counts_in_words(*found), "3 denied, 2 missed, 1 not possible there");
}

TEST(Containment, IsNoneForABackendThatWasNotTried) {
  EXPECT_FALSE(containment_of(kFacts, model::Backend::portable, "6.18.44"));
  EXPECT_FALSE(containment_of("no json", model::Backend::lsm, "6.18.44"));
}

TEST(Containment, OfThisBuildIsReadable) {
  const auto facts = nlohmann::json::parse(containment_facts(), nullptr, false);
  ASSERT_TRUE(facts.is_object());
  for (const auto& column : facts.at("columns")) {
    const auto backend = column.at("backend").get<std::string>();
    for (const auto known :
         {model::Backend::lsm, model::Backend::fmod_ret, model::Backend::portable}) {
      if (model::name_of(known) != backend) continue;
      EXPECT_TRUE(
          containment_of(containment_facts(), known, column.at("kernel").get<std::string>()));
    }
  }
}

TEST(Containment, IsSaidByDoctor) {
  DoctorFacts facts;
  facts.containment = containment_of(kFacts, model::Backend::lsm, "6.18.44");
  const std::string text = render_text(facts, Style(false));
  EXPECT_THAT(text, HasSubstr("N17 pipe; N17 file: Not followed."));
  EXPECT_THAT(text, HasSubstr("another kernel"));
  EXPECT_THAT(render_json(facts), HasSubstr("\"same_kernel\": false"));
}

}  // namespace
