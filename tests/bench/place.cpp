// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/place.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ambit::bench {
namespace {

namespace fs = std::filesystem;

Result<void> write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return fail_errno("cannot write " + path);
  return {};
}

Descriptor bind_loopback(int type, int& port) {
  Descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!made.valid() || ::bind(made.get(), generic, length) != 0 ||
      ::getsockname(made.get(), generic, &length) != 0)
    return {};
  port = ntohs(address.sin_port);
  return made;
}

std::string credential_text(const std::string& name, const std::string& file,
                            const std::string& destinations) {
  return "apiVersion: ambit.dev/v1\nkind: Credential\nmetadata: {name: " + name +
         "}\nspec:\n  provider: bench\n  files: [" + file + "]\n" + destinations +
         "  references: {attack: [T1552.001]}\n";
}

}  // namespace

Result<std::unique_ptr<Place>> Place::make(const std::string& ops) {
  std::unique_ptr<Place> place(new Place);
  std::string name = "/tmp/ambit-bench.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return fail_errno("cannot make a directory in /tmp");
  place->directory_ = name;
  if (auto made = place->make_files(ops); !made) return std::unexpected(made.error());
  if (auto made = place->make_peers(); !made) return std::unexpected(made.error());
  if (auto made = place->make_documents(); !made) return std::unexpected(made.error());
  return place;
}

Place::~Place() {
  std::error_code error;
  if (!directory_.empty()) fs::remove_all(directory_, error);
}

Result<void> Place::make_files(const std::string& ops) const {
  std::error_code error;
  for (const char* below : {"src", "keys", "catalogue"})
    if (!fs::create_directory(path(below), error)) return fail("cannot make " + path(below));
  fs::copy_file(ops, path("ops"), error);
  if (error) return fail("cannot copy " + ops + ": " + error.message());
  fs::permissions(path("ops"), fs::perms{0755}, error);
  for (const std::string& file : {path("src/file"), held(), path("keys/other")})
    if (auto written = write_text(file, "what is read\n"); !written) return written;
  return {};
}

Result<void> Place::make_peers() {
  tcp_ = bind_loopback(SOCK_STREAM, tcp_port_);
  udp_ = bind_loopback(SOCK_DGRAM, udp_port_);
  constexpr int kBacklog = 4096;
  if (!tcp_.valid() || !udp_.valid() || ::listen(tcp_.get(), kBacklog) != 0)
    return fail_errno("cannot listen on loopback");
  return {};
}

Result<void> Place::make_documents() const {
  const std::string ports =
      ", ports: [" + std::to_string(tcp_port_) + ", " + std::to_string(udp_port_) + "]}";
  const std::string loopback = "{cidr: 127.0.0.1/32" + ports;
  for (const auto& [file, text] :
       {std::pair{catalogue() + "/allowed.yaml",
                  credential_text("bench-allowed", held(), "  destinations: [" + loopback + "]\n")},
        std::pair{catalogue() + "/other.yaml",
                  credential_text("bench-other", path("keys/other"), "")},
        std::pair{scope(),
                  "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: bench}\n"
                  "spec:\n  agent: spiffe://bench.example/agent\n  ttl: 60m\n"
                  "  credentials: [{name: bench-allowed}]\n  network: {allow: [" +
                      loopback + "]}\n  exec: {allow: [/usr/bin/sleep, " + path("ops") + "]}\n"}})
    if (auto written = write_text(file, text); !written) return written;
  return {};
}

void Place::empty_queues() const {
  std::array<char, 64> bytes{};
  for (int fd = 0; fd >= 0;) {
    fd = ::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) ::close(fd);
  }
  while (::recv(udp_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace ambit::bench
