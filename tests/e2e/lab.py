# SPDX-License-Identifier: BSD-2-Clause
"""The reference set-up for end-to-end tests: a Lab with directors in it, captures, and polling with a deadline.

    class MyTest(lab.LabTestCase):
        def test_it(self):
            director = self.lab.start_director("lb1")
            lab.poll(lambda: self.lab.curl() == "Hello RS1", 10, "the first answer")

Everything that a Lab makes goes away with it, also when a test fails, is interrupted or is ended by ctest.
"""

import contextlib
import ctypes
import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LBDP_BUILD", TREE / "build"))
SCRIPT = TREE / "scripts" / "lab"
REFERENCE = TREE / "tests" / "data" / "reference"
VIP = "172.18.250.99"
VIP6 = "fd00:172:18:250::99"
ADDRESSES = {
    "client": "172.18.250.10",
    "lb1": "172.18.250.75",
    "lb2": "172.18.250.76",
    "rs1": "172.18.250.77",
    "rs2": "172.18.250.79",
}
ADDRESSES6 = {host: f"fd00:172:18:250::{address.rpartition('.')[2]}" for host, address in ADDRESSES.items()}
_serial = itertools.count(1)


def poll(predicate, deadline_s, what, interval_s=0.02):
    """Calls `predicate` until it gives something true and returns that; AssertionError after `deadline_s` seconds."""
    deadline = time.monotonic() + deadline_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {deadline_s} s: {what} (last seen: {value!r})")
        time.sleep(interval_s)


def mac_of(host):
    """The MAC address that scripts/lab gives a host: 02:00 and its IPv4 address."""
    return b"\x02\x00" + socket.inet_aton(ADDRESSES[host])


class Director:
    """An lbdp process in a lab. Its output goes to a log file of the lab."""

    def __init__(self, lab, host, process, log_path, config_path):
        self.lab, self.host, self.process = lab, host, process
        self.log_path, self.config_path = log_path, config_path

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_until_ready(self, deadline_s=20):
        """Until it answers at its control socket."""

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"lbdp on {self.host} ended with {self.process.returncode}:\n{self.log()}")
            return self.cli("show", "version", check=False).returncode == 0

        poll(ready, deadline_s, f"lbdp on {self.host} answers")

    def cli(self, *arguments, check=True):
        return self.lab.cli(self.host, *arguments, check=check)

    def cli_json(self, *arguments):
        """What `lbdp-cli -j ...` prints, parsed."""
        return json.loads(self.lab.cli(self.host, "-j", *arguments).stdout)

    def send_signal(self, number):
        self.process.send_signal(number)

    def write_config(self, text):
        """Replaces its configuration file in one step; the running process sees nothing until a reload."""
        new = self.config_path.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config_path)

    def stop(self, number=signal.SIGTERM, deadline_s=10):
        """Ends it with a signal and returns its exit code (-9 after SIGKILL)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"lbdp on {self.host} did not end within {deadline_s} s of signal {number}") from None


@dataclasses.dataclass
class Frame:
    """A captured Ethernet frame with accessors for what tests ask about."""

    time_s: float
    data: bytes

    @property
    def destination(self):
        return self.data[0:6]

    @property
    def source(self):
        return self.data[6:12]

    @property
    def from_ethertype(self):
        return self.data[12:]

    @property
    def ethertype(self):
        return struct.unpack_from("!H", self.data, 12)[0]

    @property
    def is_ipv4(self):
        return self.ethertype == 0x0800 and len(self.data) >= 34

    @property
    def ip_protocol(self):
        return self.data[23] if self.is_ipv4 else None

    @property
    def ip_source(self):
        return socket.inet_ntoa(self.data[26:30]) if self.is_ipv4 else None

    @property
    def ip_destination(self):
        return socket.inet_ntoa(self.data[30:34]) if self.is_ipv4 else None

    @property
    def ttl(self):
        return self.data[22] if self.is_ipv4 else None

    @property
    def l4(self):
        """Everything behind the IPv4 header, up to its total length."""
        header = (self.data[14] & 0xF) * 4
        total = struct.unpack_from("!H", self.data, 16)[0]
        return self.data[14 + header : 14 + total]


@dataclasses.dataclass
class Advertisement:
    """The head of a VRRP packet (RFC 3768 section 5.1) and what carried it."""

    time_s: float
    source: str
    group: str
    ttl: int
    version: int
    vrid: int
    priority: int
    addresses: list


def advertisements(frames, source=None):
    """The VRRP version 2 advertisements among captured frames, of one sender if `source` names it."""
    found = []
    for frame in frames:
        if frame.ip_protocol != 112 or (source is not None and frame.ip_source != source):
            continue
        version_type, vrid, priority, count = struct.unpack_from("!BBBB", frame.l4)
        addresses = [socket.inet_ntoa(frame.l4[8 + 4 * i : 12 + 4 * i]) for i in range(count)]
        found.append(Advertisement(frame.time_s, frame.ip_source, frame.ip_destination, frame.ttl, version_type >> 4, vrid,
                                   priority, addresses))
    return found


def read_pcap(path):
    """The whole frames of a little-endian microsecond pcap file; a record still being written is left out."""
    data = path.read_bytes()
    offset = 24
    frames = []
    while offset + 16 <= len(data):
        seconds, micros, captured, _ = struct.unpack_from("<IIII", data, offset)
        if offset + 16 + captured > len(data):
            break
        frames.append(Frame(seconds + micros / 1e6, data[offset + 16 : offset + 16 + captured]))
        offset += 16 + captured
    return frames


class Capture:
    """A tcpdump that writes to a file while the `with` block runs. It is listening when the block begins."""

    def __init__(self, lab, host, interface, expression):
        self.lab, self.host, self.interface, self.expression = lab, host, interface, expression
        self.path = lab.directory / f"capture-{host}-{interface}-{next(_serial)}.pcap"
        self.process = None

    def __enter__(self):
        command = ["tcpdump", "-i", self.interface, "-w", str(self.path), "-n", "-U", "--immediate-mode", "-Z", "root"]
        errors = self.path.with_suffix(".err")
        with open(errors, "wb") as stderr:
            self.process = self.lab.popen(self.host, *command, self.expression, stderr=stderr)
        poll(lambda: b"listening on" in errors.read_bytes(), 10, f"tcpdump listens on {self.host} {self.interface}")
        return self

    def frames(self):
        """What has been captured so far."""
        return read_pcap(self.path) if self.path.exists() and self.path.stat().st_size >= 24 else []

    def wait_for(self, predicate, deadline_s, what):
        """The first frame that `predicate` holds for."""
        return poll(lambda: next((f for f in self.frames() if predicate(f)), None), deadline_s, what)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)


@contextlib.contextmanager
def network_namespace(name):
    """Moves the calling thread into a network namespace for the block. Sockets made there stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(there, clone_newnet) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")
        yield
    finally:
        libc.setns(home, clone_newnet)
        os.close(home)
        os.close(there)


