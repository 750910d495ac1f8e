// SPDX-License-Identifier: Apache-2.0
// Reading a tree by tables of keys: name, shape, required, and what takes the value in. The JSON
// Schemas in docs/schema/ are compared with the same tables by a test.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/policy/diagnostic.h"
#include "userspace/policy/document_form.h"
#include "userspace/policy/document_tree.h"

namespace ambit::policy {

/// What a value must look like before its own reader sees it.
enum class Shape : std::uint8_t {
  text,
  scalar,  ///< text, a number, true or false; taken as written
  list,
  mapping,
  scalar_or_list,
};

/// The part of a key's row that does not depend on what is filled in.
struct KeyFacts {
  std::string_view name;
  Shape shape = Shape::text;
  bool required = false;
};

template <typename T>
struct Key {
  KeyFacts facts;
  void (*read)(Reporter&, const DocumentNode&, T&) = nullptr;
};

template <typename E>
struct Word {
  std::string_view spelling;
  E value;
};

/// True if the value has the shape; reports it otherwise.
[[nodiscard]] bool check_shape(Reporter& report, const DocumentNode& value, Shape shape,
                               std::string_view what);

/// The rows of `keys` that stand in the mapping, as (row, value); reports keys that are unknown, no
/// text, there twice, of the wrong shape or missing. `what` names the mapping in messages.
struct FoundKey {
  std::size_t row = 0;
  const DocumentNode* value = nullptr;
};
[[nodiscard]] std::vector<FoundKey> find_keys(Reporter& report, const DocumentNode& mapping,
                                              std::string_view what,
                                              std::span<const KeyFacts> keys);

template <typename T, std::size_t N>
void read_mapping(Reporter& report, const DocumentNode& mapping, std::string_view what,
                  const std::array<Key<T>, N>& keys, T& into) {
  std::array<KeyFacts, N> facts{};
  for (std::size_t i = 0; i < N; ++i) facts.at(i) = keys.at(i).facts;
  for (const FoundKey& found : find_keys(report, mapping, what, facts)) {
    keys.at(found.row).read(report, *found.value, into);
  }
}

/// Text of bounded length without control characters; reports it otherwise.
[[nodiscard]] std::optional<std::string> read_text(Reporter& report, const DocumentNode& value);

/// One of the words; reports it otherwise. `what` names the key.
[[nodiscard]] std::optional<std::size_t> read_word_of(Reporter& report, const DocumentNode& value,
                                                      std::string_view what,
                                                      std::span<const std::string_view> words);

template <typename E, std::size_t N>
void read_word(Reporter& report, const DocumentNode& value, std::string_view what,
               const std::array<Word<E>, N>& words, E& into) {
  std::array<std::string_view, N> spellings{};
  for (std::size_t i = 0; i < N; ++i) spellings.at(i) = words.at(i).spelling;
  if (const auto row = read_word_of(report, value, what, spellings)) into = words.at(*row).value;
}

/// A value with a form of its own: `"text" <mistake>` is reported at its place.
template <typename T>
[[nodiscard]] std::optional<T> read_formed(Reporter& report, const DocumentNode& value,
                                           Formed<T> (*parse)(std::string_view));

void report_mistake(Reporter& report, const DocumentNode& value, const FormMistake& mistake);

template <typename T>
std::optional<T> read_formed(Reporter& report, const DocumentNode& value,
                             Formed<T> (*parse)(std::string_view)) {
  const std::optional<std::string> text = read_text(report, value);
  if (!text) return std::nullopt;
  Formed<T> formed = parse(*text);
  if (formed) return std::move(*formed);
  report_mistake(report, value, formed.error());
  return std::nullopt;
}

/// Calls `each` for every item of the shape; reports the others.
void read_items(Reporter& report, const DocumentNode& list, Shape shape, std::string_view what,
                const std::function<void(const DocumentNode&)>& each);

/// A mapping of free names to text (`context`), `what` in messages.
void read_text_map(
    Reporter& report, const DocumentNode& mapping, std::string_view what,
    const std::function<void(const DocumentNode& key, const DocumentNode& value)>& each);

}  // namespace ambit::policy
