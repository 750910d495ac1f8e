// SPDX-License-Identifier: Apache-2.0
// The schemas of docs/schema/ say what the parser's tables say. JSON is YAML: the parser's own tree
// reads them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/policy/destination_form.h"
#include "userspace/policy/document_envelope.h"
#include "userspace/policy/document_file.h"
#include "userspace/policy/parse_config.h"
#include "userspace/policy/parse_credential.h"
#include "userspace/policy/parse_lists.h"
#include "userspace/policy/parse_scope.h"

namespace ambit::policy {
namespace {

using testing::UnorderedElementsAreArray;

DocumentNode schema(const std::string& name) {
  const auto text = read_document_file(AMBIT_SOURCE_DIR "/docs/schema/" + name + ".schema.json");
  EXPECT_TRUE(text) << name;
  Reporter report(name, text.value_or(""));
  auto trees = read_trees(text.value_or(""), report);
  EXPECT_EQ(report.errors(), 0U) << render(report.take());
  return trees.empty() ? DocumentNode{} : std::move(trees[0].root);
}

const DocumentNode& at(const DocumentNode& node, std::initializer_list<std::string_view> path) {
  static const DocumentNode kNone;
  const DocumentNode* here = &node;
  for (const std::string_view key : path) {
    here = find(*here, key);
    if (here == nullptr) {
      ADD_FAILURE() << "the schema has no " << key;
      return kNone;
    }
  }
  return *here;
}

std::vector<std::string> texts(const std::vector<DocumentNode>& nodes) {
  std::vector<std::string> out;
  out.reserve(nodes.size());
  for (const DocumentNode& node : nodes) out.push_back(node.text);
  return out;
}

struct ShapeName {
  Shape shape;
  std::string_view json;
};
constexpr std::array kJsonTypes{
    ShapeName{.shape = Shape::text, .json = "string"},
    ShapeName{.shape = Shape::scalar, .json = "string"},
    ShapeName{.shape = Shape::list, .json = "array"},
    ShapeName{.shape = Shape::mapping, .json = "object"},
};

/// Types behind a `$ref` are compared where they are defined.
void expect_type(const DocumentNode& property, const KeyFacts& key) {
  const DocumentNode* const type = find(property, "type");
  if (type == nullptr) return;
  const auto* const row = std::ranges::find(kJsonTypes, key.shape, &ShapeName::shape);
  ASSERT_NE(row, kJsonTypes.end()) << key.name;
  EXPECT_EQ(type->text, row->json) << key.name;
}

template <typename T, std::size_t N>
void expect_keys(const DocumentNode& object, const std::array<Key<T>, N>& keys) {
  std::vector<std::string> names;
  names.reserve(N);
  std::vector<std::string> required;
  for (const Key<T>& key : keys) {
    names.emplace_back(key.facts.name);
    if (key.facts.required) required.emplace_back(key.facts.name);
    if (const DocumentNode* const property = find(at(object, {"properties"}), key.facts.name)) {
      expect_type(*property, key.facts);
    }
  }
  EXPECT_THAT(texts(at(object, {"properties"}).keys), UnorderedElementsAreArray(names));
  const DocumentNode* const wanted = find(object, "required");
  EXPECT_THAT(wanted ? texts(wanted->items) : std::vector<std::string>{},
              UnorderedElementsAreArray(required));
  EXPECT_EQ(at(object, {"additionalProperties"}).text, "false");
}

template <typename E, std::size_t N>
void expect_words(const DocumentNode& list, const std::array<Word<E>, N>& words) {
  std::vector<std::string> spellings;
  spellings.reserve(N);
  for (const Word<E>& word : words) spellings.emplace_back(word.spelling);
  EXPECT_THAT(texts(list.items), UnorderedElementsAreArray(spellings));
}

void expect_envelope(const DocumentNode& root, DocumentKind kind) {
  expect_keys(root, kEnvelopeKeys);
  expect_keys(at(root, {"$defs", "metadata"}), kMetadataKeys);
  EXPECT_EQ(at(root, {"properties", "apiVersion", "const"}).text, kApiVersion);
  const auto* const word = std::ranges::find(kDocumentKinds, kind, &Word<DocumentKind>::value);
  EXPECT_EQ(at(root, {"properties", "kind", "const"}).text, word->spelling);
}

void expect_common(const DocumentNode& root, DocumentKind kind) {
  expect_envelope(root, kind);
  expect_keys(at(root, {"$defs", "destination"}), kDestinationKeys);
  expect_words(at(at(root, {"$defs", "protocol", "oneOf"}).items.at(0), {"enum"}), kProtocols);
}

TEST(Schema, OfTaskScopesHasTheParsersKeysAndWords) {
  const DocumentNode root = schema("task-scope");
  const DocumentNode& defs = at(root, {"$defs"});
  expect_common(root, DocumentKind::task_scope);
  expect_keys(at(defs, {"spec"}), kScopeKeys);
  expect_keys(at(defs, {"scopeCredential"}), kScopeCredentialKeys);
  expect_keys(at(defs, {"network"}), kNetworkKeys);
  expect_keys(at(defs, {"exec"}), kExecKeys);
  expect_keys(at(defs, {"response"}), kResponseKeys);
  expect_words(at(defs, {"spec", "properties", "mode", "enum"}), kModes);
  expect_words(at(defs, {"spec", "properties", "environment", "enum"}), kEnvironments);
  expect_words(at(defs, {"scopeCredential", "properties", "authority", "enum"}), kAuthorities);
  expect_words(at(defs, {"scopeCredential", "properties", "holding", "enum"}), kHoldings);
  expect_words(at(defs, {"privilege", "enum"}), kPrivilegeWords);
  expect_words(at(defs, {"responseWord", "enum"}), kResponseWords);
  expect_words(at(defs, {"response", "properties", "blended", "enum"}), kBlendedWords);
}

TEST(Schema, ReadmeExplainsEveryPrivilege) {
  const auto text = read_document_file(AMBIT_SOURCE_DIR "/docs/schema/README.md");
  ASSERT_TRUE(text);
  for (const auto& word : kPrivilegeWords)
    EXPECT_THAT(*text, testing::HasSubstr("\n| `" + std::string(word.spelling) + "` | "));
}

TEST(Schema, OfConfigsHasTheParsersKeysAndWords) {
  const DocumentNode root = schema("config");
  expect_envelope(root, DocumentKind::config);
  const DocumentNode& spec = at(root, {"$defs", "spec"});
  expect_keys(spec, kConfigKeys);
  expect_words(at(spec, {"properties", "backend", "enum"}), kBackendWords);
  expect_words(at(spec, {"properties", "onStop", "enum"}), kOnStopWords);
}

TEST(Schema, OfCredentialsHasTheParsersKeysAndWords) {
  const DocumentNode root = schema("credential");
  expect_common(root, DocumentKind::credential);
  expect_keys(at(root, {"$defs", "spec"}), kCredentialKeys);
  expect_keys(at(root, {"$defs", "references"}), kReferenceKeys);
}

}  // namespace
}  // namespace ambit::policy
