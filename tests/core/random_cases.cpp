// SPDX-License-Identifier: Apache-2.0
// Policies, trees and operations out of a small world, in which most things touch each other.
#include <random>

#include "tests/core/cases.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/paths.h"

namespace ambit::policy {

namespace {

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {}

  Case next(std::size_t number) {
    Case out;
    out.name = "random case " + std::to_string(number);
    switch (below(4)) {
      case 0:
        out.operation = OpenCredentials{.subject = subject(), .credentials = numbers(3)};
        break;
      case 1:
        out.operation = Execute{.subject = subject(), .program = coin()};
        break;
      case 2:
        out.operation = Reach{.subject = subject(),
                              .to = {.address = address(),
                                     .port = port(),
                                     .protocol = protocol(),
                                     .own = below(10) == 0,
                                     .other = below(10) == 0}};
        break;
      default:
        return recognition(std::move(out));
    }
    out.tables = encode_policy(policy(), {.policy = 1, .credential_space = 1, .program_space = 2});
    out.tables.push_back(encode_task({.slot = 1,
                                      .policy = below(20) == 0 ? 2U : 1U,
                                      .expires_boot_ns = coin() ? 0 : below(100),
                                      .revoked = below(10) == 0}));
    out.expected = answer_in_memory(out);
    return out;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_()) % limit; }
  bool coin() { return below(2) == 0; }

  std::vector<std::uint16_t> numbers(std::size_t most) {
    std::vector<std::uint16_t> out(below(static_cast<std::uint32_t>(most) + 1));
    for (auto& number : out) number = static_cast<std::uint16_t>(below(6));
    return out;
  }

  model::CredentialMask mask() {
    model::CredentialMask out{};
    for (auto& word : out) word = below(3) == 0 ? random_() & random_() : 0;
    out[0] |= below(64);
    return out;
  }

  Subject subject() {
    return {.slot = 1, .held = mask(), .readers = mask(), .now_boot_ns = below(100)};
  }

  model::Response response() { return static_cast<model::Response>(1 + below(4)); }

  std::uint8_t protocol() { return below(3) == 0 ? 17 : 6; }
  std::uint16_t port() {
    return static_cast<std::uint16_t>(coin() ? below(16) : 0x8000 + below(16));
  }
  std::array<std::uint8_t, 16> address() {
    std::array<std::uint8_t, 16> out{};
    out[0] = static_cast<std::uint8_t>(coin() ? 0x20 : 0);
    for (std::size_t i = 12; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(below(3));
    return out;
  }

  model::CompiledPolicy policy() {
    model::CompiledPolicy out;
    out.shadow = below(4) == 0;
    out.network_bound = coin();
    out.exec_bound = coin();
    out.response = {.credential = response(), .network = response(), .exec = response()};
    for (std::uint16_t i = 0; i < 5; ++i)
      if (below(4) != 0) out.bit_of_credential[i] = static_cast<std::uint8_t>(below(256));
    out.inside = mask();
    for (const auto& [number, bit] : out.bit_of_credential)
      if (coin()) out.inside.at(bit / 64) |= 1ULL << (bit % 64);
    out.restricted = mask();
    out.readers = mask();
    for (std::uint32_t i = below(6); i-- > 0;)
      out.destinations.prefixes.push_back(
          {.range = {.address = address(), .prefix = static_cast<std::uint8_t>(below(129))},
           .set = below(4)});
    for (std::uint32_t i = below(10); i-- > 0;)
      out.destinations.ports.push_back({.set = below(4),
                                        .protocol = protocol(),
                                        .port = port(),
                                        .prefix = static_cast<std::uint8_t>(below(17)),
                                        .in_network = coin(),
                                        .always = below(8) == 0,
                                        .allowed = mask(),
                                        .endpoint_of = numbers(2)});
    return out;
  }

  std::string component() {
    static constexpr std::array kNames{"a", "b", "ab", "aba", "a.b", "ba.b"};
    return kNames.at(below(kNames.size()));
  }

  std::string path(std::uint32_t most) {
    std::string out;
    for (std::uint32_t i = 1 + below(most); i-- > 0;) out += "/" + component();
    return out;
  }

  std::string pattern() {
    static constexpr std::array kStars{"*", "a*", "*b", "a*b", "ab*", "*.b"};
    const std::string star = kStars.at(below(kStars.size()));
    switch (below(5)) {
      case 0:
        return path(3) + "/**";
      case 1:
        return path(2) + "/" + star;
      case 2:
        return path(2) + "/" + star + path(2);
      case 3:
        return "**/" + (coin() ? component() : kStars.at(1 + below(kStars.size() - 1)));
      default:
        return path(4);
    }
  }

  Case recognition(Case out) {
    auto files = std::make_shared<FakeFiles>();
    for (std::uint32_t i = below(5); i-- > 0;) files->directory(path(4));
    std::vector<PathPattern> patterns(1 + below(8));
    for (PathPattern& one : patterns) {
      one.text = pattern();
      one.meaning.exclude = below(4) == 0;
      one.meaning.credentials = numbers(2);
      one.meaning.program = coin();
      one.meaning.mask = mask();
    }
    // What cannot be compiled leaves empty tables, which are a case too.
    if (auto paths = compile_paths(patterns, *files)) out.tables = encode_paths(*paths, 1);
    std::string opened = path(6);
    files->file(opened);
    if (!files->look(opened)) opened = "/";
    out.operation = Recognise{.space = 1, .files = files, .path = opened};
    out.expected = answer_in_memory(out);
    return out;
  }

  std::mt19937_64 random_;
};

}  // namespace

std::vector<Case> random_cases(std::uint32_t seed, std::size_t count) {
  World world(seed);
  std::vector<Case> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(world.next(i));
  return out;
}

}  // namespace ambit::policy
