// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/homes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "userspace/base/whole_number.h"
#include "userspace/policy/environment_file.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kFields = 7;
constexpr std::size_t kUserField = 2;
constexpr std::size_t kHomeField = 5;

template <typename T>
void add_once(std::vector<T>& list, T value) {
  if (std::ranges::find(list, value) == list.end()) {
    list.push_back(std::move(value));
  }
}

/// An absolute path without a final slash; nothing for any other text.
std::optional<std::string> directory_of(std::string_view text) {
  if (!text.starts_with('/')) {
    return std::nullopt;
  }
  while (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

std::optional<std::string> directory_of(const Environment& environment, std::string_view variable) {
  const auto value = variable_of(environment, variable);
  return value ? directory_of(*value) : std::nullopt;
}

void add_line(std::string_view line, Homes& homes) {
  std::array<std::string_view, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    const std::size_t end = line.find(':');
    if ((end == std::string_view::npos) != (i + 1 == kFields)) {
      return;
    }
    fields.at(i) = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  const auto user = whole_number<std::uint32_t>(fields.at(kUserField));
  if (!user) {
    return;
  }
  add_once(homes.users, *user);
  if (auto home = directory_of(fields.at(kHomeField))) {
    add_once(homes.directories, std::move(*home));
  }
}

/// Where a pattern that begins with `front` may be.
struct Expansion {
  std::string_view front;
  std::vector<std::string> (*places)(const Homes&, const Environment&);
};

std::vector<std::string> runtime_directory(const Environment& environment) {
  const auto named = directory_of(environment, "XDG_RUNTIME_DIR");
  return named ? std::vector{*named} : std::vector<std::string>{};
}

std::vector<std::string> all_homes(const Homes& homes, const Environment& environment) {
  std::vector<std::string> places = homes.directories;
  if (auto own = directory_of(environment, "HOME")) {
    add_once(places, std::move(*own));
  }
  return places;
}

std::vector<std::string> config_directory(const Homes& /*homes*/, const Environment& environment) {
  const auto named = directory_of(environment, "XDG_CONFIG_HOME");
  return named ? std::vector{*named} : std::vector<std::string>{};
}

std::vector<std::string> runtime_directories(const Homes& homes, const Environment& environment) {
  std::vector<std::string> places;
  places.reserve(homes.users.size());
  for (const std::uint32_t user : homes.users) {
    places.push_back("/run/user/" + std::to_string(user));
  }
  for (std::string& named : runtime_directory(environment)) {
    add_once(places, std::move(named));
  }
  return places;
}

std::vector<std::string> named_runtime_directory(const Homes& /*homes*/,
                                                 const Environment& environment) {
  return runtime_directory(environment);
}

constexpr std::array<Expansion, 4> kExpansions{{
    {.front = "~/", .places = all_homes},
    {.front = "~/.config/", .places = config_directory},
    {.front = "$XDG_RUNTIME_DIR/", .places = runtime_directories},
    {.front = "/run/user/*/", .places = named_runtime_directory},
}};

bool needs_no_expansion(std::string_view text) {
  return text.starts_with('/') || text.starts_with("**/");
}

}  // namespace

Homes home_directories(std::string_view passwd) {
  Homes homes;
  while (!passwd.empty()) {
    const std::size_t end = std::min(passwd.find('\n'), passwd.size());
    add_line(passwd.substr(0, end), homes);
    passwd.remove_prefix(std::min(end + 1, passwd.size()));
  }
  return homes;
}

Result<Homes> read_homes(const std::string& path) {
  const auto text = read_system_file(path);
  if (!text) {
    return std::unexpected(text.error());
  }
  return home_directories(*text);
}

Result<std::vector<model::Pattern>> expand_pattern(const model::Pattern& pattern,
                                                   const Homes& homes,
                                                   const Environment& environment) {
  std::vector<std::string> texts;
  bool known = needs_no_expansion(pattern.text);
  if (known) {
    texts.push_back(pattern.text);
  }
  for (const Expansion& expansion : kExpansions) {
    if (!pattern.text.starts_with(expansion.front)) {
      continue;
    }
    known = true;
    for (const std::string& place : expansion.places(homes, environment)) {
      if (place.find('*') != std::string::npos) {
        return fail(
            "a home or runtime directory has a `*` in its path, which cannot be told from "
            "a pattern");
      }
      add_once(texts, place + "/" + pattern.text.substr(expansion.front.size()));
    }
  }
  if (!known) {
    return fail("the pattern " + pattern.text + " begins with neither /, ~/ nor **/");
  }
  std::vector<model::Pattern> expanded(texts.size(), pattern);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    expanded[i].text = std::move(texts[i]);
  }
  return expanded;
}

}  // namespace ambit::policy
