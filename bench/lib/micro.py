# SPDX-License-Identifier: BSD-2-Clause
"""Runs the Google Benchmark programs of the build directory, pinned to the last CPU."""

import json
import os
import subprocess
import sys

from lib.errors import BenchError
from lib.results import Result

FOLDERS = ("bench", "dataplane")  # where a build leaves them
NOT_OURS = "lbdp_worker_bench"  # it has modes, not benchmarks


def programs(build):
    return sorted(
        path for folder in FOLDERS for path in (build / folder).glob("lbdp_*_bench") if path.name != NOT_OURS
    )


def ns_of(run):
    """CPU time of one item, or of one iteration where items are not counted, in nanoseconds."""
    if "items_per_second" in run:
        return 1e9 / run["items_per_second"]
    return run["cpu_time"] * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[run["time_unit"]]


def run(build, rounds, min_time_s):
    """A figure each benchmark: ns of each repetition."""
    results = []
    for program in programs(build):
        print(f"\r{program.name:<60}", end="", file=sys.stderr, flush=True)
        command = ["taskset", "-c", str(os.cpu_count() - 1), str(program), "--benchmark_format=json",
                   f"--benchmark_repetitions={rounds}", f"--benchmark_min_time={min_time_s}"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise BenchError(f"{program.name}: {ended.stderr.strip()}")
        results += results_of(program.name, json.loads(ended.stdout)["benchmarks"])
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
    return results


def results_of(program, runs):
    part = program.removeprefix("lbdp_").removesuffix("_bench")
    rounds = {}
    for entry in runs:
        if entry.get("run_type") == "iteration" and not entry.get("error_occurred"):
            rounds.setdefault(f"micro/{part}/{entry['run_name']}", []).append(ns_of(entry))
    return [Result(key, "ns", values, lower_is_better=True) for key, values in rounds.items()]
