#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/lab and scripts/realserver: what all other end-to-end tests stand on."""

import os
import pathlib
import signal
import socket
import subprocess
import time
import unittest

import lab
import nd


class SwitchTest(lab.SharedLabTestCase):
    def test_switch_alters_nothing(self):
        result = self.lab.script("selftest", check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("the switch alters nothing", result.stdout)

    def test_selftest_sees_a_switch_that_meddles(self):
        key = "net.bridge.bridge-nf-call-iptables"
        self.lab.run("switch", "sysctl", "-w", f"{key}=1")
        self.addCleanup(self.lab.run, "switch", "sysctl", "-w", f"{key}=0")
        result = self.lab.script("selftest", check=False)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("FAILED a wrong IPv4 header checksum", result.stdout)

    def test_kernel_is_silent_on_the_dpdk_interface(self):
        """Nothing answers a ping to the director's address or an ARP request for it, even if the kernel knows it."""
        self.lab.run("lb1", "ip", "address", "add", "172.18.250.75/16", "dev", "dpdk0")
        self.addCleanup(self.lab.run, "lb1", "ip", "address", "flush", "dev", "dpdk0")
        result = self.lab.run("client", "arping", "-c", "1", "-w", "1", "-I", "eth0", "172.18.250.75", check=False)
        self.assertIn("Received 0 response", result.stdout)

    def test_real_servers_answer_and_hide_the_vip(self):
        for host in ("rs1", "rs2"):
            self.assertEqual(self.lab.curl(f"http://{lab.ADDRESSES[host]}/index.html"), f"Hello {host.upper()}")
            self.assertEqual(self.lab.curl(f"http://[{lab.ADDRESSES6[host]}]/index.html"), f"Hello {host.upper()}")
            result = self.lab.run(host, lab.TREE / "scripts" / "realserver", "check", lab.VIP, lab.VIP6)
            self.assertNotIn("WRONG", result.stdout)
        result = self.lab.run("client", "arping", "-c", "1", "-w", "1", "-I", "eth0", lab.VIP, check=False)
        self.assertIn("Received 0 response", result.stdout)


class LifeTest(unittest.TestCase):
    def test_two_labs_stand_side_by_side_and_down_leaves_nothing(self):
        with lab.Lab() as first, lab.Lab(real_servers=3) as second:
            self.assertEqual(first.curl("http://172.18.250.77/index.html"), "Hello RS1")
            self.assertEqual(second.curl("http://172.18.250.80/index.html"), "Hello RS3")
            names = (first.name, second.name)
        for name in names:
            self.assertEqual([n for n in os.listdir("/run/netns") if n.startswith(name)], [])
            self.assertFalse(pathlib.Path("/run/lbdp-lab", name).exists())

    def test_down_after_a_crash(self):
        """A namespace deleted by hand takes neither its nginx with it nor the lab's other parts."""
        with lab.Lab() as broken:
            pid = int((broken.directory / "rs1" / "nginx.pid").read_text())
            subprocess.run(["ip", "netns", "delete", f"{broken.name}-rs1"], check=True)
            broken.script("down")
            lab.poll(lambda: not pathlib.Path("/proc", str(pid)).exists(), 5, "nginx of rs1 is gone")
            self.assertEqual([n for n in os.listdir("/run/netns") if n.startswith(broken.name)], [])
            broken.script("down")  # again, with nothing there

    def test_stop_and_start_of_a_real_server(self):
        with lab.Lab() as net:
            for flag in ((), ("-9",)):
                net.script("stop", "rs1", *flag)
                self.assertIsNone(net.curl("http://172.18.250.77/index.html", timeout_s=1))
                net.script("start", "rs1")
                self.assertEqual(net.curl("http://172.18.250.77/index.html"), "Hello RS1")

    def test_kernel_director_has_an_ordinary_interface(self):
        with lab.Lab(kernel_directors=("lb2",)) as net:
            self.assertEqual(net.addresses("lb2"), ["172.18.250.76"])
            net.run("client", "ping", "-c", "1", "-W", "2", "172.18.250.76")

    def test_orphans_of_a_killed_test_are_removed(self):
        code = f"import sys; sys.path.insert(0, {str(lab.TREE / 'tests' / 'e2e')!r}); import lab, os, signal\n"
        code += "net = lab.Lab(); net.__enter__(); print(net.name, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
        result = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, -signal.SIGKILL, result.stderr)
        orphan = result.stdout.strip()
        self.assertTrue(pathlib.Path("/run/lbdp-lab", orphan).exists())
        lab.remove_orphans()
        self.assertFalse(pathlib.Path("/run/lbdp-lab", orphan).exists())


