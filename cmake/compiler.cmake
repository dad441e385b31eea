# SPDX-License-Identifier: BSD-2-Clause
# One interface target that every library of ours links: warnings, baseline, sanitizers.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O3 -g1 -DNDEBUG")

add_library(lbdp_options INTERFACE)
target_compile_options(lbdp_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor)
target_include_directories(lbdp_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(lbdp_options INTERFACE LBDP_VERSION="${PROJECT_VERSION}")
# g++ 12 sees overlapping copies in std::string's operator+ that are not there (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(lbdp_options INTERFACE -Wno-restrict)
endif()
if(LBDP_WERROR)
  target_compile_options(lbdp_options INTERFACE -Werror)
endif()
if(LBDP_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(LBDP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage of our libraries too, not only of the target's own file
endif()

# The portable baseline, which dependencies.cmake also puts in the place of DPDK's own -march.
set(LBDP_MARCH "x86-64-v2" CACHE STRING "Instruction set baseline")

# lbdp_library(NAME SOURCES... [DEPENDS targets...] [PRIVATE_DEPENDS targets...]): a static library of ours. What only its
# sources include (DPDK, libnl) is PRIVATE, so that no other folder can include it by accident.
function(lbdp_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC lbdp_options ${A_DEPENDS} PRIVATE ${A_PRIVATE_DEPENDS})
  set_property(TARGET ${name} APPEND_STRING PROPERTY COMPILE_FLAGS " -march=${LBDP_MARCH}")
endfunction()

# lbdp_test(NAME LABEL unit|packet SOURCES... DEPENDS...): a GoogleTest executable known to ctest under one label.
function(lbdp_test name)
  cmake_parse_arguments(A "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE lbdp_options ${A_DEPENDS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${A_LABEL}.${name} COMMAND ${name})
  set_tests_properties(${A_LABEL}.${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT 120)
endfunction()

# lbdp_fuzz(NAME SOURCES... DEPENDS... CORPUS dir): a target with LLVMFuzzerTestOneInput. Under LBDP_FUZZ it is a libFuzzer
# executable; otherwise a driver replays the corpus through it as an ordinary unit test.
function(lbdp_fuzz name)
  cmake_parse_arguments(A "" "CORPUS" "SOURCES;DEPENDS" ${ARGN})
  if(LBDP_FUZZ)
    add_executable(${name} ${A_SOURCES})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE lbdp_options ${A_DEPENDS})
  elseif(BUILD_TESTING)
    add_executable(${name}_replay ${A_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    target_link_libraries(${name}_replay PRIVATE lbdp_options ${A_DEPENDS})
    add_test(NAME unit.${name}_replay COMMAND ${name}_replay ${A_CORPUS})
    set_tests_properties(unit.${name}_replay PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
