// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/policy/destinations_literal.h"
#include "tests/within/world.h"
#include "userspace/policy/core.h"
#include "userspace/policy/encode.h"

namespace ambit::policy::within {

namespace {

using model::CredentialMask;

void add(CredentialMask& to, const CredentialMask& more) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] |= more[i];
}

CredentialMask without(CredentialMask mask, const CredentialMask& less) {
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] &= ~less[i];
  return mask;
}

bool has(const CredentialMask& mask, std::size_t bit) {
  return (mask.at(bit / 64) >> (bit % 64) & 1U) != 0;
}

bool goes_on(const Decision& decision) { return decision.effect <= model::Effect::alerted; }

/// What no table has of its own: where a Unix socket's entry is put to be decided about.
constexpr std::string_view kUnixPlace = "fe80::dead";
constexpr std::uint32_t kUnixSet = 0xffff0000;

std::string text_of(const Decision& decision) {
  return std::string(name_of(decision.effect)) + " (" + std::string(name_of(decision.reason)) +
         ", " + std::string(name_of(decision.requested)) + ")";
}

}  // namespace

Life::Life(const FakeFiles& then, const FakeFiles& files, Bound& parent, Bound& child,
           const CredentialMask& held)
    : then_(then), files_(files) {
  sides_[0].bound = &parent;
  sides_[1].bound = &child;
  sides_[0].processes.front().held = held;
  const auto& names = parent.policy.credential_of_bit;
  for (std::size_t bit = 0; bit < names.size(); ++bit) {
    if (!has(held, bit)) continue;
    story_ += "holds " + names[bit] + "\n";
    const auto& own = child.policy.credential_of_bit;
    for (std::size_t to = 0; to < own.size(); ++to)
      if (own[to] == names[bit]) sides_[1].processes.front().held.at(to / 64) |= 1ULL << (to % 64);
  }
}

Subject Life::subject(const Side& side) const {
  Subject subject{.slot = 1,
                  .held = side.processes[current_].held,
                  .readers = side.processes[current_].readers,
                  .now_boot_ns = now_};
  add(subject.held, side.task_held);
  return subject;
}

Recognised Life::recognised(const Side& side, std::uint32_t space, const std::string& path) const {
  const auto facts = std::make_unique<PathFacts>(files_.facts(path));
  return recognise(side.bound->tables, space, *facts);
}

/// What goes on in the child goes on in the parent, and the child's answer is at least the
/// parent's, but for this: after its end a scope answers connections with response.network alone.
bool Life::settle(const std::array<Decision, 2>& decisions) {
  const auto& [parent, child] = decisions;
  story_ += ": parent " + text_of(parent) + ", child " + text_of(child) + "\n";
  if (!parent.decided || !child.decided) return false;
  if (goes_on(child) && !goes_on(parent)) return false;
  const bool milder = child.requested < parent.requested || child.effect < parent.effect;
  if (milder && child.reason != model::Reason::scope_expired) return false;
  if (!goes_on(child)) {
    ++refused_;
    return true;
  }
  ++gone_on_;
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    add(sides_.at(i).processes[current_].held, decisions.at(i).gained);
    add(sides_.at(i).task_held, decisions.at(i).gained_by_task);
  }
  return true;
}

bool Life::open_file(Dice& dice) {
  const std::string path = "/s/" + std::to_string(dice.below(4));
  story_ += "opens " + path;
  std::array<Decision, 2> decisions;
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    const Recognised what = recognised(sides_.at(i), 1, path);
    decisions.at(i) = decide_file(sides_.at(i).bound->tables, subject(sides_.at(i)),
                                  std::span(what.credentials).first(what.count), what.undecided);
  }
  return settle(decisions);
}

/// The child knows a file by its inode that stood at a whole path when it was compiled: the parent
/// may use any name that the file had then, or has now.
std::vector<Recognised> Life::programs_of(bool parent, const FileFacts& file) const {
  const Side& side = sides_.at(parent ? 0 : 1);
  if (!parent) return {recognised(side, 2, file.canonical)};
  std::vector<Recognised> out;
  for (const FakeFiles* files : {&files_, &then_})
    for (const std::string& name : files->names_of(file.id)) {
      const auto facts = std::make_unique<PathFacts>(files->facts(name));
      if (facts->file == file.id) out.push_back(recognise(side.bound->tables, 2, *facts));
    }
  return out;
}

bool Life::execute(Dice& dice) {
  const std::string path = some_path(dice);
  const auto facts = files_.look(path);
  if (!facts || !facts->regular) return true;
  story_ += "executes " + path;
  std::array<Decision, 2> decisions;
  std::array<CredentialMask, 2> readers{};
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    const Side& side = sides_.at(i);
    for (const Recognised& what : programs_of(i == 0, *facts)) {
      const Decision decision = decide_exec(side.bound->tables, subject(side), what.program);
      if (!decisions.at(i).decided || decision.requested < decisions.at(i).requested)
        decisions.at(i) = decision;
      if (goes_on(decision)) add(readers.at(i), what.mask);
    }
  }
  const std::size_t before = gone_on_;
  if (!settle(decisions)) return false;
  if (gone_on_ == before) return true;
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    State& process = sides_.at(i).processes[current_];
    process.readers = readers.at(i);
    process.held = without(process.held, sides_.at(i).bound->policy.hold_process);
  }
  return true;
}

