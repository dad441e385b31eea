#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Path-MTU discovery through the director. A client sits behind a router with a narrow link; its MTU is known to nobody
else. The router sends its "fragmentation needed" or "packet too big" about the server's large segments to their source,
the VIP, and so to the director, which must hand it to the one real server that the connection is on: without that, the
transfer stands still."""

import re

import lab

FAR_MTU = 1300
SIZE = 1_000_000
FAR4, FAR6 = "10.66.0.2", "fd00:66::2"
SERVERS = ("rs1", "rs2")


def six(text):
    """A second virtual server, for IPv6, with the same real servers."""
    block = text[text.index(f"virtual_server {lab.VIP} 80"):]
    block = block.replace(f"virtual_server {lab.VIP} 80", f"virtual_server {lab.VIP6} 80")
    for host in SERVERS:
        block = block.replace(f"real_server {lab.ADDRESSES[host]} 80", f"real_server {lab.ADDRESSES6[host]} 80")
    return text + block


class PathMtuTest(lab.LabTestCase):
    lab_options = {"far_mtu": FAR_MTU}

    def setUp(self):
        super().setUp()
        for host in SERVERS:
            # With probing, a server would get along without a word from the router.
            self.lab.run(host, "sysctl", "-qw", "net.ipv4.tcp_mtu_probing=0")
        self.director = self.lab.start_director("lb1", six(self.lab.config_text("lb1")))
        self.lab.add_vip6("lb1")
        self.lab.wait_for_master("lb1")
        lab.poll(self.all_up, 15, "all real servers UP")

    def all_up(self):
        rows = self.director.cli_json("show", "backends")["backends"]
        return len(rows) == 4 and all(row["state"] == "UP" for row in rows)

    def icmp_in(self, host):
        """How many "fragmentation needed" (IPv4: destination unreachable) and "packet too big" a host has got."""
        snmp = self.lab.run(host, "cat", "/proc/net/snmp").stdout
        names, values = (line.split() for line in snmp.splitlines() if line.startswith("Icmp:"))
        six_text = self.lab.run(host, "cat", "/proc/net/snmp6").stdout
        return (int(values[names.index("InDestUnreachs")]),
                int(re.search(r"^Icmp6InPktTooBigs\s+(\d+)", six_text, re.MULTILINE).group(1)))

    def learnt_mtu(self, host, destination):
        match = re.search(r"\bmtu (\d+)", self.lab.run(host, "ip", "route", "get", destination).stdout)
        return int(match.group(1)) if match else None

    def download(self, vip):
        result = self.lab.run("far", "curl", "-sS", "--noproxy", "*", "--max-time", "20", "-r", f"0-{SIZE - 1}", "-o",
                              "/dev/null", "-w", "%{size_download}", f"http://{vip}/large", check=False)
        return int(result.stdout or 0)

    def check(self, vip, far, family):
        """One download after the other, so that each goes to another server: it alone gets the router's message."""
        for host in SERVERS:
            self.assertIsNone(self.learnt_mtu(host, far))
        served = []
        for _ in SERVERS:
            before = {host: self.icmp_in(host)[family] for host in SERVERS}
            with self.lab.capture(expression=("icmp", "icmp6")[family]) as capture:
                self.assertEqual(self.download(vip), SIZE)
                told = lab.poll(lambda: [h for h in SERVERS if self.icmp_in(h)[family] > before[h]], 5, "the ICMP error")
                errors = lab.poll(lambda: self.errors_sent_on(capture, family), 5, "the ICMP error leaves the director")
            self.assertEqual(len(told), 1, "the other server has got it as well")
            self.assertEqual({frame.destination for frame in errors}, {lab.mac_of(told[0])})
            self.assertEqual(self.learnt_mtu(told[0], far), FAR_MTU)
            served += told
        self.assertEqual(sorted(served), sorted(SERVERS))

    @staticmethod
    def errors_sent_on(capture, family):
        """Frames from the director with an ICMP "fragmentation needed" or an ICMPv6 "packet too big"."""
        at, wanted = ((34, b"\x03\x04"), (54, b"\x02\x00"))[family]
        return [f for f in capture.frames() if f.source == lab.mac_of("lb1") and f.data[at : at + 2] == wanted]

    def test_ipv4(self):
        self.check(lab.VIP, FAR4, 0)

    def test_ipv6(self):
        self.check(f"[{lab.VIP6}]", FAR6, 1)


if __name__ == "__main__":
    lab.main()
