#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each mode of lbdp_worker_bench, small and without hugepages: does it do its work and count it? No rate is judged."""

import json
import os
import subprocess
import unittest

PROGRAM = os.environ["LBDP_WORKER_BENCH"]
# Two lcores on one CPU: enough for what is counted.
EAL = ("--no-huge", "-m", "256", "--lcores", "0@0,1@0", "--main-lcore", "0")
QUICK = ("--seconds", "0.05", "--warm-up", "0", "--verify")


def run(*arguments):
    return subprocess.run([PROGRAM, *EAL, "--", *arguments], capture_output=True, text=True, timeout=100, check=False)


class WorkerBench(unittest.TestCase):
    def line(self, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def assert_all_forwarded(self, line):
        self.assertGreater(line["received"], 0)
        self.assertEqual(line["received"], line["transmitted"])
        self.assertEqual((line["dropped"], line["punted"]), (0, 0))

    def test_mac(self):
        line = self.line("mac", *QUICK)
        self.assertGreater(line["packets"], 0)
        self.assertGreater(line["ns_per_packet"], 0)

    def test_established(self):
        line = self.line("established", "--flows", "5000", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual((line["connections"], line["unstored"]), (5000, 0))

    def test_established_cold(self):
        line = self.line("established", "--flows", "5000", "--cold", "4096", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual((line["connections"], line["source"]), (5000, "cold"))

    def test_two_workers_share_the_flows(self):
        line = self.line("established", "--flows", "5000", "--workers", "2", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual(line["connections"], 5000)

    def test_new(self):
        line = self.line("new", "--connections", "2000000", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual(line["new_connections"], line["transmitted"])
        self.assertEqual(line["unstored"], 0)

    def test_flood(self):
        line = self.line("flood", "--flows", "5000", *QUICK)
        self.assert_all_forwarded(line)
        self.assertGreater(line["unstored"], 0)
        self.assertGreater(line["established_packets"], 0)
        self.assertGreater(line["load"], 0.99)

    def test_memory(self):
        line = self.line("memory", "--flows", "100000")
        self.assertLessEqual(line["bytes_per_connection"], 32)
        self.assertAlmostEqual(line["load"], 0.6, places=2)

    def test_publish(self):
        line = self.line("publish", "--flows", "5000", "--services", "100", "--publications", "5", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual(line["publish"]["count"], 5)
        self.assertEqual(line["flip"]["count"], 10)
        self.assertEqual(line["connections"], 5000)

    def test_list(self):
        line = self.line("list", "--flows", "5000", *QUICK)
        self.assert_all_forwarded(line)
        self.assertEqual(line["rows"], 5000)
        self.assertGreater(line["passes"], 0)

    def test_ipv6(self):
        result = run("established", "--flows", "5000", "--ipv6", *QUICK)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["connections"], 5000)

    def test_persistence(self):
        result = run("new", "--connections", "2000000", "--persistence", "300", *QUICK)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["persistence_s"], 300)

    def test_work_that_is_not_done_is_an_error(self):
        result = run("new", "--connections", "1024", *QUICK)
        self.assertEqual(result.returncode, 1)
        self.assertIn("too small", result.stderr)

    def test_usage(self):
        for arguments in ((), ("nonsense",), ("mac", "--flows", "0"), ("mac", "--flows", "x")):
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_too_few_lcores(self):
        result = run("list", "--workers", "2", *QUICK)
        self.assertEqual(result.returncode, 1)
        self.assertIn("lcore", result.stderr)


if __name__ == "__main__":
    unittest.main()
