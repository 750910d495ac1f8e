# SPDX-License-Identifier: Apache-2.0
# cmake -D INPUT=… -D OUTPUT=… -P embed_containment.cmake: a file as containment_facts() (containment.h).
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\"\n    \"" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
file(WRITE ${OUTPUT} "// Made by cmake/embed_containment.cmake; do not edit.
#include \"userspace/cli/containment.h\"

namespace ambit::cli {

std::string_view containment_facts() {
  static constexpr char kText[] =
    \"${hex}\";
  return {kText, sizeof(kText) - 1};
}

}  // namespace ambit::cli
")
