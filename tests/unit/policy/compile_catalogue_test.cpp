// SPDX-License-Identifier: Apache-2.0
// What existing files become when a catalogue is compiled: links, symlinks, several credentials.
#include <gtest/gtest.h>

#include "tests/unit/policy/compile_probe.h"

namespace ambit::policy {
namespace {

using probe::CatalogueProbe;
using probe::Texts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(CompileCatalogue, AHardLinkElsewhereIsTheCredential) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.file("/h/.aws/credentials");
  probe.files.hard_link("/tmp/innocent", "/h/.aws/credentials");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/tmp/innocent"), ElementsAre(0));
}

TEST(CompileCatalogue, AFileThatIsMadeLaterIsTheCredential) {
  CatalogueProbe probe({{"/h/.aws/credentials"}, {"/h/.config/gh/**"}});
  probe.files.directory("/h");
  ASSERT_EQ(probe.start(), "");
  probe.files.file("/h/.aws/credentials");
  probe.files.file("/h/.config/gh/hosts.yml");
  EXPECT_THAT(probe.is("/h/.aws/credentials"), ElementsAre(0));
  EXPECT_THAT(probe.is("/h/.config/gh/hosts.yml"), ElementsAre(1));
}

TEST(CompileCatalogue, AFileThatIsRenamedAwayIsStillTheCredential) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.file("/h/.aws/credentials");
  ASSERT_EQ(probe.start(), "");
  probe.files.directory("/tmp");
  probe.files.rename("/h/.aws/credentials", "/tmp/x");
  EXPECT_THAT(probe.is("/tmp/x"), ElementsAre(0));
}

TEST(CompileCatalogue, WhatASymlinkLeadsToIsTheCredentialUnderEveryName) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.symlink("/h/.aws/credentials", "/srv/dotfiles/aws");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/h/.aws/credentials"), ElementsAre(0));
  EXPECT_THAT(probe.is("/srv/dotfiles/aws"), ElementsAre(0));
}

TEST(CompileCatalogue, TheTargetOfASymlinkIsTheCredentialAfterItWasReplaced) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.symlink("/h/.aws/credentials", "/srv/dotfiles/aws");
  ASSERT_EQ(probe.start(), "");
  probe::replace(probe.files, "/srv/dotfiles/aws");
  EXPECT_THAT(probe.is("/h/.aws/credentials"), ElementsAre(0));
}

TEST(CompileCatalogue, TheTargetsDirectoryMadeAnewHasTheCredential) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.symlink("/h/.aws/credentials", "/srv/dotfiles/aws");
  ASSERT_EQ(probe.start(), "");
  probe.files.remove("/srv/dotfiles");
  probe.files.file("/srv/dotfiles/aws");
  EXPECT_THAT(probe.is("/h/.aws/credentials"), ElementsAre(0));
}

