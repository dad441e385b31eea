#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What lbdp says when DPDK cannot start: one clear message, exit code 1, and nothing left behind.

Each run has a network and a mount namespace of its own; hugepages that are missing are missing in there only.
"""

import glob
import os
import pathlib
import subprocess
import tempfile
import unittest

import lab

NULL_PORT = ["--vdev=net_null0"]


def fake_hugepages(total, free):
    """Shell commands: the kernel says that it has so many hugepages, as a whole and on its NUMA node."""
    return (
        "for d in /sys/kernel/mm/hugepages /sys/devices/system/node/node*/hugepages; do "
        "mount -t tmpfs none $d; mkdir $d/hugepages-2048kB; cd $d/hugepages-2048kB; "
        f"echo {total} > nr_hugepages; echo {free} > free_hugepages; "
        "echo 0 > surplus_hugepages; echo 0 > resv_hugepages; done; cd /"
    )


class EalErrors(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="lbdp-eal-errors-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.prefix = f"ealerr{os.getpid()}"
        self.addCleanup(self.remove_hugepage_files)
        self.config = self.directory / "lb.conf"
        self.config.write_text((lab.REFERENCE / "lb1.conf").read_text())

    def remove_hugepage_files(self):
        for path in glob.glob(f"/dev/hugepages/{self.prefix}map_*"):
            os.unlink(path)

    def run_lbdp(self, *eal, prepare="true", memory=("--no-huge", "-m", "128"), lcores="0,1"):
        arguments = [str(lab.BUILD / "lbdp"), "--no-pci", "-l", lcores, f"--file-prefix={self.prefix}", *memory, *eal]
        arguments += ["--", "-c", str(self.config), "--control-socket", str(self.directory / "control.sock")]
        return subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-ec", f'{prepare}\nexec "$@"', "sh", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def assert_refused(self, result, *messages):
        output = result.stdout + result.stderr
        self.assertEqual(result.returncode, 1, output)
        for message in messages:
            self.assertIn(message, output)
        self.assertEqual(glob.glob(f"/dev/hugepages/{self.prefix}map_*"), [], "hugepage files are left behind")
        self.assertFalse((self.directory / "control.sock").exists())

    def test_no_hugepages_reserved(self):
        result = self.run_lbdp(*NULL_PORT, prepare=fake_hugepages(0, 0), memory=())
        self.assert_refused(
            result, "no hugepages are reserved", "/proc/sys/vm/nr_hugepages", "mount -t hugetlbfs", "--no-huge"
        )

    def test_all_hugepages_taken(self):
        result = self.run_lbdp(*NULL_PORT, prepare=fake_hugepages(512, 0), memory=())
        self.assert_refused(result, "all 512 hugepages are taken", "--no-huge")

    def test_no_hugetlbfs_mounted(self):
        unmount = "for m in $(awk '$3 == \"hugetlbfs\" {print $2}' /proc/self/mounts); do umount $m; done"
        result = self.run_lbdp(*NULL_PORT, prepare=f"{fake_hugepages(512, 512)}; {unmount}", memory=())
        self.assert_refused(result, "no hugetlbfs is mounted", "mount -t hugetlbfs")

    def test_no_port(self):
        self.assert_refused(self.run_lbdp(), "no port", "dpdk-devbind.py", "--vdev=")

    def test_device_that_does_not_start(self):
        result = self.run_lbdp("--vdev=net_af_packet0,iface=nosuch")
        self.assert_refused(result, "no port", "EAL's messages above")

    def test_one_lcore_only(self):
        result = self.run_lbdp(*NULL_PORT, lcores="0")
        self.assert_refused(result, "one lcore only", "at least one worker lcore", "-l 0,1")

    def test_wrong_eal_option(self):
        result = self.run_lbdp(*NULL_PORT, "--no-such-option")
        self.assert_refused(result, "a wrong option", "EAL's own message")

    def test_argument_that_eal_does_not_know(self):
        result = self.run_lbdp(*NULL_PORT, "lb.conf")
        self.assert_refused(result, '"lb.conf"', 'come after "--"')

    def test_tap_name_taken_by_another_kind_of_interface(self):
        result = self.run_lbdp(*NULL_PORT, prepare="ip link add eth0 type veth peer name other")
        self.assert_refused(result, "interface eth0 exists already")

    def test_tap_name_taken_by_a_persistent_tap(self):
        result = self.run_lbdp(*NULL_PORT, prepare="ip tuntap add eth0 mode tap")
        self.assert_refused(result, "interface eth0 exists already")

    def test_device_that_eal_does_not_have(self):
        with self.config.open("a") as config:
            config.write("dataplane {\n    port 0 {\n        device 0000:99:00.0\n        interface eth0\n    }\n}\n")
        result = self.run_lbdp(*NULL_PORT)
        self.assert_refused(result, '"0000:99:00.0"', "it has: net_null0")

    def test_more_ports_than_eal_has(self):
        with self.config.open("a") as config:
            config.write("dataplane {\n    port 0 {\n    }\n    port 1 {\n    }\n}\n")
        result = self.run_lbdp(*NULL_PORT)
        self.assert_refused(result, "names 2 ports, EAL has 1")

    def test_more_memory_than_there_is(self):
        self.assert_refused(self.run_lbdp(*NULL_PORT, memory=("-m", "99999999")), "not enough memory")


if __name__ == "__main__":
    unittest.main()
