// SPDX-License-Identifier: Apache-2.0
// Where no pattern says anything is remembered. Each test has a task open a file that is no
// credential until nothing is asked about it any more; then somebody outside every task changes
// what the file is, and the next open must be refused. With the memory and without it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "tests/kernel/fixture/ambit.h"
#include "tests/kernel/remembered/opener.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/filesystem.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;

model::Backend backend_under_test() {
  return backend() == "lsm" ? model::Backend::lsm : model::Backend::fmod_ret;
}

/// One sensor for all tests of a kind: under emulation a load takes seconds.
kernel::Sensor* sensor_that(bool remembers, std::string& why) {
  static std::map<bool, std::unique_ptr<kernel::Sensor>> all;
  auto& sensor = all[remembers];
  if (sensor) return sensor.get();
  kernel::SensorOptions options{.backend = backend_under_test(), .without = {}};
  if (!remembers) options.without.emplace_back("find_locks");
  auto opened = kernel::Sensor::open(options);
  if (!opened)
    why = opened.error().message;
  else
    sensor = std::move(*opened);
  return sensor.get();
}

class WhatIsRemembered : public testing::TestWithParam<bool> {
 protected:
  static void SetUpTestSuite() {
    // Mounts of the tests are nobody else's; the task and who is outside of it share them.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  }

  void SetUp() override {
    if (on_portable()) GTEST_SKIP() << "on portable files are decided by the holders";
    std::string why;
    sensor_ = sensor_that(GetParam(), why);
    ASSERT_NE(sensor_, nullptr) << why;
  }

  /// The patterns are compiled over what is there now.
  void begin(const std::vector<std::string>& patterns) {
    static std::uint32_t number = 0;
    ++number;
    std::vector<std::string> absolute;
    for (const std::string& pattern : patterns)
      absolute.push_back(pattern.starts_with("**") ? pattern : at(pattern));
    auto declared = declare(*sensor_, number, absolute);
    ASSERT_TRUE(declared) << declared.error().message;
    auto opener = Opener::start(*sensor_, number);
    ASSERT_TRUE(opener) << opener.error().message;
    opener_ = std::move(*opener);
    number_ = number;
  }

  [[nodiscard]] std::string at(const std::string& below) const { return scratch_.path(below); }
  void make(const std::string& below) const { scratch_.secret(below); }

  /// Opened until it is known; a hook counts only what it decides.
  void expect_known_plain(const std::string& below) {
    // The first one may fall into somebody's rename elsewhere on this machine.
    for (int i = 0; i < 3; ++i) ASSERT_EQ(opener_->open(at(below)), 0) << below;
    const std::uint64_t before = sensor_->hits("file_open");
    ASSERT_EQ(opener_->open(at(below)), 0) << below;
    EXPECT_EQ(sensor_->hits("file_open") - before, GetParam() ? 0U : 1U) << below;
  }
  void expect_refused(const std::string& below) const {
    ASSERT_EQ(::access(at(below).c_str(), R_OK), 0) << below << " is not there";
    EXPECT_EQ(opener_->open(at(below)), EPERM) << below;
  }
  void expect_open(const std::string& below) const {
    EXPECT_EQ(opener_->open(at(below)), 0) << below;
  }

  Scratch scratch_;
  kernel::Sensor* sensor_ = nullptr;
  std::unique_ptr<Opener> opener_;
  std::uint32_t number_ = 0;
};

TEST_P(WhatIsRemembered, EndsWhenTheDirectoryIsRenamed) {
  make("other/token");
  begin({"keys/token"});
  expect_known_plain("other/token");
  fs::rename(at("other"), at("keys"));
  expect_refused("keys/token");
}

TEST_P(WhatIsRemembered, EndsWhenADirectoryAboveIsRenamed) {
  make("other/a/b/token");
  begin({"keys/a/b/token", "tree/**"});
  expect_known_plain("other/a/b/token");
  fs::rename(at("other"), at("keys"));
  expect_refused("keys/a/b/token");
}

TEST_P(WhatIsRemembered, EndsWhenATreeComesBelowASubtree) {
  scratch_.directory("tree");
  make("other/a/b/token");
  begin({"tree/**"});
  expect_known_plain("other/a/b/token");
  fs::rename(at("other"), at("tree/other"));
  expect_refused("tree/other/a/b/token");
}

TEST_P(WhatIsRemembered, EndsWhenTheFileIsRenamedInItsDirectory) {
  make("keys/other");
  begin({"keys/token"});
  expect_known_plain("keys/other");
  fs::rename(at("keys/other"), at("keys/token"));
  expect_refused("keys/token");
}

TEST_P(WhatIsRemembered, EndsWhenTwoNamesAreExchanged) {
  make("keys/token");
  make("keys/other");
  begin({"keys/token"});
  expect_known_plain("keys/other");
  ASSERT_EQ(::renameat2(AT_FDCWD, at("keys/token").c_str(), AT_FDCWD, at("keys/other").c_str(),
                        RENAME_EXCHANGE),
            0);
  expect_refused("keys/token");
  expect_refused("keys/other");
}

TEST_P(WhatIsRemembered, EndsWhenTwoDirectoriesAreExchanged) {
  make("keys/a/token");
  make("other/a/token");
  begin({"keys/a/token"});
  expect_known_plain("other/a/token");
  ASSERT_EQ(
      ::renameat2(AT_FDCWD, at("keys").c_str(), AT_FDCWD, at("other").c_str(), RENAME_EXCHANGE), 0);
  expect_refused("keys/a/token");
  expect_refused("other/a/token");
}

TEST_P(WhatIsRemembered, SaysNothingOfAHardLinkMadeLater) {
  make("other/token");
  scratch_.directory("keys");
  begin({"keys/token"});
  expect_known_plain("other/token");
  fs::create_hard_link(at("other/token"), at("keys/token"));
  expect_refused("keys/token");
  // From here on it is known by its inode.
  expect_refused("other/token");
}

TEST_P(WhatIsRemembered, SaysNothingOfAHardLinkInTheSameDirectory) {
  make("keys/other");
  begin({"keys/token"});
  expect_known_plain("keys/other");
  fs::create_hard_link(at("keys/other"), at("keys/token"));
  expect_refused("keys/token");
  expect_refused("keys/other");
}

TEST_P(WhatIsRemembered, SaysNothingOfAHardLinkWhoseOtherNameIsGone) {
  make("other/token");
  scratch_.directory("keys");
  begin({"keys/token"});
  expect_known_plain("other/token");
  fs::create_hard_link(at("other/token"), at("keys/token"));
  fs::remove(at("other/token"));
  fs::remove(at("other"));
  expect_refused("keys/token");
}

TEST_P(WhatIsRemembered, SaysNothingOfAFileMadeLater) {
  make("keys/other");
  begin({"keys/token", "keys/*.pem"});
  expect_known_plain("keys/other");
  make("keys/token");
  make("keys/a.pem");
  expect_refused("keys/token");
  expect_refused("keys/a.pem");
  expect_open("keys/other");
}

TEST_P(WhatIsRemembered, SaysNothingOfADirectoryMadeAnewUnderItsName) {
  make("a/keys/other");
  begin({"b/keys/other"});
  expect_known_plain("a/keys/other");
  fs::remove_all(at("a"));
  make("b/keys/other");
  expect_refused("b/keys/other");
}

TEST_P(WhatIsRemembered, EndsWhenASymlinkOfADirectoryIsTurned) {
  make("vol/one/token");
  make("vol/two/token");
  fs::create_symlink("one", at("vol/..data"));
  fs::create_symlink("..data/token", at("vol/token"));
  begin({"vol/token"});
  make("vol/three/other");
  expect_known_plain("vol/three/other");
  make("vol/three/token");
  fs::create_symlink("three", at("vol/..new"));
  fs::rename(at("vol/..new"), at("vol/..data"));
  expect_refused("vol/token");
}

/// What is mounted goes before the directory does.
class Mounted {
 public:
  explicit Mounted(std::string target) : target_(std::move(target)) {}
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  ~Mounted() { ::umount2(target_.c_str(), MNT_DETACH); }

