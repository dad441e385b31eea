#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Alerts of a director: the mails that reach an SMTP server on its loopback, and an unreachable one that delays nothing."""

import socket
import threading
import unittest

import lab

FAST = [(r"delay_loop 6$", "delay_loop 1"), (r"connect_timeout 3$", "connect_timeout 1"),
        (r"delay_before_retry 3$", "delay_before_retry 1"), (r"nb_get_retry 3$", "nb_get_retry 1")]


class SmtpSink:
    """Takes mails on 127.0.0.1:25 of a host in the lab and keeps them as text."""

    def __init__(self, namespace):
        self.mails = []
        with lab.network_namespace(namespace):
            self.listener = socket.create_server(("127.0.0.1", 25))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self.serve(stream)

    def serve(self, stream):
        say = lambda text: (stream.write(text.encode() + b"\r\n"), stream.flush())
        envelope, lines = [], None
        say("220 sink")
        for raw in stream:
            line = raw.decode().rstrip("\r\n")
            if lines is not None and line != ".":
                lines.append(line)
            elif lines is not None:
                self.mails.append("\n".join(envelope + lines))
                lines = None
                say("250 taken")
            elif line == "QUIT":
                say("221 bye")
                return
            elif line == "DATA":
                lines = []
                say("354 go on")
            else:
                envelope.append(line)
                say("250 ok")

    def with_subject(self, subject):
        return [mail for mail in self.mails if f"\nSubject: {subject}\n" in mail]


class MailTest(lab.LabTestCase):
    def start(self, replace=()):
        text = self.lab.config_text("lb1", replace=[*FAST, *replace]).replace("router_id node1", "router_id node1\n smtp_alert on")
        self.director = self.lab.start_director("lb1", text)
        self.lab.wait_for_master("lb1")

    def backend_is(self, state):
        rows = self.director.cli_json("show", "backends")["backends"]
        return any(r["real"] == f"{lab.ADDRESSES['rs1']}:80" and r["state"] == state for r in rows)

    def wait_for(self, sink, subject):
        return lab.poll(lambda: sink.with_subject(subject), 20, f"a mail '{subject}'")[0]

    def test_transitions_are_mailed(self):
        sink = SmtpSink(f"{self.lab.name}-lb1")
        self.addCleanup(sink.close)
        self.start()
        mail = self.wait_for(sink, "[node1] VRRP Instance VI_1 - Entering MASTER state")
        self.assertIn("MAIL FROM:<admin@example.org>\nRCPT TO:<root@localhost>\n", mail)
        self.assertIn("\n\n=> VRRP Instance is now owning VRRP VIPs <=", mail)
        lab.poll(lambda: self.backend_is("UP"), 15, "rs1 is UP")
        name = "[node1] Realserver [172.18.250.77]:tcp:80 of virtual server [172.18.250.99]:tcp:80"
        self.lab.script("stop", "rs1")
        mail = self.wait_for(sink, f"{name} - DOWN")
        self.assertIn("\n\n=> CHECK failed on service : HTTP request failed <=\nconnect: connection refused", mail)
        self.lab.script("start", "rs1")
        mail = self.wait_for(sink, f"{name} - UP")
        self.assertIn("\n\n=> CHECK succeed on service <=\nHTTP 200", mail)

    def test_an_unreachable_mail_server_delays_nothing(self):
        """Nobody answers for 172.18.250.200: each attempt lasts its 30 s, and the server is out as soon as ever."""
        self.start(replace=[(r"smtp_server 127.0.0.1$", "smtp_server 172.18.250.200")])
        lab.poll(lambda: self.backend_is("UP"), 15, "rs1 is UP")
        self.lab.script("stop", "rs1")
        lab.poll(lambda: self.backend_is("DOWN"), 8, "rs1 is DOWN")
        self.lab.script("start", "rs1")
        lab.poll(lambda: self.backend_is("UP"), 8, "rs1 is UP again")


if __name__ == "__main__":
    unittest.main()
