# SPDX-License-Identifier: Apache-2.0
# cmake -D LIST=… -D OUTPUT=… -P embed_rules.cmake: the files of LIST as a C++ table (catalogue_builtin.h).
# From hex, since a raw string would end where a rule file has its delimiter.
file(READ ${LIST} files)
set(entries)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WLE)
  list(APPEND entries "${name}|${file}")
endforeach()
list(SORT entries)

set(texts "")
set(rows "")
set(number 0)
foreach(entry IN LISTS entries)
  string(REPLACE "|" ";" pair "${entry}")
  list(GET pair 0 name)
  list(GET pair 1 file)
  set(opt_in false)
  if(file MATCHES "/opt-in/[^/]*$")
    set(opt_in true)
  endif()
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\"\n    \"" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
  string(APPEND texts "constexpr char kText${number}[] =\n    \"${hex}\";\n")
  string(APPEND rows "    BuiltinFile{.name = \"${name}\", .opt_in = ${opt_in}, "
    ".text = std::string_view(kText${number}, sizeof(kText${number}) - 1)},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT} "// Made by cmake/embed_rules.cmake from rules/credentials/; do not edit.
#include <array>

#include \"userspace/policy/catalogue_builtin.h\"

namespace ambit::policy {
namespace {
${texts}
constexpr std::array<BuiltinFile, ${number}> kFiles{
${rows}};
}  // namespace

std::span<const BuiltinFile> builtin_files() { return kFiles; }

}  // namespace ambit::policy
")
