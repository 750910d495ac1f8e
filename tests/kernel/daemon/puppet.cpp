// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/daemon/puppet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "userspace/base/descriptor.h"

namespace ambit::probe {

namespace {

constexpr std::size_t kText = 512;

struct Order {
  char what = 0;
  std::array<char, kText> text{};
};

struct Reply {
  int code = 0;
  std::size_t size = 0;
  std::array<char, kText> text{};
};

struct Kept {
  Descriptor file;
  int socket = -1;
  const char* mapping = nullptr;
};

int code_of(ssize_t result) { return result < 0 ? errno : 0; }

int connect_to(Kept& kept, const char* port) {
  kept.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return code_of(
      ::connect(kept.socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
}

int map_file(Kept& kept, const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  void* const memory = ::mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, file, 0);
  const int code = memory == MAP_FAILED ? errno : 0;
  kept.mapping = code == 0 ? static_cast<const char*>(memory) : nullptr;
  ::close(file);
  return code;
}

Reply taken(Reply reply, ssize_t size) {
  reply.code = code_of(size);
  reply.size = size < 0 ? 0 : static_cast<std::size_t>(size);
  return reply;
}

Reply perform(Kept& kept, const Order& order) {
  Reply reply;
  constexpr int kSecond = 1000;
  pollfd wait{.fd = kept.socket, .events = POLLIN, .revents = 0};
  switch (order.what) {
    case 'o':
      kept.file = Descriptor(::open(order.text.data(), O_RDONLY | O_CLOEXEC));
      reply.code = code_of(kept.file.get());
      return reply;
    case 'm':
      reply.code = map_file(kept, order.text.data());
      return reply;
    case 'c':
      reply.code = connect_to(kept, order.text.data());
      return reply;
    case 's':
      reply.code = code_of(
          ::send(kept.socket, order.text.data(), std::strlen(order.text.data()), MSG_NOSIGNAL));
      return reply;
    case 'r':
      return taken(reply, ::pread(kept.file.get(), reply.text.data(), kText, 0));
    case 'l':
      if (kept.mapping == nullptr) return reply;
      reply.size = strnlen(kept.mapping, kText);
      std::copy_n(kept.mapping, reply.size, reply.text.data());
      return reply;
    default:
      if (::poll(&wait, 1, kSecond) == 0) return reply;
      return taken(reply, ::recv(kept.socket, reply.text.data(), kText, MSG_DONTWAIT));
  }
}

[[noreturn]] void obey(int from, int to) {
  Kept kept;
  for (Order order; ::read(from, &order, sizeof(order)) == sizeof(order);) {
    const Reply reply = perform(kept, order);
    if (::write(to, &reply, sizeof(reply)) != sizeof(reply)) break;
  }
  ::_exit(0);
}

}  // namespace

Puppet::Puppet() {
  std::array<int, 2> orders{};
  std::array<int, 2> replies{};
  if (::pipe2(orders.data(), O_CLOEXEC) != 0 || ::pipe2(replies.data(), O_CLOEXEC) != 0) return;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(orders[1]);
    obey(orders[0], replies[1]);
  }
  to_ = Descriptor(orders[1]);
  from_ = Descriptor(replies[0]);
  ::close(orders[0]);
  ::close(replies[1]);
}

Puppet::~Puppet() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Puppet::Answer Puppet::ask(char what, const std::string& text) {
  Order order{.what = what};
  std::copy_n(text.begin(), std::min(text.size(), kText - 1), order.text.begin());
  Reply reply;
  ::signal(SIGPIPE, SIG_IGN);
  if (::write(to_.get(), &order, sizeof(order)) != sizeof(order) ||
      ::read(from_.get(), &reply, sizeof(reply)) != sizeof(reply))
    return {};
  return {.code = reply.code, .text = std::string(reply.text.data(), reply.size)};
}

std::string Puppet::text_of(char what) {
  const Answer answer = ask(what, "");
  return answer.code == 0 ? answer.text : "errno " + std::to_string(answer.code);
}

int Puppet::open(const std::string& path) { return ask('o', path).code; }
int Puppet::map(const std::string& path) { return ask('m', path).code; }
int Puppet::connect(int port) { return ask('c', std::to_string(port)).code; }
int Puppet::send(const std::string& text) { return ask('s', text).code; }
std::string Puppet::read() { return text_of('r'); }
std::string Puppet::look() { return text_of('l'); }
std::string Puppet::receive() { return text_of('g'); }

}  // namespace ambit::probe