@dataclasses.dataclass
class Probe:
    """One attempt to connect and ask: when it began (time.monotonic), when it ended, and the answer's body or None."""

    begin_s: float
    end_s: float
    body: str


class Prober(threading.Thread):
    """Makes new connections from the client, one after the other, while the `with` block runs. An attempt that has no
    answer after 50 ms has failed and the next one begins, so a gap in the service is seen to about 50 ms."""

    def __init__(self, lab, port=80, timeout_s=0.05, pause_s=0.005):
        super().__init__(daemon=True)
        self.namespace, self.port, self.timeout_s, self.pause_s = f"{lab.name}-client", port, timeout_s, pause_s
        self.probes = []
        self._ending = threading.Event()

    def run(self):
        with network_namespace(self.namespace):
            while not self._ending.wait(self.pause_s):
                begin = time.monotonic()
                body = self._ask()
                self.probes.append(Probe(begin, time.monotonic(), body))

    def _ask(self):
        request = f"GET /index.html HTTP/1.0\r\nHost: {VIP}\r\n\r\n".encode()
        try:
            with socket.create_connection((VIP, self.port), self.timeout_s) as connection:
                connection.sendall(request)
                answer = b""
                while part := connection.recv(65536):
                    answer += part
        except OSError:
            return None
        head, _, body = answer.partition(b"\r\n\r\n")
        return body.decode(errors="replace").strip() if b" 200 " in head.split(b"\r\n")[0] else None

    def answered_after(self, moment_s):
        """The first probe that began after a moment and was answered."""
        return next((p for p in list(self.probes) if p.begin_s > moment_s and p.body is not None), None)

    def failures(self):
        return [p for p in list(self.probes) if p.body is None]

    def longest_gap_s(self):
        """The longest time between the ends of two answered probes that has a failed one in it."""
        gap, last, failed = 0.0, None, False
        for probe in list(self.probes):
            if probe.body is None:
                failed = True
                continue
            if failed and last is not None:
                gap = max(gap, probe.end_s - last)
            last, failed = probe.end_s, False
        return gap

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join(10)


