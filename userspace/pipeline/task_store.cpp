// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/task_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "userspace/base/descriptor.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".task";
constexpr off_t kLargest = 16 << 20;

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

std::string TaskStore::path_of(const std::string& id) const {
  return path(id + std::string(kEnding));
}

/// Nobody else has it open, and it is whole and guarded when it appears.
Result<void> TaskStore::write(const std::string& path, const std::string& text) const {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const Descriptor file(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_errno("cannot write " + fresh);
  if (guard_)
    if (auto guarded = guard_(fresh); !guarded) return guarded;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t put = ::write(file.get(), text.data() + done, text.size() - done);
    if (put <= 0) return fail_errno("cannot write " + fresh);
    done += static_cast<std::size_t>(put);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("cannot write " + path);
  return {};
}

Result<void> TaskStore::put(const TaskRecord& record) const {
  return write(path_of(record.id), to_text(record));
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
  return write(path(name), text);
}

}  // namespace ambit::pipeline
