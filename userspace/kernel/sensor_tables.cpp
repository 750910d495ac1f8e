// SPDX-License-Identifier: Apache-2.0
// The tables and the processes of tasks, as the programs have them.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ambit.skel.h"
#include "bpf/abi.h"
#include "userspace/kernel/sensor.h"

namespace ambit::kernel {

namespace {

/// False: the task is over. Not by writing the whole entry (bpf/task.bpf.c).
Result<bool> run_change(int program, ambit_task_change change) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &change, .ctx_size_in = sizeof(change));
  if (bpf_prog_test_run_opts(program, &options) != 0) return fail_errno("cannot change a task");
  if (options.retval == AMBIT_TASK_UNKNOWN) return fail("the kernel knows no such task");
  return options.retval != AMBIT_TASK_OVER;
}

Result<void> done(const Result<bool>& changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

}  // namespace

int Sensor::map_descriptor(model::Table table) const {
  const std::string name(model::name_of(table));
  return bpf_object__find_map_fd_by_name(skeleton_->obj, name.c_str());
}

bool Sensor::find(model::Table table, model::Bytes key, std::span<std::byte> value) const {
  return bpf_map_lookup_elem(map_descriptor(table), key.data(), value.data()) == 0;
}

Result<void> Sensor::note_inode(const std::string& key) {
  const int map = bpf_map__fd(skeleton_->maps.known_inodes);
  core_inode_key bare{};
  std::memcpy(&bare, key.data(), std::min(key.size(), sizeof(bare)));
  std::uint32_t space = std::exchange(bare.space, 0U);
  if (bpf_map_update_elem(map, &bare, &space, BPF_NOEXIST) == 0) return {};
  if (errno != EEXIST) return fail_errno("cannot note an inode");
  std::uint32_t known = 0;
  if (bpf_map_lookup_elem(map, &bare, &known) == 0 && known == space) return {};
  space = AMBIT_SEVERAL_SPACES;
  if (bpf_map_update_elem(map, &bare, &space, BPF_ANY) != 0)
    return fail_errno("cannot note an inode");
  return {};
}

Result<void> Sensor::put(const model::TableEntry& entry) {
  if (entry.table == model::Table::inodes || entry.table == model::Table::anchors)
    if (auto noted = note_inode(entry.key); !noted) return noted;
  if (bpf_map_update_elem(map_descriptor(entry.table), entry.key.data(), entry.value.data(),
                          BPF_ANY) != 0)
    return fail_errno("cannot write table " + std::string(model::name_of(entry.table)));
  forget_plain(entry.table);
  return {};
}

void Sensor::forget_plain(model::Table table) {
  if (table == model::Table::spaces || table == model::Table::anchors ||
      table == model::Table::names)
    std::atomic_ref(skeleton_->bss->ambit_path_tables).fetch_add(1);
}

Result<void> Sensor::remove(model::Table table, const std::string& key) {
  if (bpf_map_delete_elem(map_descriptor(table), key.data()) != 0 && errno != ENOENT)
    return fail_errno("cannot remove from table " + std::string(model::name_of(table)));
  forget_plain(table);
  return {};
}

int Sensor::descriptor_of(const bpf_program* program) const {
  const auto pinned = called_.find(std::string_view(bpf_program__name(program)));
  return pinned == called_.end() ? bpf_program__fd(program) : pinned->second.get();
}

std::vector<model::TableEntry> Sensor::entries(model::Table table) const {
  const int map = map_descriptor(table);
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map, &info, &size) != 0) return {};
  std::vector<model::TableEntry> out;
  std::string key(info.key_size, '\0');
  std::string value(info.value_size, '\0');
  std::string previous;
  while (bpf_map_get_next_key(map, previous.empty() ? nullptr : previous.data(), key.data()) == 0) {
    if (bpf_map_lookup_elem(map, key.data(), value.data()) == 0)
      out.push_back({.table = table, .key = key, .value = value});
    previous = key;
  }
  return out;
}

Result<Sensor::FileIs> Sensor::recognise(int descriptor, std::uint32_t space, Names names) const {
  ambit_question question{};
  question.permits = names == Names::permit ? 1 : 0;
  question.descriptor = descriptor;
  question.space = space;
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &question, .ctx_size_in = sizeof(question));
  if (bpf_prog_test_run_opts(descriptor_of(skeleton_->progs.holder_recognise), &options) != 0)
    return fail_errno("cannot ask what a file is");
  if (options.retval != 0) return fail("no memory to tell what a file is");
  FileIs is{.undecided = question.undecided != 0,
            .program = (question.flags & CORE_RULE_PROGRAM) != 0,
            .credentials = {},
            .mask = {}};
  const std::size_t count = std::min<std::size_t>(question.count, CORE_MAX_MATCHES);
  is.credentials.assign(question.credential, question.credential + count);
  std::ranges::copy(question.mask, is.mask.begin());
  return is;
}

