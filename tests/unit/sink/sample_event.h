// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/model/event.h"

namespace ambit::sink::sample {

inline std::shared_ptr<model::Task> task() {
  auto task = std::make_shared<model::Task>();
  task->slot = 3;
  task->id = "01ARYZ6S410000000000000001";
  task->name = "triage-4711";
  task->agent = "spiffe://corp.example/agent/triage";
  task->on_behalf_of = "alice@corp.example";
  task->owner = "team-support";
  task->context = {{"ticket", "INC-4711"}};
  task->expires_ns = 1795183387000000000;
  task->scope_sha256 = std::string(64, 'a');
  task->declared_by = "uid:0";
  return task;
}

inline model::Process process() {
  model::Process process;
  process.pid = 4242;
  process.tid = 4243;
  process.start_ns = 1795183386000000001;
  process.uid = 1000;
  process.comm = "secret-comm";
  process.exe = "/usr/bin/cat";
  process.argv = {"cat", "/home/a/.aws/credentials"};
  process.cwd = "/work";
  process.parents = {{.pid = 4200, .exe = "/usr/bin/node", .start_boot_ns = 5}};
  return process;
}

/// A refused opening of a credential outside the scope, as DESIGN §6 shows it.
inline model::Event file_finding() {
  model::Event event;
  event.id = "01ARYZ6S410000000000000000";
  event.seq = 1042;
  event.time_ns = 1795183387123456789;
  event.kind = model::Kind::file_open;
  event.finding = true;
  event.severity = model::Severity::high;
  event.verdict = model::Verdict{.scope = model::ScopeSide::outside,
                                 .reason = model::Reason::credential_not_in_scope,
                                 .rule = "/spec/credentials",
                                 .mode = model::Mode::enforce,
                                 .requested = model::Response::kill,
                                 .effective = model::Effect::killed,
                                 .backend = model::Backend::lsm};
  event.task = task();
  event.process = process();
  event.container_id = std::string(64, 'c');
  event.file = model::File{.path = "/home/a/.aws/credentials",
                           .dev_major = 254,
                           .dev_minor = 0,
                           .ino = 131,
                           .flags = {"read"}};
  event.credential =
      model::CredentialUse{.names = {"aws-shared-config"}, .authority = {}, .held = {"github-cli"}};
  event.evidence = {1017};
  event.references = {.attack = {"T1552.001"},
                      .atlas = {},
                      .owasp_agentic = {"ASI03"},
                      .nhi = {"NHI2:2025", "NHI5:2025"},
                      .csf = {}};
  return event;
}

inline model::Event connect_finding() {
  model::Event event = file_finding();
  event.kind = model::Kind::connect;
  event.file.reset();
  event.verdict->reason = model::Reason::destination_not_for_credential;
  event.verdict->effective = model::Effect::denied;
  event.destination = model::Destination{.ip = "203.0.113.9",
                                         .port = 443,
                                         .protocol = "tcp",
                                         .name = {},
                                         .unix_path = {},
                                         .family = {}};
  event.credential->names = {"github-cli"};
  return event;
}

}  // namespace ambit::sink::sample
