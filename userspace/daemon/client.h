// SPDX-License-Identifier: Apache-2.0
// A caller of the control API.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace ambit::daemon {

inline constexpr const char* kDefaultSocket = "/run/ambit/control.sock";

struct Call {
  std::string method;
  std::string target;
  std::string body;
};

struct CallAnswer {
  unsigned status = 0;
  std::string body;
};

/// Waits for the answer, a minute at most.
[[nodiscard]] Result<CallAnswer> call(const std::string& socket, const Call& call);

/// How a stream ended.
enum class StreamEnd : std::uint8_t {
  refused,      ///< with the answer that says why
  done,         ///< the daemon has sent all of it
  cut,          ///< the connection ended in the middle
  reader_gone,  ///< nobody reads standard output any more
};

struct StreamAnswer {
  StreamEnd end = StreamEnd::cut;
  CallAnswer refusal;
};

/// Gives each line, without its newline, to `take`, and `rest` the word when no more has come yet.
[[nodiscard]] Result<StreamAnswer> stream(const std::string& socket, const std::string& target,
                                          const std::function<void(std::string_view line)>& take,
                                          const std::function<void()>& rest);

}  // namespace ambit::daemon
