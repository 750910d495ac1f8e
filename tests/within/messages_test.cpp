// SPDX-License-Identifier: Apache-2.0
// Each way to go beyond a parent, and the words in which it is said.
#include "tests/within/probe.h"
#include "userspace/policy/destinations_within.h"

namespace ambit::policy::within {
namespace {

struct Row {
  const char* parent;
  const char* child;
  const char* refusal;
};

class Refusals : public Delegation {
 protected:
  void expect(std::initializer_list<Row> rows) {
    for (const Row& row : rows) {
      SCOPED_TRACE(std::string(row.parent) + "---\n" + row.child);
      ASSERT_NO_FATAL_FAILURE(parent(row.parent));
      EXPECT_EQ(refusal(row.child), row.refusal);
    }
  }
};

TEST_F(Refusals, NameTheCredentialThatTheParentDoesNotHave) {
  expect(
      {{"  credentials: [{name: free}]\n", "  credentials:\n    - name: free\n    - name: token\n",
        "9:13: credential \"token\" is not in the parent's scope"}});
}

TEST_F(Refusals, NameReaders) {
  expect({
      {"  credentials: [{name: free, readers: [/usr/bin/gh]}]\n", "  credentials: [{name: free}]\n",
       "7:24: credential \"free\" may be opened by any program, in the parent's scope by its "
       "readers"},
      {"  credentials: [{name: free, readers: [/usr/bin/gh]}]\n",
       "  credentials: [{name: free, readers: [/usr/bin/gh, /usr/bin/git]}]\n",
       "7:53: readers of credential \"free\": \"/usr/bin/git\" is none of the parent's"},
      {"  credentials: [{name: free, readers: [/usr/bin/g*]}]\n",
       "  credentials: [{name: free, readers: [/usr/bin/*]}]\n",
       "7:40: readers of credential \"free\": \"/usr/bin/*\" is none of the parent's"},
      {"  credentials: [{name: bound}]\n",
       "  credentials: [{name: bound, readers: [/usr/bin/gh]}]\n",
       "7:41: readers of credential \"bound\": \"/usr/bin/gh\" would use it unseen; the parent's "
       "scope has no readers, so that whoever is handed it holds it"},
  });
}

TEST_F(Refusals, NameDestinationsOfACredential) {
  expect({
      {"  credentials: [{name: free, destinations: [{host: api.x}]}]\n",
       "  credentials: [{name: free}]\n",
       "7:24: credential \"free\" may be used anywhere, in the parent's scope only at its "
       "destinations"},
      {"  credentials: [{name: bound, destinations: [{host: api.x, ports: [443]}]}]\n",
       "  credentials: [{name: bound}]\n",
       "7:24: credential \"bound\" may not be used at api.x port 0-442 (tcp) in the parent's "
       "scope"},
      {"  credentials: [{name: bound}]\n",
       "  credentials: [{name: bound, destinations: [{host: api.x}, {host: b.x}]}]\n",
       "7:61: credential \"bound\" may not be used at b.x port 0-65535 (tcp) in the parent's "
       "scope"},
      {"  credentials: [{name: bound}]\n",
       "  credentials: [{name: bound, destinations: [{unix: /run/x}]}]\n",
       "7:46: credential \"bound\" may not be used at \"/run/x\" in the parent's scope"},
  });
}

TEST_F(Refusals, NameAWeakerHolding) {
  expect({
      {"  credentials: [{name: free}]\n", "  credentials: [{name: free, holding: process}]\n",
       "7:39: holding process of credential \"free\" lets go of what the parent's tree holds"},
      {"  credentials: [{name: free, holding: task}]\n", "  credentials: [{name: free}]\n",
       "7:24: holding tree of credential \"free\" lets go of what the parent's task holds"},
  });
}

TEST_F(Refusals, NameAnotherAuthorityAndAnotherPerson) {
  expect({
      {"  onBehalfOf: alice\n  credentials: [{name: free, authority: agent}]\n",
       "  onBehalfOf: alice\n  credentials: [{name: free, authority: delegated}]\n",
       "8:41: authority delegated of credential \"free\" is not the parent's: agent"},
      {"  onBehalfOf: alice\n", "  onBehalfOf: bob\n",
       "7:15: onBehalfOf goes beyond the parent, which acts on behalf of \"alice\""},
      {"", "  onBehalfOf: bob\n",
       "7:15: onBehalfOf goes beyond the parent, which acts on behalf of nobody"},
  });
}

TEST_F(Refusals, NameDestinationsOfTheNetwork) {
  expect({
      {"  network: {}\n", "  owner: x\n",
       "4:1: the scope has no network section, so that all destinations are allowed; the parent's "
       "has one"},
      {"  network: {}\n", "  network: {allow: [{host: api.x}]}\n",
       "7:21: api.x port 0-65535 (tcp) is not in the parent's network.allow"},
      {"  network: {allow: [{host: '*.b.x', ports: [443]}]}\n",
       "  network: {allow: [{host: c.b.x, ports: [443]}, {host: b.x, ports: [443]}]}\n",
       "7:50: b.x port 443 (tcp) is not in the parent's network.allow"},
      {"  network: {allow: [{host: '*.b.x'}]}\n", "  network: {allow: [{host: '*.x'}]}\n",
       "7:21: *.x port 0-65535 (tcp) is not in the parent's network.allow"},
      {"  network: {allow: [{cidr: 10.2.0.0/16}]}\n", "  network: {allow: [{cidr: 10.2.0.0/15}]}\n",
       "7:21: 10.2.0.0/15 port 0-65535 (tcp) is not in the parent's network.allow"},
      {"  network: {allow: [{cidr: 10.2.0.0/16, ports: [443, 8000-8999]}]}\n",
       "  network: {allow: [{cidr: 10.2.0.0/24, ports: [443, 7999-8001]}]}\n",
       "7:21: 10.2.0.0/24 port 7999 (tcp) is not in the parent's network.allow"},
      {"  network: {allow: [{host: api.x, protocol: tcp}]}\n",
       "  network: {allow: [{host: api.x, ports: [443]}]}\n",
       "7:21: api.x port 443 (udp) is not in the parent's network.allow"},
      {"  network: {allow: [{host: api.x}]}\n",
       "  network: {allow: [{host: api.x, protocol: icmp}]}\n",
       "7:21: api.x (icmp) is not in the parent's network.allow"},
      {"  network: {allow: [{unix: /run/a*}, {unix: '@a'}]}\n",
       "  network: {allow: [{unix: /run/ab}, {unix: '@a'}, {unix: /run/b}]}\n",
       "7:52: \"/run/b\" is not in the parent's network.allow"},
      {"  network: {allow: [{unix: '@a'}]}\n", "  network: {allow: [{unix: '@ab'}]}\n",
       "7:21: \"@ab\" is not in the parent's network.allow"},
  });
}

TEST(DestinationsWithin, ARangeOfIpv6SaysNothingOfIpv4) {
  const auto range = [](const Address& address, std::uint8_t prefix) {
    model::DestinationRule rule;
    rule.type = model::DestinationType::range;
    rule.range = {.address = address, .prefix = prefix};
    return rule;
  };
  const auto all = range({}, 0);
  EXPECT_EQ(outside_of({all}, range(from_ipv4({10, 0, 0, 0}), 104)),
            "10.0.0.0/8 port 0-65535 (tcp)");
  EXPECT_EQ(outside_of({range(from_ipv4({}), 96)}, all), "::/0 port 0-65535 (tcp)");
  EXPECT_EQ(outside_of({all}, range({0xfd}, 8)), std::nullopt);
}

TEST_F(Refusals, NamePrograms) {
  expect({
      {"  exec: {}\n", "  network: {}\n",
       "4:1: the scope has no exec section, so that all programs may run; the parent's has one"},
      {"  exec: {allow: [/usr/bin/git]}\n", "  exec: {allow: [/usr/bin/git, /usr/bin/gh]}\n",
       "7:32: \"/usr/bin/gh\" is not in the parent's exec.allow"},
      {"  exec: {allow: [/opt/t/a*]}\n", "  exec: {allow: [/opt/t/*]}\n",
       "7:18: \"/opt/t/*\" is not in the parent's exec.allow"},
      {"  exec: {allow: [/opt/t/*]}\n", "  exec: {allow: [/opt/t/**]}\n",
       "7:18: \"/opt/t/**\" is not in the parent's exec.allow"},
      {"  exec: {allow: [/opt/**]}\n", "  exec: {allow: ['**/a']}\n",
       "7:18: \"**/a\" is not in the parent's exec.allow"},
      {"  exec: {allow: [/opt/**, '!/opt/t/b*']}\n", "  exec: {allow: [/opt/t/*]}\n",
       "7:18: \"/opt/t/*\" without \"!/opt/t/b*\" is not in the parent's exec.allow"},
  });
}

TEST_F(Refusals, NameResponsesModeAndPrivileges) {
  expect({
      {"  response: {credential: kill}\n", "  owner: x\n",
       "4:1: response deny for credential is milder than the parent's kill"},
      {"  response: {network: kill-task}\n", "  response: {network: kill}\n",
       "7:23: response kill for network is milder than the parent's kill-task"},
      {"  owner: x\n", "  response: {exec: alert}\n",
       "7:20: response alert for exec is milder than the parent's deny"},
      {"  owner: x\n", "  mode: shadow\n",
       "7:9: mode shadow goes beyond the parent, which enforces"},
      {"  privileges: [bpf]\n", "  privileges: [bpf, mounts]\n",
       "7:21: privilege mounts is not the parent's"},
      {"  environment: strip\n", "  environment: keep\n",
       "7:16: environment keep goes beyond the parent, which strips it, of TOKEN for one"},
  });
}

TEST_F(Refusals, NameTheTimeThatIsLeft) {
  parent("  owner: x\n");
  left = std::chrono::minutes(29) + std::chrono::seconds(30);
  EXPECT_EQ(refusal("  owner: x\n"), "6:8: ttl goes beyond the parent, which has 29m30s left");
  left = std::chrono::milliseconds(250);
  EXPECT_EQ(refusal("  owner: x\n"), "6:8: ttl goes beyond the parent, which has 250ms left");
  left = -std::chrono::seconds(1);
  EXPECT_EQ(refusal("  owner: x\n"), "6:8: ttl goes beyond the parent, which has no time left");
  left = std::chrono::minutes(30);
  EXPECT_EQ(refusal("  owner: x\n"), "");
}

TEST_F(Refusals, NameACredentialThatIsHeldAndWouldBeForgotten) {
  parent("  credentials: [{name: free}, {name: bound}]\n");
  held = {0b11};
  EXPECT_EQ(
      refusal("  credentials: [{name: free}]\n"),
      "7:3: credential \"bound\" is held already and not in this scope, so that nothing would "
      "bind its use");
  EXPECT_EQ(refusal("  credentials: [{name: bound}]\n"), "");
}

TEST_F(Refusals, ComeAllAtOnceInOrderOfPlaceWithTheLineAndACaret) {
  parent("  network: {allow: [{host: api.x}]}\n  exec: {allow: [/usr/bin/git]}\n");
  EXPECT_EQ(render(beyond("  exec: {allow: [/usr/bin/gh]}\n"
                          "  network: {allow: [{host: api.x}, {host: b.x, ports: [22]}]}\n")),
            "probe.yaml:7:18: error: \"/usr/bin/gh\" is not in the parent's exec.allow\n"
            "    exec: {allow: [/usr/bin/gh]}\n"
            "                   ^\n"
            "probe.yaml:8:36: error: b.x port 22 (tcp) is not in the parent's network.allow\n"
            "    network: {allow: [{host: api.x}, {host: b.x, ports: [22]}]}\n"
            "                                     ^\n");
}

TEST_F(Delegation, NarrowerScopesAreAccepted) {
  for (const auto& [wide, narrow] : std::initializer_list<std::pair<const char*, const char*>>{
           {"  owner: x\n", "  network: {}\n  exec: {}\n  response: {exec: kill}\n"},
           {"  mode: shadow\n", "  mode: enforce\n"},
           {"  credentials: [{name: free}]\n",
            "  credentials: [{name: free, readers: [/usr/bin/gh], destinations: [], holding: "
            "task}]\n"},
           {"  credentials: [{name: free, readers: [/usr/bin/*, '!/usr/bin/c*']}]\n",
            "  credentials: [{name: free, readers: [/usr/bin/g*]}]\n"},
           {"  exec: {allow: [/opt/**, '!/opt/t/b*']}\n",
            "  exec: {allow: [/opt/t/a, /opt/t/a*, /opt/s/**, /opt/none]}\n"},
           {"  exec: {allow: [/opt/**, '!/opt/t/b*']}\n",
            "  exec: {allow: [/opt/t/*, '!/opt/t/*']}\n"},
           {"  exec: {allow: ['**/a*']}\n", "  exec: {allow: [/opt/t/ab*, '**/aa']}\n"},
           {"  network: {allow: [{host: '*.x'}, {cidr: 10.0.0.0/8, ports: [1-4]}, {cidr: "
            "10.0.0.0/8, ports: [5]}]}\n",
            "  network: {allow: [{host: api.x, ports: [443]}, {host: '*.a.x'}, {cidr: 10.1.0.0/16, "
            "ports: [2-5]}]}\n"},
           {"  network: {allow: [{cidr: 0.0.0.0/0}, {cidr: '::/0'}, {unix: /run/**}]}\n",
            "  network: {allow: [{host: anything.example, ports: [443]}, {unix: /run/a/*}]}\n"},
           {"  credentials: [{name: bound}]\n",
            "  credentials: [{name: bound, destinations: [{host: api.x, ports: [443]}]}]\n"},
           {"  onBehalfOf: alice\n  privileges: [bpf, perf]\n", "  privileges: [perf]\n"},
       }) {
    SCOPED_TRACE(std::string(wide) + "---\n" + narrow);
    ASSERT_NO_FATAL_FAILURE(parent(wide));
    EXPECT_EQ(refusal(narrow), "");
  }
}

}  // namespace
}  // namespace ambit::policy::within
