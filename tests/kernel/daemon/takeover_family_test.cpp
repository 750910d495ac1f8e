// SPDX-License-Identifier: Apache-2.0
// A parent and its child when the daemon dies: the next one knows whose child it is.
#include "tests/kernel/daemon/delegation.h"

namespace ambit::probe {
namespace {

class AFamilyWhoseDaemonDied : public Delegation {
 protected:
  void die_and_go_on() {
    node_.kill();
    node_.start();
    ASSERT_TRUE(node_.is_ready()) << node_.process().err();
  }
};

TEST_F(AFamilyWhoseDaemonDied, IsAFamilyToTheNextOne) {
  const Json parent = node_.open(wide(), boss_.pid());
  Shell worker(boss_, "worker");
  Shell second(boss_, "second");
  const Json child = opened(boss_, narrow(), worker.pid());
  ASSERT_NO_FATAL_FAILURE(die_and_go_on());

  EXPECT_EQ(text_at(node_.show(text_at(child, "/id")), "/parent"), text_at(parent, "/id"));
  EXPECT_TRUE(worker.act("open " + mine_).done());
  EXPECT_TRUE(worker.act("open " + theirs_).refused());
  EXPECT_TRUE(boss_.act("open " + theirs_).done()) << "the parent still may";
  const std::vector<Json> findings = findings_about(theirs_);
  ASSERT_EQ(findings.size(), 1U) << summary(node_.events().findings());
  ASSERT_EQ(at(findings[0], "/task/chain").size(), 1U) << findings[0].dump(1);
  EXPECT_EQ(text_at(at(findings[0], "/task/chain")[0], "/id"), text_at(parent, "/id"));

  EXPECT_TRUE(second.act("open " + theirs_).done()) << "before it is delegated";
  static_cast<void>(opened(boss_, narrow("later"), second.pid()));
  EXPECT_TRUE(second.act("open " + theirs_).refused());
  EXPECT_TRUE(second.act("open " + mine_).done());

  const Ended late = node_.task({"extend", text_at(child, "/id"), "--ttl", "2h"});
  EXPECT_THAT(late.out, testing::HasSubstr("no task outlives its parent"));
  EXPECT_EQ(node_.task({"close", text_at(parent, "/id")}).exit, 0);
  for (Shell* const shell : {&boss_, &worker, &second})
    EXPECT_TRUE(shell->act("open " + mine_).refused());
}

}  // namespace
}  // namespace ambit::probe
