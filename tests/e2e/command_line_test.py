#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""lbdp's and lbdp-cli's command lines: what needs no network, and the exit codes."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import lab

BAD = """global_defs {
   router_idd node1
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 300
    virtual_ipaddress {
        172.18.250.399
        172.18.250.99
    }
}
virtual_server 172.18.250.99 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 172.18.250.77 80 {
        weight heavy
    }
}
"""
BAD_LINES = (2, 6, 8, 17)


class CommandLineTest(unittest.TestCase):
    """As the user nobody, from copies in a directory that is open to all: the tree may lie where only root gets."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbdp-cli-test-")))
        cls.directory.chmod(0o755)
        for program in ("lbdp", "lbdp-cli"):
            shutil.copy(lab.BUILD / program, cls.directory / program)
        shutil.copy(lab.REFERENCE / "lb1.conf", cls.directory / "lb1.conf")
        (cls.directory / "bad.conf").write_text(BAD)
        for path in cls.directory.iterdir():
            path.chmod(0o755)

    def run_as_nobody(self, program, *arguments, timeout_s=20):
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", f"./{program}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=self.directory)

    def test_reference_files_are_valid(self):
        for arguments in (("-t", "-c", "lb1.conf"), ("--", "-t", "-c", "lb1.conf")):
            result = self.run_as_nobody("lbdp", *arguments)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_all_errors_at_once(self):
        result = self.run_as_nobody("lbdp", "-t", "-c", "bad.conf")
        self.assertEqual(result.returncode, 3, result.stdout + result.stderr)
        places = [int(line) for line in re.findall(r"^bad\.conf:(\d+):\d+: error: ", result.stderr, re.MULTILINE)]
        self.assertEqual(places, list(BAD_LINES), result.stderr)

    def test_dump_is_a_file_again(self):
        """As text, which gives the same text and JSON when it is read again; and which keepalived takes."""
        first = self.run_as_nobody("lbdp", "--dump-config", "-c", "lb1.conf")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("connect_timeout 3", first.stdout)
        (self.directory / "dump.conf").write_text(first.stdout)
        again = self.run_as_nobody("lbdp", "--", "--dump-config=text", "-c", "dump.conf")
        self.assertEqual((again.returncode, again.stdout), (0, first.stdout), again.stderr)
        documents = [json.loads(self.run_as_nobody("lbdp", "--dump-config=json", "-c", name).stdout) for name in ("lb1.conf", "dump.conf")]
        self.assertEqual(documents[0], documents[1])
        self.assertEqual(documents[0]["virtual_server"][0]["real_server"][1]["address"], "172.18.250.79")
        self.assertNotIn("1111", json.dumps(documents[0]["vrrp_instance"]))
        check = "ip link add eth0 type veth peer name far && ip link set eth0 up && exec keepalived -t -f dump.conf"
        taken = subprocess.run(["unshare", "--net", "sh", "-c", check], capture_output=True, text=True, timeout=30, check=False,
                               cwd=self.directory)
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)

    def test_dump_of_a_bad_file(self):
        result = self.run_as_nobody("lbdp", "--dump-config=json", "-c", "bad.conf")
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn("bad.conf:6:", result.stderr)

    def test_file_that_cannot_be_read(self):
        result = self.run_as_nobody("lbdp", "-t", "-c", "nowhere.conf")
        self.assertEqual(result.returncode, 3)
        self.assertIn("nowhere.conf", result.stderr)

    def test_usage_errors(self):
        for arguments in (("-t",), ("-t", "-c"), ("-t", "-c", "lb1.conf", "--bogus"), ("--", "--bogus"), ()):
            result = self.run_as_nobody("lbdp", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stdout, result.stderr))
            self.assertTrue(result.stderr.strip(), arguments)
        for arguments in ((), ("show",), ("show", "nonsense"), ("--bogus",)):
            result = self.run_as_nobody("lbdp-cli", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stdout, result.stderr))

    def test_version_and_help(self):
        self.assertRegex(self.run_as_nobody("lbdp", "-V").stdout, r"\d+\.\d+\.\d+")
        for program in ("lbdp", "lbdp-cli"):
            result = self.run_as_nobody(program, "-h")
            self.assertEqual(result.returncode, 0)
            self.assertIn(program, result.stdout)

    def test_no_director_at_the_socket(self):
        result = self.run_as_nobody("lbdp-cli", "-s", "./nothing.sock", "show", "vrrp")
        self.assertEqual(result.returncode, 4)
        self.assertIn("nothing.sock", result.stderr)

    def test_start_failures_say_what_is_missing(self):
        """Exit 1 with a reason: no port to poll, and no lcore for a worker."""
        common = ["--no-huge", "--no-pci", "-m", "64", "--no-telemetry", "--file-prefix", f"lbdp-{self.directory.name}"]
        tail = ["--", "-c", "lb1.conf", "--control-socket", "./control.sock"]
        for eal, word in (
                (["--lcores", "0@0,1@0"], "port"),
                (["--lcores", "0@0", "--vdev", "net_null0"], "lcore"),
        ):
            command = ["unshare", "--net", "./lbdp", *common, *eal, *tail]
            result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=self.directory)
            self.assertEqual(result.returncode, 1, (eal, result.stdout, result.stderr))
            self.assertRegex(result.stdout + result.stderr, rf"(?i)\b{word}", eal)


if __name__ == "__main__":
    lab.main()
