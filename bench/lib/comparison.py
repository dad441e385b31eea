# SPDX-License-Identifier: BSD-2-Clause
"""Which figures of two reports differ by more than noise."""

import dataclasses
import math

from lib.results import Result

# One and the same program ranges by a fifth between runs: below this nothing is ever claimed.
LEAST = 0.05
# So many standard errors of the difference of two medians are noise: a report has about a hundred figures. Few rounds say
# little about the error itself, so it counts for more then.
ERRORS = 3.0


@dataclasses.dataclass
class Change:
    key: str
    old: float
    new: float
    noise: float  # relative: how far apart the two may be without meaning anything
    lower_is_better: bool

    @property
    def ratio(self):
        return self.new / self.old

    @property
    def kind(self):
        """"better", "worse" or "same"."""
        if abs(math.log(self.ratio)) <= math.log1p(self.noise):
            return "same"
        return "better" if (self.ratio < 1) == self.lower_is_better else "worse"


def by_key(report):
    return {entry["key"]: Result.from_json(entry) for entry in report["results"]}


def a_a_deviation(result, results):
    """How far the A/A figure that belongs to this one is from 1, each of its rounds on average 0."""
    a_a = results.get(result.a_a) if result.a_a else None
    return abs(a_a.median - 1) if a_a else 0.0


def noise_of_rounds(result):
    rounds = len(result.rounds)
    return ERRORS * result.error * (1 + 2 / (rounds - 1)) if rounds > 1 else 0.0


def noise_of(old, new, old_results, new_results):
    of_rounds = math.hypot(noise_of_rounds(old), noise_of_rounds(new))
    return max(LEAST, of_rounds, a_a_deviation(old, old_results), a_a_deviation(new, new_results))


def is_a_a(key, results):
    return any(result.a_a == key for result in results.values())


def compare(old_report, new_report):
    """A Change for each figure that both have, A/A figures aside; the keys of one report only."""
    old_results, new_results = by_key(old_report), by_key(new_report)
    changes = []
    for key, old in old_results.items():
        new = new_results.get(key)
        if new is None or is_a_a(key, old_results) or old.median <= 0 or new.median <= 0:
            continue
        changes.append(Change(key, old.median, new.median, noise_of(old, new, old_results, new_results),
                              old.lower_is_better))
    return changes, sorted(old_results.keys() ^ new_results.keys())


def incomparable(old_report, new_report):
    """Why absolute figures of the two say nothing about each other; empty if nothing speaks against it."""
    reasons = []
    for fact in ("cpu", "cores", "kernel", "dpdk", "compiler", "flags", "build_type", "march"):
        before, after = old_report["machine"].get(fact), new_report["machine"].get(fact)
        if before != after:
            reasons.append(f"{fact}: {before} -> {after}")
    for name, report in (("OLD", old_report), ("NEW", new_report)):
        if report.get("quick"):
            reasons.append(f"{name} is a --quick report")
        if not report.get("idle", True):
            reasons.append(f"{name} was not measured on an idle machine")
    return reasons
