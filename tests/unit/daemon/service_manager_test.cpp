// SPDX-License-Identifier: Apache-2.0
// What systemd hears, at a socket of the kind that it has.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>  // Asio of Boost 1.74 and 1.81 needs it first under C++23

#include "tests/unit/daemon/notify_socket.h"
#include "userspace/base/descriptor.h"
#include "userspace/daemon/heartbeat.h"

namespace ambit::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AServiceManager : public testing::Test {
 protected:
  AServiceManager() {
    std::string name = "/tmp/ambit-notify.XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~AServiceManager() override {
    for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
      ::unsetenv(name);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  void listen_at(const std::string& path) {
    ASSERT_NO_FATAL_FAILURE(socket_.listen_at(path));
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  [[nodiscard]] std::vector<std::string> heard() const { return socket_.heard(); }
  Heartbeat heartbeat() {
    return {io_, ServiceManager::from_environment(), log_, [this] { return status_; }};
  }

  std::string directory_;
  probe::NotifySocket socket_;
  boost::asio::io_context io_{1};
  Descriptor nowhere_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Log log_{LogOptions{}, nowhere_.get()};
  std::string status_ = "portable, 0 tasks";
};

TEST_F(AServiceManager, HearsAtAPathOrAnAbstractName) {
  for (const std::string& path :
       {directory_ + "/notify", "@ambit-notify-" + std::to_string(::getpid())}) {
    listen_at(path);
    EXPECT_TRUE(ServiceManager::from_environment().tell("READY=1"));
    EXPECT_THAT(heard(), ElementsAre("READY=1")) << path;
  }
}

TEST_F(AServiceManager, IsForThisProcessAlone) {
  listen_at(directory_ + "/notify");
  ::setenv("WATCHDOG_USEC", "500000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceManager::from_environment().watchdog(), 500ms);
  for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(std::getenv(name), nullptr) << name;
  ::setenv("WATCHDOG_USEC", "500000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager::from_environment().watchdog()) << "meant for another";
}

TEST_F(AServiceManager, IsNoErrorWhereItIsMissingAndOneWhereItDoesNotListen) {
  EXPECT_TRUE(ServiceManager::from_environment().tell("READY=1"));
  for (const std::string& path : {std::string("relative"), directory_ + "/none",
                                  std::string("x", 1), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_FALSE(ServiceManager::from_environment().tell("READY=1")) << path;
  }
}

TEST_F(AServiceManager, HearsTheLoopsSignsOfLifeTwiceInItsLimitAndNoneOfALoopThatHangs) {
  listen_at(directory_ + "/notify");
  ::setenv("WATCHDOG_USEC", "200000", 1);
  Heartbeat beat = heartbeat();
  beat.ready();
  EXPECT_THAT(heard(), ElementsAre("READY=1\nSTATUS=portable, 0 tasks"));
  io_.run_for(550ms);
  const std::size_t beats = heard().size();
  EXPECT_GE(beats, 3U);
  EXPECT_LE(beats, 5U);
  std::this_thread::sleep_for(300ms);  // no turn of the loop
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(AServiceManager, HearsWhatChangedAndTheEnd) {
  listen_at(directory_ + "/notify");
  Heartbeat beat = heartbeat();
  beat.ready();
  status_ = "portable, 1 tasks\nREADY=0";
  io_.run_for(1200ms);
  const auto all = heard();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1], "STATUS=portable, 1 tasks\\nREADY=0") << "a line stays a line";
  beat.stopping();
  EXPECT_THAT(heard(), ElementsAre("STOPPING=1\nSTATUS=stopping"));
}

}  // namespace
}  // namespace ambit::daemon
