// SPDX-License-Identifier: Apache-2.0
// The words in braces. Each makes what it stands for when a case names it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "tests/kernel/acts/address.h"
#include "tests/kernel/evasion/stage.h"

namespace ambit::probe::evasion {
namespace {

namespace fs = std::filesystem;

/// The first number that a task inherits here; below are the usual ones.
constexpr int kFirstInherited = 50;

int kept_open(Place& place, int flags) {
  auto fd = std::make_shared<Descriptor>(::open(place.secret().c_str(), flags | O_CLOEXEC));
  place.kept.push_back(fd);
  return fd->get();
}

std::string number_of_inherited(Place& place, int fd) {
  static int next = kFirstInherited;
  const int number = next++;
  place.descriptors[number] = fd;
  return std::to_string(number);
}

/// A socket of the tester, connected to the forbidden destination.
int connected(Place& place) {
  auto fd = std::make_shared<Descriptor>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const acts::Address to(place.way->address, place.collector->port_text());
  static_cast<void>(::connect(fd->get(), to.get(), to.length()));
  place.kept.push_back(fd);
  return fd->get();
}

/// A Unix socket that the scope names, whose other side hands over `gift`.
std::string giver(Place& place, int gift, bool to_supervise = false) {
  const std::string name = place.at(to_supervise ? "supervisor" : "giver");
  place.kept.push_back(std::shared_ptr<Collector>(new Collector(
      to_supervise ? Collector::unix_supervisor(name, gift) : Collector::unix_giver(name, gift))));
  place.always.push_back("{unix: " + quoted(name) + "}");
  return name;
}

/// A process that puts the secret into the ring of whoever comes.
std::string messenger(Place& place) {
  const std::string name = place.at("messenger");
  place.kept.push_back(
      std::make_shared<Child>(Command{.argv = act({"message", name, place.secret()})}));
  static_cast<void>(eventually([&] { return fs::exists(name); }));
  place.always.push_back("{unix: " + quoted(name) + "}");
  return name;
}

std::string handle_file(Place& place) {
  struct {
    file_handle head;
    std::array<unsigned char, MAX_HANDLE_SZ> bytes;
  } handle{};
  handle.head.handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  static_cast<void>(::name_to_handle_at(AT_FDCWD, place.secret().c_str(), &handle.head, &mount, 0));
  const std::string bytes(reinterpret_cast<const char*>(&handle), sizeof handle);
  return place.scratch->write(place.below + "/handle", bytes);
}

/// A mapping of the secret by the tester, as /proc/PID/map_files names it.
std::string mapping(Place& place) {
  constexpr std::size_t kPage = 4096;
  const int fd = kept_open(place, O_RDONLY);
  void* const at = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 0);
  place.kept.push_back(std::shared_ptr<void>(at, [](void* mapped) { ::munmap(mapped, kPage); }));
  std::array<char, 64> name{};
  const auto start = reinterpret_cast<unsigned long>(at);
  std::snprintf(name.data(), name.size(), "%lx-%lx", start, start + kPage);
  return name.data();
}

// The path of what it makes.
std::string program(Place& place, const std::string& name, const std::string& original,
                    bool permitted) {
  const std::string path = place.scratch->program(place.below + "/" + name, original);
  if (permitted) place.programs.push_back(path);
  return path;
}

std::string beside_acts(const std::string& name) {
  return fs::path(acts()).parent_path().string() + "/" + name;
}

std::string script(Place& place, const std::string& name, const std::string& interpreter,
                   bool permitted = false) {
  const std::string path =
      place.scratch->write(place.below + "/" + name, "#!" + interpreter + "\n", 0755);
  if (permitted) place.programs.push_back(path);
  return path;
}

std::string abstract_peer(Place& place, bool stream) {
  place.peer = "@" + place.scratch->fresh("ambit-kernel-test");
  place.collector.reset(stream ? new Collector(Collector::unix_stream(place.peer))
                               : new Collector(Collector::unix_datagram(place.peer)));
  return place.peer;
}

std::string peer(Place& place, int type) {
  place.peer = place.at("socket");
  place.scratch->directory(place.below);
  place.collector.reset(new Collector(Collector::unix_of_type(place.peer, type)));
  return place.peer;
}

/// One name for all places where it stands in a case.
std::string new_cgroup(Place& place) {
  static std::map<const Place*, std::string> names;
  const auto [name, fresh] = names.try_emplace(&place);
  if (fresh) name->second = place.outside->cgroup() + "/" + std::to_string(names.size());
  return name->second;
}

using Fill = std::function<std::string(Place&)>;

const std::map<std::string, Fill>& fills() {
  using P = Place&;
  static const std::map<std::string, Fill> all{
      {"at", [](P p) { return p.scratch->path(p.below); }},
      {"secret", [](P p) { return p.secret(); }},
      {"directory", [](P p) { return p.directory(); }},
      {"tester", [](P) { return std::to_string(::getpid()); }},
      {"text", [](P p) { return p.text; }},
      {"cgroup", [](P p) { return p.outside->cgroup(); }},
      {"new-cgroup", new_cgroup},
      {"plain", [](P p) { return p.scratch->write(p.below + "/plain", "plain\n"); }},
      {"mount", [](P p) { return p.scratch->directory(p.below + "/mount"); }},
      {"reflink",
       [](P p) { return p.outside->reflinks() + "/copy-" + kPhases[static_cast<int>(p.phase)]; }},
      {"layers", [](P p) { return p.scratch->directory(p.below + "/layers"); }},
      // descriptors of the secret
      {"held", [](P p) { return std::to_string(kept_open(p, O_RDONLY)); }},
      {"inherited", [](P p) { return number_of_inherited(p, kept_open(p, O_RDONLY)); }},
      {"inherited-path", [](P p) { return number_of_inherited(p, kept_open(p, O_PATH)); }},
      {"giver", [](P p) { return giver(p, kept_open(p, O_RDONLY)); }},
      {"path-giver", [](P p) { return giver(p, kept_open(p, O_PATH)); }},
      {"supervisor", [](P p) { return giver(p, kept_open(p, O_RDONLY), true); }},
      {"messenger", messenger},
      {"handle", handle_file},
      {"mapping", mapping},
      // destinations
      {"address", [](P p) { return p.way->address; }},
      {"port", [](P p) { return p.collector == nullptr ? "0" : p.collector->port_text(); }},
      {"ok", [](P) { return std::string("127.0.0.1"); }},
      {"ok-here", [](P) { return std::string("127.0.0.1"); }},
      {"ok-tcp", [](P p) { return p.outside->permitted_tcp().port_text(); }},
      {"ok-udp", [](P p) { return p.outside->permitted_udp().port_text(); }},
      {"ok6", [](P) { return std::string("::1"); }},
      {"ok6-udp", [](P p) { return p.outside->permitted_udp6().port_text(); }},
      {"network", [](P p) { return p.outside->network().file(); }},
      {"connected", [](P p) { return std::to_string(connected(p)); }},
      {"inherited-socket", [](P p) { return number_of_inherited(p, connected(p)); }},
      {"socket-giver", [](P p) { return giver(p, connected(p)); }},
      {"peer", [](P p) { return p.peer.empty() ? peer(p, SOCK_STREAM) : p.peer; }},
      {"peer-place", [](P p) { return peer(p, SOCK_STREAM), p.scratch->path(p.below); }},
      {"datagram-peer", [](P p) { return peer(p, SOCK_DGRAM); }},
      {"packet-peer", [](P p) { return peer(p, SOCK_SEQPACKET); }},
      {"abstract", [](P p) { return abstract_peer(p, true); }},
      {"abstract-datagram", [](P p) { return abstract_peer(p, false); }},
      // programs
      {"permitted", [](P p) { return program(p, "permitted", ran(), true); }},
      {"forbidden", [](P p) { return program(p, "forbidden", ran(), false); }},
      {"forbidden-place",
       [](P p) { return program(p, "forbidden", ran(), false), p.scratch->path(p.below); }},
      {"in-root",
       [](P p) {
         program(p, "permitted", ran(), true);
         program(p, "root" + p.at("permitted"), ran(), false);
         return p.at("root");
       }},
      {"script", [](P p) { return script(p, "script", program(p, "forbidden", ran(), false)); }},
      {"permitted-script",
       [](P p) { return script(p, "script", program(p, "forbidden", ran(), false), true); }},
      {"nested",
       [](P p) {
         return script(p, "nested", script(p, "script", program(p, "forbidden", ran(), false)));
       }},
      {"permitted-nested",
       [](P p) {
         return script(p, "nested",
                       script(p, "script", program(p, "forbidden", ran(), false), true), true);
       }},
      {"loader", [](P p) { return program(p, "loader", "/lib64/ld-linux-x86-64.so.2", true); }},
      {"forbidden-loader",
       [](P p) { return program(p, "loader", "/lib64/ld-linux-x86-64.so.2", false); }},
      {"dynamic", [](P p) { return program(p, "dynamic", beside_acts("ran_dynamic"), false); }},
      {"permitted-dynamic",
       [](P p) { return program(p, "dynamic", beside_acts("ran_dynamic"), true); }},
      {"library", [](P p) { return program(p, "library", beside_acts("ran_library.so"), false); }},
      {"mark", [](P p) { return p.at("it"); }},
  };
  return all;
}

}  // namespace

std::string filled(Place& place, const std::string& word) {
  std::string out = word;
  for (std::size_t from = out.find('{'); from != std::string::npos; from = out.find('{', from)) {
    const std::size_t end = out.find('}', from);
    const auto fill = fills().find(out.substr(from + 1, end - from - 1));
    if (end == std::string::npos || fill == fills().end()) {
      ADD_FAILURE() << test_name(*place.way) << ": nothing is called " << out.substr(from);
      return out;
    }
    const std::string value = fill->second(place);
    out.replace(from, end - from + 1, value);
    from += value.size();
  }
  return out;
}

}  // namespace ambit::probe::evasion
