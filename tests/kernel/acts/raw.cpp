// SPDX-License-Identifier: Apache-2.0
// Packets that a process makes itself, and devices that take them.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

using Bytes = std::vector<unsigned char>;

template <typename Part>
void append(Bytes& to, const Part& part) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&part);
  to.insert(to.end(), bytes, bytes + sizeof part);
}

std::uint16_t checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back() << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

Bytes udp_part(const Words& w) {
  udphdr head{};
  head.source = htons(40'000);
  head.dest = htons(static_cast<std::uint16_t>(std::stoi(w[2])));
  head.len = htons(static_cast<std::uint16_t>(sizeof head + w[3].size()));
  Bytes bytes;
  append(bytes, head);
  bytes.insert(bytes.end(), w[3].begin(), w[3].end());
  return bytes;
}

/// ADDRESS PORT TEXT as an IPv4 packet.
Bytes ip_packet(const Words& w) {
  const Bytes udp = udp_part(w);
  iphdr head{};
  head.version = 4;
  head.ihl = 5;
  head.ttl = 64;
  head.protocol = IPPROTO_UDP;
  head.tot_len = htons(static_cast<std::uint16_t>(sizeof head + udp.size()));
  head.saddr = htonl(INADDR_LOOPBACK);
  ::inet_pton(AF_INET, w[1].c_str(), &head.daddr);
  Bytes bytes;
  append(bytes, head);
  head.check = checksum(bytes);
  bytes.clear();
  append(bytes, head);
  bytes.insert(bytes.end(), udp.begin(), udp.end());
  return bytes;
}

int send_bytes(int fd, const Bytes& bytes, const Words& w) {
  if (fd < 0) return failed("socket");
  const Address to(w[1], "0");
  return ::sendto(fd, bytes.data(), bytes.size(), 0, to.get(), to.length()) < 0 ? failed("sendto")
                                                                                : kDone;
}

int raw_packet(const Words& w) {
  return send_bytes(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), ip_packet(w), w);
}

int raw_udp(const Words& w) {
  return send_bytes(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP), udp_part(w), w);
}

int raw_connected(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return failed("socket");
  const Address to(w[1], "0");
  if (::connect(fd, to.get(), to.length()) != 0) return failed("connect");
  const Bytes bytes = udp_part(w);
  return ::write(fd, bytes.data(), bytes.size()) < 0 ? failed("write") : kDone;
}

Bytes echo_request(const std::string& text) {
  icmphdr head{};
  head.type = ICMP_ECHO;
  Bytes bytes;
  append(bytes, head);
  bytes.insert(bytes.end(), text.begin(), text.end());
  head.checksum = checksum(bytes);
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

int ping(const Words& w) {
  return send_bytes(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP), echo_request(w[3]),
                    w);
}

int raw_ping(const Words& w) {
  return send_bytes(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), echo_request(w[3]),
                    w);
}

int link_packet(const Words& w) {
  const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
  if (fd < 0) return failed("socket");
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_IP);
  to.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
  to.sll_halen = ETH_ALEN;
  const Bytes bytes = ip_packet(w);
  return ::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) <
                 0
             ? failed("sendto")
             : kDone;
}

// tun | tap: an interface of one's own takes and gives packets by read and write.
int make_interface(const Words& w) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) return failed("open", errno == ENOENT || errno == ENODEV ? ENOSYS : errno);
  ifreq wanted{};
  wanted.ifr_flags = static_cast<short>((w[1] == "tun" ? IFF_TUN : IFF_TAP) | IFF_NO_PI);
  if (::ioctl(fd, TUNSETIFF, &wanted) != 0) return failed("TUNSETIFF");
  say("socket\n");
  return kDone;
}

// HOP ADDRESS PORT TEXT: the datagram is for ADDRESS and goes to HOP first.
int by_source_route(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::array<unsigned char, 8> option{IPOPT_NOP, IPOPT_LSRR, 7, 4};
  ::inet_pton(AF_INET, w[1].c_str(), &option[4]);
  if (::setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option.data(), option.size()) != 0)
    return failed("IP_OPTIONS");
  const Address to(w[2], w[3]);
  return ::sendto(fd, w[4].data(), w[4].size(), 0, to.get(), to.length()) < 0 ? failed("sendto")
                                                                              : kDone;
}

// HOP ADDRESS PORT TEXT: the message itself brings the route.
int by_route_of_message(const Words& w) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::array<unsigned char, 8> option{IPOPT_NOP, IPOPT_LSRR, 7, 4};
  ::inet_pton(AF_INET, w[1].c_str(), &option[4]);
  Address to(w[2], w[3]);
  std::string text = w[4];
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof option)> space{};
  msghdr message{};
  message.msg_name = to.get();
  message.msg_namelen = to.length();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = IPPROTO_IP;
  head->cmsg_type = IP_RETOPTS;
  head->cmsg_len = CMSG_LEN(sizeof option);
  std::memcpy(CMSG_DATA(head), option.data(), sizeof option);
  return ::sendmsg(fd, &message, 0) < 0 ? failed("sendmsg") : kDone;
}

// HOP ADDRESS PORT TEXT: the same over IPv6, by a segment routing header.
int by_segments(const Words& w) {
  constexpr int kRoutingHeader = 57;  // IPV6_RTHDR
  const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::array<unsigned char, 8 + 2 * 16> header{0, 4, 4, 1, 1};
  ::inet_pton(AF_INET6, w[2].c_str(), &header[8]);
  ::inet_pton(AF_INET6, w[1].c_str(), &header[24]);
  if (::setsockopt(fd, IPPROTO_IPV6, kRoutingHeader, header.data(), header.size()) != 0)
    return failed("IPV6_RTHDR");
  const Address to(w[2], w[3]);
  return ::sendto(fd, w[4].data(), w[4].size(), 0, to.get(), to.length()) < 0 ? failed("sendto")
                                                                              : kDone;
}

constexpr std::array kActs{
    Act{"raw-packet", "ADDRESS PORT TEXT", 3, raw_packet},
    Act{"raw-udp", "ADDRESS PORT TEXT", 3, raw_udp},
    Act{"raw-connected", "ADDRESS PORT TEXT", 3, raw_connected},
    Act{"ping", "ADDRESS PORT TEXT", 3, ping},
    Act{"raw-ping", "ADDRESS PORT TEXT", 3, raw_ping},
    Act{"link-packet", "ADDRESS PORT TEXT", 3, link_packet},
    Act{"interface", "tun|tap", 1, make_interface},
    Act{"source-route-message", "HOP ADDRESS PORT TEXT", 4, by_route_of_message},
    Act{"segments", "HOP ADDRESS PORT TEXT", 4, by_segments},
    Act{"source-route", "HOP ADDRESS PORT TEXT", 4, by_source_route},
};

}  // namespace

std::span<const Act> raw_acts() { return kActs; }

}  // namespace ambit::acts
