// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/parse_config.h"

#include <sys/un.h>

#include <algorithm>

#include "userspace/policy/catalogue.h"
#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxSources = 64;
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

/// One spelling of one place: the daemon is started from any directory.
Formed<std::string> parse_absolute(std::string_view text) {
  if (!text.starts_with('/')) return mistaken("is a relative path; write it from /");
  if (text.ends_with('/')) return mistaken("ends with /: a file is meant");
  for (const std::string_view odd : {"//", "/./", "/../"})
    if (text.find(odd) != std::string_view::npos)
      return mistaken("has " + std::string(odd) + " in it; write the path without");
  if (text.ends_with("/..") || text.ends_with("/.")) return mistaken("names no file");
  return std::string(text);
}

Formed<std::string> parse_socket(std::string_view text) {
  if (text.size() > kMaxSocketPath)
    return mistaken("is longer than the " + std::to_string(kMaxSocketPath) +
                    " bytes that a socket's path can have");
  return parse_absolute(text);
}

Formed<std::string> parse_events(std::string_view text) {
  if (text == "-") return std::string(text);
  return parse_absolute(text);
}

Formed<std::string> parse_source(std::string_view text) {
  constexpr std::string_view kPrefix = "builtin:";
  if (text == kBuiltinCatalogue) return std::string(text);
  if (!text.starts_with(kPrefix)) return parse_absolute(text);
  const std::vector<std::string> names = builtin_catalogue_names();
  if (std::ranges::find(names, text.substr(kPrefix.size())) != names.end())
    return std::string(text);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto guess = nearest(text.substr(kPrefix.size()), views);
  return mistaken("is no shipped catalogue file",
                  guess ? std::string(kPrefix) + std::string(*guess) : std::string());
}

void read_socket(Reporter& report, const DocumentNode& value, model::Config& into) {
  into.socket = read_formed(report, value, parse_socket).value_or("");
}

void read_events(Reporter& report, const DocumentNode& value, model::Config& into) {
  into.events = read_formed(report, value, parse_events).value_or("");
}

void read_catalogue(Reporter& report, const DocumentNode& value, model::Config& into) {
  if (value.items.empty())
    return report.error(value.at, "no source is named; leave catalogue out for the built-in one");
  if (value.items.size() > kMaxSources)
    return report.error(value.at,
                        "catalogue has more than " + std::to_string(kMaxSources) + " sources");
  read_items(report, value, Shape::text, "catalogue", [&](const DocumentNode& item) {
    if (auto source = read_formed(report, item, parse_source))
      into.catalogue.push_back(std::move(*source));
  });
}

void read_backend(Reporter& report, const DocumentNode& value, model::Config& into) {
  model::Backend backend = model::Backend::none;
  read_word(report, value, "backend", kBackendWords, backend);
  if (backend != model::Backend::none) into.backend = backend;
}

void read_on_stop(Reporter& report, const DocumentNode& value, model::Config& into) {
  read_word(report, value, "onStop", kOnStopWords, into.on_stop);
}

void read_scopes(Reporter& report, const DocumentNode& value, model::Config& into) {
  if (value.items.empty())
    return report.error(value.at, "no source is named; leave scopes out where there are none");
  if (value.items.size() > kMaxSources)
    return report.error(value.at,
                        "scopes has more than " + std::to_string(kMaxSources) + " sources");
  read_items(report, value, Shape::text, "scopes", [&](const DocumentNode& item) {
    if (auto source = read_formed(report, item, parse_absolute))
      into.scopes.push_back(std::move(*source));
  });
}

}  // namespace

const std::array<ConfigKey, 6> kConfigKeys{{
    {.facts = {.name = "socket", .shape = Shape::text}, .read = read_socket},
    {.facts = {.name = "events", .shape = Shape::text}, .read = read_events},
    {.facts = {.name = "catalogue", .shape = Shape::list}, .read = read_catalogue},
    {.facts = {.name = "backend", .shape = Shape::text}, .read = read_backend},
    {.facts = {.name = "onStop", .shape = Shape::text}, .read = read_on_stop},
    {.facts = {.name = "scopes", .shape = Shape::list}, .read = read_scopes},
}};

model::Config parse_config(Reporter& report, const DocumentNode& spec) {
  model::Config config;
  read_mapping(report, spec, "spec", kConfigKeys, config);
  return config;
}

}  // namespace ambit::policy
