// SPDX-License-Identifier: Apache-2.0
// An event whose every text is bytes from outside: always one line of JSON, from which the bytes
// can be had back, and nothing on a terminal that steers it.
#include <fuzzer/FuzzedDataProvider.h>

#include "tests/fuzz/checks.h"
#include "userspace/base/utf8.h"
#include "userspace/sink/native.h"

namespace {

using namespace ambit;

template <typename Words>
auto one_of(FuzzedDataProvider& bytes, const Words& words) {
  return static_cast<std::uint8_t>(bytes.ConsumeIntegralInRange<std::size_t>(0, words.size() - 1));
}

model::Verdict verdict_of(FuzzedDataProvider& bytes) {
  return {.scope = static_cast<model::ScopeSide>(bytes.ConsumeIntegralInRange(0, 2)),
          .reason = static_cast<model::Reason>(one_of(bytes, model::kReasons)),
          .rule = bytes.ConsumeRandomLengthString(40),
          .requested = static_cast<model::Response>(one_of(bytes, model::kResponses)),
          .effective = static_cast<model::Effect>(one_of(bytes, model::kEffects)),
          .backend = static_cast<model::Backend>(one_of(bytes, model::kBackends))};
}

std::shared_ptr<model::Task> task_of(FuzzedDataProvider& bytes) {
  auto task = std::make_shared<model::Task>();
  for (std::string* text : {&task->id, &task->name, &task->agent, &task->owner, &task->declared_by})
    *text = bytes.ConsumeRandomLengthString(60);
  task->context[bytes.ConsumeRandomLengthString(20)] = bytes.ConsumeRandomLengthString(60);
  task->expires_ns = bytes.ConsumeIntegral<std::int64_t>();
  return task;
}

model::Event event_of(FuzzedDataProvider& bytes) {
  model::Event event;
  event.kind = static_cast<model::Kind>(one_of(bytes, model::kKinds));
  event.finding = bytes.ConsumeBool();
  event.time_ns = bytes.ConsumeIntegral<std::int64_t>();
  event.verdict = verdict_of(bytes);
  if (bytes.ConsumeBool()) event.task = task_of(bytes);
  model::Process& process = event.process.emplace();
  process.exe = bytes.ConsumeRandomLengthString(200);
  process.argv = {bytes.ConsumeRandomLengthString(200), bytes.ConsumeRandomLengthString(200)};
  process.cwd = bytes.ConsumeRandomLengthString(100);
  process.parents.push_back({.pid = 1, .exe = bytes.ConsumeRandomLengthString(100)});
  if (bytes.ConsumeBool())
    event.file = model::File{.path = bytes.ConsumeRandomLengthString(300), .flags = {"read"}};
  if (bytes.ConsumeBool())
    event.destination = model::Destination{.ip = bytes.ConsumeRandomLengthString(40),
                                           .port = bytes.ConsumeIntegral<std::uint16_t>(),
                                           .protocol = bytes.ConsumeRandomLengthString(10),
                                           .name = bytes.ConsumeRandomLengthString(100),
                                           .unix_path = bytes.ConsumeRandomLengthString(100)};
  if (bytes.ConsumeBool())
    event.credential = model::CredentialUse{.names = {bytes.ConsumeRandomLengthString(40)},
                                            .held = {bytes.ConsumeRandomLengthString(40)}};
  event.details[bytes.ConsumeRandomLengthString(20)] = bytes.ConsumeRandomLengthString(60);
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  const model::Event event = event_of(bytes);
  fuzz::require_writable(event);
  const std::string line = sink::to_json(event, bytes.ConsumeRandomLengthString(60));
  fuzz::require_json_line(line);
  fuzz::require_text(line, "/process/exe", event.process->exe);
  fuzz::require_text(line, "/process/argv/1", event.process->argv[1]);
  if (event.file) fuzz::require_text(line, "/file/path", event.file->path);
  const std::string rest = bytes.ConsumeRemainingBytesAsString();
  fuzz::require(from_utf8(to_utf8(rest)) == rest, "bytes are had back from their text");
  fuzz::require_printable(to_terminal(rest));
  return 0;
}
