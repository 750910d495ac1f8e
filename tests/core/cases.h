// SPDX-License-Identifier: Apache-2.0
// What is asked of bpf/core/ and what it must answer, as data: the same cases go through the
// compilation for user space and the one for BPF.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tests/core/fake_files.h"
#include "userspace/model/tables.h"
#include "userspace/policy/decide.h"

namespace ambit::policy {

struct OpenCredentials {
  Subject subject;
  std::vector<std::uint16_t> credentials;
};
struct Reach {
  Subject subject;
  DestinationFacts to;
};
struct Execute {
  Subject subject;
  bool program = false;
};
struct Recognise {
  std::uint32_t space = 1;
  std::shared_ptr<const FakeFiles> files;
  std::string path;
  bool by_inode = true;
};
struct Guard {
  Subject subject;
  Aim aim = Aim::own;
  model::Privilege privilege = model::Privilege::none;
};
using Operation = std::variant<OpenCredentials, Reach, Execute, Recognise, Guard>;

/// Everything that either compilation says; what an operation does not ask stays as it is here.
struct Answer {
  bool decided = false;
  model::Reason reason = model::Reason::none;
  model::Response requested = model::Response::none;
  model::Effect effect = model::Effect::allowed;
  bool shadow = false;
  std::vector<std::uint16_t> blocking;  ///< bits
  std::vector<std::uint16_t> gained;    ///< bits
  std::vector<std::uint16_t> credentials;
  bool undecided = false;
  bool program = false;
  bool unix_socket = false;
  std::vector<std::uint16_t> mask;  ///< bits
  bool operator==(const Answer&) const = default;
};

struct Case {
  std::string name;
  std::vector<model::TableEntry> tables;
  Operation operation;
  Answer expected;
};

std::ostream& operator<<(std::ostream& stream, const Answer& answer);
std::ostream& operator<<(std::ostream& stream, const Case& one);

[[nodiscard]] model::CredentialMask mask_of(const std::vector<std::uint16_t>& bits);
[[nodiscard]] std::vector<std::uint16_t> bits_of(const model::CredentialMask& mask);

[[nodiscard]] std::vector<Case> decision_cases();
[[nodiscard]] std::vector<Case> guard_cases();
[[nodiscard]] std::vector<Case> destination_cases();
[[nodiscard]] std::vector<Case> recognise_cases();
[[nodiscard]] std::vector<Case> all_cases();

/// Cases that nobody wrote: what they must answer is what the other compilation answers.
[[nodiscard]] std::vector<Case> random_cases(std::uint32_t seed, std::size_t count);

/// The compilation of user space.
[[nodiscard]] Answer answer_in_memory(const Case& one);

}  // namespace ambit::policy
