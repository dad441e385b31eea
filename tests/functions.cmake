# SPDX-License-Identifier: BSD-2-Clause
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
