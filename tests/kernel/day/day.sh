#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# day.sh DIRECTORY GIT_URL REGISTRY_URL BRANCH: what a coding agent's tools do in a day, in a few seconds. Each
# command leaves "NAME STATUS" in DIRECTORY/log, so that a day in a task can be held against one outside.
set -u
directory=$1 remote=$2 registry=$3 branch=$4
log=$directory/log
work=$directory/work
export HOME=$directory/home
mkdir -p "$work" "$HOME"
cd "$work" || exit 1
: >"$log"

try() {
  timeout 60 "$@" >"$directory/last.out" 2>&1 </dev/null
  local status=$?
  printf '%s %s\n' "${1##*/}" "$status" >>"$log"
  return "$status"
}

git config --global user.name agent
git config --global user.email agent@example.org
git config --global init.defaultBranch main
git config --global safe.directory '*'

# Programs that say what they are when they are asked, and what they are asked with.
versions() {
  local name
  for name in arch b2sum base32 base64 basename basenc cat chgrp chmod chown cksum comm cp csplit cut date dd df dir \
    dircolors dirname du env expand expr factor fmt fold groups head hostid id install join link ln logname ls md5sum \
    mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv ptx pwd readlink \
    realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty \
    sum sync tac tail tee timeout touch tr truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes \
    fallocate findmnt flock getopt ionice ipcs ipcmk ipcrm last lsblk lscpu lsipc lslocks lslogins lsns mcookie \
    mountpoint namei nsenter prlimit setarch setpriv setsid taskset unshare uuidgen whereis \
    addr2line ar as c++filt elfedit gprof ld ld.bfd nm objcopy objdump ranlib readelf size strings strip \
    cpp gcc g++ c++ cc gcov gcc-ar gcc-nm gcc-ranlib sed grep egrep fgrep find xargs diff diff3 sdiff cmp patch tar \
    gzip gunzip zcat zgrep zdiff zless zmore znew bzip2 xz unxz xzcat lzma xzgrep make cmake ctest cpack ninja ccache \
    git curl wget python3 node npm npx dpkg dpkg-deb dpkg-query dpkg-split dpkg-divert apt apt-get apt-cache \
    bash ps pgrep pkill free vmstat uptime w pmap pwdx watch slabtop sysctl kill clang-19 clang++-19 clang-format-19 \
    clang-tidy-19 llvm-objdump-19 llvm-nm-19 llvm-ar-19 shellcheck pkg-config bpftool qemu-img gpgv gpg-agent gpgconf \
    update-alternatives which locale localedef iconv getconf getent ldd pldd catchsegv rpcgen perl5.36-x86_64-linux-gnu \
    pod2text pod2man corelist prove json_pp shasum cpan; do
    command -v "$name" >/dev/null && try "$name" --version
  done
  try perl -v; try openssl version; try ssh -V; try ip -V; try ss -V; try strace -V; try sh -c :; try dash -c :
  try mawk 'BEGIN { exit 0 }'; try awk 'BEGIN { print 1 }'; try ssh-keygen -q -t ed25519 -N '' -f "$work/key"
  rm -f "$work/key" "$work/key.pub"
}

build() {
  local n
  mkdir -p "project-$1/src" && cd "project-$1" || return
  for n in 1 2 3 4; do printf 'int part%d(int x) { return x * %d; }\n' "$n" "$n" >"src/part$n.c"; done
  cat >src/main.c <<'C'
#include <stdio.h>
int part1(int), part2(int), part3(int), part4(int);
int main(void) { printf("%d\n", part1(1) + part2(1) + part3(1) + part4(1)); return 0; }
C
  printf 'OBJECTS := $(patsubst %%.c,%%.o,$(wildcard src/*.c))\nprogram: $(OBJECTS)\n\t$(CC) -o $@ $^\ntest: program\n\ttest "$$(./program)" = 10\n' >Makefile
  try make -s program && try make -s test && try ./program
  try nm program; try strip program; try size program; try readelf -h program; try objdump -d program
  cd ..
}

versioned() {
  try git clone -q "$remote" "clone-$1" && cd "clone-$1" || return
  for n in 1 2 3; do
    try cp "../project-$1/src/part$n.c" "part-$1-$n.c"; try git add .; try git commit -q -m "part $n of $1"
  done
  try git status; try git log --oneline; try git diff HEAD~1; try git push -q origin "HEAD:$branch-$1"; try git gc -q
  try git grep return; cd ..
}

texts() {
  local n
  for n in $(seq 12); do
    try sh -c "seq $n 400 | sort -r | head -50 | tail -20 | wc -l"
    try sh -c "find . -name '*.c' | xargs grep -l return | sed s/a/b/ | cut -c1-9 | uniq | tee list.$n"
    try sh -c "tar cf - project-$1 | gzip -c > all.$n.tgz && tar tzf all.$n.tgz | wc -l"
    try diff "project-$1/src/part1.c" "project-$1/src/part2.c"
    try touch "file.$n"; try mv "file.$n" "moved.$n"; try ln "moved.$n" "linked.$n"; try ln -s "moved.$n" "symbolic.$n"
    try chmod 600 "moved.$n"; try stat "linked.$n"; try sha256sum "moved.$n"; try cat "symbolic.$n"; try rm "linked.$n" "symbolic.$n"
    try python3 -c "import json, os, subprocess; subprocess.run(['/usr/bin/true'], check=True); open('py.$n', 'w').write(json.dumps(os.listdir('.')))"
  done
  try node -e "require('fs').writeFileSync('node.out', JSON.stringify(process.versions))"
  try python3 -m venv --without-pip "venv-$1"
}

installed() {
  mkdir -p "package-$1" && cd "package-$1" || return
  printf '{"name": "day", "version": "1.0.0", "private": true}\n' >package.json
  try npm install --no-audit --no-fund --registry "$registry" --cache "$directory/npm-cache" left
  try node -e "process.exit(require('left') === 42 ? 0 : 1)"
  cd ..
}

# As agents shut their commands in: namespaces of their own, with mounts.
sandboxed() {
  try unshare --user --map-root-user --mount --pid --fork --net sh -c "mount -t tmpfs none /mnt && echo x >/mnt/x && ls /mnt && cat project-$1/Makefile && mount --bind $work /mnt && ls /mnt"
  try unshare --user --map-root-user --uts --ipc sh -c 'hostname day; id; ps'
}

for round in $(seq "${DAY_ROUNDS:-5}"); do
  versions
  build "$round"
  versioned "$round"
  texts "$round"
  installed "$round"
  sandboxed "$round"
done
