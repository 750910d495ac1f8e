# SPDX-License-Identifier: Apache-2.0
# ambit_containment: what tests/kernel/evasion found (docs/containment.json), embedded for `ambit doctor`.
set(ambit_containment_json ${CMAKE_SOURCE_DIR}/docs/containment.json)
set(ambit_containment_cpp ${CMAKE_BINARY_DIR}/containment/facts.cpp)
add_custom_command(OUTPUT ${ambit_containment_cpp}
  COMMAND ${CMAKE_COMMAND} -D INPUT=${ambit_containment_json} -D OUTPUT=${ambit_containment_cpp}
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_containment.cmake
  DEPENDS ${ambit_containment_json} ${CMAKE_SOURCE_DIR}/cmake/embed_containment.cmake
  COMMENT "Embedding docs/containment.json" VERBATIM)
add_library(ambit_containment STATIC ${ambit_containment_cpp})
target_link_libraries(ambit_containment PRIVATE ambit_options)
