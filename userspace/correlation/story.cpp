// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/story.h"

#include <algorithm>

namespace ambit::correlation {

namespace {

using model::Effect;
using model::Event;
using model::Kind;

bool is_write(const Event& event) {
  return event.file && std::ranges::find(event.file->flags, "write") != event.file->flags.end();
}

}  // namespace

bool took_place(const Event& event) {
  return event.verdict && (event.verdict->effective == Effect::allowed ||
                           event.verdict->effective == Effect::alerted);
}

std::string text_of(const model::Destination& destination) {
  if (!destination.unix_path.empty()) return destination.unix_path;
  if (destination.ip.empty()) return destination.protocol;
  const bool six = destination.ip.find(':') != std::string::npos;
  const std::string host =
      destination.name.value_or(six ? "[" + destination.ip + "]" : destination.ip);
  return destination.port ? host + ":" + std::to_string(*destination.port) : host;
}

void Story::observe(const Event& event, bool uses_credential) {
  if (event.finding) ++figures_.findings;
  if (!took_place(event) || event.kind == Kind::finding) return;
  const bool acts = event.kind == Kind::exec || event.kind == Kind::connect || is_write(event);
  if (acts && figures_.first_act == 0) figures_.first_act = event.seq;
  if (event.kind == Kind::exec) ++figures_.programs;
  if (event.kind == Kind::connect && event.destination) reach(*event.destination);
  if (!uses_credential || !event.credential) return;
  for (const std::string& name : event.credential->names) ++figures_.credentials[name];
  if (!event.credential->names.empty() && figures_.first_credential == 0)
    figures_.first_credential = event.seq;
}

void Story::reach(const model::Destination& destination) {
  const std::string text = text_of(destination);
  const auto known = figures_.destinations.find(text);
  const bool room = figures_.destinations.size() < kMostDestinations;
  Uses& uses = known != figures_.destinations.end() ? known->second
               : room                               ? figures_.destinations[text]
                                                    : figures_.elsewhere;
  ++(figures_.first_credential == 0 ? uses.before : uses.after);
}

void add_figures(const Figures& figures, std::map<std::string, std::string>& details) {
  for (const auto& [name, times] : figures.credentials)
    details["used." + name] = std::to_string(times);
  std::size_t after = 0;
  Uses all = figures.elsewhere;
  for (const auto& [text, uses] : figures.destinations) {
    after += uses.after > 0 ? 1 : 0;
    all.before += uses.before;
    all.after += uses.after;
  }
  details["destinations"] = std::to_string(figures.destinations.size());
  details["destinations_after_credential"] = std::to_string(after);
  details["sent_before_credential"] = std::to_string(all.before);
  details["sent_after_credential"] = std::to_string(all.after);
  details["programs"] = std::to_string(figures.programs);
  details["findings"] = std::to_string(figures.findings);
  if (figures.first_credential != 0)
    details["first_credential"] = std::to_string(figures.first_credential);
  if (figures.first_act != 0) details["first_act"] = std::to_string(figures.first_act);
}

}  // namespace ambit::correlation
