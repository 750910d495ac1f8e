// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/terminal.h"

#include <array>

#include "userspace/base/utf8.h"
#include "userspace/sink/native.h"
#include "userspace/sink/terminal_words.h"

namespace ambit::sink {
namespace {

using namespace model;

constexpr std::string_view kIndent = "       ";

struct Sentence {
  std::string (*doing)(const Event&);
  std::string (*why)(const Event&);
  std::string (*allow)(const Event&);
};

std::string scope_name(const Event& e) {
  return e.task && !e.task->name.empty() ? "scope " + shown(e.task->name) : "the scope";
}

std::string first_credential(const Event& e) {
  return e.credential && !e.credential->names.empty() ? e.credential->names.front() : "?";
}

std::string credential_name(const Event& e) { return shown(first_credential(e)); }

std::string detail(const Event& e, const std::string& name) {
  const auto found = e.details.find(name);
  return found == e.details.end() ? "" : shown(found->second);
}

// What the process did.

std::string doing_guarded(const Event& e);

std::string doing_by_kind(const Event& e) {
  if (e.kind == Kind::guard) {
    return doing_guarded(e);
  }
  if (e.destination) {
    return "connecting to " + destination_words(*e.destination);
  }
  if (!e.file) {
    return "acting";
  }
  const std::string verb = e.kind == Kind::exec ? "executing" : file_verb(e.file->flags);
  return verb + " " + shown(e.file->path);
}

std::string doing_environment(const Event& e) {
  return "starting with " + detail(e, "variables") + " in its environment";
}

std::string doing_descriptor(const Event& e) {
  const std::string target = e.destination ? destination_words(*e.destination)
                             : e.file      ? shown(e.file->path)
                                           : "something";
  return "starting with descriptor " + detail(e, "descriptor") + " open on " + target;
}

/// "signalling process 12", "opening /dev/mem", "loading a kernel module".
std::string doing_guarded(const Event& e) {
  const std::string target = detail(e, "target_pid");
  const std::string object = e.file            ? " " + shown(e.file->path)
                             : !target.empty() ? " process " + target
                                               : "";
  return guarded_verb(detail(e, "operation")) + object;
}

// Why that is a finding.

std::string why_none(const Event& e) { return "inside " + scope_name(e); }

std::string why_credential(const Event& e) {
  return "credential " + credential_name(e) + " is not in " + scope_name(e);
}

std::string why_reader(const Event& e) {
  return "this program is not among the readers of credential " + credential_name(e) + " in " +
         scope_name(e);
}

std::string why_destination(const Event& e) {
  const bool carried = e.credential && !e.credential->names.empty();
  return "the destination is not in " + scope_name(e) +
         (carried ? "; credential " + credential_name(e) + " was opened before" : "");
}

std::string why_credential_destination(const Event& e) {
  const std::string opened =
      e.evidence.empty() ? "" : ", opened in event " + std::to_string(e.evidence.front()) + ",";
  return "credential " + credential_name(e) + opened + " may not be used there";
}

std::string why_program(const Event& e) { return "the program is not in " + scope_name(e); }

std::string why_expired(const Event& e) { return scope_name(e) + " has ended"; }

std::string why_outside(const Event& e) { return "it leads outside " + scope_name(e); }

std::string why_undecided(const Event&) {
  return "it could not be told whether the scope allows it, so it does not";
}

std::string why_monitor(const Event&) { return "it is Ambit's own, and guarded in every mode"; }

std::string why_event_file(const Event&) {
  return "it would change the event file, which is guarded in every mode";
}

std::string why_process(const Event& e) {
  return "the process is not of the task of " + scope_name(e);
}

std::string why_privilege(const Event& e) {
  return "privilege " + detail(e, "privilege") + " is not in " + scope_name(e);
}

std::string why_blended(const Event& e) {
  return scope_name(e) + " has used a person's " + detail(e, "delegated") +
         " and the agent's own " + detail(e, "agent");
}

// What would allow it.

std::string allow_nothing(const Event&) { return "nothing to allow"; }

std::string allow_credential(const Event& e) {
  return "to allow: spec.credentials: - name: " + credential_name(e);
}

// An event does not say what the list has, and one that is copied as it is written here would
// take the rest away.
constexpr const char* kBeside = " beside those that it has";

std::string allow_reader(const Event& e) {
  const std::string program = e.process ? yaml_word(e.process->exe) : "?";
  return allow_credential(e) + ", readers: [" + program + "]" + kBeside;
}

/// Scopes name addresses, hosts and Unix sockets only.
std::optional<std::string> rule_for(const Event& e) {
  if (!e.destination || (e.destination->ip.empty() && e.destination->unix_path.empty())) {
    return std::nullopt;
  }
  return destination_rule(*e.destination);
}

constexpr const char* kNoRule = "nothing in a scope allows sockets of this kind";

std::string allow_destination(const Event& e) {
  const auto rule = rule_for(e);
  return rule ? "to allow: spec.network.allow: - " + *rule : kNoRule;
}

std::string allow_credential_destination(const Event& e) {
  const auto rule = rule_for(e);
  return rule ? allow_credential(e) + ", destinations: [" + *rule + "]" + kBeside +
                    " (a list here replaces the catalogue's)"
              : kNoRule;
}

std::string allow_program(const Event& e) {
  return "to allow: spec.exec.allow: - " + (e.file ? yaml_word(e.file->path) : std::string("?"));
}

std::string allow_longer(const Event& e) {
  const bool known = e.task && e.task->expires_ns != 0;
  return "to allow: a longer spec.ttl" +
         (known ? " (it ended at " + rfc3339(e.task->expires_ns) + ")" : std::string());
}

std::string allow_environment(const Event& e) {
  return allow_credential(e) + "; to take it out: spec.environment: strip";
}

std::string allow_descriptor(const Event& e) {
  return e.destination ? allow_destination(e) : allow_credential(e);
}

std::string allow_undecided(const Event& e) {
  return "nothing in a scope allows it: look for loss events around event " + std::to_string(e.seq);
}

std::string allow_privilege(const Event& e) {
  const std::string privilege = detail(e, "privilege");
  return privilege.empty() ? "nothing in a scope allows it"
                           : "to allow: spec.privileges: - " + privilege;
}

std::string never(const Event&) { return "nothing in a scope allows it"; }

std::string allow_blended(const Event& e) {
  return "to keep them apart: two tasks; " + detail(e, "delegated") + " was opened by " +
         detail(e, "opened_by." + detail(e, "delegated")) + ", " + detail(e, "agent") + " by " +
         detail(e, "opened_by." + detail(e, "agent"));
}

// In the order of AMBIT_REASONS.
constexpr std::array kSentences{std::to_array<Sentence>({
    {doing_by_kind, why_none, allow_nothing},
    {doing_by_kind, why_credential, allow_credential},
    {doing_by_kind, why_reader, allow_reader},
    {doing_by_kind, why_destination, allow_destination},
    {doing_by_kind, why_credential_destination, allow_credential_destination},
    {doing_by_kind, why_program, allow_program},
    {doing_by_kind, why_expired, allow_longer},
    {doing_environment, why_credential, allow_environment},
    {doing_descriptor, why_outside, allow_descriptor},
    {doing_by_kind, why_undecided, allow_undecided},
    {doing_guarded, why_monitor, never},
    {doing_guarded, why_event_file, never},
    {doing_guarded, why_process, allow_privilege},
    {doing_guarded, why_privilege, allow_privilege},
    {doing_by_kind, why_blended, allow_blended},
})};
static_assert(kSentences.size() == kReasons.size(), "every reason needs its sentences");

/// A finding that correlation made has both ends to name; the attempt itself was shown before it.
std::string second_line(const Event& e, const Sentence& sentence) {
  const bool over_several = e.kind == Kind::finding && e.destination && e.evidence.size() > 1 &&
                            sentence.why == why_destination;
  if (!over_several) {
    return sentence.allow(e);
  }
  return "credential " + credential_name(e) + " was opened by " +
         detail(e, "opened_by." + first_credential(e)) + " in event " +
         std::to_string(e.evidence.front()) + ", the connection is event " +
         std::to_string(e.evidence.back());
}

std::string coloured(std::string words, const Verdict& verdict, bool colour) {
  if (!colour) {
    return words;
  }
  const bool stopped = verdict.effective != Effect::alerted && verdict.effective != Effect::allowed;
  return (stopped ? "\x1b[1;31m" : "\x1b[1;33m") + words + "\x1b[0m";
}

std::string finding_lines(const Event& e, const Verdict& verdict, bool colour) {
  const Sentence& sentence = kSentences.at(static_cast<std::size_t>(verdict.reason));
  const std::string first = "ambit: " + coloured(outcome_words(verdict), verdict, colour) + "  " +
                            process_words(e.process) + " " + sentence.doing(e) + " (" +
                            sentence.why(e) + ")\n";
  return first + std::string(kIndent) + second_line(e, sentence) + "\n";
}

}  // namespace

std::string render_for_terminal(const Event& event, bool colour) {
  if (event.loss) {
    return "ambit: lost " + std::to_string(event.loss->count) + " (" +
           std::string(name_of(event.loss->cause)) + "): the events are not complete\n";
  }
  return event.finding && event.verdict ? finding_lines(event, *event.verdict, colour) : "";
}

}  // namespace ambit::sink
