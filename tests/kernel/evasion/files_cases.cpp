// SPDX-License-Identifier: Apache-2.0
// F1 to F13, F18 to F21, E6, E8: ways to open a secret.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/kernel/evasion/stage.h"

namespace ambit::probe::evasion {
namespace {

namespace fs = std::filesystem;

void make_with_link(Place& place) {
  place.make_secret(place.way->secret);
  fs::create_hard_link(place.secret(), place.at("other"));
}

void make_directory(Place& place) { fs::create_directories(place.directory()); }

void make_nothing(Place&) {}

void make_secret(Place& place) { place.make_secret(place.way->secret); }

void replace(Place& place) {
  place.make_secret(".aws/new");
  fs::rename(place.at(".aws/new"), place.secret());
}

/// As kubelet turns a projected token over: a link to a directory is swapped.
void make_projected(Place& place) {
  place.make_secret(".aws/..1/credentials");
  fs::create_directory_symlink("..1", place.at(".aws/..data"));
  fs::create_symlink("..data/credentials", place.secret());
}

void turn_over(Place& place) {
  place.make_secret(".aws/..2/credentials");
  fs::create_directory_symlink("..2", place.at(".aws/..new"));
  fs::rename(place.at(".aws/..new"), place.at(".aws/..data"));
  fs::remove_all(place.at(".aws/..1"));
}

void mount_over(Place& place) {
  const std::string at = place.directory();
  if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "") != 0) return;
  place.kept.push_back(std::shared_ptr<std::string>(new std::string(at), [](std::string* where) {
    ::umount2(where->c_str(), MNT_DETACH);
    delete where;
  }));
  place.make_secret(place.way->secret);
}

void rename_secret(Place& place) { fs::rename(place.secret(), place.at("other")); }
void rename_directory(Place& place) { fs::rename(place.directory(), place.at("moved")); }

void make_on_reflinks(Place& place) {
  const std::string name = "secret-" + std::to_string(static_cast<int>(place.phase));
  fs::create_directories(place.directory());
  const std::string path = place.outside->reflinks() + "/" + name;
  fs::copy_file(place.make_secret("plain-copy"), path);
  place.note(path);
  fs::create_symlink(path, place.secret());
}

constexpr const char* kLong = "a-directory-with-a-name-that-is-long";
constexpr int kLevels = 150;

