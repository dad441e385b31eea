// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/packet.h"

namespace lbdp::dataplane {
namespace {

constexpr uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherIpv6 = 0x86dd, kEtherVlan = 0x8100,
                   kEtherQinQ = 0x88a8;
constexpr uint8_t kIpProtocolIcmpV6 = 58, kIpProtocolVrrp = 112;
constexpr uint16_t kBgpPort = 179;
constexpr uint16_t kBfdPort = 3784, kBfdEchoPort = 3785, kBfdMultihopPort = 4784;
constexpr uint32_t kIpv6Header = 40;
constexpr uint16_t kFragmentBits = 0x3fff;  // more-fragments and offset

Parsed drop(Parsed p, DropReason reason) {
  p.verdict = Verdict::kDrop;
  p.drop_reason = reason;
  return p;
}

Parsed punt(Parsed p, PuntClass punt_class) {
  p.verdict = Verdict::kPunt;
  p.punt_class = punt_class;
  return p;
}

// Bytes up to `end` are not in the first segment: does the frame end there, or does the next segment go on?
DropReason shortfall(FrameView frame, uint32_t end) {
  return frame.frame_length() >= end ? DropReason::kHeadersSplit : DropReason::kTruncated;
}

PuntClass class_of_ports(uint8_t protocol, uint16_t source, uint16_t destination) {
  if (protocol == kIpProtocolTcp && (source == kBgpPort || destination == kBgpPort)) return PuntClass::kControl;
  const bool bfd = destination == kBfdPort || destination == kBfdEchoPort || destination == kBfdMultihopPort;
  return protocol == kIpProtocolUdp && bfd ? PuntClass::kControl : PuntClass::kBulk;
}

// IPv6 is the kernel's for now; only the class matters. Extension headers are not followed: ND has none (RFC 4861).
PuntClass class_of_ipv6(FrameView frame, uint32_t l3) {
  const auto next = frame.load<uint8_t>(l3 + 6);
  const uint32_t l4 = l3 + kIpv6Header;
  if (next == kIpProtocolVrrp) return PuntClass::kVrrp;
  if (next == kIpProtocolIcmpV6) {
    const auto type = frame.load<uint8_t>(l4);
    return type >= 133 && type <= 137 ? PuntClass::kControl : PuntClass::kBulk;  // RFC 4861: RS RA NS NA redirect
  }
  return class_of_ports(next, frame.load_be<uint16_t>(l4).host(), frame.load_be<uint16_t>(l4 + 2).host());
}

// TCP and UDP behind a whole, sound IPv4 header; `p` holds what that header said.
Parsed parse_transport(FrameView frame, Parsed p, uint32_t ip_header, bool tagged) {
  const bool tcp = p.protocol == kIpProtocolTcp;
  const uint32_t l4 = p.l3_offset + ip_header, needed = tcp ? kMinTcpHeader : kUdpHeader;
  if (p.ip_length < ip_header + needed) return drop(p, DropReason::kTruncated);
  if (!frame.covers(l4, needed)) return drop(p, shortfall(frame, l4 + needed));
  p.source_port = frame.load_be<uint16_t>(l4);
  p.destination_port = frame.load_be<uint16_t>(l4 + 2);
  p.tcp_flags = tcp ? frame.load<uint8_t>(l4 + 13) : uint8_t{0};
  if (p.unicast && !tagged) {
    p.verdict = Verdict::kFlow;
    return p;
  }
  return punt(p, punt_class_of_flow(p));
}

Parsed parse_ipv4(FrameView frame, Parsed p, bool tagged) {
  const uint32_t l3 = p.l3_offset;
  if (!frame.covers(l3, kMinIpv4Header)) return drop(p, shortfall(frame, l3 + kMinIpv4Header));
  const auto version_ihl = frame.load<uint8_t>(l3);
  const uint32_t ip_header = (version_ihl & 0x0fU) * 4U;
  if (version_ihl >> 4 != 4 || ip_header < kMinIpv4Header) return drop(p, DropReason::kBadIpHeader);
  if (!frame.covers(l3, ip_header)) return drop(p, shortfall(frame, l3 + ip_header));
  p.ip_length = frame.load_be<uint16_t>(l3 + 2).host();
  if (p.ip_length < ip_header || p.ip_length > frame.frame_length() - l3) return drop(p, DropReason::kBadIpLength);
  p.is_ipv4 = true;
  p.protocol = frame.load<uint8_t>(l3 + 9);
  p.source = frame.load_be<uint32_t>(l3 + 12);
  p.destination = frame.load_be<uint32_t>(l3 + 16);
  p.fragment = (frame.load_be<uint16_t>(l3 + 6).host() & kFragmentBits) != 0;
  if (p.protocol == kIpProtocolVrrp) return punt(p, PuntClass::kVrrp);
  if (p.fragment || (p.protocol != kIpProtocolTcp && p.protocol != kIpProtocolUdp)) return punt(p, PuntClass::kBulk);
  return parse_transport(frame, p, ip_header, tagged);
}

}  // namespace

PuntClass punt_class_of_flow(const Parsed& p) noexcept {
  return class_of_ports(p.protocol, p.source_port.host(), p.destination_port.host());
}

Parsed parse_any(FrameView frame, MacWord our_mac) noexcept {
  Parsed p;
  if (!frame.covers(0, kEthernetHeader)) return drop(p, shortfall(frame, kEthernetHeader));
  p.unicast = our_mac.matches(frame.load<uint64_t>(0));
  const bool group = (frame.load<uint8_t>(0) & 1) != 0;
  if (!p.unicast && !group) return drop(p, DropReason::kNotForUs);

  uint32_t l3 = kEthernetHeader;
  bool tagged = frame.stripped_vlan_id() != 0;
  uint16_t ether_type = frame.load_be<uint16_t>(l3 - 2).host();
  if (ether_type == kEtherVlan) {
    if (!frame.covers(l3, 4)) return drop(p, shortfall(frame, l3 + 4));
    // VLAN id 0 is a priority tag (IEEE 802.1Q): the frame belongs to no VLAN, and counts as untagged.
    tagged = tagged || (frame.load_be<uint16_t>(l3).host() & 0x0fff) != 0;
    ether_type = frame.load_be<uint16_t>(l3 + 2).host();
    l3 += 4;
  }
  p.l3_offset = static_cast<uint8_t>(l3);
  switch (ether_type) {
    case kEtherArp: return punt(p, PuntClass::kControl);
    case kEtherIpv4: return parse_ipv4(frame, p, tagged);
    case kEtherIpv6: return punt(p, class_of_ipv6(frame, l3));
    case kEtherQinQ:
    default: return punt(p, PuntClass::kBulk);
  }
}

}  // namespace lbdp::dataplane
