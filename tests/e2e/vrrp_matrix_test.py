#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ours and Debian's keepalived 2.2.7 over a table: version x family x unicast or multicast x what happens x who is the
better one. Each row has a segment of its own, and the rows run side by side."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

import lab

VRID = 150
PASSWORD = "1111"
HOSTS = {"a": 1, "b": 2}
SLACK_S = 1.0  # a loaded machine with all rows side by side


@dataclasses.dataclass(frozen=True)
class Flavour:
    """How the two talk."""

    version: int
    family: int
    unicast: bool
    interval_s: float

    @property
    def name(self):
        return f"v{self.version} IPv{self.family} {'unicast' if self.unicast else 'multicast'}"

    @property
    def vip(self):
        return "192.0.2.99" if self.family == 4 else "2001:db8::99"

    def address(self, host):
        return f"192.0.2.{HOSTS[host]}" if self.family == 4 else f"2001:db8::{HOSTS[host]}"

    @property
    def group(self):
        return "224.0.0.18" if self.family == 4 else "ff02::12"

    def skew_s(self, priority):
        return (256 - priority) / 256 * (self.interval_s if self.version == 3 else 1)

    def down_s(self, priority):
        return 3 * self.interval_s + self.skew_s(priority)


FLAVOURS = (
    Flavour(2, 4, False, 1), Flavour(2, 4, True, 1), Flavour(3, 4, False, 0.2), Flavour(3, 4, True, 0.2),
    Flavour(3, 6, False, 0.2), Flavour(3, 6, True, 0.2),
)


