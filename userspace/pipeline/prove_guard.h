// SPDX-License-Identifier: Apache-2.0
// The operations of a proof that the guard must refuse, or see. Each is harmless where it is not
// refused: what it asks for is what there is already, or nothing.
#pragma once

#include "userspace/pipeline/prove_acts.h"

namespace ambit::pipeline {

[[nodiscard]] int signal_monitor(const Props& props, Belongings& mine);
[[nodiscard]] int read_monitor(const Props& props, Belongings& mine);
[[nodiscard]] int starve_monitor(const Props& props, Belongings& mine);
[[nodiscard]] int use_bpf(const Props& props, Belongings& mine);
[[nodiscard]] int replace_guarded(const Props& props, Belongings& mine);
[[nodiscard]] int open_setting(const Props& props, Belongings& mine);
[[nodiscard]] int observe_processor(const Props& props, Belongings& mine);
[[nodiscard]] int load_module(const Props& props, Belongings& mine);
[[nodiscard]] int use_port(const Props& props, Belongings& mine);
[[nodiscard]] int type_into_terminal(const Props& props, Belongings& mine);
[[nodiscard]] int mount_over_secret(const Props& props, Belongings& mine);
[[nodiscard]] int make_user_namespace(const Props& props, Belongings& mine);

}  // namespace ambit::pipeline
