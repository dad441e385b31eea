#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vrrp::Speaker on a kernel interface: hostile packets, a stalled reactor, an interface that comes and goes, reload."""

import time

import lab
import vrrp_parts
from vrrp_parts import Forged, Forger, Keepalived, Speaker

KERNEL = {"real_servers": 1, "kernel_directors": ("lb1", "lb2")}


class HostileTest(lab.SharedLabTestCase):
    """A MASTER with priority 100, and packets that claim priority 255."""

    lab_options = KERNEL
    TIMES = 40
    REJECTED = (
        ("shorter than its header", Forged(cut_to=7), "bad_length"),
        ("without authentication data", Forged(cut_to=12), "bad_length"),
        ("one byte too long", Forged(tail=b"x"), "bad_length"),
        ("oversized", Forged(tail=b"x" * 1400), "bad_length"),
        ("a count of 255 and one address", Forged(count=255), "bad_length"),
        ("a count of 0 and one address", Forged(count=0), "bad_length"),
        ("TTL 254", Forged(ttl=254), "bad_ttl"),
        ("TTL 1", Forged(ttl=1), "bad_ttl"),
        ("version 1", Forged(version=1), "bad_version"),
        ("version 3", Forged(version=3), "bad_version"),
        ("no authentication", Forged(auth_type=0, password=b""), "auth_type_mismatch"),
        ("authentication by AH", Forged(auth_type=2), "auth_type_mismatch"),
        ("another password", Forged(password=b"1112"), "auth_mismatch"),
        ("a longer password", Forged(password=b"11111"), "auth_mismatch"),
        ("another interval", Forged(interval=2), "advert_interval_mismatch"),
        ("another type", Forged(kind=2), "bad_type"),
        ("a wrong checksum", Forged(flip_checksum=1), "bad_checksum"),
        ("unicast", Forged(group=lab.ADDRESSES["lb1"]), "not_multicast"),
        ("another virtual router", Forged(vrid=151), "interface_other_virtual_router"),
        ("one byte of VRRP", Forged(cut_to=1), "interface_unreadable"),
        ("no byte of VRRP", Forged(cut_to=0), "interface_unreadable"),
    )

    @classmethod
    def start(cls):
        cls.speaker = Speaker(cls.lab, "lb1")
        cls.addClassCleanup(cls.speaker.close)
        cls.speaker.wait_for("MASTER", 10)

    def test_each_lie_is_counted_under_its_name_and_changes_nothing(self):
        with Forger(self.lab) as forger:
            for what, forged, counter in self.REJECTED:
                with self.subTest(what):
                    before = self.speaker.counters()
                    forger.send(forged, self.TIMES)
                    wanted = dict(before)
                    wanted[counter] += self.TIMES
                    lab.poll(lambda: self.speaker.counters()[counter] == wanted[counter], 5, f"{what}: counted")
                    after = self.speaker.status()
                    for name in after["counters"]:
                        if not name.startswith("tx_"):
                            self.assertEqual(after["counters"][name], wanted[name], name)
                    self.assertEqual((after["state"], after["became_master"]), ("MASTER", 1))
        for counter in {counter for _, _, counter in self.REJECTED if not counter.startswith("interface_")}:
            self.assertEqual(self.speaker.log().count(f"dropped ({counter})"), 1, f"{counter}: logged once a state")
        self.assertNotIn("1111", self.speaker.log(), "the password in a log")

    def test_a_flood_with_a_wrong_password_does_not_disturb_the_beat(self):
        with self.lab.capture(expression="ip proto 112 and src host 172.18.250.75") as capture, Forger(self.lab) as forger:
            end = time.monotonic() + 4
            sent = 0
            while time.monotonic() < end:
                forger.send(Forged(password=b"2222"), 100)
                sent += 100
            lab.poll(lambda: len(capture.frames()) >= 4, 5, "advertisements go on")
            times = [frame.time_s for frame in capture.frames()]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        print(f"    {sent} forged packets; gaps between advertisements {min(gaps):.3f} to {max(gaps):.3f} s", flush=True)
        self.assertLess(max(gaps), 1.5)
        self.assertEqual(self.speaker.state(), "MASTER")
        self.assertEqual(self.speaker.status()["became_master"], 1)


