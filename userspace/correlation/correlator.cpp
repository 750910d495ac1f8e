// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/correlator.h"

#include <algorithm>

#include "userspace/correlation/reason_table.h"

namespace ambit::correlation {
namespace {

using model::CredentialMask;
using model::Effect;
using model::Event;
using model::Kind;
using model::Reason;

bool has_bit(const CredentialMask& mask, std::size_t bit) {
  return bit < model::kMaxPolicyCredentials && (mask[bit / 64] >> (bit % 64) & 1U) != 0;
}

bool is_empty(const CredentialMask& mask) {
  return std::ranges::all_of(mask, [](std::uint64_t word) { return word == 0; });
}

bool is_about_destination(const Event& event) {
  const Reason reason = event.verdict ? event.verdict->reason : Reason::none;
  return event.kind == Kind::connect && (reason == Reason::destination_not_in_scope ||
                                         reason == Reason::destination_not_for_credential);
}

/// The place of a credential in the scope's list.
std::optional<std::size_t> place_of(const std::string& name, const TaskTable& table) {
  const auto found = std::ranges::find(table.listed, name);
  if (found == table.listed.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - table.listed.begin());
}

/// From then on the process has what the credential is: reading it, or talking to its endpoint,
/// went through.
bool went_through(const Event& event) {
  const bool opens = event.kind == Kind::file_open || event.kind == Kind::connect;
  return opens && took_place(event) && !is_about_destination(event);
}

Opening opening_of(const Event& event, const model::Process& process,
                   const std::string& credential) {
  Opening opening{
      .credential = credential,
      .seq = event.seq,
      .boot_ns = event.boot_ns,
      .process = {.pid = process.pid, .start_boot_ns = process.start_boot_ns, .exe = process.exe},
      .ancestors = {}};
  for (const model::ParentProcess& parent : process.parents) {
    opening.ancestors.push_back(
        {.pid = parent.pid, .start_boot_ns = parent.start_boot_ns, .exe = ""});
  }
  return opening;
}

std::string words_of(const ProcessRef& process) {
  const std::string pid = "pid " + std::to_string(process.pid);
  return process.exe.empty() ? pid : pid + " " + process.exe;
}

void add_origin(Event& event, const Origin& origin) {
  const std::string& name = origin.opening.credential;
  event.evidence.push_back(origin.opening.seq);
  event.details["opened_by." + name] = words_of(origin.opening.process);
  event.details["opened_in." + name] = std::to_string(origin.opening.seq);
  event.details["relation." + name] = word_of(origin.relation);
  const std::string inheritance = "inheritance." + name;
  for (std::size_t i = 0; i < origin.path.size(); ++i) {
    std::string key = inheritance + (i < 10 ? ".0" : ".");
    event.details[key += std::to_string(i)] = words_of(origin.path[i]);
  }
}

void sort_evidence(Event& event) {
  std::ranges::sort(event.evidence);
  const auto rest = std::ranges::unique(event.evidence);
  event.evidence.erase(rest.begin(), rest.end());
}

std::string key_of(const std::optional<model::Destination>& destination) {
  if (!destination) {
    return "";
  }
  const model::Destination& d = *destination;
  const std::string port = d.port ? std::to_string(*d.port) : "";
  const std::string family = d.family ? std::to_string(*d.family) : "";
  return d.name.value_or(d.ip) + '\0' + port + '\0' + d.protocol + '\0' + d.unix_path + '\0' +
         family;
}

/// An event of its own, of the process and the object of the one that completes it.
Event finding_after(const Event& last) {
  Event event = last;
  event.id.clear();
  event.seq = 0;
  event.kind = Kind::finding;
  event.evidence = {last.seq};
  event.references = {};
  event.details.clear();
  return event;
}

/// The one event for a credential that one process opened and an unrelated one of the task may have
/// carried.
Event carried_event(const Event& connect, const std::vector<Origin>& origins) {
  Event event = finding_after(connect);
  event.credential = model::CredentialUse{
      .names = {},
      .authority = {},
      .held = connect.credential ? connect.credential->held : std::vector<std::string>()};
  for (const Origin& origin : origins) {
    event.credential->names.push_back(origin.opening.credential);
    add_origin(event, origin);
  }
  sort_evidence(event);
  return event;
}

/// Told of the use that completes it, with the opening of the other credential that lies nearest.
Event blended_event(const Event& use, const Blend::Pair& pair, const Openings& openings,
                    model::Response requested) {
  Event event = finding_after(use);
  event.finding = true;
  event.verdict = model::Verdict{.scope = model::ScopeSide::outside,
                                 .reason = Reason::blended_authority,
                                 .rule = {},
                                 .mode = use.verdict->mode,
                                 .requested = requested,
                                 .effective = Effect::alerted,
                                 .backend = model::Backend::user};
  event.credential = model::CredentialUse{
      .names = {pair.first, pair.second}, .authority = {}, .held = use.credential->held};
  event.details["delegated"] = pair.first;
  event.details["agent"] = pair.second;
  for (const std::string& name : event.credential->names) {
    if (const auto origin = openings.nearest(name, use)) {
      add_origin(event, *origin);
    }
  }
  sort_evidence(event);
  return event;
}

}  // namespace

std::vector<std::string> names_in(const CredentialMask& mask,
                                  const std::vector<std::string>& credential_of_bit) {
  std::vector<std::string> names;
  for (std::size_t bit = 0; bit < credential_of_bit.size(); ++bit) {
    const std::string& name = credential_of_bit[bit];
    if (has_bit(mask, bit) && std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

TaskTable task_table(const model::CompiledPolicy& policy, const model::Scope& scope) {
  TaskTable table{.credential_of_bit = policy.credential_of_bit,
                  .listed = {},
                  .hold_process = policy.hold_process,
                  .authority = {},
                  .blended = scope.response.blended};
  for (const model::ScopeCredential& credential : scope.credentials) {
    table.listed.push_back(credential.name);
    if (credential.authority) {
      table.authority[credential.name] = *credential.authority;
    }
  }
  return table;
}

void Correlator::open_task(std::uint32_t slot, TaskTable table) {
  TaskState state;
  state.table = std::move(table);
  tasks_.insert_or_assign(slot, std::move(state));
}

void Correlator::change_task(std::uint32_t slot, TaskTable table) {
  tasks_[slot].table = std::move(table);
}

void Correlator::close_task(std::uint32_t slot) { tasks_.erase(slot); }

std::vector<Event> Correlator::observe(Event& event) {
  const auto found = tasks_.find(event.task ? event.task->slot : event.slot);
  TaskState* state = found == tasks_.end() ? nullptr : &found->second;
  name_credentials(event, state);
  std::vector<Event> more;
  if (state != nullptr && event.finding && is_about_destination(event)) {
    more = join(event, *state);
  }
  complete_finding(event, state);
  if (state != nullptr) {
    remember(event, *state, more);
  }
  for (Event& extra : more) {
    name_credentials(extra, state);
    complete_finding(extra, state);
    if (state != nullptr) {
      state->story.observe(extra, false);
    }
  }
  return more;
}

const Figures* Correlator::figures(std::uint32_t slot) const {
  const auto found = tasks_.find(slot);
  return found == tasks_.end() ? nullptr : &found->second.story.figures();
}

void Correlator::remember(Event& event, TaskState& state, std::vector<Event>& more) {
  const bool uses = event.process && event.credential && went_through(event);
  state.story.observe(event, uses);
  if (event.kind == Kind::task_close) {
    add_figures(state.story.figures(), event.details);
  }
  if (!uses) {
    return;
  }
  const std::vector<std::string>& names = event.credential->names;
  for (const std::string& name : names) {
    state.openings.add(opening_of(event, *event.process, name));
  }
  if (const auto pair = state.blend.use(names, state.table.authority)) {
    more.push_back(blended_event(event, *pair, state.openings, state.table.blended));
  }
}

void Correlator::name_credentials(Event& event, const TaskState* state) const {
  const bool any = event.credential || !event.credential_ids.empty() || !is_empty(event.held_mask);
  if (!any || (event.kind == Kind::exec && event.credential_ids.empty())) {
    return;
  }
  model::CredentialUse use = event.credential.value_or(model::CredentialUse{});
  const bool blocked =
      event.verdict && event.verdict->reason == Reason::destination_not_for_credential;
  if (use.names.empty() && blocked && state != nullptr) {
    use.names = names_in(event.blocking_mask, state->table.credential_of_bit);
  }
  if (use.names.empty() && !blocked) {
    for (const std::uint16_t id : event.credential_ids) {
      if (id < catalogue_.credentials.size()) {
        use.names.push_back(catalogue_.credentials[id].name);
      }
    }
  }
  if (state != nullptr) {
    use.held =
        use.held.empty() ? names_in(event.held_mask, state->table.credential_of_bit) : use.held;
    const auto authority = use.names.empty() ? state->table.authority.end()
                                             : state->table.authority.find(use.names.front());
    use.authority = authority == state->table.authority.end() ? use.authority : authority->second;
  }
  event.credential = std::move(use);
}

void Correlator::complete_finding(Event& event, const TaskState* state) const {
  if (!event.verdict) {
    return;
  }
  const Reason reason = event.verdict->reason;
  const std::vector<std::string> names =
      event.credential ? event.credential->names : std::vector<std::string>();
  const bool about_credential = reason != Reason::none || event.kind == Kind::file_open;
  if (event.verdict->rule.empty() && about_credential) {
    const bool named = state != nullptr && !names.empty();
    event.verdict->rule =
        rule_of(reason, named ? place_of(names.front(), state->table) : std::nullopt);
  }
  if (!event.finding) {
    return;
  }
  const bool carried = reason == Reason::destination_not_in_scope && !names.empty();
  event.severity = carried ? model::Severity::high : severity_of(reason);
  for (const model::Credential& credential : catalogue_.credentials) {
    if (std::ranges::find(names, credential.name) != names.end()) {
      add_references(event.references, credential.references);
    }
  }
  add_references(event.references, references_of(event));
}

/// Which openings the connection itself has as evidence, and which want an event that names both
/// ends.
std::vector<Event> Correlator::join(Event& event, TaskState& state) const {
  const bool blocked =
      event.verdict && event.verdict->reason == Reason::destination_not_for_credential;
  const std::vector<std::string> held = names_in(event.held_mask, state.table.credential_of_bit);
  const std::vector<std::string> blocking =
      blocked && event.credential ? event.credential->names : std::vector<std::string>();
  const std::vector<std::string> not_inherited =
      names_in(state.table.hold_process, state.table.credential_of_bit);
  std::vector<Origin> apart;
  std::vector<std::string> related;
  for (const std::string& name : state.openings.credentials()) {
    auto origin = state.openings.nearest(name, event);
    const bool forbids = std::ranges::find(blocking, name) != blocking.end();
    if (!origin || (blocked && !forbids)) {
      continue;
    }
    const bool holds = forbids || std::ranges::find(held, name) != held.end();
    // Of these the kernel's word counts, not the lineage: a child never had it, an exec dropped it.
    const bool lineage_counts = std::ranges::find(not_inherited, name) == not_inherited.end();
    if (origin->relation != Relation::other_process && !holds && !lineage_counts) {
      continue;
    }
    if (origin->relation == Relation::other_process && holds) {
      origin->relation = Relation::held;
    }
    if (origin->relation == Relation::other_process) {
      apart.push_back(std::move(*origin));
    } else {
      add_origin(event, *origin);
      related.push_back(name);
    }
  }
  sort_evidence(event);
  if (!blocked && !related.empty()) {
    std::ranges::sort(related);
    event.credential = event.credential.value_or(model::CredentialUse{});
    event.credential->names = std::move(related);
    name_credentials(event, &state);
  }
  return carried_once(event, std::move(apart), state);
}

/// At most one event for an attempt, and each pair of credential and destination only once.
std::vector<Event> Correlator::carried_once(const Event& event, std::vector<Origin> origins,
                                            TaskState& state) {
  std::erase_if(origins, [&](const Origin& origin) {
    const auto [pair, fresh] =
        state.pairs.emplace(origin.opening.credential, key_of(event.destination));
    if (fresh) {
      state.pair_order.push_back(*pair);
    }
    return !fresh;
  });
  while (state.pair_order.size() > kMostPairs) {
    state.pairs.erase(state.pair_order.front());
    state.pair_order.pop_front();
  }
  if (origins.empty()) {
    return {};
  }
  return {carried_event(event, origins)};
}

}  // namespace ambit::correlation
