#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One director of the reference set-up: forwarding, checks, reload, counters, and a control socket under fire."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import lab

ECHO_PORT = 5300
# The reference file's times, shortened so that a dead server is seen within seconds.
FAST = [(r"delay_loop 6$", "delay_loop 1"), (r"connect_timeout 3$", "connect_timeout 1"),
        (r"delay_before_retry 3$", "delay_before_retry 1")]
ECHO_SERVICE = f"""
virtual_server {lab.VIP} {ECHO_PORT} {{
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server {lab.ADDRESSES['rs1']} {ECHO_PORT} {{
        weight 1
    }}
    real_server {lab.ADDRESSES['rs2']} {ECHO_PORT} {{
        weight 1
    }}
}}
"""
# Answers each datagram with its host's name and what was in it. Bound to the VIP, so that the reply comes from it.
ECHO_SERVER = f"""
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(({lab.VIP!r}, {ECHO_PORT}))
print("ready", flush=True)
while True:
    data, peer = server.recvfrom(2048)
    server.sendto(sys.argv[1].encode() + b" " + data, peer)
"""
TCP_FIN = 0x01
TCP_SYN = 0x02


def alternates(answers):
    return set(answers) == {"Hello RS1", "Hello RS2"} and all(a != b for a, b in zip(answers, answers[1:]))


