#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""lbdp against a real kernel's IPVS, pick by pick: the same clients' segments go into a user-mode-linux guest that is an
IPVS director in DR mode, into lbdp's schedulers alone, and as frames through 1, 2 and 4 of its workers. Where lbdp differs
on purpose, DIFFERENCES says why.

A script is a list of lines; scheduler_script_main.cc has their meaning. "add" puts a new real server first, as the kernel
does, so scripts add them from the last to the first: both then have the order r1 r2 r3. A line that begins with "kernel"
is for the kernel only, and its outcome is not compared."""

import collections
import dataclasses
import itertools
import random
import subprocess
import time
import unittest

import ipvs_guest
import lab

PROGRAMS = lab.BUILD / "tests" / "e2e"
WORKERS = {f"{count} workers": [PROGRAMS / "worker_script", count] for count in (1, 2, 4)}
LBDP = {"the schedulers alone": [PROGRAMS / "scheduler_script"], **WORKERS}
FLAGS = {"syn": ipvs_guest.SYN, "ack": ipvs_guest.ACK, "fin": ipvs_guest.FIN | ipvs_guest.ACK, "rst": ipvs_guest.RST,
         "syn+ack": ipvs_guest.SYN | ipvs_guest.ACK, "syn+fin": ipvs_guest.SYN | ipvs_guest.FIN}
SYN_RECV_S, CLOSE_S = 60, 10  # what connections in these states live in the kernel
WIND_UP = [50000, 50001, 50002]  # clients that compare nothing


# ---- the two that follow scripts ----


class Kernel:
    """Follows scripts with the guest's IPVS. Services are ports of one VIP."""

    def __init__(self, guest):
        self._guest = guest
        self._ports = {}

    def follow(self, scripts):
        """The outcomes of the segments of many scripts ({name: lines}), by name. They are followed in step: what all of
        them want to have configured next is one command, for a command costs the guest more than a thousand segments."""
        runs = {name: ScriptRun(collections.deque(lines)) for name, lines in scripts.items()}
        while any(run.lines for run in runs.values()):
            config = [self._ipvsadm(line) for run in runs.values() for line in run.take(is_config)]
            if config:
                self._guest.run("ipvsadm -R <<'END'\n" + "\n".join(config) + "\nEND")
            for run in runs.values():
                run.outcomes += [outcome for line in run.take(is_segment)
                                 if (outcome := self._segment(run, line)) is not None]
            if all(not run.lines or run.lines[0] == "expire" for run in runs.values()):
                self._expire([run for run in runs.values() if run.lines])
        return {name: run.outcomes for name, run in runs.items()}

    def _segment(self, run, line):
        verb, name, client = words_of(line)
        run.check_time(verb)
        outcome = self._guest.wire.tell(int(client), self._ports[name], FLAGS[verb])
        return None if line.startswith("kernel ") else str(outcome)

    def _ipvsadm(self, line):
        """A line for ipvsadm -R."""
        verb, name, *words = words_of(line)
        if verb == "service":
            self._ports[name] = 8001 + len(self._ports)
            flags = f" -b {','.join(f'{words[0]}-{flag}' for flag in words[1:])}" if words[1:] else ""
            return f"-A -t {ipvs_guest.VIP}:{self._ports[name]} -s {words[0]}{flags}"
        port = self._ports[name]
        server = f"-t {ipvs_guest.VIP}:{port} -r {ipvs_guest.server_address(int(words[0]))}:{port}"
        if verb == "remove":
            return f"-d {server}"
        weight, upper, lower = words[1:]
        return f"-{verb[0]} {server} -g -w {weight} -x {upper} -y {lower}"

    def _expire(self, runs):
        if not runs:
            return
        self._guest.run("for i in {1..300}; do ipvsadm -Lnc | grep -q CLOSE || return 0; busybox usleep 100000; done; "
                        "return 1", deadline_s=60)
        for run in runs:
            run.lines.popleft()
            run.first_reset_s = None


def words_of(line):
    return line.removeprefix("kernel ").split()


def is_segment(line):
    return words_of(line)[0] in FLAGS


def is_config(line):
    return not is_segment(line) and line != "expire"


@dataclasses.dataclass
class ScriptRun:
    """How far a script is."""

    lines: collections.deque
    outcomes: list = dataclasses.field(default_factory=list)
    first_segment_s: float = None
    first_reset_s: float = None  # since when a connection may be in CLOSE

    def take(self, predicate):
        while self.lines and predicate(self.lines[0]):
            yield self.lines.popleft()

    def check_time(self, verb):
        """The kernel's connections end by themselves, lbdp's only with "expire": a script must be over before."""
        now = time.monotonic()
        self.first_segment_s = self.first_segment_s or now
        if verb == "rst":
            self.first_reset_s = self.first_reset_s or now
        if now - self.first_segment_s > SYN_RECV_S - 2 or now - (self.first_reset_s or now) > CLOSE_S - 2:
            raise AssertionError("this machine is too slow: connections end in the kernel before the script does")


