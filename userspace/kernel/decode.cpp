// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/decode.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
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

  /// The last `length` bytes, or nothing when the record has not that many.
  [[nodiscard]] bool take_last(std::size_t length, std::string_view& out) {
    if (length > data.size()) return false;
    out = data.substr(data.size() - length);
    data.remove_suffix(length);
    return true;
  }

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
  if (bytes.empty()) return cut ? "…" : "/";
  if (bytes.ends_with('\0')) bytes.remove_suffix(1);
  std::string path = cut ? "…" : "";
  while (true) {
    const std::size_t before = bytes.rfind('\0');
    path += '/';
    path += bytes.substr(before == std::string_view::npos ? 0 : before + 1);
    if (before == std::string_view::npos) return path;
    bytes = bytes.substr(0, before);
  }
}

std::vector<std::string> arguments_of(std::string_view bytes, bool cut) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    out.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  if (cut) out.emplace_back(model::kMoreArguments);
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
  if (record.in_place != 0) event.process->exe = file.path;
  event.process->argv = arguments_of(arguments, record.argv_cut != 0);
  event.file = std::move(file);
  return true;
}

constexpr std::array kCapabilities{std::to_array<std::string_view>({"chown",
                                                                    "dac_override",
                                                                    "dac_read_search",
                                                                    "fowner",
                                                                    "fsetid",
                                                                    "kill",
                                                                    "setgid",
                                                                    "setuid",
                                                                    "setpcap",
                                                                    "linux_immutable",
                                                                    "net_bind_service",
                                                                    "net_broadcast",
                                                                    "net_admin",
                                                                    "net_raw",
                                                                    "ipc_lock",
                                                                    "ipc_owner",
                                                                    "sys_module",
                                                                    "sys_rawio",
                                                                    "sys_chroot",
                                                                    "sys_ptrace",
                                                                    "sys_pacct",
                                                                    "sys_admin",
                                                                    "sys_boot",
                                                                    "sys_nice",
                                                                    "sys_resource",
                                                                    "sys_time",
                                                                    "sys_tty_config",
                                                                    "mknod",
                                                                    "lease",
                                                                    "audit_write",
                                                                    "audit_control",
                                                                    "setfcap",
                                                                    "mac_override",
                                                                    "mac_admin",
                                                                    "syslog",
                                                                    "wake_alarm",
                                                                    "block_suspend",
                                                                    "audit_read",
                                                                    "perfmon",
                                                                    "bpf",
                                                                    "checkpoint_restore"})};

/// `all` where there is no other.
std::string capability_names(std::uint64_t mask) {
  constexpr std::uint64_t kAll = (1ULL << kCapabilities.size()) - 1;
  if ((mask & kAll) == kAll) return "all";
  std::string names;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((mask >> i & 1U) == 0) continue;
    names += names.empty() ? "" : ",";
    names += i < kCapabilities.size() ? std::string(kCapabilities.at(i)) : std::to_string(i);
  }
  return names;
}

bool take_body(Event& event, const ambit_guard_record& record, Strings strings) {
  std::string_view path;
  if (record.operation >= model::kOperations.size() ||
      record.privilege >= model::kPrivileges.size() || !strings.take(record.path_length, path))
    return false;
  const auto operation = static_cast<model::Operation>(record.operation);
  event.details["operation"] = model::name_of(operation);
  if (record.privilege != 0) event.details["privilege"] = model::kPrivileges.at(record.privilege);
  if (record.target != 0) event.details["target_pid"] = std::to_string(record.target);
  if (operation == model::Operation::signal)
    event.details["signal"] = std::to_string(record.number);
  else if (record.number != 0)
    event.details["number"] = std::to_string(record.number);
  if (event.kind == model::Kind::privilege) event.details["user"] = std::to_string(record.user);
  if (record.gained != 0) event.details["capabilities"] = capability_names(record.gained);
  if (record.ino == 0 && record.path_length == 0) return true;
  model::File file = file_of(record.dev, record.ino);
  file.path = path_of(path, record.path_reversed != 0, record.path_cut != 0);
  event.file = std::move(file);
  return true;
}

template <typename Word>
bool in_list(std::uint8_t number, const Word& words) {
  return number < words.size();
}

bool take_head(Event& event, const ambit_record& head, Strings& strings) {
  std::string_view cwd;
  if (!strings.take_last(head.cwd_length, cwd)) return false;
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
  if (head.cwd_form != AMBIT_CWD_UNKNOWN)
    process.cwd = path_of(cwd, head.cwd_form == AMBIT_CWD_NAMES, head.cwd_cut != 0);
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
  Strings strings{
      .data = {reinterpret_cast<const char*>(record.data()) + kFixed, record.size() - kFixed}};
  Event event;
  if (!take_head(event, fixed.head, strings)) return std::unexpected(LossCause::record_malformed);
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

std::optional<model::Fork> decode_fork(std::span<const std::byte> record) {
  ambit_fork_record fork{};
  if (record.size() != sizeof(fork)) return std::nullopt;
  std::memcpy(&fork, record.data(), sizeof(fork));
  if (fork.size != sizeof(fork) || fork.kind != AMBIT_KIND_FORK) return std::nullopt;
  return model::Fork{.boot_ns = fork.boot_ns,
                     .slot = fork.slot,
                     .uid = fork.uid,
                     .pid = fork.pid,
                     .start_boot_ns = fork.start_boot_ns,
                     .parent_pid = fork.parent_pid,
                     .parent_start_boot_ns = fork.parent_start_boot_ns};
}

}  // namespace ambit::kernel
