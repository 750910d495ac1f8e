// SPDX-License-Identifier: Apache-2.0
#include "tests/core/cases.h"

#include <ostream>

#include "userspace/policy/encode.h"
#include "userspace/policy/memory_tables.h"

namespace ambit::policy {

namespace {

void print(std::ostream& stream, const char* what, const std::vector<std::uint16_t>& numbers) {
  if (numbers.empty()) return;
  stream << ' ' << what;
  for (const std::uint16_t number : numbers) stream << ' ' << number;
}

Answer answer_of(const Decision& decision) {
  model::CredentialMask gained = decision.gained;
  for (std::size_t i = 0; i < gained.size(); ++i) gained[i] |= decision.gained_by_task[i];
  return {.decided = decision.decided,
          .reason = decision.reason,
          .requested = decision.requested,
          .effect = decision.effect,
          .shadow = decision.shadow,
          .blocking = bits_of(decision.blocking),
          .gained = bits_of(gained)};
}

struct InMemory {
  const MemoryTables& tables;

  Answer operator()(const OpenCredentials& asked) const {
    return answer_of(decide_file(tables, asked.subject, asked.credentials));
  }
  Answer operator()(const Reach& asked) const {
    return answer_of(decide_destination(tables, asked.subject, asked.to));
  }
  Answer operator()(const Execute& asked) const {
    return answer_of(decide_exec(tables, asked.subject, asked.program));
  }
  Answer operator()(const Guard& asked) const {
    return answer_of(decide_guard(tables, asked.subject, asked.aim, asked.privilege));
  }
  Answer operator()(const Recognise& asked) const {
    const auto facts = std::make_unique<PathFacts>(asked.files->facts(asked.path));
    const Recognised what = recognise(tables, asked.space, *facts, asked.by_inode);
    return {.credentials = {what.credentials.begin(),
                            what.credentials.begin() + static_cast<std::ptrdiff_t>(what.count)},
            .undecided = what.undecided,
            .program = what.program,
            .unix_socket = what.unix_socket,
            .mask = bits_of(what.mask)};
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Answer& answer) {
  stream << (answer.decided ? "decided " : "") << model::name_of(answer.reason) << ' '
         << model::name_of(answer.requested) << ' ' << model::name_of(answer.effect);
  print(stream, "blocking", answer.blocking);
  print(stream, "gained", answer.gained);
  print(stream, "credentials", answer.credentials);
  print(stream, "mask", answer.mask);
  return stream << (answer.shadow ? " shadow" : "") << (answer.undecided ? " undecided" : "")
                << (answer.program ? " program" : "") << (answer.unix_socket ? " unix" : "");
}

std::ostream& operator<<(std::ostream& stream, const Case& one) { return stream << one.name; }

model::CredentialMask mask_of(const std::vector<std::uint16_t>& bits) {
  model::CredentialMask mask{};
  for (const std::uint16_t bit : bits) mask.at(bit / 64) |= 1ULL << (bit % 64);
  return mask;
}

std::vector<std::uint16_t> bits_of(const model::CredentialMask& mask) {
  std::vector<std::uint16_t> bits;
  for (std::uint16_t bit = 0; bit < model::kMaxPolicyCredentials; ++bit)
    if (((mask.at(bit / 64) >> (bit % 64)) & 1) != 0) bits.push_back(bit);
  return bits;
}

std::vector<Case> all_cases() {
  std::vector<Case> all = decision_cases();
  for (auto more : {guard_cases(), destination_cases(), recognise_cases()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

Answer answer_in_memory(const Case& one) {
  MemoryTables tables;
  if (!put_all(tables, one.tables)) return {};
  return std::visit(InMemory{tables}, one.operation);
}

}  // namespace ambit::policy