bool Life::reach(Dice& dice) {
  constexpr std::array kAddresses{"10.0.0.1", "10.0.0.2", "10.0.0.3",  "10.0.0.77", "10.0.1.1",
                                  "10.9.0.1", "10.9.9.9", "10.77.0.1", "fd00::2",   "fd00::3",
                                  "fd77::1",  "8.8.8.8",  "2001::1",   "10.5.5.5"};
  constexpr std::array<std::uint16_t, 12> kPorts{0, 1, 2, 3, 4, 5, 6, 8, 10, 53, 80, 65535};
  constexpr std::array<std::uint8_t, 5> kTransports{6, 6, 17, 1, 132};
  DestinationFacts to;
  const std::string address = dice.pick(kAddresses);
  to.address = probe::ip(address);
  to.port = dice.pick(kPorts);
  to.protocol = dice.pick(kTransports);
  to.own = dice.one_in(20);
  to.other = dice.one_in(20);
  story_ += "connects to " + address + " port " + std::to_string(to.port) + " protocol " +
            std::to_string(to.protocol);
  std::array<Decision, 2> decisions;
  for (std::size_t i = 0; i < sides_.size(); ++i)
    decisions.at(i) = decide_destination(sides_.at(i).bound->tables, subject(sides_.at(i)), to);
  return settle(decisions);
}

/// As bpf/unix.bpf.c makes a port entry of what the tables say of the peer.
bool Life::reach_unix(Dice& dice) {
  const bool abstract = dice.one_in(4);
  const std::string path = abstract         ? (dice.one_in(2) ? "@a" : "@b")
                           : dice.one_in(4) ? "/run/agent"
                                            : some_path(dice);
  const auto facts = files_.look(path);
  if (!abstract && (!facts || facts->regular || facts->directory)) return true;
  story_ += "connects to " + path;
  std::array<Decision, 2> decisions;
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    Side& side = sides_.at(i);
    core_port port{};
    if (abstract) {
      const auto& names = side.bound->policy.paths.names;
      const auto known = names.find({CORE_ANCHOR_ABSTRACT, name_hash(path.substr(1))});
      if (known != names.end()) {
        port.flags = known->second.unix_socket ? CORE_PORT_NETWORK : 0;
        port.allowed = to_core(known->second.mask);
      }
    } else {
      const Recognised what = recognised(side, 2, path);
      port.flags = what.unix_socket ? CORE_PORT_NETWORK : 0;
      port.allowed = to_core(what.mask);
      const Recognised secret = recognised(side, 1, path);
      port.endpoint_count = static_cast<__u8>(std::min<std::size_t>(secret.count, 2));
      for (std::size_t e = 0; e < port.endpoint_count; ++e)
        port.endpoint[e] = secret.credentials.at(e);
    }
    model::CompiledDestinations place;
    place.prefixes = {
        {.range = {.address = probe::ip(kUnixPlace), .prefix = 128}, .set = kUnixSet}};
    core_port_key key{};
    key.prefixlen = CORE_PORT_FIXED_BITS;
    key.set = kUnixSet;
    key.protocol = 6;
    if (!put_all(side.bound->tables, encode_destinations(place, 1)) ||
        !side.bound->tables.put(
            {.table = model::Table::ports, .key = bytes_of(key), .value = bytes_of(port)}))
      return false;
    decisions.at(i) = decide_destination(side.bound->tables, subject(side),
                                         {.address = probe::ip(kUnixPlace), .protocol = 6});
  }
  return settle(decisions);
}

bool Life::use_privilege(Dice& dice) {
  const auto aim = static_cast<Aim>(dice.below(5));
  const auto privilege = static_cast<model::Privilege>(dice.below(model::kPrivileges.size()));
  story_ += "aims with " + std::string(name_of(privilege));
  std::array<Decision, 2> decisions;
  for (std::size_t i = 0; i < sides_.size(); ++i)
    decisions.at(i) =
        decide_guard(sides_.at(i).bound->tables, subject(sides_.at(i)), aim, privilege);
  return settle(decisions);
}

void Life::fork_process(Dice& dice) {
  constexpr std::size_t kMost = 3;
  if (sides_[0].processes.size() < kMost) {
    for (Side& side : sides_) {
      State copy = side.processes[current_];
      copy.held = without(copy.held, side.bound->policy.hold_process);
      side.processes.push_back(copy);
    }
  }
  current_ = dice.below(static_cast<std::uint32_t>(sides_[0].processes.size()));
  story_ += "process " + std::to_string(current_) + "\n";
}

bool Life::act(Dice& dice) {
  if (dice.one_in(8)) now_ += dice.below(12);
  switch (dice.below(9)) {
    case 0:
    case 1:
      return open_file(dice);
    case 2:
    case 3:
      return execute(dice);
    case 4:
      return reach_unix(dice);
    case 5:
      return use_privilege(dice);
    case 6:
      fork_process(dice);
      return true;
    default:
      return reach(dice);
  }
}

}  // namespace ambit::policy::within
