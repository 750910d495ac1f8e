// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/pinned_members.h"

#include <bpf/bpf.h>

#include "bpf/abi.h"

namespace ambit::kernel {

namespace {

Result<Descriptor> open_map(const std::string& path, bpf_map_type type, std::uint32_t value_size) {
  Descriptor map(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) return fail_errno(path);
  if (info.type != static_cast<std::uint32_t>(type) || info.key_size != sizeof(std::uint32_t) ||
      (value_size != 0 && info.value_size != value_size))
    return fail(path + " is not what Ambit has by this name");
  return map;
}

}  // namespace

Result<PinnedMembers> PinnedMembers::open(const std::string& directory) {
  auto members = open_map(directory + "/map_members", BPF_MAP_TYPE_HASH, sizeof(ambit_member));
  if (!members) return std::unexpected(members.error());
  auto processes = open_map(directory + "/map_processes", BPF_MAP_TYPE_TASK_STORAGE, 0);
  if (!processes) return std::unexpected(processes.error());
  return PinnedMembers(std::move(*members), std::move(*processes));
}

std::vector<PinnedMembers::Thread> PinnedMembers::list() const {
  std::vector<Thread> out;
  std::uint32_t key = 0;
  const std::uint32_t* previous = nullptr;
  for (std::uint32_t next = 0; bpf_map_get_next_key(members_.get(), previous, &next) == 0;) {
    ambit_member member{};
    if (bpf_map_lookup_elem(members_.get(), &next, &member) == 0 &&
        member.slot != CORE_SLOT_MONITOR)
      out.push_back({.tid = next, .pid = member.pid});
    key = next;
    previous = &key;
  }
  return out;
}

void PinnedMembers::let_go(std::uint32_t tid, int pidfd) const {
  if (pidfd >= 0) bpf_map_delete_elem(processes_.get(), &pidfd);
  bpf_map_delete_elem(members_.get(), &tid);
}

}  // namespace ambit::kernel