 private:
  std::string target_;
};

TEST_P(WhatIsRemembered, EndsWhenItsDirectoryIsMountedOverAnother) {
  make("other/token");
  scratch_.directory("keys");
  begin({"keys/token"});
  expect_known_plain("other/token");
  ASSERT_EQ(::mount(at("other").c_str(), at("keys").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted mounted(at("keys"));
  expect_refused("keys/token");
}

TEST_P(WhatIsRemembered, EndsWhenItsMountIsMoved) {
  make("other/token");
  scratch_.directory("keys");
  scratch_.directory("mounted");
  ASSERT_EQ(::mount(at("other").c_str(), at("mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted first(at("mounted"));
  begin({"keys/token"});
  expect_known_plain("mounted/token");
  ASSERT_EQ(::mount(at("mounted").c_str(), at("keys").c_str(), nullptr, MS_MOVE, nullptr), 0);
  const Mounted second(at("keys"));
  expect_refused("keys/token");
}

TEST_P(WhatIsRemembered, EndsWhenItsMountIsMovedThroughTheNewCalls) {
  constexpr long kOpenTree = 428;
  constexpr long kMoveMount = 429;
  constexpr unsigned kClone = 1;
  constexpr unsigned kFromEmptyPath = 4;
  make("other/a/token");
  scratch_.directory("keys");
  begin({"keys/a/token"});
  expect_known_plain("other/a/token");
  const Descriptor tree(
      static_cast<int>(::syscall(kOpenTree, AT_FDCWD, at("other").c_str(), kClone | O_CLOEXEC)));
  ASSERT_TRUE(tree.valid());
  ASSERT_EQ(::syscall(kMoveMount, tree.get(), "", AT_FDCWD, at("keys").c_str(), kFromEmptyPath), 0);
  const Mounted mounted(at("keys"));
  expect_refused("keys/a/token");
}

TEST_P(WhatIsRemembered, EndsWhenADirectoryAboveItsMountIsRenamed) {
  make("other/token");
  scratch_.directory("above/mounted");
  ASSERT_EQ(::mount(at("other").c_str(), at("above/mounted").c_str(), nullptr, MS_BIND, nullptr),
            0);
  begin({"keys/mounted/token"});
  expect_known_plain("above/mounted/token");
  const Mounted mounted(at("keys/mounted"));
  fs::rename(at("above"), at("keys"));
  expect_refused("keys/mounted/token");
}

// Below a bind mount of a directory a file stands in two places.
TEST_P(WhatIsRemembered, EndsWhenTheDirectoryBehindItsMountIsRenamed) {
  make("other/a/token");
  scratch_.directory("mounted");
  ASSERT_EQ(::mount(at("other/a").c_str(), at("mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted mounted(at("mounted"));
  begin({"keys/a/token"});
  expect_known_plain("mounted/token");
  fs::rename(at("other"), at("keys"));
  expect_refused("mounted/token");
}

TEST_P(WhatIsRemembered, EndsWhenTheTreeBehindItsMountComesBelowASubtree) {
  scratch_.directory("tree");
  make("other/a/token");
  scratch_.directory("mounted");
  ASSERT_EQ(::mount(at("other/a").c_str(), at("mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted mounted(at("mounted"));
  begin({"tree/**"});
  expect_known_plain("mounted/token");
  fs::rename(at("other"), at("tree/other"));
  expect_refused("mounted/token");
}

// Both names are as deep below what is asked about: the one's tokens are not the other's.
TEST_P(WhatIsRemembered, SaysNothingOfWhatIsACredentialOnlyBehindItsMount) {
  scratch_.directory("keys");
  scratch_.directory("mounted");
  begin({"keys/a/b/token"});
  make("keys/a/b/other");
  ASSERT_EQ(::mount(at("keys/a").c_str(), at("mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted mounted(at("mounted"));
  expect_known_plain("mounted/b/other");
  make("keys/a/b/token");
  expect_refused("mounted/b/token");
}

// The directory is asked about by patterns of its own, and moved by the task.
TEST_P(WhatIsRemembered, EndsWhereADirectoryTakesAlongThatItWasBelowASubtree) {
  make("other/plain");
  scratch_.directory("tree/sub");
  begin({"tree/**", "tree/sub/x/token"});
  expect_known_plain("other/plain");
  ASSERT_EQ(opener_->rename(at("tree/sub"), at("other/sub")), 0);
  make("other/sub/later");
  make("other/sub/x/token");
  expect_refused("other/sub/later");
  expect_refused("other/sub/x/token");
  expect_open("other/plain");
}

TEST_P(WhatIsRemembered, IsTakenAlongThroughABindMountToo) {
  scratch_.directory("tree/a/sub");
  scratch_.directory("mounted");
  ASSERT_EQ(::mount(at("tree/a").c_str(), at("mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
  const Mounted mounted(at("mounted"));
  begin({"tree/**"});
  ASSERT_EQ(opener_->rename(at("mounted/sub"), at("mounted/moved")), 0);
  fs::rename(at("tree/a/moved"), at("moved"));
  make("moved/later");
  expect_refused("moved/later");
}

TEST_P(WhatIsRemembered, SaysNothingOfADirectoryThatTookItAlongAndIsGone) {
  scratch_.directory("tree/sub");
  begin({"tree/**"});
  ASSERT_EQ(opener_->rename(at("tree/sub"), at("sub")), 0);
  const auto facts = policy::RealFileSystem().look(at("sub"));
  ASSERT_TRUE(facts);
  const std::string key = policy::encode_inode_key(facts->id, 2 * number_);
  std::array<std::byte, 512> value{};
  const auto known = [&] {
    return sensor_->find(model::Table::anchors, std::as_bytes(std::span(key)), value);
  };
  ASSERT_TRUE(known());
  fs::remove(at("sub"));
  EXPECT_TRUE(eventually([&] { return !known(); }, 2s));
}

TEST_P(WhatIsRemembered, EndsWhenTheCatalogueChanges) {
  make("other/token");
  begin({"keys/token"});
  expect_known_plain("other/token");
  auto declared = declare(*sensor_, number_, {at("other/*")});
  ASSERT_TRUE(declared) << declared.error().message;
  // By its name: what exists is known by its inode anyway.
  make("other/later");
  expect_refused("other/later");
  expect_refused("other/token");
}

TEST_P(WhatIsRemembered, IsOfOneScopeAlone) {
  make("other/token");
  make("other/later");
  begin({"keys/token"});
  expect_known_plain("other/token");
  begin({"other/**"});
  make("other/new");
  for (const char* name : {"other/token", "other/later", "other/new"}) expect_refused(name);
}

TEST_P(WhatIsRemembered, LeavesPatternsThatHoldAnywhere) {
  make("other/plain");
  begin({"keys/token", "**/.env", "**/*.pem"});
  expect_known_plain("other/plain");
  make("other/.env");
  make("other/a.pem");
  expect_refused("other/.env");
  expect_refused("other/a.pem");
  fs::rename(at("other/plain"), at("other/b.pem"));
  expect_refused("other/b.pem");
}

INSTANTIATE_TEST_SUITE_P(With, WhatIsRemembered, testing::Values(true),
                         [](const auto&) { return std::string("TheMemory"); });
INSTANTIATE_TEST_SUITE_P(Without, WhatIsRemembered, testing::Values(false),
                         [](const auto&) { return std::string("TheMemory"); });

}  // namespace
}  // namespace ambit::probe
