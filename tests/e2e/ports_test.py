#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two ports: clients come in by port 0, and one real server is behind port 1."""

import lab

BACK = {"lb1": "10.77.0.75", "rs2": "10.77.0.79"}
PORTS = f"""
dataplane {{
    port 0 {{
        interface eth0
        ipaddress {lab.ADDRESSES["lb1"]}/16
    }}
    port 1 {{
        interface eth1
        ipaddress {BACK["lb1"]}/24
    }}
    idle_sleep 100us
}}
"""


class TwoPortsTest(lab.LabTestCase):
    def setUp(self):
        super().setUp()
        self.lab.cable("lb1", "dpdk1", "rs2", "eth1")
        self.lab.run("rs2", "ip", "address", "add", f"{BACK['rs2']}/24", "dev", "eth1")
        # The client's packets come in there, and its answers go out by eth0.
        self.lab.run("rs2", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth1.rp_filter=0")
        text = self.lab.config_text("lb1", replace=[(rf"real_server {lab.ADDRESSES['rs2']} 80",
                                                     f"real_server {BACK['rs2']} 80")])
        self.director = self.lab.start_director("lb1", text + PORTS,
                                                eal=("--vdev", "net_af_packet1,iface=dpdk1,qdisc_bypass=1"))
        self.lab.wait_for_master("lb1")
        lab.poll(lambda: [row["state"] for row in self.backends()] == ["UP", "UP"], 15, "both real servers UP")

    def backends(self):
        return self.director.cli_json("show", "backends")["backends"]

    def test_each_server_is_reached_by_its_port(self):
        places = [(row["real"], row["interface"], row["port"]) for row in self.backends()]
        self.assertEqual(places, [(f"{lab.ADDRESSES['rs1']}:80", "eth0", 0), (f"{BACK['rs2']}:80", "eth1", 1)])
        with self.lab.capture("rs2", "eth1", f"tcp port 80 and dst host {lab.VIP}") as behind, \
                self.lab.capture(expression=f"tcp port 80 and dst host {lab.VIP}") as before:
            self.assertEqual(sorted(self.lab.curls(4)), ["Hello RS1", "Hello RS1", "Hello RS2", "Hello RS2"])
            frame = behind.wait_for(lambda f: f.ip_destination == lab.VIP, 5, "a request on port 1")
        ports = {row["port"]: row["mac"] for row in self.director.cli_json("show", "ports")["ports"]}
        self.assertEqual(frame.source, bytes.fromhex(ports[1].replace(":", "")), "port 1's MAC")
        out = [f for f in before.frames() if f.source == lab.mac_of("lb1")]
        self.assertEqual({f.destination for f in out}, {lab.mac_of("rs1")}, "rs2's requests left by port 0 as well")

    def test_a_server_that_moves_is_followed_to_the_other_port(self):
        """Its network is routed by another interface now: the kernel's routes decide."""
        self.lab.run("lb1", "ip", "address", "flush", "dev", "eth1", "scope", "global")
        lab.poll(lambda: self.backends()[1]["mac"] is None, 5, "no way to rs2")
        self.lab.run("rs2", "ip", "address", "add", f"{BACK['rs2']}/24", "dev", "eth0")
        self.lab.run("rs2", "ip", "address", "del", f"{BACK['rs2']}/24", "dev", "eth1")
        self.lab.run("lb1", "ip", "address", "add", f"{BACK['lb1']}/24", "dev", "eth0")
        lab.poll(lambda: (row := self.backends()[1])["port"] == 0 and row["interface"] == "eth0" and row["mac"], 5,
                 "rs2 behind port 0")
        lab.poll(lambda: self.backends()[1]["state"] == "UP", 15, "rs2 is UP again")
        self.assertEqual(sorted(self.lab.curls(2)), ["Hello RS1", "Hello RS2"])

    def test_the_mtu_of_the_way_is_followed(self):
        def logged(mtu):
            return f"Real server {BACK['rs2']} is at" in self.director.log() and f"on eth1, MTU {mtu}" in self.director.log()

        self.assertTrue(logged(1500))
        self.lab.run("lb1", "ip", "link", "set", "eth1", "mtu", "1450")
        lab.poll(lambda: logged(1450), 5, "the interface's MTU")
        self.lab.run("lb1", "ip", "route", "change", "10.77.0.0/24", "dev", "eth1", "src", BACK["lb1"], "mtu", "1400")
        lab.poll(lambda: logged(1400), 5, "the route's MTU")


if __name__ == "__main__":
    lab.main()
