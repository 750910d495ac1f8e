// SPDX-License-Identifier: Apache-2.0
// What the portable backend asks about, and above all what it does not: every opener waits there.
#include "userspace/policy/marks.h"

#include <gtest/gtest.h>

#include "tests/unit/policy/compile_probe.h"

namespace ambit::policy {
namespace {

using probe::CatalogueProbe;
using probe::Texts;

using testing::IsEmpty;

using testing::UnorderedElementsAre;

MarkPlan plan(const CatalogueProbe& probe, const std::vector<std::string>& homes = {"/home/a"}) {
  return plan_marks(probe.expanded(), homes, probe.files);
}

TEST(Marks, AFileAndItsDirectoryAreAskedAbout) {
  CatalogueProbe probe({{"/home/a/.aws/credentials"}});
  probe.files.file("/home/a/.aws/credentials");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.files, UnorderedElementsAre("/home/a/.aws/credentials"));
  EXPECT_THAT(marks.directories, UnorderedElementsAre("/home/a/.aws"));
  EXPECT_THAT(marks.unmarked, IsEmpty());
}

TEST(Marks, ADirectoryIsAskedAboutBeforeItsFileExists) {
  CatalogueProbe probe({{"/home/a/.aws/credentials"}});
  probe.files.directory("/home/a/.aws");
  EXPECT_THAT(plan(probe).directories, UnorderedElementsAre("/home/a/.aws"));
}

TEST(Marks, DirectoriesThatEverybodyUsesAreNot) {
  CatalogueProbe probe({{"/etc/shadow"}, {"/home/a/.netrc"}, {"/tmp/krb5cc_*"}});
  for (const char* file : {"/etc/shadow", "/home/a/.netrc", "/tmp/krb5cc_1"})
    probe.files.file(file);
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.files, UnorderedElementsAre("/etc/shadow", "/home/a/.netrc", "/tmp/krb5cc_1"));
  EXPECT_THAT(marks.directories, IsEmpty());
  EXPECT_THAT(marks.unmarked, UnorderedElementsAre("/etc", "/home/a", "/tmp"));
}

TEST(Marks, AHomeThatIsASymlinkIsNot) {
  CatalogueProbe probe({{"/home/a/.netrc"}});
  probe.files.file("/data/a/.netrc");
  probe.files.symlink("/home/a", "/data/a");
  EXPECT_THAT(plan(probe).directories, IsEmpty());
}

TEST(Marks, ADirectoryWithMuchElseIsNot) {
  CatalogueProbe probe({{"/srv/app/token"}});
  for (int i = 0; i < 64; ++i) probe.files.file("/srv/app/" + std::to_string(i));
  EXPECT_THAT(plan(probe).directories, UnorderedElementsAre("/srv/app"));
  probe.files.file("/srv/app/one-more");
  EXPECT_THAT(plan(probe).directories, IsEmpty());
}

TEST(Marks, EveryDirectoryOfASubtreeIsAskedAbout) {
  CatalogueProbe probe({{"/home/a/.config/gcloud/**"}});
  probe.files.file("/home/a/.config/gcloud/legacy/x/adc.json");
  EXPECT_THAT(plan(probe).directories,
              UnorderedElementsAre("/home/a/.config/gcloud", "/home/a/.config/gcloud/legacy",
                                   "/home/a/.config/gcloud/legacy/x"));
}

TEST(Marks, TheDirectoryOfASymlinksTargetIsAskedAbout) {
  CatalogueProbe probe({{"/home/a/.aws/credentials"}, {"/home/a/.config/gh/**"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.file("/srv/more/gh");
  probe.files.symlink("/home/a/.aws/credentials", "/srv/dotfiles/aws");
  probe.files.symlink("/home/a/.config/gh/hosts.yml", "/srv/more/gh");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.directories, UnorderedElementsAre("/home/a/.aws", "/home/a/.config/gh",
                                                      "/srv/dotfiles", "/srv/more"));
}

TEST(Marks, TheDirectoryOfATargetIsNotWhereItIsSharedOrLarge) {
  CatalogueProbe probe({{"/home/a/.aws/credentials"}, {"/home/a/.aws/config"}});
  probe.files.file("/home/a/dot-aws");
  probe.files.symlink("/home/a/.aws/credentials", "/home/a/dot-aws");
  for (int i = 0; i < 65; ++i) probe.files.file("/srv/large/" + std::to_string(i));
  probe.files.symlink("/home/a/.aws/config", "/srv/large/1");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.directories, UnorderedElementsAre("/home/a/.aws"));
  EXPECT_THAT(marks.unmarked, UnorderedElementsAre("/home/a", "/srv/large"));
}

TEST(Marks, WhatAllOfTheMachineOpensIsNotAskedAboutThroughASymlink) {
  CatalogueProbe probe({{"/home/a/.netrc"}, {"/home/a/.aws/**"}});
  probe.files.device("/dev/null");
  probe.files.file("/usr/lib/libc.so.6");
  probe.files.symlink("/home/a/.aws/planted", "/usr/lib/libc.so.6");
  probe.files.symlink("/home/a/.netrc", "/dev/null");
  probe.files.symlink("/home/a/.aws/credentials", "/dev/null");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.files, IsEmpty());
  EXPECT_THAT(marks.directories, UnorderedElementsAre("/home/a/.aws"));
}

TEST(Marks, WhatIsKnownByNameAloneHasNone) {
  CatalogueProbe probe({Texts{"**/.env", "!/home/a/.aws/credentials"}});
  probe.files.file("/home/a/.aws/credentials");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.files, IsEmpty());
  EXPECT_THAT(marks.directories, IsEmpty());
}

TEST(Marks, NewNamesAreWatchedWhereAFileOfTheCatalogueWouldStand) {
  CatalogueProbe probe({{"/home/a/.aws/credentials"}, {"/home/a/.netrc"}});
  probe.files.directory("/home/a/.aws");
  const MarkPlan marks = plan(probe);
  EXPECT_THAT(marks.watched, UnorderedElementsAre("/home/a/.aws", "/home/a"));
  EXPECT_THAT(marks.awaited, IsEmpty());
}

TEST(Marks, TheFirstDirectoryThatIsMissingOnTheWayIsAwaited) {
  CatalogueProbe probe({{"/home/a/.config/gcloud/**"}, {"/home/a/.config/gh/hosts.yml"}});
  probe.files.directory("/home/a");
  EXPECT_THAT(plan(probe).watched, UnorderedElementsAre("/home/a"));
  EXPECT_THAT(plan(probe).awaited, UnorderedElementsAre("/home/a/.config"));
  probe.files.directory("/home/a/.config");
  EXPECT_THAT(plan(probe).watched, UnorderedElementsAre("/home/a/.config"));
  EXPECT_THAT(plan(probe).awaited,
              UnorderedElementsAre("/home/a/.config/gcloud", "/home/a/.config/gh"));
}

TEST(Marks, AnyDirectoryIsAwaitedWhereAStarStandsForIt) {
  CatalogueProbe probe({{"/home/a/.mozilla/*/logins.json"}});
  probe.files.file("/home/a/.mozilla/x/logins.json");
  EXPECT_THAT(plan(probe).watched, UnorderedElementsAre("/home/a/.mozilla", "/home/a/.mozilla/x"));
  EXPECT_THAT(plan(probe).awaited, UnorderedElementsAre("/home/a/.mozilla/*"));
}

}  // namespace
}  // namespace ambit::policy
