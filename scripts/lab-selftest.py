#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves that the lab's switch hands frames over as they came: lab-selftest.py NETNS INTERFACE NETNS INTERFACE.

Each frame is one that a helpful kernel would drop, cut or repair on its way. It goes out of the first interface and must
come in at the second one byte for byte. Exit 1 if any does not.
"""

import ctypes
import os
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_AUXDATA = 263, 8
ETH_P_ALL = 3
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40


def packet_socket(namespace, interface):
    """An AF_PACKET socket on an interface of a namespace. It stays there when this process leaves."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.bind((interface, ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        with open("/proc/thread-self/net/dev", encoding="ascii") as table:
            assert interface in table.read()
        return sock
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


def hardware_address(sock):
    return sock.getsockname()[4]


def receive(sock):
    """One frame with the VLAN tag put back that AF_PACKET strips into the auxiliary data."""
    frame, ancillary, _, _ = sock.recvmsg(65535, 256)
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                tag = struct.pack("!HH", tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100, tci)
                frame = frame[:12] + tag + frame[12:]
    return frame


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload, *, protocol=17, version_ihl=0x45, length=None, fragment=0, ttl=64, bad_checksum=False, options=b""):
    total = 20 + len(options) + len(payload) if length is None else length
    header = bytearray(
        struct.pack("!BBHHHBBH4s4s", version_ihl, 0, total, 0x1234, fragment, ttl, protocol, 0,
                    socket.inet_aton("172.18.250.10"), socket.inet_aton("172.18.250.99")) + options)
    struct.pack_into("!H", header, 10, checksum(bytes(header)) ^ (0x5555 if bad_checksum else 0))
    return bytes(header) + payload


def udp(payload, check=0xBAD):
    return struct.pack("!HHHH", 40000, 80, 8 + len(payload), check) + payload


def frames():
    """Name and everything from the EtherType on."""
    ip_type, mark = b"\x08\x00", b"lbdp selftest"
    plain = ip_type + ipv4(udp(mark))
    yield "a plain UDP packet with a wrong UDP checksum", plain
    yield "a wrong IPv4 header checksum", ip_type + ipv4(udp(mark), bad_checksum=True)
    yield "padding up to 60 bytes that is not zero", (plain + b"\xa5" * 60)[:46 + 2]
    yield "200 bytes of padding behind the packet", plain + bytes(range(200))
    yield "a total length longer than the frame", ip_type + ipv4(udp(mark), length=900)
    yield "a total length shorter than the header", ip_type + ipv4(udp(mark), length=10)
    yield "IPv4 with version 7", ip_type + ipv4(udp(mark), version_ihl=0x75)
    yield "a header length of 4 words", ip_type + ipv4(udp(mark), version_ihl=0x44)
    yield "IP options", ip_type + ipv4(udp(mark), version_ihl=0x46, options=b"\x94\x04\x00\x00")
    yield "TTL 0", ip_type + ipv4(udp(mark), ttl=0)
    yield "a first fragment", ip_type + ipv4(udp(mark * 8), fragment=0x2000)
    yield "a last fragment alone", ip_type + ipv4(mark * 8, fragment=0x0040)
    yield "an ARP packet of an unknown operation", b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 77) + bytes(20)
    yield "a truncated IPv6 header", b"\x86\xdd\x60\x00\x00\x00\x00\x99" + mark
    yield "a VLAN tag", b"\x81\x00\x20\x64" + plain
    yield "an EtherType nobody knows", b"\x88\xb5" + mark * 10
    yield "a full frame of 1514 bytes", ip_type + ipv4(udp(bytes(1472)))
    yield "a runt of 20 bytes", b"\x88\xb5" + b"runt!!"


def passes(sender, receiver, frame, serial):
    """Sends the frame, then one that always passes, and says whether the first came in unaltered. The second ends the
    waiting: what has not come 0.1 s after it does not come. Frames of others are passed over."""
    marker = frame[:12] + b"\x88\xb6" + struct.pack("!I", serial) + bytes(42)
    sender.send(frame)
    sender.send(marker)
    deadline = time.monotonic() + 5
    while (left := deadline - time.monotonic()) > 0:
        receiver.settimeout(left)
        try:
            received = receive(receiver)
        except socket.timeout:
            break
        if received == frame:
            return True
        if received == marker:
            deadline = time.monotonic() + 0.1
    return False


def main():
    source = packet_socket(sys.argv[1], sys.argv[2])
    destination = packet_socket(sys.argv[3], sys.argv[4])
    addresses = hardware_address(destination) + hardware_address(source)
    bad = 0
    for serial, (name, rest) in enumerate(frames()):
        good = passes(source, destination, addresses + rest, serial)
        print(f"{'ok    ' if good else 'FAILED'} {name} ({12 + len(rest)} bytes)", flush=True)
        bad += not good
    print("the switch alters nothing" if bad == 0 else f"{bad} frame(s) did not arrive as they were sent")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
