# SPDX-License-Identifier: Apache-2.0
# cmake -D SOURCE=… -D OUTPUT=… -D VERSION=… -D COMMIT=… -P write_version.cmake
cmake_minimum_required(VERSION 3.25)
if(NOT COMMIT)
  # The build may be root's in a checkout of somebody else (sudo scripts/test).
  execute_process(COMMAND git -c safe.directory=* -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT COMMIT)
  set(COMMIT unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Made by cmake/write_version.cmake; do not edit.
#pragma once

#define AMBIT_VERSION \"${VERSION}\"
#define AMBIT_COMMIT \"${COMMIT}\"
")
