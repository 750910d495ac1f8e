// SPDX-License-Identifier: Apache-2.0
// Prints a file that is opened and read by io_uring alone: no open(2) and no read(2) that a system
// call filter could see.
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int submit_and_wait(struct io_uring* ring) {
  struct io_uring_cqe* done;
  int result = io_uring_submit(ring);

  if (result < 0) return result;
  result = io_uring_wait_cqe(ring, &done);
  if (result < 0) return result;
  result = done->res;
  io_uring_cqe_seen(ring, done);
  return result;
}

static int failed(const char* what, int result) {
  fprintf(stderr, "uring_cat: %s: %s\n", what, strerror(-result));
  return 1;
}

int main(int argc, char** argv) {
  struct io_uring ring;
  char content[4096];
  int fd, length, result;

  if (argc != 2) {
    fprintf(stderr, "usage: uring_cat FILE\n");
    return 2;
  }
  result = io_uring_queue_init(4, &ring, 0);
  if (result < 0) return failed("io_uring_setup", result);

  io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD, argv[1], O_RDONLY | O_CLOEXEC, 0);
  fd = submit_and_wait(&ring);
  if (fd < 0) return failed(argv[1], fd);
  io_uring_prep_read(io_uring_get_sqe(&ring), fd, content, sizeof(content), 0);
  length = submit_and_wait(&ring);
  if (length < 0) return failed(argv[1], length);
  return write(STDOUT_FILENO, content, (size_t)length) == length ? 0 : 1;
}
