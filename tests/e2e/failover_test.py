#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two lbdp directors: who is MASTER, and how long it takes when that changes. Times are read off the wire."""

import signal
import time

import lab

ADVERT_INT_S = 1.0
# RFC 3768 section 6.1, for lb2's priority of 95.
MASTER_DOWN_S = 3 * ADVERT_INT_S + (256 - 95) / 256
SLACK_S = 0.1  # of timestamps and of two busy CPUs
LB1, LB2 = lab.ADDRESSES["lb1"], lab.ADDRESSES["lb2"]


class FailoverTest(lab.LabTestCase):
    def setUp(self):
        super().setUp()
        for host in ("lb1", "lb2"):
            self.lab.start_director(host)
        self.lab.wait_for_master("lb1")
        self.assert_states("MASTER", "BACKUP")

    def state(self, host):
        return self.lab.directors[host].cli_json("show", "vrrp")["vrrp"][0]["state"]

    def assert_states(self, lb1, lb2):
        """What they say, and who has the VIP."""
        for host, state in (("lb1", lb1), ("lb2", lb2)):
            lab.poll(lambda: self.state(host) == state, 5, f"{host} is {state}")  # pylint: disable=cell-var-from-loop
            self.assertEqual(self.lab.has_vip(host), state == "MASTER", f"{host}'s VIP")

    def vrrp_capture(self):
        return self.lab.capture(interface="lb2", expression="ip proto 112")

    def first_advert(self, capture, source, after_s, deadline_s):
        """The first advertisement of a sender after a moment of the wall clock."""
        return lab.poll(lambda: next((a for a in lab.advertisements(capture.frames(), source) if a.time_s > after_s), None),
                        deadline_s, f"an advertisement from {source}")

    def test_kill_takeover_and_preemption(self):
        with self.vrrp_capture() as capture, lab.Prober(self.lab) as prober:
            lab.poll(lambda: len(lab.advertisements(capture.frames(), LB1)) >= 2, 5, "lb1 advertises")
            lab.poll(lambda: sum(p.body is not None for p in list(prober.probes)) > 20, 15, "the service works")
            killed, killed_wall = time.monotonic(), time.time()
            self.lab.directors["lb1"].stop(signal.SIGKILL)
            takeover = self.first_advert(capture, LB2, killed_wall, 10)
            lab.poll(lambda: prober.answered_after(killed + 0.5), 10, "new connections work again")
            self.assertEqual(self.state("lb2"), "MASTER")
            last = max(a.time_s for a in lab.advertisements(capture.frames(), LB1))
            self.assertLess(takeover.time_s - last, MASTER_DOWN_S + SLACK_S)
            self.assertGreater(takeover.time_s - last, MASTER_DOWN_S - SLACK_S, "it has not waited for the full down timer")
            self.assertLess(prober.longest_gap_s(), MASTER_DOWN_S + 0.5)
            self.assertEqual((takeover.group, takeover.vrid, takeover.priority, takeover.ttl), ("224.0.74.18", 150, 95, 255))

            returned = time.time()
            self.lab.start_director("lb1")
            self.first_advert(capture, LB1, returned, 10)
            self.assert_states("MASTER", "BACKUP")
        # After lb1's first advertisement lb2 may send one that was under way, and then no more.
        preempted = min(a.time_s for a in lab.advertisements(capture.frames(), LB1) if a.time_s > returned)
        late = [a for a in lab.advertisements(capture.frames(), LB2) if a.time_s > preempted + SLACK_S]
        self.assertEqual(late, [])

    def test_takeover_announces_the_vip(self):
        with self.lab.capture(interface="client", expression=f"arp host {lab.VIP}") as capture:
            self.lab.directors["lb1"].stop(signal.SIGKILL)
            # Gratuitous ARP: a broadcast request in which the VIP asks for itself, from lb2's MAC.
            frame = capture.wait_for(lambda f: f.source == lab.mac_of("lb2") and f.data[28:32] == f.data[38:42], 10, "a GARP")
        self.assertEqual(frame.destination, b"\xff" * 6)
        self.assertEqual(frame.data[20:22], b"\x00\x01")
        self.assertEqual(frame.data[22:28], lab.mac_of("lb2"))

    def test_nopreempt(self):
        self.lab.directors["lb1"].stop(signal.SIGKILL)
        self.lab.wait_for_master("lb2")
        # keepalived takes nopreempt only together with `state BACKUP`.
        text = self.lab.config_text("lb1", replace=[(r"state MASTER", "state BACKUP"), (r"^#   nopreempt", "    nopreempt")])
        with self.vrrp_capture() as capture:
            self.lab.start_director("lb1", text)
            begin = time.time()
            self.first_advert(capture, LB2, begin + MASTER_DOWN_S + 1, 15)
        self.assert_states("BACKUP", "MASTER")
        self.assertEqual(lab.advertisements(capture.frames(), LB1), [])

    def test_term_hands_over_within_a_second(self):
        with self.vrrp_capture() as capture:
            lab.poll(lambda: lab.advertisements(capture.frames(), LB1), 5, "lb1 advertises")
            stopped = time.time()
            self.assertEqual(self.lab.directors["lb1"].stop(signal.SIGTERM), 0)
            takeover = self.first_advert(capture, LB2, stopped, 5)
            farewell = [a for a in lab.advertisements(capture.frames(), LB1) if a.priority == 0]
        self.assertTrue(farewell, "no advertisement of priority 0")
        self.assertLess(takeover.time_s - farewell[0].time_s, 1.0)
        self.assertEqual(self.state("lb2"), "MASTER")
        self.assertNotIn("eth0", self.lab.run("lb1", "ip", "-br", "link").stdout, "the tap is still there")

    def test_backup_forwards_nothing(self):
        """Packets to the VIP that reach the BACKUP, as after a takeover that one host has missed, end there."""
        lb2 = ":".join(f"{b:02x}" for b in lab.mac_of("lb2"))
        self.lab.run("client", "ip", "neigh", "replace", lab.VIP, "lladdr", lb2, "dev", "eth0", "nud", "permanent")
        with self.lab.capture(interface="lb2", expression=f"tcp and host {lab.VIP}") as capture:
            self.assertIsNone(self.lab.curl(timeout_s=2))
            frames = capture.frames()
        self.assertTrue([f for f in frames if f.destination == lab.mac_of("lb2")], "the test's own packets have not come")
        self.assertEqual([f for f in frames if f.source == lab.mac_of("lb2") and f.ip_destination == lab.VIP], [])


if __name__ == "__main__":
    lab.main()
