// SPDX-License-Identifier: Apache-2.0
// What the tables say of random files, beside patterns read as text: walks end early where no
// pattern goes on, and a directory that is called plain is remembered as one by the kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "tests/core/fake_files.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"
#include "userspace/policy/paths.h"

namespace ambit::policy {
namespace {

constexpr std::array kNames{"a", "b", "ab", "aba", "a.b", "ba.b"};

using Parts = std::vector<std::string>;

Parts split(const std::string& path) {
  Parts parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool name_is(const std::string& pattern, const std::string& name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern == name;
  return name.size() + 1 >= pattern.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(pattern.substr(star + 1));
}

/// The pattern as a person reads it.
bool names(const std::string& pattern, const std::string& path) {
  Parts wanted = split(pattern);
  const Parts parts = split(path);
  if (wanted.front() == "**") return name_is(wanted.back(), parts.back());
  const bool subtree = wanted.back() == "**";
  if (subtree) wanted.pop_back();
  if (subtree ? parts.size() <= wanted.size() : parts.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!name_is(wanted[i], parts[i])) return false;
  return true;
}

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    for (std::uint32_t i = below(5); i-- > 0;) files_.directory(path(4));
    std::vector<PathPattern> compiled;
    for (std::uint32_t i = 1 + below(6); i-- > 0;) {
      patterns_.push_back(pattern());
      compiled.push_back(
          {.text = patterns_.back(), .meaning = {.exclude = below(5) == 0, .credentials = {1}}});
      excludes_ |= compiled.back().meaning.exclude;
    }
    opened_ = path(6);
    files_.file(opened_);
    const auto paths = compile_paths(compiled, files_);
    usable_ = paths && files_.look(opened_) && put_all(tables_, encode_paths(*paths, 1));
  }

  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] bool excludes() const { return excludes_; }
  [[nodiscard]] const std::string& opened() const { return opened_; }
  [[nodiscard]] bool any_names(const std::string& path, bool anywhere) const {
    return std::ranges::any_of(patterns_, [&](const std::string& one) {
      return (anywhere || !one.starts_with("**")) && names(one, path);
    });
  }
  [[nodiscard]] Recognised recognise_opened() const {
    const auto facts = std::make_unique<PathFacts>(files_.facts(opened_));
    return recognise(tables_, 1, *facts, false);
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_()) % limit; }
  std::string path(std::uint32_t most) {
    std::string out;
    for (std::uint32_t i = 1 + below(most); i-- > 0;)
      out += std::string("/") + kNames.at(below(kNames.size()));
    return out;
  }
  std::string pattern() {
    static constexpr std::array kStars{"*", "a*", "*b", "a*b", "ab*", "*.b"};
    const std::string star = kStars.at(below(kStars.size()));
    switch (below(6)) {
      case 0:
        return path(3) + "/**";
      case 1:
        return path(2) + "/" + star;
      case 2:
        return path(2) + "/" + star + path(2);
      case 3:
        return "**/" + star;
      default:
        return path(5);
    }
  }

  std::mt19937_64 random_;
  FakeFiles files_;
  MemoryTables tables_;
  std::vector<std::string> patterns_;
  std::string opened_;
  bool excludes_ = false;
  bool usable_ = false;
};

TEST(RandomFiles, AreWhatTheirPatternsSayAsText) {
  std::size_t named = 0;
  for (std::uint32_t seed = 0; seed < 4'000; ++seed) {
    const World world(seed);
    if (!world.usable() || world.excludes()) continue;
    const bool expected = world.any_names(world.opened(), true);
    named += expected ? 1U : 0U;
    ASSERT_EQ(world.recognise_opened().count > 0, expected) << "seed " << seed;
  }
  EXPECT_GT(named, 200U);
}

TEST(RandomFiles, LieInAPlainDirectoryOnlyWhenNoPatternNamesAnythingThere) {
  std::size_t plain = 0;
  for (std::uint32_t seed = 0; seed < 4'000; ++seed) {
    const World world(seed);
    if (!world.usable() || !world.recognise_opened().plain_directory) continue;
    ++plain;
    const std::string directory = world.opened().substr(0, world.opened().rfind('/'));
    for (const char* name : kNames)
      ASSERT_FALSE(world.any_names(directory + "/" + name, false))
          << "seed " << seed << " " << name;
  }
  EXPECT_GT(plain, 200U);
}

}  // namespace
}  // namespace ambit::policy
