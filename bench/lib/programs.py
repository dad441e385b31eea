# SPDX-License-Identifier: BSD-2-Clause
"""The programs that bench/forwarding compares: each a fresh process on CPUs 0 and 1 with the same source."""

import contextlib
import glob
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from lib.errors import BenchError
from lib.frames import REAL, REAL_MAC, SERVICE_PORT, VIP

MBUF_SIZE = 256
WARM_UP_S = 0.5
START_DEADLINE_S = 60

CONFIG = """\
dataplane {{
    port 0 {{
        device net_pcap0
        interface bench0
        ipaddress 198.18.0.1/16
    }}
    connections {connections}
    mbufs {mbufs}
    mbuf_size {mbuf_size}
}}
virtual_server {vip} {port} {{
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server {real} {port} {{
        weight 1
    }}
}}
"""


class Program:
    """A DPDK program on CPUs 0 and 1 with the pcap source as its port 0; each worker has a queue with all flows."""

    def __init__(self, bench, flows, workers=1):
        self.bench, self.flows, self.workers = bench, flows, workers
        self.prefix = f"lbdpbench{os.getpid()}"
        self.log = bench.directory / "program.log"
        self.process = None

    def lcores(self):
        """The main lcore on CPU 0, workers on CPU 1, 0, 1 and so on."""
        workers = [f"{lcore}@{lcore % 2}" for lcore in range(1, self.workers + 1)]
        return ["--lcores", ",".join(["0@0", *workers]), "--main-lcore", "0"]

    def eal(self):
        queues = f"rx_pcap={self.bench.frames(self.flows)}," * self.workers
        return [*self.lcores(), "--no-pci", f"--file-prefix={self.prefix}", f"--vdev=net_pcap0,{queues}infinite_rx=1"]

    def mbufs(self):
        return 32768 + self.workers * self.flows + self.flows // 16

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.bench.namespace, *self.command()],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            )
        try:
            self.wait_until_forwarding()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b"\n")  # testpmd ends at Enter
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for path in glob.glob(f"/dev/hugepages/{self.prefix}map_*"):
            os.unlink(path)
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)

    def poll(self, condition, what):
        deadline = time.monotonic() + START_DEADLINE_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = "".join(self.log.read_text(errors="replace").splitlines(True)[-15:])
                raise BenchError(f"{self.name}: not within {START_DEADLINE_S} s: {what}\n{tail}")
            time.sleep(0.05)

    def stats(self):
        """The port's statistics; None while it does not answer."""
        with contextlib.suppress(OSError, ValueError, KeyError), socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        ) as telemetry:
            telemetry.settimeout(2)
            telemetry.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            telemetry.recv(65536)
            telemetry.send(b"/ethdev/stats,0")
            stats = json.loads(telemetry.recv(65536))["/ethdev/stats"]
            return stats or None
        return None

    def is_worker(self, thread):
        """Does the thread of this name forward?"""
        return "worker" in thread

    def worker_cpu_s(self):
        """CPU time that the workers' threads have had, on average."""
        times = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # telemetry's threads come and go
                if self.is_worker((task / "comm").read_text().strip()):
                    times.append(int((task / "schedstat").read_text().split()[0]) / 1e9)
        if len(times) != self.workers:
            raise BenchError(f"{self.name}: {len(times)} worker threads, not {self.workers}")
        return sum(times) / len(times)

    def wait_until_forwarding(self):
        self.poll(lambda: (found := self.stats()) and found["opackets"] > 0, "frames are transmitted")

    def check(self):
        """Raises if the program did not do all of its work."""

    def measure(self, seconds):
        """Transmitted frames a second of a worker's CPU time, and its share of its CPU."""
        time.sleep(WARM_UP_S)
        self.check()
        before, cpu_before, begin = self.stats(), self.worker_cpu_s(), time.monotonic()
        time.sleep(seconds)
        after, cpu_after, end = self.stats(), self.worker_cpu_s(), time.monotonic()
        self.check()
        sent = after["opackets"] - before["opackets"]
        received = after["ipackets"] - before["ipackets"]
        if abs(sent - received) > 4096 or after["oerrors"] != before["oerrors"]:
            raise BenchError(f"{self.name}: {received} frames received, {sent} transmitted: the rate means nothing")
        return sent / (cpu_after - cpu_before), (cpu_after - cpu_before) / (end - begin)


