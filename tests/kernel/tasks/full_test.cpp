// SPDX-License-Identifier: Apache-2.0
// Tables that are full (EVASION M5): the task is refused what cannot be noted, the host nothing.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/kernel/tasks/crowd.h"
#include "tests/kernel/tasks/tables.h"
#include "userspace/pipeline/holders.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = -9;

/// The map of that name that this process has; the kernel cuts names at 15 characters.
int map_of_this_process(const std::string& name) {
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) != "anon_inode:bpf-map") continue;
    const int fd = std::stoi(entry.path().filename().string());
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && name == info.name) return fd;
  }
  return -1;
}

/// Keys that mean nothing, until there is no room left.
bool fill(const std::string& name) {
  const int map = map_of_this_process(name);
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &size) != 0) return false;
  std::string key(info.key_size, '\0');
  const std::string value(info.value_size, '\0');
  constexpr std::uint32_t kNobody = 0x40000000;  // no thread has such a number, and no inode
  for (std::uint32_t i = 0; i <= info.max_entries; ++i) {
    const std::uint32_t number = kNobody + i;
    std::memcpy(key.data(), &number, sizeof(number));
    if (bpf_map_update_elem(map, key.data(), value.data(), BPF_ANY) != 0) return errno == E2BIG;
  }
  return false;
}

int open_once(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() ? 0 : errno;
}

/// The same by a child.
int open_by_child(const std::string& path) {
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) ::_exit(open_once(path));
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// A task that may use what lies in a directory of credentials.
class AFullTable : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_sensor();
    AMBIT_DONE(opened);
    sensor_ = std::move(*opened);
    catalogue_.credentials.push_back({.name = "cloud"});
    expanded_.catalogue = &catalogue_;
    expanded_.files = {{{.text = directory_ + "/**"}}};
    const policy::RealFileSystem files;
    auto paths = policy::compile_catalogue(expanded_, files);
    AMBIT_DONE(paths);
    AMBIT_DONE(policy::put_all(*sensor_, policy::encode_paths(*paths, 1)));
    scope_.credentials.push_back({.name = "cloud"});
    auto compiled = policy::compile_policy({.scope = &scope_, .readers = {{}}}, catalogue_, files);
    AMBIT_DONE(compiled);
    AMBIT_DONE(policy::put_all(*sensor_, policy::encode_policy(*compiled, {})));
    AMBIT_DONE(sensor_->put(policy::encode_task({.slot = kSlot, .policy = 1})));
  }

  /// What a process of the task gets.
  Tries in_task(const std::function<Tries(std::size_t)>& attempt) {
    auto crowd = Crowd::start(1, attempt);
    if (!crowd) return {};
    const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, (*crowd)->pid(0), 0)));
    EXPECT_TRUE(sensor_->bind(process.get(), kSlot));
    (*crowd)->let_go();
    EXPECT_TRUE(eventually([&] { return (*crowd)->reap() == 1; }));
    const Tries* const tries = (*crowd)->tries(0);
    return tries == nullptr ? Tries{kKilled} : *tries;
  }

  /// Opens a file of the directory, links another and renames a third to elsewhere.
  std::function<Tries(std::size_t)> use_new_files(const std::string& name) {
    for (const char* const suffix : {"1", "2", "3"})
      scratch_.secret("home/.cloud/" + name + suffix);
    return [this, from = directory_ + "/" + name, to = scratch_.path(name)](std::size_t) -> Tries {
      return {open_once(from + "1"),
              ::link((from + "2").c_str(), (to + "2").c_str()) == 0 ? 0 : errno,
              ::rename((from + "3").c_str(), (to + "3").c_str()) == 0 ? 0 : errno};
    };
  }

  static constexpr std::uint32_t kSlot = 1;
  Scratch scratch_;
  std::string directory_ = scratch_.directory("home/.cloud");
  std::unique_ptr<kernel::Sensor> sensor_;
  model::Catalogue catalogue_;
  policy::ExpandedCatalogue expanded_;
  model::Scope scope_;
};

TEST_F(AFullTable, OfInodesRefusesTheTaskNewCredentialsAndOtherNamesForThem) {
  if (on_portable()) GTEST_SKIP() << "this backend learns no inodes";
  EXPECT_EQ(in_task(use_new_files("before")), Tries{}) << "while there is room";
  ASSERT_TRUE(fill("inodes"));
  EXPECT_EQ(in_task(use_new_files("after")), (Tries{EPERM, EPERM, EPERM}));
  EXPECT_EQ(use_new_files("outside")(0), Tries{}) << "outside every task";
}

TEST_F(AFullTable, OfKnownInodesDoesTheSame) {
  if (on_portable()) GTEST_SKIP() << "this backend learns no inodes";
  ASSERT_TRUE(fill("known_inodes"));
  EXPECT_EQ(in_task(use_new_files("after")), (Tries{EPERM, EPERM, EPERM}));
  EXPECT_EQ(use_new_files("outside")(0), Tries{}) << "outside every task";
}

TEST_F(AFullTable, OfMembersLetsNoProcessDoAnythingThatIsNotListed) {
  const std::string secret = scratch_.secret("home/.cloud/own");
  std::unique_ptr<pipeline::Holders> holders;
  if (on_portable()) {
    pipeline::HolderSetup setup;
    setup.sensor = sensor_.get();
    setup.marks.files = {secret};
    auto started = pipeline::Holders::start(std::move(setup));
    AMBIT_DONE(started);
    holders = std::move(*started);
  }
  const auto attempt = [&](std::size_t) -> Tries {
    return {open_once(secret), open_by_child(secret)};
  };
  EXPECT_EQ(in_task(attempt), Tries{}) << "while there is room";
  ASSERT_TRUE(fill("members"));
  const Tries tries = in_task(attempt);
  EXPECT_EQ(tries[0], 0) << "a process that is listed";
  EXPECT_TRUE(tries[1] == kKilled || tries[1] == EPERM) << tries[1];
  EXPECT_EQ(attempt(0), Tries{}) << "outside every task";
}

}  // namespace
}  // namespace ambit::probe
