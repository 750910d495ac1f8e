# SPDX-License-Identifier: Apache-2.0
# ambit_rules: the shipped catalogue, embedded (rules/credentials/*.yaml; opt-in ones too, by name).
file(GLOB ambit_rule_files CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/rules/credentials/*.yaml ${CMAKE_SOURCE_DIR}/rules/credentials/opt-in/*.yaml)
set(ambit_rules_cpp ${CMAKE_BINARY_DIR}/rules/builtin_files.cpp)
# The list is an input too: a file that goes away must lead to a new .cpp.
set(ambit_rules_list ${CMAKE_BINARY_DIR}/rules/files.txt)
file(CONFIGURE OUTPUT ${ambit_rules_list} CONTENT "${ambit_rule_files}" @ONLY)

add_custom_command(OUTPUT ${ambit_rules_cpp}
  COMMAND ${CMAKE_COMMAND} -D LIST=${ambit_rules_list} -D OUTPUT=${ambit_rules_cpp}
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_rules.cmake
  DEPENDS ${ambit_rule_files} ${ambit_rules_list} ${CMAKE_SOURCE_DIR}/cmake/embed_rules.cmake
  COMMENT "Embedding rules/credentials" VERBATIM)
add_library(ambit_rules STATIC ${ambit_rules_cpp})
target_link_libraries(ambit_rules PRIVATE ambit_options)
