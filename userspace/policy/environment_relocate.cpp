// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "userspace/policy/environment.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {
namespace {

/// Variables whose value is several paths with `:` between them; in all others `:` is a letter.
constexpr std::array<std::string_view, 1> kPathLists{"KUBECONFIG"};
/// How some programs say that a value is a path (SPIFFE, libc's Kerberos).
constexpr std::array<std::string_view, 4> kPathSchemes{"unix://", "unix:", "FILE:", "DIR:"};
constexpr std::size_t kMaxPath = 4095;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// Without `//`, `.` and `..`, and without a final slash. "/" itself is empty.
std::string plain_path(std::string_view absolute) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(absolute, '/')) {
    if (part == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (!part.empty() && part != ".") {
      kept.push_back(part);
    }
  }
  std::string path;
  for (const std::string_view part : kept) {
    path.append("/").append(part);
  }
  return path;
}

std::string_view without_scheme(std::string_view value) {
  for (const std::string_view scheme : kPathSchemes) {
    if (value.starts_with(scheme)) {
      return value.substr(scheme.size());
    }
  }
  return value;
}

/// The places that a value names. `~/x` is two: the AWS command line expands it, open() does not.
std::vector<std::string> places_of(std::string_view variable, std::string_view value,
                                   std::string_view cwd) {
  const bool list = std::ranges::find(kPathLists, variable) != kPathLists.end();
  std::vector<std::string> places;
  for (const std::string_view part :
       list ? split(value, ':') : std::vector<std::string_view>{value}) {
    const std::string_view path = without_scheme(part);
    if (path.empty() || path.size() > kMaxPath || path.find("://") != std::string_view::npos) {
      continue;
    }
    if (path.starts_with("~/")) {
      places.push_back("~" + plain_path(path.substr(1)));
    }
    std::string absolute(path);
    if (!path.starts_with('/')) {
      absolute.insert(0, std::string(cwd) + "/");
    }
    places.push_back(plain_path(absolute));
  }
  return places;
}

void move_patterns(const std::vector<model::Pattern>& patterns, std::string_view moved,
                   const std::string& place, std::vector<model::Pattern>& into) {
  for (const model::Pattern& pattern : patterns) {
    if (auto text = relocated_pattern(pattern.text, moved, place)) {
      model::Pattern there = pattern;
      there.text = std::move(*text);
      into.push_back(std::move(there));
    }
  }
}

}  // namespace

Result<Relocated> relocate(const model::Credential& credential, const Environment& environment,
                           const std::string& cwd) {
  Relocated result;
  for (const auto& [variable, moved] : credential.relocated_by) {
    const auto value = variable_of(environment, variable);
    if (!value || moved.empty()) {
      continue;
    }
    for (const std::string& place : places_of(variable, *value, cwd)) {
      // The root directory is no file and no directory of credentials either.
      if (place.empty() || place == "~") {
        continue;
      }
      if (place.find('*') != std::string::npos) {
        return fail("the variable " + variable +
                    " names a path with a `*`, which cannot be told from a pattern; start the "
                    "command with another value");
      }
      move_patterns(credential.files, moved, place, result.files);
      move_patterns(credential.sockets, moved, place, result.sockets);
    }
  }
  return result;
}

}  // namespace ambit::policy