void make_deep(Place& place) {
  const std::string content = std::string(kSecretWord) + place.scratch->fresh("deep");
  fs::create_directories(place.at(".aws"));
  Descriptor at(::open(place.at(".aws").c_str(), O_PATH | O_CLOEXEC));
  for (int i = 0; i < kLevels; ++i) {
    ::mkdirat(at.get(), kLong, 0755);
    at = Descriptor(::openat(at.get(), kLong, O_PATH | O_CLOEXEC));
  }
  const Descriptor file(::openat(at.get(), "deep", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (::write(file.get(), content.data(), content.size()) > 0) place.contents.insert(content);
  place.identities.push_back(identity_of("/proc/self/fd/" + std::to_string(file.get())));
}

constexpr const char* kLandlock =
    "Landlock keeps processes of the task from those outside before any hook of ours is asked, "
    "and reports nothing. Kernel audit can show it (Landlock logs from 6.15 on).";

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

}  // namespace

std::vector<Case> file_cases() {
  const auto reads = [](std::string row, std::string name, Words argv) {
    return Case{.row = std::move(row),
                .name = std::move(name),
                .kind = Kind::reads,
                .argv = std::move(argv)};
  };
  const auto with = [](Case way, Step before, Step meanwhile) {
    way.before = before;
    way.meanwhile = meanwhile;
    return way;
  };
  const auto at = [](Case way, std::string secret) {
    way.secret = std::move(secret);
    return way;
  };
  std::vector<Case> all{
      reads("F1", "open", {"open", "{secret}"}),
      reads("F1", "path with dots", {"open", "{at}/.aws/../.aws/./credentials"}),
      reads("F1", "path with many slashes", {"open", "{at}//.aws///credentials"}),
      reads("F1", "relative to a directory", {"openat", "{directory}", "credentials"}),
      reads("F1", "after chdir", {"chdir", "{directory}", "open", "credentials"}),
      reads("F1", "openat2", {"openat2", "{directory}", "credentials", "0"}),
      reads("F1", "openat2 RESOLVE_NO_XDEV", {"openat2", "{directory}", "credentials", "1"}),
      reads("F1", "openat2 RESOLVE_NO_MAGICLINKS", {"openat2", "{directory}", "credentials", "2"}),
      reads("F1", "openat2 RESOLVE_NO_SYMLINKS", {"openat2", "{directory}", "credentials", "4"}),
      reads("F1", "openat2 RESOLVE_BENEATH", {"openat2", "{directory}", "credentials", "8"}),
      reads("F1", "openat2 RESOLVE_IN_ROOT", {"openat2", "{directory}", "/credentials", "16"}),
      reads("F1", "openat2 RESOLVE_CACHED", {"openat2", "{directory}", "credentials", "32"}),
      reads("F1", "symlink", {"symlink", "{secret}", "{at}/other", "open", "{at}/other"}),
      reads("F1", "symlink to a symlink",
            {"symlink", "{secret}", "{at}/one", "symlink", "one", "{at}/two", "open", "{at}/two"}),
      reads("F1", "symlink to the directory",
            {"symlink", "{directory}", "{at}/other", "open", "{at}/other/credentials"}),
      reads("F2", "hard link", {"link", "{secret}", "{at}/other", "open", "{at}/other"}),
      reads("F2", "hard link of a hard link",
            {"link", "{secret}", "{at}/one", "link", "{at}/one", "{at}/two", "open", "{at}/two"}),
      reads("F2", "hard link of a renamed secret",
            {"rename", "{secret}", "{at}/one", "link", "{at}/one", "{at}/two", "open", "{at}/two"}),
      reads("F2", "hard link of a descriptor",
            {"link-descriptor", "{secret}", "{at}/other", "open", "{at}/other"}),
      with(reads("F2", "hard link from before", {"open", "{at}/other"}), make_with_link, nullptr),
      with(reads("F2", "hard link of a secret made later",
                 {"link", "{secret}", "{at}/other", "open", "{at}/other"}),
           make_directory, make_secret),
      reads("F3", "rename", {"rename", "{secret}", "{at}/other", "open", "{at}/other"}),
      reads("F3", "rename of the directory",
            {"rename", "{directory}", "{at}/moved", "open", "{at}/moved/credentials"}),
      reads("F3", "exchange", {"exchange", "{secret}", "{plain}", "open", "{plain}"}),
      reads("F3", "exchange of the directory",
            {"exchange", "{directory}", "{mount}", "open", "{mount}/credentials"}),
      with(reads("F3", "rename of a secret made later",
                 {"rename", "{secret}", "{at}/other", "open", "{at}/other"}),
           make_directory, make_secret),
      at(with(reads("F3", "rename of a directory with a secret made later",
                    {"rename", "{directory}", "{at}/moved", "open", "{at}/moved/later"}),
              make_directory, make_secret),
         ".aws/cache/later"),
      with(reads("F3", "rename by another", {"open", "{at}/other"}), make_secret, rename_secret),
      with(reads("F3", "rename of the directory by another", {"open", "{at}/moved/credentials"}),
           make_secret, rename_directory),
      with(reads("F4", "replaced by rename", {"open", "{secret}"}), make_secret, replace),
      with(reads("F4", "projected token turned over", {"open", "{secret}"}), make_projected,
           turn_over),
      with(reads("F4", "tmpfs mounted over", {"open", "{secret}"}), make_secret, mount_over),
      reads("F5", "bind mount", {"bind", "{directory}", "{mount}", "open", "{mount}/credentials"}),
      reads("F5", "bind mount of the file", {"bind", "{secret}", "{plain}", "open", "{plain}"}),
      reads("F5", "recursive bind mount",
            {"bind-all", "{at}/.aws", "{mount}", "open", "{mount}/credentials"}),
      reads("F5", "bind mount by open_tree and move_mount",
            {"new-bind", "{directory}", "{mount}", "open", "{mount}/credentials"}),
      reads("F5", "tree of mounts that stands nowhere", {"tree", "{directory}", "credentials"}),
      reads("F5", "private mount namespace", {"in-mount-namespace", "open", "{secret}"}),
      reads("F5", "bind mount in a user namespace",
            {"in-user-namespace", "bind", "{directory}", "{mount}", "open", "{mount}/credentials"}),
      reads("F5", "chroot", {"chroot", "{at}", "open", "/.aws/credentials"}),
      reads("F5", "pivot_root", {"pivot", "{at}", "open", "/.aws/credentials"}),
      at(with(reads("F5", "bind mount of a directory with a secret made later",
                    {"bind", "{directory}", "{mount}", "open", "{mount}/later"}),
              make_directory, make_secret),
         ".aws/cache/later"),
      at(with(reads("F5", "chroot into a directory with a secret made later",
                    {"chroot", "{directory}", "open", "/later"}),
              make_directory, make_secret),
         ".aws/cache/later"),
      reads("F6", "root of another process", {"open", "/proc/{tester}/root{secret}"}),
      reads("F6", "own root", {"open", "/proc/self/root{secret}"}),
      reads("F6", "root of a thread", {"open", "/proc/thread-self/root{secret}"}),
      reads("F6", "working directory",
            {"chdir", "{directory}", "open", "/proc/self/cwd/credentials"}),
      reads("F6", "descriptor of another process", {"open", "/proc/{tester}/fd/{held}"}),
      reads("F6", "mapping of another process", {"open", "/proc/{tester}/map_files/{mapping}"}),
      reads("F7", "reopened O_PATH descriptor", {"opath", "{secret}"}),
      reads("F8", "open by handle", {"handle", "{secret}"}),
      reads("F8", "handle from another process", {"given-handle", "{handle}", "{at}"}),
      reads("F9", "overlay",
            {"overlay", "{directory}", "{layers}", "open", "{layers}/merged/credentials"}),
      reads("F9", "overlay copied up by chmod",
            {"overlay", "{directory}", "{layers}", "chmod", "{layers}/merged/credentials", "600",
             "open", "{layers}/upper/credentials"}),
      reads("F9", "overlay copied up by chmod and merged",
            {"overlay", "{directory}", "{layers}", "chmod", "{layers}/merged/credentials", "600",
             "open", "{layers}/merged/credentials"}),
      reads("F9", "overlay with a hard link",
            {"overlay", "{directory}", "{layers}", "link", "{layers}/merged/credentials",
             "{layers}/merged/other", "open", "{layers}/upper/other"}),
      reads("F9", "overlay in a user namespace",
            {"in-user-namespace", "overlay", "{directory}", "{layers}", "open",
             "{layers}/merged/credentials"}),
      reads("F10", "mmap", {"mmap", "{secret}"}),
      reads("F11", "sendfile", {"sendfile", "{secret}"}),
      reads("F11", "splice", {"splice", "{secret}"}),
      reads("F11", "splice and tee", {"tee", "{secret}"}),
      reads("F11", "copy_file_range", {"copy-range", "{secret}", "{at}/copy"}),
      with(reads("F12", "FICLONE", {"reflink", "{secret}", "{reflink}"}), make_on_reflinks,
           nullptr),
      reads("F13", "io_uring openat", {"uring", "{secret}"}),
      reads("F13", "io_uring openat by a worker", {"uring-worker", "{secret}"}),
      reads("F13", "io_uring openat by a poller", {"uring-poller", "{secret}"}),
      reads("F13", "io_uring openat2", {"uring-openat2", "{secret}"}),
      reads("F13", "io_uring into its own table", {"uring-direct", "{secret}"}),
      reads("F13", "io_uring splice", {"uring-splice", "{secret}"}),
      at(reads("F18", "string changed by another thread", {"swap-string", "{plain}", "{at}/fault"}),
         "fault"),
      reads("F18", "symlink that is swapped", {"swap-symlink", "{plain}", "{secret}", "{at}/link"}),
      reads("F18", "hard link that is swapped", {"swap-link", "{plain}", "{secret}", "{at}/link"}),
      reads("F18", "userfaultfd", {"late-name", "{secret}"}),
      at(reads("F19", "25 directories deep", {"open", "{secret}"}),
         ".aws/" + repeated("d/", 25) + "deep"),
      at(reads("F19", "300 directories deep", {"open", "{secret}"}),
         ".aws/" + repeated("d/", 300) + "deep"),
      with(reads("F19", "path longer than PATH_MAX",
                 {"open-deep", "{at}/.aws", kLong, std::to_string(kLevels), "deep"}),
           make_deep, nullptr),
      reads("F20", "int 0x80 open", {"int80", "{secret}"}),
      reads("F20", "int 0x80 openat", {"int80-openat", "{secret}"}),
      with(reads("F21", "made later", {"open", "{secret}"}), make_directory, make_secret),
      with(reads("F21", "made later with its directory", {"open", "{secret}"}), make_nothing,
           make_secret),
      at(with(
             reads("F21", "made later in a new directory", {"open", "{secret}"}),
             [](Place& place) { fs::create_directories(place.at(".aws")); }, make_secret),
         ".aws/cache/a/b/token"),
      reads("E6", "another comm", {"named", "sshd", "open", "{secret}"}),
      reads("E6", "another argv[0]", {"renamed", "sshd: agent", "open", "{secret}"}),
      at(reads("E8", "line feed, quotes and 0xff in the name", {"open-only", "{directory}"}),
         ".aws/odd/a\n\"b\\\x01\xff"),
      reads("E8", "argv of 2 MB", {"with-much", "open", "{secret}"}),
      reads("E8", "argv rewritten", {"with-other-arguments", "open", "{secret}"}),
  };
  for (Case& way : all) {
    if (way.row == "E6") way.real_program = true;
    if (way.secret == "fault") way.pattern = "fault";
  }
  Case late = reads("F21", "made later and matching a star", {"open", "{at}/tokens/t_1.pem"});
  late.secret = "tokens/t_1.pem";
  late.pattern = "tokens/t_*";
  late.before = make_directory;
  late.meanwhile = make_secret;
  all.push_back(late);
  add_short(all, {"path longer than PATH_MAX"},
            {"portable", Result::unreported,
             "The holder learns the name of a file by a link in /proc, which is no longer than "
             "PATH_MAX: what is deeper is refused, and no event says so.",
             "", true});
  add_short(
      all,
      {"root of another process", "descriptor of another process", "mapping of another process"},
      {"portable", Result::unreported, kLandlock, "", true});
  return all;
}

std::vector<Case> descriptor_cases() {
  const auto reads = [](std::string row, std::string name, Words argv) {
    return Case{.row = std::move(row),
                .name = std::move(name),
                .kind = Kind::reads,
                .argv = std::move(argv)};
  };
  std::vector<Case> all{
      reads("F7", "O_PATH descriptor from another process", {"receive-reopen", "{path-giver}"}),
      reads("F7", "inherited O_PATH descriptor", {"open", "/proc/self/fd/{inherited-path}"}),
      reads("F10", "mmap of an inherited descriptor", {"map-fd", "{inherited}"}),
      reads("F10", "mmap of a received descriptor", {"receive-map", "{giver}"}),
      reads("F10", "mmap of a descriptor taken by pidfd_getfd", {"take-map", "{tester}", "{held}"}),
      reads("F14", "inherited descriptor", {"read-at", "{inherited}"}),
      reads("F14", "inherited descriptor reopened", {"open", "/proc/self/fd/{inherited}"}),
      reads("F15", "SCM_RIGHTS", {"receive", "{giver}"}),
      reads("F15", "pidfd_getfd", {"take", "{tester}", "{held}"}),
      reads("F15", "seccomp ADDFD", {"be-given", "{supervisor}"}),
      reads("F15", "fanotify permission event", {"peek", "{secret}", "asks"}),
      reads("F15", "fanotify event", {"peek", "{secret}", "is-told"}),
      reads("F15", "IORING_OP_MSG_RING", {"be-messaged", "{messenger}"}),
  };
  for (const char* const backend : {"lsm", "fmod_ret", "portable"})
    add_short(all, {"IORING_OP_MSG_RING"},
              {backend, Result::missed,
               "The kernel asks nobody when a file goes from one ring to another, and reads of it "
               "are not judged. It takes a process outside that wants to help."});
  add_short(all, {"mmap of a received descriptor", "SCM_RIGHTS"},
            {"portable", Result::missed,
             "fanotify asks when a file is opened, and this one was opened outside. Keep sockets "
             "on which others hand out descriptors out of network.allow."});
  add_short(all, {"seccomp ADDFD"},
            {"portable", Result::unreported,
             "A process has one seccomp listener, and that of a task is Ambit's: it gets no other "
             "(EBUSY), and nothing reports that.",
             "", true});
  add_short(all, {"fanotify permission event", "fanotify event"},
            {"portable", Result::unreported,
             "The holders see no descriptor that fanotify makes: a task gets no group that hands "
             "them out (EPERM by seccomp), and nothing reports that.",
             "", true});
  add_short(all, {"mmap of a descriptor taken by pidfd_getfd", "pidfd_getfd"},
            {"portable", Result::unreported, kLandlock, "", true});
  return all;
}

std::vector<Case> change_cases() {
  const auto changes = [](std::string name, Words argv) {
    return Case{
        .row = "F22", .name = std::move(name), .kind = Kind::changes, .argv = std::move(argv)};
  };
  std::vector<Case> all{
      changes("overwrite", {"write", "{secret}", "overwritten"}),
      changes("append", {"append", "{secret}", "more"}),
      changes("truncate by open", {"open-truncate", "{secret}"}),
      changes("truncate by name", {"truncate", "{secret}"}),
      changes("unlink", {"unlink", "{secret}"}),
      changes("unlink by io_uring", {"uring-unlink", "{secret}"}),
      changes("rename over it", {"rename", "{plain}", "{secret}"}),
      changes("rename over it by io_uring", {"uring-rename", "{plain}", "{secret}"}),
      changes("exchange with it", {"exchange", "{plain}", "{secret}"}),
      changes("chmod", {"chmod", "{secret}", "777"}),
      changes("chmod by a descriptor", {"chmod-descriptor", "{secret}", "777"}),
      changes("chown", {"chown", "{secret}", "1000"}),
  };
  add_short(
      all,
      {"truncate by name", "unlink", "unlink by io_uring", "rename over it",
       "rename over it by io_uring", "exchange with it", "chmod", "chmod by a descriptor", "chown"},
      {"portable", Result::missed,
       "No tracepoint stops a change that needs no open. Run the task as a user who may not "
       "write to the directories of credentials."});
  return all;
}

}  // namespace ambit::probe::evasion
