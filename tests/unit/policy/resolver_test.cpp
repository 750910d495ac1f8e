// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/policy/destinations_literal.h"
#include "tests/unit/policy/resolver_dns_server.h"

namespace ambit::policy {
namespace {

using probe::DnsName;
using probe::DnsServer;
using probe::ip;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using Clock = std::chrono::steady_clock;

Resolver asking(const DnsServer& server, milliseconds limit = seconds(5)) {
  return Resolver({.limit = limit, .servers = server.servers()});
}

TEST(Resolver, GivesIpv4AndIpv6AddressesAndTheShortestLife) {
  const DnsServer server(
      {{"both.test", {.addresses = {ip("192.0.2.7"), ip("2001:db8::7")}, .ttl = 120}}});
  auto resolver = asking(server);
  const auto answer = resolver.resolve("both.test");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_THAT(answer->addresses, testing::UnorderedElementsAre(ip("192.0.2.7"), ip("2001:db8::7")));
  EXPECT_EQ(answer->ttl, seconds(120));
}

TEST(Resolver, AnAliasWithAShorterLifeShortensTheAnswer) {
  const DnsServer server(
      {{"www.test",
        {.addresses = {ip("192.0.2.7")}, .ttl = 3600, .alias_of = "cdn.test", .alias_ttl = 5}}});
  const auto answer = asking(server).resolve("www.test");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->ttl, seconds(5));
}

TEST(Resolver, ANameThatDoesNotExistIsAnErrorThatNamesIt) {
  const DnsServer server({});
  const auto answer = asking(server).resolve("nowhere.test");
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, testing::HasSubstr("nowhere.test"));
}

TEST(Resolver, ANameWithoutAddressesIsAnErrorAndNotAnEmptyAnswer) {
  const DnsServer server({{"empty.test", DnsName{}}});
  EXPECT_FALSE(asking(server).resolve("empty.test").has_value());
}

TEST(Resolver, SilentServersHoldNobodyLongerThanTheLimitForAllNamesTogether) {
  const DnsServer server({{"a.test", {.silent = true}},
                          {"b.test", {.silent = true}},
                          {"c.test", {.silent = true}},
                          {"known.test", {.addresses = {ip("192.0.2.7")}}}});
  auto resolver = asking(server, milliseconds(300));
  const auto start = Clock::now();
  const auto answers = resolver.resolve_all({"a.test", "b.test", "c.test", "known.test"});
  EXPECT_LT(Clock::now() - start, milliseconds(900));
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_FALSE(answers.at("a.test").has_value());
  EXPECT_FALSE(answers.at("c.test").has_value());
  EXPECT_TRUE(answers.at("known.test").has_value());
}

TEST(Resolver, AServerThatNeverAnswersForIpv6StillGivesTheIpv4Addresses) {
  const DnsServer server(
      {{"half.test", {.addresses = {ip("192.0.2.7")}, .silent_about_ipv6 = true}}});
  const auto answer = asking(server, milliseconds(300)).resolve("half.test");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_THAT(answer->addresses, ElementsAre(ip("192.0.2.7")));
  EXPECT_EQ(answer->ttl, seconds(300));
}

TEST(Resolver, WithNoServerListeningItFailsCleanlyWithinTheLimit) {
  Resolver resolver({.limit = milliseconds(400), .servers = "127.0.0.1:1"});
  const auto start = Clock::now();
  EXPECT_FALSE(resolver.resolve("api.github.com").has_value());
  EXPECT_LT(Clock::now() - start, milliseconds(1200));
}

TEST(Resolver, TheConfiguredServersAreBoundedByTheDefaultLimit) {
  Resolver resolver;
  const auto start = Clock::now();
  const auto answer = resolver.resolve("does-not-exist.invalid");
  EXPECT_LT(Clock::now() - start, milliseconds(3000));
  EXPECT_FALSE(answer.has_value());
}

TEST(Resolver, LocalhostAndWhatIsBelowItIsLoopbackOfBothFamiliesAndNeedsNoServer) {
  Resolver resolver({.limit = milliseconds(400), .servers = "127.0.0.1:1"});
  for (const char* const name : {"localhost", "LocalHost", "localhost.", "api.localhost"}) {
    const auto answer = resolver.resolve(name);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_THAT(answer->addresses, testing::IsSupersetOf({ip("127.0.0.1"), ip("::1")})) << name;
    EXPECT_TRUE(answer->from_file) << name;
  }
  for (const char* const name : {"notlocalhost", "localhost.test"})
    EXPECT_FALSE(resolver.resolve(name).has_value()) << name;
}

TEST(Resolver, WhatIsNoHostNameIsRefusedWithoutAsking) {
  Resolver resolver({.limit = milliseconds(400), .servers = "127.0.0.1:1"});
  EXPECT_FALSE(resolver.resolve("").has_value());
  EXPECT_FALSE(resolver.resolve(std::string(300, 'a')).has_value());
  EXPECT_FALSE(resolver.resolve(std::string("a\0b", 3)).has_value());
}

TEST(ConfiguredResolvers, ReadsNameserverLinesAndDropsScopeIds) {
  EXPECT_THAT(parse_resolvers("# nameserver 9.9.9.9\n"
                              "search corp.example\n"
                              "nameserver 10.0.0.53\n"
                              "nameserver\tfe80::1%eth0  trailing words\r\n"
                              "nameserver 10.0.0.53\n"
                              "nameservers 8.8.8.8\n"
                              "nameserver not-an-address\n"
                              "nameserver ::1"),
              ElementsAre(ip("10.0.0.53"), ip("fe80::1"), ip("::1")));
}

TEST(ConfiguredResolvers, WithoutAnyItIsLoopbackAsInLibc) {
  EXPECT_THAT(parse_resolvers("search corp.example\n"), ElementsAre(ip("127.0.0.1")));
  EXPECT_THAT(parse_resolvers(""), ElementsAre(ip("127.0.0.1")));
  const auto absent = configured_resolvers("/nonexistent/resolv.conf");
  ASSERT_TRUE(absent.has_value());
  EXPECT_THAT(*absent, ElementsAre(ip("127.0.0.1")));
}

TEST(ConfiguredResolvers, AFileThatCannotBeReadIsAnErrorAndNotTheDefault) {
  EXPECT_FALSE(configured_resolvers("/etc").has_value());
  std::string fifo = testing::TempDir() + "ambit-fifo-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(configured_resolvers(fifo).has_value());
  ::unlink(fifo.c_str());
}

}  // namespace
}  // namespace ambit::policy
