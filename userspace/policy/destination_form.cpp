// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destination_form.h"

#include <algorithm>
#include <optional>

#include "userspace/base/whole_number.h"
#include "userspace/policy/destinations_address.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/hosts_match.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {
namespace {

constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kIpv6Bits = 128;
constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxAbstractName = 107;  // sun_path without its leading NUL
constexpr std::array<std::uint8_t, 5> kWithPorts{6, 17, 33, 132, 136};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_letter(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

/// How many bits an address has in the spelling that was chosen.
unsigned bits_of(std::string_view address) {
  return address.find(':') == std::string_view::npos ? kIpv4Bits : kIpv6Bits;
}

/// What is written where a host name belongs, and how it should be written.
std::optional<FormMistake> check_not_something_else(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view rest = text.substr(scheme + 3);
    return FormMistake{.message = "is a URL; a destination is the host name alone",
                       .suggestion = std::string(rest.substr(0, rest.find_first_of("/:?#")))};
  }
  if (text.find('/') != std::string_view::npos) {
    return FormMistake{
        .message = "is no host name; an address range is written cidr:, a socket unix:",
        .suggestion = {}};
  }
  if (address_of(text)) {
    return FormMistake{.message = "is an address; write cidr: " + std::string(text) + "/" +
                                  std::to_string(bits_of(text)),
                       .suggestion = {}};
  }
  if (text.find(':') != std::string_view::npos) {
    return FormMistake{.message = "has a port; ports are written ports: [443]",
                       .suggestion = std::string(text.substr(0, text.find(':')))};
  }
  if (text == "*" || text == "*.") {
    return FormMistake{.message = "is every host; write cidr: 0.0.0.0/0 and cidr: ::/0",
                       .suggestion = {}};
  }
  return std::nullopt;
}

std::optional<FormMistake> check_label(std::string_view label) {
  const auto wrong = [](std::string message) {
    return FormMistake{.message = std::move(message), .suggestion = {}};
  };
  if (label.empty()) return wrong("is no host name: two dots, or one in front");
  if (label.size() > kMaxLabel) return wrong("is no host name: a label is longer than 63 letters");
  if (label.find('*') != std::string_view::npos) {
    return wrong("is no host name: a * may only be the whole first label, as in *.example.com");
  }
  if (std::ranges::any_of(label, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return wrong("is no host name in A-form; write it as DNS has it (xn--…)");
  }
  if (!std::ranges::all_of(label, is_host_letter)) {
    return wrong("is no host name: labels are letters, digits and hyphens");
  }
  if (label.front() == '-' || label.back() == '-') {
    return wrong("is no host name: a label begins or ends with a hyphen");
  }
  return std::nullopt;
}

}  // namespace

Formed<std::string> parse_host(std::string_view text) {
  if (auto other = check_not_something_else(text)) return std::unexpected(std::move(*other));
  std::string host = plain_host(text);
  std::string_view rest = host;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  if (rest.size() > kMaxHost) return mistaken("is no host name: it is longer than 253 letters");
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (auto wrong = check_label(label)) return std::unexpected(std::move(*wrong));
    if (label.size() == rest.size()) {
      // Resolvers take 10.1 and 0x7f for addresses.
      if (std::ranges::all_of(label, is_digit) || label.starts_with("0x")) {
        return mistaken("is no host name: its last label is a number");
      }
      return host;
    }
    rest.remove_prefix(label.size() + 1);
  }
}

Formed<model::AddressRange> parse_address_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view written = text.substr(0, slash);
  const std::optional<Address> address = address_of(written);
  if (!address) return mistaken("is no address range; write 10.2.0.0/16 or fd00::/8");
  const unsigned bits = bits_of(written);
  if (slash == std::string_view::npos) {
    return mistaken("has no prefix length", std::string(text) + '/' + std::to_string(bits));
  }
  const auto length = whole_number<unsigned>(text.substr(slash + 1));
  if (!length || *length > bits) {
    return mistaken("has no good prefix length; it is a number of 0 to " + std::to_string(bits));
  }
  const model::AddressRange range{.address = *address,
                                  .prefix = static_cast<std::uint8_t>(*length + kIpv6Bits - bits)};
  const model::AddressRange network = masked(range);
  if (network.address != range.address) {
    return mistaken("has bits set beyond its prefix length", text_of(network));
  }
  return range;
}

std::string text_of(const model::AddressRange& range) {
  const bool ipv4 = covers(ipv4_root(), range);
  const unsigned unwritten = ipv4 ? kIpv6Bits - kIpv4Bits : 0;
  return text_of(range.address) + '/' + std::to_string(range.prefix - unwritten);
}

bool is_around_ipv4(const model::AddressRange& range) {
  const model::AddressRange ipv4 = ipv4_root();
  return range.prefix < ipv4.prefix && covers(range, ipv4);
}

Formed<model::PortRange> parse_port_range(std::string_view text) {
  constexpr std::string_view kForm = "is no port; write 443 or 8000-8999, each of 1 to 65535";
  const std::size_t dash = text.find('-');
  const auto first = whole_number<std::uint16_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : whole_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0) return mistaken(std::string(kForm));
  if (*last < *first) {
    return mistaken("is a port range that ends before it begins",
                    std::to_string(*last) + '-' + std::to_string(*first));
  }
  return model::PortRange{.first = *first, .last = *last};
}

Formed<std::uint8_t> parse_protocol(std::string_view text) {
  if (const auto number = whole_number<std::uint8_t>(text)) return *number;
  std::vector<std::string_view> names;
  for (const Word<std::uint8_t>& word : kProtocols) {
    if (word.spelling == text) return word.value;
    names.push_back(word.spelling);
  }
  const std::string guess(nearest(text, names).value_or(""));
  return mistaken(
      "is no protocol; write tcp, udp, icmp, icmpv6, sctp, dccp, udplite or a number to 255",
      guess);
}

bool has_ports(std::uint8_t protocol) {
  return std::ranges::find(kWithPorts, protocol) != kWithPorts.end();
}

Formed<std::string> parse_unix_socket(std::string_view text) {
  if (text.starts_with('@')) {
    if (text.size() < 2) return mistaken("is an abstract socket without a name");
    if (text.size() - 1 > kMaxAbstractName)
      return mistaken("is longer than a socket's name can be (107 bytes)");
    if (text.find('*') != std::string_view::npos)
      return mistaken("has a star; abstract sockets are named in full");
    return std::string(text);
  }
  if (text.starts_with('!')) return mistaken("excludes; a destination only allows");
  // Of a program **/name is a good guess; of a socket it would allow one that anybody made.
  if (!text.empty() && std::string_view("/~*$").find(text.front()) == std::string_view::npos)
    return mistaken(
        "is a relative path; a Unix socket is named by its absolute path, or by @name where it is "
        "abstract");
  if (auto form = parse_pattern_form(text); !form) return std::unexpected(std::move(form.error()));
  return std::string(text);
}

}  // namespace ambit::policy
