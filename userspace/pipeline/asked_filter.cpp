// SPDX-License-Identifier: Apache-2.0
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

#include "userspace/pipeline/asked_calls.h"

namespace ambit::pipeline {

namespace {

class Filter {
 public:
  void load(std::size_t offset) {
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void clear_bits(std::uint32_t bits) { add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~bits)); }
  /// Goes on when equal, else behind the next `skipped`.
  void expect(std::uint32_t value, std::size_t skipped) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, static_cast<std::uint8_t>(skipped)));
  }
  void skip_if(std::uint32_t value, std::size_t skipped) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, static_cast<std::uint8_t>(skipped), 0));
  }
  void skip(std::size_t skipped) {
    add(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(skipped)));
  }
  void end(bool asks) {
    add(BPF_STMT(BPF_RET | BPF_K, asks ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW));
  }
  void append(const Filter& other) {
    code_.insert(code_.end(), other.code_.begin(), other.code_.end());
  }
  [[nodiscard]] std::size_t size() const { return code_.size(); }
  [[nodiscard]] sock_fprog program() {
    return {.len = static_cast<unsigned short>(code_.size()), .filter = code_.data()};
  }

 private:
  void add(const sock_filter& instruction) { code_.push_back(instruction); }
  std::vector<sock_filter> code_;
};

/// What follows once the number was seen to be the call's. The lower half of an argument is all
/// that the kernel takes of an int.
Filter rule_of(const AskedCall& call) {
  Filter rule;
  if (!call.values.empty()) {
    rule.load(offsetof(seccomp_data, args) + call.argument * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < call.values.size(); ++i)
      rule.skip_if(call.values[i], call.values.size() - i);
    rule.end(call.unless_listed);
  }
  rule.end(call.values.empty() || !call.unless_listed);
  return rule;
}

void add_call(Filter& filter, const AskedCall& call, std::uint32_t number) {
  if (number == 0) return;
  const Filter rule = rule_of(call);
  filter.expect(number, rule.size());
  filter.append(rule);
}

Filter filter_of(bool families) {
  Filter native;
  Filter compatible;
  native.load(offsetof(seccomp_data, nr));
  native.clear_bits(kX32);
  compatible.load(offsetof(seccomp_data, nr));
  const auto add_all = [&](std::span<const AskedCall> calls) {
    for (const AskedCall& call : calls) {
      add_call(native, call, call.number);
      add_call(native, call, call.x32);
      add_call(compatible, call, call.number32);
    }
  };
  if (families) add_all(kFamilyCalls);
  add_all(kGuardedCalls);
  native.end(false);
  compatible.end(false);
  Filter filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.skip_if(AUDIT_ARCH_X86_64, 1);
  filter.skip(native.size());
  filter.append(native);
  filter.append(compatible);
  return filter;
}

}  // namespace

int install_asking_filter(bool families) {
  Filter filter = filter_of(families);
  const sock_fprog program = filter.program();
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

}  // namespace ambit::pipeline