class RealServerTest(lab.LabTestCase):
    """In the client's namespace, which is no real server yet."""

    def realserver(self, *arguments):
        script = lab.TREE / "scripts" / "realserver"
        state = self.lab.directory / "client" / "realserver"
        return self.lab.run("client", script, "--state", state, *arguments, check=False)

    def switches(self):
        keys = [f"net.ipv4.conf.all.{name}" for name in ("arp_ignore", "arp_announce")]
        return [int(v) for v in self.lab.run("client", "sysctl", "-n", *keys).stdout.split()]

    def test_up_and_down_restore_what_was_there(self):
        self.lab.run("client", "sysctl", "-w", "net.ipv4.conf.all.arp_announce=1")
        self.assertEqual(self.realserver("check", "10.9.9.9").returncode, 1)
        for _ in range(2):
            self.assertEqual(self.realserver("up", "10.9.9.9", "2001:db8:0::7").returncode, 0)
            self.assertEqual(self.switches(), [1, 2])
        self.assertEqual(self.realserver("check", "10.9.9.9", "2001:db8::7").returncode, 0)
        self.assertEqual(self.realserver("down", "10.9.9.9").returncode, 0)
        self.assertEqual(self.switches(), [1, 2], "the last VIP is still there")
        for _ in range(2):
            self.assertEqual(self.realserver("down", "2001:db8::7").returncode, 0)
            self.assertEqual(self.switches(), [0, 1])

    def test_down_leaves_alone_what_somebody_else_has_set(self):
        self.realserver("up", "10.9.9.9")
        self.lab.run("client", "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=2")
        self.assertIn("somebody else", self.realserver("down", "10.9.9.9").stdout)
        self.assertEqual(self.switches(), [2, 0])

    def test_check_names_each_mistake(self):
        self.realserver("up", "10.9.9.9")
        self.lab.run("client", "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=0", "net.ipv4.conf.all.arp_announce=0")
        self.lab.run("client", "ip", "address", "add", "10.9.9.9/32", "dev", "eth0")
        result = self.realserver("check", "10.9.9.9", "10.9.9.8")
        self.assertEqual(result.returncode, 1)
        for words in ("10.9.9.8 is not on lo", "10.9.9.9 is on eth0 as well", "arp_ignore is 0", "arp_announce is 0",
                      "4 thing(s) wrong"):
            self.assertIn(words, result.stdout)

    def test_check_sees_a_wrong_length(self):
        self.realserver("up", "10.9.9.9")
        self.lab.run("client", "ip", "address", "add", "10.8.8.8/16", "dev", "lo")
        self.lab.run("client", "ip", "address", "add", "2001:db8::8/64", "dev", "lo", "nodad")
        result = self.realserver("check", "10.8.8.8", "2001:db8::8")
        self.assertIn("10.8.8.8 is on lo with length /16", result.stdout)
        self.assertIn("2001:db8::8 is on lo with length /64", result.stdout)

    def test_an_ipv6_vip_leaves_the_switches_alone(self):
        self.assertEqual(self.realserver("up", "2001:db8::7").returncode, 0)
        self.assertEqual(self.switches(), [0, 0])
        self.assertEqual(self.realserver("check", "2001:db8::7").returncode, 0)
        self.assertEqual(self.realserver("down", "2001:db8::7").returncode, 0)

    def test_usage_errors(self):
        for arguments in ((), ("up",), ("up", "10.0.0.1/32"), ("up", "300.0.0.1"), ("bogus", "10.0.0.1")):
            self.assertEqual(self.realserver(*arguments).returncode, 2, arguments)


