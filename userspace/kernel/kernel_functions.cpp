// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/kernel_functions.h"

#include <bpf/btf.h>

#include <memory>

namespace ambit::kernel {

// One pass for all names: libbpf's own look-up is a pass for each, over 150,000 types.
Result<FunctionNames> functions_of_kernel(const FunctionNames& wanted) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  if (types == nullptr)
    return fail(
        "this kernel has no BTF (/sys/kernel/btf/vmlinux): use a kernel built with "
        "CONFIG_DEBUG_INFO_BTF=y");
  FunctionNames found;
  const std::uint32_t count = btf__type_cnt(types.get());
  for (std::uint32_t id = 1; id < count; ++id) {
    const btf_type* type = btf__type_by_id(types.get(), id);
    if (!btf_is_func(type)) continue;
    const char* name = btf__name_by_offset(types.get(), type->name_off);
    if (const auto here = wanted.find(name == nullptr ? "" : name); here != wanted.end())
      found.insert(*here);
  }
  return found;
}

}  // namespace ambit::kernel
