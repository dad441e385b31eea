# SPDX-License-Identifier: BSD-2-Clause
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS system)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
# IMPORTED_TARGET: their headers count as system headers, so that our warnings stay ours.
pkg_check_modules(dpdk REQUIRED IMPORTED_TARGET libdpdk>=22.11)
# DPDK's flags carry -march=corei7, which CMake would place behind our own baseline, where it wins; so it becomes ours.
get_target_property(dpdk_options PkgConfig::dpdk INTERFACE_COMPILE_OPTIONS)
list(TRANSFORM dpdk_options REPLACE "^-march=.*" "-march=${LBDP_MARCH}")
set_target_properties(PkgConfig::dpdk PROPERTIES INTERFACE_COMPILE_OPTIONS "${dpdk_options}")
pkg_check_modules(nl REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()
