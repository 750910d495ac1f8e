// SPDX-License-Identifier: Apache-2.0
// YAML as a plain tree with places. Built from the parser's events, so that nothing is expanded and
// every limit holds before memory is spent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::policy {

/// `unusable`: already reported (an alias, a tag); whoever reads the tree passes over it.
enum class NodeType : std::uint8_t { nothing, boolean, number, text, list, mapping, unusable };

struct DocumentNode {
  NodeType type = NodeType::nothing;
  model::Position at;
  model::Position key_at;  ///< of the key before it; in a list and at the top the node's own
  std::string text;        ///< of a scalar, as written
  std::vector<DocumentNode> keys;  ///< of a mapping: keys[i] belongs to items[i]
  std::vector<DocumentNode> items;
};

/// One document of a file and which of the file's bytes are its own.
struct DocumentTree {
  DocumentNode root;
  std::size_t begin = 0;
  std::size_t end = 0;
};

inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 200'000;
inline constexpr std::size_t kMaxDocuments = 1'000;

/// Every document of the text. Anchors, aliases, merge keys and tags are errors.
[[nodiscard]] std::vector<DocumentTree> read_trees(std::string_view text, Reporter& report);

/// The value of `key` in a mapping, or null.
[[nodiscard]] const DocumentNode* find(const DocumentNode& mapping, std::string_view key);

/// "a list", "a number", … for messages.
[[nodiscard]] std::string_view name_of(NodeType type);

}  // namespace ambit::policy
