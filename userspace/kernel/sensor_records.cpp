// SPDX-License-Identifier: Apache-2.0
// What the programs tell: records, losses and counts.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ambit.skel.h"
#include "bpf/abi.h"
#include "userspace/kernel/sensor.h"

namespace ambit::kernel {

int Sensor::on_record(void* context, void* data, std::size_t size) {
  const auto* ring = static_cast<RingContext*>(context);
  (*ring->sink)(ring->ring, {static_cast<const std::byte*>(data), size});
  return --*ring->left > 0 ? 0 : -ECANCELED;
}

Result<void> Sensor::deliver_to(Sink sink) {
  sink_ = std::move(sink);
  ring_contexts_[0] = {.sink = &sink_, .ring = model::Ring::findings, .left = &left_};
  ring_contexts_[1] = {.sink = &sink_, .ring = model::Ring::observations, .left = &left_};
  rings_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.findings), on_record, &ring_contexts_[0],
                            nullptr);
  findings_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.findings), on_record, &ring_contexts_[0],
                               nullptr);
  observations_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.observations), on_record,
                                   &ring_contexts_[1], nullptr);
  if (rings_ == nullptr || findings_ == nullptr || observations_ == nullptr)
    return fail_errno("cannot read the rings");
  if (ring_buffer__add(rings_, bpf_map__fd(skeleton_->maps.observations), on_record,
                       &ring_contexts_[1]) != 0)
    return fail_errno("cannot read the ring of observations");
  return {};
}

int Sensor::ring_descriptor() const { return ring_buffer__epoll_fd(rings_); }

// libbpf goes on for as long as records come, which in a flood is for ever: nothing would be
// written and nobody looked after.
Result<int> Sensor::consume(ring_buffer* rings) {
  constexpr int kAtOnce = 16384;
  left_ = kAtOnce;
  const int count = ring_buffer__consume(rings);
  if (count < 0 && count != -ECANCELED) return fail_errno("cannot read the rings", -count);
  return kAtOnce - left_;
}

Result<int> Sensor::drain() { return consume(rings_); }

Result<int> Sensor::drain_findings() { return consume(findings_); }

Result<int> Sensor::drain_observations() { return consume(observations_); }

std::vector<std::uint64_t> Sensor::losses() const {
  const int cpus = libbpf_num_possible_cpus();
  std::vector<std::uint64_t> out(AMBIT_LOSS_SLOTS);
  std::vector<std::uint64_t> values(static_cast<std::size_t>(std::max(cpus, 1)));
  for (std::uint32_t i = 0; i < out.size(); ++i)
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.losses), &i, values.data()) == 0)
      for (const std::uint64_t value : values) out[i] += value;
  return out;
}

std::uint64_t Sensor::hits(std::string_view hook) const {
#define AMBIT_HOOK_NAME(word) #word,
  static constexpr std::array kHooks{
      std::to_array<std::string_view>({AMBIT_HOOKS(AMBIT_HOOK_NAME)})};
#undef AMBIT_HOOK_NAME
  const auto found = std::ranges::find(kHooks, hook);
  if (found == kHooks.end()) return 0;
  const auto index = static_cast<std::uint32_t>(found - kHooks.begin());
  std::vector<std::uint64_t> values(
      static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.hits), &index, values.data()) != 0) return 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t value : values) sum += value;
  return sum;
}

std::uint64_t Sensor::skipped_programs() const {
  std::uint64_t sum = 0;
  for (const int program : program_descriptors()) {
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program, &info, &size) == 0) sum += info.recursion_misses;
  }
  return sum;
}

}  // namespace ambit::kernel
