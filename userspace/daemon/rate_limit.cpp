// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/rate_limit.h"

#include <algorithm>

namespace ambit::daemon {

double TokenBucket::tokens_at(Time now) const {
  const std::chrono::duration<double> passed = now - at_;
  return std::min(rate_.burst, tokens_ + passed.count() * rate_.per_second);
}

bool TokenBucket::take(Time now) {
  tokens_ = tokens_at(now);
  at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool RateLimit::take_of(Buckets& buckets, std::uint64_t key, Rate rate, TokenBucket::Time now) {
  const auto found = buckets.find(key);
  if (found != buckets.end()) return found->second.take(now);
  if (buckets.size() >= kMaxBuckets)
    std::erase_if(buckets, [now](const auto& one) { return one.second.is_full(now); });
  return buckets.size() >= kMaxBuckets ||
         buckets.try_emplace(key, rate, now).first->second.take(now);
}

bool RateLimit::take(uid_t user, pid_t process, TokenBucket::Time now) {
  return take_of(processes_, static_cast<std::uint64_t>(process), process_, now) &&
         take_of(users_, user, user_, now);
}

}  // namespace ambit::daemon
