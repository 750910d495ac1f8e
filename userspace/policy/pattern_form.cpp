// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/pattern_form.h"

#include <algorithm>
#include <array>

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxComponent = 255;
constexpr std::size_t kMaxPattern = 4095;

using Check = std::optional<FormMistake> (*)(std::string_view);

std::optional<FormMistake> mistake(std::string message, std::string suggestion = {}) {
  return FormMistake{.message = std::move(message), .suggestion = std::move(suggestion)};
}

std::string replaced_front(std::string_view text, std::string_view front, std::string_view by) {
  return std::string(by) + std::string(text.substr(front.size()));
}

std::optional<FormMistake> check_variables(std::string_view text) {
  constexpr std::string_view kConfig = "$XDG_CONFIG_HOME/";
  constexpr std::string_view kRuntime = "$XDG_RUNTIME_DIR/";
  constexpr std::string_view kHome = "$HOME/";
  if (text.starts_with(kConfig)) {
    return mistake(
        "names a variable; ~/.config/ stands for it and follows $XDG_CONFIG_HOME by itself",
        replaced_front(text, kConfig, "~/.config/"));
  }
  if (text.starts_with(kRuntime)) {
    return mistake("names a variable, which patterns do not expand",
                   replaced_front(text, kRuntime, "/run/user/*/"));
  }
  if (text.starts_with(kHome)) {
    return mistake("names a variable; ~/ stands for every home directory",
                   replaced_front(text, kHome, "~/"));
  }
  if (text.starts_with('$')) return mistake("names a variable, which patterns do not expand");
  return std::nullopt;
}

std::optional<FormMistake> check_root(std::string_view text) {
  if (text.empty()) return mistake("is an empty pattern");
  if (text.size() > kMaxPattern) return mistake("is longer than a path can be (4095 bytes)");
  if (text.starts_with('!')) return mistake("has two exclamation marks");
  if (text.starts_with('@')) return mistake("is an abstract socket, which has no path");
  if (text.starts_with("~") && !text.starts_with("~/")) {
    if (text == "~") return mistake("is a home directory itself; name what is in it", "~/**");
    return mistake("names one person's home; ~/ stands for every home directory");
  }
  if (text == "**") return mistake("is every file there is");
  if (text == "/") return mistake("is the root directory itself; name what is in it");
  if (text.starts_with("./") || text.starts_with("../") || text == "." || text == "..") {
    return mistake("is a relative path; patterns begin with /, ~/ or **/");
  }
  if (text.starts_with('/') || text.starts_with("~/") || text.starts_with("**/"))
    return std::nullopt;
  if (text.starts_with("**")) return mistake("has ** together with other letters in one component");
  return mistake(
      "is a relative path; patterns begin with /, ~/ or **/",
      text.find('/') == std::string_view::npos ? "**/" + std::string(text) : std::string{});
}

std::optional<FormMistake> check_ends(std::string_view text) {
  if (text.ends_with('/')) {
    return mistake("ends in /; everything below a directory is dir/**", std::string(text) + "**");
  }
  return std::nullopt;
}

bool is_bracketed(std::string_view component, char open, char close, char between) {
  const std::size_t begin = component.find(open);
  if (begin == std::string_view::npos) return false;
  const std::size_t end = component.find(close, begin + 1);
  if (end == std::string_view::npos) return false;
  return between == '\0' ||
         component.substr(begin, end - begin).find(between) != std::string_view::npos;
}

std::optional<FormMistake> check_component(std::string_view component) {
  if (component.empty()) return mistake("has an empty component (//)");
  if (component == ".") return mistake("has the component \".\"");
  if (component == "..") return mistake("has the component \"..\"");
  if (component.size() > kMaxComponent) return mistake("has a component longer than 255 bytes");
  if (component.find('?') != std::string_view::npos) return mistake("has the glob letter ?");
  if (component.find('\\') != std::string_view::npos) return mistake("has a backslash escape");
  if (is_bracketed(component, '[', ']', '\0')) return mistake("has a glob class [ ]");
  if (is_bracketed(component, '{', '}', ','))
    return mistake("has a choice { , }; write two patterns");
  return std::nullopt;
}

std::vector<std::string> split(std::string_view rest) {
  std::vector<std::string> components;
  while (true) {
    const std::size_t slash = rest.find('/');
    components.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) return components;
    rest.remove_prefix(slash + 1);
  }
}

std::size_t stars_in(std::string_view component) {
  return static_cast<std::size_t>(std::ranges::count(component, '*'));
}

std::optional<FormMistake> check_stars(PatternForm& form) {
  std::size_t stars = 0;
  for (std::size_t i = 0; i < form.components.size(); ++i) {
    const std::string& component = form.components[i];
    if (component == "**")
      return mistake("has ** in the middle; it may only be first (**/name) or last (dir/**)");
    if (component.find("**") != std::string::npos) {
      return mistake("has ** together with other letters in one component");
    }
    if (stars_in(component) == 0) continue;
    stars += stars_in(component);
    form.star = i;
  }
  if (stars > 1) return mistake("has two stars; one * may stand in a pattern");
  if (stars > 0 && form.subtree) {
    return mistake("has * together with a final /**; only one of the two may stand in a pattern");
  }
  return std::nullopt;
}

std::optional<FormMistake> check_anywhere(const PatternForm& form) {
  if (form.root != PatternRoot::anywhere) return std::nullopt;
  if (form.subtree && form.components.empty()) return mistake("is every file there is");
  if (form.subtree) return mistake("has ** twice");
  if (form.components.size() > 1)
    return mistake("has a path after **/; only one name may follow it");
  if (form.components.front() == "*") return mistake("is every file there is");
  return std::nullopt;
}

}  // namespace

Formed<PatternForm> parse_pattern_form(std::string_view text) {
  for (const Check check : {Check{check_variables}, Check{check_root}, Check{check_ends}}) {
    if (auto wrong = check(text)) return std::unexpected(std::move(*wrong));
  }
  PatternForm form;
  if (text.starts_with("~/")) form.root = PatternRoot::home;
  if (text.starts_with("**/")) form.root = PatternRoot::anywhere;
  form.components = split(text.substr(text.find('/') + 1));
  if (form.components.back() == "**") {
    form.subtree = true;
    form.components.pop_back();
  }
  for (const std::string& component : form.components) {
    if (auto wrong = check_component(component)) return std::unexpected(std::move(*wrong));
  }
  if (auto wrong = check_anywhere(form)) return std::unexpected(std::move(*wrong));
  if (auto wrong = check_stars(form)) return std::unexpected(std::move(*wrong));
  return form;
}

bool is_moved_by(std::string_view pattern, std::string_view moved) {
  if (moved.empty() || !pattern.starts_with(moved)) return false;
  return pattern.size() == moved.size() || pattern[moved.size()] == '/';
}

std::optional<std::string> relocated_pattern(std::string_view pattern, std::string_view moved,
                                             std::string_view to) {
  if (!is_moved_by(pattern, moved)) return std::nullopt;
  while (to.size() > 1 && to.ends_with('/')) to.remove_suffix(1);
  return replaced_front(pattern, moved, to);
}

}  // namespace ambit::policy
