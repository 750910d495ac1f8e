// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/prove_beside.h"
#include "userspace/pipeline/prove_child.h"
#include "userspace/pipeline/prove_stage.h"
#include "userspace/pipeline/prove_steps.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {
namespace {

constexpr std::uint32_t kSlot = kFirstProofNumber;

struct Counter {
  std::string_view hook;
  std::string_view counts_as;  ///< in the ABI; empty: it counts nothing, and is seen by its effect
};

// Hooks whose name in the ABI is another, or none.
constexpr std::array kCounters{
    Counter{"cgroup_connect4", "cgroup_connect"},
    Counter{"cgroup_connect6", "cgroup_connect"},
    Counter{"cgroup_sendmsg4", "cgroup_sendmsg"},
    Counter{"cgroup_sendmsg6", "cgroup_sendmsg"},
    Counter{"cgroup_post_bind4", "cgroup_post_bind"},
    Counter{"cgroup_post_bind6", "cgroup_post_bind"},
    Counter{"sockops_established", "sockops"},
    Counter{"sk_msg_verdict", "sk_msg"},
    Counter{"process_exit", ""},
    Counter{"inode_free", ""},
    Counter{"sk_free", ""},
    Counter{"cgroup_sock_release", ""},
    Counter{"prepare_exec", ""},
};

std::string_view counter_of(std::string_view hook) {
  const auto* const found = std::ranges::find(kCounters, hook, &Counter::hook);
  return found == kCounters.end() ? hook : found->counts_as;
}

class Prover {
 public:
  Prover(kernel::Sensor& sensor, Stage& stage) : sensor_(sensor), stage_(stage) {
    proof_.backend = sensor.backend();
    for (const kernel::HookState& state : sensor.hooks())
      proof_.hooks.push_back({.hook = std::string(state.spec->hook),
                              .required = state.spec->required,
                              .attached = state.attached,
                              .why_not = state.why_not,
                              .without = std::string(state.spec->without)});
  }

  Result<Proof> run() {
    for (std::size_t i = 0; i < proof_steps().size(); ++i)
      if (auto taken = take(static_cast<std::uint8_t>(i)); !taken)
        return std::unexpected(taken.error());
    child_.reset();
    if (auto freed = prove_inode_free(); !freed) return std::unexpected(freed.error());
    if (sensor_.backend() == model::Backend::portable)
      if (auto beside = look_beside(); !beside) return std::unexpected(beside.error());
    conclude();
    return std::move(proof_);
  }

 private:
  [[nodiscard]] HookProof* hook_of(std::string_view name) {
    const auto found = std::ranges::find(proof_.hooks, name, &HookProof::hook);
    return found == proof_.hooks.end() ? nullptr : &*found;
  }

  void mark(std::string_view hook, bool fired) {
    HookProof* const known = hook_of(hook);
    if (known == nullptr || !known->attached) return;
    known->tried = true;
    known->proved |= fired;
  }

  Result<void> take(std::uint8_t number) {
    const Step& step = proof_steps()[number];
    if (!child_ || !child_->alive()) {
      child_.reset();
      auto started = BoundChild::start(sensor_, stage_.props(), kSlot);
      if (!started) return std::unexpected(started.error());
      child_.emplace(std::move(*started));
    }
    if (phase_ != step.phase)
      if (auto entered = stage_.enter(step.phase); !entered) return entered;
    phase_ = step.phase;
    if (step.around == Around::send_secret)
      if (auto sent = stage_.send_secret(); !sent) return sent;
    attempt(number, step);
    return {};
  }

  void attempt(std::uint8_t number, const Step& step) {
    std::array<std::uint64_t, 4> before{};
    for (std::size_t i = 0; i < before.size(); ++i)
      before.at(i) = sensor_.hits(counter_of(step.hooks.at(i)));
    const StepAnswer answer = child_->take(number);
    bool fired = false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const std::string_view counter = counter_of(step.hooks.at(i));
      if (counter.empty() || answer.result == kCannotBeTried) continue;
      const bool rose = sensor_.hits(counter) > before.at(i);
      mark(step.hooks.at(i), rose);
      fired |= rose;
    }
    look_around(step, answer);
    record(step, answer.result, fired);
  }

  void look_around(const Step& step, const StepAnswer& answer) {
    switch (step.around) {
      case Around::look_for_child:
        had_member_ = !sensor_.members(kSlot).empty();
        break;
      case Around::look_for_end:
        if (had_member_) mark("process_exit", sensor_.members(kSlot).empty());
        break;
      case Around::take_over:
        if (answer.port != 0) stage_.take_over(answer.port);
        break;
      case Around::nothing:
      case Around::send_secret:
        break;
    }
  }

