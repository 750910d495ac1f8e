// SPDX-License-Identifier: Apache-2.0
// The documents that one daemon leaves to the next: whole or not at all, and believed by nobody who
// has not looked.
#include "userspace/pipeline/task_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "userspace/base/descriptor.h"
#include "userspace/policy/destinations_address.h"

namespace ambit::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::DestinationRule to_host() {
  model::DestinationRule rule;
  rule.host = "*.example.com";
  rule.ports = {{.first = 22, .last = 22}, {.first = 8000, .last = 8999}};
  rule.protocols = {6, 132};
  return rule;
}

model::DestinationRule to_range() {
  model::DestinationRule rule;
  rule.type = model::DestinationType::range;
  rule.range = {.address = *policy::address_of("10.2.0.0"), .prefix = 112};
  return rule;
}

model::DestinationRule to_socket() {
  model::DestinationRule rule;
  rule.type = model::DestinationType::unix_socket;
  rule.unix_path = "@name";
  return rule;
}

PolicyRecord sample_policy() {
  return {.number = 9,
          .credential_space = 4,
          .scope = "metadata: {name: \"ünï\"}\n",
          .mode = model::Mode::shadow,
          .credentials = {"mine"},
          .bits = {{.credential = "mine", .number = 3, .listed = true},
                   {.credential = "gone",
                    .listed = true,
                    .holding = model::Holding::task,
                    .use = {{to_host(), to_range(), to_socket()}}},
                   {.credential = "nowhere",
                    .number = 0,
                    .holding = model::Holding::process,
                    .use = std::vector<model::DestinationRule>()}},
          .keys = {{model::Table::policies, std::string("\x00\xff\x10", 3)},
                   {model::Table::names, "key"}}};
}

TaskRecord sample() {
  return {
      .id = "01M8D3J7Q93R5MA1V923GMCRE8",
      .slot = 7,
      .parent = 5,
      .declared_by = "uid:0",
      .opened_ns = 1'700'000'000'000'000'001,
      .expires_ns = 1'700'000'000'000'000'002,
      .expires_boot_ns = 0xffffffffffffffffULL,
      .expired = true,
      .limits = {"names: none"},
      .names = {{"api.example",
                 {.addresses = {*policy::address_of("10.0.0.1"), *policy::address_of("fe80::1")},
                  .ttl = {},
                  .from_file = true}}},
      .policies = {sample_policy()}};
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
  EXPECT_EQ(back->parent, 5U);
  ASSERT_EQ(back->policies.size(), 1U);
  const PolicyRecord& policy = back->policies.front();
  EXPECT_THAT(policy.keys, testing::UnorderedElementsAreArray(sample_policy().keys));
  EXPECT_EQ(policy.mode, model::Mode::shadow);
  ASSERT_EQ(policy.bits.size(), 3U);
  EXPECT_EQ(policy.bits[0].number, 3);
  EXPECT_FALSE(policy.bits[0].use) << "anywhere is not nowhere";
  EXPECT_EQ(policy.bits[1].number, std::nullopt);
  ASSERT_TRUE(policy.bits[1].use);
  EXPECT_EQ(policy.bits[1].use->at(1).range.address, to_range().range.address);
  EXPECT_EQ(policy.bits[1].use->at(2).type, model::DestinationType::unix_socket);
  ASSERT_TRUE(policy.bits[2].use);
  EXPECT_THAT(*policy.bits[2].use, IsEmpty());
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
  write("D.task", R"({"v":3})");
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

TEST_F(ATaskStore, WritesNothingThatIsNotGuardedBefore) {
  std::string guarded;
  const TaskStore kept(directory_, [&](const std::string& path) -> Result<void> {
    guarded = path;
    EXPECT_TRUE(fs::exists(path));
    EXPECT_EQ(fs::file_size(path), 0U);
    return {};
  });
  ASSERT_TRUE(kept.put(sample()));
  EXPECT_EQ(guarded, kept.path_of(sample().id) + ".new") << "the same file, before its name";
  const TaskStore refused(directory_,
                          [](const std::string&) -> Result<void> { return fail("no"); });
  TaskRecord other = sample();
  other.id = "01OTHER";
  EXPECT_FALSE(refused.put(other));
  EXPECT_FALSE(fs::exists(refused.path_of(other.id)));
}

TEST_F(ATaskStore, WritesNoFileThatSomebodyHasOpen) {
  write(sample().id + ".task.new", "");
  const Descriptor before(
      ::open((store_.path_of(sample().id) + ".new").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(store_.put(sample()));
  struct stat facts{};
  ASSERT_EQ(::fstat(before.get(), &facts), 0);
  EXPECT_EQ(facts.st_nlink, 0U);
  EXPECT_EQ(facts.st_size, 0);
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
           {"\"policies\":[", "\"policies\":[7,"},
           {"\"holding\":2", "\"holding\":3"},
           {"\"holding\":2", "\"holding\":-1"},
           {"\"number\":3", "\"number\":\"3\""},
           {"\"prefix\":112", "\"prefix\":\"x\""},
           {"\"10.2.0.0\"", "\"10.2.0\""},
           {"\"00ff10\"", "\"00ff1\""},
           {"\"00ff10\"", "\"00fg10\""},
           {"\"00ff10\"", "7"},
           {"\"names\":{", "\"names\":{\"x\":7,"},
           {"\"id\":\"01M8", "\"id\":\"../8"},
           {"\"policies\":[\"00ff10", "\"policy\":[\"00ff10"},
           {"\"v\":3", "\"v\":1"}}) {
    std::string bad = good;
    const auto at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << good;
    bad.replace(at, from.size(), to);
    EXPECT_FALSE(record_of(bad)) << to;
  }
  EXPECT_TRUE(record_of(good));
}

TEST(ANoteOfACatalogue, IsReadBackAndNothingElseIs) {
  const CatalogueNote note{.patterns = true,
                           .space = 12,
                           .others = {1, 7},
                           .digest = "ab",
                           .names = {"b", "gone: a", "c"}};
  const auto back = note_of(to_text(note));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_text(*back), to_text(note));
  EXPECT_THAT(back->names, ElementsAre("b", "gone: a", "c"));
  for (const std::string wrong : {"", "files\na\n", R"({"v":2})", "[]"})
    EXPECT_FALSE(note_of(wrong)) << wrong;
}

TEST(TheDigestOfACatalogue, IsAnotherForEachThingThatBinds) {
  const auto digest = [](const std::function<void(model::Credential&)>& change) {
    model::Credential credential{.name = "mine"};
    credential.files = {{.text = "/a/key"}};
    change(credential);
    model::Catalogue catalogue;
    catalogue.credentials.push_back(std::move(credential));
    return digest_of(catalogue).value();
  };
  const std::set<std::string> all{
      digest([](model::Credential&) {}),
      digest([](model::Credential& one) { one.name = "other"; }),
      digest([](model::Credential& one) { one.files.front().text = "/b/key"; }),
      digest([](model::Credential& one) { one.files.front().exclude = true; }),
      digest([](model::Credential& one) { std::swap(one.files, one.sockets); }),
      digest([](model::Credential& one) { one.variables = {"TOKEN"}; }),
      digest([](model::Credential& one) { one.endpoints = {to_range()}; }),
      digest([](model::Credential& one) { one.destinations = {to_range()}; }),
      digest([](model::Credential& one) { one.destinations.emplace(); })};
  EXPECT_EQ(all.size(), 9U);
  EXPECT_EQ(digest([](model::Credential& one) { one.source = "elsewhere.yaml"; }),
            digest([](model::Credential&) {}));
}

}  // namespace
}  // namespace ambit::pipeline
