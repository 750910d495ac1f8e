// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace ambit::correlation;
using namespace ambit::model;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

class AStory : public testing::Test {
 protected:
  Event event(Kind kind, Effect effect = Effect::allowed) {
    Event made;
    made.kind = kind;
    made.seq = ++seq_;
    made.verdict = Verdict{};
    made.verdict->effective = effect;
    return made;
  }
  void reach(const std::string& ip, Effect effect = Effect::allowed) {
    Event made = event(Kind::connect, effect);
    made.finding = effect != Effect::allowed;
    made.destination = Destination{};
    made.destination->ip = ip;
    made.destination->port = 443;
    story.observe(made, false);
  }
  void open(const std::string& name, std::vector<std::string> flags = {"read"}) {
    Event made = event(Kind::file_open);
    made.file = File{};
    made.file->flags = std::move(flags);
    made.credential = CredentialUse{.names = {name}, .authority = {}, .held = {}};
    story.observe(made, true);
  }
  [[nodiscard]] std::map<std::string, std::string> details() const {
    std::map<std::string, std::string> out;
    add_figures(story.figures(), out);
    return out;
  }

  Story story;

 private:
  std::uint64_t seq_ = 0;
};

TEST_F(AStory, CountsWhatWasUsedAndWhereItWentBeforeAndAfter) {
  reach("192.0.2.1");
  open("aws");
  open("aws");
  open("github-cli");
  reach("192.0.2.1");
  reach("192.0.2.2");
  story.observe(event(Kind::exec), false);
  EXPECT_THAT(details(),
              UnorderedElementsAre(
                  Pair("used.aws", "2"), Pair("used.github-cli", "1"), Pair("destinations", "2"),
                  Pair("destinations_after_credential", "2"), Pair("sent_before_credential", "1"),
                  Pair("sent_after_credential", "2"), Pair("programs", "1"), Pair("findings", "0"),
                  Pair("first_credential", "2"), Pair("first_act", "1")));
}

TEST_F(AStory, HasNothingOfWhatWasStopped) {
  reach("192.0.2.1", Effect::denied);
  story.observe(event(Kind::exec, Effect::killed), false);
  EXPECT_THAT(
      details(),
      UnorderedElementsAre(Pair("destinations", "0"), Pair("destinations_after_credential", "0"),
                           Pair("sent_before_credential", "0"), Pair("sent_after_credential", "0"),
                           Pair("programs", "0"), Pair("findings", "1")));
}

TEST_F(AStory, ActsWithAProgramAConnectionOrAWriteButNotByReading) {
  open("aws");
  EXPECT_EQ(story.figures().first_act, 0U);
  open("aws", {"write", "truncate"});
  EXPECT_EQ(story.figures().first_act, 2U);
  reach("192.0.2.1");
  EXPECT_EQ(story.figures().first_act, 2U);
}

TEST_F(AStory, KeepsSoManyDestinationsAndCountsTheOthersTogether) {
  for (std::size_t i = 0; i < Story::kMostDestinations + 3; ++i)
    reach("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  reach("10.0.0.0");
  EXPECT_EQ(story.figures().destinations.size(), Story::kMostDestinations);
  EXPECT_EQ(story.figures().elsewhere.before, 3U);
  EXPECT_EQ(story.figures().destinations.at("10.0.0.0:443").before, 2U);
  EXPECT_EQ(details().at("sent_before_credential"), std::to_string(Story::kMostDestinations + 4));
}

TEST(ADestinationsText, IsWhatAScopeWouldNameItBy) {
  Destination six{};
  six.ip = "2001:db8::1";
  six.port = 53;
  Destination named = six;
  named.name = "dns.example";
  Destination local{};
  local.unix_path = "/run/docker.sock";
  Destination other{};
  other.protocol = "family-17";
  Destination ping{};
  ping.ip = "192.0.2.1";
  EXPECT_THAT(
      (std::vector{text_of(six), text_of(named), text_of(local), text_of(other), text_of(ping)}),
      ElementsAre("[2001:db8::1]:53", "dns.example:53", "/run/docker.sock", "family-17",
                  "192.0.2.1"));
}

}  // namespace
