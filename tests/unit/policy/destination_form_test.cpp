// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destination_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::policy {
namespace {

using testing::HasSubstr;

TEST(Host, IsLowerCaseWithoutTheFinalDot) {
  EXPECT_EQ(parse_host("API.GitHub.com"), "api.github.com");
  EXPECT_EQ(parse_host("github.com."), "github.com");
  EXPECT_EQ(parse_host("*.GitHub.com"), "*.github.com");
  EXPECT_EQ(parse_host("localhost"), "localhost");
  EXPECT_EQ(parse_host("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(parse_host("1password.com"), "1password.com");
}

struct Refused {
  const char* text;
  const char* reason;
  const char* suggestion = "";
};

class HostRefused : public testing::TestWithParam<Refused> {};

TEST_P(HostRefused, WithItsReason) {
  const auto host = parse_host(GetParam().text);
  ASSERT_FALSE(host) << GetParam().text;
  EXPECT_THAT(host.error().message, HasSubstr(GetParam().reason)) << GetParam().text;
  EXPECT_EQ(host.error().suggestion, GetParam().suggestion) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Hosts, HostRefused,
    testing::Values(
        Refused{"b\xc3\xbc"
                "cher.example",
                "A-form"},
        Refused{"a..b", "two dots"}, Refused{".example.com", "two dots, or one in front"},
        Refused{".", "no host name"}, Refused{"a.*.example.com", "whole first label"},
        Refused{"a*.example.com", "whole first label"},
        Refused{"*.*.example.com", "whole first label"}, Refused{"*", "every host"},
        Refused{"*.", "every host"}, Refused{"-a.example", "hyphen"},
        Refused{"a-.example", "hyphen"}, Refused{"a b.example", "labels are"},
        Refused{"https://example.com:8443/x?y", "URL", "example.com"},
        Refused{"example.com:443", "port", "example.com"}, Refused{"example.com/x", "no host name"},
        Refused{"10.0.0.1", "cidr: 10.0.0.1/32"}, Refused{"fd00::1", "cidr: fd00::1/128"},
        Refused{"10.1", "a number"}, Refused{"0x7f", "a number"}, Refused{"10.0.0.0/8", "cidr"}));

TEST(Host, HasTheLengthsOfDns) {
  const std::string label(63, 'a');
  EXPECT_TRUE(parse_host(label + ".example"));
  EXPECT_FALSE(parse_host(label + "a.example"));
  EXPECT_TRUE(parse_host(label + "." + label + "." + label + "." + std::string(61, 'a')));
  EXPECT_FALSE(parse_host(label + "." + label + "." + label + "." + std::string(62, 'a')));
}

TEST(Range, KeepsIpv4AsMapped) {
  const auto range = parse_address_range("10.2.0.0/16");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->prefix, 112);
  EXPECT_EQ(range->address[10], 0xff);
  EXPECT_EQ(range->address[11], 0xff);
  EXPECT_EQ(range->address[12], 10);
  EXPECT_EQ(range->address[13], 2);
  EXPECT_EQ(text_of(*range), "10.2.0.0/16");
  EXPECT_EQ(text_of(*parse_address_range("::ffff:10.2.0.0/112")), "10.2.0.0/16");
  EXPECT_EQ(text_of(*parse_address_range("FD00::/8")), "fd00::/8");
  EXPECT_EQ(text_of(*parse_address_range("0.0.0.0/0")), "0.0.0.0/0");
}

TEST(Range, WithBitsBeyondItsPrefixIsRefusedWithTheRightOne) {
  const auto ipv4 = parse_address_range("10.2.3.4/16");
  ASSERT_FALSE(ipv4);
  EXPECT_THAT(ipv4.error().message, HasSubstr("bits set beyond"));
  EXPECT_EQ(ipv4.error().suggestion, "10.2.0.0/16");
  const auto ipv6 = parse_address_range("fd12::1/8");
  ASSERT_FALSE(ipv6);
  EXPECT_EQ(ipv6.error().suggestion, "fd00::/8");
  EXPECT_EQ(parse_address_range("10.0.0.1/0").error().suggestion, "0.0.0.0/0");
}

TEST(Range, WithoutAPrefixLengthIsRefusedWithTheWholeOne) {
  EXPECT_EQ(parse_address_range("10.0.0.1").error().suggestion, "10.0.0.1/32");
  EXPECT_EQ(parse_address_range("fd00::1").error().suggestion, "fd00::1/128");
}

TEST(Range, OfNoAddressIsRefused) {
  for (const char* const text : {"", "/8", "10.0.0/8", "010.0.0.0/8", "10.0.0.0/33", "10.0.0.0/",
                                 "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "fe80::1%eth0/64",
                                 "10.0.0.0/8/8", "256.0.0.0/8", "10.0.0.0 /8"}) {
    EXPECT_FALSE(parse_address_range(text)) << text;
  }
}

TEST(Range, OfIpv6MayLieAroundThePlaceOfIpv4) {
  EXPECT_TRUE(is_around_ipv4(*parse_address_range("::/0")));
  EXPECT_TRUE(is_around_ipv4(*parse_address_range("::/80")));
  EXPECT_FALSE(is_around_ipv4(*parse_address_range("2000::/3")));
  EXPECT_FALSE(is_around_ipv4(*parse_address_range("0.0.0.0/0")));
}

TEST(Ports, AreNumbersAndRanges) {
  EXPECT_EQ(parse_port_range("443")->first, 443);
  EXPECT_EQ(parse_port_range("443")->last, 443);
  EXPECT_EQ(parse_port_range("8000-8999")->last, 8999);
  EXPECT_EQ(parse_port_range("65535")->first, 65535);
  for (const char* const text :
       {"", "0", "65536", "-1", "1-", "-", "a", "1-2-3", "4 43", "0-5", "443/tcp"}) {
    EXPECT_FALSE(parse_port_range(text)) << text;
  }
  EXPECT_EQ(parse_port_range("9-8").error().suggestion, "8-9");
}

TEST(Protocol, IsANameOrANumber) {
  EXPECT_EQ(parse_protocol("tcp"), 6);
  EXPECT_EQ(parse_protocol("sctp"), 132);
  EXPECT_EQ(parse_protocol("47"), 47);
  EXPECT_FALSE(parse_protocol("256"));
  EXPECT_EQ(parse_protocol("tpc").error().suggestion, "tcp");
}

TEST(UnixSocket, IsAPathOrAnAbstractName) {
  EXPECT_EQ(parse_unix_socket("/run/postgresql/.s.PGSQL.5432"), "/run/postgresql/.s.PGSQL.5432");
  EXPECT_EQ(parse_unix_socket("/run/user/*/bus"), "/run/user/*/bus");
  EXPECT_EQ(parse_unix_socket("@/tmp/.X11-unix/X0"), "@/tmp/.X11-unix/X0");
  EXPECT_TRUE(parse_unix_socket("@" + std::string(107, 'a')));
  EXPECT_FALSE(parse_unix_socket("@" + std::string(108, 'a')));
  for (const char* const text : {"@", "@a*", "!/run/x", "run/x", "/run/../x"}) {
    EXPECT_FALSE(parse_unix_socket(text)) << text;
  }
}

TEST(UnixSocket, ARelativeSocketIsNotGuessedToBeOneOfThatNameAnywhere) {
  const auto bare = parse_unix_socket("foo");
  ASSERT_FALSE(bare);
  EXPECT_EQ(bare.error().suggestion, "");
  EXPECT_NE(bare.error().message.find("absolute path, or by @name"), std::string::npos);
  EXPECT_TRUE(parse_unix_socket("**/foo"));
}

}  // namespace
}  // namespace ambit::policy
