// SPDX-License-Identifier: Apache-2.0
// A scope costs entries of tables, never programs, and no task is decided by another's scope
// (promise 3): real processes, one for each task, in the tables of one sensor.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/kernel/tasks/crowd.h"
#include "tests/kernel/tasks/tables.h"
#include "userspace/pipeline/holders.h"
#include "userspace/policy/marks.h"

namespace ambit::probe {
namespace {

constexpr int kWrongBytes = -1;

/// 0 when all of `expected` could be read.
int read_secret(const std::string& path, const std::string& expected) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno;
  std::string content(expected.size(), '\0');
  const ssize_t size = ::read(file.get(), content.data(), content.size());
  if (size < 0) return errno;
  return content == expected ? 0 : kWrongBytes;
}

sockaddr_in place(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  return to;
}

int reach(const std::string& address, int port) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = place(address, port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? 0
                                                                                          : errno;
}

/// Listens on all of 127.0.0.0/8. No thread: holders are forked from here.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in at = place("0.0.0.0", 0);
    socklen_t length = sizeof(at);
    constexpr int kBacklog = 4096;
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at), length) == 0 &&
        ::listen(socket_.get(), kBacklog) == 0 &&
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &length) == 0)
      port_ = ntohs(at.sin_port);
  }
  [[nodiscard]] int port() const { return port_; }
  void accept_all() const {
    while (Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid()) continue;
  }

 private:
  Descriptor socket_;
  int port_ = 0;
};

class TasksOnOneSensor : public testing::Test {
 protected:
  void SetUp() override {
    constexpr rlim_t kFiles = 1 << 16;
    const rlimit limit{.rlim_cur = kFiles, .rlim_max = kFiles};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

  /// What process i tries: its own secret and address, its neighbour's, and the secret that nobody
  /// may read. The contents are read before, outside of any task.
  std::function<Tries(std::size_t)> attempt(const ManyTasks& tasks, std::size_t count) {
    std::vector<std::string> contents;
    for (std::size_t i = 0; i < count; ++i) contents.push_back(content_of(tasks.own(i).secret));
    const std::string nobodys = content_of(tasks.forbidden());
    return [this, &tasks, contents, nobodys](std::size_t i) -> Tries {
      const std::size_t next = (i + 1) % contents.size();
      return {read_secret(tasks.own(i).secret, contents[i]),
              read_secret(tasks.own(next).secret, contents[next]),
              read_secret(tasks.forbidden(), nobodys),
              reach(tasks.own(i).address, listener_.port()),
              reach(tasks.own(next).address, listener_.port())};
    };
  }

  static Result<std::unique_ptr<pipeline::Holders>> answer_opens(kernel::Sensor& sensor,
                                                                 const ManyTasks& tasks) {
    pipeline::HolderSetup setup;
    setup.sensor = &sensor;
    setup.marks = policy::plan_marks(tasks.catalogue(), {}, policy::RealFileSystem());
    return pipeline::Holders::start(std::move(setup));
  }

  static Result<void> bind(kernel::Sensor& sensor, const Crowd& crowd, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, crowd.pid(i), 0)));
      if (auto bound = sensor.bind(process.get(), static_cast<std::uint32_t>(i + 1)); !bound)
        return bound;
    }
    return {};
  }

  /// Every task of `tasks` in the tables; it costs entries, and no program.
  static void open_all(kernel::Sensor& sensor, ManyTasks& tasks, std::size_t count) {
    AMBIT_DONE(tasks.install_catalogue(sensor));
    AMBIT_DONE(tasks.open(sensor, 0));
    const std::size_t programs_with_one = programs_of_this_process();
    const std::size_t bytes_with_one = map_bytes_of_this_process();
    ASSERT_EQ(programs_with_one, sensor.programs_loaded());
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 1; i < count; ++i) AMBIT_DONE(tasks.open(sensor, i));
    say("opened", std::chrono::steady_clock::now() - start);
    EXPECT_EQ(programs_of_this_process(), programs_with_one);
    std::printf("maps: %zu KiB with one task, %zu KiB with %zu\n", bytes_with_one >> 10U,
                map_bytes_of_this_process() >> 10U, count);
  }

  /// Lets the processes go and waits until each has tried.
  void let_all_try(Crowd& crowd, pipeline::Holders* holders, std::size_t count) const {
    const auto start = std::chrono::steady_clock::now();
    crowd.let_go();
    ASSERT_TRUE(eventually(
        [&] {
          listener_.accept_all();
          if (holders != nullptr) holders->tend();
          return crowd.reap() == count;
        },
        120s));
    say("all have tried", std::chrono::steady_clock::now() - start);
  }

  void expect_each_bound_by_its_own_scope(std::size_t count) {
    ManyTasks tasks(scratch_, count, listener_.port());
    auto sensor = open_sensor();
    AMBIT_DONE(sensor);
    open_all(**sensor, tasks, count);
    if (HasFatalFailure()) return;
    const auto trying = attempt(tasks, count);
    auto crowd = Crowd::start(count, trying);
    AMBIT_DONE(crowd);
    AMBIT_DONE(bind(**sensor, **crowd, count));
    std::unique_ptr<pipeline::Holders> holders;
    if (on_portable()) {
      auto started = answer_opens(**sensor, tasks);
      AMBIT_DONE(started);
      holders = std::move(*started);
    }
    const Tries free{};
    EXPECT_EQ(trying(0), free) << "outside every task";
    let_all_try(**crowd, holders.get(), count);
    if (HasFatalFailure()) return;
    const Tries wanted{0, EPERM, EPERM, 0, EPERM};
    for (std::size_t i = 0; i < count; ++i) {
      const Tries* const tries = (*crowd)->tries(i);
      ASSERT_NE(tries, nullptr) << "process " << i << " has not said";
      EXPECT_EQ(*tries, wanted) << "process " << i;
    }
    EXPECT_EQ(trying(0), free) << "outside every task";
    if (holders) {
      EXPECT_EQ(holders->shared().replaced.load(), 0U) << "holders taken for dead";
      EXPECT_EQ(holders->shared().mark_failed.load(), 0U);
    }
  }

  static void say(const char* what, std::chrono::steady_clock::duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    std::printf("%s in %ld ms\n", what, static_cast<long>(ms.count()));
  }

  Scratch scratch_;
  Listener listener_;
};

TEST_F(TasksOnOneSensor, AThousandAreEachBoundByTheirOwnScopeWithTheProgramsOfOne) {
  expect_each_bound_by_its_own_scope(1000);
}

TEST_F(TasksOnOneSensor, AsManyAsAreAskedForAreToo) {
  const char* const asked = std::getenv("AMBIT_TASKS");
  if (asked == nullptr) GTEST_SKIP() << "AMBIT_TASKS says how many; 10,000 take minutes";
  expect_each_bound_by_its_own_scope(std::stoul(asked));
}

}  // namespace
}  // namespace ambit::probe
