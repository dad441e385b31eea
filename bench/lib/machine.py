# SPDX-License-Identifier: BSD-2-Clause
"""Where and what was measured: every figure goes with this."""

import os
import pathlib
import platform
import subprocess

TREE = pathlib.Path(__file__).resolve().parents[2]


def output_of(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TREE)
    return result.stdout.strip() if result.returncode == 0 else None


def cache_of(build):
    """CMakeCache.txt's values by their names."""
    cache = {}
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals:
            cache[key.split(":")[0]] = value
    return cache


def compiler_of(cache):
    return output_of(cache.get("CMAKE_CXX_COMPILER", "c++"), "--version").splitlines()[0]


def flags_of(cache):
    """The build type's flags as CMakeLists.txt sets them, behind those that were given on the command line."""
    for line in (TREE / "CMakeLists.txt").read_text().splitlines():
        if line.startswith(f"set(CMAKE_CXX_FLAGS_{cache.get('CMAKE_BUILD_TYPE', '').upper()} "):
            return f"{cache.get('CMAKE_CXX_FLAGS', '')} {line.split(chr(34))[1]} -march={cache.get('LBDP_MARCH')}".strip()
    return cache.get("CMAKE_CXX_FLAGS")


def facts(build):
    cpu = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    cache = cache_of(build)
    return {
        "cpu": cpu[0] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "dpdk": output_of("pkg-config", "--modversion", "libdpdk"),
        "commit": output_of("git", "describe", "--always", "--dirty", "--abbrev=12"),
        "build_type": cache.get("CMAKE_BUILD_TYPE"),
        "march": cache.get("LBDP_MARCH"),
        "compiler": compiler_of(cache),
        "flags": flags_of(cache),
    }


def in_words(facts_of_it):
    return (f"{facts_of_it['cpu']}, {facts_of_it['cores']} CPUs, Linux {facts_of_it['kernel']}, DPDK "
            f"{facts_of_it['dpdk']}, lbdp {facts_of_it['commit']}")
