// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <sstream>

#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_scalar.h"

namespace ambit::policy {
namespace {

// The scanner keeps the tokens of a whole flow collection in memory, about a hundred bytes each.
constexpr std::size_t kMaxIndicators = 250'000;
constexpr std::size_t kMaxOpenings = 100'000;
// Each unquoted `*` costs a second look at the text; a person mends a few at a time.
constexpr std::size_t kMaxSecondLooks = 16;
constexpr std::size_t kMaxTextForSecondLook = std::size_t{64} << 10;

constexpr std::string_view kAliasMessage =
    "a value that begins with * or & must be in quotes (YAML's aliases and anchors are not "
    "accepted)";

struct Mistake {
  model::Position at;
  std::string message;
};

/// Leaves the parser in the middle; caught in this file.
struct Stop {};

model::Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {.line = static_cast<std::uint32_t>(mark.line) + 1,
          .column = static_cast<std::uint32_t>(mark.column) + 1};
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::set<int>& unusable)
      : text_(text), unusable_(unusable) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (trees_.size() >= kMaxDocuments) stop(mark, "the file has too many documents");
    const auto begin = static_cast<std::size_t>(std::max(mark.pos, 0));
    if (!trees_.empty()) trees_.back().end = begin;
    start_ = position_of(mark);
    trees_.push_back({.root = {}, .begin = trees_.empty() ? 0 : begin, .end = 0});
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    DocumentNode nothing = node(NodeType::nothing, mark);
    const bool in_list = !open_.empty() && open_.back().type == NodeType::list;
    if (in_list) nothing.at = nothing.key_at = dash_before(mark);
    attach(std::move(nothing));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    report(mark, std::string(kAliasMessage));
    attach(node(NodeType::unusable, mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    const bool plain = tag == "?";
    DocumentNode scalar = node(plain ? type_of_plain(value) : NodeType::text, mark);
    scalar.text = value;
    if (!plain && tag != "!") mark_tagged(scalar, mark, tag);
    if (unusable_.contains(mark.pos)) scalar.type = NodeType::unusable;
    attach(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeType::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(NodeType::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  std::vector<DocumentTree> take_trees(std::size_t text_size) {
    if (!trees_.empty()) trees_.back().end = text_size;
    return std::move(trees_);
  }
  const std::vector<Mistake>& mistakes() const { return mistakes_; }

 private:
  DocumentNode node(NodeType type, const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) {
      stop(mark, "the file has more than " + std::to_string(kMaxNodes) + " values");
    }
    DocumentNode made;
    made.type = type;
    made.at = position_of(mark);
    made.key_at = made.at;
    return made;
  }

  void open(NodeType type, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) {
      stop(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    check_anchor(mark, anchor);
    DocumentNode opened = node(type, mark);
    if (tag != "?" && !tag.empty()) mark_tagged(opened, mark, tag);
    open_.push_back(std::move(opened));
  }

  void close() {
    DocumentNode closed = std::move(open_.back());
    open_.pop_back();
    attach(std::move(closed));
  }

  void attach(DocumentNode child) {
    if (open_.empty()) {
      // Nothing is nowhere; its document begins somewhere.
      if (child.type == NodeType::nothing) child.at = child.key_at = start_;
      trees_.back().root = std::move(child);
      return;
    }
    DocumentNode& parent = open_.back();
    const bool in_mapping = parent.type == NodeType::mapping || !parent.keys.empty();
    if (in_mapping && parent.keys.size() == parent.items.size()) {
      parent.keys.push_back(std::move(child));
      return;
    }
    if (in_mapping) child.key_at = parent.keys.back().at;
    if (in_mapping && child.type == NodeType::nothing && child.text.empty())
      child.at = child.key_at;
    parent.items.push_back(std::move(child));
  }

  /// The parser places what is not there where the next thing is, often in another line. Only
  /// blanks and a line's beginning are looked through: no text makes that long.
  model::Position dash_before(const YAML::Mark& mark) const {
    const auto next = static_cast<std::size_t>(std::max(mark.pos, 0));
    const std::string_view before = text_.substr(0, std::min(next, text_.size()));
    const std::size_t at = before.find_last_not_of(" \t\r\n");
    if (at == std::string_view::npos || before[at] != '-') return position_of(mark);
    const auto lines_between = std::ranges::count(before.substr(at), '\n');
    const std::size_t line_begin = before.rfind('\n', at) + 1;  // npos + 1 is 0
    return {.line = static_cast<std::uint32_t>(mark.line + 1 - lines_between),
            .column = static_cast<std::uint32_t>(at - line_begin + 1)};
  }

  void mark_tagged(DocumentNode& tagged, const YAML::Mark& mark, const std::string& tag) {
    report(mark, "YAML tags are not accepted: " + in_quotes(tag) +
                     "; put a pattern that begins with ! in quotes");
    if (tagged.type != NodeType::mapping) tagged.type = NodeType::unusable;
  }

  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) report(mark, std::string(kAliasMessage));
  }

  void report(const YAML::Mark& mark, std::string message) {
    if (mistakes_.size() >= kMaxSecondLooks) throw Stop{};
    mistakes_.push_back({.at = position_of(mark), .message = std::move(message)});
  }

  [[noreturn]] void stop(const YAML::Mark& mark, std::string message) {
    mistakes_.push_back({.at = position_of(mark), .message = std::move(message)});
    throw Stop{};
  }

  std::string_view text_;
  const std::set<int>& unusable_;
  std::vector<DocumentTree> trees_;
  model::Position start_;
  std::vector<DocumentNode> open_;
  std::vector<Mistake> mistakes_;
  std::size_t nodes_ = 0;
};

/// What ended a look at the text, if it did not reach the end.
struct Failure {
  YAML::Mark mark;
  std::string message;
};

std::optional<Failure> run_parser(const std::string& text, TreeBuilder& builder) {
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return Failure{.mark = YAML::Mark::null_mark(), .message = {}};
  } catch (const YAML::Exception& exception) {
    return Failure{.mark = exception.mark, .message = exception.msg};
  } catch (const std::exception& exception) {
    return Failure{.mark = YAML::Mark::null_mark(), .message = exception.what()};
  }
  return std::nullopt;
}

std::optional<Mistake> too_many_indicators(std::string_view text) {
  constexpr std::string_view kIndicators = "[]{},:?-";
  std::size_t count = 0;
  std::size_t openings = 0;
  std::uint32_t line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (kIndicators.find(c) != std::string_view::npos) ++count;
    if (c == '[' || c == '{') ++openings;
    if (count > kMaxIndicators || openings > kMaxOpenings) {
      return Mistake{.at = {.line = line, .column = 1},
                     .message = "the file has too many brackets, commas, colons and dashes"};
    }
  }
  return std::nullopt;
}

