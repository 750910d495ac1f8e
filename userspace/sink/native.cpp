// SPDX-License-Identifier: Apache-2.0
#include "userspace/sink/native.h"

#include "userspace/sink/json_line.h"

namespace ambit::sink {
namespace {

using namespace model;

void text_or_null(JsonLine& out, std::string_view name, std::string_view bytes) {
  out.key(name);
  if (bytes.empty()) {
    out.null();
  } else {
    out.text(bytes);
  }
}

void value_or_null(JsonLine& out, std::string_view name, const std::optional<std::string>& bytes) {
  out.key(name);
  if (bytes) {
    out.text(*bytes);
  } else {
    out.null();
  }
}

void word_or_null(JsonLine& out, std::string_view name, std::optional<std::string_view> word) {
  out.key(name);
  if (word) {
    out.word(*word);
  } else {
    out.null();
  }
}

void time_or_null(JsonLine& out, std::string_view name, std::int64_t wall_ns) {
  text_or_null(out, name, wall_ns == 0 ? std::string() : rfc3339(wall_ns));
}

void word(JsonLine& out, std::string_view name, std::string_view word) {
  out.key(name);
  out.word(word);
}

template <typename T>
void number(JsonLine& out, std::string_view name, T value) {
  out.key(name);
  out.number(value);
}

void texts(JsonLine& out, std::string_view name, const std::vector<std::string>& all) {
  out.key(name);
  out.open_list();
  for (const std::string& one : all) {
    out.text(one);
  }
  out.close_list();
}

void texts_if_any(JsonLine& out, std::string_view name, const std::vector<std::string>& all) {
  if (!all.empty()) {
    texts(out, name, all);
  }
}

void texts(JsonLine& out, std::string_view name, const std::map<std::string, std::string>& all) {
  out.key(name);
  out.open_object();
  for (const auto& [label, value] : all) {
    out.text_key(label);
    out.text(value);
  }
  out.close_object();
}

void verdict(JsonLine& out, const Verdict& v) {
  using Word = std::optional<std::string_view>;
  out.key("verdict");
  out.open_object();
  word(out, "scope", word_of(v.scope));
  word_or_null(out, "reason", v.reason == Reason::none ? Word() : Word(name_of(v.reason)));
  text_or_null(out, "rule", v.rule);
  word(out, "mode", word_of(v.mode));
  word_or_null(out, "requested",
               v.requested == Response::none ? Word() : Word(spelling_of(v.requested)));
  word(out, "effective", name_of(v.effective));
  word_or_null(out, "backend", v.backend == Backend::none ? Word() : Word(name_of(v.backend)));
  out.close_object();
}

void chain(JsonLine& out, const std::vector<TaskInChain>& all) {
  out.key("chain");
  out.open_list();
  for (const TaskInChain& one : all) {
    out.open_object();
    text_or_null(out, "id", one.id);
    text_or_null(out, "name", one.name);
    text_or_null(out, "agent", one.agent);
    value_or_null(out, "on_behalf_of", one.on_behalf_of);
    out.close_object();
  }
  out.close_list();
}

void task(JsonLine& out, const Task& t) {
  out.key("task");
  out.open_object();
  text_or_null(out, "id", t.id);
  text_or_null(out, "name", t.name);
  text_or_null(out, "agent", t.agent);
  value_or_null(out, "on_behalf_of", t.on_behalf_of);
  text_or_null(out, "owner", t.owner);
  texts(out, "context", t.context);
  value_or_null(out, "parent", t.parent);
  if (!t.chain.empty()) chain(out, t.chain);
  time_or_null(out, "expires", t.expires_ns);
  text_or_null(out, "scope_sha256", t.scope_sha256);
  text_or_null(out, "declared_by", t.declared_by);
  out.close_object();
}

void process(JsonLine& out, const Process& p) {
  out.key("process");
  out.open_object();
  number(out, "pid", p.pid);
  number(out, "tid", p.tid);
  time_or_null(out, "start", p.start_ns);
  number(out, "uid", p.uid);
  text_or_null(out, "exe", p.exe);
  if (p.argv.empty()) {
    out.key("argv");
    out.null();
  } else {
    texts(out, "argv", p.argv);
  }
  value_or_null(out, "cwd", p.cwd);
  out.key("parents");
  out.open_list();
  for (const ParentProcess& parent : p.parents) {
    out.open_object();
    number(out, "pid", parent.pid);
    text_or_null(out, "exe", parent.exe);
    out.close_object();
  }
  out.close_list();
  out.close_object();
}

void file(JsonLine& out, const File& f) {
  out.key("file");
  out.open_object();
  text_or_null(out, "path", f.path);
  const bool known = f.ino != 0;
  text_or_null(out, "dev",
               known ? std::to_string(f.dev_major) + ":" + std::to_string(f.dev_minor) : "");
  out.key("ino");
  if (known) {
    out.number(f.ino);
  } else {
    out.null();
  }
  texts(out, "flags", f.flags);
  out.close_object();
}

void inet_address(JsonLine& out, const Destination& d) {
  out.key("ip");
  out.text(d.ip);
  out.key("port");
  if (const auto port = port_of(d)) {
    out.number(*port);
  } else {
    out.null();
  }
}

void destination(JsonLine& out, const Destination& d) {
  const bool inet = !d.ip.empty();
  out.key("destination");
  out.open_object();
  if (inet) {
    inet_address(out, d);
  }
  text_or_null(out, "protocol", d.protocol);
  if (inet) {
    value_or_null(out, "name", d.name);
  }
  if (!d.unix_path.empty()) {
    text_or_null(out, "unix", d.unix_path);
  }
  if (d.family) {
    number(out, "family", *d.family);
  }
  out.close_object();
}

void credential(JsonLine& out, const CredentialUse& c) {
  using Word = std::optional<std::string_view>;
  out.key("credential");
  out.open_object();
  text_or_null(out, "name", c.names.empty() ? std::string_view() : c.names.front());
  if (c.names.size() > 1) {
    texts(out, "names", c.names);
  }
  word_or_null(out, "authority", c.authority ? Word(word_of(*c.authority)) : Word());
  texts(out, "held", c.held);
  out.close_object();
}

void evidence(JsonLine& out, const std::vector<std::uint64_t>& seqs) {
  out.key("evidence");
  out.open_list();
  for (const std::uint64_t seq : seqs) {
    out.number(seq);
  }
  out.close_list();
}

void references(JsonLine& out, const References& r) {
  out.key("references");
  out.open_object();
  texts_if_any(out, "attack", r.attack);
  texts_if_any(out, "atlas", r.atlas);
  texts_if_any(out, "owasp_agentic", r.owasp_agentic);
  texts_if_any(out, "nhi", r.nhi);
  texts_if_any(out, "csf", r.csf);
  out.close_object();
}

// The lists are renumbered from time to time; `start` says which issue of each the numbers are
// from.
void reference_versions(JsonLine& out) {
  out.key("references");
  out.open_object();
  out.key("versions");
  out.open_object();
  word(out, "attack", "19");
  word(out, "atlas", "5.6");
  word(out, "owasp_agentic", "2026");
  word(out, "nhi", "2025");
  word(out, "csf", "2.0");
  out.close_object();
  out.close_object();
}

void loss(JsonLine& out, const Loss& l) {
  out.key("loss");
  out.open_object();
  if (has_ring(l.cause)) {
    word(out, "ring", name_of(l.ring));
  }
  word(out, "cause", name_of(l.cause));
  number(out, "count", l.count);
  time_or_null(out, "since", l.since_ns);
  out.close_object();
}

void head(JsonLine& out, const Event& e, std::string_view host) {
  number(out, "v", 1U);
  text_or_null(out, "id", e.id);
  number(out, "seq", e.seq);
  word(out, "time", rfc3339(e.time_ns));
  text_or_null(out, "host", host);
  word(out, "kind", name_of(e.kind));
  out.key("finding");
  out.boolean(e.finding);
  word(out, "severity", word_of(e.severity));
}

void subjects(JsonLine& out, const Event& e) {
  if (e.verdict) {
    verdict(out, *e.verdict);
  }
  if (e.task) {
    task(out, *e.task);
  }
  if (e.process) {
    process(out, *e.process);
  }
  if (e.container_id) {
    out.key("container");
    out.open_object();
    text_or_null(out, "id", *e.container_id);
    out.close_object();
  }
  if (e.file) {
    file(out, *e.file);
  }
  if (e.destination) {
    destination(out, *e.destination);
  }
  if (e.credential) {
    credential(out, *e.credential);
  }
}

}  // namespace

std::string to_json(const Event& event, std::string_view host) {
  JsonLine out;
  out.open_object();
  head(out, event, host);
  subjects(out, event);
  if (event.finding) {
    evidence(out, event.evidence);
    references(out, event.references);
  } else if (event.kind == Kind::start) {
    reference_versions(out);
  }
  if (event.loss) {
    loss(out, *event.loss);
  }
  if (!event.details.empty()) {
    texts(out, "details", event.details);
  }
  out.close_object();
  return std::move(out).take();
}

}  // namespace ambit::sink
