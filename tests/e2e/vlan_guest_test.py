#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real servers behind VLANs of a port, with a kernel that has VLAN devices: control/neighbours_test in a user-mode-linux
guest, for the kernel of the machine may have none, and the test then skips what needs them."""

import shutil
import sys
import unittest

import ipvs_guest
import lab


class VlanGuest(ipvs_guest.Guest):
    modules = ("8021q", "ipv6", "veth", "macvlan")

    def _configure(self):
        """The test makes its own interfaces."""


class VlanGuestTest(unittest.TestCase):
    def test_neighbours_with_a_kernel_that_has_vlans(self):
        with VlanGuest() as guest:
            guest.run("true", deadline_s=60)  # it has booted
            output = guest.run(str(lab.BUILD / "control" / "neighbours_test"), deadline_s=180)
        self.assertIn("NeighboursTest.BehindAVlan", output)
        self.assertNotIn("SKIPPED", output)


if __name__ == "__main__":
    if shutil.which("linux.uml") is None:
        sys.exit("there is no linux.uml on this machine: scripts/install installs what the tests need")
    ipvs_guest.remove_orphans()
    lab.main()
