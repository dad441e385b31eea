#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real servers at layer 2: a MAC that changes is followed within a second, lies are not taken, silence is noticed."""

import socket
import struct
import time
import unittest

import lab

RS1 = lab.ADDRESSES["rs1"]
RS2 = lab.ADDRESSES["rs2"]


def text_of(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


def arp_reply(frame_source, sender_mac, sender, target_mac, target):
    """An ARP reply in its frame, to the target."""
    return (target_mac + frame_source + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + sender_mac
            + socket.inet_aton(sender) + target_mac + socket.inet_aton(target) + bytes(18))


class NeighborsTest(lab.LabTestCase):
    def start(self, replace=()):
        # No health check comes between: they would resolve what these tests want to see resolved otherwise.
        slower = [(r"delay_loop 6", "delay_loop 300"), *replace]
        self.director = self.lab.start_director("lb1", self.lab.config_text("lb1", replace=slower))
        self.lab.wait_for_master("lb1")

    def neighbor(self, address):
        rows = self.director.cli_json("show", "neighbors")["neighbors"]
        return next(row for row in rows if row["address"] == address)

    def backend(self, address):
        rows = self.director.cli_json("show", "backends")["backends"]
        return next(row for row in rows if row["real"] == f"{address}:80")

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
        self.wait_for_state(RS1, "UP", 10)
        for last in (0xA1, 0xA2, 0xA3):  # several in a row: the kernel must not hold one back
            mac = b"\x02\x00\x00\x00\x00" + bytes([last])
            took_s = self.followed_after_s(RS1, mac, self.set_mac("rs1", mac))
            self.assertLess(took_s, 1.0)
        self.assertEqual(sorted(self.lab.curls(4)), ["Hello RS1", "Hello RS1", "Hello RS2", "Hello RS2"])

    def test_announced_change_is_followed_within_a_second(self):
        self.start()
        self.wait_for_state(RS1, "UP", 10)
        mac = b"\x02\x00\x00\x00\x00\xb1"
        since = self.set_mac("rs1", mac)
        self.lab.run("rs1", "arping", "-U", "-c", "1", "-I", "eth0", RS1, check=False)
        self.assertLess(self.followed_after_s(RS1, mac, since), 1.0 + 1.0)  # arping itself waits a second
        self.assertEqual(sorted(self.lab.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_silent_server_is_unresolved_and_passed_over_until_it_answers(self):
        self.start()
        self.wait_for_state(RS1, "UP", 10)
        self.lab.run("rs1", "ip", "link", "set", "eth0", "down")
        row = self.wait_for_state(RS1, "UNRESOLVED", 15)
        self.assertIn("no ARP answer on eth0", row["reason"])
        self.assertIsNone(row["mac"])
        self.assertEqual(self.lab.curls(4), ["Hello RS2"] * 4)
        self.lab.run("rs1", "ip", "link", "set", "eth0", "up")
        self.wait_for_state(RS1, "UP", 5)
        self.assertEqual(sorted(self.lab.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_servers_that_cannot_be_found_say_why(self):
        self.start(replace=[(r"real_server 172.18.250.77 80", "real_server 172.18.251.77 80"),
                            (r"real_server 172.18.250.79 80", "real_server 10.99.0.1 80")])
        lab.poll(lambda: self.backend("172.18.251.77")["reason"] == "no answer on eth0", 10, "nobody has that address")
        self.assertEqual(self.backend("172.18.251.77")["state"], "UNRESOLVED")
        self.assertRegex(self.backend("10.99.0.1")["reason"], "no route to 10.99.0.1|not on link")
        self.assertEqual(self.backend("10.99.0.1")["state"], "UNRESOLVED")

    def test_a_server_that_the_kernel_knows_already_is_taken_at_once(self):
        self.start(replace=[(r"real_server 172.18.250.79 80", "real_server 172.18.250.78 80")])
        self.wait_for_state(RS1, "UP", 10)
        # A permanent entry never changes, so the kernel will not tell about it again.
        self.lab.run("lb1", "ip", "neigh", "replace", RS2, "lladdr", text_of(lab.mac_of("rs2")), "nud", "permanent",
                     "dev", "eth0")
        running = self.director.config_path.read_text()
        self.director.write_config(running.replace("real_server 172.18.250.78 80", f"real_server {RS2} 80"))
        self.director.cli("reload")
        row = self.wait_for_state(RS2, "UP", 5)
        self.assertEqual(row["mac"], text_of(lab.mac_of("rs2")))
        self.assertEqual(self.neighbor(RS2)["state"], "STATIC")
        self.assertEqual(sorted(self.lab.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_a_server_behind_a_gateway_is_not_forwarded_to(self):
        self.start(replace=[(r"real_server 172.18.250.79 80", "real_server 10.99.0.1 80")])
        self.lab.run("lb1", "ip", "route", "add", "10.99.0.0/24", "via", "172.18.250.10")
        lab.poll(lambda: "gateway 172.18.250.10" in self.backend("10.99.0.1")["reason"], 5, "the gateway is named")
        self.assertEqual(self.lab.curls(2), ["Hello RS1"] * 2)

    def test_lies_are_not_taken(self):
        self.start()
        self.wait_for_state(RS1, "UP", 10)
        truth = text_of(lab.mac_of("rs1"))
        self.assertEqual(self.neighbor(RS1)["mac"], truth)
        liar, director, director_ip = lab.mac_of("client"), lab.mac_of("lb1"), lab.ADDRESSES["lb1"]
        lies = [
            arp_reply(liar, bytes(6), RS1, director, director_ip),
            arp_reply(liar, b"\x01\x00\x5e\x00\x00\x01", RS1, director, director_ip),
            arp_reply(liar, b"\xff" * 6, RS1, director, director_ip),
            arp_reply(liar, director, RS1, director, director_ip),
            arp_reply(liar, b"\x02\x00\x00\x00\x00\xee", RS1, director, director_ip),
        ]
        with lab.network_namespace(f"{self.lab.name}-client"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("eth0", 0))
            for lie in lies:
                before = self.neighbor(RS1)["rejected"]
                raw.send(lie)
                lab.poll(lambda: self.neighbor(RS1)["rejected"] > before, 5, "the lie is counted")
                self.assertEqual(self.neighbor(RS1)["mac"], truth)
        lab.poll(lambda: self.neighbor(RS1)["kernel_state"] == "REACHABLE" and self.neighbor(RS1)["mac"] == truth, 5,
                 "the truth is confirmed")
        self.assertIn("not believed", self.director.log())
        self.assertEqual(sorted(self.lab.curls(2)), ["Hello RS1", "Hello RS2"])


if __name__ == "__main__":
    unittest.main()