class Lab:
    """The network of the reference set-up with nginx running on its real servers. A context manager."""

    def __init__(self, real_servers=2, kernel_directors=(), far_mtu=None, name=None):
        """A host in `kernel_directors` ("lb1", "lb2") gets an ordinary eth0, for keepalived to run there. With `far_mtu`,
        there is a client "far" behind a "router" whose interface towards it has that MTU."""
        self.name = name or f"e2e-{os.getpid()}-{next(_serial)}"
        self.directory = pathlib.Path("/run/lbdp-lab") / self.name
        self.directors = {}
        self._processes = []
        self._shape = ["--real-servers", str(real_servers)]
        if far_mtu is not None:
            self._shape += ["--far-mtu", str(far_mtu)]
        for host in kernel_directors:
            self._shape += ["--kernel-director", host]

    def __enter__(self):
        remove_orphans()
        try:
            self.script("up", *self._shape)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends our processes, then the network and everything in it."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._processes.clear()
        self.script("down")

    def script(self, *arguments, check=True, timeout_s=60):
        """Runs scripts/lab on this lab."""
        result = subprocess.run([str(SCRIPT), "--name", self.name, *arguments], capture_output=True, text=True,
                                timeout=timeout_s, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"scripts/lab {' '.join(arguments)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def _enter(self, host, command):
        return ["ip", "netns", "exec", f"{self.name}-{host}", *map(str, command)]

    def run(self, host, *command, check=True, timeout_s=30, **options):
        """Runs a command on a host and returns the CompletedProcess, its output as text."""
        result = subprocess.run(self._enter(host, command), capture_output=True, text=True, timeout=timeout_s,
                                check=False, **options)
        if check and result.returncode != 0:
            raise AssertionError(f"{host}: {command}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def popen(self, host, *command, **options):
        """Starts a command on a host. It is killed when the lab is closed, if it lives so long."""
        process = subprocess.Popen(self._enter(host, command), stdin=subprocess.DEVNULL, **options)
        self._processes.append(process)
        return process

    def config_text(self, host, source=None, replace=()):
        """The reference file of a director (or `source`), with regular-expression replacements, each of which must match."""
        text = pathlib.Path(source or REFERENCE / f"{host}.conf").read_text()
        for pattern, replacement in replace:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            if count == 0:
                raise AssertionError(f"nothing to replace: {pattern!r} is not in the configuration")
        return text

    def start_director(self, host, config=None, eal=(), arguments=(), wait=True, driver=None):
        """Starts lbdp on a host with a configuration text (default: the reference file) to which scripts/lab appends its
        dataplane block, unless the text has one. `eal` and `arguments` go before and behind the `--`. `driver` takes the
        place of net_af_packet on the host's wire: "net_af_xdp" for IPv4 fragments, for with AF_PACKET's fan-out, which
        that driver asks for, the kernel puts them together before DPDK sees them."""
        source = self.directory / host / "source.conf"
        source.write_text(config if config is not None else self.config_text(host))
        self.script("config", host, "--config", str(source))
        command = self.script("command", host, *eal).stdout.splitlines() + list(arguments)
        if driver is not None:
            command = [f"{driver}0,iface=dpdk0" if c.startswith("net_af_packet0,") else c for c in command]
        log_path = self.directory / host / "log"
        with open(log_path, "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        self._processes.append(process)
        (self.directory / host / "pid").write_text(f"{process.pid}\n")
        director = Director(self, host, process, log_path, self.directory / host / "lb.conf")
        self.directors[host] = director
        if wait:
            director.wait_until_ready()
            self.script("ipv6", host)
        return director

    def cli(self, host, *arguments, check=True, timeout_s=30):
        """lbdp-cli, speaking to the director on a host."""
        socket_path = self.directory / host / "control.sock"
        result = subprocess.run([str(BUILD / "lbdp-cli"), "-s", str(socket_path), *arguments], capture_output=True,
                                text=True, timeout=timeout_s, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"lbdp-cli {' '.join(arguments)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def add_vip6(self, host):
        """Puts the IPv6 VIP on a director's tap, as a host's configuration would for a VIP that no VRRP instance has.
        Deprecated, or the host's own connections, such as checks, would come from it."""
        self.run(host, "ip", "address", "add", f"{VIP6}/128", "dev", "eth0", "nodad", "preferred_lft", "0")

    def curl(self, url=f"http://{VIP}/index.html", host="client", timeout_s=5):
        """One request on a connection of its own: the body without the newline, or None if there was no answer."""
        result = self.run(host, "curl", "-sS", "--noproxy", "*", "--max-time", timeout_s, url, check=False,
                          timeout_s=timeout_s + 10)
        return result.stdout.strip() if result.returncode == 0 else None

    def curls(self, count, **options):
        return [self.curl(**options) for _ in range(count)]

    def cable(self, host, interface, other_host, other_interface):
        """A cable between two hosts. An interface named dpdkN is for a DPDK driver: the kernel's stack is cut off from it,
        as scripts/lab does with dpdk0."""
        spaces = {interface: f"{self.name}-{host}", other_interface: f"{self.name}-{other_host}"}
        subprocess.run(["ip", "link", "add", interface, "netns", spaces[interface], "type", "veth", "peer", "name",
                        other_interface, "netns", spaces[other_interface]], check=True)
        for end, name in ((interface, host), (other_interface, other_host)):
            self.run(name, "ethtool", "-K", end, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            if end.startswith("dpdk"):
                self.run(name, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
                self.run(name, "nft", f"add chain netdev lbdp silence_{end} {{ type filter hook ingress device {end} "
                                      "priority 0; policy drop; }")
            self.run(name, "ip", "link", "set", end, "up")

    def send(self, host, frame, interface="eth0"):
        """Puts a whole Ethernet frame on a host's wire."""
        with network_namespace(f"{self.name}-{host}"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((interface, 0))
            raw.send(frame)

    def capture(self, host="switch", interface="lb1", expression=""):
        """A Capture. A director's traffic in both directions is seen at its port of the switch, not on its dpdk0: frames
        sent with qdisc_bypass pass other packet sockets by."""
        return Capture(self, host, interface, expression)

    def addresses(self, host):
        """The IPv4 addresses on a host's eth0, without their lengths; empty if there is no eth0."""
        result = self.run(host, "ip", "-j", "-4", "address", "show", "dev", "eth0", check=False)
        if result.returncode != 0:
            return []
        return [entry["local"] for link in json.loads(result.stdout or "[]") for entry in link.get("addr_info", [])]

    def has_vip(self, host):
        return VIP in self.addresses(host)

    def wait_for_master(self, host, deadline_s=10):
        poll(lambda: self.has_vip(host), deadline_s, f"{host} has the VIP")

    def print_logs(self):
        """For a failed test: the end of each director's log."""
        for host in sorted(self.directors):
            path = self.directory / host / "log"
            if path.exists():
                lines = path.read_text(errors="replace").splitlines()[-60:]
                print(f"---- {self.name} {host} log ----", *lines, sep="\n", file=sys.stderr)


def remove_orphans():
    """Takes down labs of end-to-end tests whose process is gone (ctest ends a test that runs too long with SIGKILL)."""
    base = pathlib.Path("/run/lbdp-lab")
    for entry in list(base.iterdir()) if base.is_dir() else []:
        match = re.fullmatch(r"e2e-(\d+)-\d+", entry.name)
        if match and not pathlib.Path("/proc", match.group(1)).exists():
            subprocess.run([str(SCRIPT), "--name", entry.name, "down"], check=False, timeout=60)


def has_failed(test):
    """Has this test case failed so far? For tearDown: unittest itself tells only its result object."""
    result = test._outcome.result  # pylint: disable=protected-access
    return any(case.id().startswith(test.id()) for case, _ in result.failures + result.errors)


class LabTestCase(unittest.TestCase):
    """A lab of its own for each test, in `self.lab`. Subclasses choose its shape by `lab_options`."""

    lab_options = {}

    def setUp(self):
        self.lab = Lab(**self.lab_options)
        self.lab.__enter__()
        self.addCleanup(self.lab.close)

    def tearDown(self):
        if has_failed(self):
            self.lab.print_logs()


class SharedLabTestCase(unittest.TestCase):
    """One lab for all tests of the class, in `cls.lab`; override `start(cls)` to start directors in it. A test must leave
    the lab as it found it."""

    lab_options = {}

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(**cls.lab_options)
        cls.lab.__enter__()
        cls.addClassCleanup(cls.lab.close)
        try:
            cls.start()
        except BaseException:
            cls.lab.print_logs()
            raise

    @classmethod
    def start(cls):
        pass

    def tearDown(self):
        if has_failed(self):
            self.lab.print_logs()


def main(*programs):
    """Instead of unittest.main(): SIGTERM and SIGINT become exceptions, so that clean-up runs. `programs`: what the test
    needs besides what all need."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid() != 0:
        sys.exit("end-to-end tests make network namespaces: run them as root")
    for program in ("ip", "nft", "ethtool", "nginx", "curl", "tcpdump", *programs):
        if shutil.which(program) is None:
            sys.exit(f"there is no '{program}' on this machine: scripts/install installs what the tests need")
    unittest.main(verbosity=2)
