// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/kernel/programs.h"
#include "userspace/model/policy.h"
#include "userspace/model/tables.h"

struct ambit_bpf;
union bpf_iter_link_info;
struct bpf_link;
struct bpf_program;
struct ring_buffer;

namespace ambit::kernel {

/// What became of one hook on this machine.
struct HookState {
  const ProgramSpec* spec = nullptr;
  bool attached = false;
  std::string why_not;  ///< empty when attached
};

struct SensorOptions {
  model::Backend backend = model::Backend::lsm;
  std::vector<std::string> without;  ///< hooks that are left out, so that fallbacks are tested
  bool outlives = false;             ///< it will be pinned: hooks do not go with the last process
};

/// By which a later process tells whether it can go on with programs that are pinned.
struct Contract {
  std::uint32_t abi_version = 0;
  model::Backend backend = model::Backend::none;
  std::uint64_t layout = 0;
  std::uint64_t generation = 0;  ///< of the pins; any number but 0
};

/// What user space counts where pinned programs are: it goes on behind its death.
struct Tally {
  std::uint64_t* seq = nullptr;
  std::uint64_t* findings = nullptr;
  std::uint64_t* last_number = nullptr;
  std::uint64_t* told_ns = nullptr;   ///< when losses were told last, by the wall clock
  std::span<std::uint64_t> reported;  ///< losses that are told already, as in Sensor::losses()
};

/// The BPF programs of one backend, loaded and attached, with their maps. Everything goes when it
/// does.
class Sensor : public model::TableReader, public model::TableWriter {
 public:
  /// Loads and attaches; fails with the kernel's reason when a required hook cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<Sensor>> open(const SensorOptions& options);
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;
  ~Sensor() override;

  /// Everything stays when this goes, for as long as the directory has it (bpffs; it must be there
  /// and empty). `generation` tells these pins from others.
  [[nodiscard]] Result<void> pin(const std::string& directory, std::uint64_t generation);
  /// What is pinned there, instead of programs of one's own; the contract must be the same.
  [[nodiscard]] static Result<std::unique_ptr<Sensor>> open_pinned(const std::string& directory);
  /// Of pins of any version.
  [[nodiscard]] static Result<Contract> contract_of(const std::string& directory);
  /// This program's own; its generation is 0.
  [[nodiscard]] static Result<Contract> own_contract(model::Backend backend);
  [[nodiscard]] Result<Tally> tally();
  /// Numbers of Ambit's own processes that live, as the kernel keeps them.
  [[nodiscard]] std::vector<std::uint32_t> monitors() const;

  [[nodiscard]] model::Backend backend() const { return options_.backend; }
  [[nodiscard]] std::span<const HookState> hooks() const { return hooks_; }
  /// Which keep the hooks attached, for as long as anybody has one open.
  [[nodiscard]] std::vector<int> link_descriptors() const;
  [[nodiscard]] std::size_t programs_loaded() const;

  [[nodiscard]] bool find(model::Table table, model::Bytes key,
                          std::span<std::byte> value) const override;
  [[nodiscard]] Result<void> put(const model::TableEntry& entry) override;
  [[nodiscard]] Result<void> remove(model::Table table, const std::string& key) override;
  /// All entries of a table.
  [[nodiscard]] std::vector<model::TableEntry> entries(model::Table table) const;

  /// Attaches a hook that costs the whole machine, for as long as this lives.
  [[nodiscard]] Result<void> switch_on(std::string_view hook);

  /// What a file is in a space of paths, by its inode or by where it stands.
  struct FileIs {
    bool undecided = false;
    bool program = false;
    std::vector<std::uint16_t> credentials;
    model::CredentialMask mask{};
  };
  enum class Names : std::uint8_t {
    forbid,  ///< a file is a credential by any of its names
    permit,  ///< a program may run by its name: not by one that a mount of anybody's gives it
  };
  /// Only where the backend has holders. An error: it could not be asked.
  [[nodiscard]] Result<FileIs> recognise(int descriptor, std::uint32_t space,
                                         Names names = Names::forbid) const;

