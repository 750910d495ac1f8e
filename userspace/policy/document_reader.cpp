// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_reader.h"

#include <algorithm>
#include <unordered_map>

#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxText = 4096;

struct ShapeRow {
  Shape shape;
  std::string_view expected;
  std::span<const NodeType> types;
};

constexpr std::array kTextTypes{NodeType::text};
constexpr std::array kScalarTypes{NodeType::text, NodeType::number, NodeType::boolean};
constexpr std::array kListTypes{NodeType::list};
constexpr std::array kMappingTypes{NodeType::mapping};
constexpr std::array kScalarOrListTypes{NodeType::text, NodeType::number, NodeType::list};

constexpr std::array kShapes{
    ShapeRow{.shape = Shape::text, .expected = "text", .types = kTextTypes},
    ShapeRow{.shape = Shape::scalar, .expected = "text or a number", .types = kScalarTypes},
    ShapeRow{.shape = Shape::list, .expected = "a list", .types = kListTypes},
    ShapeRow{.shape = Shape::mapping, .expected = "a mapping", .types = kMappingTypes},
    ShapeRow{.shape = Shape::scalar_or_list,
             .expected = "a word, a number or a list",
             .types = kScalarOrListTypes},
};

struct Hint {
  Shape wanted;
  NodeType found;
  std::string_view text;
};

constexpr std::array kHints{
    Hint{.wanted = Shape::text, .found = NodeType::number, .text = "; put it in quotes"},
    Hint{.wanted = Shape::text, .found = NodeType::boolean, .text = "; put it in quotes"},
    Hint{.wanted = Shape::list, .found = NodeType::nothing, .text = "; [] is the empty list"},
    Hint{.wanted = Shape::mapping, .found = NodeType::nothing, .text = "; {} is the empty mapping"},
    Hint{.wanted = Shape::list, .found = NodeType::text, .text = "; put it in [ ]"},
    Hint{.wanted = Shape::list, .found = NodeType::number, .text = "; put it in [ ]"},
    Hint{
        .wanted = Shape::list, .found = NodeType::mapping, .text = "; begin each item with \"- \""},
};

std::string_view hint_for(Shape wanted, NodeType found) {
  for (const Hint& hint : kHints) {
    if (hint.wanted == wanted && hint.found == found) return hint.text;
  }
  return {};
}

bool is_scalar(const DocumentNode& node) {
  return node.type == NodeType::text || node.type == NodeType::number ||
         node.type == NodeType::boolean;
}

using SeenKeys = std::unordered_map<std::string_view, const DocumentNode*>;

/// A key that is text and stands here for the first time; reports it otherwise.
bool check_key(Reporter& report, const DocumentNode& key, std::string_view what, SeenKeys& seen) {
  if (key.type == NodeType::unusable) return false;
  if (!is_scalar(key)) {
    report.error(key.at, "a key in " + std::string(what) + " must be a word, found " +
                             std::string(name_of(key.type)));
    return false;
  }
  const auto [first, is_new] = seen.emplace(key.text, &key);
  if (is_new) return true;
  report.error(key.at, "key " + in_quotes(key.text) + " stands twice in " + std::string(what) +
                           "; the first is in line " + std::to_string(first->second->at.line));
  return false;
}

/// Returns the known key that was probably meant.
std::optional<std::string_view> report_unknown_key(Reporter& report, const DocumentNode& key,
                                                   std::string_view what,
                                                   std::span<const KeyFacts> keys) {
  std::vector<std::string_view> names;
  for (const KeyFacts& known : keys) names.push_back(known.name);
  return report.misspelt(key.at, "unknown key " + in_quotes(key.text) + " in " + std::string(what),
                         key.text, names);
}

}  // namespace

bool check_shape(Reporter& report, const DocumentNode& value, Shape shape, std::string_view what) {
  if (value.type == NodeType::unusable) return false;
  const auto* const row = std::ranges::find(kShapes, shape, &ShapeRow::shape);
  if (std::ranges::find(row->types, value.type) != row->types.end()) return true;
  report.error(value.at, std::string(what) + " must be " + std::string(row->expected) + ", found " +
                             std::string(name_of(value.type)) +
                             std::string(hint_for(shape, value.type)));
  return false;
}

std::vector<FoundKey> find_keys(Reporter& report, const DocumentNode& mapping,
                                std::string_view what, std::span<const KeyFacts> keys) {
  std::vector<FoundKey> found;
  SeenKeys seen;
  std::vector<std::string_view> misspelt;
  for (std::size_t i = 0; i < mapping.keys.size() && !report.full(); ++i) {
    const DocumentNode& key = mapping.keys[i];
    if (!check_key(report, key, what, seen)) continue;
    const auto row = std::ranges::find(keys, key.text, &KeyFacts::name);
    if (row == keys.end()) {
      // One slip is one mistake: the key that was meant is not missing as well.
      if (const auto meant = report_unknown_key(report, key, what, keys))
        misspelt.push_back(*meant);
    } else if (check_shape(report, mapping.items[i], row->shape, row->name)) {
      found.push_back(
          {.row = static_cast<std::size_t>(row - keys.begin()), .value = &mapping.items[i]});
    }
  }
  for (const KeyFacts& key : keys) {
    const bool meant = std::ranges::find(misspelt, key.name) != misspelt.end();
    if (!key.required || seen.contains(key.name) || meant) continue;
    report.error(mapping.key_at, "missing key " + in_quotes(key.name) + " in " + std::string(what));
  }
  return found;
}

std::optional<std::string> read_text(Reporter& report, const DocumentNode& value) {
  if (value.text.empty()) {
    report.error(value.at, "the text is empty");
  } else if (value.text.size() > kMaxText) {
    report.error(value.at, "the text is longer than " + std::to_string(kMaxText) + " bytes");
  } else if (has_invisible_characters(value.text)) {
    report.error(value.at,
                 "control and invisible characters are not accepted: " + in_quotes(value.text));
  } else {
    return value.text;
  }
  return std::nullopt;
}

std::optional<std::size_t> read_word_of(Reporter& report, const DocumentNode& value,
                                        std::string_view what,
                                        std::span<const std::string_view> words) {
  const auto word = std::ranges::find(words, value.text);
  if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
  std::string known;
  for (const std::string_view each : words) {
    if (!known.empty()) known += each == words.back() ? " or " : ", ";
    known += each;
  }
  report.misspelt(value.at,
                  std::string(what) + " must be " + known + ", found " + in_quotes(value.text),
                  value.text, words);
  return std::nullopt;
}

void report_mistake(Reporter& report, const DocumentNode& value, const FormMistake& mistake) {
  report.error(value.at, in_quotes(value.text) + ' ' + mistake.message, mistake.suggestion);
}

void read_items(Reporter& report, const DocumentNode& list, Shape shape, std::string_view what,
                const std::function<void(const DocumentNode&)>& each) {
  const std::string item = "an item of " + std::string(what);
  for (const DocumentNode& node : list.items) {
    if (report.full()) return;
    if (check_shape(report, node, shape, item)) each(node);
  }
}

void read_text_map(
    Reporter& report, const DocumentNode& mapping, std::string_view what,
    const std::function<void(const DocumentNode& key, const DocumentNode& value)>& each) {
  SeenKeys seen;
  for (std::size_t i = 0; i < mapping.keys.size() && !report.full(); ++i) {
    const DocumentNode& key = mapping.keys[i];
    if (!check_key(report, key, what, seen)) continue;
    if (check_shape(report, mapping.items[i], Shape::scalar, in_quotes(key.text))) {
      each(key, mapping.items[i]);
    }
  }
}

}  // namespace ambit::policy
