// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/evasion/stage.h"

#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace ambit::probe::evasion {
namespace {

namespace fs = std::filesystem;

bool is_ipv6(const std::string& address) { return address.find(':') != std::string::npos; }

std::shared_ptr<Collector> collector_of(const Case& way) {
  struct Known {
    std::string_view name;
    int type;
    int protocol;
  };
  static constexpr Known kKnown[] = {
      {"tcp", SOCK_STREAM, 0},          {"udp", SOCK_DGRAM, 0},     {"mptcp", SOCK_STREAM, 262},
      {"udplite", SOCK_DGRAM, 136},     {"sctp", SOCK_STREAM, 132}, {"dccp", 6, 33},
      {"icmp", SOCK_RAW, IPPROTO_ICMP},
  };
  const bool ipv6 = is_ipv6(way.address);
  if (way.protocol == "packets")
    return std::shared_ptr<Collector>(new Collector(Collector::packets()));
  for (const Known& known : kKnown) {
    if (known.name == way.protocol)
      return std::shared_ptr<Collector>(
          new Collector(Collector::of(ipv6 ? "::" : "0.0.0.0", known.type, known.protocol)));
  }
  return nullptr;
}

std::string as_rule(const Place& place, const std::string& address) {
  const std::string protocol = place.way->reported();
  std::string line = "{cidr: \"" + address + (is_ipv6(address) ? "/128\"" : "/32\"");
  if (!place.way->by_address) line += ", ports: [" + place.collector->port_text() + "]";
  if (protocol != "tcp" && protocol != "udp") line += ", protocol: " + protocol;
  return line + "}";
}

void prepare_destination(Place& place) {
  const Case& way = *place.way;
  const bool elsewhere = std::ranges::find(way.argv, "{network}") != way.argv.end();
  place.collector = elsewhere ? place.outside->network().collector() : collector_of(way);
  if (place.collector == nullptr || !place.collector->works()) return;
  place.destinations.push_back(as_rule(place, way.address));
  if (way.by_address && place.collector->port() != 0)
    place.destinations.push_back(to_address(way.address, place.collector->port()));
  if (std::ranges::find(way.argv, "{ok-here}") != way.argv.end())
    place.always.push_back(as_rule(place, "127.0.0.1"));
}

bool is_read(Kind kind) { return kind == Kind::reads || kind == Kind::changes; }

bool any_mark_at(const std::string& place) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(place, ignored)) {
    if (entry.path().extension() == ".ran") return true;
  }
  return false;
}

bool is_about_destination(const Place& place, const Done& done, const Json& finding) {
  const Case& way = *place.way;
  if (way.kind == Kind::peers) {
    const std::string named = text_at(finding, "/destination/unix");
    return named == place.peer || named.find(place.at("")) != std::string::npos;
  }
  if (way.kind == Kind::makes && way.family == 0)
    return text_at(finding, "/destination/protocol") == way.named &&
           at(finding, "/process/pid") == done.pid;
  if (way.family != 0)
    return at(finding, "/destination/family") == way.family &&
           at(finding, "/process/pid") == done.pid;
  // Several ways have one address, and a TCP port of one can be the UDP port of another.
  const bool own = at(finding, "/process/pid") == done.pid;
  const bool there = text_at(finding, "/destination/ip") == way.address;
  if (way.by_address) return there && own;
  const bool alike = text_at(finding, "/destination/protocol") == way.reported();
  return at(finding, "/destination/port") == place.collector->port() && (own || (there && alike));
}

/// Where the guard stands before what the way leads to: /proc of others, cgroups.
bool is_of_guard(const Json& finding) { return text_at(finding, "/kind") == "guard"; }

bool is_about(const Place& place, const Done& done, const Json& finding) {
  if (is_of_guard(finding)) return at(finding, "/process/pid") == done.pid;
  if (place.way->kind == Kind::runs)
    return text_at(finding, "/kind") == "exec" &&
           (text_at(finding, "/process/pid") == std::to_string(done.pid) ||
            text_at(finding, "/file/path").find(place.at("")) != std::string::npos);
  if (!is_read(place.way->kind)) return is_about_destination(place, done, finding);
  const Json& number = at(finding, "/file/ino");
  const Identity named{.dev = text_at(finding, "/file/dev"),
                       .ino = number.is_number() ? number.get<std::uint64_t>() : 0};
  return std::ranges::find(place.identities, named) != place.identities.end() ||
         text_at(finding, "/file/path").find(place.at("")) != std::string::npos;
}

}  // namespace

