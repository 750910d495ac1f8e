// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/tasks/tables.h"

#include <algorithm>
#include <filesystem>
#include <variant>

#include "userspace/policy/document.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

model::Backend backend_of(const std::string& name) {
  const auto found = std::ranges::find(model::kBackends, name);
  return static_cast<model::Backend>(found - model::kBackends.begin());
}

Result<model::Scope> parse(const ScopeText& text) {
  policy::ParsedFile parsed = policy::parse_documents(text.yaml(), "scope.yaml");
  if (!parsed.diagnostics.empty() || parsed.documents.size() != 1)
    return fail("the scope is refused: " + policy::render(parsed.diagnostics));
  return std::get<model::Scope>(std::move(parsed.documents.front()));
}

std::string number(std::size_t value) { return std::to_string(value); }

}  // namespace

Result<std::unique_ptr<kernel::Sensor>> open_sensor() {
  return kernel::Sensor::open({.backend = backend_of(backend()), .without = {}});
}

std::size_t programs_of_this_process() {
  std::size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == "anon_inode:bpf-prog") ++count;
  }
  return count;
}

ManyTasks::ManyTasks(const Scratch& scratch, std::size_t count, int port) : port_(port) {
  constexpr std::size_t kInADirectory = 50;
  constexpr std::size_t kByte = 256;
  forbidden_ = scratch.secret("secrets/of-nobody/secret");
  add_credential("of-nobody", forbidden_);
  for (std::size_t i = 0; i < count; ++i) {
    own_.push_back(
        {.secret = scratch.secret("secrets/" + number(i / kInADirectory) + "/" + number(i)),
         .address = "127." + number(1 + i / kByte / kByte) + "." + number(i / kByte % kByte) + "." +
                    number(i % kByte)});
    add_credential("of-" + number(i), own_.back().secret);
  }
  expanded_.catalogue = &catalogue_;
}

void ManyTasks::add_credential(const std::string& name, const std::string& file) {
  model::Credential credential;
  credential.name = name;
  credential.files = {{.text = file}};
  expanded_.files.push_back(credential.files);
  catalogue_.credentials.push_back(std::move(credential));
}

Result<void> ManyTasks::install_catalogue(kernel::Sensor& sensor) {
  auto paths = policy::compile_catalogue(expanded_, policy::RealFileSystem());
  if (!paths) return std::unexpected(paths.error());
  return policy::put_all(sensor, policy::encode_paths(*paths, kCredentialSpace));
}

Result<void> ManyTasks::open(kernel::Sensor& sensor, std::size_t task) {
  const auto slot = static_cast<std::uint32_t>(task + 1);
  auto scope = parse({.name = "task-" + number(task),
                      .credentials = {"{name: of-" + number(task) + "}"},
                      .network = Lines{to_address(own(task).address, port_)}});
  if (!scope) return std::unexpected(scope.error());
  policy::ExpandedScope expanded{.scope = &*scope, .readers = {{}}, .exec = {}};
  auto compiled = policy::compile_policy(expanded, catalogue_, policy::RealFileSystem());
  if (!compiled) return std::unexpected(compiled.error());
  auto destinations = policy::compile_destinations(
      policy::destination_input(*scope, catalogue_, *compiled, {}), sets_);
  if (!destinations) return std::unexpected(destinations.error());
  compiled->destinations = std::move(*destinations);
  const policy::PolicyNumbers numbers{.policy = slot,
                                      .credential_space = kCredentialSpace,
                                      .program_space = kCredentialSpace + slot};
  if (auto put = policy::put_all(sensor, policy::encode_policy(*compiled, numbers)); !put)
    return put;
  return sensor.put(policy::encode_task({.slot = slot, .policy = slot}));
}

}  // namespace ambit::probe
