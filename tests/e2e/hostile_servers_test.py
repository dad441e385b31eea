#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Web servers that mean harm to their checker: they stay out of the table, and delay nothing."""

import subprocess

import lab

FAST = [(r"delay_loop 6$", "delay_loop 1"), (r"connect_timeout 3$", "connect_timeout 1"),
        (r"delay_before_retry 3$", "delay_before_retry 1")]
# A server of `kind` on port 80: takes the connection and says nothing; a byte of a header every 50 ms; a body without end.
HOSTILE_SERVER = """
import socket, sys, threading, time
def serve(connection, kind):
    try:
        connection.recv(4096)
        if kind == "silent":
            time.sleep(3600)
        head = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\n"
        if kind == "dribbling":
            connection.sendall(head)
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)
        connection.sendall(head.replace(b"200 OK", b"500 Endless") + b"\\r\\n")
        while True:
            connection.sendall(b"x" * 1000000)
    except OSError:
        connection.close()
server = socket.create_server(("", 80), backlog=100)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0], sys.argv[1]), daemon=True).start()
"""


class HostileServersTest(lab.SharedLabTestCase):
    @classmethod
    def start(cls):
        cls.director = cls.lab.start_director("lb1", cls.lab.config_text("lb1", replace=FAST))
        cls.lab.wait_for_master("lb1")
        cls.wait_for_backends({"172.18.250.77:80", "172.18.250.79:80"})

    @classmethod
    def wait_for_backends(cls, wanted, deadline_s=15):
        def up():
            rows = cls.director.cli_json("show", "backends")["backends"]
            return {row["real"] for row in rows if row["state"] == "UP"}

        lab.poll(lambda: up() == wanted, deadline_s, f"UP are {wanted}")

    def back_to_normal(self):
        self.lab.script("start", "rs1", check=False)
        self.wait_for_backends({"172.18.250.77:80", "172.18.250.79:80"})

    def test_hostile_web_servers_stay_down_and_delay_nothing(self):
        self.addCleanup(self.back_to_normal)
        self.lab.script("stop", "rs1")
        self.wait_for_backends({"172.18.250.79:80"})
        for kind in ("silent", "dribbling", "endless"):
            with self.subTest(kind):
                self.endure(kind)

    def endure(self, kind):
        server = self.lab.popen("rs1", "/usr/bin/python3", "-c", HOSTILE_SERVER, kind, stdout=subprocess.PIPE)
        try:
            self.assertEqual(server.stdout.readline(), b"ready\n")
            before = self.probes_failed()
            with lab.Prober(self.lab, timeout_s=1.0) as prober, self.lab.capture(expression="ip proto 112") as capture:
                lab.poll(lambda: self.probes_failed() >= before + 2, 20, f"two checks of a {kind} server fail")
                lab.poll(lambda: len(lab.advertisements(capture.frames())) >= 3, 10, "three advertisements")
            self.assertEqual({p.body for p in prober.probes}, {"Hello RS2"})
            adverts = lab.advertisements(capture.frames())
            gaps = [b.time_s - a.time_s for a, b in zip(adverts, adverts[1:])]
            self.assertLess(max(gaps), 1.1, gaps)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()

    def probes_failed(self):
        rows = self.director.cli_json("show", "checks")["checks"]
        return next(row["probes_failed"] for row in rows if row["real"] == "172.18.250.77:80")


if __name__ == "__main__":
    lab.main()
