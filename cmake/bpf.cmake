# SPDX-License-Identifier: Apache-2.0
# bpf/*.bpf.c -> one linked object -> a skeleton header in the build tree, from clang-19 and bpftool.
find_program(AMBIT_CLANG clang-19 REQUIRED)
find_program(AMBIT_BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

set(bpf_dir ${CMAKE_BINARY_DIR}/bpf)
file(MAKE_DIRECTORY ${bpf_dir})

# Kernel types are our own small CO-RE declarations (bpf/lib/kernel_types.h): the build does not depend on
# the kernel of the machine that builds.
set(bpf_flags -g -O2 -target bpf -D__TARGET_ARCH_x86 -mcpu=v3 -Wall -Wextra -Werror
  -Wno-unused-parameter -Wno-unused-function -I${CMAKE_SOURCE_DIR}
  -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE})

file(GLOB bpf_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.bpf.c)
file(GLOB_RECURSE bpf_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.h)
set(bpf_objects)
foreach(source IN LISTS bpf_sources)
  get_filename_component(stem ${source} NAME_WLE)
  set(object ${bpf_dir}/${stem}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${AMBIT_CLANG} ${bpf_flags} -c ${source} -o ${object}
    DEPENDS ${source} ${bpf_headers} COMMENT "BPF ${stem}" VERBATIM)
  list(APPEND bpf_objects ${object})
endforeach()

add_custom_command(OUTPUT ${bpf_dir}/ambit.skel.h
  COMMAND ${AMBIT_BPFTOOL} gen object ${bpf_dir}/ambit.linked.o ${bpf_objects}
  COMMAND ${AMBIT_BPFTOOL} gen skeleton ${bpf_dir}/ambit.linked.o name ambit_bpf > ${bpf_dir}/ambit.skel.h
  DEPENDS ${bpf_objects} COMMENT "BPF skeleton" VERBATIM)
add_custom_target(ambit_bpf_skeleton DEPENDS ${bpf_dir}/ambit.skel.h)
add_library(ambit_bpf INTERFACE)
add_dependencies(ambit_bpf ambit_bpf_skeleton)
target_include_directories(ambit_bpf SYSTEM INTERFACE ${bpf_dir})
