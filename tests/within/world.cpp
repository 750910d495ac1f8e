// SPDX-License-Identifier: Apache-2.0
#include "tests/within/world.h"

#include <cstring>

#include "tests/unit/policy/destinations_literal.h"
#include "userspace/policy/encode.h"

namespace ambit::policy::within {

namespace {

constexpr std::array kDirectories{"/b", "/o", "/o/t", "/o/t/u", "/run"};
constexpr std::array kNames{"a", "b", "ab", "ba", "aab"};

bool is_longest_prefix(model::Table table) {
  return table == model::Table::prefixes || table == model::Table::ports;
}

std::string cut_key(std::string key, std::uint32_t length) {
  std::memcpy(key.data(), &length, sizeof(length));
  for (std::size_t at = sizeof(length); at < key.size(); ++at) {
    const std::size_t bits = (at - sizeof(length)) * 8;
    if (bits >= length) {
      key[at] = '\0';
    } else if (bits + 8 > length) {
      const unsigned kept = 0xff00U >> (length - bits);
      key[at] = static_cast<char>(static_cast<unsigned char>(key[at]) & kept);
    }
  }
  return key;
}

model::Pattern pattern(std::string text) { return {.text = std::move(text)}; }

model::DestinationRule to(std::string_view address, unsigned prefix) {
  model::DestinationRule rule;
  rule.type = model::DestinationType::range;
  rule.range = {.address = probe::ip(address), .prefix = static_cast<std::uint8_t>(prefix)};
  return rule;
}

}  // namespace

bool QuickTables::find(model::Table table, model::Bytes key, std::span<std::byte> value) const {
  const Entries& entries = tables_.at(static_cast<std::size_t>(table));
  const std::string whole(reinterpret_cast<const char*>(key.data()), key.size());
  const auto give = [&](const std::string& wanted) {
    const auto found = entries.values.find(wanted);
    if (found == entries.values.end() || found->second.size() != value.size()) return false;
    std::memcpy(value.data(), found->second.data(), value.size());
    return true;
  };
  if (!is_longest_prefix(table)) return give(whole);
  std::uint32_t length = 0;
  std::memcpy(&length, key.data(), sizeof(length));
  for (const std::uint32_t bits : entries.lengths)
    if (bits <= length && give(cut_key(whole, bits))) return true;
  return false;
}

Result<void> QuickTables::put(const model::TableEntry& entry) {
  Entries& entries = tables_.at(static_cast<std::size_t>(entry.table));
  std::string key = entry.key;
  if (is_longest_prefix(entry.table)) {
    std::uint32_t length = 0;
    std::memcpy(&length, key.data(), sizeof(length));
    entries.lengths.insert(length);
    key = cut_key(std::move(key), length);
  }
  entries.values[key] = entry.value;
  return {};
}

Result<void> QuickTables::remove(model::Table table, const std::string& key) {
  tables_.at(static_cast<std::size_t>(table)).values.erase(key);
  return {};
}

std::string some_path(Dice& dice) {
  return std::string(dice.pick(kDirectories)) + "/" + dice.pick(kNames);
}

FakeFiles make_files(Dice& dice) {
  FakeFiles files;
  for (const char* secret : {"/s/0", "/s/1", "/s/2", "/s/3"}) files.file(secret);
  for (const char* directory : kDirectories)
    if (!dice.one_in(4)) files.directory(directory);
  for (std::uint32_t i = dice.below(10); i-- > 0;) files.file(some_path(dice));
  for (std::uint32_t i = dice.below(4); i-- > 0;)
    files.socket(std::string("/run/") + dice.pick(kNames));
  files.socket("/run/agent");
  return files;
}

namespace {

/// The path with its directory as it is without symlinks; nothing where that leads nowhere.
std::optional<std::string> settled(const FakeFiles& files, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const auto directory = files.look(path.substr(0, slash));
  if (!directory || !directory->directory) return std::nullopt;
  return directory->canonical + path.substr(slash);
}

void change_directory(Dice& dice, FakeFiles& files) {
  const auto directory = settled(files, dice.pick(kDirectories));
  const std::string other = dice.pick(kDirectories);
  if (!directory || *directory == other) return;
  files.remove(*directory);
  if (dice.one_in(3))
    files.symlink(*directory, other);
  else
    files.directory(*directory);
}

void change_file(Dice& dice, FakeFiles& files, const std::string& path) {
  files.remove(path);
  switch (dice.below(4)) {
    case 0:
      files.symlink(path, some_path(dice));
      break;
    case 1:
      files.socket(path);
      break;
    case 2:
      files.file(path);
      break;
    default:
      break;
  }
}

void move_file(Dice& dice, FakeFiles& files, const std::string& path) {
  const auto old = settled(files, some_path(dice));
  const auto facts = old ? files.look(*old) : std::nullopt;
  if (!facts || facts->canonical != *old || !facts->regular || path == *old) return;
  files.remove(path);
  if (dice.one_in(2))
    files.hard_link(path, *old);
  else
    files.rename(*old, path);
}

}  // namespace

void change_files(Dice& dice, FakeFiles& files, bool moves) {
  for (std::uint32_t i = dice.below(5); i-- > 0;) {
    const auto path = settled(files, some_path(dice));
    if (dice.one_in(5))
      change_directory(dice, files);
    else if (path && moves && dice.one_in(3))
      move_file(dice, files, *path);
    else if (path)
      change_file(dice, files, *path);
  }
}

Ground make_ground(Dice& dice, const FakeFiles& files) {
  Ground ground;
  ground.resolved = {{"a.x", {probe::ip("10.0.0.1")}},
                     {"b.x", {probe::ip("10.0.0.2"), probe::ip("fd00::2")}},
                     {"c.a.x", {probe::ip("10.0.1.1")}},
                     {"a.y", {probe::ip("10.9.0.1")}}};
  for (unsigned i = 0; i < 4; ++i) {
    model::Credential credential;
    credential.name = "c" + std::to_string(i);
    credential.files = {pattern("/s/" + std::to_string(i))};
    if (i == 0) credential.sockets = {pattern("/run/agent")};
    if (i == 1) {
      credential.endpoints = {to("10.9.9.9", 128)};
      credential.variables = {"TOKEN"};
    }
    if (dice.one_in(4)) {
      credential.destinations.emplace();
    } else if (!dice.one_in(3)) {
      credential.destinations = {to("10.0.0.0", 120), to("10.0.1.0", 120)};
      credential.destinations->front().ports = {{.first = 1, .last = 4}};
    }
    ground.catalogue.credentials.push_back(std::move(credential));
  }
  ExpandedCatalogue places{.catalogue = &ground.catalogue, .files = {}};
  for (const model::Credential& credential : ground.catalogue.credentials) {
    std::vector<model::Pattern> all = credential.files;
    all.insert(all.end(), credential.sockets.begin(), credential.sockets.end());
    places.files.push_back(std::move(all));
  }
  if (auto paths = compile_catalogue(places, files)) ground.credential_paths = std::move(*paths);
  return ground;
}

ExpandedScope expanded(const model::Scope& scope) {
  ExpandedScope out{
      .scope = &scope, .readers = {}, .exec = scope.exec.value_or(std::vector<model::Pattern>{})};
  for (const model::ScopeCredential& credential : scope.credentials)
    out.readers.push_back(credential.readers.value_or(std::vector<model::Pattern>{}));
  return out;
}

Result<Bound> bind(const Ground& ground, const model::Scope& scope, const FakeFiles& files,
                   const std::vector<std::string>& given_bits) {
  Bound bound;
  ExpandedScope whole = expanded(scope);
  whole.given_bits = given_bits;
  auto policy = compile_policy(whole, ground.catalogue, files);
  if (!policy) return std::unexpected(policy.error());
  bound.policy = std::move(*policy);
  DestinationInput input =
      destination_input(scope, ground.catalogue, bound.policy, {probe::ip("10.5.5.5")});
  input.resolved = ground.resolved;
  auto destinations = compile_destinations(input);
  if (!destinations) return std::unexpected(destinations.error());
  bound.policy.destinations = std::move(*destinations);
  const PolicyNumbers numbers;
  const auto put = [&](const std::vector<model::TableEntry>& entries) {
    return put_all(bound.tables, entries);
  };
  if (auto done = put(encode_paths(ground.credential_paths, numbers.credential_space)); !done)
    return std::unexpected(done.error());
  if (auto done = put(encode_policy(bound.policy, numbers)); !done)
    return std::unexpected(done.error());
  if (auto done = put({encode_task(
          {.slot = 1, .expires_boot_ns = static_cast<std::uint64_t>(scope.ttl.count())})});
      !done)
    return std::unexpected(done.error());
  return bound;
}

}  // namespace ambit::policy::within
