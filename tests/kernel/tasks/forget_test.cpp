// SPDX-License-Identifier: Apache-2.0
// The number of a file that is gone will be another file's: no space may know it any more.
#include <unistd.h>

#include <filesystem>

#include "tests/kernel/tasks/tables.h"
#include "userspace/policy/filesystem.h"

namespace ambit::probe {
namespace {

namespace fs = std::filesystem;
using model::Table;

class AnInodeThatIsGone : public testing::Test {
 protected:
  void SetUp() override {
    if (on_portable()) GTEST_SKIP() << "no hook of this backend sees the end of an inode";
    auto opened = open_sensor();
    AMBIT_DONE(opened);
    sensor_ = std::move(*opened);
  }

  /// Each of the spaces knows what stands at `path`, in both tables that go by inode.
  void make_known(const std::string& path, const std::vector<std::uint32_t>& spaces) {
    const auto facts = policy::RealFileSystem().look(path);
    ASSERT_TRUE(facts);
    model::CompiledPaths paths;
    paths.inodes[facts->id] = {.rank = 1, .program = true};
    paths.anchors[facts->id] = {.id = 1, .max_depth = 1};
    for (const std::uint32_t space : spaces) {
      AMBIT_DONE(policy::put_all(*sensor_, policy::encode_paths(paths, space)));
      keys_.push_back(policy::encode_inode_key(facts->id, space));
    }
  }

  [[nodiscard]] std::size_t known() const {
    std::size_t count = 0;
    std::array<std::byte, 512> value{};
    for (const Table table : {Table::inodes, Table::anchors})
      for (const std::string& key : keys_)
        if (sensor_->find(table, std::as_bytes(std::span(key)), value)) ++count;
    return count;
  }

  Scratch scratch_;
  std::unique_ptr<kernel::Sensor> sensor_;
  std::vector<std::string> keys_;
};

TEST_F(AnInodeThatIsGone, IsForgottenByTheOneSpaceThatKnewItWhicheverItIs) {
  for (const std::uint32_t space : {1U, 3U, 4U, 4711U}) {
    SCOPED_TRACE(space);
    keys_.clear();
    const std::string path = scratch_.write("file", "content");
    make_known(path, {space});
    ASSERT_EQ(known(), 2U);
    fs::remove(path);
    EXPECT_TRUE(eventually([&] { return known() == 0; }, 2s)) << known() << " entries are left";
  }
}

TEST_F(AnInodeThatIsGone, IsForgottenByAllOfManySpaces) {
  std::vector<std::uint32_t> spaces;
  for (std::uint32_t space = 1; space <= 1000; ++space) spaces.push_back(space);
  const std::string path = scratch_.directory("directory");
  make_known(path, spaces);
  ASSERT_EQ(known(), 2000U);
  fs::remove(path);
  EXPECT_TRUE(eventually([&] { return known() == 0; }, 2s)) << known() << " entries are left";
}

TEST_F(AnInodeThatIsGone, IsNotGoneWhileItHasAnotherName) {
  const std::string path = scratch_.write("file", "content");
  ASSERT_EQ(::link(path.c_str(), scratch_.path("other").c_str()), 0);
  make_known(path, {5, 6});
  fs::remove(path);
  sleep_for(100ms);
  EXPECT_EQ(known(), 4U);
  fs::remove(scratch_.path("other"));
  EXPECT_TRUE(eventually([&] { return known() == 0; }, 2s)) << known() << " entries are left";
}

}  // namespace
}  // namespace ambit::probe
