# SPDX-License-Identifier: BSD-2-Clause
"""Frames for DPDK's net_pcap source, and the same flows as l3fwd's rules."""

import random
import socket
import struct

PORT_MAC = bytes.fromhex("027063617000")  # net_pcap's, always
VIP, REAL = "198.18.0.99", "198.18.0.77"
REAL_MAC = "02:00:00:00:00:77"
SERVICE_PORT = 53
LENGTH = 60


def client_of(flow):
    """Address, as a number, and port."""
    return 0x0A000001 + flow, 1024 + flow * 7919 % 64000


def checksum(words_sum):
    while words_sum >> 16:
        words_sum = (words_sum & 0xFFFF) + (words_sum >> 16)
    return ~words_sum & 0xFFFF


def write_frames(path, flows):
    """One 60-byte UDP frame a flow, in random order, with valid checksums."""
    vip = struct.unpack("!I", socket.inet_aton(VIP))[0]
    ethernet = PORT_MAC + bytes.fromhex("020000000001") + b"\x08\x00"
    ip_sum = 0x4500 + 46 + 0x4011 + (vip >> 16) + (vip & 0xFFFF)
    udp_sum = (vip >> 16) + (vip & 0xFFFF) + 17 + 26 + SERVICE_PORT + 26
    record = struct.pack("<IIII", 0, 0, 60, 60)
    order = list(range(flows))
    random.Random(1).shuffle(order)
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in order:
            client, port = client_of(i)
            client_sum = (client >> 16) + (client & 0xFFFF)
            ip = struct.pack("!HHIHHII", 0x4500, 46, 0, 0x4011, checksum(ip_sum + client_sum), client, vip)
            udp = struct.pack("!HHHH", port, SERVICE_PORT, 26, checksum(udp_sum + client_sum + port) or 0xFFFF)
            out.write(record + ethernet + ip + udp + bytes(18))


def write_l3fwd_rules(path, flows):
    """An exact-match rule a flow: R<destination> <source> <destination port> <source port> <protocol> <output port>."""
    with open(path, "w") as out:
        for i in range(flows):
            client, port = client_of(i)
            address = ".".join(str(client >> shift & 255) for shift in (24, 16, 8, 0))
            out.write(f"R{VIP} {address} {SERVICE_PORT} {port} 0x11 0\n")
