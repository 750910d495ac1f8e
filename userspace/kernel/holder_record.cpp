// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/holder_record.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "bpf/abi.h"

namespace ambit::kernel {

namespace {

// One write of at most PIPE_BUF bytes is never mixed with another's.
constexpr std::size_t kRecordLimit = PIPE_BUF;

void fill_head(ambit_record& head, const HolderRecord& record, std::size_t size) {
  head.size = static_cast<__u32>(size);
  head.kind = static_cast<__u8>(record.kind);
  head.reason = static_cast<__u8>(record.reason);
  head.requested = static_cast<__u8>(record.requested);
  head.effective = static_cast<__u8>(record.effective);
  head.shadow = record.shadow ? 1 : 0;
  head.backend = AMBIT_BACKEND_portable;
  head.slot = record.slot;
  head.boot_ns = record.boot_ns;
  head.start_boot_ns = record.start_boot_ns;
  head.pid = record.pid;
  head.tid = record.pid;
  head.uid = record.uid;
  head.ppid = record.ppid;
  std::ranges::copy(record.comm.substr(0, sizeof(head.comm) - 1), head.comm);
  std::ranges::copy(record.held, head.held.word);
}

}  // namespace

std::size_t holder_record_limit() { return kRecordLimit; }

std::size_t encode(const HolderRecord& record, std::span<std::byte> out) {
  ambit_any_record fixed{};
  const std::size_t room = std::min(out.size(), kRecordLimit) - sizeof(fixed);
  std::string_view path = record.path;
  const bool cut = path.size() > room;
  if (cut) path.remove_prefix(path.size() - room);
  const std::string_view cwd = record.cwd.size() <= room - path.size() ? record.cwd : "";
  const std::size_t size = sizeof(fixed) + path.size() + cwd.size();
  if (record.kind == model::Kind::exec) {
    fixed.exec.ino = record.file.ino;
    fixed.exec.dev = static_cast<__u32>(record.file.dev);
    fixed.exec.path_length = static_cast<__u32>(path.size());
    fixed.exec.path_cut = cut ? 1 : 0;
  } else {
    fixed.file.ino = record.file.ino;
    fixed.file.dev = static_cast<__u32>(record.file.dev);
    fixed.file.flags = (record.reads ? AMBIT_FILE_READ : 0U) |
                       (record.writes ? AMBIT_FILE_WRITE : 0U) |
                       (record.truncates ? AMBIT_FILE_TRUNCATE : 0U);
    fixed.file.credential_count =
        static_cast<__u8>(std::min<std::size_t>(record.credentials.size(), CORE_MAX_MATCHES));
    std::copy_n(record.credentials.begin(), fixed.file.credential_count, fixed.file.credential);
    fixed.file.path_length = static_cast<__u32>(path.size());
    fixed.file.path_cut = cut ? 1 : 0;
  }
  fill_head(fixed.head, record, size);
  fixed.head.cwd_form = cwd.empty() ? AMBIT_CWD_UNKNOWN : AMBIT_CWD_PATH;
  fixed.head.cwd_length = static_cast<__u32>(cwd.size());
  std::memcpy(out.data(), &fixed, sizeof(fixed));
  std::ranges::copy(std::as_bytes(std::span(path)), out.subspan(sizeof(fixed)).begin());
  std::ranges::copy(std::as_bytes(std::span(cwd)),
                    out.subspan(sizeof(fixed) + path.size()).begin());
  return size;
}

}  // namespace ambit::kernel