  void record(const Step& step, int result, bool fired) {
    Attempt attempt{.operation = std::string(step.operation),
                    .of = step.of,
                    .inside = step.role == Role::inside,
                    .decisive = step.role == Role::decisive,
                    .error = std::max(result, 0)};
    const bool ours = fired || step.hooks.front().empty() || by_effect(step);
    if (result == kWasKilled) {
      attempt.outcome = Outcome::killed;
    } else if (result == kCannotBeTried) {
      attempt.note = "not possible here";
    } else if (result == EPERM || result == EACCES) {
      attempt.outcome = ours ? Outcome::refused : Outcome::untried;
      if (!ours) attempt.note = "refused by something else than Ambit";
    } else {
      attempt.outcome = fired ? Outcome::seen : Outcome::passed;
    }
    if (by_effect(step) && result != kCannotBeTried)
      for (const std::string_view hook : step.hooks)
        mark(hook, attempt.outcome == Outcome::refused);
    keep(step, std::move(attempt));
  }

  void keep(const Step& step, Attempt attempt) {
    if (step.holder_decides && sensor_.backend() == model::Backend::portable) return;
    const bool stopped = attempt.outcome == Outcome::refused || attempt.outcome == Outcome::killed;
    if (attempt.inside && !stopped) return;
    if (attempt.inside) attempt.note = "stopped, although the policy allows it";
    proof_.attempts.push_back(std::move(attempt));
  }

  [[nodiscard]] static bool by_effect(const Step& step) {
    return step.role != Role::inside && !step.hooks.front().empty() &&
           counter_of(step.hooks.front()).empty();
  }

  /// Its entry in the table goes when the file does.
  Result<void> prove_inode_free() {
    const HookProof* const hook = hook_of("inode_free");
    if (hook == nullptr || !hook->attached) return {};
    auto path = stage_.make_file("gone");
    if (!path) return std::unexpected(path.error());
    const auto facts = policy::RealFileSystem().look(*path);
    if (!facts) return fail("cannot look at " + *path);
    const std::string key = policy::encode_inode_key(facts->id, kFirstProofNumber);
    std::string value = policy::encode_rule({});
    if (auto put = stage_.put({.table = model::Table::inodes, .key = key, .value = value}); !put)
      return put;
    ::unlink(path->c_str());
    const std::span<std::byte> found(reinterpret_cast<std::byte*>(value.data()), value.size());
    mark("inode_free", !sensor_.find(model::Table::inodes, std::as_bytes(std::span(key)), found));
    return {};
  }

  Result<void> look_beside() {
    auto path = stage_.make_file("asked");
    if (!path) return std::unexpected(path.error());
    const Descriptor asked(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
    mark("holder_recognise", sensor_.recognise(asked.get(), kFirstProofNumber).has_value());
    for (Attempt& attempt : try_fanotify(*path)) replace(std::move(attempt));
    replace(try_seccomp());
    return {};
  }

  /// The programs of this backend do not decide this class; what stands beside them does, for the
  /// commands that Ambit starts.
  void replace(Attempt better) {
    for (Attempt& attempt : proof_.attempts) {
      if (attempt.of != better.of || !attempt.decisive || !better.decisive ||
          better.outcome != Outcome::refused)
        continue;
      attempt.decisive = false;
      attempt.note = "in a process that Ambit did not start";
    }
    proof_.attempts.push_back(std::move(better));
  }

  void conclude();

  kernel::Sensor& sensor_;
  Stage& stage_;
  Proof proof_;
  std::optional<BoundChild> child_;
  Phase phase_ = Phase::observed;
  bool had_member_ = false;
};

Strength strength_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::refused:
      return Strength::deny;
    case Outcome::killed:
      return Strength::kill;
    case Outcome::seen:
      return Strength::alert;
    case Outcome::passed:
    case Outcome::untried:
      return Strength::none;
  }
  return Strength::none;
}

/// As strong as the weakest decisive operation that could be tried.
Strength weakest(const std::vector<Attempt>& attempts, Class of) {
  std::optional<Strength> least;
  for (const Attempt& attempt : attempts) {
    if (attempt.of != of || !attempt.decisive || attempt.outcome == Outcome::untried) continue;
    const Strength here = strength_of(attempt.outcome);
    least = least ? std::min(*least, here) : here;
  }
  return least.value_or(Strength::none);
}

void Prover::conclude() {
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    proof_.strengths.at(i) = weakest(proof_.attempts, static_cast<Class>(i));
  for (HookProof& hook : proof_.hooks) {
    if (hook.proved || !hook.why_not.empty()) continue;
    hook.why_not =
        hook.tried ? "attached, and did not fire when it had to" : "attached, and not tried";
  }
}

}  // namespace

Result<Proof> prove(kernel::Sensor& sensor) {
  auto stage = Stage::set_up(sensor);
  if (!stage) return std::unexpected(stage.error());
  return Prover(sensor, **stage).run();
}

std::string shortcoming(const Proof& proof) {
  for (const HookProof& hook : proof.hooks)
    if (hook.required && hook.tried && !hook.proved)
      return "hook " + hook.hook + ": " + hook.why_not;
  for (const Class of : {Class::files, Class::network, Class::exec, Class::expiry})
    if (proof.strength(of) < Strength::kill)
      return "class " + std::string(name_of(of)) + " is not enforced by what is attached";
  return {};
}

}  // namespace ambit::pipeline
