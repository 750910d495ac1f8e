// SPDX-License-Identifier: Apache-2.0
// A name server on loopback that answers from a table; names that it does not know do not exist.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/policy/destinations_address.h"

namespace ambit::policy::probe {

struct DnsName {
  std::vector<Address> addresses{};
  std::uint32_t ttl = 300;
  std::string alias_of{};  ///< a CNAME before the addresses
  std::uint32_t alias_ttl = 300;
  bool silent = false;
  bool silent_about_ipv6 = false;
};

class DnsServer {
 public:
  explicit DnsServer(std::map<std::string, DnsName> names)
      : names_(std::move(names)), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    if (socket_.valid() && ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), length) == 0 &&
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &length) == 0) {
      port_ = ntohs(own.sin_port);
    }
    thread_ = std::thread([this] { serve(); });
  }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer() {
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] std::string servers() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  using Bytes = std::vector<std::uint8_t>;

  static void put16(Bytes& bytes, unsigned value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(value));
  }
  static void put_name(Bytes& bytes, const std::string& name) {
    std::size_t start = 0;
    while (start < name.size()) {
      const std::size_t end = std::min(name.find('.', start), name.size());
      bytes.push_back(static_cast<std::uint8_t>(end - start));
      bytes.insert(bytes.end(), name.begin() + static_cast<std::ptrdiff_t>(start),
                   name.begin() + static_cast<std::ptrdiff_t>(end));
      start = end + 1;
    }
    bytes.push_back(0);
  }
  static void put_record(Bytes& bytes, const std::string& name, unsigned type, std::uint32_t ttl,
                         const Bytes& data) {
    put_name(bytes, name);
    put16(bytes, type);
    put16(bytes, 1);
    put16(bytes, ttl >> 16U);
    put16(bytes, ttl & 0xffffU);
    put16(bytes, static_cast<unsigned>(data.size()));
    bytes.insert(bytes.end(), data.begin(), data.end());
  }

  Bytes answer(const Bytes& query) const {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      name += (name.empty() ? "" : ".") +
              std::string(query.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                          query.begin() + static_cast<std::ptrdiff_t>(at + 1 + query[at]));
      at += 1U + query[at];
    }
    const unsigned type = query.at(at + 2);
    const std::size_t question_end = at + 5;
    const auto known = names_.find(name);
    if (known != names_.end() &&
        (known->second.silent || (known->second.silent_about_ipv6 && type == 28))) {
      return {};
    }
    Bytes records;
    unsigned count = 0;
    if (known != names_.end()) {
      std::string owner = name;
      if (!known->second.alias_of.empty()) {
        Bytes target;
        put_name(target, known->second.alias_of);
        put_record(records, owner, 5, known->second.alias_ttl, target);
        owner = known->second.alias_of;
        ++count;
      }
      for (const Address& address : known->second.addresses) {
        if ((type == 1) == is_ipv4(address)) {
          put_record(records, owner, type, known->second.ttl,
                     Bytes(address.begin() + (type == 1 ? 12 : 0), address.end()));
          ++count;
        }
      }
    }
    Bytes reply(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(question_end));
    reply[2] = 0x84;
    reply[3] = known == names_.end() ? 3 : 0;
    reply[6] = 0;
    reply[7] = static_cast<std::uint8_t>(count);
    reply[10] = reply[11] = 0;
    reply.insert(reply.end(), records.begin(), records.end());
    return reply;
  }

  void serve() {
    while (!stop_) {
      pollfd polled{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&polled, 1, 20) <= 0) {
        continue;
      }
      Bytes query(1500);
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t got = ::recvfrom(socket_.get(), query.data(), query.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 17) {
        continue;
      }
      query.resize(static_cast<std::size_t>(got));
      const Bytes reply = answer(query);
      if (!reply.empty()) {
        ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
                 length);
      }
    }
  }

  std::map<std::string, DnsName> names_;
  Descriptor socket_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace ambit::policy::probe