class DirectorTest(lab.SharedLabTestCase):
    @classmethod
    def start(cls):
        cls.config = cls.lab.config_text("lb1", replace=FAST) + ECHO_SERVICE
        cls.director = cls.lab.start_director("lb1", cls.config)
        cls.lab.wait_for_master("lb1")
        cls.wait_for_backends()

    @classmethod
    def wait_for_backends(cls, up=("rs1", "rs2"), deadline_s=15):
        """Until exactly these servers are UP in the web service."""
        wanted = {f"{lab.ADDRESSES[host]}:80" for host in up}
        lab.poll(lambda: cls.up_backends() == wanted, deadline_s, f"{' '.join(up)} UP and no other")

    @classmethod
    def up_backends(cls):
        rows = cls.director.cli_json("show", "backends")["backends"]
        return {row["real"] for row in rows if row["service"] == f"tcp/{lab.VIP}:80" and row["state"] == "UP"}

    def reload(self, text):
        self.director.write_config(text)
        return self.director.cli("reload", check=False)

    # ---- forwarding ----

    def test_requests_alternate_strictly(self):
        self.assertTrue(alternates(answers := self.lab.curls(8)), answers)

    def test_replies_do_not_pass_and_only_macs_change(self):
        with self.lab.capture(expression=f"tcp port 80 and host {lab.VIP}") as capture:
            self.assertTrue(alternates(self.lab.curls(4)))
            mine = lab.mac_of("lb1")
            # Each connection ends with the client's last ACK to the server's FIN. What is judged is one look at the
            # capture, at which as many had left as had come: at another one, a frame may be on its way.
            frames = lab.poll(lambda: self._balanced(capture.frames(), mine), 5,
                              "as many frames leave the director as enter it")
        self.assertEqual([f for f in frames if f.ip_source == lab.VIP], [], "a reply passed the director")
        came = [f for f in frames if f.destination == mine]
        left = [f for f in frames if f.source == mine]
        self.assertEqual([f.from_ethertype for f in came], [f.from_ethertype for f in left])
        self.assertEqual({f.destination for f in left}, {lab.mac_of("rs1"), lab.mac_of("rs2")})
        self.assertEqual({f.source for f in came}, {lab.mac_of("client")})

    @staticmethod
    def _balanced(frames, mine):
        """The frames, if they are of four connections that the client has ended, and as many left as came."""
        came = [f for f in frames if f.destination == mine]
        syns, fins = (sum(1 for f in came if f.l4[13] & flag) for flag in (TCP_SYN, TCP_FIN))
        return frames if syns == 4 and fins >= 4 and len(came) * 2 == len(frames) else None

    def test_connection_sticks_to_its_server(self):
        """A large download is one connection: all its ACKs go to one server."""
        with self.lab.capture(expression=f"tcp port 80 and dst host {lab.VIP}") as capture:
            result = self.lab.run("client", "curl", "-sS", "--noproxy", "*", "-r", "0-9999999", "-o", "/dev/null", "-w",
                                  "%{size_download}", f"http://{lab.VIP}/large")
        self.assertEqual(result.stdout, "10000000")
        servers = {f.destination for f in capture.frames() if f.source == lab.mac_of("lb1")}
        self.assertEqual(len(servers), 1)

    def test_show_backends_and_ipvs_listing(self):
        self.lab.curls(2)
        rows = [r for r in self.director.cli_json("show", "backends")["backends"] if r["service"] == f"tcp/{lab.VIP}:80"]
        self.assertEqual([r["real"] for r in rows], ["172.18.250.77:80", "172.18.250.79:80"])
        for row, host in zip(rows, ("rs1", "rs2")):
            self.assertEqual((row["state"], row["weight"], row["interface"]), ("UP", 1, "eth0"))
            self.assertEqual(bytes.fromhex(row["mac"].replace(":", "")), lab.mac_of(host))
            self.assertGreater(row["connections"], 0)
            self.assertGreater(row["bytes"], row["packets"] * 20)
        lines = self.director.cli("ipvs", "-Ln").stdout.splitlines()
        self.assertEqual([line.rstrip() for line in lines[:3]], [
            "IP Virtual Server version 1.2.1 (size=4096)",
            "Prot LocalAddress:Port Scheduler Flags",
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn"])
        service = [line.rstrip() for line in lines].index("TCP  172.18.250.99:80 rr")
        for line, address in zip(lines[service + 1 : service + 3], ("172.18.250.77:80", "172.18.250.79:80")):
            self.assertRegex(line, "^" + re.escape(f"  -> {address:<28} {'Route':<7} {1:<6d} ") + r"\d+ +\d+ *$")

    def test_udp_service(self):
        for host in ("rs1", "rs2"):
            server = self.lab.popen(host, "/usr/bin/python3", "-c", ECHO_SERVER, host, stdout=subprocess.PIPE)
            self.addCleanup(server.wait)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.kill)
            self.assertEqual(server.stdout.readline(), b"ready\n")
        answers = []
        with lab.network_namespace(f"{self.lab.name}-client"):
            for number in range(6):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.settimeout(5)
                    client.connect((lab.VIP, ECHO_PORT))
                    for again in range(3):  # one flow, one server
                        client.send(b"%d.%d" % (number, again))
                        answers.append(client.recv(2048).decode())
        hosts = [answer.split()[0] for answer in answers]
        self.assertEqual([answer.split()[1] for answer in answers], [f"{n}.{a}" for n in range(6) for a in range(3)])
        self.assertEqual(hosts, [h for pair in zip(*[hosts[::3]] * 3) for h in pair], "a flow changed its server")
        self.assertTrue(all(a != b for a, b in zip(hosts[::3], hosts[3::3])), hosts)

    def test_counters_add_up(self):
        self.lab.curls(10)
        self.lab.run("client", "ping", "-c", "3", "-i", "0.2", "-W", "2", lab.VIP)

        def adds_up():
            (worker,) = self.director.cli_json("show", "workers")["workers"]
            ended = worker["transmitted"] + sum(worker["punted"].values()) + sum(worker["dropped"].values())
            return worker if worker["received"] == ended else None

        # The counters of a running worker are read one after the other: a frame may be between two of them.
        worker = lab.poll(adds_up, 5, "received = transmitted + punted + dropped")
        self.assertGreater(worker["transmitted"], 50)
        self.assertGreater(sum(worker["punted"].values()), 3)
        (port,) = self.director.cli_json("show", "ports")["ports"]
        self.assertGreaterEqual(port["rx_packets"], worker["received"])

    # ---- checks ----

    def test_dead_server_leaves_and_comes_back(self):
        self.lab.script("stop", "rs1")
        self.addCleanup(lambda: self.lab.script("start", "rs1", check=False))
        self.wait_for_backends(up=("rs2",))
        self.assertEqual(self.lab.curls(20), ["Hello RS2"] * 20)
        self.assertNotIn("172.18.250.77:80 ", self.director.cli("ipvs", "-Ln").stdout)
        self.lab.script("start", "rs1")
        # The next check is at most delay_loop (1 s) away, and one good one is enough.
        self.wait_for_backends(deadline_s=3)
        self.assertTrue(alternates(answers := self.lab.curls(8)), answers)

    def test_changed_mac_of_a_server_is_followed_within_a_second(self):
        old, new = (":".join(f"{b:02x}" for b in m) for m in (lab.mac_of("rs2"), b"\x02\x99" + lab.mac_of("rs2")[2:]))
        self.addCleanup(self.wait_for_backends)
        self.addCleanup(self.lab.run, "rs2", "ip", "link", "set", "eth0", "address", old)

        def mac_in_use():
            rows = self.director.cli_json("show", "backends")["backends"]
            return next(r["mac"] for r in rows if r["real"] == "172.18.250.79:80")

        changed = time.monotonic()
        self.lab.run("rs2", "ip", "link", "set", "eth0", "address", new)
        lab.poll(lambda: mac_in_use() == new, 5, "the new MAC is in use", interval_s=0.01)
        self.assertLess(time.monotonic() - changed, 1.0)
        self.assertTrue(alternates(self.lab.curls(4)))

    # ---- reload ----

    def test_reload_under_traffic_loses_nothing(self):
        text = self.director.config_path.read_text()
        self.addCleanup(self.wait_for_backends)
        self.addCleanup(self.reload, text)
        size = 24_000_000
        download = self.lab.popen("client", "curl", "-sS", "--noproxy", "*", "--limit-rate", "4M", "-r", f"0-{size - 1}",
                                  "-o", "/dev/null", "-w", "%{size_download}", f"http://{lab.VIP}/large",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(download.stdout.close)
        server = lab.poll(self.server_of_the_download, 5, "the download's connection")
        other = "rs2" if server == f"{lab.ADDRESSES['rs1']}:80" else "rs1"
        without_other = re.sub(rf"    real_server {lab.ADDRESSES[other]} 80 {{\n(.*\n)*?    }}\n", "", text)
        self.assertNotEqual(without_other, text)
        slower = text.replace("delay_loop 1\n", "delay_loop 2\n")
        self.assertNotEqual(slower, text)
        with lab.Prober(self.lab, timeout_s=1.0) as prober:
            for version in (without_other, slower, text, without_other, text):
                result = self.reload(version)
                self.assertEqual(result.returncode, 0, result.stderr)
                wanted = [host for host in ("rs1", "rs2") if version != without_other or host != other]
                self.wait_for_backends(up=wanted)
                seen = len(prober.probes)
                lab.poll(lambda: len(prober.probes) > seen + 10, 5, "ten probes more")
            self.reload_by_signal(slower)
            output, _ = download.communicate(timeout=30)
        self.assertEqual((download.returncode, output), (0, str(size)))
        self.assertEqual(prober.failures(), [])
        self.assertEqual({p.body for p in prober.probes}, {"Hello RS1", "Hello RS2"})

    def server_of_the_download(self):
        rows = self.director.cli_json("show", "connections")["connections"]
        found = [r["real"] for r in rows if r["state"] == "ESTABLISHED" and r["virtual"] == f"{lab.VIP}:80"]
        return found[0] if len(found) == 1 else None

    def reload_by_signal(self, text):
        before = self.director.cli_json("show", "config")["config"]["reloads"]
        self.director.write_config(text)
        self.director.send_signal(signal.SIGHUP)
        lab.poll(lambda: self.director.cli_json("show", "config")["config"]["reloads"] > before, 5, "the reload is done")

    def test_bad_file_changes_nothing_and_says_why(self):
        text = self.director.config_path.read_text()
        self.addCleanup(self.reload, text)
        before = self.director.cli_json("show", "backends")["backends"]
        result = self.reload(text.replace("weight 1", "wieght 1", 1))
        self.assertEqual(result.returncode, 1, result.stdout)
        line = text[: text.index("weight 1")].count("\n") + 1
        self.assertRegex(result.stderr, rf"lb\.conf:{line}:\d+: .*wieght")
        logged = len(self.director.log())
        self.director.send_signal(signal.SIGHUP)
        lab.poll(lambda: f"lb.conf:{line}:" in self.director.log()[logged:], 5, "the log says why")
        last = self.director.cli_json("show", "config")["config"]["last_reload"]
        self.assertFalse(last["ok"])
        self.assertIn("wieght", last["message"])
        after = self.director.cli_json("show", "backends")["backends"]
        for old, new in zip(before, after, strict=True):
            for key in ("service", "real", "state", "weight", "mac"):
                self.assertEqual(old[key], new[key])
        self.assertTrue(alternates(self.lab.curls(4)))

    def test_file_that_the_dataplane_cannot_hold_changes_nothing(self):
        text = self.director.config_path.read_text()
        self.addCleanup(self.reload, text)
        before = self.director.cli_json("show", "vrrp")["vrrp"]
        servers = "".join(f"real_server 10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1} 80 {{ }}\n" for n in range(65536))
        too_many = f"virtual_server 172.18.250.98 80 {{\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{servers}}}\n"
        result = self.reload(text.replace("priority 100", "priority 90") + too_many)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("nothing has changed", result.stderr)
        self.assertIn("the dataplane holds 65535", result.stderr)
        after = self.director.cli_json("show", "vrrp")["vrrp"]
        for key in ("state", "priority", "last_transition"):
            self.assertEqual(before[0][key], after[0][key])
        self.assertTrue(alternates(self.lab.curls(4)))

    def test_descriptors_for_thousands_of_checks(self):
        limits = pathlib.Path(f"/proc/{self.director.process.pid}/limits").read_text()
        soft, hard = re.search(r"Max open files +(\d+) +(\d+)", limits).groups()
        self.assertEqual(int(soft), min(int(hard), 1 << 20))

    # ---- the control socket ----

    def test_noise_on_the_control_socket(self):
        path = str(self.lab.directory / "lb1" / "control.sock")
        with lab.Prober(self.lab, timeout_s=1.0) as prober:
            for noise in (os.urandom(10_000_000), b"x" * 10_000_000, b"{}\n" * 3_333_333, b"[" * 10_000_000 + b"\n"):
                self.pour(path, noise)
                begin = time.monotonic()
                self.assertEqual(self.director.cli_json("show", "vrrp")["vrrp"][0]["state"], "MASTER")
                self.assertLess(time.monotonic() - begin, 1.0)
            answer = self.pour(path, b'{"command":"show","what":"nonsense"}\n{"command":7}\nnot json\n', all_at_once=False)
        refusals = [json.loads(line) for line in answer.splitlines()]
        self.assertEqual(len(refusals), 3, answer)
        for refusal in refusals:
            self.assertFalse(refusal["ok"])
            self.assertTrue(refusal["error"])
        self.assertEqual(prober.failures(), [])
        self.assertIsNone(self.director.process.poll())

    @staticmethod
    def pour(path, data, all_at_once=True):
        """Sends data to the socket, as far as it is taken, and returns the answers."""
        answer = b""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(path)
            try:
                for part in [data] if all_at_once else data.splitlines(keepends=True):
                    client.sendall(part)
                    if not all_at_once:
                        answer += client.recv(65536)
                client.shutdown(socket.SHUT_WR)
                while part := client.recv(65536):
                    answer += part
            except (BrokenPipeError, ConnectionResetError, socket.timeout):
                pass
        return answer


if __name__ == "__main__":
    lab.main()
