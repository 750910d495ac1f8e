// SPDX-License-Identifier: Apache-2.0
// A record of the kernel, or of a holder, all the way to the line that is written.
#include <cstring>
#include <span>

#include "tests/fuzz/checks.h"
#include "userspace/attribution/redact.h"
#include "userspace/kernel/decode.h"

namespace {

using namespace ambit;

void follow(const std::string& record) {
  auto event = kernel::decode(std::as_bytes(std::span(record)));
  if (!event) {
    fuzz::require(event.error() == model::LossCause::record_malformed ||
                      event.error() == model::LossCause::record_unknown,
                  "what is no record is a loss that says so");
    return;
  }
  fuzz::require(event->credential_ids.size() <= 4, "a record has four credentials at most");
  event->process->argv = attribution::presentable(event->process->argv);
  fuzz::require_writable(*event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string record(reinterpret_cast<const char*>(data), size);
  follow(record);
  // Once more with the length that it has: few guesses get past that check.
  const auto length = static_cast<std::uint32_t>(size);
  if (size < sizeof(length)) return 0;
  std::memcpy(record.data(), &length, sizeof(length));
  follow(record);
  return 0;
}