class Testpmd(Program):
    def __init__(self, bench, flows, mode, workers=1):
        super().__init__(bench, flows, workers)
        self.mode, self.name = mode, f"testpmd-{mode}"

    def command(self):
        return [
            "dpdk-testpmd", *self.eal(), "--", f"--nb-cores={self.workers}", f"--rxq={self.workers}",
            f"--txq={self.workers}", f"--forward-mode={self.mode}", "--port-topology=loop", f"--mbuf-size={MBUF_SIZE}", f"--total-num-mbufs={self.mbufs()}",
        ]


class Lbdp(Program):
    name = "lbdp"

    def command(self):
        self.socket = self.bench.directory / "lbdp.sock"
        config = self.bench.directory / "lb.conf"
        config.write_text(
            CONFIG.format(
                connections=max(1048576, self.flows), mbufs=self.mbufs(), mbuf_size=MBUF_SIZE, vip=VIP, real=REAL,
                port=SERVICE_PORT,
            )
        )
        return [
            str(self.bench.build / "lbdp"), *self.eal(), "--", "-c", str(config), "--control-socket", str(self.socket)
        ]

    def cli(self, what):
        """What lbdp-cli -j prints; None while the director does not answer."""
        result = subprocess.run(
            [str(self.bench.build / "lbdp-cli"), "-s", str(self.socket), "-j", "show", what],
            capture_output=True, text=True, check=False,
        )
        return json.loads(result.stdout)[what] if result.returncode == 0 else None

    def wait_until_forwarding(self):
        self.poll(lambda: self.cli("version"), "the control socket answers")
        self.bench.ip("neigh", "replace", REAL, "lladdr", REAL_MAC, "nud", "permanent", "dev", "bench0")
        self.poll(lambda: [b["state"] for b in self.cli("backends") or []] == ["UP"], "the real server is usable")
        self.poll(self.holds_all_flows, "all flows have come by")
        self.drops = self.lost()

    def connections(self):
        return sum(w["connections"] for w in self.cli("workers"))

    def holds_all_flows(self):
        # At two thirds load the table has no place for a few in a million; those are forwarded by the hash.
        flows = self.flows * self.workers
        return flows - flows // 10000 <= self.connections() <= flows

    def lost(self):
        """Frames of the workers that did not go to the real server."""
        workers = self.cli("workers")
        return sum(sum(w["dropped"].values()) + sum(w["punted"].values()) for w in workers)

    def check(self):
        lost = self.lost()
        if lost != self.drops or not self.holds_all_flows():
            raise BenchError(f"lbdp: {lost - self.drops} frames dropped or punted, {self.connections()} connections")


class L3fwd(Program):
    """DPDK's l3fwd in exact-match mode: one look-up of five fields a packet, rules made beforehand (lib/l3fwd.py)."""

    name = "l3fwd-em"

    def lcores(self):
        # It wants a transmit queue for each lcore, and the source has one for each worker: so the main lcore works, too.
        return ["-l", ",".join(str(cpu) for cpu in range(2 - self.workers, 2))]

    def is_worker(self, thread):
        return "worker" in thread or thread == self.bench.l3fwd().name

    def command(self):
        config = ",".join(f"(0,{queue},{1 - queue})" for queue in range(self.workers))
        return [
            "env", f"LBDP_BENCH_MBUFS={self.mbufs()}", str(self.bench.l3fwd()), *self.eal(), "--", "-p", "0x1", "-P",
            "--lookup=em", "--parse-ptype", f"--config={config}", "--eth-dest=0,02:00:00:00:00:77",
            f"--rule_ipv4={self.bench.rules(self.flows)}", f"--rule_ipv6={self.bench.no_rules()}",
        ]
