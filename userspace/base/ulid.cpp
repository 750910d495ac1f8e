// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/ulid.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace ambit {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kMaxMs = (std::uint64_t{1} << 48) - 1;

std::string encode(std::uint64_t ms, std::span<const std::uint8_t, 10> low) {
  std::string text(26, '0');
  for (std::size_t i = 0; i < 10; ++i) {
    text[9 - i] = kCrockford[(ms >> (5 * i)) & 31U];
  }
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      bits = bits << 8 | low[half * 5 + i];
    }
    for (std::size_t i = 0; i < 8; ++i) {
      text[10 + half * 8 + 7 - i] = kCrockford[(bits >> (5 * i)) & 31U];
    }
  }
  return text;
}

}  // namespace

bool system_random(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::getrandom(out.data() + done, out.size() - done, 0);
    if (got < 0 && errno != EINTR) {
      return false;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return true;
}

Result<UlidSource> UlidSource::create(RandomBytes random) {
  UlidSource source(std::move(random));
  if (!source.draw()) {
    return fail("cannot get random bytes for event ids (getrandom)");
  }
  return source;
}

std::string UlidSource::next(std::int64_t wall_ns) {
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(wall_ns, 0) / kNsPerMs);
  const std::uint64_t ms = std::min(now, kMaxMs);
  if (ms <= ms_) {
    count_up();
  } else {
    ms_ = ms;
    if (!draw()) {
      count_up();
    }
  }
  return encode(ms_, low_);
}

bool UlidSource::draw() {
  std::array<std::uint8_t, 10> fresh{};
  if (!random_(fresh)) {
    return false;
  }
  low_ = fresh;
  low_[0] &= 0x7f;  // leaves 2^79 numbers to count up: no millisecond runs out of them
  return true;
}

void UlidSource::count_up() {
  for (std::size_t i = low_.size(); i-- > 0;) {
    if (++low_[i] != 0) {
      return;
    }
  }
}

}  // namespace ambit