def lbdp_follow(command, scripts):
    """The same with a program of lbdp's."""
    lines = [line for lines in scripts.values() for line in lines if not line.startswith("kernel ")]
    command = [str(word) for word in command]
    result = subprocess.run(command, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
                            timeout=60, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {result.returncode}: {result.stderr}")
    outcomes = iter(result.stdout.split())
    return {name: list(itertools.islice(outcomes, len(compared_segments(lines)))) for name, lines in scripts.items()}


def compared_segments(lines):
    return [line for line in lines if line.split()[0] in FLAGS]


# ---- scripts ----


def service(name, scheduler, servers, flags="", wind_up=True):
    """A service with real servers 1, 2, ...: each a weight, or weight, upper and lower threshold.

    The kernel's wrr begins in its last round, lbdp's in its first (one of DIFFERENCES). To compare them from there on, the
    kernel's is wound up: two servers of another weight take it into a round above all others, and when they are gone, the
    next one is the first."""
    lines = [f"service {name} {scheduler} {flags}".strip()]
    winding = scheduler == "wrr" and wind_up
    if winding:
        lines += [f"kernel add {name} 8 1000000 0 0", f"kernel add {name} 7 1 0 0"]
        lines += [f"kernel syn {name} {client}" for client in WIND_UP]
    for number, server in reversed(list(enumerate(servers, 1))):
        weight, upper, lower = server if isinstance(server, tuple) else (server, 0, 0)
        lines.append(f"add {name} {number} {weight} {upper} {lower}")
    if winding:
        lines += [f"kernel remove {name} {number}" for number in (8, 7)]
    return lines


def syns(name, count, first=0):
    return [f"syn {name} {client}" for client in range(first, first + count)]


def life(name, seed, count, first=0, ends=("fin", "fin", "rst")):
    """`count` clients that come, answer, close or break off; most often they come."""
    rng = random.Random(f"{name} {seed}")
    opened, established, lines = [], [], []
    for client in range(first, first + count):
        what = rng.random()
        if what < 0.55 or not opened:
            lines.append(f"syn {name} {client}")
            opened.append(client)
        elif what < 0.75:
            established.append(rng.choice(opened))
            lines.append(f"ack {name} {established[-1]}")
        elif established:
            gone = rng.choice(established)
            lines.append(f"{rng.choice(ends)} {name} {gone}")
            opened = [c for c in opened if c != gone]
            established = [c for c in established if c != gone]
    return lines


def edit(name, server, weight, upper=0, lower=0):
    return [f"edit {name} {server} {weight} {upper} {lower}"]


def plain_scripts():
    """Schedulers by name: each a service and the lives of its clients. None of them refuses a client that is compared
    later on."""
    shapes = {"equal": [1, 1, 1], "321": [3, 2, 1], "steps": [20, 0, 40, 10], "wide": [1, 9, 4, 1, 6]}
    for scheduler in ("rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "sh"):
        for shape, weights in shapes.items():
            if scheduler == "sh" and 0 in weights:
                continue  # one of DIFFERENCES
            name = f"{scheduler}-{shape}"
            yield name, service(name, scheduler, weights) + life(name, 1, 160)
    yield "ovf-small", service("ovf-small", "ovf", [2, 5, 3]) + syns("ovf-small", 16)
    yield "ovf-life", service("ovf-life", "ovf", [30, 40, 20]) + life("ovf-life", 1, 250)
    yield "dh", service("dh", "dh", [1, 1, 1]) + syns("dh", 3)
    yield "sh-port", service("sh-port", "sh", [3, 1, 2], "port") + syns("sh-port", 100)
    yield "wlc-heavy", service("wlc-heavy", "wlc", [65535, 1, 32767]) + life("wlc-heavy", 1, 120)
    yield "sed-heavy", service("sed-heavy", "sed", [65535, 1, 32767]) + life("sed-heavy", 1, 120)


def changing_scripts():
    """Weights and servers change under way. No RST: what it closes might end between two commands to the guest."""
    for scheduler in ("rr", "lc", "wlc", "sed", "nq", "fo"):
        name = f"{scheduler}-changes"

        def clients(first, name=name):
            return life(name, first, 40, first, ["fin"])

        yield name, (service(name, scheduler, [1, 2, 3]) + clients(0) + edit(name, 3, 0) + clients(100)
                     + edit(name, 3, 9) + edit(name, 1, 4) + clients(200) + [f"add {name} 4 5 0 0"] + clients(300))
    # rr's place when the server that it was at leaves: nobody may be passed over, nobody come twice.
    for picks in range(3, 7):
        name = f"rr-leaves-{picks}"
        yield name, (service(name, "rr", [1, 1, 1, 1]) + syns(name, picks)
                     + [f"remove {name} {(picks - 1) % 4 + 1}"] + syns(name, 8, 100))


def threshold_scripts():
    """Servers become overloaded, and are not any more when connections in CLOSE are over."""
    for scheduler in ("rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "sh"):
        for shape, servers in {"upper": [(1, 8, 0), (2, 8, 0), (3, 8, 0)],
                               "both": [(2, 9, 3), 1, (5, 6, 5)],
                               "tight": [(9, 1, 0), (8, 4, 4), (7, 0, 0)]}.items():
            name = f"{scheduler}-over-{shape}"
            flags = "fallback" if scheduler == "sh" else ""
            yield name, [*service(name, scheduler, servers, flags), *syns(name, 30),
                         *(f"ack {name} {client}" for client in range(0, 9, 2)),  # of the first ones nobody is refused
                         *(f"rst {name} {client}" for client in (0, 1, 4, 6, 8)), *syns(name, 5, 100),
                         "expire", *syns(name, 12, 200)]
        for seed in range(3):  # no RST here: one of a client that was refused has no outcome to wait for
            name = f"{scheduler}-over-life-{seed}"
            servers = [(3, 20, 15), (2, 12, 0), (6, 9, 2), (1, 5, 0)]
            yield name, service(name, scheduler, servers) + life(name, seed, 150, ends=["fin"])
        yield from threshold_change_scripts(scheduler)
    for refused in range(4):
        # wrr's round when all have refused, and then serve again.
        name = f"wrr-refuses-{refused}"
        yield name, [*service(name, "wrr", [(3, 4, 0), (2, 4, 0), (1, 4, 0)]), *syns(name, 12 + refused),
                     *(f"{verb} {name} {client}" for client in range(12) for verb in ("ack", "rst")),
                     "expire", *syns(name, 10, 100)]
    for shape, flags in {"fallback": "fallback", "port": "port fallback"}.items():
        name = f"sh-over-{shape}"
        yield name, service(name, "sh", [(3, 10, 0), (1, 12, 0), (2, 9, 0), 2], flags) + syns(name, 150)
    yield "sh-over-strict", service("sh-over-strict", "sh", [(1, 4, 0), 1, 1]) + syns("sh-over-strict", 60)


def threshold_change_scripts(scheduler):
    """A threshold raised ends an overload, one lowered counts from the next connection on, one taken away ends it."""
    if scheduler in ("wrr", "sh"):
        return  # a change sends the kernel's wrr back (one of DIFFERENCES); sh without fallback only refuses
    name = f"{scheduler}-over-changes"
    yield name, [*service(name, scheduler, [(2, 3, 0), (9, 5, 0), (4, 3, 0)]), *syns(name, 9), *edit(name, 2, 9, 8),
                 *syns(name, 2, 50), *edit(name, 1, 2), *syns(name, 3, 60), *edit(name, 2, 9, 2), *syns(name, 3, 70),
                 *edit(name, 1, 2), *edit(name, 3, 4, 20), *syns(name, 6, 80)]


# ---- where they differ, on purpose ----


@dataclasses.dataclass
class Difference:
    name: str
    reason: str
    kernel_script: list
    kernel: str
    lbdp: str
    lbdp_script: list = None  # None: the same


DIFFERENCES = [
    Difference(
        "order",
        "The kernel puts new servers at the head of its list; lbdp has the order of the file.",
        ["service order rr", *(f"add order {n} 1 0 0" for n in (1, 2, 3)), *syns("order", 6)], "3 2 1 3 2 1", "1 2 3 1 2 3",
        service("order", "rr", [1, 1, 1]) + syns("order", 6)),
    Difference(
        "first-round",
        "The kernel's wrr takes up a weight of its first server as its round, and so begins in the last one; lbdp begins "
        "at the top. It is the same cycle.",
        service("first-round", "wrr", [3, 2, 1], wind_up=False) + syns("first-round", 12),
        "1 2 3 1 1 2 1 2 3 1 1 2", "1 1 2 1 2 3 1 1 2 1 2 3"),
    Difference(
        "any-change",
        "Any change of a service sends the kernel's wrr back to the head of the list; lbdp publishes often, for reasons "
        "of others too, and goes on behind its last pick.",
        service("any-change", "wrr", [1, 1, 1]) + syns("any-change", 1) + edit("any-change", 3, 1)
        + syns("any-change", 4, 10), "1 1 2 3 1", "1 2 3 1 2"),
    Difference(
        "sh-weight-0",
        "The kernel's sh has servers of weight 0 in its buckets and refuses their clients; lbdp's buckets hold usable "
        "servers only.",
        service("sh-weight-0", "sh", [1, 0, 1]) + syns("sh-weight-0", 8),
        "1 3 3 1 refused 3 3 refused", "3 1 1 3 3 1 1 3"),
    Difference(
        "odd-syns",
        "The kernel opens connections for SYN+ACK and SYN+FIN; lbdp only for a SYN without ACK, FIN or RST, and its stack "
        "answers the rest.",
        service("odd-syns", "rr", [1, 1, 1]) + ["syn+ack odd-syns 0", "syn+fin odd-syns 1", "syn odd-syns 2"], "1 2 3",
        "reset reset 1"),
    Difference(
        "reuse",
        "With the kernel's conn_reuse_mode of 1 a new SYN on a connection in FIN_WAIT stays where it was, on one in CLOSE it "
        "is scheduled anew; lbdp schedules both anew.",
        service("reuse", "rr", [1, 1, 1]) + ["syn reuse 0", "ack reuse 0", "fin reuse 0", "syn reuse 0",
                                             "syn reuse 1", "ack reuse 1", "rst reuse 1", "syn reuse 1"],
        "1 1 1 1 2 2 2 3", "1 1 1 2 3 3 3 1"),
]


class IpvsOracleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ipvs_guest.remove_orphans()
        cls.guest = cls.enterClassContext(ipvs_guest.Guest())
        cls.kernel = Kernel(cls.guest)

    def check(self, scripts):
        kernel = self.kernel.follow(scripts)
        for who, command in LBDP.items():
            lbdp = lbdp_follow(command, scripts)
            for name, lines in scripts.items():
                with self.subTest(name, lbdp=who):
                    self.compare(compared_segments(lines), kernel[name], lbdp[name])

    def compare(self, segments, kernel, lbdp):
        self.assertEqual([len(kernel), len(lbdp)], [len(segments)] * 2)
        at = next((i for i in range(len(segments)) if kernel[i] != lbdp[i]), None)
        if at is None:
            return
        before = slice(max(0, at - 12), at)
        self.fail(f"segment {at}, {segments[at]!r}: kernel {kernel[at]}, lbdp {lbdp[at]}; before it\n"
                  f"kernel {' '.join(kernel[before])}\nlbdp   {' '.join(lbdp[before])}")

    def test_picks_are_the_kernels(self):
        self.check(dict([*plain_scripts(), *changing_scripts()]))

    def test_picks_are_the_kernels_with_thresholds(self):
        self.check(dict(threshold_scripts()))

    def test_differences_are_these(self):
        kernel = self.kernel.follow({difference.name: difference.kernel_script for difference in DIFFERENCES})
        for who, command in WORKERS.items():
            lbdp = lbdp_follow(command, {d.name: d.lbdp_script or d.kernel_script for d in DIFFERENCES})
            for difference in DIFFERENCES:
                with self.subTest(difference.name, lbdp=who):
                    self.assertEqual(" ".join(kernel[difference.name]), difference.kernel)
                    self.assertEqual(" ".join(lbdp[difference.name]), difference.lbdp)

    def test_sloppy_tcp_takes_a_bare_ack_for_an_established_connection(self):
        """A fact that the dataplane's sloppy_tcp follows: the input-only table would say CLOSE."""
        outcomes = self.kernel.follow({"sloppy": service("sloppy", "rr", [1]) + ["ack sloppy 40000"]})
        self.assertEqual(outcomes["sloppy"], ["reset"])
        self.guest.run("echo 1 >/proc/sys/net/ipv4/vs/sloppy_tcp")
        self.assertEqual(self.kernel.follow({"sloppy": ["ack sloppy 40001"]})["sloppy"], ["1"])
        client = f"{ipvs_guest.client_address(40001)}:{ipvs_guest.client_port(40001)}"
        listing = self.guest.run("echo 0 >/proc/sys/net/ipv4/vs/sloppy_tcp; ipvsadm -Lnc")
        row = next(line.split() for line in listing.splitlines() if client in line)
        self.assertEqual(row[2], "ESTABLISHED")


if __name__ == "__main__":
    lab.main("linux.uml", "ipvsadm", "busybox")
