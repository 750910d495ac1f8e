// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/core/case_in_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>

#include "core_cases.skel.h"
#include "tests/core/core_cases.bpf.h"
#include "userspace/policy/core.h"

namespace ambit::policy {

namespace {

void take_subject(case_input& input, const Subject& subject) {
  input.slot = subject.slot;
  input.held = to_core(subject.held);
  input.readers = to_core(subject.readers);
  input.now_boot_ns = subject.now_boot_ns;
}

struct Fill {
  case_input& input;

  void operator()(const OpenCredentials& asked) const {
    input.operation = CASE_OPEN;
    take_subject(input, asked.subject);
    input.credential_count = static_cast<__u32>(asked.credentials.size());
    std::ranges::copy(asked.credentials, input.credential);
  }
  void operator()(const Reach& asked) const {
    input.operation = CASE_REACH;
    take_subject(input, asked.subject);
    std::ranges::copy(asked.to.address, input.address);
    input.port = asked.to.port;
    input.protocol = asked.to.protocol;
    input.own = asked.to.own ? 1 : 0;
    input.other = asked.to.other ? 1 : 0;
  }
  void operator()(const Execute& asked) const {
    input.operation = CASE_EXECUTE;
    take_subject(input, asked.subject);
    input.program = asked.program ? 1 : 0;
  }
  void operator()(const Guard& asked) const {
    input.operation = CASE_GUARD;
    take_subject(input, asked.subject);
    input.aim = static_cast<__u32>(asked.aim);
    input.privilege = static_cast<__u32>(asked.privilege);
  }
  void operator()(const Recognise& asked) const {
    input.operation = CASE_RECOGNISE;
    input.space = asked.space;
    input.by_inode = asked.by_inode ? 1 : 0;
    const auto facts = std::make_unique<PathFacts>(asked.files->facts(asked.path));
    input.ino = facts->file.ino;
    input.dev = static_cast<__u32>(facts->file.dev);
    input.count = static_cast<__u32>(std::min<std::size_t>(facts->count, CASE_MAX_COMPONENTS));
    for (std::size_t i = 0; i < input.count; ++i) {
      const PathFacts::Component& from = facts->components.at(facts->count - 1 - i);
      case_component& to = input.components[i];
      to.ino = from.directory.ino;
      to.dev = static_cast<__u32>(from.directory.dev);
      to.length = static_cast<__u32>(from.name.size());
      std::ranges::copy(from.name, to.name);
    }
  }
};

Answer answer_of(const case_output& output) {
  return {.decided = output.decided != 0,
          .reason = static_cast<model::Reason>(output.reason),
          .requested = static_cast<model::Response>(output.requested),
          .effect = static_cast<model::Effect>(output.effect),
          .shadow = output.shadow != 0,
          .blocking = bits_of(from_core(output.blocking)),
          .gained = bits_of(from_core(output.gained)),
          .credentials = {output.credential, output.credential + output.count},
          .undecided = output.overflow != 0,
          .program = (output.flags & CORE_RULE_PROGRAM) != 0,
          .unix_socket = (output.flags & CORE_RULE_UNIX) != 0,
          .mask = bits_of(from_core(output.mask))};
}

int quiet(enum libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
}

}  // namespace

Result<std::unique_ptr<CaseInKernel>> CaseInKernel::open() {
  libbpf_set_print(quiet);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  core_cases* skeleton = core_cases__open_and_load();
  if (skeleton == nullptr) return fail_errno("the kernel refuses the test's program");
  return std::unique_ptr<CaseInKernel>(new CaseInKernel(skeleton));
}

CaseInKernel::~CaseInKernel() { core_cases__destroy(skeleton_); }

int CaseInKernel::map_of(model::Table table) const {
  return bpf_object__find_map_fd_by_name(skeleton_->obj,
                                         std::string(model::name_of(table)).c_str());
}

Result<Answer> CaseInKernel::answer(const Case& one) {
  for (const model::TableEntry& entry : one.tables)
    if (bpf_map_update_elem(map_of(entry.table), entry.key.data(), entry.value.data(), BPF_ANY) !=
        0)
      return fail_errno("cannot write table " + std::string(model::name_of(entry.table)));
  const auto input = std::make_unique<case_input>();
  std::visit(Fill{*input}, one.operation);
  const std::string memory(bpf_map__value_size(skeleton_->maps.memories), '\0');
  const std::uint32_t zero = 0;
  case_output output{};
  std::array<std::uint64_t, 1> arguments{};
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments.data(),
              .ctx_size_in = sizeof(arguments));
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.inputs), &zero, input.get(), BPF_ANY) != 0 ||
      bpf_map_update_elem(bpf_map__fd(skeleton_->maps.memories), &zero, memory.data(), BPF_ANY) !=
          0 ||
      bpf_map_update_elem(bpf_map__fd(skeleton_->maps.outputs), &zero, &output, BPF_ANY) != 0 ||
      bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.run_case), &options) != 0 ||
      bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.outputs), &zero, &output) != 0)
    return fail_errno("cannot run the program");
  if (options.retval != 0) return fail("the program found no memory");
  for (const model::TableEntry& entry : one.tables)
    static_cast<void>(bpf_map_delete_elem(map_of(entry.table), entry.key.data()));
  return answer_of(output);
}

std::uint32_t CaseInKernel::verified_instructions() const {
  bpf_prog_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(skeleton_->progs.run_case), &info, &size) != 0)
    return 0;
  return info.verified_insns;
}

}  // namespace ambit::policy
