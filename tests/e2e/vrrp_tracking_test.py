#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A whole director whose VRRP instances follow something: a script, a file, each other, and its own workers."""

import contextlib
import ctypes
import os
import time

import lab

ADVERT_INT_S = 1.0
SLACK_S = 0.7  # as in vrrp_interop_test.py
INSIDE = "fd00:172:18:250::98"

TRACKED = """
global_defs {{
    script_user root
    notify_fifo {directory}/fifo
}}
vrrp_script chk {{
    script "/usr/bin/test -e {directory}/well"
    interval 1
    fall 1
    rise 1
}}
track_file load {{
    file {directory}/load
    weight 1
}}
vrrp_instance VI_2 {{
    version 3
    state BACKUP
    interface eth0
    virtual_router_id 151
    priority 100
    advert_int 0.5
    virtual_ipaddress {{
        {inside}
    }}
}}
"""


GROUP = """
vrrp_sync_group VG {{
    group {{
        VI_1
        VI_2
    }}
    notify "{directory}/record group"
}}
"""


@contextlib.contextmanager
def thread_held(tid):
    """One thread stands still while the block runs, and the rest of its process goes on: ptrace, by this thread."""
    seize, interrupt, detach = 0x4206, 0x4207, 17
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def ptrace(request):
        if libc.ptrace(request, tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {tid}")

    ptrace(seize)
    ptrace(interrupt)
    os.waitpid(tid, 0x40000000)  # __WALL
    try:
        yield
    finally:
        ptrace(detach)


def worker_threads(pid):
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as comm:
            if "worker" in comm.read():
                found.append(int(tid))
    return found


class TrackingTest(lab.LabTestCase):
    lab_options = {"real_servers": 1}

    def start(self, more=GROUP):
        directory = self.lab.directory / "tracked"
        directory.mkdir()
        self.directory = directory
        (directory / "well").touch()
        recorder = directory / "record"
        recorder.write_text(f'#!/bin/sh\necho "$*" >> {directory}/notified\n')
        recorder.chmod(0o755)
        config = self.lab.config_text("lb1", replace=(
            (r"state MASTER", "state BACKUP"),
            (r"^( *)virtual_router_id (.*)$",
             rf'\1virtual_router_id \2\n\1track_script {{\n\1    chk\n\1}}\n\1track_file {{\n\1    load\n\1}}\n'
             rf'\1notify_master "{recorder} master"\n\1notify_fault "{recorder} fault"\n\1notify "{recorder} any"'),
        ))
        text = (TRACKED + more).format(directory=directory, inside=INSIDE)
        self.director = self.lab.start_director("lb1", text + config)
        self.wait_for("MASTER", 10)

    def rows(self):
        return {row["name"]: row for row in self.director.cli_json("show", "vrrp")["vrrp"]}

    def wait_for(self, state, deadline_s):
        lab.poll(lambda: {row["state"] for row in self.rows().values()} == {state}, deadline_s, f"all are {state}")

    def notified(self):
        path = self.directory / "notified"
        return path.read_text().splitlines() if path.exists() else []

    def test_script_file_group_and_notifications(self):
        self.start()
        self.assertTrue(self.lab.has_vip("lb1"))
        self.assertIn(f" {INSIDE}/128", self.lab.run("lb1", "ip", "-6", "address", "show", "dev", "eth0").stdout)
        lab.poll(lambda: {"master", "any INSTANCE VI_1 MASTER 100", "group GROUP VG MASTER 0"} <= set(self.notified()), 5,
                 "the notify scripts ran")
        fifo = os.open(self.directory / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, fifo)
        said = os.read(fifo, 65536).decode().splitlines()
        self.assertIn('INSTANCE "VI_1" MASTER 100', said)
        self.assertIn('GROUP "VG" MASTER 0', said)

        (self.directory / "well").unlink()
        self.wait_for("FAULT", 1 + ADVERT_INT_S + SLACK_S)  # the script's interval, and the group's other member
        self.assertFalse(self.lab.has_vip("lb1"))
        rows = self.rows()
        self.assertEqual(rows["VI_1"]["problems"], ["script chk failed"])
        self.assertIn("VI_1: script chk failed", rows["VI_2"]["problems"][0])
        self.assertIn("not fit for MASTER: script chk failed", self.director.cli("show", "vrrp").stdout)
        lab.poll(lambda: "fault" in self.notified(), 5, "notify_fault ran")
        lab.poll(lambda: b'INSTANCE "VI_2" FAULT 100' in os.read(fifo, 65536), 5, "the FIFO tells of the other member")

        (self.directory / "well").touch()
        self.wait_for("MASTER", 1 + 3 * ADVERT_INT_S + 1 + SLACK_S + 1)
        log = self.director.log()
        self.assertIn("VRRP_Script(chk) failed (exited with status 1)", log)
        self.assertIn("VRRP_Script(chk) succeeded (exited with status 0)", log)
        self.assertIn("VRRP_Group(VG) Syncing instances to FAULT state", log)

    def test_a_file_changes_the_priority(self):
        """Not in a group: its members keep their priorities, as keepalived has it."""
        self.start(more="")
        for number, priority in ((-30, 70), (20, 120), (0, 100)):
            (self.directory / "load").write_text(f"{number}\n")
            lab.poll(lambda p=priority: self.rows()["VI_1"]["effective_priority"] == p, 5, f"{number} counts")
        self.assertEqual(self.rows()["VI_2"]["effective_priority"], 100)

    def test_a_stuck_worker_gives_mastership_up(self):
        self.start()
        workers = worker_threads(self.director.process.pid)
        self.assertTrue(workers)
        with self.lab.capture(expression="ip proto 112") as capture:
            begin = time.monotonic()
            with thread_held(workers[0]):
                self.wait_for("FAULT", ADVERT_INT_S + SLACK_S)
                print(f"    FAULT {time.monotonic() - begin:.2f} s after the worker stopped", flush=True)
                self.assertFalse(self.lab.has_vip("lb1"))
                self.assertIn("has not run for more than", self.rows()["VI_1"]["problems"][0])
            self.wait_for("MASTER", 10)
        self.assertIsNotNone(capture)


if __name__ == "__main__":
    lab.main()
