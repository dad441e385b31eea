# SPDX-License-Identifier: BSD-2-Clause
"""The measurement of bench/flows: lbdp_worker_bench's modes, each a fresh process, in turn over several rounds."""

import dataclasses
import json
import subprocess
import sys

from lib.errors import BenchError
from lib.results import Result, ratios

COLD_FRAMES = 16384  # between a frame's writing and its arrival: out of the near caches, in the last-level one
PERSISTENCE_S = 300
SOURCES = ("warm", "cold", "warm-ipv6")
GROUPS = ("forwarding", "new", "other", "memory", "workers")
MIN_CONNECTIONS = 1048576  # of the tables, as lbdp's default and as bench/forwarding has it
# As many as are live or not swept yet at ten million new ones a second: then the table is about 60 % full.
NEW_CONNECTIONS = 25_000_000


@dataclasses.dataclass(frozen=True)
class Step:
    """A run of the program: what it is called here, its arguments, and whether control needs a CPU beside the worker."""

    name: str
    arguments: tuple
    beside_control: bool = False


def forwarding_steps(flows, source):
    """`source`: warm, cold, or warm-ipv6."""
    cold = ("--cold", str(COLD_FRAMES)) if source == "cold" else ()
    family = ("--ipv6",) if source.endswith("ipv6") else ()
    sized = ("--flows", str(flows), "--connections", str(max(flows, MIN_CONNECTIONS)), *cold, *family)
    return (
        Step(f"mac/{flows}/{source}", ("mac", *sized)),
        Step(f"established/{flows}/{source}", ("established", *sized)),
        Step(f"mac-again/{flows}/{source}", ("mac", *sized)),
    )


def new_steps(connections=NEW_CONNECTIONS):
    new = ("new", "--udp-timeout", "1", "--connections", str(connections))
    return (
        Step("new", new),
        Step("new-persistent", (*new, "--persistence", str(PERSISTENCE_S))),
    )


def other_steps(flows):
    return (
        Step(f"flood/{flows}", ("flood", "--flows", str(flows))),
        Step(f"list/{flows}", ("list", "--flows", str(flows), "--seconds", "10"), beside_control=True),
        Step("publish", ("publish", "--flows", "100000"), beside_control=True),
    )


