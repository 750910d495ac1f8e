// SPDX-License-Identifier: Apache-2.0
// Things that a process may try. Each act does one for real and tells by its exit status what came
// of it; tests run the same act outside a task first.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ambit::acts {

using Words = std::vector<std::string>;

inline constexpr int kDone = 0;
inline constexpr int kRefused = 10;      ///< EPERM or EACCES
inline constexpr int kFailed = 11;       ///< any other error
inline constexpr int kUnsupported = 12;  ///< this kernel cannot do it at all
inline constexpr int kUsage = 13;

struct Act {
  std::string_view name;
  std::string_view usage;
  std::size_t least = 0;  ///< words that it needs
  int (*perform)(const Words& words) = nullptr;
};

[[nodiscard]] std::span<const Act> file_acts();
[[nodiscard]] std::span<const Act> uring_acts();
[[nodiscard]] std::span<const Act> uring_send_acts();
[[nodiscard]] std::span<const Act> ring_message_acts();
[[nodiscard]] std::span<const Act> name_acts();
[[nodiscard]] std::span<const Act> process_acts();
[[nodiscard]] std::span<const Act> exec_acts();
[[nodiscard]] std::span<const Act> inet_acts();
[[nodiscard]] std::span<const Act> datagram_acts();
[[nodiscard]] std::span<const Act> unix_acts();
[[nodiscard]] std::span<const Act> listen_acts();
[[nodiscard]] std::span<const Act> beside_acts();
[[nodiscard]] std::span<const Act> time_acts();
[[nodiscard]] std::span<const Act> guard_process_acts();
[[nodiscard]] std::span<const Act> guard_machine_acts();
[[nodiscard]] std::span<const Act> plain_acts();
[[nodiscard]] std::span<const Act> storm_acts();
[[nodiscard]] std::span<const Act> measure_acts();
[[nodiscard]] std::span<const Act> race_acts();
[[nodiscard]] std::span<const Act> change_acts();
[[nodiscard]] std::span<const Act> descriptor_acts();
[[nodiscard]] std::span<const Act> protocol_acts();
[[nodiscard]] std::span<const Act> raw_acts();
[[nodiscard]] std::span<const Act> carry_acts();

/// Performs the act that `words` names.
int perform(const Words& words);
/// Performs the act that stands at `first` and after; nothing there is done.
int perform_rest(const Words& words, std::size_t first);

/// Says on stderr what failed and gives the exit status for errno.
int failed(std::string_view what);
int failed(std::string_view what, int code);

/// Writes all of `text` to stdout, unbuffered: a killed process has said what it had done.
void say(std::string_view text);

/// Prints what the descriptor holds.
int print_content(int fd);

/// Prints what a mapping of the descriptor shows.
int print_mapping(int fd);

/// A Unix stream connected to NAME, or -1.
int connect_unix(const std::string& name);
/// The descriptor that the other side hands over, or -1.
int received_descriptor(int fd);

/// Waits for a child; its exit status, or 128 + signal.
int status_of(int pid);

/// This program, started anew with `words`.
std::vector<char*> own_command(const Words& words);

}  // namespace ambit::acts
