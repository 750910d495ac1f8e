// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/identity.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "userspace/base/whole_number.h"

namespace ambit::pipeline {

namespace {

std::optional<std::string> value_of(const std::vector<std::string>& environment,
                                    std::string_view name) {
  for (const std::string& entry : environment)
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

std::vector<gid_t> groups_of(const std::string& name, gid_t gid) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(name.c_str(), gid, groups.data(), &count) < 0) return {gid};
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

Identity from_entry(const passwd& entry) {
  return {.uid = entry.pw_uid,
          .gid = entry.pw_gid,
          .groups = groups_of(entry.pw_name, entry.pw_gid),
          .name = entry.pw_name,
          .home = entry.pw_dir,
          .changes = entry.pw_uid != ::geteuid()};
}

/// A number without an entry in the password file is a user too (containers have such).
Result<Identity> from_word(const std::string& word) {
  if (const passwd* entry = ::getpwnam(word.c_str()); entry != nullptr) return from_entry(*entry);
  const auto number = whole_number<uid_t>(word);
  if (!number) return fail("there is no user \"" + word + "\"");
  const uid_t uid = *number;
  // To the kernel this number means: leave it as it is.
  if (uid == static_cast<uid_t>(-1)) return fail("no user can have the number " + word);
  if (const passwd* entry = ::getpwuid(uid); entry != nullptr) return from_entry(*entry);
  return Identity{.uid = uid,
                  .gid = uid,
                  .groups = {uid},
                  .name = word,
                  .home = "/",
                  .changes = uid != ::geteuid()};
}

}  // namespace

Result<Identity> choose_identity(const std::optional<std::string>& user,
                                 const std::vector<std::string>& environment) {
  if (user) return from_word(*user);
  if (::geteuid() == 0)
    if (auto caller = value_of(environment, "SUDO_UID"); caller && *caller != "0")
      return from_word(*caller);
  Identity own;
  own.uid = ::geteuid();
  own.gid = ::getegid();
  if (const passwd* entry = ::getpwuid(own.uid); entry != nullptr) {
    own.name = entry->pw_name;
    own.home = entry->pw_dir;
  }
  return own;
}

std::vector<std::string> environment_of(const Identity& identity,
                                        std::vector<std::string> environment) {
  if (!identity.changes) return environment;
  static constexpr std::array<std::string_view, 8> kReplaced{
      "HOME=",     "USER=",      "LOGNAME=",      "SUDO_UID=",
      "SUDO_GID=", "SUDO_USER=", "SUDO_COMMAND=", "MAIL="};
  std::erase_if(environment, [](const std::string& entry) {
    return std::ranges::any_of(kReplaced,
                               [&](std::string_view name) { return entry.starts_with(name); });
  });
  environment.push_back("HOME=" + identity.home);
  environment.push_back("USER=" + identity.name);
  environment.push_back("LOGNAME=" + identity.name);
  return environment;
}

}  // namespace ambit::pipeline
