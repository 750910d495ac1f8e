// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/evasion/outside.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace ambit::probe::evasion {
namespace {

namespace fs = std::filesystem;

void make_network(const std::vector<std::string>& addresses) {
  if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("no network of its own");
  static_cast<void>(run({.argv = {"/usr/sbin/ip", "link", "set", "lo", "up"}}));
  for (const std::string& address : addresses) {
    Words command{"/usr/sbin/ip", "addr", "add", address, "dev", "lo"};
    if (address.find(':') != std::string::npos) command.emplace_back("nodad");
    static_cast<void>(run({.argv = command}));
  }
}

// Metadata services of AWS, ECS, EKS, Alibaba; a NAT64 form; a link-local address.
const std::vector<std::string> kAddresses{
    "169.254.169.254/32", "169.254.170.2/32",     "169.254.170.23/32", "100.100.100.200/32",
    "10.99.0.2/32",       "fd00:ec2::254/128",    "fd00:ec2::23/128",  "64:ff9b::7f00:2/128",
    "fe80::2/64",         "2001:db8::7f00:2/128", "2001:db8::7/128"};

std::string cgroup_root() {
  for (const std::string at : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    if (fs::exists(at + "/cgroup.procs") && fs::exists(at + "/cgroup.controllers")) return at;
  }
  return "";
}

}  // namespace

void enter_own_network() {
  make_network(kAddresses);
  // So that a datagram of ICMP needs no privilege, as Debian has it.
  std::ofstream("/proc/sys/net/ipv4/ping_group_range") << "0 2147483647\n";
  // So that a packet which a process put there itself is taken.
  for (const char* const name : {"route_localnet", "accept_local"})
    std::ofstream(std::string("/proc/sys/net/ipv4/conf/lo/") + name) << "1\n";
}

OtherNetwork::OtherNetwork(const std::string& file) : file_(file) {
  std::ofstream(file_) << "";
  std::thread([this] {
    make_network({});
    if (::mount("/proc/thread-self/ns/net", file_.c_str(), nullptr, MS_BIND, nullptr) != 0) return;
    collector_.reset(new Collector(Collector::tcp("127.0.0.2")));
  }).join();
}

OtherNetwork::~OtherNetwork() { ::umount2(file_.c_str(), MNT_DETACH); }

ReflinkMount::ReflinkMount(const std::string& image, const std::string& directory)
    : directory_(directory) {
  constexpr off_t kSize = 128L << 20;
  fs::create_directories(directory_);
  std::ofstream(image) << "";
  if (::truncate(image.c_str(), kSize) != 0) return;
  if (run({.argv = {"/usr/sbin/mkfs.btrfs", "-q", "-f", image}}).exit != 0) return;
  mounted_ = run({.argv = {"/usr/bin/mount", "-o", "loop", image, directory_}}).exit == 0;
}

ReflinkMount::~ReflinkMount() {
  if (mounted_) static_cast<void>(run({.argv = {"/usr/bin/umount", "-l", directory_}}));
}

Outside::Outside(const Scratch& scratch)
    : network_(scratch.path("network")),
      reflinks_(scratch.path("image"), scratch.path("reflinks")),
      tcp_(Collector::tcp("127.0.0.1")),
      udp_(Collector::udp("127.0.0.1")),
      udp6_(Collector::udp("::1")) {
  if (cgroup_root().empty()) return;
  cgroup_ = cgroup_root() + "/" + scratch.fresh("ambit-kernel-test");
  std::error_code ignored;
  fs::create_directory(cgroup_, ignored);
}

Outside::~Outside() {
  std::error_code ignored;
  if (cgroup_.empty()) return;
  for (const auto& entry : fs::directory_iterator(cgroup_, ignored)) {
    if (entry.is_directory()) fs::remove(entry.path(), ignored);
  }
  fs::remove(cgroup_, ignored);
}

}  // namespace ambit::probe::evasion
