#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 through the director, echoes to the VIP, and datagrams in fragments; IPv4 beside it, for both must be the same."""

import hashlib
import socket
import subprocess

import lab

ECHO_PORT = 5300
FAMILIES = ((lab.VIP, lab.ADDRESSES), (lab.VIP6, lab.ADDRESSES6))
# Answers each datagram with its host's name, its length and a digest of what was in it.
ECHO_SERVER = """
import hashlib, socket, sys
name, vip, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
server = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM)
server.bind((vip, port))
print("ready", flush=True)
while True:
    data, peer = server.recvfrom(65536)
    server.sendto(f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}".encode(), peer)
"""


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def services(reference):
    """The reference file, its web service for IPv6 as well, and the echo service for both."""
    web = reference[reference.index(f"virtual_server {lab.VIP} 80"):].replace(lab.VIP, lab.VIP6)
    for host in ("rs1", "rs2"):
        web = web.replace(f"real_server {lab.ADDRESSES[host]} ", f"real_server {lab.ADDRESSES6[host]} ")
    echo = ""
    for vip, addresses in FAMILIES:
        servers = "".join(f"    real_server {addresses[host]} {ECHO_PORT} {{\n    }}\n" for host in ("rs1", "rs2"))
        echo += (f"virtual_server {vip} {ECHO_PORT} {{\n    lb_algo rr\n    lb_kind DR\n    protocol UDP\n{servers}}}\n")
    return reference + web + echo


class Ipv6Test(lab.SharedLabTestCase):
    @classmethod
    def start(cls):
        cls.director = cls.lab.start_director("lb1", services(cls.lab.config_text("lb1")),
                                                driver="net_af_xdp")
        # No VRRP instance has this address: it is ours always, and the host's configuration gives it to the tap.
        cls.lab.add_vip6("lb1")
        cls.lab.wait_for_master("lb1")
        lab.poll(cls.all_up, 15, "all real servers UP")

    @classmethod
    def all_up(cls):
        rows = cls.director.cli_json("show", "backends")["backends"]
        return len(rows) == 8 and all(row["state"] == "UP" for row in rows)

    # ---- TCP ----

    def curls6(self, count):
        return self.lab.curls(count, url=f"http://[{lab.VIP6}]/index.html")

    def test_requests_alternate_strictly(self):
        answers = self.curls6(8)
        self.assertEqual(set(answers), {"Hello RS1", "Hello RS2"})
        self.assertTrue(all(a != b for a, b in zip(answers, answers[1:])), answers)

    def test_replies_do_not_pass_and_only_macs_change(self):
        director = lab.mac_of("lb1")

        def came_and_left():
            frames = capture.frames()
            came = [f for f in frames if f.destination == director]
            left = [f for f in frames if f.source == director]
            return (came, left) if came and len(came) == len(left) else None

        with self.lab.capture(expression=f"ip6 and tcp port 80 and host {lab.VIP6}") as capture:
            self.assertNotIn(None, self.curls6(4))
            came, left = lab.poll(came_and_left, 5, "as many frames leave the director as enter it")
        self.assertEqual([f.from_ethertype for f in came], [f.from_ethertype for f in left])
        self.assertEqual({f.destination for f in left}, {lab.mac_of("rs1"), lab.mac_of("rs2")})
        self.assertEqual({f.data[22:38] for f in capture.frames()},
                         {socket.inet_pton(socket.AF_INET6, lab.ADDRESSES6["client"])}, "a reply passed the director")

    def test_connection_sticks_to_its_server(self):
        result = self.lab.run("client", "curl", "-sS", "--noproxy", "*", "-r", "0-9999999", "-o", "/dev/null", "-w",
                              "%{size_download}", f"http://[{lab.VIP6}]/large")
        self.assertEqual(result.stdout, "10000000")

    def test_real_servers_are_listed_in_brackets(self):
        self.assertIn(f"[{lab.VIP6}]:80", self.director.cli("ipvs", "-Ln").stdout)
        neighbors = self.director.cli_json("show", "neighbors")["neighbors"]
        macs = {row["address"]: row["mac"] for row in neighbors}
        for host in ("rs1", "rs2"):
            for addresses in (lab.ADDRESSES, lab.ADDRESSES6):
                self.assertEqual(bytes.fromhex(macs[addresses[host]].replace(":", "")), lab.mac_of(host))

    # ---- ICMP ----

    def test_echo_to_the_vip_is_answered(self):
        for vip, _ in FAMILIES:
            result = self.lab.run("client", "ping", "-c", "3", "-i", "0.2", "-W", "2", vip)
            self.assertIn("3 received", result.stdout)

    def test_large_echo_to_the_vip_is_answered(self):
        """It comes in fragments."""
        for vip, _ in FAMILIES:
            result = self.lab.run("client", "ping", "-c", "2", "-i", "0.2", "-W", "2", "-s", "4000", vip)
            self.assertIn("2 received", result.stdout)

    # ---- UDP ----

    def start_echo_servers(self, vip):
        for host in ("rs1", "rs2"):
            server = self.lab.popen(host, "/usr/bin/python3", "-c", ECHO_SERVER, host, vip, str(ECHO_PORT),
                                    stdout=subprocess.PIPE)
            self.addCleanup(server.wait)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.kill)
            self.assertEqual(server.stdout.readline(), b"ready\n")

    def echo(self, vip, sizes):
        """Sends datagrams of these sizes in one flow, each after the answer to the last. Returns the names of the servers
        that got them whole."""
        names = []
        with lab.network_namespace(f"{self.lab.name}-client"), \
                socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.connect((vip, ECHO_PORT))
            for size in sizes:
                data = hashlib.shake_256(str(size).encode()).digest(size)
                client.send(data)
                name, length, digest = client.recv(2048).decode().split()
                self.assertEqual((int(length), digest), (size, hashlib.sha256(data).hexdigest()))
                names.append(name)
        return names

    def test_datagrams_larger_than_the_mtu_arrive_whole(self):
        for vip, _ in FAMILIES:
            with self.subTest(vip=vip):
                self.start_echo_servers(vip)
                flows = [self.echo(vip, (100, 1600, 4000, 20000, 100)) for _ in range(4)]
                for names in flows:
                    self.assertEqual(len(set(names)), 1, "a flow changed its server")
                self.assertEqual({names[0] for names in flows}, {"rs1", "rs2"})

    def test_a_flow_may_begin_with_fragments(self):
        for vip, _ in FAMILIES:
            with self.subTest(vip=vip):
                self.start_echo_servers(vip)
                self.assertEqual({self.echo(vip, (3000,))[0] for _ in range(4)}, {"rs1", "rs2"})


if __name__ == "__main__":
    lab.main()
