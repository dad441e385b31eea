#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A director of ours on lb1 and Debian's keepalived on lb2: election, preemption, takeover, goodbye, and what they say."""

import subprocess
import time

import lab
from vrrp_parts import GROUP, Keepalived, OurDirector, down_interval_s, skew_s

# Beyond what the protocol allows: polling, a loaded machine, and the start of a MASTER's work.
SLACK_S = 0.7


class InteropTest(lab.LabTestCase):
    lab_options = OurDirector.LAB

    def ours(self, priority, **options):
        director = OurDirector(self.lab, "lb1", priority, **options)
        self.addCleanup(director.close)
        return director

    def keepalived(self, priority, **options):
        director = Keepalived(self.lab, "lb2", priority, **options)
        self.addCleanup(director.stop)
        return director

    def measure(self, what, predicate, limit_s):
        """How long `predicate` takes to hold; fails beyond the limit."""
        begin = time.monotonic()
        lab.poll(predicate, limit_s + SLACK_S, what)
        print(f"    {what}: {time.monotonic() - begin:.2f} s (limit {limit_s:.2f} s)", flush=True)

    def assert_stays(self, predicate, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertTrue(predicate(), what)
            time.sleep(0.1)

    def test_ours_is_the_better_one(self):
        theirs = self.keepalived(95)
        self.measure("keepalived alone is MASTER", theirs.has_vip, down_interval_s(95))
        with self.lab.capture(expression="ip proto 112 or arp") as capture:
            ours = self.ours(100)
            self.measure("ours preempts", ours.has_vip, down_interval_s(100))
            lab.poll(lambda: not theirs.has_vip(), 1, "keepalived has given the VIP up")
            self.assertIn("Master received advert from 172.18.250.75 with higher priority 100, ours 95", theirs.log())
            self.assertIn("(VI_1) received lower priority (95) advert from 172.18.250.76 - discarding", ours.log())
            self.assertIn("(VI_1) Entering MASTER STATE", ours.log())
            self.assertEqual(ours.status()["master_address"], lab.ADDRESSES["lb1"])
            garp = capture.wait_for(lambda f: f.ethertype == 0x0806 and f.data[22:28] == f.source and
                                    f.source == lab.mac_of("lb1") and f.data[28:32] == f.data[38:42], 2, "a gratuitous ARP")
            self.assertEqual(garp.destination, b"\xff" * 6)
            self.check_fields(capture)

        ours.kill()
        self.measure("keepalived takes over after kill -9", theirs.has_vip, down_interval_s(95))
        self.assertNotIn("received priority 0", theirs.log(), "it was to die without a word")

        ours = self.ours(100)
        self.measure("ours is back", ours.has_vip, down_interval_s(100))
        lab.poll(lambda: not theirs.has_vip(), 1, "keepalived has given the VIP up")
        ours.say_goodbye()
        self.measure("keepalived takes over after SIGTERM", theirs.has_vip, skew_s(95))
        ours.stop()
        self.assertIn("(VI_1) Backup received priority 0 advertisement", theirs.log())
        self.assertIn("(VI_1) sent 0 priority", ours.log())

    def check_fields(self, capture):
        """tshark's reading of the advertisements of both: the same but for sender, priority and what follows from them."""
        def fields(source):
            names = ("ip.dst", "ip.ttl", "ip.dsfield", "ip.flags.df", "vrrp.version", "vrrp.type", "vrrp.virt_rtr_id",
                     "vrrp.prio", "vrrp.addr_count", "vrrp.auth_type", "vrrp.adver_int", "vrrp.checksum.status",
                     "vrrp.ip_addr", "vrrp.auth_string", "ip.len", "eth.dst", "_ws.malformed")
            command = ["tshark", "-n", "-r", str(capture.path), "-Y", f"vrrp && ip.src=={source}", "-T", "fields"]
            for name in names:
                command += ["-e", name]
            lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
            self.assertTrue(lines, f"no advertisement of {source}")
            return [dict(zip(names, line.split("\t"))) for line in lines]

        lab.poll(lambda: len(lab.advertisements(capture.frames(), lab.ADDRESSES["lb1"])) >= 2, 3, "two advertisements")
        ours, theirs = fields(lab.ADDRESSES["lb1"]), fields(lab.ADDRESSES["lb2"])
        self.assertEqual(ours[0], {
            "ip.dst": GROUP, "ip.ttl": "255", "ip.dsfield": "0xc0", "ip.flags.df": "0", "vrrp.version": "2",
            "vrrp.type": "1", "vrrp.virt_rtr_id": "150", "vrrp.prio": "100", "vrrp.addr_count": "1", "vrrp.auth_type": "1",
            "vrrp.adver_int": "1", "vrrp.checksum.status": "1", "vrrp.ip_addr": lab.VIP, "vrrp.auth_string": "1111",
            "ip.len": "40", "eth.dst": "01:00:5e:00:4a:12", "_ws.malformed": ""})
        self.assertEqual(ours[0] | {"vrrp.prio": "95"}, theirs[0])
        self.assertTrue(all(one == ours[0] for one in ours), ours)

    def test_keepalived_is_the_better_one(self):
        ours = self.ours(95)
        self.measure("ours alone is MASTER", ours.has_vip, down_interval_s(95))
        theirs = self.keepalived(100)
        self.measure("keepalived preempts", theirs.has_vip, down_interval_s(100))
        ours.wait_for("BACKUP", 1)
        self.assertFalse(ours.has_vip())
        self.assertIn("(VI_1) Master received advert from 172.18.250.76 with higher priority 100, ours 95", ours.log())
        status = ours.status()
        self.assertEqual((status["master_address"], status["master_priority"]), (lab.ADDRESSES["lb2"], 100))

        theirs.kill()
        self.measure("ours takes over after kill -9", ours.has_vip, down_interval_s(95))
        self.assertNotIn("received priority 0", ours.log(), "it was to die without a word")

        theirs = self.keepalived(100)
        self.measure("keepalived is back", theirs.has_vip, down_interval_s(100))
        ours.wait_for("BACKUP", 1)
        theirs.say_goodbye()
        self.measure("ours takes over after SIGTERM", ours.has_vip, skew_s(95))
        self.assertIn("(VI_1) Backup received priority 0 advertisement", ours.log())
        self.assertEqual(ours.status()["counters"]["address_list_mismatch"], 0)

    def test_nopreempt_on_either_side(self):
        theirs = self.keepalived(95)
        self.measure("keepalived alone is MASTER", theirs.has_vip, down_interval_s(95))
        ours = self.ours(100, nopreempt=True)
        lab.poll(lambda: ours.status()["counters"]["rx_advertisements"] > 0, 5, "an advertisement")
        self.assert_stays(lambda: theirs.has_vip() and not ours.has_vip(), down_interval_s(100) + 1, "ours does not preempt")
        theirs.say_goodbye()
        self.measure("ours takes over after SIGTERM", ours.has_vip, skew_s(100))
        theirs.stop()
        theirs = self.keepalived(110, extra="nopreempt")
        self.assert_stays(lambda: ours.has_vip() and not theirs.has_vip(), down_interval_s(110) + 1,
                          "keepalived does not preempt ours")

    def test_password_mismatch(self):
        """Both think that they are alone, as two keepalived do, and both say why."""
        theirs = self.keepalived(110, password="2222")
        lab.poll(theirs.has_vip, down_interval_s(110) + SLACK_S, "keepalived is MASTER")
        ours = self.ours(100)
        self.measure("ours is MASTER too", ours.has_vip, down_interval_s(100))
        self.assertTrue(theirs.has_vip())
        # Those that came while ours waited. keepalived 2.2.7 restarts its own timer at each packet that it rejects: once
        # ours advertises at the same interval, it is hardly heard any more.
        counters = ours.status()["counters"]
        self.assertGreaterEqual(counters["auth_mismatch"], 2)
        self.assertEqual(counters["rx_advertisements"], 0)
        self.assertEqual(ours.log().count("received an invalid passwd!"), 1, "once a state")
        lab.poll(lambda: theirs.count("received an invalid passwd!") > 0, 5, "keepalived rejects ours too")
        for secret in ("1111", "2222"):
            self.assertNotIn(secret, ours.log())


if __name__ == "__main__":
    lab.main()
