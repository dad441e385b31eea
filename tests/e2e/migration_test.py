#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/migration.md, done: two directors with Debian's keepalived become two with lbdp, by the commands of that page.

The page's steps are run in order: forwards, back, and forwards again. A command that this test does not know fails it, and so
does a step for which it has no proof; so the page cannot drift away from what has been tried. keepalived runs with -P (VRRP
alone): the kernel of this machine has no IPVS, so there is no service while it is MASTER."""

import re
import shlex
import signal
import socket
import subprocess
import time

import lab
from vrrp_parts import down_interval_s, skew_s

PAGE = lab.TREE / "docs" / "migration.md"
SLACK_S = 1.0  # polling, two busy CPUs, and the start of a MASTER's work


class Page:
    """The document: its steps, each with commands to go forwards and perhaps some to go back."""

    def __init__(self, text):
        self.files = dict(re.findall(r"^```\n# (lb\d): at the end of /etc/keepalived/keepalived\.conf\n(.*?)^```$", text,
                                     re.MULTILINE | re.DOTALL))
        self.steps = {}
        for section in re.split(r"^## (?=\d+\. )", text, flags=re.MULTILINE)[1:]:
            title, _, body = section.partition("\n")
            body = re.split(r"^## ", body, flags=re.MULTILINE)[0]
            forwards, *back = body.split("### Way back\n")
            self.steps[title] = (self.commands(forwards), self.commands(back[0]) if back else None)

    @staticmethod
    def commands(text):
        """(host, command) in order; a block of several hosts is for one after the other."""
        found = []
        for hosts, block in re.findall(r"^```sh\n# ([^\n]+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            found += [(host.strip(), line) for host in hosts.split(",") for line in block.splitlines()]
        if text.count("```sh\n") != len(re.findall(r"^```sh\n# ", text, re.MULTILINE)):
            raise AssertionError("a block of commands does not say for which hosts it is")
        return found


class Machine:
    """A director as the page sees it: /etc/keepalived, /etc/lbdp, and two services, of which one may run."""

    def __init__(self, in_lab, host):
        self.lab, self.host = in_lab, host
        self.root = in_lab.directory / host / "root"
        for name in ("keepalived", "lbdp"):
            (self.root / "etc" / name).mkdir(parents=True)
        self.log_path = in_lab.directory / host / "keepalived.log"
        self.keepalived = None
        self.lbdp = None

    def path(self, name):
        """Where a file of the page lies here."""
        if not name.startswith(("/etc/keepalived/", "/etc/lbdp/")):
            raise AssertionError(f"the page has a file that this test does not know: {name}")
        return self.root / name[1:]

    def start_keepalived(self):
        directory = self.log_path.parent
        starts = self.log_of("keepalived").count("Entering BACKUP STATE (init)")
        with open(self.log_path, "ab") as log:
            self.keepalived = self.lab.popen(
                self.host, "keepalived", "-n", "-l", "-D", "-P", "-f", self.path("/etc/keepalived/keepalived.conf"),
                "-p", directory / "keepalived.pid", "-r", directory / "vrrp.pid", stdout=log, stderr=log)
        lab.poll(lambda: self.log_of("keepalived").count("Entering BACKUP STATE (init)") > starts, 10,
                 f"keepalived on {self.host} has started")

    def stop_keepalived(self):
        self.keepalived.send_signal(signal.SIGTERM)
        self.keepalived.wait(10)
        self.keepalived = None

    def reload_keepalived(self):
        reloads = self.log_of("keepalived").count("Reloading")
        self.keepalived.send_signal(signal.SIGHUP)
        lab.poll(lambda: self.log_of("keepalived").count("Reloading") > reloads, 10, f"keepalived on {self.host} reloads")

    def start_lbdp(self):
        """With the file behind /etc/lbdp/lb.conf; a reload reads the lab's copy of it, which cli() refreshes."""
        self.lbdp = self.lab.start_director(self.host, self.path("/etc/lbdp/lb.conf").read_text())

    def stop_lbdp(self):
        if self.lbdp.stop() != 0:
            raise AssertionError(f"lbdp on {self.host} did not end in order")
        self.lbdp = None

    def log_of(self, unit):
        if unit == "lbdp":
            return self.lab.directors[self.host].log()
        return self.log_path.read_text() if self.log_path.exists() else ""

    def cli(self, *arguments):
        if arguments[0] == "reload":
            self.lbdp.write_config(self.path("/etc/lbdp/lb.conf").read_text())
        return self.lbdp.cli(*arguments).stdout

    def state(self):
        return self.lbdp.cli_json("show", "vrrp")["vrrp"][0]

    def has_vip(self):
        return self.lab.has_vip(self.host)


