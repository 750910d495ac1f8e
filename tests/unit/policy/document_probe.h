// SPDX-License-Identifier: Apache-2.0
// Documents in a few words, and what the parser says of them.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/policy/document.h"

namespace ambit::policy::probe {

/// A good scope; `more` goes below spec, each line already indented by two blanks.
inline std::string scope_with(std::string_view more) {
  return "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: probe}\nspec:\n"
         "  agent: spiffe://example.org/agent/probe\n  ttl: 30m\n" +
         std::string(more);
}
inline constexpr std::uint32_t kFirstLine = 7;  ///< of `more` in scope_with

/// A good credential but for a place; `more` as above.
inline std::string credential_with(std::string_view more) {
  return "apiVersion: ambit.dev/v1\nkind: Credential\nmetadata: {name: probe}\nspec:\n" +
         std::string(more);
}

inline std::vector<std::string> messages(const ParsedFile& parsed) {
  std::vector<std::string> out;
  out.reserve(parsed.diagnostics.size());
  for (const Diagnostic& diagnostic : parsed.diagnostics) out.push_back(diagnostic.message);
  return out;
}

inline std::vector<std::string> messages_of(std::string_view text) {
  return messages(parse_documents(text, "probe.yaml"));
}

/// The only diagnostic; one with an odd message where there is none or more than one.
inline Diagnostic only_mistake(std::string_view text) {
  const ParsedFile parsed = parse_documents(text, "probe.yaml");
  if (parsed.diagnostics.size() == 1) return parsed.diagnostics.front();
  Diagnostic odd;
  odd.message = "not one mistake:\n" + render(parsed.diagnostics);
  return odd;
}

/// The value of an optional that should have one.
template <typename T>
T there(const std::optional<T>& value) {
  EXPECT_TRUE(value.has_value());
  return value.value_or(T{});
}

/// The only document as a scope; an empty one, without a name, where there are mistakes.
inline model::Scope scope_of(std::string_view text) {
  ParsedFile parsed = parse_documents(text, "probe.yaml");
  if (!parsed.diagnostics.empty() || parsed.documents.size() != 1) return {};
  auto* const scope = std::get_if<model::Scope>(&parsed.documents.front());
  return scope == nullptr ? model::Scope{} : std::move(*scope);
}

inline model::Credential credential_of(std::string_view text) {
  ParsedFile parsed = parse_documents(text, "probe.yaml");
  if (!parsed.diagnostics.empty() || parsed.documents.size() != 1) return {};
  auto* const credential = std::get_if<model::Credential>(&parsed.documents.front());
  return credential == nullptr ? model::Credential{} : std::move(*credential);
}

}  // namespace ambit::policy::probe