def memory_steps(flows):
    return (
        Step("memory/ipv4", ("memory", "--flows", str(flows))),
        Step("memory/ipv6", ("memory", "--flows", str(max(flows // 4, 100_000)), "--ipv6")),
    )


def worker_steps(workers, flows):
    """One step for each number of workers: CPUs 1, then 0 and 1."""
    return tuple(
        Step(f"workers/{count}", ("established", "--flows", str(flows), "--workers", str(count)))
        for count in range(1, workers + 1)
    )


class Runner:
    """Runs steps on the machine's last CPUs; the worker has the last one."""

    def __init__(self, build, seconds, cpus, eal=()):
        self.program = build / "bench/lbdp_worker_bench"
        self.seconds, self.cpus, self.eal = seconds, cpus, list(eal)

    def lcores(self, step):
        workers = int(step.arguments[step.arguments.index("--workers") + 1]) if "--workers" in step.arguments else 1
        needed = workers + step.beside_control
        if needed > self.cpus:
            raise BenchError(f"{step.name} needs {needed} CPUs")
        return ",".join(str(cpu) for cpu in range(self.cpus - needed, self.cpus))

    def run(self, step):
        """The program's line."""
        seconds = () if "--seconds" in step.arguments else ("--seconds", str(self.seconds))
        result = subprocess.run(
            [str(self.program), "-l", self.lcores(step), *self.eal, "--", *step.arguments, *seconds],
            capture_output=True, text=True, check=False,
        )
        if result.returncode == 0:
            return json.loads(result.stdout)
        raise BenchError(f"{step.name}: {result.stderr.strip()}")

    def rounds(self, steps, rounds):
        """By step: the lines of all rounds. The steps take turns."""
        lines = {step.name: [] for step in steps}
        for number in range(1, rounds + 1):
            for step in steps:
                print(f"\rround {number} of {rounds}: {step.name:<40}", end="", file=sys.stderr, flush=True)
                lines[step.name].append(self.run(step))
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)
        return lines


def field(lines, name):
    return [line[name] for line in lines]


def forwarding_results(lines, flows, source):
    rates = {kind: field(lines[f"{kind}/{flows}/{source}"], "packets_per_s") for kind in ("mac", "established", "mac-again")}
    a_a = f"worker/mac-again/{flows}/{source}/to-mac"
    return [
        Result(f"worker/established/{flows}/{source}/to-mac", "ratio", ratios(rates["established"], rates["mac"]), a_a=a_a),
        Result(a_a, "ratio", ratios(rates["mac-again"], rates["mac"])),
    ]


# Steps that bring one figure each: prefix of the step's name, what to add to it, the unit, the figure of a line.
SINGLE = (
    ("new", "per-s", "per s", lambda line: line["packets_per_s"]),
    ("flood/", "to-established", "ratio", lambda line: line["ratio"]),
    ("list/", "to-quiet", "ratio", lambda line: line["ratio"]),
    ("list/", "answering-to-quiet", "ratio", lambda line: line["answering_ratio"]),
    ("publish", "full-ms", "ms", lambda line: line["publish"]["max_ms"]),
    ("publish", "flip-ms", "ms", lambda line: line["flip"] and line["flip"]["max_ms"]),
    ("memory/", "bytes", "bytes", lambda line: line["bytes_per_connection"]),
    ("workers/", "per-s", "per s", lambda line: line["packets_per_s"]),
)


def single_results(lines):
    results = []
    for name, found in lines.items():
        for prefix, suffix, unit, figure in SINGLE:
            if name.startswith(prefix):
                values = [value for value in map(figure, found) if value is not None]
                if values:
                    results.append(Result(f"worker/{name}/{suffix}", unit, values, lower_is_better=unit in ("ms", "bytes")))
    return results


def measure(runner, flows, rounds, new_connections, wanted=GROUPS):
    """Lines by step, and results. Floods, listings and memory take the last of `flows`."""
    most = flows[-1]
    lines, results = {}, []
    if "forwarding" in wanted:
        for count in flows:
            for source in SOURCES:
                lines |= runner.rounds(forwarding_steps(count, source), rounds)
                results += forwarding_results(lines, count, source)
    single = {}
    if "new" in wanted:
        single |= runner.rounds(new_steps(new_connections), rounds)
    if "other" in wanted:
        single |= runner.rounds(other_steps(most), rounds)
    if "memory" in wanted:
        single |= runner.rounds(memory_steps(most), 1)
    if "workers" in wanted:
        single |= runner.rounds(worker_steps(2, min(most, 100_000)), rounds)
    return lines | single, results + single_results(single)


def rows_of(lines):
    """What the program said, a row a step: of the rounds, the one in the middle by its rate, or the first."""
    rows = []
    for name, found in lines.items():
        ordered = sorted(found, key=lambda line: line.get("packets_per_s", 0))
        row = {"step": name, "rounds": len(found)} | ordered[(len(ordered) - 1) // 2]
        if "ns_per_packet" in row:
            times = field(found, "ns_per_packet")
            row |= {"ns_min": min(times), "ns_max": max(times)}
        rows.append(row)
    return rows


def print_rows(rows):
    print(f"{'step':<34} {'M packets/s':>11} {'ns/packet':>10} {'cycles':>8} {'load':>6} {'cpu':>5}")
    for row in rows:
        if "ns_per_packet" in row:
            print(f"{row['step']:<34} {row['packets_per_s'] / 1e6:>11.2f} {row['ns_per_packet']:>10.1f} "
                  f"{row['cycles_per_packet']:>8.0f} {row.get('load', 0):>6.2f} {row['cpu_share']:>5.0%}")


def lowest_share(rows):
    return min((row["cpu_share"] for row in rows if "cpu_share" in row), default=1.0)