class Runner:
    """Does what a command of the page does, here. Keeps what each has printed."""

    def __init__(self, in_lab, machines):
        self.lab, self.machines = in_lab, machines
        self.outputs = {}

    def run(self, commands):
        for host, command in commands:
            print(f"    {host}: {command}", flush=True)
            for pattern, action in self.ACTIONS:
                if match := re.fullmatch(pattern, command):
                    self.outputs[host, command] = action(self, host, *match.groups())
                    break
            else:
                raise AssertionError(f"docs/migration.md has a command that this test does not know: {command}")

    def on_host(self, host, *command):
        return self.lab.run(host, *command).stdout

    def check_with_lbdp(self, host, options, name):
        result = subprocess.run([str(lab.BUILD / "lbdp"), *options.split(), "-c", str(self.machines[host].path(name))],
                                capture_output=True, text=True, check=False, timeout=20)
        if result.returncode != 0:
            raise AssertionError(f"lbdp -t on {host}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def service(self, host, verb, unit):
        """systemctl, as far as a process shows it: whether a unit starts at boot does not matter here."""
        machine = self.machines[host]
        actions = {
            ("disable --now", "keepalived"): machine.stop_keepalived,
            ("enable --now", "keepalived"): machine.start_keepalived,
            ("reload", "keepalived"): machine.reload_keepalived,
            ("start", "lbdp"): machine.start_lbdp,
            ("stop", "lbdp"): machine.stop_lbdp,
            ("enable", "lbdp"): lambda: None,
            ("mask", "keepalived"): lambda: None,
            ("restart", "networking"): lambda: None,  # scripts/lab unbind has given eth0 its addresses
        }
        if (verb, unit) not in actions:
            raise AssertionError(f"docs/migration.md: systemctl {verb} {unit} is not known to this test")
        actions[verb, unit]()

    def file_command(self, host, program, options, *names):
        """A command on files of /etc, for real."""
        paths = [str(self.machines[host].path(name)) for name in names]
        subprocess.run([program, *shlex.split(options), *paths], check=True, timeout=10)

    def replace(self, host, script, name):
        path = self.machines[host].path(name)
        before = path.read_text()
        self.file_command(host, "sed", f"-i --follow-symlinks '{script}'", name)
        if path.read_text() == before:
            raise AssertionError(f"{script} changes nothing in {name} of {host}")

    def grep_log(self, host, unit, words):
        return lab.poll(lambda: [line for line in self.machines[host].log_of(unit).splitlines() if words in line], 10,
                        f"{host}: {words!r} in the log of {unit}")

    def nothing(self, _host, *_):
        """What only a real machine has."""

    ACTIONS = (
        (r"lbdp (-t(?: -v)?) -c (\S+)", check_with_lbdp),
        (r"keepalived -t -f (\S+)",
         lambda self, host, name: self.on_host(host, "keepalived", "-t", "-f", self.machines[host].path(name))),
        (r"lbdp-realserver check (\S+)",
         lambda self, host, vip: self.on_host(host, lab.TREE / "scripts" / "realserver", "check", vip)),
        (r"systemctl ([a-z]+(?: --now)?) ([a-z]+)", service),
        (r"(ln) (-sf) (\S+) (\S+)", file_command),
        (r"(cp) (--remove-destination) (\S+) (\S+)", file_command),
        (r"sed -i --follow-symlinks '([^']+)' (\S+)", replace),
        (r"dpdk-devbind\.py --bind=vfio-pci 0000:03:00\.0", lambda self, host: self.lab.script("bind", host)),
        (r"dpdk-devbind\.py --bind=ixgbe 0000:03:00\.0", lambda self, host: self.lab.script("unbind", host)),
        (r"ip link set eth0 down", nothing),  # scripts/lab bind does it
        (r"echo 1024 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", nothing),
        (r"modprobe vfio-pci", nothing),
        (r"ipvsadm -Sn", nothing),  # no IPVS here: the test compares with what keepalived would have set up
        (r"lbdp-cli (.+)", lambda self, host, words: self.machines[host].cli(*words.split())),
        (r"curl -s (http://\S+)",
         lambda self, host, url: lab.poll(lambda: self.lab.curl(url, host=host), 10, "the service answers")),
        (r"journalctl -u ([a-z]+) \| grep '([^']+)'", grep_log),
        (r"ip address show dev eth0", lambda self, host: self.on_host(host, "ip", "address", "show", "dev", "eth0")),
    )


def keepalived_conf(in_lab, host):
    """The reference file of a director as keepalived 2.2 takes it without a word."""
    return in_lab.config_text(host, replace=((r"^ *persistence_timeout 0\n", ""), (r"nb_get_retry", "retry")))


class MigrationTest(lab.LabTestCase):
    lab_options = {"kernel_directors": ("lb1", "lb2")}

    def setUp(self):
        super().setUp()
        self.page = Page(PAGE.read_text())
        self.machines = {host: Machine(self.lab, host) for host in ("lb1", "lb2")}
        self.runner = Runner(self.lab, self.machines)
        for host, machine in self.machines.items():
            machine.path("/etc/keepalived/keepalived.conf").write_text(keepalived_conf(self.lab, host))
            machine.start_keepalived()
        self.wait_for_owner("lb1", down_interval_s(95))

    def wait_for_owner(self, host, limit_s):
        """`host` has the VIP, and the other one has not."""
        other = {"lb1": "lb2", "lb2": "lb1"}[host]
        begin = time.monotonic()
        lab.poll(self.machines[host].has_vip, limit_s + SLACK_S, f"{host} has the VIP")
        lab.poll(lambda: not self.machines[other].has_vip(), 2, f"{other} has given the VIP up")
        print(f"    {host} has the VIP after {time.monotonic() - begin:.2f} s", flush=True)

    def assert_owner(self, host):
        self.assertEqual([name for name, machine in self.machines.items() if machine.has_vip()], [host])

    # ---- the state before the step and after it, by the step's title ----

    def after_look(self):
        self.assertIn(": ok: 1 virtual server, 2 real servers, 1 VRRP instance",
                      self.runner.outputs["lb1", "lbdp -t -v -c /etc/keepalived/keepalived.conf"])

    def after_prepare(self):
        self.assert_owner("lb1")
        for machine in self.machines.values():
            self.assertEqual(machine.log_of("keepalived").count("(init)"), 1, "it has gone on, not begun anew")

    def after_lbdp_on_lb2(self):
        self.assert_owner("lb1")
        lb2 = self.machines["lb2"]
        lab.poll(lambda: lb2.state()["counters"]["rx_advertisements"] >= 2, 5, "advertisements of keepalived's")
        state = lb2.state()
        self.assertEqual((state["state"], state["master_address"], state["master_priority"]),
                         ("BACKUP", lab.ADDRESSES["lb1"], 100))
        self.assert_nothing_refused(state)
        lab.poll(lambda: lb2.cli("show", "backends").count(" UP ") == 2, 10, "both real servers are UP")
        rules = {"-A -t 172.18.250.99:80 -s rr", "-a -t 172.18.250.99:80 -r 172.18.250.77:80 -g -w 1",
                 "-a -t 172.18.250.99:80 -r 172.18.250.79:80 -g -w 1"}
        self.assertEqual(set(self.runner.outputs["lb2", "lbdp-cli ipvs -Sn"].splitlines()), rules)

    def assert_nothing_refused(self, state):
        counters = state["counters"]
        for name in ("malformed_ip", "bad_length", "bad_ttl", "bad_version", "auth_type_mismatch", "auth_mismatch",
                     "advert_interval_mismatch", "bad_checksum", "address_list_mismatch"):
            self.assertEqual(counters[name], 0, name)

    def before_lbdp_on_lb2(self):
        self.assert_owner("lb1")
        lb2 = self.machines["lb2"]
        self.assertIsNone(lb2.keepalived.poll())
        self.assertIn(lab.ADDRESSES["lb2"], self.lab.addresses("lb2"))

    def after_lb2_is_master(self):
        """Also after the way back of step 6; then lb1 is lbdp, too."""
        self.wait_for_owner("lb2", down_interval_s(105))
        self.assert_service("lb2")
        self.assertIn(f"inet {lab.VIP}/32", self.runner.outputs["lb2", "ip address show dev eth0"])
        standby = self.machines["lb1"]
        self.assertIsNone((standby.keepalived or standby.lbdp.process).poll(), "lb1 stands by")

    def before_lb2_is_master(self):
        self.wait_for_owner("lb1", down_interval_s(100))
        self.assertEqual(self.machines["lb2"].state()["state"], "BACKUP")

    def assert_service(self, host):
        """Both real servers answer through that director, in turn."""
        lab.poll(lambda: len(set(self.lab.curls(4)) - {None}) == 2, 10, "both real servers answer")
        answers = self.lab.curls(4)
        self.assertEqual(sorted(answers), ["Hello RS1"] * 2 + ["Hello RS2"] * 2)
        self.assertNotEqual(answers[0], answers[1])
        self.assertEqual(self.lab.directors[host].cli_json("show", "vrrp")["vrrp"][0]["state"], "MASTER")

    def after_lbdp_on_lb1(self):
        self.assert_owner("lb2")
        lb1 = self.machines["lb1"]
        lab.poll(lambda: lb1.state()["counters"]["rx_advertisements"] >= 2, 5, "advertisements of lb2's")
        self.assertEqual((lb1.state()["state"], lb1.state()["master_priority"]), ("BACKUP", 105))
        self.assert_nothing_refused(lb1.state())
        self.assert_service("lb2")

    def before_lbdp_on_lb1(self):
        self.assert_owner("lb2")
        lab.poll(lambda: "Entering BACKUP STATE (init)" in self.machines["lb1"].log_of("keepalived"), 5, "a standby")
        self.assert_service("lb2")

    def after_lb1_is_master(self):
        self.wait_for_owner("lb1", down_interval_s(100))
        self.assert_service("lb1")

    def after_clean_up(self):
        self.assert_owner("lb1")
        self.assert_service("lb1")
        for machine in self.machines.values():
            self.assertFalse(machine.path("/etc/lbdp/lb.conf").is_symlink())
            self.assertIsNone(machine.keepalived)

    # What is so after a step, and after its way back.
    PROOFS = {
        "1. Look": (after_look, None),
        "2. Prepare the file": (after_prepare, None),
        "3. lbdp in keepalived's place on lb2": (after_lbdp_on_lb2, before_lbdp_on_lb2),
        "4. lb2 becomes MASTER": (after_lb2_is_master, before_lb2_is_master),
        "5. lbdp in keepalived's place on lb1": (after_lbdp_on_lb1, before_lbdp_on_lb1),
        "6. lb1 becomes MASTER again": (after_lb1_is_master, after_lb2_is_master),
        "7. Clean up": (after_clean_up, None),
    }

    def do_step(self, title, back_too):
        forwards, back = self.page.steps[title]
        after, before = self.PROOFS[title]
        self.assertEqual(back is None, before is None, f"{title}: a way back and its proof go together")
        print(f"  {title}", flush=True)
        if title.startswith("2."):
            for host, lines in self.page.files.items():
                with open(self.machines[host].path("/etc/keepalived/keepalived.conf"), "a", encoding="utf-8") as file:
                    file.write(lines)
        self.runner.run(forwards)
        after(self)
        if back is None or not back_too:
            return
        print(f"  {title}: way back", flush=True)
        self.runner.run(back)
        before(self)
        print(f"  {title}: once more", flush=True)
        self.runner.run(forwards)
        after(self)

    def test_every_step_forwards_and_back(self):
        self.assertEqual(set(self.page.files), {"lb1", "lb2"})
        self.assertEqual(list(self.page.steps), list(self.PROOFS), "the page's steps and what this test knows to prove")
        for title in self.page.steps:
            self.do_step(title, back_too=True)

    def test_keepalived_takes_over_from_lbdp(self):
        """What the page promises about step 4: lb1's keepalived is there when lb2 stops, or dies."""
        for title in list(self.page.steps)[:4]:
            self.do_step(title, back_too=False)
        lb2 = self.machines["lb2"]
        lb2.stop_lbdp()
        self.wait_for_owner("lb1", skew_s(100))
        self.assertIn("(VI_1) Backup received priority 0 advertisement", self.machines["lb1"].log_of("keepalived"))
        lb2.start_lbdp()
        self.wait_for_owner("lb2", down_interval_s(105))
        lb2.lbdp.stop(signal.SIGKILL)
        self.wait_for_owner("lb1", down_interval_s(100))


class OpenConnectionTest(lab.LabTestCase):
    """What the page says about connections that are open while the address moves from one lbdp to the other."""

    SWITCHES = "@lbdp dataplane {{\n@lbdp port 0 {{\n@lbdp interface eth0\n@lbdp ipaddress {}/16\n@lbdp }}\n@lbdp idle_sleep 50us\n{}@lbdp }}\n"

    def start(self, replace=(), switches=""):
        for host in ("lb1", "lb2"):
            text = keepalived_conf(self.lab, host) + self.SWITCHES.format(lab.ADDRESSES[host], switches)
            for pattern, replacement in replace:
                text = re.sub(pattern, replacement, text)
            self.lab.start_director(host, text)
        self.lab.wait_for_master("lb1")
        lab.poll(lambda: self.lab.curl() is not None, 10, "the service works")

    def connect(self):
        with lab.network_namespace(f"{self.lab.name}-client"):
            connection = socket.create_connection((lab.VIP, 80), 5)
        self.addCleanup(connection.close)
        return connection

    @staticmethod
    def ask(connection):
        """One request on a connection that stays open: the body."""
        connection.sendall(f"GET /index.html HTTP/1.1\r\nHost: {lab.VIP}\r\n\r\n".encode())
        answer = b""
        while b"Hello RS" not in answer or not answer.endswith(b"\n"):
            part = connection.recv(4096)
            if not part:
                raise ConnectionResetError("closed")
            answer += part
        return answer.rpartition(b"\r\n\r\n")[2].decode().strip()

    def move_to_lb2(self):
        """As step 4 does it."""
        lb2 = self.lab.directors["lb2"]
        lb2.write_config(lb2.config_path.read_text().replace("priority 95", "priority 105"))
        lb2.cli("reload")
        self.lab.wait_for_master("lb2")
        lab.poll(lambda: not self.lab.has_vip("lb1"), 2, "lb1 has given the VIP up")

    def test_open_connections_are_reset_and_new_ones_hardly_wait(self):
        self.start()
        connection = self.connect()
        self.assertIn("Hello RS", self.ask(connection))
        with lab.Prober(self.lab) as prober:
            lab.poll(lambda: sum(p.body is not None for p in list(prober.probes)) > 20, 15, "the service works")
            self.move_to_lb2()
            moved = time.monotonic()
            lab.poll(lambda: prober.answered_after(moved), 5, "new connections work")
        gap = prober.longest_gap_s()
        print(f"    new connections failed for {gap:.3f} s at most", flush=True)
        self.assertLess(gap, 1.0)
        connection.settimeout(2)
        with self.assertRaises(ConnectionResetError):
            self.ask(connection)

    def test_source_hashing_and_sloppy_tcp_keep_them(self):
        self.start([(r"lb_algo rr", "lb_algo sh")], "@lbdp sloppy_tcp on\n")
        connections = [self.connect() for _ in range(5)]
        before = [self.ask(connection) for connection in connections]
        self.move_to_lb2()
        for connection in connections:
            connection.settimeout(5)
        self.assertEqual([self.ask(connection) for connection in connections], before)
        self.assertEqual(set(self.lab.curls(3)), set(before), "the client's new connections go there, too")


if __name__ == "__main__":
    lab.main("keepalived", "sed")
