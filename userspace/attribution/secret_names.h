// SPDX-License-Identifier: Apache-2.0
// Which names announce that a secret follows. One table; what counts depends on where the name
// stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ambit::attribution {

enum class Place : std::uint8_t {
  assignment,   ///< `name = X`, `name: X`, `name := X` in any text
  word,         ///< the same, but a path that follows is no secret: `PWD=/work`
  variable,     ///< `NAME=X`, with nothing around the `=`
  field,        ///< `name=X` at the beginning of a word or of a part of an address or form
  query,        ///< `?name=X`, `&name=X`
  member,       ///< `"name": X`, `["name"] = X`, `<name>X</name>`: all of X
  text_member,  ///< the same, but a number or `true` is no secret
  flag,         ///< `--name X`, where X may begin with `-`
  weak_flag,    ///< `--name X`, where a flag that follows is no value: `mongod --auth --port 1`
  setting,      ///< `set NAME X`, `NAME X`
  set_setting,  ///< `set NAME X`
};

[[nodiscard]] bool is_secret_name(Place place, std::string_view name);

/// The names of a place as a pattern, to be part of a longer one.
[[nodiscard]] std::string name_pattern(Place place);

}  // namespace ambit::attribution
