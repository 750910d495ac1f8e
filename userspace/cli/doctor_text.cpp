// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "userspace/base/utf8.h"
#include "userspace/cli/doctor_facts.h"

namespace ambit::cli {
namespace {

using pipeline::Class;
using pipeline::HookProof;
using pipeline::Strength;

constexpr std::size_t kFirstColumn = 24;

struct Row {
  Class of;
  std::string_view what;
};

constexpr std::array kRows{
    Row{Class::files, "credential files"},        Row{Class::network, "TCP and UDP"},
    Row{Class::exec, "executing programs"},       Row{Class::unix_sockets, "Unix sockets"},
    Row{Class::unix_datagrams, "Unix datagrams"}, Row{Class::families, "other families"},
    Row{Class::expiry, "the scope's end"},        Row{Class::guard, "the monitor itself"},
};

// By Strength.
constexpr std::array kTones{Tone::bad, Tone::warning, Tone::good, Tone::good};

Tone tone_of(Strength strength) { return kTones.at(static_cast<std::size_t>(strength)); }

std::string line(std::string_view name, const std::string& value) {
  const std::size_t blanks = name.size() < kFirstColumn ? kFirstColumn - name.size() : 1;
  return "  " + std::string(name) + std::string(blanks, ' ') + value + "\n";
}

std::string heading(std::string_view text, const Style& style) {
  return "\n" + style.paint(text, Tone::strong) + "\n";
}

std::string listed(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += "  - " + to_terminal(sentence, 1024) + "\n";
  return text;
}

std::string summary_of(const BackendFacts& backend, bool chosen, const Style& style) {
  if (!backend.available)
    return style.paint("no", Tone::bad) + ": " + to_terminal(backend.why_not, 1024);
  const auto& hooks = backend.proof->hooks;
  const auto proved = std::ranges::count(hooks, true, &HookProof::proved);
  std::string text = style.paint("yes", Tone::good) + ", " + std::to_string(proved) + " of " +
                     std::to_string(hooks.size()) + " hooks proved";
  if (chosen) text += style.paint(" <- this one is used", Tone::strong);
  return text;
}

std::string hooks_of(const BackendFacts& backend, const Style& style) {
  std::string text = heading("Hooks of " + std::string(model::name_of(backend.backend)), style);
  for (const HookProof& hook : backend.proof->hooks)
    text += line(hook.hook, hook.proved ? style.paint("proved", Tone::good)
                                        : style.paint("not proved", Tone::warning) + ": " +
                                              to_terminal(hook.why_not, 512));
  return text;
}

std::string strengths_of(const BackendFacts& backend, const Style& style) {
  std::string text = heading("What " + std::string(model::name_of(backend.backend)) +
                                 " can do about what lies outside a scope",
                             style);
  for (const Row& row : kRows) {
    const Strength strength = backend.proof->strength(row.of);
    text += line(row.what, style.paint(word_for(strength), tone_of(strength)) +
                               (backend.skips() && strength != Strength::none
                                    ? style.paint(", but skipped at times", Tone::bad)
                                    : ""));
  }
  return text;
}

/// Each sentence once, behind the ways that it is about.
std::string containment_text(const Containment& containment, const Style& style) {
  std::string text = heading("Ways around, as tried on Linux " + containment.kernel + " (" +
                                 containment.date + "; docs/CONTAINMENT.md)",
                             style);
  if (!containment.same_kernel) text += "  This machine has another kernel.\n";
  text += "  " + counts_in_words(containment) + "\n";
  for (const ShortOfBest& less : containment.shorts) {
    constexpr std::size_t kNamed = 3;
    std::string ways;
    for (std::size_t i = 0; i < less.ways.size() && i < kNamed; ++i)
      ways += (ways.empty() ? "" : "; ") + less.ways[i];
    if (less.ways.size() > kNamed)
      ways += "; and " + std::to_string(less.ways.size() - kNamed) + " more";
    text += "  - " + to_terminal(ways + ": " + less.why, 1024) + "\n";
  }
  return text;
}

std::string or_no(bool there, std::string value, const std::string& why_not) {
  return there ? std::move(value) : "no" + (why_not.empty() ? "" : ": " + why_not);
}

std::string machine_text(const pipeline::Machine& machine, const Style& style) {
  std::string capabilities;
  for (const std::string& name : machine.missing_capabilities) capabilities += " " + name;
  std::string lsms;
  for (const std::string& name : machine.lsms) lsms += (lsms.empty() ? "" : ",") + name;
  std::string text = heading("This machine", style);
  text += line("kernel", machine.kernel + " " + machine.architecture);
  text += line("preemption", machine.preemption.empty() ? "unknown" : machine.preemption);
  text += line("capabilities",
               capabilities.empty() ? "all that are needed" : "missing:" + capabilities);
  text += line("bpf()", or_no(machine.bpf_refused.empty(), "yes", machine.bpf_refused));
  text +=
      line("BPF trampolines",
           or_no(machine.bpf_refused.empty() && machine.trampolines_refused.empty(), "yes",
                 machine.bpf_refused.empty() ? machine.trampolines_refused : "bpf() is refused"));
  text += line("BTF", or_no(machine.btf, "yes", "no /sys/kernel/btf/vmlinux"));
  text += line("active LSMs", lsms.empty() ? "unknown (securityfs is not mounted)" : lsms);
  text +=
      line("cgroup v2", or_no(!machine.cgroup2.empty(), machine.cgroup2, machine.cgroup2_why_not));
  text += line("fanotify permissions",
               or_no(machine.fanotify_why_not.empty(), "yes", machine.fanotify_why_not));
  text += line("Landlock",
               or_no(machine.landlock_abi > 0, "ABI " + std::to_string(machine.landlock_abi), ""));
  text += line("seccomp filters", or_no(machine.seccomp, "yes", ""));
  return text;
}

}  // namespace

std::string render_text(const DoctorFacts& facts, const Style& style) {
  std::string text = style.paint("ambit " + facts.version.version, Tone::strong) + " (commit " +
                     facts.version.commit + ", ABI " + std::to_string(facts.version.abi) + ")\n";
  text += heading("Backends", style);
  if (!facts.missing.empty()) text += "  " + style.paint("none", Tone::bad) + "\n";
  for (const BackendFacts& backend : facts.backends)
    if (facts.missing.empty())
      text += line(model::name_of(backend.backend),
                   summary_of(backend, facts.chosen == backend.backend, style));
  const BackendFacts* const used = facts.in_use();
  if (used != nullptr) {
    text += strengths_of(*used, style);
    if (const auto open = what_does_not_hold(*used); !open.empty())
      text += heading("What does not hold", style) + listed(open);
  }
  if (facts.containment) text += containment_text(*facts.containment, style);
  if (const auto more = how_to_get_more(facts); !more.empty())
    text += heading(used == nullptr ? "What to do" : "How to get more", style) + listed(more);
  for (const BackendFacts& backend : facts.backends)
    if (backend.proof) text += hooks_of(backend, style);
  return text + machine_text(facts.machine, style);
}

}  // namespace ambit::cli