Result<void> Sensor::bind(int pidfd, std::uint32_t slot) {
  core_process process{};
  process.slot = slot;
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.processes), &pidfd, &process, BPF_ANY) != 0)
    return fail_errno("cannot put a process into the task");
  return {};
}

Result<void> Sensor::adopt(const Thread& thread, std::uint32_t slot) {
  const ambit_member member{.slot = slot, .pid = thread.pid};
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.members), &thread.tid, &member, BPF_ANY) != 0)
    return fail_errno("cannot list a process of the task");
  struct stat facts{};
  // The number of struct pid is that of its inode in pidfs (6.9).
  if (options_.backend == model::Backend::portable && thread.tid == thread.pid &&
      ::fstat(thread.pidfd, &facts) == 0) {
    const std::uint64_t number = facts.st_ino;
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.own_pids), &number, &slot, BPF_ANY) != 0)
      return fail_errno("cannot note a process of the task");
  }
  return bind(thread.pidfd, slot);
}

Result<void> Sensor::let_go(const Thread& thread) {
  const int map = bpf_map__fd(skeleton_->maps.processes);
  if (bpf_map_delete_elem(map, &thread.pidfd) != 0 && errno != ENOENT && errno != ESRCH)
    return fail_errno("cannot take a process out of its task");
  forget_member(thread.tid);
  return {};
}

Result<void> Sensor::guard_process(int pidfd, std::uint32_t pid) {
  const bool listed =
      std::ranges::any_of(skeleton_->bss->ambit_monitors, [pid](std::uint32_t& place) {
        std::uint32_t none = 0;
        return std::atomic_ref(place).compare_exchange_strong(none, pid) || none == pid;
      });
  if (!listed) return fail("more processes of Ambit's own than are noted: their end is not seen");
  if (options_.backend == model::Backend::portable) return {};
  const ambit_member member{.slot = CORE_SLOT_MONITOR, .pid = pid};
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.members), &pid, &member, BPF_ANY) != 0)
    return fail_errno("cannot guard a process of Ambit's");
  return bind(pidfd, CORE_SLOT_MONITOR);
}

Result<std::uint32_t> Sensor::slot_of(int pidfd) const {
  core_process process{};
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.processes), &pidfd, &process) == 0)
    return process.slot == CORE_SLOT_MONITOR ? 0U : process.slot;
  if (errno == ENOENT) return 0U;
  return fail_errno("cannot read a process's task");
}

std::vector<Sensor::Member> Sensor::members() const {
  const int map = bpf_map__fd(skeleton_->maps.members);
  std::vector<Member> out;
  std::uint32_t key = 0;
  const std::uint32_t* previous = nullptr;
  for (std::uint32_t next = 0; bpf_map_get_next_key(map, previous, &next) == 0;) {
    ambit_member member{};
    if (bpf_map_lookup_elem(map, &next, &member) == 0 && member.slot != CORE_SLOT_MONITOR)
      out.push_back({.tid = next, .pid = member.pid, .slot = member.slot});
    key = next;
    previous = &key;
  }
  return out;
}

std::vector<std::uint32_t> Sensor::members(std::uint32_t slot) const {
  std::vector<std::uint32_t> out;
  for (const Member& member : members())
    if (member.slot == slot) out.push_back(member.pid);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

void Sensor::forget_member(std::uint32_t tid) {
  bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.members), &tid);
}

Result<Sensor::ProcessState> Sensor::state_of(int pidfd) const {
  core_process process{};
  ProcessState state;
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.processes), &pidfd, &process) != 0) {
    if (errno == ENOENT) return state;
    return fail_errno("cannot read a process's task");
  }
  if (process.slot == CORE_SLOT_MONITOR) return state;
  state.slot = process.slot;
  state.listed = (process.flags & CORE_PROCESS_UNLISTED) == 0;
  std::copy_n(process.held.word, state.held.size(), state.held.begin());
  std::copy_n(process.readers.word, state.readers.size(), state.readers.begin());
  return state;
}

