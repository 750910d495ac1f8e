// SPDX-License-Identifier: Apache-2.0
// Descriptors that another process opened: inherited, received, taken, put there.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

/// A descriptor of another process, or -1.
int taken(const Words& w) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(w[1]), 0));
  if (process < 0) return -1;
  return static_cast<int>(::syscall(SYS_pidfd_getfd, process, std::stoi(w[2]), 0));
}

int take_and_read(const Words& w) {
  const int fd = taken(w);
  return fd < 0 ? failed("pidfd_getfd") : print_content(fd);
}

int take_and_map(const Words& w) {
  const int fd = taken(w);
  return fd < 0 ? failed("pidfd_getfd") : print_mapping(fd);
}

int send_on(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 ? failed("send") : kDone;
}

int take_and_send(const Words& w) {
  const int fd = taken(w);
  return fd < 0 ? failed("pidfd_getfd") : send_on(fd, w[3]);
}

int send_inherited(const Words& w) { return send_on(std::stoi(w[1]), w[2]); }

int map_inherited(const Words& w) { return print_mapping(std::stoi(w[1])); }

int read_at(const Words& w) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::pread(std::stoi(w[1]), buffer.data(), buffer.size(), 0);
  if (got < 0) return failed("pread");
  say(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  return kDone;
}

int received_from(const std::string& name) {
  const int fd = connect_unix(name);
  return fd < 0 ? -1 : received_descriptor(fd);
}

int receive_and_map(const Words& w) {
  const int fd = received_from(w[1]);
  return fd < 0 ? failed("receive") : print_mapping(fd);
}

int receive_and_reopen(const Words& w) {
  const int fd = received_from(w[1]);
  if (fd < 0) return failed("receive");
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const int opened = ::open(link.c_str(), O_RDONLY | O_CLOEXEC);
  return opened < 0 ? failed("reopen") : print_content(opened);
}

int receive_and_send(const Words& w) {
  const int fd = received_from(w[1]);
  return fd < 0 ? failed("receive") : send_on(fd, w[2]);
}

/// A listener for the calls of getpgid() by this process, or -1.
int notify_of_getpgid() {
  std::array<sock_filter, 4> filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

bool give(int connection, int gift) {
  char byte = 'x';
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &gift, sizeof gift);
  return ::sendmsg(connection, &message, MSG_NOSIGNAL) > 0;
}

// NAME: hands the other side its seccomp listener, which answers a call with a descriptor.
int be_given(const Words& w) {
  const int connection = connect_unix(w[1]);
  if (connection < 0) return failed("connect");
  const int listener = notify_of_getpgid();
  if (listener < 0) return failed("seccomp", errno == EBUSY ? ENOSYS : errno);
  if (!give(connection, listener)) return failed("sendmsg");
  const long fd = ::syscall(SYS_getpgid, 0);
  return fd < 0 ? failed("seccomp ADDFD") : print_content(static_cast<int>(fd));
}

/// A child opens the file; which status it ended with, or that it waits.
struct Opening {
  int pid = -1;

  [[nodiscard]] bool ended(int& status) const {
    siginfo_t how{};
    const bool over =
        ::waitid(P_PID, static_cast<id_t>(pid), &how, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        how.si_pid == pid;
    if (over) status = status_of(pid);
    return over;
  }
};

// PATH CLASS: a fanotify group of one's own hands out a descriptor of what another process opens.
int peek(const Words& w) {
  const bool asks = w[2] == "asks";
  const unsigned group_class = asks ? FAN_CLASS_PRE_CONTENT : FAN_CLASS_NOTIF;
  const int group = ::fanotify_init(group_class | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
  if (group < 0) return failed("fanotify_init");
  const std::uint64_t event_mask = asks ? FAN_OPEN_PERM : FAN_OPEN;
  if (::fanotify_mark(group, FAN_MARK_ADD, event_mask, AT_FDCWD, w[1].c_str()) != 0)
    return failed("fanotify_mark");
  const Opening opening{.pid = ::fork()};
  if (opening.pid == 0) ::_exit(::open(w[1].c_str(), O_RDONLY) >= 0 ? kDone : failed("open"));
  pollfd wait{.fd = group, .events = POLLIN, .revents = 0};
  for (int status = kDone; ::poll(&wait, 1, 100) == 0;)
    if (opening.ended(status)) return status;
  fanotify_event_metadata event{};
  const bool told = ::read(group, &event, sizeof event) == sizeof event;
  if (!told) return failed("read");
  const int status = print_content(event.fd);
  const fanotify_response answer{.fd = event.fd, .response = FAN_DENY};
  if (asks) static_cast<void>(::write(group, &answer, sizeof answer));
  static_cast<void>(status_of(opening.pid));
  return status;
}

constexpr std::array kActs{
    Act{"peek", "PATH asks|is-told", 2, peek},
    Act{"take", "PID NUMBER", 2, take_and_read},
    Act{"take-map", "PID NUMBER", 2, take_and_map},
    Act{"take-send", "PID NUMBER TEXT", 3, take_and_send},
    Act{"send-fd", "NUMBER TEXT", 2, send_inherited},
    Act{"map-fd", "NUMBER", 1, map_inherited},
    Act{"read-at", "NUMBER", 1, read_at},
    Act{"receive-map", "NAME", 1, receive_and_map},
    Act{"receive-reopen", "NAME", 1, receive_and_reopen},
    Act{"receive-send", "NAME TEXT", 2, receive_and_send},
    Act{"be-given", "NAME", 1, be_given},
};

}  // namespace

std::span<const Act> descriptor_acts() { return kActs; }

}  // namespace ambit::acts
