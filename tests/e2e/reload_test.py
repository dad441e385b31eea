#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reload is a diff: what has not changed goes on as if nothing had happened, under traffic and ten times a second.

LBDP_RELOAD_SECONDS: how long the storm lasts (default 60)."""

import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import lab

STORM_S = float(os.environ.get("LBDP_RELOAD_SECONDS", "60"))
INTERVAL_S = 0.1
TCP_PORT, UDP_PORT, SLOW_PORT = 7000, 5300, 8080
FLOWS = 8
# The reference file's times, shortened so that there are many checks in a minute.
FAST = [(r"delay_loop 6$", "delay_loop 1"), (r"connect_timeout 3$", "connect_timeout 1"),
        (r"delay_before_retry 3$", "delay_before_retry 1")]


def service(port, protocol, weights, more=""):
    """A virtual server whose real servers have these weights."""
    servers = "".join(f"    real_server {address(host)} {port} {{\n        weight {weight}\n    }}\n"
                      for host, weight in weights.items())
    return (f"virtual_server {lab.VIP} {port} {{\n    lb_algo rr\n    lb_kind DR\n    protocol {protocol}\n{more}"
            f"{servers}}}\n")


def address(host):
    return lab.ADDRESSES.get(host) or f"172.18.250.{77 + int(host[2:])}"


# Answers each datagram, and each 8 bytes of a connection, with its host's name and them.
ECHO_SERVER = f"""
import socket, sys, threading
name = sys.argv[1].encode()
def serve_udp():
    while True:
        data, peer = udp.recvfrom(2048)
        udp.sendto(name + data, peer)
def serve(connection):
    with connection:
        while data := connection.recv(8, socket.MSG_WAITALL):
            connection.sendall(name + data)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(({lab.VIP!r}, {UDP_PORT}))
tcp = socket.create_server(({lab.VIP!r}, {TCP_PORT}), backlog=128)
threading.Thread(target=serve_udp, daemon=True).start()
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(tcp.accept()[0],), daemon=True).start()
"""
# A web server that takes its time. Says so when a request comes, and when it has answered.
SLOW_SERVER = f"""
import socket, sys, time
server = socket.create_server(("", {SLOW_PORT}))
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    print("request", flush=True)
    with connection:
        connection.recv(4096)
        time.sleep(float(sys.argv[1]))
        try:
            connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
            print("answered", flush=True)
        except OSError:
            print("hung up", flush=True)
