// SPDX-License-Identifier: Apache-2.0
// The documents that one daemon leaves to the next: whole or not at all, and believed by nobody who
// has not looked.
#include "userspace/pipeline/task_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "userspace/policy/destinations_address.h"

namespace ambit::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TaskRecord sample() {
  return {
      .id = "01M8D3J7Q93R5MA1V923GMCRE8",
      .slot = 7,
      .scope = "metadata: {name: \"ünï\"}\n",
      .declared_by = "uid:0",
      .opened_ns = 1'700'000'000'000'000'001,
      .expires_boot_ns = 0xffffffffffffffffULL,
      .expired = true,
      .limits = {"names: none"},
      .keys = {{model::Table::policies, std::string("\x00\xff\x10", 3)},
               {model::Table::names, "key"}},
      .names = {{"api.example",
                 {.addresses = {*policy::address_of("10.0.0.1"), *policy::address_of("fe80::1")},
                  .ttl = {},
                  .from_file = true}}}};
}

class ATaskStore : public testing::Test {
 protected:
  ATaskStore() { fs::create_directory(directory_); }
  ~ATaskStore() override { fs::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
    fs::permissions(directory_ + "/" + name, fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string directory_ = testing::TempDir() + "store-" + std::to_string(::getpid());
  TaskStore store_{directory_};
};

TEST_F(ATaskStore, GivesBackWhatItWasGiven) {
  ASSERT_TRUE(store_.put(sample()));
  const auto back = store_.get(sample().id);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_text(*back), to_text(sample()));
  EXPECT_EQ(back->slot, 7U);
  EXPECT_EQ(back->expires_boot_ns, sample().expires_boot_ns);
  EXPECT_THAT(back->keys, testing::UnorderedElementsAreArray(sample().keys));
  struct stat facts{};
  ASSERT_EQ(::stat(store_.path_of(sample().id).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  store_.remove(sample().id);
  EXPECT_THAT(store_.all().records, IsEmpty());
}

TEST_F(ATaskStore, TellsWhatIsNoRecordApart) {
  ASSERT_TRUE(store_.put(sample()));
  const std::string good = to_text(sample());
  write("A.task", good.substr(0, good.size() / 2));
  write("B.task", good);  // of another name
  write("C.task", "");
  write("D.task", R"({"v":2})");
  write("01M8D3J7Q93R5MA1V923GMCRE9.task.new", "half");
  fs::create_symlink(store_.path_of(sample().id), directory_ + "/E.task");
  const TaskStore::Found found = store_.all();
  EXPECT_EQ(found.records.size(), 1U);
  EXPECT_EQ(found.faults.size(), 5U) << testing::PrintToString(found.faults);
}

TEST_F(ATaskStore, TakesNoFileThatOthersCanWrite) {
  ASSERT_TRUE(store_.put(sample()));
  fs::permissions(store_.path_of(sample().id), fs::perms::all);
  const auto read = store_.get(sample().id);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("only Ambit"));
}

TEST(ARecord, OfTheWrongTypesIsRefusedInEachOfItsFields) {
  const std::string good = to_text(sample());
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"\"slot\":7", "\"slot\":\"7\""},
           {"\"slot\":7", "\"slot\":0"},
           {"\"scope\":", "\"scopes\":"},
           {"\"declared_by\":\"uid:0\"", "\"declared_by\":7"},
           {"\"expired\":true", "\"expired\":1"},
           {"\"limits\":[", "\"limits\":[7,"},
           {"\"policies\":", "\"policy\":"},
           {"\"00ff10\"", "\"00ff1\""},
           {"\"00ff10\"", "\"00fg10\""},
           {"\"00ff10\"", "7"},
           {"\"names\":{", "\"names\":{\"x\":7,"},
           {"\"id\":\"01M8", "\"id\":\"../8"},
           {"\"v\":1", "\"v\":2"}}) {
    std::string bad = good;
    const auto at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << good;
    bad.replace(at, from.size(), to);
    EXPECT_FALSE(record_of(bad)) << to;
  }
  EXPECT_TRUE(record_of(good));
}

}  // namespace
}  // namespace ambit::pipeline