TEST(CompileCatalogue, ASymlinkWidensToNoFileBesideItsTarget) {
  CatalogueProbe probe({{"/h/.aws/credentials"}, {"/h/.config/**"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.file("/srv/dotfiles/vimrc");
  probe.files.symlink("/h/.aws/credentials", "/srv/dotfiles/aws");
  probe.files.symlink("/h/.config/gh", "/srv/dotfiles/gh");
  probe.files.file("/srv/dotfiles/gh");
  ASSERT_EQ(probe.start(), "");
  probe.files.file("/srv/dotfiles/later");
  probe.files.file("/srv/dotfiles/other/aws");
  for (const char* path : {"/srv/dotfiles/vimrc", "/srv/dotfiles/later", "/srv/dotfiles/other/aws"})
    EXPECT_THAT(probe.is(path), IsEmpty()) << path;
  EXPECT_THAT(probe.is("/srv/dotfiles/gh"), ElementsAre(1));
}

TEST(CompileCatalogue, ATargetThatIsACredentialByItselfIsBothAlsoAfterItWasReplaced) {
  CatalogueProbe probe({{"/h/.aws/credentials"}, {"/srv/dotfiles/**"}});
  probe.files.file("/srv/dotfiles/aws");
  probe.files.symlink("/h/.aws/credentials", "/srv/dotfiles/aws");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/srv/dotfiles/aws"), UnorderedElementsAre(0, 1));
  probe::replace(probe.files, "/srv/dotfiles/aws");
  EXPECT_THAT(probe.is("/srv/dotfiles/aws"), UnorderedElementsAre(0, 1));
}

TEST(CompileCatalogue, AnExcludedSymlinkMakesNothingOfItsTarget) {
  CatalogueProbe probe({Texts{"/h/.ssh/**", "!/h/.ssh/config"}});
  probe.files.file("/srv/dotfiles/ssh-config");
  probe.files.symlink("/h/.ssh/config", "/srv/dotfiles/ssh-config");
  probe.files.file("/h/.ssh/id");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/h/.ssh/config"), IsEmpty());
  EXPECT_THAT(probe.is("/h/.ssh/id"), ElementsAre(0));
}

TEST(CompileCatalogue, AnExcludedTargetIsNone) {
  CatalogueProbe probe({Texts{"/h/.ssh/**", "!/srv/public/**"}});
  probe.files.file("/srv/public/key");
  probe.files.symlink("/h/.ssh/key", "/srv/public/key");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/h/.ssh/key"), IsEmpty());
}

TEST(CompileCatalogue, ASymlinkToTheNullDeviceDoesNotMakeThatACredential) {
  CatalogueProbe probe({{"/h/.netrc"}, {"/h/.config/gh/**"}, {"/dev/secret"}});
  for (const char* device : {"/dev/null", "/dev/secret"}) probe.files.device(device);
  probe.files.symlink("/h/.netrc", "/dev/null");
  probe.files.symlink("/h/.config/gh/x", "/dev/null");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/dev/null"), IsEmpty());
  EXPECT_THAT(probe.is("/dev/secret"), ElementsAre(2));
}

TEST(CompileCatalogue, ASymlinkToAPartOfTheSystemDoesNotMakeThatACredential) {
  CatalogueProbe probe({{"/h/.ssh/**"}, {"/usr/share/app/token"}});
  probe.files.file("/usr/lib/libc.so.6");
  probe.files.file("/usr/share/app/token");
  probe.files.symlink("/lib", "/usr/lib");
  probe.files.symlink("/h/.ssh/planted", "/lib/libc.so.6");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/lib/libc.so.6"), IsEmpty());
  EXPECT_THAT(probe.is("/usr/share/app/token"), ElementsAre(1)) << "this one was declared";
}

TEST(CompileCatalogue, ADirectoryThatIsASymlinkIsFollowed) {
  CatalogueProbe probe({{"/h/.aws/credentials"}});
  probe.files.directory("/srv/dotfiles/aws");
  probe.files.symlink("/h/.aws", "/srv/dotfiles/aws");
  ASSERT_EQ(probe.start(), "");
  probe.files.file("/srv/dotfiles/aws/credentials");
  probe.files.file("/srv/dotfiles/aws/config");
  EXPECT_THAT(probe.is("/h/.aws/credentials"), ElementsAre(0));
  EXPECT_THAT(probe.is("/h/.aws/config"), IsEmpty());
}

TEST(CompileCatalogue, ATokenIsTheCredentialAfterItsDirectoryWasSwapped) {
  CatalogueProbe probe({{"/run/s/token"}});
  probe.files.file("/run/s/..1/token");
  probe.files.symlink("/run/s/..data", "..1");
  probe.files.symlink("/run/s/token", "..data/token");
  ASSERT_EQ(probe.start(), "");
  probe.files.file("/run/s/..2/token");
  probe.files.file("/run/s/..2/ca.crt");
  probe.files.symlink("/run/s/..data", "..2");
  EXPECT_THAT(probe.is("/run/s/token"), ElementsAre(0));
  EXPECT_THAT(probe.is("/run/s/..data/ca.crt"), IsEmpty());
}

TEST(CompileCatalogue, FiveCredentialsOfOnePatternAreAnError) {
  CatalogueProbe probe({{"/d/x"}, {"/d/x"}, {"/d/x"}, {"/d/x"}, {"/d/x"}});
  probe.files.directory("/d");
  EXPECT_EQ(probe.start(), "pattern /d/x: more than 4 credentials name it");
}

TEST(CompileCatalogue, FiveCredentialsThatExcludeOnePatternAreAnErrorThatSaysSo) {
  const Texts excluding{"/d/**", "!**/*.pub"};
  CatalogueProbe probe({excluding, excluding, excluding, excluding, {"!**/*.pub"}});
  EXPECT_EQ(probe.start(), "pattern **/*.pub: more than 4 credentials exclude it");
}

TEST(CompileCatalogue, FiveCredentialsOfAFileThatExistsAreAnError) {
  CatalogueProbe probe({{"/d/abcd*"}, {"/d/abc*e"}, {"/d/ab*de"}, {"/d/a*cde"}, {"/d/*bcde"}});
  probe.files.file("/d/abcde");
  EXPECT_EQ(probe.start(), "/d/abcde: more than 4 credentials name it");
}

TEST(CompileCatalogue, FiveCredentialsOfOneFileUnderSeveralNamesAreAnError) {
  CatalogueProbe probe({{"/d/a"}, {"/d/b"}, {"/d/c"}, {"/d/d"}, {"/d/e"}});
  probe.files.file("/d/a");
  for (const char* name : {"/d/b", "/d/c", "/d/d", "/d/e"}) probe.files.hard_link(name, "/d/a");
  EXPECT_THAT(probe.start(), HasSubstr("more than 4 credentials name it"));
}

TEST(CompileCatalogue, FiveSymlinksOfFiveCredentialsToOneFileAreAnError) {
  CatalogueProbe probe({{"/d/a"}, {"/d/b"}, {"/d/c"}, {"/d/d"}, {"/d/e"}});
  probe.files.file("/srv/all");
  for (const char* name : {"/d/a", "/d/b", "/d/c", "/d/d", "/d/e"})
    probe.files.symlink(name, "/srv/all");
  EXPECT_EQ(probe.start(), "pattern /srv/all: more than 4 credentials name it");
}

TEST(CompileCatalogue, FourCredentialsOfOneFileAreAllFour) {
  CatalogueProbe probe({{"/d/x"}, {"/d/x"}, {"/d/x"}, {"/d/x"}});
  probe.files.file("/d/x");
  ASSERT_EQ(probe.start(), "");
  EXPECT_THAT(probe.is("/d/x"), ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace ambit::policy
