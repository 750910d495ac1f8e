// SPDX-License-Identifier: Apache-2.0
// Programs, links and maps that outlive the process that loaded them.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "ambit.skel.h"
#include "bpf/abi.h"
#include "userspace/kernel/sensor.h"

namespace ambit::kernel {

namespace {

constexpr std::uint32_t kOnly = 0;

/// bpffs keeps names with dots for itself.
std::string place_of(const std::string& directory, const char* kind, std::string name) {
  std::ranges::replace(name, '.', '_');
  return directory + "/" + kind + "_" + name;
}

std::string place_of(const std::string& directory, const bpf_map* map) {
  return place_of(directory, "map", bpf_map__name(map));
}

/// FNV-1a, since a map's name and sizes are no secret and no key.
class Fold {
 public:
  void add(std::string_view text) {
    for (const char byte : text) one(static_cast<unsigned char>(byte));
    one(0);
  }
  void add(std::uint32_t number) {
    for (unsigned shift = 0; shift < 32; shift += 8)
      one(static_cast<unsigned char>(number >> shift));
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void one(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// Which variable stands where in a section that user space maps.
void fold_section(const btf* types, const char* name, Fold& into) {
  const int id = btf__find_by_name_kind(types, name, BTF_KIND_DATASEC);
  if (id < 0) return;
  const btf_type* section = btf__type_by_id(types, static_cast<std::uint32_t>(id));
  const btf_var_secinfo* variables = btf_var_secinfos(section);
  for (unsigned i = 0; i < btf_vlen(section); ++i) {
    const btf_type* variable = btf__type_by_id(types, variables[i].type);
    into.add(btf__name_by_offset(types, variable->name_off));
    into.add(variables[i].offset);
    into.add(variables[i].size);
  }
}

std::uint64_t layout_of(const bpf_object* object) {
  Fold fold;
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    fold.add(bpf_map__name(map));
    for (const std::uint32_t fact :
         {static_cast<std::uint32_t>(bpf_map__type(map)), bpf_map__key_size(map),
          bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map)})
      fold.add(fact);
  }
  fold_section(bpf_object__btf(object), ".bss", fold);
  return fold.value();
}

model::Backend backend_of(std::uint32_t number) {
  for (const model::Backend backend :
       {model::Backend::lsm, model::Backend::fmod_ret, model::Backend::portable})
    if (static_cast<std::uint32_t>(backend) == number) return backend;
  return model::Backend::none;
}

/// A cgroup's link stays when it is detached from outside; others cannot be detached.
bool is_attached(int link, std::uint32_t& program) {
  bpf_link_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(link, &info, &size) != 0) return false;
  program = info.prog_id;
  return info.type != BPF_LINK_TYPE_CGROUP || info.cgroup.cgroup_id != 0;
}

}  // namespace

Result<Contract> Sensor::own_contract(model::Backend backend) {
  ambit_bpf* const skeleton = ambit_bpf__open();
  if (skeleton == nullptr) return fail_errno("cannot open the BPF programs");
  const Contract own{.abi_version = AMBIT_ABI_VERSION,
                     .backend = backend,
                     .layout = layout_of(skeleton->obj),
                     .generation = 0};
  ambit_bpf__destroy(skeleton);
  return own;
}

Result<Contract> Sensor::contract_of(const std::string& directory) {
  const std::string path = place_of(directory, "map", "about");
  const Descriptor map(bpf_obj_get(path.c_str()));
  if (!map.valid()) return fail_errno(path);
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) return fail_errno(path);
  constexpr std::size_t kFrozen = offsetof(ambit_about, seq);
  constexpr std::size_t kMost = 1 << 20;
  if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != sizeof(kOnly) ||
      info.value_size < kFrozen || info.value_size > kMost)
    return fail(path + " is no map of Ambit's");
  std::string value(info.value_size, '\0');
  if (bpf_map_lookup_elem(map.get(), &kOnly, value.data()) != 0) return fail_errno(path);
  ambit_about about{};
  std::memcpy(&about, value.data(), kFrozen);
  return Contract{.abi_version = about.abi_version,
                  .backend = backend_of(about.backend),
                  .layout = about.layout,
                  .generation = about.generation};
}

