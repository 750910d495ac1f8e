// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/decode.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "bpf/abi.h"

namespace ambit::kernel {

namespace {

using model::Event;
using model::LossCause;

constexpr std::size_t kFixed = sizeof(ambit_any_record);

struct Strings {
  std::string_view data;

  /// The first `length` bytes, or nothing when the record has not that many.
  [[nodiscard]] bool take(std::size_t length, std::string_view& out) {
    if (length > data.size()) return false;
    out = data.substr(0, length);
    data.remove_prefix(length);
    return true;
  }
};

/// Names from the file up, each with a NUL behind it, become a path from the root down.
std::string path_of(std::string_view bytes, bool reversed, bool cut) {
  if (!reversed) return std::string(bytes);
  std::string path;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    path.insert(0, "/" + std::string(bytes.substr(0, end)));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  if (cut) path.insert(0, "…");
  return path.empty() ? "/" : path;
}

std::vector<std::string> arguments_of(std::string_view bytes, bool cut) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    out.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  if (cut) out.emplace_back("…");
  return out;
}

model::File file_of(std::uint32_t dev, std::uint64_t ino) {
  constexpr unsigned kMinorBits = 20;
  model::File file;
  file.dev_major = dev >> kMinorBits;
  file.dev_minor = dev & ((1U << kMinorBits) - 1);
  file.ino = ino;
  return file;
}

void take_credentials(Event& event, const __u16* numbers, std::size_t count) {
  event.credential_ids.assign(numbers, numbers + std::min<std::size_t>(count, CORE_MAX_MATCHES));
}

bool take_body(Event& event, const ambit_file_record& record, Strings strings) {
  std::string_view path;
  if (!strings.take(record.path_length, path)) return false;
  model::File file = file_of(record.dev, record.ino);
  file.path = path_of(path, record.path_reversed != 0, record.path_cut != 0);
#define AMBIT_FLAG_NAME(bit, word) \
  if ((record.flags & (bit)) != 0) file.flags.emplace_back(#word);
  AMBIT_FILE_FLAGS(AMBIT_FLAG_NAME)
#undef AMBIT_FLAG_NAME
  event.file = std::move(file);
  take_credentials(event, record.credential, record.credential_count);
  return true;
}

std::string address_text(const __u8* address) {
  char text[INET6_ADDRSTRLEN] = {};
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), address))
    ::inet_ntop(AF_INET, address + kMapped.size(), text, sizeof(text));
  else
    ::inet_ntop(AF_INET6, address, text, sizeof(text));
  return text;
}

std::string protocol_text(std::uint8_t protocol) {
  struct Known {
    std::uint8_t number;
    const char* name;
  };
  static constexpr Known kKnown[] = {{1, "icmp"},    {6, "tcp"},    {17, "udp"},     {33, "dccp"},
                                     {58, "icmpv6"}, {132, "sctp"}, {136, "udplite"}};
  for (const Known& known : kKnown)
    if (known.number == protocol) return known.name;
  return std::to_string(protocol);
}

bool take_body(Event& event, const ambit_connect_record& record, Strings strings) {
  std::string_view path;
  if (!strings.take(record.path_length, path)) return false;
  model::Destination destination;
  if (record.family == AF_UNIX) {
    destination.protocol = "unix";
    if (!path.empty() && path.front() == '\0')
      destination.unix_path = "@" + std::string(path.substr(1));
    else
      destination.unix_path = path_of(path, record.path_reversed != 0, record.path_cut != 0);
  } else if (record.family == AF_INET || record.family == AF_INET6) {
    destination.ip = address_text(record.address);
    destination.port = record.port;
    destination.protocol = protocol_text(record.protocol);
  } else if (record.family == AMBIT_FAMILY_TUN) {
    destination.protocol = "tun";
  } else {
    destination.family = record.family;
    destination.protocol = "family-" + std::to_string(record.family);
  }
  event.destination = std::move(destination);
  take_credentials(event, record.credential, record.credential_count);
  return true;
}

bool take_body(Event& event, const ambit_exec_record& record, Strings strings) {
  std::string_view path;
  std::string_view arguments;
  if (!strings.take(record.path_length, path) || !strings.take(record.argv_length, arguments))
    return false;
  model::File file = file_of(record.dev, record.ino);
  file.path = path_of(path, record.path_reversed != 0, record.path_cut != 0);
  file.flags.emplace_back("exec");
  // The portable backend decides when the new image is in place already.
  if (record.argv_length != 0 || event.verdict->backend == model::Backend::portable)
    event.process->exe = file.path;
  event.process->argv = arguments_of(arguments, record.argv_cut != 0);
  event.file = std::move(file);
  return true;
}

template <typename Word>
bool in_list(std::uint8_t number, const Word& words) {
  return number < words.size();
}

bool take_head(Event& event, const ambit_record& head) {
  if (!in_list(head.reason, model::kReasons) || !in_list(head.requested, model::kResponses) ||
      !in_list(head.effective, model::kEffects) || !in_list(head.backend, model::kBackends))
    return false;
  model::Verdict verdict;
  verdict.reason = static_cast<model::Reason>(head.reason);
  verdict.requested = static_cast<model::Response>(head.requested);
  verdict.effective = static_cast<model::Effect>(head.effective);
  verdict.backend = static_cast<model::Backend>(head.backend);
  verdict.mode = head.shadow != 0 ? model::Mode::shadow : model::Mode::enforce;
  verdict.scope = verdict.requested == model::Response::none ? model::ScopeSide::inside
                                                             : model::ScopeSide::outside;
  event.finding = verdict.requested != model::Response::none;
  event.verdict = std::move(verdict);
  event.boot_ns = head.boot_ns;
  event.slot = head.slot;
  model::Process process;
  process.pid = head.pid;
  process.tid = head.tid;
  process.uid = head.uid;
  process.ppid = head.ppid;
  process.start_boot_ns = head.start_boot_ns;
  process.comm.assign(head.comm, ::strnlen(head.comm, sizeof(head.comm)));
  event.process = std::move(process);
  std::copy_n(head.held.word, event.held_mask.size(), event.held_mask.begin());
  std::copy_n(head.blocking.word, event.blocking_mask.size(), event.blocking_mask.begin());
  return true;
}

}  // namespace

std::expected<Event, LossCause> decode(std::span<const std::byte> record) {
  ambit_any_record fixed{};
  if (record.size() < kFixed) return std::unexpected(LossCause::record_malformed);
  std::memcpy(&fixed, record.data(), kFixed);
  if (fixed.head.size != record.size()) return std::unexpected(LossCause::record_malformed);
  const Strings strings{
      .data = {reinterpret_cast<const char*>(record.data()) + kFixed, record.size() - kFixed}};
  Event event;
  if (!take_head(event, fixed.head)) return std::unexpected(LossCause::record_malformed);
  bool complete = false;
  switch (fixed.head.kind) {
#define AMBIT_TAKE(word, type)                  \
  case AMBIT_KIND_##word: {                     \
    static_assert(sizeof(type) <= kFixed);      \
    type body{};                                \
    std::memcpy(&body, &fixed, sizeof(body));   \
    event.kind = model::Kind::word;             \
    complete = take_body(event, body, strings); \
    break;                                      \
  }
    AMBIT_RECORDS(AMBIT_TAKE)
#undef AMBIT_TAKE
    default:  // a number from outside, not an enum: whatever it says is counted
      return std::unexpected(LossCause::record_unknown);
  }
  if (!complete) return std::unexpected(LossCause::record_malformed);
  return event;
}

}  // namespace ambit::kernel
