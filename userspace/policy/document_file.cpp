// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <optional>

#include "userspace/base/descriptor.h"
#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

constexpr std::chrono::seconds kPipePatience{5};

Result<void> check_kind_of_file(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("cannot be examined");
  if (S_ISDIR(status.st_mode)) return fail("is a directory, not a document");
  if (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode)) return {};
  return fail("is neither a regular file nor a pipe");
}

Result<void> wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
  if (ready < 0 && errno != EINTR) return fail_errno("cannot be read");
  if (ready == 0) return fail("is a pipe whose writer sends nothing more and does not end");
  return {};
}

Result<std::string> read_bounded(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kPipePatience;
  std::string bytes;
  std::array<char, 1 << 16> buffer{};
  while (bytes.size() <= kMaxDocumentBytes) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return bytes;
    if (count > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (auto waited = wait_readable(fd, deadline); !waited) {
        return std::unexpected(waited.error());
      }
    } else if (errno != EINTR) {
      return fail_errno("cannot be read");
    }
  }
  return bytes;
}

std::string place_of(std::string_view bytes, std::size_t at) {
  const std::string_view before = bytes.substr(0, at);
  std::size_t line = 1;
  for (const char c : before) line += c == '\n' ? 1 : 0;
  return "line " + std::to_string(line);
}

}  // namespace

Result<void> check_document_bytes(std::string_view bytes) {
  if (bytes.empty()) return fail("is empty");
  if (bytes.size() > kMaxDocumentBytes)
    return fail("is longer than 1 MiB, the most a document may be");
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    return fail("is binary, not text: a NUL byte in " + place_of(bytes, nul));
  }
  if (const auto bad = first_non_utf8(bytes)) {
    return fail("is not UTF-8 text: a byte of no character in " + place_of(bytes, *bad));
  }
  return {};
}

Result<std::string> read_document_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes must not wait.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return fail_errno("cannot be opened");
  if (auto kind = check_kind_of_file(file.get()); !kind) return std::unexpected(kind.error());
  Result<std::string> bytes = read_bounded(file.get());
  if (!bytes) return bytes;
  if (auto good = check_document_bytes(*bytes); !good) return std::unexpected(good.error());
  return bytes;
}

Result<std::string> sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    return fail("SHA-256 is not available in the OpenSSL library of this machine");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    hex += kDigits[digest.at(i) >> 4];
    hex += kDigits[digest.at(i) & 15];
  }
  return hex;
}

}  // namespace ambit::policy
