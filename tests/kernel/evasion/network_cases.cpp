// SPDX-License-Identifier: Apache-2.0
// N1 to N11, N13: ways to send to a destination that the scope does not name.
#include <sys/socket.h>

#include "tests/kernel/evasion/case.h"

namespace ambit::probe::evasion {
namespace {

// SCTP finds no way from one address of 127.0.0.0/8 to another.
constexpr const char* kOther = "10.99.0.2";

const Words kTo{"{address}", "{port}", "{text}"};

Words act(const std::string& name, const Words& more = kTo) {
  Words all{name};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Case sends(std::string row, std::string name, Words argv, std::string protocol = "tcp") {
  return {.row = std::move(row),
          .name = std::move(name),
          .kind = Kind::sends,
          .argv = std::move(argv),
          .protocol = std::move(protocol)};
}

Case to(Case way, std::string address) {
  way.address = std::move(address);
  return way;
}

/// A packet that the process makes itself: the collector takes UDP, the event says 255.
Case raw(Case way, std::string address, std::string named) {
  way.named = std::move(named);
  way.by_address = true;
  way.address = std::move(address);
  return way;
}

Case called(Case way, std::string protocol) {
  way.named = std::move(protocol);
  return way;
}

Case of_family(Case way, int family) {
  way.family = family;
  way.never_allowed = true;
  return way;
}

std::vector<Case> connections() {
  return {
      sends("N1", "connect", act("tcp")),
      sends("N1", "non-blocking connect", act("tcp-nonblocking")),
      sends("N1", "repeated connect", act("tcp-repeatedly")),
      sends("N1", "disconnect and connect elsewhere",
            {"tcp-reconnected", "{ok}", "{ok-tcp}", "{address}", "{port}", "{text}"}),
      sends("N1", "connect after shutdown",
            {"udp-after-shutdown", "{ok}", "{ok-udp}", "{address}", "{port}", "{text}"}, "udp"),
      to(sends("N1", "connect over IPv6", act("tcp")), "2001:db8::7f00:2"),
      sends("N2", "sendto", act("udp"), "udp"),
      sends("N2", "sendmsg", act("udp-sendmsg"), "udp"),
      sends("N2", "sendmmsg", act("udp-sendmmsg"), "udp"),
      sends("N2", "sendmmsg behind a permitted message",
            {"udp-sendmmsg-second", "{ok}", "{ok-udp}", "{address}", "{port}", "{text}"}, "udp"),
      sends("N2", "connected datagram socket", act("udp-connected"), "udp"),
      sends("N2", "connected elsewhere",
            {"udp-connected-elsewhere", "{ok}", "{ok-udp}", "{address}", "{port}", "{text}"},
            "udp"),
      sends("N2", "writev on a connected socket", act("udp-writev"), "udp"),
      to(sends("N2", "sendto over IPv6", act("udp"), "udp"), "2001:db8::7f00:2"),
      sends("N3", "MSG_FASTOPEN", act("tcp-fast-open")),
      sends("N3", "MSG_FASTOPEN by sendmsg", act("tcp-fast-open-message")),
      sends("N3", "TCP_FASTOPEN_CONNECT", act("tcp-fast-open-connect")),
      sends("N4", "AF_UNSPEC in a datagram's address", act("udp-unspecified"), "udp"),
      to(sends("N4", "IPv6 address without its scope", act("udp-short"), "udp"),
         "2001:db8::7f00:2"),
      sends("N4", "address longer than it is", act("udp-long"), "udp"),
      sends("N5", "mapped address over TCP", {"tcp", "::ffff:127.0.0.2", "{port}", "{text}"}),
      sends("N5", "mapped address over UDP", {"udp", "::ffff:127.0.0.2", "{port}", "{text}"},
            "udp"),
      sends("N5", "IPv4 address on an IPv6 socket", act("udp-by-ipv6-socket"), "udp"),
      to(sends("N5", "0.0.0.0", {"tcp", "0.0.0.0", "{port}", "{text}"}), "127.0.0.1"),
      to(sends("N5", "::", {"tcp", "::", "{port}", "{text}"}), "::1"),
      to(sends("N5", "NAT64 form", act("tcp")), "64:ff9b::7f00:2"),
      to(sends("N5", "link-local with a scope", {"tcp", "fe80::2%lo", "{port}", "{text}"}),
         "fe80::2"),
      raw(sends("N5", "source route", {"source-route", "{address}", "{ok}", "{ok-udp}", "{text}"},
                "packets"),
          "127.0.1.6", "udp"),
      raw(sends("N5", "source route in a message",
                {"source-route-message", "{address}", "{ok}", "{ok-udp}", "{text}"}, "packets"),
          "127.0.1.7", "udp"),
      raw(sends("N5", "segment routing header",
                {"segments", "{address}", "{ok6}", "{ok6-udp}", "{text}"}, "packets"),
          "2001:db8::7", "udp"),
      called(sends("N6", "MPTCP", act("mptcp"), "mptcp"), "tcp"),
  };
}

std::vector<Case> protocols() {
  return {
      to(sends("N7", "SCTP connect", act("sctp"), "sctp"), kOther),
      to(sends("N7", "SCTP message that connects", act("sctp-message"), "sctp"), kOther),
      to(sends("N7", "SCTP connectx", act("sctp-option"), "sctp"), kOther),
      sends("N7", "SCTP connectx with a permitted address first",
            {"sctp-second", "{ok-here}", "{port}", "{address}", "{port}", "{text}"}, "sctp"),
      sends("N7", "DCCP", act("dccp"), "dccp"),
      sends("N7", "UDP-Lite", act("udp-lite"), "udplite"),
      sends("N8", "io_uring connect and send", act("uring-tcp")),
      sends("N8", "io_uring socket", act("uring-socket-tcp")),
      sends("N8", "io_uring by a poller", act("uring-poller-tcp")),
      sends("N8", "io_uring sendmsg", act("uring-sendmsg"), "udp"),
      sends("N8", "io_uring sendmsg_zc", act("uring-sendmsg-zc"), "udp"),
      sends("N8", "io_uring send_zc", act("uring-send-zc"), "udp"),
      sends("N9", "inherited socket", {"send-fd", "{inherited-socket}", "{text}"}),
      sends("N9", "socket over SCM_RIGHTS", {"receive-send", "{socket-giver}", "{text}"}),
      sends("N9", "socket by pidfd_getfd", {"take-send", "{tester}", "{connected}", "{text}"}),
      raw(sends("N11", "raw socket with its own headers", act("raw-packet"), "udp"), "127.0.1.1",
          "255"),
      raw(sends("N11", "raw socket of UDP", act("raw-udp"), "udp"), "127.0.1.2", "255"),
      raw(sends("N11", "raw socket that is connected", act("raw-connected"), "udp"), "127.0.1.3",
          "255"),
      raw(sends("N11", "ICMP datagram", act("ping"), "icmp"), "127.0.1.4", "icmp"),
      raw(sends("N11", "raw ICMP", act("raw-ping"), "icmp"), "127.0.1.5", "icmp"),
      of_family(sends("N11", "packet socket", act("link-packet"), "udp"), AF_PACKET),
      sends("N13", "setns to another network",
            {"in-network", "{network}", "tcp", "{address}", "{port}", "{text}"}),
      sends("N13", "setns of a thread",
            {"in-thread", "in-network", "{network}", "tcp", "{address}", "{port}", "{text}"}),
  };
}

struct Family {
  const char* row;
  const char* name;
  int number;
  int type;
  int protocol;
};

constexpr Family kFamilies[] = {
    {"N7", "RDS", 21, SOCK_SEQPACKET, 0},
    {"N7", "netlink between processes", AF_NETLINK, SOCK_RAW, 2 /* NETLINK_USERSOCK */},
    {"N7", "SMC", 43, SOCK_STREAM, 0},
    {"N7", "vsock", 40, SOCK_STREAM, 0},
    {"N7", "TIPC", 30, SOCK_RDM, 0},
    {"N7", "KCM", 41, SOCK_DGRAM, 0},
    {"N7", "PF_KEY", 15, SOCK_RAW, 2},
    {"N11", "packet socket of all", AF_PACKET, SOCK_RAW, 0x0300},
    {"N11", "XDP socket", 44, SOCK_RAW, 0},
};

std::vector<Case> families() {
  std::vector<Case> all;
  for (const Family& family : kFamilies) {
    all.push_back({.row = family.row,
                   .name = family.name,
                   .kind = Kind::makes,
                   .argv = {"socket", std::to_string(family.number), std::to_string(family.type),
                            std::to_string(family.protocol)},
                   .family = family.number});
  }
  for (const char* const kind : {"tun", "tap"}) {
    all.push_back({.row = "N11",
                   .name = std::string(kind) + " interface",
                   .kind = Kind::makes,
                   .argv = {"interface", kind},
                   .named = "tun"});
  }
  return all;
}

}  // namespace

std::vector<Case> network_cases() {
  std::vector<Case> all = connections();
  for (const auto& more : {protocols(), families()})
    all.insert(all.end(), more.begin(), more.end());
  add_short(all, {"socket over SCM_RIGHTS"},
            {"portable", Result::missed,
             "The socket belongs to the cgroup of who made it, where no hook of portable judges "
             "it. Keep sockets on which others hand out descriptors out of network.allow."});
  add_short(
      all, {"netlink between processes"},
      {"portable", Result::missed,
       "The filter of system calls asks by the family alone, and netlink is how programs ask "
       "the kernel for addresses. It takes a process outside, as root, that wants to listen."});
  add_short(all, {"socket by pidfd_getfd"},
            {"portable", Result::unreported,
             "Landlock keeps the task from processes outside before any hook of ours is asked, and "
             "reports nothing.",
             "", true});
  add_short(all, {"segment routing header"},
            {"portable", Result::denied,
             "A packet with a routing header counts as one of protocol 43 there, which no usual "
             "entry of network.allow names.",
             "", true});
  add_short(all, {"tun interface", "tap interface"},
            {"portable", Result::missed,
             "No hook of portable sees an interface being made. It takes CAP_NET_ADMIN: run the "
             "task without it, or without /dev/net/tun."});
  return all;
}

namespace {

Short not_followed(const std::string& backend) {
  return {backend, Result::missed,
          "What one process reads and hands to another of its task is not followed there. With "
          "holding: task every process of the task counts as a holder from the first open on."};
}

/// portable sees who owns a listener when a connection comes to it, and the owner of nothing else.
Short short_of_peer(const Case& way) {
  if (way.name.starts_with("abstract"))
    return {"portable", Result::unreported,
            "Landlock refuses abstract sockets of processes outside, and reports nothing."};
  if (way.name.ends_with("datagram"))
    return {"portable", Result::missed,
            "No hook of portable sees the owner of a datagram socket. Take such sockets (/dev/log) "
            "out of the task's mount namespace, or out of its user's reach."};
  return {"portable", Result::killed,
          "No hook of portable can refuse by the peer; the process is killed when its connection "
          "reaches the listener, before it can send."};
}

}  // namespace

std::vector<Case> peer_cases() {
  const auto never = [](Case way) {
    way.never_allowed = true;
    return way;
  };
  const auto peers = [](std::string name, Words argv) {
    return Case{
        .row = "N12", .name = std::move(name), .kind = Kind::peers, .argv = std::move(argv)};
  };
  std::vector<Case> all{
      peers("path", {"unix", "{peer}", "{text}"}),
      peers("symlink", {"symlink", "{peer}", "{at}/link", "unix", "{at}/link", "{text}"}),
      peers("hard link", {"link", "{peer}", "{at}/link", "unix", "{at}/link", "{text}"}),
      // Another name is another destination: on portable the peer that was renamed is not named.
      never(
          peers("rename", {"rename", "{peer}", "{at}/renamed", "unix", "{at}/renamed", "{text}"})),
      peers("relative path", {"chdir", "{peer-place}", "unix", "socket", "{text}"}),
      peers("bind mount", {"bind", "{peer-place}", "{mount}", "unix", "{mount}/socket", "{text}"}),
      peers("descriptor of its file", {"unix-by-descriptor", "{peer}", "{text}"}),
      peers("root in proc", {"unix", "/proc/self/root{peer}", "{text}"}),
      peers("io_uring connect", {"uring-unix", "{peer}", "{text}"}),
      peers("sequenced packets", {"unix-packets", "{packet-peer}", "{text}"}),
      peers("datagram", {"unix-datagram", "{datagram-peer}", "{text}"}),
      peers("connected datagram", {"unix-datagram-connected", "{datagram-peer}", "{text}"}),
      peers("abstract name", {"unix", "{abstract}", "{text}"}),
      peers("abstract datagram", {"unix-datagram", "{abstract-datagram}", "{text}"}),
  };
  for (Case& way : all) way.shorts.push_back(short_of_peer(way));
  return all;
}

std::vector<Case> holding_cases() {
  std::vector<Case> all;
  const auto carries = [&](std::string row, std::string name, Words argv,
                           std::string protocol = "tcp") {
    all.push_back({.row = std::move(row),
                   .name = std::move(name),
                   .kind = Kind::carries,
                   .argv = std::move(argv),
                   .protocol = std::move(protocol)});
  };
  const Words target{"{address}", "{port}", "{text}"};
  for (const char* const how : {"send", "write", "writev", "sendfile", "splice", "vmsplice",
                                "zerocopy", "ring", "ring-write"}) {
    carries("N10", std::string(how) + " on a connection from before",
            {"stream-after", "{secret}", "{address}", "{port}", "{text}", how});
  }
  for (const char* const how : {"send", "sendfile", "splice", "ring"}) {
    carries("N10", std::string(how) + " on a datagram socket from before",
            {"datagram-after", "{secret}", "{address}", "{port}", "{text}", how}, "udp");
  }
  carries("N16", "connect", act("hold-then", {"{secret}", "tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "sendto", act("hold-then", {"{secret}", "udp", "{address}", "{port}", "{text}"}),
          "udp");
  carries("N16", "io_uring connect",
          act("hold-then", {"{secret}", "uring-tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "MSG_FASTOPEN",
          act("hold-then", {"{secret}", "tcp-fast-open", "{address}", "{port}", "{text}"}));
  carries("N16", "child",
          act("hold-then", {"{secret}", "in-child", "tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "orphan",
          act("hold-then", {"{secret}", "in-orphan", "tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "thread",
          act("hold-then", {"{secret}", "in-thread", "tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "executed program",
          act("hold-then", {"{secret}", "by-exec", "tcp", "{address}", "{port}", "{text}"}));
  carries("N16", "opened by a thread that ended",
          {"open-in-thread-then", "{secret}", "tcp", "{address}", "{port}", "{text}"});
  const auto handed_on = [&](const std::string& kind) {
    carries("N17", kind,
            {"carry", "{secret}", "{address}", "{port}", "{text}", kind, "{at}/carried"});
    all.back().best = Result::alerted;
    all.back().shorts = {not_followed("portable")};
  };
  for (const char* const kind : {"pipe", "unix", "datagram", "memory", "file"}) handed_on(kind);
  carries("N17", "socket of a parent",
          act("parent-sends", {"{secret}", "{address}", "{port}", "{text}"}));
  all.back().best = Result::alerted;
  // Nothing goes from the one that holds to the one that sends, but when it ends.
  all.back().shorts = {not_followed("lsm"), not_followed("fmod_ret"), not_followed("portable")};
  const auto endpoint = [&](std::string name, std::string address) {
    all.push_back({.row = "N14",
                   .name = std::move(name),
                   .kind = Kind::endpoint,
                   .argv = {"tcp", address, "{port}", "{text}"},
                   .address = std::move(address)});
  };
  endpoint("169.254.169.254", "169.254.169.254");
  endpoint("fd00:ec2::254", "fd00:ec2::254");
  endpoint("ECS 169.254.170.2", "169.254.170.2");
  endpoint("EKS 169.254.170.23", "169.254.170.23");
  endpoint("EKS fd00:ec2::23", "fd00:ec2::23");
  endpoint("Alibaba 100.100.100.200", "100.100.100.200");
  endpoint("mapped 169.254.169.254", "169.254.169.254");
  all.back().argv[1] = "::ffff:169.254.169.254";
  // Last: from these on the whole task holds.
  for (const char* const kind : {"mapped", "mapped-before"}) handed_on(kind);
  return all;
}

}  // namespace ambit::probe::evasion