class NeighbourDiscoveryTest(lab.SharedLabTestCase):
    """What `realserver` says of IPv6 is what the running kernel does: asked in every way that there is, it answers ND for a
    VIP exactly when `check` says so."""

    lab_options = {"real_servers": 1}

    def answers(self, vip=lab.VIP6, patience_s=0.5):
        """The ways of asking that rs1 answers with an advertisement of the VIP."""
        rs1, client = lab.mac_of("rs1"), lab.mac_of("client")
        group, group_mac = nd.solicited_node(vip)
        ways = {"unicast": (rs1, vip), "group": (group_mac, group), "group at its MAC": (rs1, group),
                "all nodes": (b"\x33\x33\x00\x00\x00\x01", "ff02::1")}
        answered = set()
        with lab.network_namespace(f"{self.lab.name}-client"), \
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD)) as raw:
            raw.bind(("eth0", 0x86DD))
            raw.settimeout(0.05)
            for way, (mac, destination) in ways.items():
                raw.send(nd.solicitation((client, mac), (lab.ADDRESSES6["client"], destination), vip))
                deadline = time.monotonic() + patience_s
                while way not in answered and time.monotonic() < deadline:
                    try:
                        if nd.is_advertisement_of(raw.recv(256), vip):
                            answered.add(way)
                    except socket.timeout:
                        pass
        return answered

    def check(self):
        return self.lab.run("rs1", lab.TREE / "scripts" / "realserver", "check", lab.VIP6, check=False)

    def sysctl(self, **values):
        for key, value in values.items():
            self.lab.run("rs1", "sysctl", "-qw", f"net.ipv6.conf.{key.replace('__', '.')}={value}")

    def test_a_vip_on_lo_is_not_answered_for(self):
        self.assertEqual(self.answers(lab.ADDRESSES6["rs1"]), {"unicast", "group", "group at its MAC", "all nodes"})
        self.addCleanup(self.sysctl, all__forwarding=0, all__proxy_ndp=0)
        self.addCleanup(self.lab.run, "rs1", "ip", "link", "set", "eth0", "promisc", "off", "allmulticast", "off")
        self.assertEqual(self.answers(), set())
        self.sysctl(all__forwarding=1, all__proxy_ndp=1)
        self.lab.run("rs1", "ip", "link", "set", "eth0", "promisc", "on", "allmulticast", "on")
        self.assertEqual(self.answers(), set())
        self.assertEqual(self.check().returncode, 0)

    def test_a_real_server_asks_with_its_own_address(self):
        """When it answers a client from the VIP: asking from the VIP would tell everybody its MAC for it."""
        with self.lab.capture("client", "eth0", "icmp6 and ip6[40] == 135") as capture:
            self.lab.run("rs1", "ip", "-6", "neigh", "flush", "dev", "eth0")
            self.lab.run("rs1", "ping", "-6", "-c", "1", "-W", "2", "-I", lab.VIP6, lab.ADDRESSES6["client"], check=False)
            frame = capture.wait_for(lambda f: f.source == lab.mac_of("rs1"), 5, "a solicitation from rs1")
        self.assertNotEqual(frame.data[22:38], nd.packed(lab.VIP6))

    def test_a_proxy_entry_is_answered_for_and_named(self):
        self.lab.run("rs1", "ip", "-6", "neigh", "add", "proxy", lab.VIP6, "dev", "eth0")
        self.addCleanup(self.lab.run, "rs1", "ip", "-6", "neigh", "del", "proxy", lab.VIP6, "dev", "eth0")
        self.addCleanup(self.sysctl, all__forwarding=0, all__proxy_ndp=0, eth0__proxy_ndp=0)
        self.assertEqual((self.answers(), self.check().returncode), (set(), 0))
        self.sysctl(eth0__proxy_ndp=1)
        self.assertEqual((self.answers(), self.check().returncode), (set(), 0))
        self.sysctl(all__forwarding=1)
        self.assertIn("unicast", self.answers())
        result = self.check()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"WRONG  eth0: there is a proxy entry for {lab.VIP6}", result.stdout)
        self.sysctl(eth0__proxy_ndp=0)
        self.assertEqual((self.answers(), self.check().returncode), (set(), 0))

    def test_the_vip_on_another_interface_is_answered_for_and_named(self):
        self.lab.run("rs1", "ip", "address", "add", f"{lab.VIP6}/128", "dev", "eth0", "nodad")
        self.addCleanup(self.lab.run, "rs1", "ip", "address", "del", f"{lab.VIP6}/128", "dev", "eth0")
        self.assertIn("group", self.answers())
        self.assertIn(f"{lab.VIP6} is on eth0 as well", self.check().stdout)


if __name__ == "__main__":
    lab.main()
