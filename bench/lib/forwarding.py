# SPDX-License-Identifier: BSD-2-Clause
"""The measurement of bench/forwarding: interleaved rounds of several programs on one source."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from lib import frames, l3fwd
from lib.programs import L3fwd, Lbdp, Testpmd
from lib.results import Result, ratios

SOURCE = "net_pcap infinite_rx, 60-byte UDP frames, one a flow"
# l3fwd's hash holds four million keys at most, and its rules are made one by one.
MAX_L3FWD_FLOWS = 2_000_000


class Bench:
    """The namespace, the frames, and the programs' builds."""

    def __init__(self, build, stack):
        self.build = build
        self.namespace = f"lbdpbench{os.getpid()}"
        self.directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lbdp-bench-")))
        stack.callback(subprocess.run, ["ip", "netns", "del", self.namespace], check=False)
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)

    def ip(self, *arguments):
        subprocess.run(["ip", "-n", self.namespace, *arguments], check=True)

    def made_once(self, name, write, *arguments):
        path = self.directory / name
        if not path.exists():
            write(path, *arguments)
        return path

    def frames(self, flows):
        return self.made_once(f"{flows}.pcap", frames.write_frames, flows)

    def rules(self, flows):
        return self.made_once(f"{flows}.rules", frames.write_l3fwd_rules, flows)

    def no_rules(self):
        """l3fwd wants a file of IPv6 rules, too, with at least one."""
        rule = "R2001:db8::1 2001:db8::2 9 9 0x11 0\n"
        return self.made_once("ipv6.rules", lambda path: path.write_text(rule))

    def l3fwd(self):
        return l3fwd.build(self.build)

    def programs(self, flows, with_l3fwd):
        """What takes turns, in this order: the yardsticks stand around what they measure."""
        programs = {
            "testpmd-mac": lambda: Testpmd(self, flows, "mac"),
            "lbdp": lambda: Lbdp(self, flows),
            "l3fwd-em": lambda: L3fwd(self, flows),
            "testpmd-mac-again": lambda: Testpmd(self, flows, "mac"),
            "testpmd-io": lambda: Testpmd(self, flows, "io"),
        }
        if not with_l3fwd or flows > MAX_L3FWD_FLOWS:
            del programs["l3fwd-em"]
        return programs

    def programs_with(self, workers, flows, with_l3fwd):
        """The same for one number of workers, without the A/A row."""
        programs = {
            "testpmd-mac": lambda: Testpmd(self, flows, "mac", workers),
            "lbdp": lambda: Lbdp(self, flows, workers),
            "l3fwd-em": lambda: L3fwd(self, flows, workers),
        }
        if not with_l3fwd:
            del programs["l3fwd-em"]
        return programs

    def run(self, flows, seconds, rounds, with_l3fwd=True):
        """By program: rate and share of the CPU, one pair a round."""
        return self.take_turns(f"{flows} flows", self.programs(flows, with_l3fwd), seconds, rounds)

    def run_with(self, workers, flows, seconds, rounds, with_l3fwd=True):
        """The same for several workers."""
        return self.take_turns(f"{workers} worker(s)", self.programs_with(workers, flows, with_l3fwd), seconds, rounds)

    @staticmethod
    def take_turns(what, programs, seconds, rounds):
        measured = {name: [] for name in programs}
        for number in range(1, rounds + 1):
            for name, make in programs.items():
                print(f"\r{what}, round {number} of {rounds}: {name:<20}", end="", file=sys.stderr, flush=True)
                with make() as program:
                    measured[name].append(program.measure(seconds))
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)
        return measured


def rates_of(measured):
    return {name: [rate for rate, _ in pairs] for name, pairs in measured.items()}


def rows_of(flows, measured):
    """A row a program, for the table and the plots."""
    rates = rates_of(measured)
    io_ns = 1e9 / statistics.median(rates["testpmd-io"])
    rows = []
    for name, own in rates.items():
        to_mac = ratios(own, rates["testpmd-mac"])
        median = statistics.median(own)
        rows.append({
            "name": name,
            "flows": flows,
            "mpps": round(median / 1e6, 3),
            "mpps_min": round(min(own) / 1e6, 3),
            "mpps_max": round(max(own) / 1e6, 3),
            "ns_per_packet": round(1e9 / median, 2),
            "ns_above_io": round(1e9 / median - io_ns, 2),
            "ratio_to_mac": round(median / statistics.median(rates["testpmd-mac"]), 3),
            "ratio_min": round(min(to_mac), 3),
            "ratio_max": round(max(to_mac), 3),
            "cpu_share": round(min(share for _, share in measured[name]), 3),
            "rounds": len(own),
        })
    return rows


def results_of(flows, measured):
    """The figures that have floors, and the A/A row that says how far to trust them."""
    rates = rates_of(measured)
    a_a = f"forwarding/testpmd-mac-again/{flows}/to-mac"
    results = [
        Result(f"forwarding/lbdp/{flows}/to-mac", "ratio", ratios(rates["lbdp"], rates["testpmd-mac"]), a_a=a_a),
        Result(a_a, "ratio", ratios(rates["testpmd-mac-again"], rates["testpmd-mac"])),
    ]
    if "l3fwd-em" in rates:
        results[1:1] = [
            Result(f"forwarding/lbdp/{flows}/to-l3fwd", "ratio", ratios(rates["lbdp"], rates["l3fwd-em"]), a_a=a_a),
            Result(f"forwarding/l3fwd-em/{flows}/to-mac", "ratio", ratios(rates["l3fwd-em"], rates["testpmd-mac"]),
                   a_a=a_a),
        ]
    return results


def worker_rows(workers, flows, measured):
    """A row a program: how much so many workers forward together."""
    return [
        {
            "name": name, "workers": workers, "flows": flows, "rounds": len(pairs),
            "mpps": round(statistics.median(rate for rate, _ in pairs) / 1e6, 3),
            "mpps_min": round(min(rate for rate, _ in pairs) / 1e6, 3),
            "mpps_max": round(max(rate for rate, _ in pairs) / 1e6, 3),
            "cpu_share": round(min(share for _, share in pairs), 3),
        }
        for name, pairs in measured.items()
    ]


def print_rows(rows):
    print(f"{'program':<18} {'flows':>9} {'Mpps':>7} {'ns/packet':>10} {'above io':>9} {'to mac':>7} {'min':>6} {'max':>6} "
          f"{'cpu':>5}")
    for row in rows:
        print(
            f"{row['name']:<18} {row['flows']:>9} {row['mpps']:>7.2f} {row['ns_per_packet']:>10.1f} "
            f"{row['ns_above_io']:>9.1f} {row['ratio_to_mac']:>7.2f} {row['ratio_min']:>6.2f} {row['ratio_max']:>6.2f} "
            f"{row['cpu_share']:>5.0%}",
            flush=True,
        )
    warn_of_company(min(row["cpu_share"] for row in rows))


def warn_of_company(cpu_share):
    if cpu_share < 0.97:
        print("  Another process ran on the worker's CPU: measure again on an idle machine before quoting this.")
