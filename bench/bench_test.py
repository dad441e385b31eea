#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of bench/'s Python: comparison, floors, results, frames. Nothing is measured."""

import contextlib
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))
from lib import comparison, flows, forwarding, frames, l3fwd, micro
from lib.floors import FLOORS, Floor
from lib.results import Result, print_results

QUIET = [0.99, 1.0, 1.01, 1.0, 0.99, 1.01]  # six rounds with little spread
WILD = [0.7, 1.0, 1.3, 0.8, 1.2, 1.0]


def report(*results, **others):
    return {"machine": {"cpu": "x"}, "results": [result.to_json() for result in results], **others}


def scaled(rounds, factor):
    return [value * factor for value in rounds]


def kind_of(old, new, lower=False, a_a=None, a_a_rounds=None):
    """What compare() says of one figure, with an A/A figure beside it if asked for."""
    def side(rounds):
        own = [Result("figure", "ratio", rounds, lower, a_a)]
        return report(*own, *([Result(a_a, "ratio", a_a_rounds)] if a_a else []))

    changes, _ = comparison.compare(side(old), side(new))
    assert [change.key for change in changes] == ["figure"]
    return changes[0].kind


class Comparison(unittest.TestCase):
    def test_a_big_change_of_a_quiet_figure_is_named(self):
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 0.8)), "worse")
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 1.25)), "better")

    def test_where_less_is_better_it_is_the_other_way_round(self):
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 0.8), lower=True), "better")
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 1.25), lower=True), "worse")

    def test_below_five_percent_nothing_is_claimed(self):
        exact = [1.0] * 6
        self.assertEqual(kind_of(exact, scaled(exact, 0.96)), "same")
        self.assertEqual(kind_of(exact, scaled(exact, 1.045)), "same")
        self.assertEqual(kind_of(exact, scaled(exact, 0.94)), "worse")

    def test_the_rounds_spread_is_noise(self):
        self.assertEqual(kind_of(WILD, scaled(WILD, 0.85)), "same")
        self.assertEqual(kind_of(QUIET, scaled(WILD, 0.85)), "same")
        self.assertEqual(kind_of(WILD, scaled(WILD, 0.4)), "worse")

    def test_what_the_same_program_differs_from_itself_is_noise(self):
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 0.85), a_a="a/a", a_a_rounds=scaled(QUIET, 1.2)), "same")
        self.assertEqual(kind_of(QUIET, scaled(QUIET, 0.85), a_a="a/a", a_a_rounds=QUIET), "worse")

    def test_the_same_figures_are_the_same(self):
        self.assertEqual(kind_of(QUIET, QUIET), "same")

    def test_a_single_round_has_no_spread_and_five_percent_hold(self):
        self.assertEqual(kind_of([1.0], [0.96]), "same")
        self.assertEqual(kind_of([1.0], [0.9]), "worse")

    def test_figures_of_one_report_are_listed(self):
        changes, alone = comparison.compare(report(Result("gone", "ns", [1])), report(Result("new", "ns", [1])))
        self.assertEqual((changes, alone), ([], ["gone", "new"]))

    def test_other_machines_and_quick_reports_are_warned_of(self):
        old, new = report(), report(quick=True, idle=False)
        new["machine"]["cpu"] = "y"
        reasons = comparison.incomparable(old, new)
        self.assertEqual(len(reasons), 3)
        self.assertIn("cpu: x -> y", reasons)
        self.assertEqual(comparison.incomparable(old, old), [])


class CompareCommand(unittest.TestCase):
    def compare(self, old, new):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, content in (("old", old), ("new", new)):
                paths.append(pathlib.Path(folder) / name)
                paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
            return subprocess.run([BENCH / "compare", *paths], capture_output=True, text=True, check=False)

    def test_slower_is_exit_1_and_named(self):
        result = self.compare(report(Result("some/figure", "ns", QUIET, True)),
                              report(Result("some/figure", "ns", scaled(QUIET, 1.5), True)))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stdout, r"some/figure .* 1\.50 .* worse")

    def test_faster_is_exit_0_and_named(self):
        result = self.compare(report(Result("some/figure", "ns", QUIET, True)),
                              report(Result("some/figure", "ns", scaled(QUIET, 0.5), True)))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("better", result.stdout)

    def test_what_is_no_report_is_exit_2(self):
        for content in ("", "{}", "[]", "nonsense"):
            self.assertEqual(self.compare(report(), content).returncode, 2, content)