std::string Place::make_secret(const std::string& name) {
  const std::string path = scratch->secret(below + "/" + name);
  note(path);
  return path;
}

void Place::note(const std::string& path) {
  const std::string content = content_of(path);
  if (content.size() > 1) contents.insert(content.substr(0, content.size() - 1));
  identities.push_back(identity_of(path));
}

std::string Place::state_of_secret() const {
  struct stat known{};
  if (::lstat(secret().c_str(), &known) != 0) return "gone";
  return std::to_string(known.st_ino) + " " + std::to_string(known.st_mode) + " " +
         std::to_string(known.st_uid) + " " + content_of(secret());
}

Item prepare(Place& place) {
  const Case& way = *place.way;
  place.scratch->directory(place.below);
  if (way.before != nullptr)
    way.before(place);
  else
    place.make_secret(way.secret);
  if (way.kind == Kind::sends || way.kind == Kind::carries || way.kind == Kind::endpoint)
    prepare_destination(place);
  Item item{.name = test_name(way), .argv = {}};
  for (const std::string& word : way.argv) item.argv.push_back(filled(place, word));
  if (way.kind == Kind::peers)
    place.destinations.push_back("{unix: " + probe::quoted(place.peer) + "}");
  place.state = place.state_of_secret();
  return item;
}

bool happened(const Place& place, const Done& done) {
  switch (place.way->kind) {
    case Kind::reads:
      return std::ranges::any_of(place.contents, [&](const std::string& content) {
        return done.out.find(content) != std::string::npos;
      });
    case Kind::changes:
      return place.state != place.state_of_secret();
    case Kind::runs:
      return any_mark_at(place.at(""));
    case Kind::makes:
      return done.out.find("socket\n") != std::string::npos;
    case Kind::sends:
    case Kind::peers:
    case Kind::carries:
    case Kind::endpoint:
      return place.collector != nullptr &&
             place.collector->received().find(place.text) != std::string::npos;
  }
  return false;
}

std::vector<Json> findings_of(const Place& place, const Done& done,
                              const std::vector<Json>& findings) {
  std::vector<Json> found;
  std::ranges::copy_if(findings, std::back_inserter(found),
                       [&](const Json& finding) { return is_about(place, done, finding); });
  return found;
}

std::string untrue(const Place& place, const Json& finding) {
  const Case& way = *place.way;
  if (text_at(finding, "/task/name") != "kernel-test") return "not the task's name";
  const std::string exe = text_at(finding, "/process/exe");
  if (way.real_program && exe != acts() && !at(finding, "/process/exe").is_null())
    return "the program is called " + exe;
  if (is_of_guard(finding)) return "";
  switch (way.kind) {
    case Kind::reads:
    case Kind::changes:
      return text_at(finding, "/kind") == "file_open" && !at(finding, "/credential/name").is_null()
                 ? ""
                 : "no credential";
    case Kind::runs:
      return text_at(finding, "/verdict/reason") == "executable_not_in_scope" ? "" : "other reason";
    case Kind::makes:
      return "";
    case Kind::peers:
      return text_at(finding, "/destination/protocol") == "unix" ? "" : "not a Unix socket";
    case Kind::sends:
    case Kind::carries:
    case Kind::endpoint:
      break;
  }
  if (way.family != 0) return "";
  if (text_at(finding, "/destination/ip") != way.address)
    return "the address is called " + text_at(finding, "/destination/ip");
  // Who makes packets is named by the socket (255) or by what the packet says, where that is seen.
  const std::string protocol = text_at(finding, "/destination/protocol");
  // 43 is the routing header that a packet begins with.
  if (protocol != way.reported() &&
      !(way.by_address && (protocol == way.protocol || protocol == "43")))
    return "the protocol is called " + protocol;
  return "";
}

}  // namespace ambit::probe::evasion
