// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/task_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "userspace/base/descriptor.h"
#include "userspace/policy/destinations_address.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::string_view kEnding = ".task";
constexpr off_t kLargest = 16 << 20;

std::string hex_of(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4U];
    out += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return out;
}

Result<std::string> bytes_of(const std::string& hex) {
  const auto value = [](char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = value(hex[i]);
    const int low = value(hex[i + 1]);
    if (high < 0 || low < 0) return fail("a key is not hexadecimal");
    out += static_cast<char>(high << 4 | low);
  }
  if (hex.size() % 2 != 0) return fail("a key is cut");
  return out;
}

bool is_id(const std::string& text) {
  constexpr std::size_t kMost = 64;
  return !text.empty() && text.size() <= kMost && std::ranges::all_of(text, [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z');
  });
}

Json json_of(const policy::Resolved& answer) {
  Json addresses = Json::array();
  for (const policy::Address& address : answer.addresses)
    addresses.push_back(policy::text_of(address));
  return {{"addresses", addresses}, {"file", answer.from_file}};
}

/// Throws where the types are others.
policy::Resolved answer_of(const Json& json) {
  policy::Resolved out;
  for (const Json& text : json.at("addresses"))
    if (const auto address = policy::address_of(text.get<std::string>()))
      out.addresses.push_back(*address);
  std::ranges::sort(out.addresses);
  out.from_file = json.at("file").get<bool>();
  return out;
}

/// The same.
TaskRecord take_record(const Json& json) {
  TaskRecord record{.id = json.at("id").get<std::string>(),
                    .slot = json.at("slot").get<std::uint32_t>(),
                    .scope = json.at("scope").get<std::string>(),
                    .declared_by = json.at("declared_by").get<std::string>(),
                    .opened_ns = json.at("opened").get<std::int64_t>(),
                    .expires_boot_ns = json.at("expires_boot").get<std::uint64_t>(),
                    .expired = json.at("expired").get<bool>(),
                    .limits = json.at("limits").get<std::vector<std::string>>(),
                    .keys = {},
                    .names = {}};
  for (const auto& [name, answer] : json.at("names").items())
    record.names[name] = answer_of(answer);
  return record;
}

Result<void> take_keys(const Json& tables, TaskRecord& into) {
  for (const auto& [name, keys] : tables.items()) {
    const auto* const table = std::ranges::find(model::kTables, std::string_view(name));
    if (table == model::kTables.end()) return fail("there is no table " + name);
    for (const Json& key : keys) {
      auto bytes = bytes_of(key.get<std::string>());
      if (!bytes) return std::unexpected(bytes.error());
      into.keys.emplace_back(static_cast<model::Table>(table - model::kTables.begin()),
                             std::move(*bytes));
    }
  }
  return {};
}

Result<void> write_all(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const Descriptor file(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  std::size_t done = 0;
  while (file.valid() && done < text.size()) {
    const ssize_t put = ::write(file.get(), text.data() + done, text.size() - done);
    if (put <= 0) return fail_errno("cannot write " + fresh);
    done += static_cast<std::size_t>(put);
  }
  if (!file.valid() || ::rename(fresh.c_str(), path.c_str()) != 0)
    return fail_errno("cannot write " + path);
  return {};
}

Result<std::string> read_all(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts{};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0) return fail_errno(path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0)
    return fail(path + ": not a file that only Ambit can write");
  if (facts.st_size > kLargest) return fail(path + " is too large");
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  if (::read(file.get(), text.data(), text.size()) != facts.st_size) return fail_errno(path);
  return text;
}

}  // namespace

std::string to_text(const TaskRecord& record) {
  Json names = Json::object();
  for (const auto& [name, answer] : record.names) names[name] = json_of(answer);
  Json tables = Json::object();
  for (const auto& [table, key] : record.keys)
    tables[std::string(model::name_of(table))].push_back(hex_of(key));
  const Json json{{"v", kVersion},
                  {"id", record.id},
                  {"slot", record.slot},
                  {"scope", record.scope},
                  {"declared_by", record.declared_by},
                  {"opened", record.opened_ns},
                  {"expires_boot", record.expires_boot_ns},
                  {"expired", record.expired},
                  {"limits", record.limits},
                  {"names", names},
                  {"tables", tables}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<TaskRecord> record_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("v", Json()) != kVersion)
    return fail("no record of a task of version " + std::to_string(kVersion));
  try {
    TaskRecord record = take_record(json);
    if (auto taken = take_keys(json.at("tables"), record); !taken)
      return std::unexpected(taken.error());
    if (!is_id(record.id) || record.slot == 0) return fail("the task has no name or number");
    return record;
  } catch (const Json::exception& wrong) {
    return fail(wrong.what());
  }
}

std::string TaskStore::path_of(const std::string& id) const {
  return path(id + std::string(kEnding));
}

Result<void> TaskStore::put(const TaskRecord& record) const {
  return write_all(path_of(record.id), to_text(record));
}

Result<TaskRecord> TaskStore::get(const std::string& id) const {
  const std::string file = path_of(id);
  const auto text = read_all(file);
  if (!text) return std::unexpected(text.error());
  auto record = record_of(*text);
  if (!record) return fail(file + ": " + record.error().message);
  if (record->id != id) return fail(file + ": it is of another task");
  return record;
}

void TaskStore::remove(const std::string& id) const { ::unlink(path_of(id).c_str()); }

TaskStore::Found TaskStore::all() const {
  Found found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(kEnding)) continue;
    auto record = get(name.substr(0, name.size() - kEnding.size()));
    if (record)
      found.records.push_back(std::move(*record));
    else
      found.faults.push_back(record.error().message);
  }
  if (error) found.faults.push_back(directory_ + ": " + error.message());
  std::ranges::sort(found.records, {}, &TaskRecord::slot);
  return found;
}

std::string TaskStore::note(const std::string& name) const {
  return read_all(path(name)).value_or(std::string());
}

Result<void> TaskStore::put_note(const std::string& name, const std::string& text) const {
  return write_all(path(name), text);
}

}  // namespace ambit::pipeline