class AcceptedTest(lab.LabTestCase):
    lab_options = KERNEL

    def test_what_the_rules_accept(self):
        """Advertisements with the right password: lower ones are answered, higher ones obeyed, and not for longer than
        they come."""
        speaker = Speaker(self.lab, "lb1")
        self.addCleanup(speaker.close)
        speaker.wait_for("MASTER", 10)
        with self.lab.capture(expression="src host 172.18.250.75 or arp") as capture, Forger(self.lab) as forger:
            before = speaker.counters()
            forger.send(Forged(priority=50))
            lab.poll(lambda: speaker.counters()["tx_garp"] >= before["tx_garp"] + 5, 1, "the addresses are taken back")
            self.assertIn("Received advert from 172.18.250.76 with lower priority 50, ours 100, forcing new election",
                          speaker.log())
            forger.send(Forged(priority=0))
            lab.poll(lambda: "Master received priority 0 message" in speaker.log(), 1, "priority 0 is answered")
            forger.send(Forged(priority=50, addresses=("10.9.8.7",)))
            lab.poll(lambda: speaker.counters()["address_list_mismatch"] == 1, 1, "another address list is counted")
            self.assertEqual(speaker.state(), "MASTER")
            forger.send(Forged(priority=255), 500)
            speaker.wait_for("BACKUP", 1)
            self.assertFalse(self.lab.has_vip("lb1"))
            stopped_at = time.monotonic()
            speaker.wait_for("MASTER", 5)
            self.assertAlmostEqual(time.monotonic() - stopped_at, vrrp_parts.down_interval_s(100), delta=0.4)
            garps = [frame for frame in capture.frames() if frame.ethertype == 0x0806]
        self.assertTrue(all(frame.destination == b"\xff" * 6 for frame in garps))

    def test_a_stalled_reactor_does_not_take_over_from_a_living_master(self):
        keepalived = Keepalived(self.lab, "lb2", 110)
        self.addCleanup(keepalived.stop)
        lab.poll(keepalived.has_vip, 10, "keepalived is MASTER")
        speaker = Speaker(self.lab, "lb1")
        self.addCleanup(speaker.close)
        lab.poll(lambda: speaker.counters()["rx_advertisements"] > 0, 5, "an advertisement")
        self.assertEqual(speaker.ask("block 6000").strip(), "ok")
        lab.poll(lambda: speaker.counters()["late_timers"] == 1, 1, "the late timer is counted")
        self.assertEqual(speaker.status()["became_master"], 0)
        self.assertEqual(speaker.state(), "BACKUP")
        self.assertIn("our own timer came", speaker.log())

    def test_interface_and_reload(self):
        speaker = Speaker(self.lab, "lb1", "--priority", 255, "--master")
        self.addCleanup(speaker.close)
        speaker.wait_for("MASTER", 2)
        self.assertEqual(speaker.ask("reload 255 172.18.250.99 172.18.250.98").strip(), "ok")
        lab.poll(lambda: "172.18.250.98" in self.lab.addresses("lb1"), 2, "the new address is there")
        self.assertEqual(speaker.ask("reload 255 172.18.250.98").strip(), "ok")
        lab.poll(lambda: not self.lab.has_vip("lb1"), 2, "the old address is gone")
        self.assertEqual(speaker.status()["became_master"], 1)

        self.lab.run("lb1", "ip", "link", "set", "eth0", "down")
        speaker.wait_for("FAULT", 2)
        self.assertEqual(speaker.status()["cause"], "interface eth0 is down")
        self.lab.run("lb1", "ip", "link", "set", "eth0", "up")
        speaker.wait_for("MASTER", 6)

        self.lab.run("lb1", "ip", "address", "flush", "dev", "eth0", "scope", "global")
        speaker.wait_for("FAULT", 2)
        self.lab.run("lb1", "ip", "link", "set", "eth0", "down")
        self.lab.run("lb1", "ip", "link", "set", "eth0", "name", "away")
        speaker.ask("status")
        self.lab.run("lb1", "ip", "link", "set", "away", "name", "eth0")
        self.lab.run("lb1", "ip", "link", "set", "eth0", "up")
        self.lab.run("lb1", "ip", "address", "add", "172.18.250.75/16", "dev", "eth0")
        speaker.wait_for("MASTER", 6)
        self.assertEqual(self.lab.addresses("lb1"), ["172.18.250.75", "172.18.250.98"])

    def test_an_interface_that_comes_later(self):
        speaker = Speaker(self.lab, "lb1", "--interface", "late0")
        self.addCleanup(speaker.close)
        speaker.wait_for("FAULT", 2)
        self.assertEqual(speaker.status()["cause"], "interface late0 does not exist")
        self.lab.run("lb1", "ip", "link", "set", "eth0", "down")
        self.lab.run("lb1", "ip", "link", "set", "eth0", "name", "late0")
        self.lab.run("lb1", "ip", "link", "set", "late0", "up")
        speaker.wait_for("MASTER", 6)


if __name__ == "__main__":
    lab.main()
