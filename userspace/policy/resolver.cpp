// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/resolver.h"

#include <ares.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>

#include "userspace/policy/hosts_match.h"

namespace ambit::policy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxAddresses = 256;  ///< of one answer: a server may say anything
constexpr std::size_t kMaxHostLength = 253;
constexpr int kTries = 2;

struct Query {
  std::string host;
  std::optional<Result<Resolved>> result;
  std::size_t* open = nullptr;
};

struct ChannelEnd {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelEnd>;

std::optional<Address> address_of_node(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET && node.ai_addr != nullptr) {
    sockaddr_in inet{};
    std::memcpy(&inet, node.ai_addr, sizeof inet);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &inet.sin_addr, bytes.size());
    return from_ipv4(bytes);
  }
  if (node.ai_family == AF_INET6 && node.ai_addr != nullptr) {
    sockaddr_in6 inet{};
    std::memcpy(&inet, node.ai_addr, sizeof inet);
    Address bytes{};
    std::memcpy(bytes.data(), &inet.sin6_addr, bytes.size());
    return bytes;
  }
  return std::nullopt;
}

/// Each once.
void put_in_order(std::vector<Address>& addresses) {
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
}

Result<Resolved> read_answer(const std::string& host, const ares_addrinfo& answer) {
  Resolved resolved;
  int ttl = INT32_MAX;
  for (const auto* alias = answer.cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  for (const auto* node = answer.nodes; node != nullptr; node = node->ai_next) {
    const auto address = address_of_node(*node);
    if (address && resolved.addresses.size() < kMaxAddresses) {
      resolved.addresses.push_back(*address);
      ttl = std::min(ttl, node->ai_ttl);
    }
  }
  if (resolved.addresses.empty()) {
    return fail(host + ": the name has no address");
  }
  put_in_order(resolved.addresses);
  resolved.ttl = seconds(std::max(ttl, 0));
  return resolved;
}

// C code calls this: nothing may be thrown through it.
void on_answer(void* context, int status, int /*timeouts*/, ares_addrinfo* answer) noexcept {
  auto& query = *static_cast<Query*>(context);
  const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(answer,
                                                                           &ares_freeaddrinfo);
  --*query.open;
  if (status == ARES_SUCCESS && owned) {
    query.result = read_answer(query.host, *owned);
  } else if (status == ARES_ECANCELLED || status == ARES_EDESTRUCTION) {
    query.result = fail(query.host + ": no answer within the time limit");
  } else {
    query.result = fail(query.host + ": " + ares_strerror(status));
  }
}

Result<Channel> open_channel(const ResolverOptions& options, std::string lookups) {
  ares_options settings{};
  settings.lookups = lookups.data();
  settings.tries = kTries;
  // c-ares doubles the wait with each round: 0.3 and 0.6 of the limit leave time for an answer.
  settings.timeout =
      static_cast<int>(std::max<milliseconds::rep>(options.limit.count() * 3 / 10, 1));
  ares_channel raw = nullptr;
  const int status =
      ares_init_options(&raw, &settings, ARES_OPT_LOOKUPS | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS);
  if (status != ARES_SUCCESS) {
    return fail(std::string("the name resolver does not start: ") + ares_strerror(status));
  }
  Channel channel(raw);
  if (!options.servers.empty()) {
    const int set = ares_set_servers_ports_csv(channel.get(), options.servers.c_str());
    if (set != ARES_SUCCESS) {
      return fail("name servers " + options.servers + ": " + ares_strerror(set));
    }
  }
  return channel;
}

int wait_ms(ares_channel channel, milliseconds left) {
  timeval most{.tv_sec = left.count() / 1000,
               .tv_usec = static_cast<suseconds_t>(left.count() % 1000 * 1000)};
  timeval buffer{};
  const timeval* wait = ares_timeout(channel, &most, &buffer);
  return static_cast<int>(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000);
}

/// One round of waiting for sockets and handing them to c-ares.
void step(ares_channel channel, milliseconds left) {
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const auto wanted = static_cast<unsigned>(
      ares_getsock(channel, sockets.data(), static_cast<int>(sockets.size())));
  std::vector<pollfd> polled;
  for (unsigned i = 0; i < sockets.size(); ++i) {
    const bool read = (wanted >> i & 1U) != 0;
    const bool write = (wanted >> (i + ARES_GETSOCK_MAXNUM) & 1U) != 0;
    if (read || write) {
      polled.push_back({.fd = sockets.at(i),
                        .events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)),
                        .revents = 0});
    }
  }
  const int ready = ::poll(polled.data(), polled.size(), wait_ms(channel, left));
  if (ready <= 0) {
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return;
  }
  for (const pollfd& one : polled) {
    const bool failed = (one.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    const bool readable = (one.revents & POLLIN) != 0 || failed;
    const bool writable = (one.revents & POLLOUT) != 0;
    ares_process_fd(channel, readable ? one.fd : ARES_SOCKET_BAD,
                    writable ? one.fd : ARES_SOCKET_BAD);
  }
}

