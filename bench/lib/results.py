# SPDX-License-Identifier: BSD-2-Clause
"""A figure, by which a reader or bench/compare knows it: its key, its unit, and what every round said."""

import dataclasses
import math
import statistics

from lib.floors import FLOORS


@dataclasses.dataclass
class Result:
    key: str  # what/how/flows/against: "forwarding/lbdp/1000/to-mac"
    unit: str  # "ratio", "per s", "ns", "ms", "bytes"
    rounds: list
    lower_is_better: bool = False
    # Key of the figure that measures the same thing twice: how far it is from 1 is noise.
    a_a: str | None = None

    @property
    def median(self):
        return statistics.median(self.rounds)

    @property
    def error(self):
        """Standard error of the median, relative to it, as far as the rounds tell; 0 for a single round."""
        if len(self.rounds) < 2 or self.median == 0:
            return 0.0
        return 1.2533 * statistics.stdev(self.rounds) / math.sqrt(len(self.rounds)) / abs(self.median)

    def to_json(self):
        floor = FLOORS.get(self.key)
        out = {
            "key": self.key, "unit": self.unit, "median": rounded(self.median), "rounds": [rounded(r) for r in self.rounds],
            "lower_is_better": self.lower_is_better, "a_a": self.a_a,
        }
        if floor:
            out |= {"floor": floor.floor, "aim": floor.aim, "verdict": floor.verdict(self.median)}
        return out

    @staticmethod
    def from_json(entry):
        return Result(entry["key"], entry["unit"], entry["rounds"], entry["lower_is_better"], entry["a_a"])


def rounded(value):
    """To six digits that count."""
    return float(f"{value:.6g}")


def ratios(rates, to):
    return [mine / theirs for mine, theirs in zip(rates, to)]


def print_results(results):
    """One line each, with the floor and the aim beside those that have one."""
    print(f"{'figure':<46} {'median':>10} {'min':>10} {'max':>10} {'floor':>8} {'aim':>8}")
    for result in results:
        floor = FLOORS.get(result.key)
        limits, verdict = f"{'':>8} {'':>8}", ""
        if floor:
            limits = f"{short(floor.floor):>8} {'' if floor.aim is None else short(floor.aim):>8}"
            verdict = floor.verdict(result.median)
        print(f"{result.key:<46} {short(result.median):>10} {short(min(result.rounds)):>10} "
              f"{short(max(result.rounds)):>10} {limits} {verdict}", flush=True)


def short(value):
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value:.4g}"
