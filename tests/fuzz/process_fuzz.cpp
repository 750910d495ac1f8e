// SPDX-License-Identifier: Apache-2.0
// What a process says of itself: its command line, and the text of /proc/PID/cgroup.
#include "tests/fuzz/checks.h"
#include "userspace/attribution/container.h"
#include "userspace/attribution/redact.h"

namespace {

using namespace ambit;

std::vector<std::string> split(std::string_view bytes) {
  std::vector<std::string> words;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    words.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return words;
}

void require_bounded(const std::vector<std::string>& argv) {
  constexpr std::size_t kNote = 32;  // "…[+123 bytes]"
  std::size_t all = 0;
  for (const std::string& word : argv) {
    fuzz::require(word.size() <= attribution::kMaxArgumentBytes + kNote, "an argument is bounded");
    all += word.size();
  }
  fuzz::require(argv.size() <= attribution::kMaxArguments + 1, "arguments are bounded in number");
  fuzz::require(all <= attribution::kMaxArgvBytes + kNote * (argv.size() + 1),
                "arguments are bounded together");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> argv = split(bytes);
  const auto shown = attribution::presentable(argv);
  require_bounded(shown);
  model::Event event;
  event.kind = model::Kind::exec;
  event.process.emplace().argv = shown;
  fuzz::require_writable(event);
  // Whatever stands before it, the value of this flag is never shown. The fuzzer learns the value
  // from the comparison, and may say it where it is no secret.
  if (bytes.contains("AMBIT-SECRET")) return 0;
  argv.emplace_back("--password=AMBIT-SECRET-4711");
  argv.emplace_back(R"(curl -d "{\"token\": [\"AMBIT-SECRET-4712\"]}")");
  argv.emplace_back(std::string(bytes.substr(0, 64)) + R"({"password": "AMBIT-SECRET-4713"})");
  argv.emplace_back("db_password := \"AMBIT-SECRET-4714\"");
  argv.emplace_back("cd /x; echo AMBIT-SECRET-4715 | docker login --password-stdin");
  for (const std::string& word : attribution::presentable(argv))
    fuzz::require(!word.contains("AMBIT-SECRET"), "a password is hidden");
  if (const auto id = attribution::container_of(bytes))
    fuzz::require(!id->empty() && bytes.contains(*id), "a container's id stands in the text");
  return 0;
}