class Segment:
    """Two hosts, a and b, at a switch; each with eth0 and an address of both families."""

    def __init__(self, name):
        self.name = name
        self.directory = pathlib.Path("/run/lbdp-lab") / name
        self.processes = []

    def __enter__(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def _build(self):
        for host in ("switch", *HOSTS):
            self._run(["ip", "netns", "add", f"{self.name}-{host}"], check=True)
            self.ip(host, "link", "set", "lo", "up")
        self.ip("switch", "link", "add", "br0", "up", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        for host, number in HOSTS.items():
            self.ip("switch", "link", "add", "name", host, "master", "br0", "type", "veth", "peer", "name", "eth0", "netns",
                     f"{self.name}-{host}")
            self.ip("switch", "link", "set", "dev", host, "up")
            self.run(host, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                     "net.ipv6.conf.eth0.accept_dad=0")
            self.ip(host, "link", "set", "eth0", "address", f"02:00:00:00:00:0{number}", "up")
            self.ip(host, "address", "add", f"192.0.2.{number}/24", "dev", "eth0")
            self.ip(host, "address", "add", f"2001:db8::{number}/64", "dev", "eth0", "nodad")

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for host in ("switch", *HOSTS):
            subprocess.run(["ip", "netns", "del", f"{self.name}-{host}"], capture_output=True, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _run(command, check):
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"{command}: exit {result.returncode}: {result.stderr}")
        return result

    def ip(self, host, *arguments, check=True):
        return self._run(["ip", "-n", f"{self.name}-{host}", *arguments], check)

    def run(self, host, *command, check=True):
        return self._run(["ip", "netns", "exec", f"{self.name}-{host}", *command], check)

    def popen(self, host, *command, **options):
        process = subprocess.Popen(["ip", "netns", "exec", f"{self.name}-{host}", *command], **options)
        self.processes.append(process)
        return process

    def has(self, host, address):
        """From /proc where it can be: a look by `ip` takes some milliseconds of a busy machine."""
        shown = self.ip(host, "address", "show", "dev", "eth0").stdout
        return f" {address}/" in shown

    @contextlib.contextmanager
    def captured(self):
        """The path of a file with what passes through the switch while the block runs."""
        path = self.directory / "capture.pcap"
        errors = self.directory / "tcpdump.log"
        with open(errors, "wb") as stderr:
            tcpdump = self.popen("switch", "tcpdump", "-i", "br0", "-w", str(path), "-n", "-U", "--immediate-mode", "-Z", "root",
                                 stderr=stderr)
        lab.poll(lambda: b"listening on" in errors.read_bytes(), 15, "tcpdump listens")
        yield path
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.wait(10)

    def cut(self, host):
        self.ip("switch", "link", "set", "dev", host, "nomaster")

    def heal(self, host):
        self.ip("switch", "link", "set", "dev", host, "master", "br0")


@dataclasses.dataclass
class Settings:
    priority: int
    password: str = PASSWORD
    interval_s: float = None  # the flavour's
    preemption: str = ""      # "nopreempt" or "preempt_delay N"
    more_addresses: tuple = ()


class Ours:
    """vrrp::Speaker on a host."""

    def __init__(self, segment, host, flavour, settings):
        self.segment, self.host, self.flavour = segment, host, flavour
        self.log_path = segment.directory / f"ours-{host}.log"
        command = [str(lab.BUILD / "tests/e2e/vrrp_speaker"), "--version", str(flavour.version), "--priority",
                   str(settings.priority), "--advert-int", str(settings.interval_s or flavour.interval_s), "--group",
                   flavour.group, "--address", flavour.vip, *settings.more_addresses]
        if flavour.version == 2:
            command += ["--password", settings.password]
        if flavour.unicast:
            command += ["--peer", flavour.address("b" if host == "a" else "a")]
        if settings.preemption == "nopreempt":
            command.append("--nopreempt")
        elif settings.preemption:
            command += ["--preempt-delay", settings.preemption.split()[1]]
        with open(self.log_path, "ab") as log:
            self.process = segment.popen(host, *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def status(self):
        self.process.stdin.write("status\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())[0]

    def counters(self):
        return self.status()["counters"]

    def log(self):
        return self.log_path.read_text()

    def has_vip(self):
        return self.segment.has(self.host, self.flavour.vip)

    def change_priority(self, priority):
        self.process.stdin.write(f"reload {priority} {self.flavour.vip}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.segment.ip(self.host, "address", "del", self.flavour.vip, "dev", "eth0", check=False)

    def say_goodbye(self):
        self.process.terminate()


class Keepalived:
    """Debian's keepalived on a host, VRRP only. A file that it tracks can change its priority."""

    def __init__(self, segment, host, flavour, settings):
        self.segment, self.host, self.flavour = segment, host, flavour
        directory = segment.directory / f"keepalived-{host}"
        directory.mkdir(exist_ok=True)
        self.tracked = directory / "tracked"
        self.tracked.write_text("0\n")
        self.pid_path = directory / "vrrp.pid"
        self.pid_path.unlink(missing_ok=True)
        self.log_path = directory / "log"
        config = directory / "keepalived.conf"
        config.write_text(self._config(settings))
        with open(self.log_path, "wb") as log:
            self.process = segment.popen(host, "keepalived", "-n", "-l", "-D", "-P", "-f", str(config), "-p",
                                         str(directory / "keepalived.pid"), "-r", str(self.pid_path), stdout=log, stderr=log)
        lab.poll(lambda: "Entering BACKUP STATE (init)" in self.log(), 15, f"keepalived on {host} has started")

    def _config(self, settings):
        flavour = self.flavour
        other = "b" if self.host == "a" else "a"
        unicast = f"unicast_src_ip {flavour.address(self.host)}\n unicast_peer {{\n {flavour.address(other)}\n }}"
        authentication = f"authentication {{\n auth_type PASS\n auth_pass {settings.password}\n }}"
        addresses = "\n".join((flavour.vip, *settings.more_addresses))
        return f"""
global_defs {{
 router_id {self.host}
 script_user root
}}
vrrp_track_file changes {{
 file {self.tracked}
}}
vrrp_instance VI_1 {{
 version {flavour.version}
 state BACKUP
 interface eth0
 virtual_router_id {VRID}
 priority {settings.priority}
 advert_int {settings.interval_s or flavour.interval_s:g}
 {authentication if flavour.version == 2 else ""}
 {unicast if flavour.unicast else ""}
 {settings.preemption}
 track_file {{
 changes weight 1
 }}
 virtual_ipaddress {{
 {addresses}
 }}
}}
"""

    def log(self):
        return self.log_path.read_text(errors="replace")

    def has_vip(self):
        return self.segment.has(self.host, self.flavour.vip)

    def change_priority_by(self, difference):
        self.tracked.write_text(f"{difference}\n")

    def kill(self):
        """SIGKILL without a goodbye; see vrrp_parts.py for the order."""
        child = int(self.pid_path.read_text())
        self.process.send_signal(signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(10)
        self.segment.ip(self.host, "address", "del", self.flavour.vip, "dev", "eth0", check=False)

    def say_goodbye(self):
        self.process.terminate()


class Row:
    """One cell of the table: what happens, to whom. `ours_better`: ours has the higher priority."""

    def __init__(self, segment, flavour, ours_better):
        self.segment, self.flavour = segment, flavour
        self.better_kind, self.worse_kind = (Ours, Keepalived) if ours_better else (Keepalived, Ours)
        self.times = []

    def start_better(self, **settings):
        return self.better_kind(self.segment, "a", self.flavour, Settings(**{"priority": 150, **settings}))

    def start_worse(self, **settings):
        return self.worse_kind(self.segment, "b", self.flavour, Settings(**{"priority": 100, **settings}))

    def within(self, what, predicate, limit_s):
        begin = time.monotonic()
        lab.poll(predicate, limit_s + SLACK_S, f"{self.flavour.name}: {what}")
        self.times.append((what, time.monotonic() - begin, limit_s))

    def alone(self, has, has_not, what, limit_s):
        self.within(what, lambda: has.has_vip() and not has_not.has_vip(), limit_s)

    def stays(self, predicate, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not predicate():
                raise AssertionError(f"{self.flavour.name}: did not stay so: {what}")
            time.sleep(0.05)

    def both_up(self, **settings):
        better, worse = self.start_better(**settings), self.start_worse(**settings)
        self.alone(better, worse, "the better one is MASTER", self.flavour.down_s(150))
        return better, worse

    # --- what happens

    def kill_and_return(self):
        better, worse = self.both_up()
        better.kill()
        self.within("takeover after kill -9", worse.has_vip, self.flavour.down_s(100))
        better = self.start_better()
        self.alone(better, worse, "preemption", self.flavour.down_s(150))

    def goodbye(self):
        better, worse = self.both_up()
        better.say_goodbye()
        # Half an interval for what is on its way; without the goodbye it would be three.
        self.within("takeover after SIGTERM", worse.has_vip, self.flavour.skew_s(100) + self.flavour.interval_s / 2)

    def link_down(self):
        better, worse = self.both_up()
        self.segment.ip("switch", "link", "set", "dev", "a", "down")
        self.within("takeover after the link went down", worse.has_vip, self.flavour.down_s(100))
        lab.poll(lambda: not better.has_vip(), 5, "the one without a link has given up")
        self.segment.ip("switch", "link", "set", "dev", "a", "up")
        self.alone(better, worse, "back with the link", self.flavour.down_s(150) + 2)

    def partition(self):
        better, worse = self.both_up()
        self.segment.cut("a")
        self.within("two MASTERs in two parts", lambda: better.has_vip() and worse.has_vip(), self.flavour.down_s(100))
        self.segment.heal("a")
        self.alone(better, worse, "one MASTER again", self.flavour.interval_s)

    def tracker(self):
        better, worse = self.both_up()
        if isinstance(better, Ours):
            better.change_priority(80)
        else:
            better.change_priority_by(-70)
        # The one that is better now preempts: it discards what it hears until its timer runs out.
        self.alone(worse, better, "handed over by priority", self.flavour.down_s(100))
        if isinstance(better, Ours):
            better.change_priority(150)
        else:
            better.change_priority_by(0)
        self.alone(better, worse, "and back", self.flavour.down_s(150))

    def nopreempt(self):
        worse = self.start_worse(preemption="nopreempt")
        self.within("alone, MASTER", worse.has_vip, self.flavour.down_s(100))
        better = self.start_better(preemption="nopreempt")
        self.stays(lambda: worse.has_vip() and not better.has_vip(), self.flavour.down_s(150) + self.flavour.interval_s,
                   "the MASTER of lower priority is left alone")

    def preempt_delay(self):
        worse = self.start_worse()
        self.within("alone, MASTER", worse.has_vip, self.flavour.down_s(100))
        better = self.start_better(preemption="preempt_delay 3")
        self.stays(lambda: worse.has_vip() and not better.has_vip(), 2, "no preemption before the delay is over")
        self.alone(better, worse, "preemption after the delay", 2 + self.flavour.down_s(150))

    def password_mismatch(self):
        better, worse = self.start_better(), self.start_worse(password="2222")
        self.within("both think that they are alone", lambda: better.has_vip() and worse.has_vip(),
                    self.flavour.down_s(100))
        ours = better if isinstance(better, Ours) else worse
        lab.poll(lambda: ours.counters()["auth_mismatch"] > 0, 5, "counted")
        for secret in (PASSWORD, "2222"):
            assert secret not in ours.log()

    def address_mismatch(self):
        better = self.start_better(more_addresses=("192.0.2.98",) if self.flavour.family == 4 else ("2001:db8::98",))
        worse = self.start_worse()
        self.alone(better, worse, "one MASTER all the same", self.flavour.down_s(150))
        ours = better if isinstance(better, Ours) else worse
        if ours is worse:
            lab.poll(lambda: ours.counters()["address_list_mismatch"] > 0, 5, "counted")

    FIELDS = ("eth.dst", "ip.dst", "ip.ttl", "ip.dsfield", "ip.flags.df", "ip.len", "ipv6.dst", "ipv6.hlim", "ipv6.plen",
              "ipv6.tclass", "vrrp.version", "vrrp.type", "vrrp.virt_rtr_id", "vrrp.prio", "vrrp.addr_count",
              "vrrp.auth_type", "vrrp.auth_string", "vrrp.adver_int", "vrrp.short_adver_int", "vrrp.checksum.status",
              "vrrp.ip_addr", "vrrp.ipv6_addr")

    def tshark(self, path, *arguments):
        command = ["tshark", "-n", "-r", str(path), "-o", "vrrp.v3_checksum_as_in_v2:FALSE", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()

    def fields_of(self, path, host):
        """What tshark reads in the advertisements that a host sent, each distinct reading once."""
        wanted = [word for name in self.FIELDS for word in ("-e", name)]
        source = f"eth.src==02:00:00:00:00:0{HOSTS[host]}"
        lines = self.tshark(path, "-Y", f"vrrp && !icmp && !icmpv6 && {source}", "-T", "fields", *wanted)
        return {line: dict(zip(self.FIELDS, line.split("\t"))) for line in lines}

    def on_the_wire(self):
        """Each as MASTER says what the other would say, and tshark finds nothing to complain of."""
        with self.segment.captured() as path:
            better, worse = self.both_up()
            better.say_goodbye()
            self.within("takeover after SIGTERM", worse.has_vip, self.flavour.down_s(100))
            lab.poll(lambda: any(f["vrrp.prio"] == "100" for f in self.fields_of(path, "b").values()), 10,
                     "an advertisement of the worse one")
        said = [{name: value for name, value in fields.items() if name not in ("vrrp.prio", *self.unequal())}
                for host in HOSTS for fields in self.fields_of(path, host).values()]
        assert said and all(one == said[0] for one in said), f"different: {said}"
        assert said[0]["vrrp.checksum.status"] == "1", said[0]
        assert {f["vrrp.prio"] for f in self.fields_of(path, "a").values()} == {"150", "0"}
        malformed = self.tshark(path, "-Y", "_ws.malformed || _ws.expert.severity == error")
        assert not malformed, f"tshark complains of: {malformed}"
        self.announced(path, "a")
        self.announced(path, "b")

    def unequal(self):
        """What differs by its nature: the unicast destinations; and keepalived 2.2.7 leaves the hop limit of IPv6 unicast
        to the kernel (64), where its own document says 255."""
        return ("eth.dst", "ip.dst", "ipv6.dst", "ipv6.hlim") if self.flavour.unicast else ()

    def announced(self, path, host):
        """The VIP, five times at least, by whoever became MASTER."""
        mac = f"02:00:00:00:00:0{HOSTS[host]}"
        vip = self.flavour.vip
        if self.flavour.family == 4:
            condition = f"arp.opcode==1 && arp.src.proto_ipv4=={vip} && arp.dst.proto_ipv4=={vip} && arp.src.hw_mac=={mac}"
        else:
            condition = (f"icmpv6.type==136 && icmpv6.nd.na.target_address=={vip} && icmpv6.nd.na.flag.o==1 && "
                         f"icmpv6.opt.linkaddr=={mac} && icmpv6.checksum.status==1 && ipv6.hlim==255 && ipv6.dst==ff02::1")
        frames = self.tshark(path, "-Y", f"eth.src=={mac} && {condition}")
        assert len(frames) >= 5, f"{host} announced {vip} {len(frames)} times"

    def interval_mismatch(self):
        """Version 2: each drops what the other says. Version 3: the backup learns."""
        better = self.start_better(interval_s=2 * self.flavour.interval_s)
        worse = self.start_worse()
        if self.flavour.version == 2:
            self.within("both think that they are alone", lambda: better.has_vip() and worse.has_vip(),
                        2 * self.flavour.down_s(150))
            ours = better if isinstance(better, Ours) else worse
            lab.poll(lambda: ours.counters()["advert_interval_mismatch"] > 0, 5, "counted")
            return
        self.alone(better, worse, "one MASTER", 2 * self.flavour.down_s(150))
        self.stays(lambda: better.has_vip() and not worse.has_vip(), 3 * self.flavour.down_s(100), "one MASTER")


EVENTS = {
    "kill -9": Row.kill_and_return, "TERM": Row.goodbye, "link down": Row.link_down, "partition": Row.partition,
    "tracker": Row.tracker, "nopreempt": Row.nopreempt, "preempt_delay": Row.preempt_delay,
    "wire": Row.on_the_wire, "addresses": Row.address_mismatch, "interval": Row.interval_mismatch,
}


def rows():
    for flavour in FLAVOURS:
        events = EVENTS | ({"password": Row.password_mismatch} if flavour.version == 2 else {})
        for event, play in events.items():
            for ours_better in (True, False):
                yield flavour, event, play, ours_better


def play_row(number, flavour, event, play, ours_better):
    label = f"{flavour.name}, {event}, {'ours' if ours_better else 'keepalived'} is the better one"
    with Segment(f"vm-{os.getpid()}-{number}") as segment:
        row = Row(segment, flavour, ours_better)
        try:
            play(row)
        except Exception as error:
            logs = "".join(f"\n--- {path}\n{path.read_text(errors='replace')[-3000:]}" for path in
                           sorted(segment.directory.rglob("*log")))
            return label, row.times, f"{label}: {error!r}{logs}"
    return label, row.times, None


class MatrixTest(unittest.TestCase):
    SIDE_BY_SIDE = 8

    def test_every_row(self):
        failed = []
        with concurrent.futures.ThreadPoolExecutor(self.SIDE_BY_SIDE) as pool:
            plays = [pool.submit(play_row, number, *row) for number, row in enumerate(rows())]
            for play in concurrent.futures.as_completed(plays):
                label, times, error = play.result()
                print(f"{'FAILED' if error else 'ok':6} {label}: " +
                      ", ".join(f"{what} {took:.2f} s (limit {limit:.2f})" for what, took, limit in times), flush=True)
                if error:
                    failed.append(error)
        self.assertEqual(failed, [], "\n".join(failed))
        self.assertEqual(len(plays), 2 * (10 * len(FLAVOURS) + 2))


if __name__ == "__main__":
    lab.main("keepalived", "tshark")
