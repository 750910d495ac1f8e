// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/terminal_words.h"

#include <algorithm>
#include <array>

#include "userspace/base/utf8.h"
#include "userspace/sink/native.h"

namespace ambit::sink {
namespace {

using namespace model;

struct Verb {
  std::string_view flag;
  std::string_view verb;
};

// The gravest first: a file opened for reading and writing is being written.
constexpr auto kVerbs = std::to_array<Verb>({
    {"truncate", "truncating"},
    {"remove", "removing"},
    {"replace", "replacing"},
    {"attributes", "changing the attributes of"},
    {"write", "writing"},
    {"exec", "executing"},
    {"connect", "connecting to"},
    {"receive", "receiving"},
    {"map", "mapping"},
    {"read", "reading"},
});

// What the guard saw, by the words of AMBIT_OPERATIONS.
constexpr auto kGuarded = std::to_array<Verb>({
    {"bpf", "using bpf()"},
    {"perf_event_open", "observing by perf"},
    {"signal", "signalling"},
    {"ptrace", "tracing or reading"},
    {"schedule", "changing the scheduling of"},
    {"limit", "changing the limits of"},
    {"load_module", "loading a kernel module"},
    {"load_kexec", "loading another kernel"},
    {"touch_kernel", "touching the running kernel"},
    {"open", "opening"},
    {"truncate", "truncating"},
    {"unlink", "deleting"},
    {"rename", "renaming or replacing"},
    {"link", "linking"},
    {"change", "changing the mode or owner of"},
    {"mount", "mounting over"},
    {"unmount", "unmounting"},
    {"type", "typing into its terminal"},
});

constexpr std::string_view kYamlPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";

std::string what_would_be_done(Response requested) {
  switch (requested) {
    case Response::none:
      return "would have been allowed";
    case Response::alert:
      return "would have been reported";
    case Response::deny:
      return "would have been denied";
    case Response::kill:
      return "would have been killed";
    case Response::kill_task:
      return "would have been killed with its task";
  }
  return "";
}

std::string what_was_done(Effect effective) {
  switch (effective) {
    case Effect::allowed:
      return "allowed";
    case Effect::alerted:
      return "reported, not stopped";
    case Effect::denied:
      return "denied";
    case Effect::killed:
      return "killed";
    case Effect::task_killed:
      return "killed with its task";
  }
  return "";
}

}  // namespace

std::string shown(std::string_view bytes) { return to_terminal(bytes); }

std::string yaml_word(std::string_view bytes) {
  const bool plain =
      !bytes.empty() && bytes.find_first_not_of(kYamlPlain) == std::string_view::npos;
  if (plain) {
    return shown(bytes);
  }
  std::string quoted;
  for (const char c : bytes) {
    quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return '"' + shown(quoted) + '"';
}

std::string process_words(const std::optional<Process>& process) {
  if (!process) {
    return "a process";
  }
  const std::string& exe = process->exe;
  const std::string name = exe.substr(exe.rfind('/') + 1);
  return (name.empty() ? std::string("process") : shown(name)) + "[" +
         std::to_string(process->pid) + "]";
}

std::string file_verb(const std::vector<std::string>& flags) {
  const auto found = std::ranges::find_if(
      kVerbs, [&](const Verb& verb) { return std::ranges::find(flags, verb.flag) != flags.end(); });
  return found == kVerbs.end() ? "opening" : std::string(found->verb);
}

std::string guarded_verb(std::string_view operation) {
  const auto* const found = std::ranges::find(kGuarded, operation, &Verb::flag);
  return found == kGuarded.end() ? "acting on" : std::string(found->verb);
}

std::string destination_words(const Destination& d) {
  if (!d.unix_path.empty()) {
    return "unix socket " + shown(d.unix_path);
  }
  if (d.ip.empty()) {
    return "a peer of " + shown(d.protocol);
  }
  const auto number = port_of(d);
  const std::string port = number ? " port " + std::to_string(*number) : "";
  return d.name ? shown(*d.name) + port + " (" + shown(d.ip) + ", " + shown(d.protocol) + ")"
                : shown(d.ip) + port + " (" + shown(d.protocol) + ")";
}

std::string destination_rule(const Destination& d) {
  if (!d.unix_path.empty()) {
    return "{unix: " + yaml_word(d.unix_path) + "}";
  }
  const bool six = d.ip.find(':') != std::string::npos;
  const std::string address = shown(d.ip) + (six ? "/128" : "/32");
  std::string rule =
      d.name ? "{host: " + yaml_word(*d.name) : "{cidr: " + (six ? "\"" + address + "\"" : address);
  if (const auto port = port_of(d)) {
    rule += ", ports: [" + std::to_string(*port) + "]";
  }
  const bool unusual = d.protocol != "tcp" && d.protocol != "udp";
  return rule + (unusual ? ", protocol: " + shown(d.protocol) : "") + "}";
}

std::string outcome_words(const Verdict& verdict) {
  // The monitor and the event file are guarded in shadow as well.
  const bool only_seen = verdict.effective == Effect::alerted;
  return verdict.mode == Mode::shadow && only_seen ? what_would_be_done(verdict.requested)
                                                   : what_was_done(verdict.effective);
}

}  // namespace ambit::sink
