// SPDX-License-Identifier: Apache-2.0
// What a process can still do once its scope has ended.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>

#include "tests/kernel/acts/act.h"
#include "tests/kernel/acts/address.h"

namespace ambit::acts {
namespace {

/// Tries in a process of its own, so that a kill ends one try only, and says what came of it.
void report(const std::string& what, const std::function<int()>& attempt) {
  const int pid = ::fork();
  if (pid == 0) ::_exit(attempt());
  const int status = pid < 0 ? kFailed : status_of(pid);
  say(what + ": " + std::to_string(status) + "\n");
}

int read_once(int fd) {
  std::array<char, 256> buffer{};
  return ::pread(fd, buffer.data(), buffer.size(), 0) < 0 ? failed("read") : kDone;
}

int send_on(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

// PATH ADDRESS TCP-PORT UDP-PORT GO: everything works, and then, once the file GO is there, is
// tried again. Prints "before KIND: status" and "after KIND: status".
int around_expiry(const Words& w) {
  const Address tcp(w[2], w[3]);
  const Address udp(w[2], w[4]);
  const int secret = ::open(w[1].c_str(), O_RDONLY);
  const int stream = ::socket(tcp.family(), SOCK_STREAM, 0);
  const int datagram = ::socket(udp.family(), SOCK_DGRAM, 0);
  if (secret < 0) return failed("open");
  if (::connect(stream, tcp.get(), tcp.length()) != 0) return failed("connect");
  if (::connect(datagram, udp.get(), udp.length()) != 0) return failed("connect udp");
  for (const std::string moment : {"before", "after"}) {
    report(moment + " open", [&] { return perform({"open", w[1]}); });
    report(moment + " read", [&] { return read_once(secret); });
    report(moment + " send", [&] { return send_on(stream, moment + "-send "); });
    report(moment + " datagram", [&] { return send_on(datagram, moment + "-datagram "); });
    report(moment + " connect", [&] { return perform({"tcp", w[2], w[3], moment + "-connect "}); });
    report(moment + " sendto", [&] { return perform({"udp", w[2], w[4], moment + "-sendto "}); });
    report(moment + " plain open", [&] { return perform({"open", "/etc/hostname"}); });
    if (moment == "before" && perform({"wait-for", w[5]}) != kDone) return kFailed;
  }
  return kDone;
}

constexpr std::array kActs{
    Act{"around-expiry", "PATH ADDRESS TCP-PORT UDP-PORT GO", 5, around_expiry},
};

}  // namespace

std::span<const Act> time_acts() { return kActs; }

}  // namespace ambit::acts
