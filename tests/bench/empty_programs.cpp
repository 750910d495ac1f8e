// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/empty_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <array>
#include <string>

#include "ambit.skel.h"
#include "userspace/kernel/programs.h"
#include "userspace/kernel/sensor.h"

namespace ambit::bench {
namespace {

using kernel::AttachBy;
using kernel::ProgramSpec;

class Object {
 public:
  Object() : skeleton_(ambit_bpf__open()) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() { ambit_bpf__destroy(skeleton_); }
  [[nodiscard]] const bpf_program* find(const ProgramSpec& spec) const {
    if (skeleton_ == nullptr) return nullptr;
    return bpf_object__find_program_by_name(skeleton_->obj, std::string(spec.program).c_str());
  }

 private:
  ambit_bpf* skeleton_;
};

/// What stands behind the kind in a section's name ("lsm/file_open").
std::string hook_of(const bpf_program* program) {
  const std::string section = bpf_program__section_name(program);
  return section.substr(section.find('/') + 1);
}

Descriptor load_empty(const bpf_program* program, AttachBy by) {
  // Cgroup programs let pass with 1, all others with 0.
  const std::array<bpf_insn, 2> code{
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
               .dst_reg = 0,
               .src_reg = 0,
               .off = 0,
               .imm = by == AttachBy::cgroup ? 1 : 0},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  const auto type = bpf_program__type(program);
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = bpf_program__expected_attach_type(program);
  if (by == AttachBy::automatic) {
    const int id =
        libbpf_find_vmlinux_btf_id(hook_of(program).c_str(), options.expected_attach_type);
    if (id < 0) return {};
    options.attach_btf_id = static_cast<__u32>(id);
  }
  return Descriptor(bpf_prog_load(type, "empty", "GPL", code.data(), code.size(), &options));
}

Descriptor attach_empty(int program, const bpf_program* like, AttachBy by, int cgroup) {
  if (by == AttachBy::cgroup)
    return Descriptor(
        bpf_link_create(program, cgroup, bpf_program__expected_attach_type(like), nullptr));
  return Descriptor(bpf_raw_tracepoint_open(nullptr, program));
}

}  // namespace

Result<EmptyPrograms> EmptyPrograms::attach(model::Backend backend) {
  EmptyPrograms made;
  const Object object;
  auto mount = kernel::cgroup2_mount();
  const Descriptor cgroup(mount ? ::open(mount->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
  for (const ProgramSpec& spec : kernel::program_specs()) {
    if (spec.backend != model::Backend::none && spec.backend != backend) continue;
    // Without sockets in its map a program for messages is never called.
    if (spec.by != AttachBy::automatic && spec.by != AttachBy::cgroup) continue;
    const bpf_program* like = object.find(spec);
    if (like == nullptr) return fail("no program " + std::string(spec.program));
    Descriptor program = load_empty(like, spec.by);
    Descriptor link;
    if (program.valid()) link = attach_empty(program.get(), like, spec.by, cgroup.get());
    if (!link.valid()) {
      if (!spec.required) continue;  // as the sensor goes on without it
      return fail_errno("cannot attach an empty " + std::string(spec.program));
    }
    made.programs_.push_back(std::move(program));
    made.links_.push_back(std::move(link));
  }
  return made;
}

}  // namespace ambit::bench
