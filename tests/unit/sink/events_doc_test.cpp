// SPDX-License-Identifier: Apache-2.0
// docs/EVENTS.md and the code say the same.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/sink/sample_event.h"
#include "userspace/sink/native.h"
#include "userspace/sink/terminal.h"

namespace {

using namespace ambit::model;
namespace sample = ambit::sink::sample;

class EventsDoc : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(AMBIT_SOURCE_DIR "/docs/EVENTS.md");
    ASSERT_TRUE(in) << "docs/EVENTS.md is missing";
    std::stringstream all;
    all << in.rdbuf();
    text = all.str();
  }

  /// From a heading to the next of its rank or a higher one.
  [[nodiscard]] std::string section(const std::string& heading) const {
    const std::size_t begin = text.find("\n" + heading + "\n");
    if (begin == std::string::npos) {
      return "";
    }
    return text.substr(begin, text.find("\n## ", begin + heading.size()) - begin);
  }

  /// Each word has a row `| `word` | … |` whose cells are not empty.
  static void expect_rows(const std::string& part, std::string_view word) {
    const std::size_t row = part.find("\n| `" + std::string(word) + "` | ");
    ASSERT_NE(row, std::string::npos) << word << " is not explained";
    const std::string line = part.substr(row + 1, part.find('\n', row + 1) - row - 1);
    EXPECT_EQ(line.find("|  |"), std::string::npos) << line;
    EXPECT_GT(line.size(), word.size() + 20) << line;
  }

  std::string text;
};

TEST_F(EventsDoc, ExplainsEveryKind) {
  for (const auto word : kKinds) {
    expect_rows(section("## Kinds"), word);
  }
}

TEST_F(EventsDoc, ExplainsEveryReason) {
  for (const auto word : kReasons) {
    expect_rows(section("## Reasons"), word);
  }
}

TEST_F(EventsDoc, ExplainsEveryCauseOfLossAndWhetherItHasARing) {
  const std::string part = section("## Losses");
  for (std::size_t i = 0; i < kLossCauses.size(); ++i) {
    expect_rows(part, kLossCauses[i]);
    const bool ring = ambit::sink::has_ring(static_cast<LossCause>(i));
    const std::string row =
        "| `" + std::string(kLossCauses[i]) + "` | " + (ring ? "yes" : "no") + " |";
    EXPECT_NE(part.find(row), std::string::npos) << row;
  }
  for (const auto word : kRings) {
    expect_rows(part, word);
  }
}

TEST_F(EventsDoc, ExplainsEveryWordOfAVerdict) {
  const std::string part = section("## Fields");
  for (std::size_t i = 0; i < kResponses.size(); ++i) {
    expect_rows(part, spelling_of(static_cast<Response>(i)));
  }
  for (const auto word : kEffects) {
    expect_rows(part, word);
  }
  for (const auto word : kBackends) {
    expect_rows(part, word);
  }
}

TEST_F(EventsDoc, NamesEveryFieldInTheOrderInWhichItIsWritten) {
  const std::string part = section("## Fields");
  Event event = sample::connect_finding();
  event.file = sample::file_finding().file;
  event.loss = Loss{};
  event.details = {{"a", "b"}};
  std::size_t last = 0;
  const auto out = nlohmann::ordered_json::parse(ambit::sink::to_json(event, "h"));
  for (const auto& [name, value] : out.items()) {
    const std::size_t row = part.find("\n| `" + name + "` |");
    ASSERT_NE(row, std::string::npos) << name;
    EXPECT_GT(row, last) << name << " stands in another place";
    last = row;
    for (const auto& [inner, ignored] : value.items()) {
      if (value.is_object() && name != "details" && name != "destination") {
        EXPECT_NE(text.find("`" + inner + "`"), std::string::npos) << name << "." << inner;
      }
    }
  }
}

TEST_F(EventsDoc, ShowsWhatTheCodeWrites) {
  EXPECT_NE(text.find(ambit::sink::to_json(sample::file_finding(), "node-7")), std::string::npos)
      << ambit::sink::to_json(sample::file_finding(), "node-7");
  EXPECT_NE(text.find(ambit::sink::render_for_terminal(sample::file_finding(), false)),
            std::string::npos);
}

TEST_F(EventsDoc, HasOnlyExamplesThatAreJson) {
  std::istringstream lines(text);
  int examples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("{\"v\"")) {
      ++examples;
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
  }
  EXPECT_GE(examples, 4);
}

}  // namespace
