#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""lb.conf's values beside keepalived's: what a file means to `keepalived -d`, which logs its configuration as it took it,
and to `lbdp --dump-config=json`. The same priorities, timers, weights, quorums; what was left out has the same default.

keepalived's checkers want IPVS in the kernel, and get it in a user-mode-linux guest."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import dumps
import oracle

sys.path.insert(0, str(oracle.TREE / "tests" / "e2e"))
import ipvs_guest  # noqa: E402
import lab  # noqa: E402

VALUES = oracle.CORPUS / "values"
# Where the two differ on purpose: the file, the thing, the keyword, and why.
DIFFERENCES = [
    ("vrrp.conf", "vrrp_instance strict", "garp_lower_prio_delay", "the delay of what strict mode sends zero times"),
]


class ValuesTest(unittest.TestCase):
    maxDiff = None

    def compare(self, path, things):
        self.assertGreater(len(things), 1, "keepalived's dump is not understood")
        command = [oracle.BUILD / "lbdp", "-c", path, "--dump-config=json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        known = {(name, keyword) for file, name, keyword, _ in DIFFERENCES if file == path.name}
        self.assertEqual(list(dumps.differences(things, dumps.of_lbdp(json.loads(result.stdout)), known)), [])

    def test_vrrp(self):
        for path in sorted(VALUES.glob("vrrp*.conf")):
            with self.subTest(path.name):
                self.compare(path, dumps.instances_of_keepalived(self.log_of_vrrp(path)))

    def log_of_vrrp(self, path):
        """What keepalived's VRRP process logs at its start, up to the end of its configuration."""
        with tempfile.TemporaryDirectory(prefix="lbdp-values-") as directory:
            log = pathlib.Path(directory, "log")
            command = ["keepalived", "--vrrp", "-n", "-l", "-d", "-i", oracle.CONFIG_ID, "-f", path, "-p", f"{directory}/parent",
                       "-r", f"{directory}/vrrp"]
            with open(log, "wb") as output:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
            try:
                lab.poll(lambda: "< Interfaces >" in log.read_text(errors="replace"), 30, f"keepalived has read {path.name}")
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            return log.read_text(errors="replace")

    def test_services(self):
        ipvs_guest.remove_orphans()
        with ipvs_guest.Guest(servers=1) as guest:
            for path in sorted([*VALUES.glob("services*.conf"), *VALUES.glob("checkers*.conf")]):
                with self.subTest(path.name):
                    self.compare(path, dumps.services_of_keepalived(self.log_of_checkers(guest, path)))

    def log_of_checkers(self, guest, path):
        """What keepalived's checker process logs at its start, up to its first activation of a checker, or to its end."""
        return guest.run(f"""
            log=$guest_dir/log-of-checkers
            >"$log"
            keepalived --check -n -l -D -d -i {oracle.CONFIG_ID} -f {path} -p $guest_dir/parent -c $guest_dir/checkers >"$log" 2>&1 &
            for ((i = 0; i < 500; ++i)); do
                text=$(<"$log")
                [[ $text != *Activating* && $text != *'Stopped Keepalived'* ]] || break
                busybox usleep 50000
            done
            kill $!; wait $! || true
            printf '%s\\n' "$text"
        """, deadline_s=90)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("keepalived runs in a network namespace: run this as root")
    oracle.in_namespace()
    unittest.main(verbosity=2)