/// Gives each query without a result one, or at least the reason why there is none.
void ask(const ResolverOptions& options, const std::string& lookups, Clock::time_point deadline,
         std::vector<Query>& queries) {
  std::size_t open = 0;
  auto channel = open_channel(options, lookups);
  for (Query& query : queries) {
    if (query.result && query.result->has_value()) {
      continue;
    }
    if (!channel) {
      query.result = std::unexpected(channel.error());
      continue;
    }
    query.open = &open;
    ++open;
    const ares_addrinfo_hints hints{
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = 0, .ai_protocol = 0};
    ares_getaddrinfo(channel->get(), query.host.c_str(), nullptr, &hints, &on_answer, &query);
  }
  while (open > 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds::zero()) {
      ares_cancel(channel->get());
      break;
    }
    step(channel->get(), left);
  }
  // What a cancel began anew ends here, with a call of on_answer: before `open` goes.
  if (channel) {
    channel->reset();
  }
}

bool is_loopback_name(std::string_view host) {
  const std::string name = plain_host(host);
  return name == "localhost" || name.ends_with(".localhost");
}

/// RFC 6761, 6.3: such a name is loopback, of IPv4 and IPv6, and no server is asked. Clients take
/// either, whatever /etc/hosts says of it beside.
Resolved with_loopback(std::optional<Result<Resolved>> from_file) {
  Resolved resolved = from_file && *from_file ? std::move(**from_file) : Resolved{};
  constexpr std::array<std::uint8_t, 4> kIpv4{127, 0, 0, 1};
  Address ipv6{};
  ipv6.back() = 1;
  resolved.addresses.insert(resolved.addresses.end(), {from_ipv4(kIpv4), ipv6});
  put_in_order(resolved.addresses);
  return resolved;
}

bool can_be_asked(const std::string& host) {
  return !host.empty() && host.size() <= kMaxHostLength && host.find('\0') == std::string::npos;
}

std::map<std::string, Result<Resolved>> resolve_names(const ResolverOptions& options,
                                                      const std::vector<std::string>& hosts) {
  std::map<std::string, Result<Resolved>> results;
  std::vector<Query> queries;
  for (const std::string& host : hosts) {
    const auto refused = fail(host + ": not a host name");
    if (results.try_emplace(host, refused).second && can_be_asked(host)) {
      queries.push_back({.host = host, .result = std::nullopt, .open = nullptr});
    }
  }
  const auto deadline = Clock::now() + options.limit;
  if (options.hosts_file) ask(options, "f", deadline, queries);
  for (Query& query : queries) {
    if (is_loopback_name(query.host)) {
      query.result = with_loopback(std::move(query.result));
    }
    if (query.result && query.result->has_value()) {
      (*query.result)->from_file = true;
    }
  }
  ask(options, "b", deadline, queries);
  for (Query& query : queries) {
    if (query.result) {
      results.insert_or_assign(query.host, std::move(*query.result));
    }
  }
  return results;
}

}  // namespace

std::map<std::string, Result<Resolved>> NameSource::resolve_all(
    const std::vector<std::string>& hosts) {
  std::map<std::string, Result<Resolved>> results;
  for (const std::string& host : hosts) {
    results.insert_or_assign(host, resolve(host));
  }
  return results;
}

Result<Resolved> Resolver::resolve(const std::string& host) { return resolve_all({host}).at(host); }

std::map<std::string, Result<Resolved>> Resolver::resolve_all(
    const std::vector<std::string>& hosts) {
  return resolve_names(options_, hosts);
}

}  // namespace ambit::policy