Result<void> Sensor::add_held(int pidfd, const model::CredentialMask& mask) {
  ambit_gain gain{.process = pidfd, .reserved = 0, .held = {}};
  std::ranges::copy(mask, gain.held.word);
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &gain, .ctx_size_in = sizeof(gain));
  if (bpf_prog_test_run_opts(descriptor_of(skeleton_->progs.hold_for), &options) != 0)
    return fail_errno("cannot write what a process holds");
  if (options.retval != 0) return fail("a process is gone, or cannot be read");
  return {};
}

Result<void> Sensor::add_held_by_task(std::uint32_t slot, const model::CredentialMask& mask) {
  ambit_task_change change{.slot = slot, .what = AMBIT_CHANGE_HELD};
  std::ranges::copy(mask, change.held.word);
  return done(run_change(descriptor_of(skeleton_->progs.change_task), change));
}

Result<Sensor::Moved> Sensor::move(const Thread& thread, std::uint32_t from, std::uint32_t to) {
  if (descriptor_of(skeleton_->progs.move_thread) < 0)
    return fail("this kernel cannot move a process between tasks");
  std::uint32_t* const asked = skeleton_->bss->ambit_move;
  const std::array<std::uint32_t, AMBIT_MOVE_WORDS> words{thread.tid, thread.pid, from, to,
                                                          AMBIT_MOVE_GONE};
  std::ranges::copy(words, asked);
  const std::atomic_ref state(asked[AMBIT_MOVE_STATE]);
  bpf_iter_link_info which{};
  std::memset(&which, 0, sizeof(which));
  which.task.tid = thread.tid;
  if (auto walked = walk_tasks(&which); !walked) return std::unexpected(walked.error());
  // By its own number no kernel before 6.12 finds a thread that is not the first of its process.
  if (state.load() == AMBIT_MOVE_GONE && thread.tid != thread.pid) {
    which.task.tid = 0;
    which.task.pid = thread.pid;
    if (auto walked = walk_tasks(&which); !walked) return std::unexpected(walked.error());
  }
  return static_cast<Moved>(state.load());
}

/// The program looks at each task of the walk, and acts on the one that it is asked about.
Result<void> Sensor::walk_tasks(bpf_iter_link_info* which) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = which, .iter_info_len = sizeof(*which));
  const Descriptor link(
      bpf_link_create(descriptor_of(skeleton_->progs.move_thread), 0, BPF_TRACE_ITER, &options));
  if (!link.valid() && errno == ESRCH) return {};
  if (!link.valid()) return fail_errno("cannot move a process between tasks");
  const Descriptor walk(bpf_iter_create(link.get()));
  if (!walk.valid()) return fail_errno("cannot move a process between tasks");
  std::array<char, 16> nothing{};
  ssize_t got = 1;
  while (got > 0 || (got < 0 && errno == EAGAIN))
    got = ::read(walk.get(), nothing.data(), nothing.size());
  if (got < 0) return fail_errno("cannot move a process between tasks");
  return {};
}

model::CredentialMask Sensor::held_by_task(std::uint32_t slot) const {
  const int map = bpf_map__fd(skeleton_->maps.tasks);
  model::CredentialMask held{};
  core_task task{};
  for (int turn = 0; turn < 2 && slot != 0; ++turn, slot = task.family) {
    if (bpf_map_lookup_elem(map, &slot, &task) != 0) break;
    for (std::size_t i = 0; i < held.size(); ++i) held.at(i) |= task.held.word[i];
  }
  return held;
}

Result<void> Sensor::revoke(std::uint32_t slot, bool kill) {
  const std::uint32_t flags = kill ? CORE_TASK_REVOKED | CORE_TASK_KILLED : CORE_TASK_REVOKED;
  return done(run_change(descriptor_of(skeleton_->progs.change_task),
                         {.slot = slot, .what = AMBIT_CHANGE_END, .flags = flags}));
}

Result<void> Sensor::change_policy(std::uint32_t slot, std::uint32_t policy) {
  return done(run_change(descriptor_of(skeleton_->progs.change_task),
                         {.slot = slot, .what = AMBIT_CHANGE_POLICY, .policy = policy}));
}

Result<bool> Sensor::change_deadline(std::uint32_t slot, std::uint64_t expires_boot_ns) {
  return run_change(
      descriptor_of(skeleton_->progs.change_task),
      {.slot = slot, .what = AMBIT_CHANGE_DEADLINE, .expires_boot_ns = expires_boot_ns});
}

}  // namespace ambit::kernel
