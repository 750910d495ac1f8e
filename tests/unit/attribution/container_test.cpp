// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/container.h"

#include <gtest/gtest.h>

namespace {

using ambit::attribution::container_of;

const std::string kId(64, 'a');
const std::string kOther = std::string(63, '0') + "b";

struct Case {
  const char* what;
  std::string text;
  std::optional<std::string> id;
};

class ContainerOf : public testing::TestWithParam<Case> {};

TEST_P(ContainerOf, FindsTheId) {
  EXPECT_EQ(container_of(GetParam().text), GetParam().id) << GetParam().what;
}

const std::string kPod = "kubepods-burstable-pod8f1e2d3c_aaaa_bbbb.slice";

INSTANTIATE_TEST_SUITE_P(
    Runtimes, ContainerOf,
    testing::Values(
        Case{"docker, systemd", "0::/system.slice/docker-" + kId + ".scope\n", kId},
        Case{"docker, cgroupfs", "0::/docker/" + kId + "\n", kId},
        Case{"docker, v1", "12:memory:/docker/" + kId + "\n1:name=systemd:/docker/" + kId + "\n",
             kId},
        Case{"hybrid", "4:memory:/docker/" + kId + "\n0::/\n", kId},
        Case{"containerd, systemd",
             "0::/kubepods.slice/kubepods-burstable.slice/" + kPod + "/cri-containerd-" + kId +
                 ".scope\n",
             kId},
        Case{"containerd, cgroupfs", "0::/kubepods/burstable/pod8f1e2d3c-aaaa/" + kId + "\n", kId},
        Case{"containerd, old systemd",
             "0::/system.slice/containerd.service/" + kPod + ":cri-containerd:" + kId + "\n", kId},
        Case{"CRI-O", "0::/kubepods.slice/" + kPod + "/crio-" + kId + ".scope/container\n", kId},
        Case{"podman", "0::/machine.slice/libpod-" + kId + ".scope/container\n", kId},
        Case{"podman, cgroupfs", "0::/libpod_parent/libpod-" + kId + "\n", kId},
        Case{"podman, rootless",
             "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId +
                 ".scope\n",
             kId},
        Case{"nerdctl", "0::/system.slice/nerdctl-" + kId + ".scope\n", kId},
        Case{"docker in docker", "0::/docker/" + kOther + "/docker/" + kId + "\n", kId},
        Case{"systemd inside", "0::/docker/" + kId + "/init.scope\n", kId},
        Case{"another cgroup namespace", "0::/../../cri-containerd-" + kId + ".scope\n", kId},
        Case{"unified first", "4:memory:/docker/" + kOther + "\n0::/docker/" + kId + "\n", kId}));

INSTANTIATE_TEST_SUITE_P(
    Others, ContainerOf,
    testing::Values(
        Case{"host", "0::/user.slice/user-1000.slice/session-2.scope\n", std::nullopt},
        Case{"root", "0::/\n", std::nullopt}, Case{"empty", "", std::nullopt},
        Case{"the pod itself", "0::/kubepods/burstable/pod8f1e2d3c-aaaa\n", std::nullopt},
        Case{"conmon outside", "0::/machine.slice/libpod-conmon-" + kId + ".scope\n", std::nullopt},
        Case{"too short", "0::/docker/" + kId.substr(1) + "\n", std::nullopt},
        Case{"too long", "0::/docker/" + kId + "a\n", std::nullopt},
        Case{"upper case", "0::/docker/" + std::string(64, 'A') + "\n", std::nullopt},
        Case{"garbage", "\xff:::::\n\n//\n0:", std::nullopt}));

}  // namespace
