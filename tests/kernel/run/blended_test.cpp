// SPDX-License-Identifier: Apache-2.0
// A person's authority and the agent's own in one task.
#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {
namespace {

class BlendedAuthority : public testing::Test {
 protected:
  PlanRun attempt(const std::vector<Item>& items, const std::string& response = {},
                  const std::string& other = "agent") {
    return run_plan(
        scratch_,
        {.scope = {.credentials = {"{name: person, authority: delegated}",
                                   "{name: own, authority: " + other + "}", "{name: unsaid}"},
                   .on_behalf_of = "alice@test.example",
                   .blended_response = response},
         .catalogue = {{.name = "person", .files = {person_}},
                       {.name = "own", .files = {own_}},
                       {.name = "unsaid", .files = {unsaid_}}}},
        items);
  }
  static Item opens(const std::string& name, const std::string& path) {
    return {.name = name, .argv = {"open", path}};
  }
  [[nodiscard]] std::vector<Item> both() const {
    return {opens("unsaid", unsaid_), opens("person", person_), opens("own", own_),
            opens("own again", own_), opens("person again", person_)};
  }

  Scratch scratch_;
  std::string person_ = scratch_.secret("home/person");
  std::string own_ = scratch_.secret("home/own");
  std::string unsaid_ = scratch_.secret("home/unsaid");
  std::vector<std::string> effects_;
};

TEST_F(BlendedAuthority, IsOneFindingAndDeniesNothing) {
  const PlanRun plan = attempt(both());
  for (const Item& item : both()) EXPECT_TRUE(plan.of(item.name).done()) << item.name;
  const std::vector<Json> findings = plan.run.events.findings();
  ASSERT_TRUE(is_only(findings, {"blended_authority", "alert", "alerted", "finding"}))
      << summary(findings);
  const auto seq_of = [&](const std::string& path) {
    const std::vector<Json> uses = plan.run.events.about(identity_of(path));
    return uses.empty() ? Json() : at(uses.front(), "/seq");
  };
  EXPECT_EQ(at(findings[0], "/evidence"), Json::array({seq_of(person_), seq_of(own_)}));
  EXPECT_EQ(at(findings[0], "/credential/names"), Json::array({"person", "own"}));
  EXPECT_EQ(text_at(findings[0], "/task/on_behalf_of"), "alice@test.example");
}

TEST_F(BlendedAuthority, IsNoneWhereBothArePersonsOrOneIsNotUsed) {
  const PlanRun persons = attempt(both(), {}, "delegated");
  EXPECT_TRUE(persons.of("own").done());
  EXPECT_EQ(persons.run.events.findings().size(), 0U) << summary(persons.run.events.findings());
  const PlanRun one = attempt({opens("unsaid", unsaid_), opens("own", own_)});
  EXPECT_TRUE(one.of("own").done());
  EXPECT_EQ(one.run.events.findings().size(), 0U) << summary(one.run.events.findings());
}

TEST_F(BlendedAuthority, EndsTheTaskWhereTheScopeWantsIt) {
  const auto goes_on = [&](const std::string& response) {
    const std::string marker = scratch_.path("marker-" + response);
    std::vector<Item> items = both();
    items.push_back({.name = "stays", .argv = {"stay", "3"}});
    items.push_back({.name = "marks", .argv = {"append", marker, "here"}});
    scratch_.write("marker-" + response, "");
    const PlanRun plan = attempt(items, response);
    // What its processes try before they are killed is refused, and told as well.
    for (const Json& finding : plan.run.events.findings())
      if (text_at(finding, "/verdict/reason") == "blended_authority")
        effects_.push_back(text_at(finding, "/verdict/effective"));
    return content_of(marker) == "here";
  };
  EXPECT_TRUE(goes_on("alert"));
  EXPECT_FALSE(goes_on("kill-task"));
  EXPECT_EQ(effects_, (std::vector<std::string>{"alerted", "task_killed"}));
}

}  // namespace
}  // namespace ambit::probe
