# SPDX-License-Identifier: Apache-2.0
# ambit_version: version and commit as a header in the build tree. The commit is looked up at each
# build, and the header is touched only when it changed.
set(ambit_version_dir ${CMAKE_BINARY_DIR}/version)
set(AMBIT_COMMIT "" CACHE STRING "Commit that --version says, where the sources are no git checkout")
add_custom_target(ambit_version_header
  COMMAND ${CMAKE_COMMAND} -D SOURCE=${CMAKE_SOURCE_DIR} -D OUTPUT=${ambit_version_dir}/ambit_version.h
          -D VERSION=${PROJECT_VERSION} -D COMMIT=${AMBIT_COMMIT} -P ${CMAKE_SOURCE_DIR}/cmake/write_version.cmake
  BYPRODUCTS ${ambit_version_dir}/ambit_version.h
  COMMENT "Version" VERBATIM)
add_library(ambit_version INTERFACE)
add_dependencies(ambit_version ambit_version_header)
target_include_directories(ambit_version INTERFACE ${ambit_version_dir})
