#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real servers at layer 2: a MAC that changes is followed within a second, lies are not taken, silence is noticed."""

import socket
import struct
import time

import lab
import nd


def text_of(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


def impossible_macs(director):
    """Nobody's, two groups', the director's own, and one that is not the frame's source."""
    return [bytes(6), b"\x01\x00\x5e\x00\x00\x01", b"\xff" * 6, director, b"\x02\x00\x00\x00\x00\xee"]


def arp_reply(frame_source, sender_mac, sender, target_mac, target):
    """An ARP reply in its frame, to the target."""
    return (target_mac + frame_source + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + sender_mac
            + socket.inet_aton(sender) + target_mac + socket.inet_aton(target) + bytes(18))


class NeighborsTest(lab.LabTestCase):
    """With IPv4 real servers; Neighbors6Test does the same with IPv6."""

    addresses = lab.ADDRESSES
    absent = "172.18.251.77"  # on link, and nobody has it
    far = "10.99.0.1"
    far_network = "10.99.0.0/24"
    protocol = "ARP"
    url = f"http://{lab.VIP}/index.html"

    def setUp(self):
        super().setUp()
        self.rs1, self.rs2 = self.addresses["rs1"], self.addresses["rs2"]

    def start(self, replace=()):
        # No health check comes between: they would resolve what these tests want to see resolved otherwise.
        slower = [(r"delay_loop 6", "delay_loop 300"), *replace]
        self.director = self.lab.start_director("lb1", self.config(slower))
        self.lab.wait_for_master("lb1")
        self.own_vip()

    def config(self, replace):
        return self.lab.config_text("lb1", replace=replace)

    def own_vip(self):
        """VRRP does it."""

    def curls(self, count):
        return self.lab.curls(count, url=self.url)

    def lies(self, liar, director):
        """Frames that say of rs1 what cannot be true."""
        return [arp_reply(liar, mac, self.rs1, director, self.addresses["lb1"]) for mac in impossible_macs(director)]

    def announce(self, host, mac):
        del mac
        self.lab.run(host, "arping", "-U", "-c", "1", "-I", "eth0", self.addresses[host], check=False)

    def neighbor(self, address):
        rows = self.director.cli_json("show", "neighbors")["neighbors"]
        return next(row for row in rows if row["address"] == address)

    def backend(self, address):
        rows = self.director.cli_json("show", "backends")["backends"]
        return next(row for row in rows if row["real"] in (f"{address}:80", f"[{address}]:80"))

    def wait_for_state(self, address, state, deadline_s):
        return lab.poll(lambda: self.backend(address)["state"] == state and self.backend(address), deadline_s,
                        f"{address} is {state}")

    def set_mac(self, host, mac):
        self.lab.run(host, "ip", "link", "set", "eth0", "address", text_of(mac))
        return time.monotonic()

    def followed_after_s(self, address, mac, since):
        lab.poll(lambda: self.backend(address)["mac"] == text_of(mac), 5, f"{address} is seen at {text_of(mac)}")
        return time.monotonic() - since

    def test_silent_change_is_followed_within_a_second(self):
        self.start()
        self.wait_for_state(self.rs1, "UP", 10)
        for last in (0xA1, 0xA2, 0xA3):  # several in a row: the kernel must not hold one back
            mac = b"\x02\x00\x00\x00\x00" + bytes([last])
            took_s = self.followed_after_s(self.rs1, mac, self.set_mac("rs1", mac))
            self.assertLess(took_s, 1.0)
        self.assertEqual(sorted(self.curls(4)), ["Hello RS1", "Hello RS1", "Hello RS2", "Hello RS2"])

    def test_announced_change_is_followed_within_a_second(self):
        self.start()
        self.wait_for_state(self.rs1, "UP", 10)
        mac = b"\x02\x00\x00\x00\x00\xb1"
        since = self.set_mac("rs1", mac)
        self.announce("rs1", mac)
        self.assertLess(self.followed_after_s(self.rs1, mac, since), 1.0 + 1.0)  # arping itself waits a second
        self.assertEqual(sorted(self.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_silent_server_is_unresolved_and_passed_over_until_it_answers(self):
        self.start()
        self.wait_for_state(self.rs1, "UP", 10)
        # Linux takes an interface's IPv6 addresses away when it goes down.
        self.lab.run("rs1", "sysctl", "-qw", "net.ipv6.conf.eth0.keep_addr_on_down=1")
        self.lab.run("rs1", "ip", "link", "set", "eth0", "down")
        row = self.wait_for_state(self.rs1, "UNRESOLVED", 15)
        self.assertIn(f"no {self.protocol} answer on eth0", row["reason"])
        self.assertIsNone(row["mac"])
        self.assertEqual(self.curls(4), ["Hello RS2"] * 4)
        self.lab.run("rs1", "ip", "link", "set", "eth0", "up")
        self.wait_for_state(self.rs1, "UP", 5)
        self.assertEqual(sorted(self.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_servers_that_cannot_be_found_say_why(self):
        self.start(replace=[(rf"real_server {self.rs1} 80", f"real_server {self.absent} 80"),
                            (rf"real_server {self.rs2} 80", f"real_server {self.far} 80")])
        lab.poll(lambda: self.neighbor(self.absent)["reason"] == "no answer on eth0", 10, "nobody has that address")
        self.assertEqual(self.neighbor(self.absent)["state"], "UNRESOLVED")
        self.assertRegex(self.neighbor(self.far)["reason"], f"no route to {self.far}|not on link")
        self.assertEqual(self.neighbor(self.far)["state"], "UNRESOLVED")

    def test_a_server_that_the_kernel_knows_already_is_taken_at_once(self):
        self.start(replace=[(rf"real_server {self.rs2} 80", f"real_server {self.absent} 80")])
        self.wait_for_state(self.rs1, "UP", 10)
        # A permanent entry never changes, so the kernel will not tell about it again.
        self.lab.run("lb1", "ip", "neigh", "replace", self.rs2, "lladdr", text_of(lab.mac_of("rs2")), "nud",
                     "permanent", "dev", "eth0")
        running = self.director.config_path.read_text()
        self.director.write_config(running.replace(f"real_server {self.absent} 80", f"real_server {self.rs2} 80"))
        self.director.cli("reload")
        row = self.wait_for_state(self.rs2, "UP", 5)
        self.assertEqual(row["mac"], text_of(lab.mac_of("rs2")))
        self.assertEqual(self.neighbor(self.rs2)["state"], "STATIC")
        self.assertEqual(sorted(self.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_a_server_behind_a_gateway_is_not_forwarded_to(self):
        self.start(replace=[(rf"real_server {self.rs2} 80", f"real_server {self.far} 80")])
        gateway = self.addresses["client"]
        self.lab.run("lb1", "ip", "route", "add", self.far_network, "via", gateway)
        lab.poll(lambda: f"gateway {gateway}" in self.neighbor(self.far)["reason"], 5, "the gateway is named")
        self.assertEqual(self.curls(2), ["Hello RS1"] * 2)

    def test_lies_are_not_taken(self):
        self.start()
        self.wait_for_state(self.rs1, "UP", 10)
        truth = text_of(lab.mac_of("rs1"))
        self.assertEqual(self.neighbor(self.rs1)["mac"], truth)
        for lie in self.lies(lab.mac_of("client"), lab.mac_of("lb1")):
            before = self.neighbor(self.rs1)["rejected"]
            self.lab.send("client", lie)
            lab.poll(lambda: self.neighbor(self.rs1)["rejected"] > before, 5, "the lie is counted")
            self.assertEqual(self.neighbor(self.rs1)["mac"], truth)
        lab.poll(lambda: (row := self.neighbor(self.rs1))["kernel_state"] == "REACHABLE" and row["mac"] == truth, 5,
                 "the truth is confirmed")
        self.assertIn("not believed", self.director.log())
        self.assertEqual(sorted(self.curls(2)), ["Hello RS1", "Hello RS2"])


class Neighbors6Test(NeighborsTest):
    addresses = lab.ADDRESSES6
    absent = "fd00:172:18:250::f00"
    far = "2001:db8:99::1"
    far_network = "2001:db8:99::/64"
    protocol = "ND"
    url = f"http://[{lab.VIP6}]/index.html"

    def config(self, replace):
        """The reference file with an IPv6 virtual server in the place of the other. No VRRP instance has its VIP."""
        six = [(rf"virtual_server {lab.VIP} 80", f"virtual_server {lab.VIP6} 80"),
               *((rf"real_server {lab.ADDRESSES[host]} 80", f"real_server {lab.ADDRESSES6[host]} 80")
                 for host in ("rs1", "rs2"))]
        return self.lab.config_text("lb1", replace=[*six, *replace])

    def own_vip(self):
        self.lab.add_vip6("lb1")

    def lies(self, liar, director):
        ends = (self.rs1, self.addresses["lb1"])
        return [nd.advertisement((liar, director), ends, self.rs1, mac) for mac in impossible_macs(director)]

    def announce(self, host, mac):
        """What a host multicasts whose MAC has changed (RFC 4861 section 7.2.6): unsolicited, overriding."""
        self.lab.send("client", nd.advertisement((mac, b"\x33\x33\x00\x00\x00\x01"), (self.addresses[host], "ff02::1"),
                                                 self.addresses[host], mac, flags=nd.OVERRIDE))

    def test_an_advertisement_from_afar_is_nothing(self):
        """With another hop limit than 255 it has passed a router; the kernel does not take it either."""
        self.start()
        self.wait_for_state(self.rs1, "UP", 10)
        liar, before = lab.mac_of("client"), self.neighbor(self.rs1)
        self.lab.send("client", nd.advertisement((liar, lab.mac_of("lb1")), (self.rs1, self.addresses["lb1"]), self.rs1,
                                                 liar, hop_limit=64))
        lab.poll(lambda: self.neighbor(self.rs1)["answers"] > before["answers"] + 2, 5, "answers since then")
        after = self.neighbor(self.rs1)
        self.assertEqual((after["mac"], after["rejected"]), (text_of(lab.mac_of("rs1")), 0))


if __name__ == "__main__":
    lab.main()
