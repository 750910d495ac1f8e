// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/daemon/shell.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

namespace ambit::probe {

namespace {

/// $1: what its files' names begin with.
constexpr const char* kLoop =
    "while read -r number line; do\n"
    "  sh -c \"$line\" >\"$1.$number.out\" 2>\"$1.$number.err\"\n"
    "  echo $? >\"$1.$number.rc\"\n"
    "done <\"$1.fifo\"\n";

int number_in(const std::string& text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

/// One for each: a shell reads its script line by line, while the next one is being started.
std::string Shell::script() const {
  return scratch_.write(std::filesystem::path(base_).filename().string() + ".sh", kLoop);
}

Shell::Shell(const Scratch& scratch, const std::string& name, const Words& before)
    : scratch_(scratch), base_(scratch.path(name)) {
  ::mkfifo((base_ + ".fifo").c_str(), 0600);
  fifo_ = Descriptor(::open((base_ + ".fifo").c_str(), O_RDWR | O_CLOEXEC));
  Words argv{"/bin/sh", script(), base_};
  argv.insert(argv.begin(), before.begin(), before.end());
  process_ = std::make_unique<Child>(Command{.argv = argv});
  pid_ = process_->pid();
}

Shell::Shell(Shell& by, const std::string& name)
    : scratch_(by.scratch_), base_(by.scratch_.path(name)) {
  ::mkfifo((base_ + ".fifo").c_str(), 0600);
  fifo_ = Descriptor(::open((base_ + ".fifo").c_str(), O_RDWR | O_CLOEXEC));
  const Done started = by.run("/bin/sh " + script() + " " + base_ + " >/dev/null 2>&1 & echo $!");
  pid_ = number_in(started.out);
  EXPECT_GT(pid_, 0) << started;
}

Shell::~Shell() { end(); }

void Shell::begin(const std::string& line) {
  const std::string text = std::to_string(++lines_) + " " + line + "\n";
  EXPECT_EQ(::write(fifo_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

Done Shell::run(const std::string& line) {
  begin(line);
  const std::string base = base_ + "." + std::to_string(lines_);
  std::string status;
  EXPECT_TRUE(eventually(
      [&] {
        if (::access((base + ".rc").c_str(), F_OK) != 0) return false;
        status = content_of(base + ".rc");
        return status.ends_with('\n');
      },
      60s))
      << line;
  return {.exit = number_in(status),
          .out = content_of(base + ".out"),
          .err = content_of(base + ".err")};
}

Done Shell::act(const std::string& words) { return run(acts() + " " + words); }

void Shell::end() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  pid_ = -1;
  if (process_) static_cast<void>(process_->wait(5s));
  process_.reset();
}

}  // namespace ambit::probe