/// The parser gives up at an alias that it does not know: mostly a `*.example.com` without quotes.
bool is_unquoted_star(const std::string& text, const Failure& failure) {
  const int at = failure.mark.pos;
  return at >= 0 && static_cast<std::size_t>(at) < text.size() &&
         text[static_cast<std::size_t>(at)] == '*' &&
         failure.message == YAML::ErrorMsg::UNKNOWN_ANCHOR;
}

std::string syntax_message(const std::string& message) {
  if (message == YAML::ErrorMsg::UNKNOWN_TOKEN) {
    return "not YAML: no value can begin with this character; put it in quotes";
  }
  return "not YAML: " + message;
}

}  // namespace

std::vector<DocumentTree> read_trees(std::string_view text, Reporter& report) {
  if (const auto mistake = too_many_indicators(text)) {
    report.error(mistake->at, mistake->message);
    return {};
  }
  std::string copy(text);
  std::set<int> unusable;
  while (true) {
    TreeBuilder builder(copy, unusable);
    const std::optional<Failure> failure = run_parser(copy, builder);
    const bool look_again = failure && is_unquoted_star(copy, *failure) &&
                            unusable.size() < kMaxSecondLooks &&
                            copy.size() <= kMaxTextForSecondLook;
    if (failure && is_unquoted_star(copy, *failure)) {
      report.error(position_of(failure->mark), std::string(kAliasMessage));
    }
    if (look_again) {
      unusable.insert(failure->mark.pos);
      copy[static_cast<std::size_t>(failure->mark.pos)] = 'x';
      continue;
    }
    for (const Mistake& mistake : builder.mistakes()) report.error(mistake.at, mistake.message);
    if (!failure) return builder.take_trees(text.size());
    if (!failure->message.empty() && !is_unquoted_star(copy, *failure)) {
      report.error(position_of(failure->mark), syntax_message(failure->message));
    }
    return {};
  }
}

const DocumentNode* find(const DocumentNode& mapping, std::string_view key) {
  for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
    if (mapping.keys[i].text == key) return &mapping.items[i];
  }
  return nullptr;
}

std::string_view name_of(NodeType type) {
  constexpr std::array<std::string_view, 7> kNames{
      "nothing", "true or false", "a number", "text", "a list", "a mapping", "a YAML alias"};
  return kNames.at(static_cast<std::size_t>(type));
}

}  // namespace ambit::policy
