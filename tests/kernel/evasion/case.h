// SPDX-License-Identifier: Apache-2.0
// One way around a monitor: a row of the catalogue has many. Adding one is adding an entry to one
// of the tables (files_cases.cpp, …).
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "tests/kernel/fixture/child.h"

namespace ambit::probe::evasion {

/// What the way leads to, and so what has to be there and who judges.
enum class Kind {
  reads,     ///< the bytes of a secret, printed
  changes,   ///< a secret that is not what it was
  runs,      ///< a program that leaves a mark
  sends,     ///< text at a collector
  peers,     ///< text at a Unix socket
  makes,     ///< a socket of another family; the act prints "socket"
  carries,   ///< text of a process that holds a credential meant for elsewhere
  endpoint,  ///< text at an address that is a credential
};

/// Worst first. `unreported`: nothing happened, and no event says why.
enum class Result { missed, alerted, killed, unreported, denied };

/// Where a backend gives less than the best: how much it gives, and why.
struct Short {
  std::string backend;
  Result gives;
  std::string why;
  std::string kernel{};          ///< begin of the releases that it holds for; empty: all
  bool refuses_allowed = false;  ///< even where the scope allows it
};

struct Place;
using Step = void (*)(Place&);

struct Case {
  std::string row;   ///< of EVASION.md
  std::string name;  ///< unique in its row; words, for a reader
  Kind kind;
  Words argv;  ///< of `acts`; what stands in braces is filled in (tokens.cpp)
  std::vector<Short> shorts{};
  Result best = Result::denied;
  std::string secret = ".aws/credentials";  ///< below the place
  std::string pattern = ".aws/**";          ///< of the credential
  Step before = nullptr;                    ///< the task starts; none: the secret is made
  Step meanwhile = nullptr;                 ///< while the task lives, by an outsider
  std::string protocol = "tcp";             ///< what a collector listens for
  std::string named = {};                   ///< the protocol as events name it, where it is another
  std::string address = "127.0.0.2";        ///< that is forbidden, as events name it
  int family = 0;                           ///< of the socket, where events name only that
  bool by_address = false;                  ///< no port tells the case from others
  bool never_allowed = false;               ///< no scope can name it
  bool real_program = false;                ///< the event must name the real program

  [[nodiscard]] const std::string& reported() const { return named.empty() ? protocol : named; }
};

/// Adds a sentence to the cases of these names.
void add_short(std::vector<Case>& table, const std::vector<std::string>& names, const Short& less);

/// All tables together.
[[nodiscard]] std::span<const Case> cases();

[[nodiscard]] std::vector<Case> file_cases();
[[nodiscard]] std::vector<Case> descriptor_cases();
[[nodiscard]] std::vector<Case> change_cases();
[[nodiscard]] std::vector<Case> program_cases();
[[nodiscard]] std::vector<Case> membership_cases();
[[nodiscard]] std::vector<Case> network_cases();
[[nodiscard]] std::vector<Case> peer_cases();
[[nodiscard]] std::vector<Case> holding_cases();

/// "F2_a_hard_link": a name that GoogleTest takes.
[[nodiscard]] std::string test_name(const Case& way);
void PrintTo(const Case& way, std::ostream* out);

}  // namespace ambit::probe::evasion
