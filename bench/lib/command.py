# SPDX-License-Identifier: BSD-2-Clause
"""What the commands of bench/ have in common: options, checks of the machine, the way they end."""

import argparse
import os
import pathlib
import shutil
import signal
import sys

from lib.errors import BenchError
from lib.machine import TREE


def list_of_flows(text):
    try:
        flows = [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("takes numbers with commas between them") from None
    if min(flows) < 1 or max(flows) > 10_000_000:
        raise argparse.ArgumentTypeError("takes numbers from 1 to 10000000")
    return flows


def positive(kind):
    def convert(text):
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError("is positive")
        return value

    return convert


def parser(description, seconds, rounds=6):
    """With the options that all have."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=positive(float), default=seconds,
                         help="of each measurement; default: %(default)s")
    options.add_argument("--rounds", type=positive(int), default=rounds,
                         help="default: %(default)s; fewer than 6 say little")
    options.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes the result there, too")
    options.add_argument("--build", type=pathlib.Path, default=TREE / "build", metavar="DIR", help="default: build/")
    return options


def check_machine(build, *programs):
    """Root, two CPUs, and these programs of the build directory or on PATH."""
    if os.geteuid() != 0:
        raise BenchError("it uses hugepages and network namespaces: run it as root")
    for program in programs:
        if not (build / program).exists() and shutil.which(program) is None:
            raise BenchError(f"there is no {build / program}, nor a {program} on PATH: "
                             "scripts/install && cmake --preset release && cmake --build build")
    if (os.cpu_count() or 1) < 2:
        raise BenchError("it needs two CPUs")


def run(name, main):
    """Runs main() and turns what can go wrong into a line and an exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return main() or 0
    except BenchError as error:
        print(f"\nbench/{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
