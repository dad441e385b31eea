# SPDX-License-Identifier: BSD-2-Clause
"""Neighbour discovery (RFC 4861) as raw Ethernet frames, and IPv6's arithmetic."""

import socket
import struct

SOLICITATION, ADVERTISEMENT = 135, 136
SOLICITED, OVERRIDE = 0x40, 0x20


def packed(address):
    return socket.inet_pton(socket.AF_INET6, address)


def checksum(source, destination, protocol, payload):
    """The Internet checksum over IPv6's pseudo-header and a payload whose own checksum field is 0."""
    data = source + destination + struct.pack("!II", len(payload), protocol) + payload + bytes(len(payload) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icmp_frame(macs, addresses, message, hop_limit=255):
    """A frame with an ICMPv6 message in it; `macs` and `addresses` are pairs (from, to)."""
    source, destination = (packed(address) for address in addresses)
    message = message[:2] + bytes(2) + message[4:]
    message = message[:2] + struct.pack("!H", checksum(source, destination, 58, message)) + message[4:]
    return (macs[1] + macs[0] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(message), 58, hop_limit) + source
            + destination + message)


def solicitation(macs, addresses, target):
    """Who has `target`? With the source link-layer address option."""
    return icmp_frame(macs, addresses, bytes([SOLICITATION]) + bytes(7) + packed(target) + b"\x01\x01" + macs[0])


def advertisement(macs, addresses, target, mac, flags=SOLICITED | OVERRIDE, hop_limit=255):
    """`target` is at `mac`, with the target link-layer address option."""
    message = bytes([ADVERTISEMENT]) + bytes(3) + bytes([flags]) + bytes(3) + packed(target) + b"\x02\x01" + mac
    return icmp_frame(macs, addresses, message, hop_limit)


def solicited_node(address):
    """The group in which an address's owner listens, and its MAC."""
    last = packed(address)[-3:]
    group = socket.inet_ntop(socket.AF_INET6, packed("ff02::1:ff00:0")[:13] + last)
    return group, b"\x33\x33\xff" + last


def is_advertisement_of(frame, target):
    return len(frame) >= 78 and frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == ADVERTISEMENT \
        and frame[62:78] == packed(target)
