// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// ICMP errors that we send ourselves, in the virtual server's name.

#include <cstdint>
#include <span>

#include "config/types/mac_address.h"
#include "dataplane/ip_place.h"
#include "dataplane/packet.h"

namespace lbdp::dataplane {

/// The longest frame that build_icmp_error() makes: IPv6's 1280 bytes behind Ethernet and a VLAN tag.
inline constexpr uint32_t kMaxIcmpReply = kEthernetHeader + 4 + 1280;

enum class IcmpErrorKind : uint8_t {
  kPortUnreachable,  // ICMP 3/3 (RFC 792), ICMPv6 1/4 (RFC 4443)
  kPacketTooBig,     // ICMP 3/4 with the next hop's MTU (RFC 1191), ICMPv6 2 (RFC 4443)
};

/// What is to be said about a frame, and what its parser found.
struct IcmpErrorInput {
  IcmpErrorKind kind = IcmpErrorKind::kPortUnreachable;
  uint16_t mtu = 0;  // kPacketTooBig: bytes of IP that the next hop takes
  IpPlace place;
  uint8_t protocol = 0;         // what begins at place.l4_offset
  bool later_fragment = false;  // a fragment, and not the first
};

/// Writes an ICMP error from the frame's destination to its source: to the MAC that the frame came from, with the VLAN
/// tag that is in the frame (a tag that the driver took out is the caller's to put back), quoting the packet as far as
/// the reply stays within 576 bytes of IPv4 (RFC 1812, 4.3.2.3) or 1280 of IPv6 (RFC 4443, 2.4 (c)).
///
/// Returns the reply's length; 0 if none is due. Forbidden (RFC 1122, 3.2.2; RFC 1812, 4.3.2.7; RFC 4443, 2.4 (e)) are
/// errors about ICMP errors, later fragments, packets to a group, and to senders that do not name one host. Too big is
/// no IPv4 packet without DF. How often to send is the caller's matter.
[[nodiscard]] uint32_t build_icmp_error(FrameView frame, const IcmpErrorInput& input, const MacAddress& our_mac,
                                        std::span<uint8_t, kMaxIcmpReply> out) noexcept;

}  // namespace lbdp::dataplane
