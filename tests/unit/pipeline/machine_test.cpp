// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/machine.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "userspace/pipeline/choose.h"
#include "userspace/pipeline/identity.h"

namespace {

using namespace ambit;
using namespace ambit::pipeline;

Machine good() {
  Machine machine;
  machine.root = true;
  machine.btf = true;
  machine.lsms = {"lockdown", "bpf"};
  machine.cgroup2 = "/sys/fs/cgroup";
  return machine;
}

TEST(Machine, ThatHasEverythingMissesNothing) {
  EXPECT_EQ(what_is_missing(good()), "");
  EXPECT_EQ(ruled_out(model::Backend::lsm, good()), "");
}

TEST(Machine, SaysWhatIsMissingAndWhatToDo) {
  Machine user = good();
  user.root = false;
  user.missing_capabilities = {"CAP_BPF"};
  EXPECT_EQ(what_is_missing(user), "this needs root (CAP_BPF missing): run it with sudo");
  Machine container = good();
  container.missing_capabilities = {"CAP_BPF", "CAP_PERFMON"};
  EXPECT_TRUE(what_is_missing(container).starts_with("root lacks CAP_BPF, CAP_PERFMON here"));
  Machine no_bpf = good();
  no_bpf.bpf_refused = "Function not implemented";
  EXPECT_TRUE(what_is_missing(no_bpf).find("CONFIG_BPF_SYSCALL=y") != std::string::npos);
  Machine no_btf = good();
  no_btf.btf = false;
  EXPECT_TRUE(what_is_missing(no_btf).find("CONFIG_DEBUG_INFO_BTF=y") != std::string::npos);
}

TEST(Machine, WithoutTheBpfLsmRulesOnlyLsmOutAndSaysHowToGetIt) {
  Machine machine = good();
  machine.lsms = {"lockdown", "yama"};
  EXPECT_EQ(ruled_out(model::Backend::lsm, machine),
            "bpf is not among the active LSMs (lockdown,yama)");
  EXPECT_EQ(ruled_out(model::Backend::fmod_ret, machine), "");
  EXPECT_EQ(remedy(model::Backend::lsm, machine, 0),
            "add bpf to lsm= on the kernel command line: lsm=lockdown,yama,bpf");
}

TEST(Machine, WhoseLsmsAreUnknownIsTried) {
  Machine machine = good();
  machine.lsms.clear();
  EXPECT_EQ(ruled_out(model::Backend::lsm, machine), "");
}

TEST(Machine, ThatRefusesTrampolinesIsLeftWithThePortableBackend) {
  Machine machine = good();
  machine.trampolines_refused = "Operation not permitted";
  EXPECT_NE(ruled_out(model::Backend::lsm, machine), "");
  EXPECT_NE(ruled_out(model::Backend::fmod_ret, machine), "");
  EXPECT_EQ(ruled_out(model::Backend::portable, machine), "");
}

TEST(Machine, WithoutCgroupV2RulesPortableOutAndSaysOnceWhatToDo) {
  Machine machine = good();
  machine.cgroup2_why_not = "no cgroup v2 is mounted";
  EXPECT_EQ(ruled_out(model::Backend::portable, machine), machine.cgroup2_why_not);
  EXPECT_EQ(ruled_out(model::Backend::lsm, machine), "");
  const std::string what = remedy(model::Backend::portable, machine, 0);
  EXPECT_NE(what.find("mount -t cgroup2"), std::string::npos) << what;
  EXPECT_EQ(what.find(machine.cgroup2_why_not), std::string::npos) << what;
}

TEST(Machine, IsNotToBlameForTheCallersLimits) {
  for (const model::Backend backend : kBackendOrder) {
    EXPECT_TRUE(remedy(backend, good(), EMFILE).starts_with("raise the limit of open files"));
    EXPECT_FALSE(remedy(backend, good(), EINVAL).starts_with("raise the limit of open files"));
  }
}

TEST(Identity, IsNotTheNumberThatMeansNoChange) {
  const auto nobody = choose_identity("4294967295", {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().message, "no user can have the number 4294967295");
  const auto last = choose_identity("4294967294", {});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->uid, 4294967294U);
}

TEST(Backends, AreNamedAsInDocumentsAndEvents) {
  for (const model::Backend backend : kBackendOrder)
    EXPECT_EQ(*parse_backend(model::name_of(backend)), backend);
  for (const char* no : {"", "none", "user", "LSM"}) EXPECT_FALSE(parse_backend(no)) << no;
}

}  // namespace