Result<Tally> Sensor::tally() {
  if (about_ == nullptr) {
    void* const memory = ::mmap(nullptr, sizeof(ambit_about), PROT_READ | PROT_WRITE, MAP_SHARED,
                                bpf_map__fd(skeleton_->maps.about), 0);
    if (memory == MAP_FAILED) return fail_errno("cannot map what outlives this process");
    about_ = memory;
  }
  auto* const about = static_cast<ambit_about*>(about_);
  static_assert(sizeof(std::uint64_t) == sizeof(about->seq));
  return Tally{.seq = reinterpret_cast<std::uint64_t*>(&about->seq),
               .findings = reinterpret_cast<std::uint64_t*>(&about->findings),
               .last_number = reinterpret_cast<std::uint64_t*>(&about->last_number),
               .told_ns = reinterpret_cast<std::uint64_t*>(&about->told_ns),
               .reported = {reinterpret_cast<std::uint64_t*>(about->reported), AMBIT_LOSS_SLOTS}};
}

Result<void> Sensor::pin(const std::string& directory, std::uint64_t generation) {
  if (auto counted = tally(); !counted) return std::unexpected(counted.error());
  auto* const about = static_cast<ambit_about*>(about_);
  about->abi_version = AMBIT_ABI_VERSION;
  about->backend = static_cast<std::uint32_t>(options_.backend);
  about->layout = layout_of(skeleton_->obj);
  about->generation = generation;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const std::string place = place_of(directory, map);
    if (bpf_map__fd(map) >= 0 && bpf_obj_pin(bpf_map__fd(map), place.c_str()) != 0)
      return fail_errno("cannot pin " + place);
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const std::string place = place_of(directory, "link", std::string(linked_[i]));
    if (bpf_obj_pin(bpf_link__fd(links_[i]), place.c_str()) != 0)
      return fail_errno("cannot pin " + place);
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    const std::string name = bpf_program__name(program);
    const auto hook = std::ranges::find(
        hooks_, name, [](const HookState& one) { return std::string(one.spec->program); });
    if (hook == hooks_.end() || hook->spec->by != AttachBy::call || !hook->attached) continue;
    const std::string place = place_of(directory, "program", name);
    if (bpf_obj_pin(bpf_program__fd(program), place.c_str()) != 0)
      return fail_errno("cannot pin " + place);
  }
  return {};
}

Result<std::unique_ptr<Sensor>> Sensor::open_pinned(const std::string& directory) {
  const auto found = contract_of(directory);
  if (!found) return std::unexpected(found.error());
  std::unique_ptr<Sensor> sensor(
      new Sensor({.backend = found->backend, .without = {}, .outlives = true}));
  if (auto taken = sensor->take_pinned(directory); !taken) return std::unexpected(taken.error());
  return sensor;
}

Result<void> Sensor::take_pinned(const std::string& directory) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print(nullptr);
  skeleton_ = ambit_bpf__open();
  if (skeleton_ == nullptr) return fail_errno("cannot open the BPF programs");
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) bpf_program__set_autoload(program, false);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    // libbpf would make and pin what is missing: programs that know nothing of it run already.
    const std::string place = place_of(directory, map);
    if (::access(place.c_str(), F_OK) != 0) return fail_errno(place);
    if (bpf_map__set_pin_path(map, place.c_str()) != 0) return fail_errno(place);
  }
  if (const int failed = ambit_bpf__load(skeleton_); failed != 0)
    return fail_errno("cannot use the maps in " + directory, -failed);
  for (const ProgramSpec& spec : program_specs()) {
    if (spec.backend != model::Backend::none && spec.backend != options_.backend) continue;
    HookState hook{.spec = &spec, .attached = false, .why_not = {}};
    if (auto taken = take_link(directory, hook); !taken) {
      if (spec.required) return taken;
      hook.why_not = taken.error().message;
    }
    hooks_.push_back(std::move(hook));
  }
  return {};
}

Result<void> Sensor::take_link(const std::string& directory, HookState& hook) {
  const std::string name(hook.spec->program);
  if (hook.spec->by == AttachBy::call) {
    Descriptor program(bpf_obj_get(place_of(directory, "program", name).c_str()));
    if (!program.valid()) return fail_errno("hook " + name + " is not pinned");
    called_.insert_or_assign(name, std::move(program));
  } else if (hook.spec->by != AttachBy::once && hook.spec->by != AttachBy::sockmap) {
    bpf_link* const link = bpf_link__open(place_of(directory, "link", name).c_str());
    if (link == nullptr) return fail_errno("hook " + name + " is not pinned");
    links_.push_back(link);
    linked_.push_back(hook.spec->program);
    std::uint32_t program = 0;
    if (!is_attached(bpf_link__fd(link), program)) return fail("hook " + name + " was detached");
    programs_.emplace_back(bpf_prog_get_fd_by_id(program));
  }
  hook.attached = true;
  return {};
}

std::vector<std::uint32_t> Sensor::monitors() const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t& place : skeleton_->bss->ambit_monitors)
    if (const std::uint32_t pid = std::atomic_ref(place).load(); pid != 0) out.push_back(pid);
  return out;
}

}  // namespace ambit::kernel
