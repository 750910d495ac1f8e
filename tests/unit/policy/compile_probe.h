// SPDX-License-Identifier: Apache-2.0
// Compiles patterns over a file system in memory and asks bpf/core what a path is then.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/core/fake_files.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"

namespace ambit::policy::probe {

using Numbers = std::vector<std::uint16_t>;
using Texts = std::vector<std::string>;

/// A leading `!` excludes, as in a document.
inline std::vector<model::Pattern> patterns_of(const Texts& texts) {
  std::vector<model::Pattern> out;
  for (const std::string& text : texts) {
    const bool exclude = text.starts_with('!');
    out.push_back({.text = text.substr(exclude ? 1 : 0), .exclude = exclude});
  }
  return out;
}

/// What an open of `path` is found to be: by inode first, then by its name.
inline Recognised recognised(const MemoryTables& tables, std::uint32_t space,
                             const FakeFiles& files, const std::string& path) {
  const auto facts = std::make_unique<PathFacts>(files.facts(path));
  return recognise(tables, space, *facts);
}

/// A catalogue whose credentials are numbers in the order of adding.
class CatalogueProbe {
 public:
  FakeFiles files;

  explicit CatalogueProbe(const std::vector<Texts>& credentials) {
    for (std::size_t i = 0; i < credentials.size(); ++i) {
      catalogue_.credentials.push_back({.name = "credential-" + std::to_string(i)});
      expanded_.files.push_back(patterns_of(credentials[i]));
    }
    expanded_.catalogue = &catalogue_;
  }
  CatalogueProbe(const CatalogueProbe&) = delete;
  CatalogueProbe& operator=(const CatalogueProbe&) = delete;
  ~CatalogueProbe() = default;

  [[nodiscard]] const ExpandedCatalogue& expanded() const { return expanded_; }

  [[nodiscard]] Result<model::CompiledPaths> compile() const {
    return compile_catalogue(expanded_, files);
  }
  /// Empty, or why it cannot be compiled.
  [[nodiscard]] std::string start() {
    const auto paths = compile();
    if (!paths) return paths.error().message;
    const auto put = put_all(tables_, encode_paths(*paths, kSpace));
    return put ? std::string() : put.error().message;
  }
  [[nodiscard]] Numbers is(const std::string& path) const {
    const Recognised what = recognised(tables_, kSpace, files, path);
    EXPECT_FALSE(what.undecided) << path;
    return {what.credentials.begin(),
            what.credentials.begin() + static_cast<std::ptrdiff_t>(what.count)};
  }

  static constexpr std::uint32_t kSpace = 1;

 private:
  model::Catalogue catalogue_;
  ExpandedCatalogue expanded_;
  MemoryTables tables_;
};

/// A new file in place of the old, as editors and `mv` make it.
inline void replace(FakeFiles& files, const std::string& path) {
  files.file("/elsewhere/new");
  files.rename("/elsewhere/new", path);
}

}  // namespace ambit::policy::probe
