# SPDX-License-Identifier: BSD-2-Clause
"""A Linux kernel with IPVS, in a user-mode-linux guest of Debian's packages, as a DR director between clients and real
servers that are only frames on its one wire.

    with Guest() as guest:
        guest.run("ipvsadm -A -t 192.0.2.10:80 -s rr")
        guest.wire.tell(client, port, SYN)      # which real server's MAC does it leave for?

The guest has a network namespace and a tap of its own; it goes away with everything that it brought.
"""

import itertools
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import lab

BASE = pathlib.Path("/run/lbdp-ipvs")
MEMORY_BASE = pathlib.Path("/dev/shm")
INIT = pathlib.Path(__file__).with_name("ipvs_guest.sh")
VIP = "192.0.2.10"
GUEST_MAC = b"\x02\x00\x00\x00\x00\xd1"
CLIENT_MAC = b"\x02\x00\x00\x00\x00\xc1"
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "sh", "dh")
_serial = itertools.count(1)


def server_address(number):
    return f"192.0.2.{100 + number}"


def _server_mac(number):
    return b"\x02\x00\x00\x00\x01" + bytes([number])


def _text_of(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


def client_address(number):
    """The address of a client, from 0; its port is client_port()."""
    return socket.inet_ntoa(struct.pack("!I", 0x0A000001 + number * 7))


def client_port(number):
    return 1024 + number % 60000


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(client, port, flags):
    """A client's TCP segment to the VIP's port, in its frame."""
    source, destination = socket.inet_aton(client_address(client)), socket.inet_aton(VIP)
    tcp = struct.pack("!HHIIBBHHH", client_port(client), port, 1000, 0, 5 << 4, flags, 8192, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:]
    return GUEST_MAC + CLIENT_MAC + b"\x08\x00" + ip + tcp


class Wire:
    """The host's end of the guest's tap: clients and real servers in one."""

    _PACKET_OUTGOING = 4  # linux/if_packet.h

    def __init__(self, namespace):
        with lab.network_namespace(namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self._socket.bind(("tap0", 0x0003))
        self._socket.settimeout(0.03)
        self.nudges = 0

    def close(self):
        self._socket.close()

    def tell(self, client, port, flags, deadline_s=5):
        """Sends a client's segment and says what comes of it: the number of the real server that it was forwarded to,
        "refused" (ICMP port unreachable), or "reset" (an RST from the director itself)."""
        self._socket.send(segment(client, port, flags))
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline:
            try:
                frame, address = self._socket.recvfrom(2048)
            except TimeoutError:
                # The guest's network device misses an interrupt now and then, and any frame is as good as that one.
                self._socket.send(GUEST_MAC + CLIENT_MAC + b"\x88\xb5" + bytes(46))
                self.nudges += 1
                continue
            if address[2] != self._PACKET_OUTGOING and (outcome := self._outcome(frame, client, port)) is not None:
                return outcome
        raise AssertionError(f"not within {deadline_s} s: what becomes of flags {flags:#x} of client {client} to port {port}")

    @staticmethod
    def _outcome(frame, client, port):
        """None if the frame has nothing to do with this client's segment."""
        if frame[12:14] != b"\x08\x00":
            return None
        address = socket.inet_aton(client_address(client))
        ports = struct.pack("!HH", client_port(client), port)
        protocol, source, destination, l4 = frame[23], frame[26:30], frame[30:34], frame[34:]
        if protocol == 6 and source == address and l4[:4] == ports:
            return frame[5] if frame[:5] == _server_mac(0)[:5] else None
        if destination != address:
            return None
        if protocol == 1 and l4[:2] == b"\x03\x03" and l4[20:24] == address and l4[28:32] == ports:
            return "refused"
        if protocol == 6 and l4[:4] == ports[2:] + ports[:2] and l4[13] & RST:
            return "reset"
        return None


def _remove(namespace):
    subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
    shutil.rmtree(BASE / namespace, ignore_errors=True)
    shutil.rmtree(MEMORY_BASE / f"lbdp-{namespace}", ignore_errors=True)


def remove_orphans():
    """Ends guests of tests whose process is gone (ctest ends a test that runs too long with SIGKILL)."""
    for entry in list(BASE.iterdir()) if BASE.is_dir() else []:
        match = re.fullmatch(r"ipvs-(\d+)-\d+", entry.name)
        if match is None or pathlib.Path("/proc", match.group(1)).exists():
            continue
        leader = entry / "group"
        group = int(leader.read_text()) if leader.exists() else 0
        command = pathlib.Path("/proc", str(group), "cmdline")
        # Only if that process is still this guest.
        if group and command.exists() and str(entry).encode() in command.read_bytes():
            os.killpg(group, signal.SIGKILL)
        _remove(entry.name)


class Guest:
    """The director's kernel. A context manager."""

    modules = ("ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS))

    def __init__(self, servers=8):
        self.namespace = f"ipvs-{os.getpid()}-{next(_serial)}"
        # Its root is ours, but for /dev: what we exchange cannot lie there, as its memory does.
        self.directory = BASE / self.namespace
        self.memory = MEMORY_BASE / f"lbdp-{self.namespace}"
        self.wire = None
        self._servers = servers
        self._process = None
        self._commands = itertools.count(1)

    def __enter__(self):
        try:
            self.directory.mkdir(parents=True)
            self.memory.mkdir()
            self._make_network()
            self._start()
            self._configure()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.wire is not None:
            self.wire.close()
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)  # a group of its own: the guest's processes are in it
            self._process.wait()
        _remove(self.namespace)

    def run(self, script, deadline_s=30):
        """Runs shell commands in the guest, the first failure ends them; returns their output."""
        number = next(self._commands)
        new = self.directory / "command.new"
        new.write_text(script + "\n")
        new.rename(self.directory / f"command-{number}")
        result = self.directory / f"result-{number}"

        def finished():
            self._check_alive()
            text = result.read_text() if result.exists() else ""
            return re.fullmatch(r"(.*)exit (\d+)\n", text, re.DOTALL)

        output, code = lab.poll(finished, deadline_s, f"the guest runs {script!r}", 0.003).groups()
        if code != "0":
            raise AssertionError(f"in the guest: {script!r}: exit {code}\n{output}")
        return output

    def _check_alive(self):
        if self._process.poll() is not None:
            raise AssertionError(f"the guest ended with {self._process.returncode}:\n{self._console()}")

    def _console(self):
        texts = [path.read_text(errors="replace") for name in ("console", "log")
                 if (path := self.directory / name).exists()]
        return "\n".join(texts)

    def _make_network(self):
        def ip(*arguments):
            subprocess.run(["ip", *arguments], check=True)

        ip("netns", "add", self.namespace)
        ip("-n", self.namespace, "tuntap", "add", "dev", "tap0", "mode", "tap")
        ip("-n", self.namespace, "link", "set", "tap0", "up")
        self.wire = Wire(self.namespace)

    def _start(self):
        command = ["ip", "netns", "exec", self.namespace, "linux.uml", "mem=256M", "root=/dev/root", "rootfstype=hostfs",
                   "rootflags=/", "rw", f"init={INIT}", "con=null", "con0=null", "panic=1",
                   f"vec0:transport=tap,ifname=tap0,mac={_text_of(GUEST_MAC)}", f"uml_dir={self.memory}/",
                   f"guest_dir={self.directory}", f"guest_modules={','.join(self.modules)}"]
        # Without the tunable it loops on SIGSTOP.
        environment = dict(os.environ, TMPDIR=str(self.memory), GLIBC_TUNABLES="glibc.pthread.rseq=0")
        with open(self.directory / "console", "wb") as console:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                             env=environment, start_new_session=True)
        (self.directory / "group").write_text(str(self._process.pid))

    def _configure(self):
        """The director's addresses, and neighbours that nobody needs to ask for. Every refusal is to be seen."""
        neighbors = [f"ip neigh replace {server_address(i)} lladdr {_text_of(_server_mac(i))} nud permanent dev eth0"
                     for i in range(1, self._servers + 1)]
        self.run("\n".join([
            f"ip addr add 192.0.2.1/24 dev eth0; ip addr add {VIP}/32 dev eth0",
            f"ip neigh replace 192.0.2.254 lladdr {_text_of(CLIENT_MAC)} nud permanent dev eth0",
            "ip route add 10.0.0.0/8 via 192.0.2.254",
            *neighbors,
            "cd /proc/sys/net/ipv4; echo 0 >icmp_ratelimit; echo 100000 >icmp_msgs_per_sec; echo 100000 >icmp_msgs_burst",
        ]), deadline_s=60)
