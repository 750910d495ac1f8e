// SPDX-License-Identifier: Apache-2.0
// How many requests a caller may send: a token bucket for each process, and one for its user. One
// process that goes wild does not use up what its user's others have.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>

namespace ambit::daemon {

struct Rate {
  double per_second = 0;
  double burst = 0;  ///< at once
};

class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TokenBucket(Rate rate, Time now) : rate_(rate), tokens_(rate.burst), at_(now) {}
  [[nodiscard]] bool take(Time now);
  /// Nothing was taken of late: it is as good as a new one.
  [[nodiscard]] bool is_full(Time now) const { return tokens_at(now) >= rate_.burst; }

 private:
  [[nodiscard]] double tokens_at(Time now) const;
  Rate rate_;
  double tokens_;
  Time at_;
};

class RateLimit {
 public:
  /// Buckets that are not full. Beyond that number a process has only its user's.
  static constexpr std::size_t kMaxBuckets = 1024;

  RateLimit(Rate process, Rate user) : process_(process), user_(user) {}
  [[nodiscard]] bool take(uid_t user, pid_t process, TokenBucket::Time now);

 private:
  using Buckets = std::map<std::uint64_t, TokenBucket>;
  [[nodiscard]] static bool take_of(Buckets& buckets, std::uint64_t key, Rate rate,
                                    TokenBucket::Time now);
  Rate process_;
  Rate user_;
  Buckets processes_;
  Buckets users_;
};

}  // namespace ambit::daemon