"""


class Flow(threading.Thread):
    """One flow from the client that goes on while the `with` block runs, and what came of it."""

    def __init__(self, namespace, pause_s=0.02):
        super().__init__(daemon=True)
        self.namespace, self.pause_s = namespace, pause_s
        self.hosts, self.sent, self.received, self.error = set(), 0, 0, None
        self._ending = threading.Event()

    def run(self):
        try:
            with lab.network_namespace(self.namespace):
                self.talk()
        except OSError as error:
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join(30)


class TcpFlow(Flow):
    """A connection with a question and an answer at a time. A lost segment shows as a retransmission."""

    retransmissions = None

    def talk(self):
        with socket.create_connection((lab.VIP, TCP_PORT), 10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._ending.wait(self.pause_s):
                question = struct.pack("!Q", self.sent)
                connection.sendall(question)
                self.sent += 1
                answer = connection.recv(11, socket.MSG_WAITALL)
                if answer[3:] != question:
                    raise OSError(f"question {self.sent - 1} was answered {answer!r}")
                self.received += 1
                self.hosts.add(answer[:3].decode())
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            self.retransmissions = struct.unpack_from("<I", info, 100)[0]  # tcpi_total_retrans of linux/tcp.h


class UdpFlow(Flow):
    """Numbered datagrams. None is sent again, so each that is lost is missed."""

    def talk(self):
        self.missed = set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.connect((lab.VIP, UDP_PORT))
            connection.settimeout(0.005)
            while not self._ending.wait(self.pause_s):
                connection.send(struct.pack("!Q", self.sent))
                self.missed.add(self.sent)
                self.sent += 1
                self._take(connection)
            deadline = time.monotonic() + 5
            while self.missed and time.monotonic() < deadline:
                self._take(connection)

    def _take(self, connection):
        try:
            while True:
                answer = connection.recv(2048)
                self.missed.discard(struct.unpack("!Q", answer[3:])[0])
                self.hosts.add(answer[:3].decode())
                self.received += 1
        except socket.timeout:
            pass


class ControlConnection:
    """The control socket, without a process for each request."""

    def __init__(self, director):
        path = str(director.lab.directory / director.host / "control.sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.buffer = b""

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while b"\n" not in self.buffer:
            part = self.socket.recv(65536)
            if not part:
                raise OSError("the director hung up")
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Stopwatch(threading.Thread):
    """Asks the director for its version, again and again while the `with` block runs, and notes the longest wait."""

    def __init__(self, director):
        super().__init__(daemon=True)
        self.director, self.longest_s = director, 0.0
        self._ending = threading.Event()

    def run(self):
        with ControlConnection(self.director) as control:
            while not self._ending.wait(0.002):
                begin = time.monotonic()
                control.ask(command="show", what="version")
                self.longest_s = max(self.longest_s, time.monotonic() - begin)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join(30)


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def descriptors(pid):
    """The fewest in a row of looks: checks in flight have sockets that come and go."""
    counts = []
    for _ in range(20):
        counts.append(len(os.listdir(f"/proc/{pid}/fd")))
        time.sleep(0.01)
    return min(counts)


class ReloadTest(lab.LabTestCase):
    lab_options = {"real_servers": 3}

    def start(self, text):
        self.director = self.lab.start_director("lb1", text)
        self.lab.wait_for_master("lb1")
        # What the lab has added to the file, the dataplane's block, stays with each version.
        self.appended = self.director.config_path.read_text().removeprefix(text)
        return self.director

    def write(self, text):
        self.director.write_config(text + self.appended)

    def cli(self, *arguments, check=True):
        return self.director.cli(*arguments, check=check)

    def instance(self):
        (row,) = self.director.cli_json("show", "vrrp")["vrrp"]
        return row

    def garps(self):
        return self.instance()["counters"]["tx_garp"]

    def run_servers(self, program, hosts, *arguments):
        """Starts a program on each host, its output in a pipe."""
        servers = []
        for host in hosts:
            server = self.lab.popen(host, "/usr/bin/python3", "-c", program, *(arguments or [host]),
                                    stdout=subprocess.PIPE)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            self.assertEqual(server.stdout.readline(), b"ready\n")
            servers.append(server)
        return servers

    # ---- the storm ----

    def versions(self):
        """Texts of lb.conf, and whether each may be taken. None takes a server away that has connections: rs3 comes and
        goes with weight 0. Eleven, so that each is in force at another moment of VRRP's second every time."""
        web = self.lab.config_text("lb1", replace=FAST)

        def file(weights, web=web, more=""):
            return web + service(TCP_PORT, "TCP", weights) + service(UDP_PORT, "UDP", weights) + more

        base = {"rs1": 1, "rs2": 1}
        plain = file(base)
        return [(plain, True), (plain, True), (file({"rs1": 3, "rs2": 2}), True), ("# a line more\n" + plain, True),
                (file(base, more=service(8081, "TCP", base)), True), (file({**base, "rs3": 0}), True),
                (plain.replace("lb_algo rr", "lb_algo", 1), False),
                (file(base, web=web.replace("delay_loop 1\n", "delay_loop 2\n")), True),
                (file(base, web=web.replace("priority 100", "priority 120")), True),
                (plain[: len(plain) // 2], False), (file({"rs1": 1, "rs2": 5}), True)]

    def test_storm_under_traffic(self):
        versions = self.versions()
        self.start(versions[0][0])
        self.run_servers(ECHO_SERVER, ("rs1", "rs2"))
        # 5 announcements at once, 5 more after garp_master_delay: then there is no cause for any.
        lab.poll(lambda: self.garps() == 10, 15, "ten gratuitous ARPs")
        lab.poll(lambda: all(r["state"] == "UP" for r in self.director.cli_json("show", "backends")["backends"]), 15,
                 "all servers UP")
        before, checks_before = self.instance(), self.checks()
        flows = [kind(f"{self.lab.name}-client") for kind in (TcpFlow, UdpFlow) for _ in range(FLOWS)]
        with self.lab.capture(expression="ip proto 112 or arp") as capture, lab.Prober(self.lab, timeout_s=2.0) as prober:
            with lab.contextlib.ExitStack() as running:
                for flow in flows:
                    running.enter_context(flow)
                lab.poll(lambda: all(flow.received > 3 for flow in flows), 20, "all flows have begun")
                began = time.monotonic()
                outcome = self.storm(versions)
                lasted = time.monotonic() - began
            adverts = [a for a in lab.advertisements(capture.frames(), lab.ADDRESSES["lb1"])]
            garps = [f for f in capture.frames() if self.is_garp(f)]
        after, checks_after = self.instance(), self.checks()
        self.report_storm(outcome, lasted, flows, adverts)
        self.assert_traffic_undisturbed(flows, prober)
        self.assert_vrrp_undisturbed(before, after, adverts, garps)
        self.assert_nothing_leaks(outcome)
        # delay_loop is 1 s in ten versions of eleven. Timers that each reload restarted would never come to an end.
        for key, count in checks_after.items():
            self.assertGreaterEqual(count - checks_before[key], 0.6 * lasted, key)

    def checks(self):
        return {(r["service"], r["real"]): r["probes"] for r in self.director.cli_json("show", "checks")["checks"]}

    @staticmethod
    def is_garp(frame):
        """From lb1, saying where the VIP is without having been asked."""
        if frame.ethertype != 0x0806 or frame.source != lab.mac_of("lb1"):
            return False
        return frame.data[28:32] == frame.data[38:42] == socket.inet_aton(lab.VIP)

    def storm(self, versions):
        """A reload every 100 ms, alternating among the versions; every answer is judged. Memory and descriptors are
        noted when a quarter is over, and at the end."""
        pid = self.director.process.pid
        outcome = {"times_s": [], "taken": 0, "refused": 0}
        with ControlConnection(self.director) as control:
            reloads_before = self.reloads(control)
            begin = time.monotonic()
            number = 0
            while (now := time.monotonic()) < begin + STORM_S:
                text, good = versions[number % len(versions)]
                self.write(text)
                answer = control.ask(command="reload")
                outcome["times_s"].append(time.monotonic() - now)
                self.assertEqual(answer["ok"], good, answer)
                outcome["taken" if good else "refused"] += 1
                number += 1
                if "rss_kib" not in outcome and now > begin + STORM_S / 4 and number % len(versions) == 0:
                    outcome["rss_kib"], outcome["fds"], outcome["warm_up"] = resident_kib(pid), descriptors(pid), number
                time.sleep(max(0.0, begin + number * INTERVAL_S - time.monotonic()))
            self.write(versions[0][0])
            self.assertTrue(control.ask(command="reload")["ok"])
            self.assertEqual(self.reloads(control) - reloads_before, outcome["taken"] + 1)
        outcome["rss_end_kib"], outcome["fds_end"], outcome["number"] = resident_kib(pid), descriptors(pid), number
        return outcome

    @staticmethod
    def reloads(control):
        return control.ask(command="show", what="config")["rows"][0]["reloads"]

    @staticmethod
    def report_storm(outcome, lasted, flows, adverts):
        times = sorted(outcome["times_s"])
        gaps = [b.time_s - a.time_s for a, b in zip(adverts, adverts[1:])]
        print(f"\n{outcome['number']} reloads in {lasted:.1f} s: {outcome['taken']} taken, {outcome['refused']} refused; "
              f"median {1000 * times[len(times) // 2]:.1f} ms, longest {1000 * times[-1]:.1f} ms\n"
              f"{sum(f.sent for f in flows)} questions on {len(flows)} flows; "
              f"advertisements {1000 * min(gaps):.1f} to {1000 * max(gaps):.1f} ms apart\n"
              f"resident {outcome['rss_kib']} KiB after {outcome['warm_up']} reloads, {outcome['rss_end_kib']} at the end; "
              f"descriptors {outcome['fds']}, {outcome['fds_end']}", flush=True)

    def assert_traffic_undisturbed(self, flows, prober):
        for flow in flows:
            self.assertIsNone(flow.error)
            self.assertEqual(len(flow.hosts), 1, "a flow moved")
            self.assertGreater(flow.received, STORM_S)
            if isinstance(flow, TcpFlow):
                self.assertEqual(flow.retransmissions, 0)
            else:
                self.assertEqual((len(flow.missed), flow.received), (0, flow.sent))
        self.assertEqual({host for flow in flows for host in flow.hosts}, {"rs1", "rs2"})
        self.assertEqual(prober.failures(), [])
        self.assertEqual({p.body for p in prober.probes}, {"Hello RS1", "Hello RS2"})

    def assert_vrrp_undisturbed(self, before, after, adverts, garps):
        for key in ("state", "last_transition", "became_master"):
            self.assertEqual(before[key], after[key], key)
        self.assertEqual(garps, [])
        self.assertEqual(after["counters"]["tx_garp"], 10)
        self.assertEqual(after["counters"]["tx_priority_zero"], 0)
        self.assertEqual({a.priority for a in adverts}, {100, 120})
        gaps = [b.time_s - a.time_s for a, b in zip(adverts, adverts[1:])]
        self.assertGreater(len(gaps), STORM_S - 5)
        # A backup waits for more than three seconds. This host has two CPUs, and a worker that polls.
        self.assertLess(max(gaps), 1.5)

    def assert_nothing_leaks(self, outcome):
        """A reload that left its model or its tables behind would leave several KiB each: of hundreds of them, more."""
        self.assertLess(outcome["rss_end_kib"] - outcome["rss_kib"], 512)
        self.assertLessEqual(outcome["fds_end"], outcome["fds"] + 1)

    # ---- what goes on ----

    def test_a_check_in_flight_survives_reloads(self):
        check = (f"        HTTP_GET {{\n            url {{ path / }}\n            connect_port {SLOW_PORT}\n"
                 "            connect_timeout 20\n        }\n")
        slow = service(80, "TCP", {"rs1": 1}).replace("weight 1\n", "weight 1\n" + check)
        web = self.lab.config_text("lb1")
        text = web[: web.index("virtual_server")] + slow.replace("lb_kind DR\n", "lb_kind DR\n    delay_loop 1\n")
        (server,) = self.run_servers(SLOW_SERVER, ["rs1"], "10")
        self.start(text)
        self.assertEqual(server.stdout.readline(), b"request\n")
        # Every 100 ms while the server thinks: nothing, another weight, another delay_loop of this very checker.
        others = [text, text.replace("weight 1\n", "weight 2\n"), text.replace("delay_loop 1\n", "delay_loop 3\n")]
        with ControlConnection(self.director) as control:
            for number in range(30):
                self.write(others[number % len(others)])
                self.assertTrue(control.ask(command="reload")["ok"])
                time.sleep(0.1)
        (row,) = self.director.cli_json("show", "checks")["checks"]
        self.assertEqual(row["probes"], 0, "the first check is still on its way")
        self.assertEqual(server.stdout.readline(), b"answered\n", "the check was cut off")

        def first_result():
            (row,) = self.director.cli_json("show", "checks")["checks"]
            return row if row["probes"] == 1 else None

        row = lab.poll(first_result, 5, "the first check has its result")
        self.assertEqual((row["up"], row["last_result"]), (True, "HTTP 200"))

    # ---- size ----

    def test_reload_of_two_thousand_services(self):
        """2,000 services of 20 servers, each with a checker. The reactor goes on meanwhile: it answers other requests, and
        advertises in time."""
        head = self.lab.config_text("lb1")
        head = head[: head.index("virtual_server")]

        def file(changed, count=2000):
            services = []
            for number in range(count):
                # The checkers exist and wait: what is measured is the reload, not 40,000 connections.
                servers = "".join(
                    f"    real_server 172.18.250.{77 + server} {1000 + number} {{\n"
                    f"        weight {3 if number < changed and server == 0 else 1}\n"
                    "        TCP_CHECK {\n            connect_timeout 3\n            warmup 36000\n        }\n    }\n"
                    for server in range(20))
                services.append(f"virtual_server {lab.VIP} {1000 + number} {{\n    delay_loop 3600\n    lb_algo rr\n"
                                f"    lb_kind DR\n    protocol TCP\n{servers}}}\n")
            return head + "".join(services)

        self.start(file(0))
        lab.poll(lambda: self.instance()["state"] == "MASTER", 20, "MASTER")
        for name, text in (("the same file", file(0)), ("20 weights", file(20)), ("a weight of each service", file(2000)),
                           ("100 services less", file(2000, count=1900)), ("100 services more", file(2000))):
            self.write(text)
            begin = time.monotonic()
            with self.lab.capture(expression="ip proto 112") as capture, Stopwatch(self.director) as stopwatch:
                with ControlConnection(self.director) as control:
                    answer = control.ask(command="reload")
                took = time.monotonic() - begin
                lab.poll(lambda: len(lab.advertisements(capture.frames(), lab.ADDRESSES['lb1'])) >= 2, 10, "two adverts")
                adverts = lab.advertisements(capture.frames(), lab.ADDRESSES["lb1"])
            self.assertTrue(answer["ok"], answer)
            gaps = [b.time_s - a.time_s for a, b in zip(adverts, adverts[1:])]
            print(f"\n40,000 real servers, {name}: {answer['change_count']} changes in {took:.2f} s; the reactor's longest "
                  f"pause {1000 * stopwatch.longest_s:.0f} ms", end="", flush=True)
            self.assertLess(took, 20)
            self.assertGreaterEqual(len(gaps), 1)
            self.assertLess(max(gaps), 1.5)
        print(flush=True)

    # ---- what a reload says ----

    def test_dry_run_and_log_tell_the_difference(self):
        text = self.lab.config_text("lb1", replace=FAST)
        self.start(text)
        other = text.replace("weight 1\n", "weight 3\n", 1).replace("priority 100", "priority 90") + service(
            8081, "TCP", {"rs1": 1})
        wanted = ["  changed: vrrp_instance VI_1: priority 100 -> 90",
                  f"  changed: real server {address('rs1')}:80 of virtual server tcp/{lab.VIP}:80: weight 1 -> 3",
                  f"  added: virtual server tcp/{lab.VIP}:8081"]
        self.write(other)
        self.addCleanup(self.write, text)
        dry = self.cli("reload", "--dry-run")
        self.assertRegex(dry.stdout.splitlines()[0], r"lb\.conf would be taken: 2 virtual servers, 1 VRRP instance; 3 changes$")
        self.assertEqual(dry.stdout.splitlines()[1:4], wanted)
        self.assertEqual(self.instance()["priority"], 100)
        self.assertEqual(len(self.director.cli_json("show", "services")["services"]), 1)
        document = self.director.cli_json("reload", "--dry-run")["reload"]
        self.assertEqual((document["ok"], document["dry_run"], document["change_count"]), (True, True, 3))
        self.assertEqual(document["changes"][0], {"kind": "changed", "what": "vrrp_instance VI_1",
                                                  "detail": "priority 100 -> 90"})
        logged = len(self.director.log())
        wet = self.cli("reload")
        self.assertEqual(wet.stdout.splitlines()[1:4], wanted)
        self.assertEqual(self.instance()["priority"], 90)
        lab.poll(lambda: all(line.strip() in self.director.log()[logged:] for line in wanted), 5, "the log has it, too")
        self.assertIn("nothing has changed", self.cli("reload").stdout)

    def test_what_cannot_be_taken_is_refused_with_the_reason(self):
        text = self.lab.config_text("lb1", replace=FAST)
        self.start(text)
        before = (self.instance(), self.director.cli_json("show", "services")["services"])
        path = self.director.config_path
        line = text.count("\n", 0, text.index("vrrp_instance")) + 1
        for name, content, reason in (
                ("syntax", text.replace("lb_algo rr", "lb_alg rr"), r"lb\.conf:\d+:\d+: error: .*lb_alg"),
                ("restart", text.replace("interface eth0", "interface eth7"), rf"restart.*\n.*lb\.conf:{line}:\d+: .*eth7"),
                ("empty value", text.replace("priority 100", "priority 300"), r"lb\.conf:\d+:\d+: error: .*300")):
            with self.subTest(name):
                self.write(content)
                for arguments in (["reload", "--dry-run"], ["reload"]):
                    result = self.cli(*arguments, check=False)
                    self.assertEqual(result.returncode, 1, result.stdout)
                    self.assertIn("not taken, nothing has changed", result.stderr)
                    self.assertRegex(result.stderr, reason)
        with self.subTest("no file"):
            path.rename(path.with_suffix(".away"))
            result = self.cli("reload", check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("No such file", result.stderr)
            path.with_suffix(".away").rename(path)
        self.assertEqual(self.director.cli_json("show", "config")["config"]["reloads"], 0)
        for key in ("state", "priority", "last_transition", "addresses"):
            self.assertEqual(self.instance().get(key), before[0].get(key))
        self.assertEqual([s["service"] for s in self.director.cli_json("show", "services")["services"]],
                         [s["service"] for s in before[1]])
        self.write(text)
        self.assertEqual(self.cli("reload").returncode, 0)

    def test_hangups_in_a_row_are_few_reloads_and_the_last_file_counts(self):
        text = self.lab.config_text("lb1", replace=FAST)
        self.start(text)
        for priority in range(101, 151):
            self.write(text.replace("priority 100", f"priority {priority}"))
            self.director.send_signal(signal.SIGHUP)
        lab.poll(lambda: self.instance()["priority"] == 150, 10, "the last file is in force")
        self.assertLessEqual(self.director.cli_json("show", "config")["config"]["reloads"], 50)
        self.assertEqual(self.instance()["state"], "MASTER")

    def test_a_hangup_while_it_starts_is_a_reload_afterwards(self):
        text = self.lab.config_text("lb1", replace=FAST)
        director = self.lab.start_director("lb1", text, wait=False)
        # The process is lbdp, and no namespace's or shell's any more, when it has begun to listen to EAL.
        lab.poll(lambda: "EAL:" in director.log(), 20, "it has begun")
        director.send_signal(signal.SIGHUP)
        director.wait_until_ready()
        lab.poll(lambda: director.cli_json("show", "config")["config"]["last_reload"], 10, "the reload")

    def test_stopping_during_reloads_is_orderly(self):
        self.start(self.lab.config_text("lb1", replace=FAST))
        with self.lab.capture(expression="ip proto 112") as capture, ControlConnection(self.director) as control:
            for _ in range(20):
                self.director.send_signal(signal.SIGHUP)
            control.socket.sendall(b'{"command":"reload"}\n' * 3)
            self.assertEqual(self.director.stop(), 0)
            stops = [a for a in lab.advertisements(capture.frames(), lab.ADDRESSES["lb1"]) if a.priority == 0]
        self.assertEqual(len(stops), 1)
        self.assertFalse(self.lab.has_vip("lb1"))


if __name__ == "__main__":
    lab.main()