class Floors(unittest.TestCase):
    def test_verdicts(self):
        more, less = Floor("k", 0.5, 0.6), Floor("k", 20, 10, lower=True)
        self.assertEqual([more.verdict(v) for v in (0.49, 0.5, 0.6)], ["BELOW", "PASS", "AIM"])
        self.assertEqual([less.verdict(v) for v in (21, 20, 10)], ["BELOW", "PASS", "AIM"])
        self.assertEqual(Floor("k", 3).verdict(9), "PASS")

    def test_every_floor_has_a_figure(self):
        """A key that no measurement makes would never be checked."""
        made = set()
        programs = ("testpmd-mac", "lbdp", "l3fwd-em", "testpmd-mac-again", "testpmd-io")
        for count in (1000, 100_000, 1_000_000):
            measured = {name: [(1.0, 1.0)] for name in programs}
            made |= {result.key for result in forwarding.results_of(count, measured)}
        most = 10_000_000
        line = {"packets_per_s": 1, "ratio": 1, "answering_ratio": 1, "publish": {"max_ms": 1}, "flip": {"max_ms": 1},
                "bytes_per_connection": 1}
        for source in ("warm", "cold"):
            lines = {step.name: [line] for step in flows.forwarding_steps(most, source)}
            made |= {result.key for result in flows.forwarding_results(lines, most, source)}
        steps = (*flows.new_steps(), *flows.other_steps(most), *flows.memory_steps(most))
        made |= {result.key for result in flows.single_results({step.name: [line] for step in steps})}
        self.assertEqual(set(FLOORS) - made, set())

    def test_a_verdict_stands_in_table_and_json(self):
        result = Result("forwarding/lbdp/1000/to-mac", "ratio", [0.5, 0.5])
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            print_results([result])
        self.assertIn("BELOW", out.getvalue())
        self.assertEqual(result.to_json()["verdict"], "BELOW")

    def test_a_result_survives_json(self):
        result = Result("k", "ns", [1.0, 2.0], True, "a/a")
        self.assertEqual(Result.from_json(json.loads(json.dumps(result.to_json()))), result)


class Frames(unittest.TestCase):
    def test_one_sound_frame_a_flow(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.pcap"
            frames.write_frames(path, 50)
            data = path.read_bytes()[24:]
        clients = set()
        for at in range(0, len(data), 76):
            frame = data[at + 16:at + 76]
            self.assertEqual(len(frame), 60)
            header = struct.unpack("!10H", frame[14:34])
            self.assertEqual(frames.checksum(sum(header)), 0)
            pseudo = sum(header[6:]) + 17 + 26
            self.assertEqual(frames.checksum(pseudo + sum(struct.unpack("!13H", frame[34:60]))), 0)
            clients.add(frame[26:30] + frame[34:36])
        self.assertEqual(len(clients), 50)

    def test_l3fwds_rules_name_the_same_flows(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "rules"
            frames.write_l3fwd_rules(path, 3)
            lines = path.read_text().splitlines()
        self.assertEqual(lines[1], f"R{frames.VIP} 10.0.0.2 53 {frames.client_of(1)[1]} 0x11 0")
        self.assertEqual(len(lines), 3)


class Yardsticks(unittest.TestCase):
    def test_the_edits_fit_debians_l3fwd(self):
        with tempfile.TemporaryDirectory() as folder:
            l3fwd.patched_copy(pathlib.Path(folder) / "copy")

    def test_google_benchmarks_lines_become_figures(self):
        runs = [
            {"run_type": "iteration", "run_name": "hit/16", "items_per_second": 1e8, "cpu_time": 320, "time_unit": "ns"},
            {"run_type": "iteration", "run_name": "hit/16", "items_per_second": 2e8, "cpu_time": 160, "time_unit": "ns"},
            {"run_type": "aggregate", "run_name": "hit/16", "cpu_time": 1, "time_unit": "ns"},
            {"run_type": "iteration", "run_name": "publish", "cpu_time": 3, "time_unit": "us"},
            {"run_type": "iteration", "run_name": "broken", "error_occurred": True, "cpu_time": 0, "time_unit": "ns"},
        ]
        results = {r.key: r for r in micro.results_of("lbdp_flow_table_bench", runs)}
        self.assertEqual(results["micro/flow_table/hit/16"].rounds, [10.0, 5.0])
        self.assertEqual(results["micro/flow_table/publish"].rounds, [3000.0])
        self.assertTrue(results["micro/flow_table/publish"].lower_is_better)
        self.assertEqual(len(results), 2)


if __name__ == "__main__":
    unittest.main()
