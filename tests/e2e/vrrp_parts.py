# SPDX-License-Identifier: BSD-2-Clause
"""What the VRRP tests put into a lab: vrrp::Speaker by itself, Debian's keepalived, and a sender of forged packets."""

import dataclasses
import json
import os
import signal
import socket
import struct
import subprocess

import lab

ADVERT_INT_S = 1.0
GROUP = "224.0.74.18"


def skew_s(priority):
    return (256 - priority) / 256


def down_interval_s(priority):
    """How long a backup of that priority waits for its master."""
    return 3 * ADVERT_INT_S + skew_s(priority)


class Speaker:
    """build/tests/e2e/vrrp_speaker on a kernel director: lbdp's VRRP without its dataplane."""

    def __init__(self, in_lab, host, *arguments):
        self.lab, self.host = in_lab, host
        if "--password" not in arguments:
            arguments += ("--password", "1111")
        self.log_path = in_lab.directory / host / "speaker.log"
        command = ["ip", "netns", "exec", f"{in_lab.name}-{host}", str(lab.BUILD / "tests/e2e/vrrp_speaker"),
                   *map(str, arguments)]
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def status(self):
        return json.loads(self.ask("status"))[0]

    def state(self):
        return self.status()["state"]

    def counters(self):
        return self.status()["counters"]

    def log(self):
        return self.log_path.read_text()

    def wait_for(self, state, deadline_s):
        lab.poll(lambda: self.state() == state, deadline_s, f"{self.host} is {state}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(10)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Keepalived:
    """Debian's keepalived with the reference set-up's instance on a kernel director."""

    def __init__(self, in_lab, host, priority, password="1111", extra=""):
        self.lab, self.host = in_lab, host
        directory = in_lab.directory / host
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / "keepalived.conf"
        config.write_text(f"""
global_defs {{
    router_id {host}
    vrrp_mcast_group4 {GROUP}
}}
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 150
    priority {priority}
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass {password}
    }}
    virtual_ipaddress {{
        {lab.VIP}
    }}
    {extra}
}}
""")
        self.log_path = directory / "keepalived.log"
        self.pid_path = directory / "vrrp.pid"
        self.pid_path.unlink(missing_ok=True)
        with open(self.log_path, "wb") as log:
            self.process = in_lab.popen(host, "keepalived", "-n", "-l", "-D", "-P", "-f", str(config), "-p",
                                        str(directory / "keepalived.pid"), "-r", str(self.pid_path), stdout=log, stderr=log)
        lab.poll(lambda: "Entering BACKUP STATE (init)" in self.log(), 10, f"keepalived on {host} has started")

    def log(self):
        return self.log_path.read_text()

    def count(self, text):
        return self.log().count(text)

    def has_vip(self):
        return self.lab.has_vip(self.host)

    def kill(self):
        """SIGKILL: no goodbye. The parent is stopped first: it would start a new child, and a child whose parent is gone
        says goodbye. The VIP stays on the interface, so it is taken away here, as it would be gone with a dead machine."""
        child = int(self.pid_path.read_text())
        self.process.send_signal(signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(10)
        self.lab.run(self.host, "ip", "address", "del", f"{lab.VIP}/32", "dev", "eth0", check=False)

    def say_goodbye(self):
        """SIGTERM, without waiting for the end."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        if self.process.poll() is None:
            self.say_goodbye()
            self.process.wait(10)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclasses.dataclass
class Forged:
    """A VRRP packet of which everything can be a lie. By default it is one that the reference instance accepts."""

    source: str = lab.ADDRESSES["lb2"]
    group: str = GROUP
    ttl: int = 255
    version: int = 2
    kind: int = 1
    vrid: int = 150
    priority: int = 255
    count: int = None
    addresses: tuple = (lab.VIP,)
    auth_type: int = 1
    password: bytes = b"1111"
    interval: int = 1
    flip_checksum: int = 0
    tail: bytes = b""
    cut_to: int = None

    def message(self):
        count = len(self.addresses) if self.count is None else self.count
        head = struct.pack("!BBBBBB", self.version << 4 | self.kind, self.vrid, self.priority, count, self.auth_type,
                           self.interval)
        rest = b"".join(map(socket.inet_aton, self.addresses)) + self.password.ljust(8, b"\0") + self.tail
        return head + struct.pack("!H", checksum(head + b"\0\0" + rest) ^ self.flip_checksum) + rest

    def frame(self):
        message = self.message()[: self.cut_to]
        group = socket.inet_aton(self.group)
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(message), 1, 0, self.ttl, 112, 0,
                             socket.inet_aton(self.source), group)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        if group[0] >> 4 == 0xE:
            destination = b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:]
        else:
            destination = b"\x02\x00" + group
        return destination + lab.mac_of("client") + b"\x08\x00" + header + message


class Forger:
    """Sends forged frames from a host of the lab. A context manager."""

    def __init__(self, in_lab, host="client"):
        with lab.network_namespace(f"{in_lab.name}-{host}"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.socket.bind(("eth0", 0))

    def send(self, forged, times=1):
        frame = forged.frame()
        for _ in range(times):
            self.socket.send(frame)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class OurDirector:
    """lbdp itself, on a director with a DPDK port and a tap."""

    LAB = {"real_servers": 1, "kernel_directors": ("lb2",)}

    def __init__(self, in_lab, host, priority, password="1111", nopreempt=False):
        self.lab, self.host = in_lab, host
        config = in_lab.config_text(host, replace=(
            (r"state MASTER", "state BACKUP"),
            (r"priority \d+", f"priority {priority}"),
            (r"auth_pass .*", f"auth_pass {password}"),
            (r"^#? +nopreempt", "    nopreempt" if nopreempt else "    # preempt"),
        ))
        self.director = in_lab.start_director(host, config)

    def has_vip(self):
        return self.lab.has_vip(self.host)

    def wait_for(self, state, deadline_s):
        lab.poll(lambda: self.status()["state"] == state, deadline_s, f"{self.host} is {state}")

    def status(self):
        return self.director.cli_json("show", "vrrp")["vrrp"][0]

    def log(self):
        return self.director.log()

    def kill(self):
        self.director.stop(signal.SIGKILL)

    def say_goodbye(self):
        self.director.send_signal(signal.SIGTERM)

    def stop(self):
        self.director.process.wait(10)

    def close(self):
        if self.director.process.poll() is None:
            self.director.stop(signal.SIGKILL)
