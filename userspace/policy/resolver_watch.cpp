// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/resolver_watch.h"

#include <algorithm>

namespace ambit::policy {
namespace {

using std::chrono::seconds;

constexpr seconds kShortest{1};
constexpr seconds kLongest{3600};
constexpr seconds kGrace{60};
constexpr seconds kLongestBackoff{60};
constexpr std::size_t kMaxLeaving = 1024;  ///< a server may rotate through as many as it likes

}  // namespace

NameWatch::NameWatch(const std::vector<std::string>& names, Time now) {
  for (const std::string& name : names) {
    names_[name].next = now;
  }
}

std::vector<std::string> NameWatch::due(Time now) const {
  std::vector<std::string> result;
  for (const auto& [name, watched] : names_) {
    if (watched.next <= now) {
      result.push_back(name);
    }
  }
  return result;
}

std::optional<NameWatch::Time> NameWatch::next() const {
  std::optional<Time> earliest;
  const auto consider = [&](Time time) { earliest = std::min(earliest.value_or(time), time); };
  for (const auto& [name, watched] : names_) {
    consider(watched.next);
    for (const auto& [address, until] : watched.leaving) {
      consider(until);
    }
  }
  return earliest;
}

bool NameWatch::answered(const std::string& name, const Resolved& answer, Time now) {
  const auto at = names_.find(name);
  if (at == names_.end()) {
    return false;
  }
  Watched& watched = at->second;
  const std::vector<Address> before = all_of(watched);
  const Time until = now + watched.life + kGrace;
  for (const Address& address : watched.current) {
    watched.leaving.insert_or_assign(address, until);
  }
  watched.current = answer.addresses;
  for (const Address& address : watched.current) {
    watched.leaving.erase(address);
  }
  while (watched.leaving.size() > kMaxLeaving) {
    watched.leaving.erase(std::ranges::min_element(watched.leaving, {},
                                                   [](const auto& entry) { return entry.second; }));
  }
  watched.life = std::clamp(answer.ttl, seconds::zero(), kLongest);
  watched.backoff = Duration::zero();
  // A task may be able to write the file: what it said at the start stands.
  watched.next =
      answer.from_file ? Time::max() : now + std::max<Duration>(watched.life * 4 / 5, kShortest);
  return all_of(watched) != before;
}

void NameWatch::failed(const std::string& name, Time now) {
  if (const auto at = names_.find(name); at != names_.end()) {
    Watched& watched = at->second;
    watched.backoff = std::clamp<Duration>(watched.backoff * 2, kShortest, kLongestBackoff);
    watched.next = now + watched.backoff;
  }
}

bool NameWatch::expire(Time now) {
  bool changed = false;
  for (auto& [name, watched] : names_) {
    const std::size_t gone =
        std::erase_if(watched.leaving, [&](const auto& entry) { return entry.second <= now; });
    changed = changed || gone > 0;
  }
  return changed;
}

void NameWatch::take_over(const NameWatch& other) {
  for (auto& [name, watched] : names_) {
    const auto known = other.names_.find(name);
    if (known != other.names_.end()) watched = known->second;
  }
}

std::vector<Address> NameWatch::all_of(const Watched& watched) {
  std::vector<Address> all = watched.current;
  for (const auto& [address, until] : watched.leaving) {
    all.push_back(address);
  }
  std::ranges::sort(all);
  return all;
}

ResolvedNames NameWatch::addresses() const {
  ResolvedNames result;
  for (const auto& [name, watched] : names_) {
    if (auto all = all_of(watched); !all.empty()) {
      result.emplace(name, std::move(all));
    }
  }
  return result;
}

std::map<std::string, Resolved> NameWatch::answers() const {
  std::map<std::string, Resolved> result;
  for (const auto& [name, watched] : names_)
    if (auto all = all_of(watched); !all.empty())
      result[name] = {.addresses = std::move(all),
                      .ttl = seconds::zero(),
                      .from_file = watched.next == Time::max()};
  return result;
}

}  // namespace ambit::policy