  /// Puts the process behind `pidfd` into a task; it and all that it starts are bound from now on.
  [[nodiscard]] Result<void> bind(int pidfd, std::uint32_t slot);
  /// A thread that runs already.
  struct Thread {
    int pidfd = -1;
    std::uint32_t tid = 0;
    std::uint32_t pid = 0;
  };
  /// bind() for one that neither starts nor executes anything on its way in: whatever is learned at
  /// those moments is noted here. In the host's PID namespace only: the maps go by its numbers.
  [[nodiscard]] Result<void> adopt(const Thread& thread, std::uint32_t slot);
  enum class Moved : std::uint8_t {
    gone,       ///< there is no such thread
    blank,      ///< it is in no task, or being born and not yet in its parent's
    there,      ///< it was in `to` before
    moved,      ///< by this call
    elsewhere,  ///< in a third task, where it stays
  };
  /// From one task into another of the same family, with what it holds (bpf/move.bpf.c). Only its
  /// numbers count; in the host's PID namespace only.
  [[nodiscard]] Result<Moved> move(const Thread& thread, std::uint32_t from, std::uint32_t to);
  /// Takes a thread out again.
  [[nodiscard]] Result<void> let_go(const Thread& thread);
  /// The task of a process; 0 when it is in none.
  [[nodiscard]] Result<std::uint32_t> slot_of(int pidfd) const;
  /// The same with what the process holds; holder processes ask so while an open waits.
  struct ProcessState {
    std::uint32_t slot = 0;
    bool listed = true;  ///< false: the table of members was full, and it may do nothing
    model::CredentialMask held{};
    model::CredentialMask readers{};
  };
  [[nodiscard]] Result<ProcessState> state_of(int pidfd) const;
  /// Guards a process of Ambit's own: no task's process may signal, trace or starve it. It must be
  /// in no task. On `portable` no hook looks at that, and nothing is done.
  [[nodiscard]] Result<void> guard_process(int pidfd, std::uint32_t pid);
  /// Thread-group ids of the processes of a task, as the kernel lists them.
  [[nodiscard]] std::vector<std::uint32_t> members(std::uint32_t slot) const;
  /// One thread of a task, as it is listed.
  struct Member {
    std::uint32_t tid = 0;
    std::uint32_t pid = 0;
    std::uint32_t slot = 0;
  };
  /// All threads of all tasks.
  [[nodiscard]] std::vector<Member> members() const;
  /// Of a thread that is gone without its end being seen.
  void forget_member(std::uint32_t tid);
  /// Adds held credentials to a process (portable: the holder has let it open them).
  [[nodiscard]] Result<void> add_held(int pidfd, const model::CredentialMask& mask);
  /// The same for all processes of a task (holding: task).
  [[nodiscard]] Result<void> add_held_by_task(std::uint32_t slot,
                                              const model::CredentialMask& mask);
  /// What all processes of a task hold, with its family.
  [[nodiscard]] model::CredentialMask held_by_task(std::uint32_t slot) const;
  /// Ends a task in the kernel: nothing of it may use a credential or the network any more.
  [[nodiscard]] Result<void> revoke(std::uint32_t slot, bool kill);
  /// Another policy for a task, in one step.
  [[nodiscard]] Result<void> change_policy(std::uint32_t slot, std::uint32_t policy);
  /// Another deadline. False: the task is over, and stays so.
  [[nodiscard]] Result<bool> change_deadline(std::uint32_t slot, std::uint64_t expires_boot_ns);

  using Sink = std::function<void(model::Ring, std::span<const std::byte>)>;
  /// Where records go; call once. Findings and observations are two rings.
  [[nodiscard]] Result<void> deliver_to(Sink sink);
  /// Becomes readable when records wait.
  [[nodiscard]] int ring_descriptor() const;
  /// Delivers what waits, though not without end in a flood; the number of records, or the error.
  [[nodiscard]] Result<int> drain();
  /// The same of one of the rings.
  [[nodiscard]] Result<int> drain_findings();
  [[nodiscard]] Result<int> drain_observations();
  /// Counted since the start: (ring, cause) -> losses.
  [[nodiscard]] std::vector<std::uint64_t> losses() const;
  /// How often a hook decided for a process of a task, by its number in the ABI.
  [[nodiscard]] std::uint64_t hits(std::string_view hook) const;
  /// Programs that the kernel skipped (fmod_ret under full preemption).
  [[nodiscard]] std::uint64_t skipped_programs() const;
  [[nodiscard]] int map_descriptor(model::Table table) const;

 private:
  explicit Sensor(SensorOptions options) : options_(std::move(options)) {}
  static int on_record(void* context, void* data, std::size_t size);
  [[nodiscard]] Result<void> walk_tasks(bpf_iter_link_info* which);
  [[nodiscard]] Result<int> consume(ring_buffer* rings);
  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> attach();
  [[nodiscard]] Result<void> attach_one(HookState& hook);
  /// What an inode's end has to remove, before it is there.
  [[nodiscard]] Result<void> note_inode(const std::string& key);
  /// After a change of what paths mean: what was found before is void.
  void forget_plain(model::Table table);
  [[nodiscard]] Result<void> guard_objects();
  [[nodiscard]] Result<void> take_pinned(const std::string& directory);
  [[nodiscard]] Result<void> take_link(const std::string& directory, HookState& hook);
  /// Of a program that is asked something, whether it was loaded here or before.
  [[nodiscard]] int descriptor_of(const bpf_program* program) const;
  [[nodiscard]] std::vector<int> program_descriptors() const;

  SensorOptions options_;
  ambit_bpf* skeleton_ = nullptr;
  std::vector<HookState> hooks_;
  std::vector<bpf_link*> links_;
  std::vector<std::string_view> linked_;  ///< the program of each
  /// Of pinned programs: those that are asked something, by name, and those of links.
  std::map<std::string, Descriptor, std::less<>> called_;
  std::vector<Descriptor> programs_;
  void* about_ = nullptr;  ///< where pinned
  Descriptor cgroup_;
  ring_buffer* rings_ = nullptr;
  ring_buffer* findings_ = nullptr;  ///< the first of them, by itself
  ring_buffer* observations_ = nullptr;
  int left_ = 0;  ///< records that this turn may still take
  Sink sink_;
  struct RingContext {
    Sink* sink = nullptr;
    model::Ring ring = model::Ring::observations;
    int* left = nullptr;
  };
  std::array<RingContext, 2> ring_contexts_;
};

/// Where cgroup v2 is mounted; hosts with the hybrid layout have it beside v1.
[[nodiscard]] Result<std::string> cgroup2_mount();

}  // namespace ambit::kernel
