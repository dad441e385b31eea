// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/packet.h"

#include <array>

#include "dataplane/sctp_state.h"

namespace lbdp::dataplane {
namespace {

constexpr uint16_t kEtherArp = 0x0806;
constexpr uint8_t kIpProtocolVrrp = 112;
constexpr uint16_t kBgpPort = 179;
constexpr uint16_t kBfdPort = 3784, kBfdEchoPort = 3785, kBfdMultihopPort = 4784;
constexpr uint16_t kMoreFragments = 0x2000, kDontFragment = 0x4000, kOffsetBits = 0x1fff;

// IPv6's extension headers (RFC 8200). More than this many in a packet are nobody's honest traffic.
constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragmentHeader = 44, kAuthentication = 51, kDestinationOptions = 60;
constexpr unsigned kMostExtensionHeaders = 8;

bool has_options(uint8_t type) {
  return type == kHopByHop || type == kRouting || type == kDestinationOptions;
}

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

uint32_t transport_header(uint8_t protocol) {
  return protocol == kIpProtocolTcp ? kMinTcpHeader : protocol == kIpProtocolUdp ? kUdpHeader : kSctpHeader;
}

// Behind a sound IP header; `end` is where the IP packet ends. `p` holds what the headers before said.
Parsed parse_transport(FrameView frame, Parsed p, uint32_t end) {
  const uint32_t l4 = p.l4_offset, needed = transport_header(p.protocol);
  if (l4 + needed > end) return drop(p, DropReason::kTruncated);
  if (!frame.covers(l4, needed)) return drop(p, shortfall(frame, l4 + needed));
  p.source_port = frame.load_be<uint16_t>(l4);
  p.destination_port = frame.load_be<uint16_t>(l4 + 2);
  if (p.protocol == kIpProtocolTcp) p.flags = frame.load<uint8_t>(l4 + 13);
  if (p.protocol == kIpProtocolSctp)
    p.flags = static_cast<uint8_t>(sctp_event(frame, l4, end).value_or(SctpEvent::kData));
  if (!p.unicast) return punt(p, punt_class_of_flow(p));
  p.verdict = Verdict::kFlow;
  return p;
}

Parsed parse_icmp(FrameView frame, Parsed p) {
  const auto type = frame.load<uint8_t>(p.l4_offset);
  if (p.version == IpVersion::k4) {
    p.verdict = Verdict::kIcmpError;
    return p.unicast && (type == 3 || type == 4 || type == 11) ? p : punt(p, PuntClass::kBulk);  // RFC 792
  }
  if (type >= 133 && type <= 137) return punt(p, PuntClass::kControl);  // RFC 4861: RS RA NS NA redirect
  if (!p.unicast || type < 1 || type > 4) return punt(p, PuntClass::kBulk);
  p.verdict = Verdict::kIcmpError;  // RFC 4443
  return p;
}

// What follows the IP headers. `fragment_offset` is not 0 for later fragments.
Parsed parse_payload(FrameView frame, Parsed p, uint32_t end, bool later_fragment) {
  if (p.protocol == kIpProtocolVrrp) return punt(p, PuntClass::kVrrp);
  if (later_fragment) {
    // Extension headers that belong to what was cut stand in the first fragment only: who knows what is behind them.
    const bool unknown = p.version == IpVersion::k6 && (has_options(p.protocol) || p.protocol == kAuthentication);
    if (!p.unicast || !(has_ports(p.protocol) || unknown)) return punt(p, PuntClass::kBulk);
    p.verdict = Verdict::kFragment;
    return p;
  }
  if (has_ports(p.protocol)) return parse_transport(frame, p, end);
  const bool icmp = p.protocol == (p.version == IpVersion::k4 ? kIpProtocolIcmp : kIpProtocolIcmpV6);
  if (icmp && !p.first_fragment && p.l4_offset < end) return parse_icmp(frame, p);
  return punt(p, PuntClass::kBulk);
}

Parsed parse_ipv4(FrameView frame, Parsed p) {
  const uint32_t l3 = p.l3_offset;
  if (!frame.covers(l3, kMinIpv4Header)) return drop(p, shortfall(frame, l3 + kMinIpv4Header));
  const auto version_ihl = frame.load<uint8_t>(l3);
  const uint32_t ip_header = (version_ihl & 0x0fU) * 4U;
  if (version_ihl >> 4 != 4 || ip_header < kMinIpv4Header) return drop(p, DropReason::kBadIpHeader);
  if (!frame.covers(l3, ip_header)) return drop(p, shortfall(frame, l3 + ip_header));
  p.ip_length = frame.load_be<uint16_t>(l3 + 2).host();
  if (p.ip_length < ip_header || p.ip_length > frame.frame_length() - l3) return drop(p, DropReason::kBadIpLength);
  p.version = IpVersion::k4;
  p.protocol = frame.load<uint8_t>(l3 + 9);
  p.source = WideAddress::from_v4(frame.load_be<uint32_t>(l3 + 12));
  p.destination = WideAddress::from_v4(frame.load_be<uint32_t>(l3 + 16));
  p.l4_offset = l3 + ip_header;
  const uint16_t fragment = frame.load_be<uint16_t>(l3 + 6).host();
  const bool later = (fragment & kOffsetBits) != 0;
  p.dont_fragment = (fragment & kDontFragment) != 0;
  p.first_fragment = !later && (fragment & kMoreFragments) != 0;
  if (later || p.first_fragment) p.fragment_id = frame.load_be<uint16_t>(l3 + 4).host();
  return parse_payload(frame, p, l3 + p.ip_length, later);
}

// Follows IPv6's extension headers from p.l4_offset on.
Parsed parse_extensions(FrameView frame, Parsed p, uint32_t end) {
  bool later = false;
  for (unsigned headers = 0; headers <= kMostExtensionHeaders && !later; ++headers) {
    const uint8_t type = p.protocol;
    const uint32_t at = p.l4_offset;
    const bool options = has_options(type);
    if (!options && type != kFragmentHeader && type != kAuthentication) return parse_payload(frame, p, end, false);
    if (at + 8 > end) return drop(p, DropReason::kTruncated);
    if (!frame.covers(at, 8)) return drop(p, shortfall(frame, at + 8));
    const uint32_t units = frame.load<uint8_t>(at + 1);
    const uint32_t length = options ? (units + 1) * 8 : type == kAuthentication ? (units + 2) * 4 : 8;
    if (type == kFragmentHeader) {
      const uint16_t field = frame.load_be<uint16_t>(at + 2).host();  // offset in the upper 13 bits, M in the lowest
      later = field >> 3 != 0;
      p.first_fragment = !later && (field & 1) != 0;
      if (later || p.first_fragment) p.fragment_id = frame.load_be<uint32_t>(at + 4).host();
    }
    p.protocol = frame.load<uint8_t>(at);
    if (at + length > end) return drop(p, DropReason::kTruncated);
    p.l4_offset = at + length;
  }
  if (later) return parse_payload(frame, p, end, true);
  return drop(p, DropReason::kBadIpHeader);
}

Parsed parse_ipv6(FrameView frame, Parsed p) {
  const uint32_t l3 = p.l3_offset;
  if (!frame.covers(l3, kIpv6Header)) return drop(p, shortfall(frame, l3 + kIpv6Header));
  if (frame.load<uint8_t>(l3) >> 4 != 6) return drop(p, DropReason::kBadIpHeader);
  p.ip_length = kIpv6Header + frame.load_be<uint16_t>(l3 + 4).host();
  if (p.ip_length > frame.frame_length() - l3) return drop(p, DropReason::kBadIpLength);
  p.version = IpVersion::k6;
  p.dont_fragment = true;
  p.protocol = frame.load<uint8_t>(l3 + 6);
  std::array<uint8_t, 32> addresses;
  if (!frame.copy(l3 + 8, 32, addresses.data())) return drop(p, DropReason::kTruncated);
  p.source = WideAddress::from_bytes(addresses.data());
  p.destination = WideAddress::from_bytes(addresses.data() + 16);
  // IPv4-mapped addresses are for no wire (RFC 4291, 2.5.5.2), and would be taken for IPv4's virtual servers here.
  if (p.source.is_v4() || p.destination.is_v4()) return drop(p, DropReason::kBadIpHeader);
  p.l4_offset = l3 + kIpv6Header;
  return parse_extensions(frame, p, l3 + p.ip_length);
}

}  // namespace

PuntClass punt_class_of_flow(const Parsed& p) noexcept {
  return class_of_ports(p.protocol, p.source_port.host(), p.destination_port.host());
}

Parsed parse(FrameView frame, MacWord our_mac) noexcept {
  Parsed p;
  if (!frame.covers(0, kEthernetHeader)) return drop(p, shortfall(frame, kEthernetHeader));
  p.unicast = our_mac.matches(frame.load<uint64_t>(0));
  const bool group = (frame.load<uint8_t>(0) & 1) != 0;
  if (!p.unicast && !group) return drop(p, DropReason::kNotForUs);

  uint32_t l3 = kEthernetHeader;
  p.vlan = frame.stripped_vlan_id();
  uint16_t ether_type = frame.load_be<uint16_t>(l3 - 2).host();
  if (ether_type == kEtherVlan) {
    if (!frame.covers(l3, 4)) return drop(p, shortfall(frame, l3 + 4));
    // VLAN id 0 is a priority tag (IEEE 802.1Q): the frame belongs to no VLAN, and counts as untagged.
    const auto id = static_cast<uint16_t>(frame.load_be<uint16_t>(l3).host() & 0x0fff);
    if (p.vlan != 0) return punt(p, PuntClass::kBulk);  // one tag taken out, another inside: no VLAN of ours
    p.vlan = id;
    ether_type = frame.load_be<uint16_t>(l3 + 2).host();
    l3 += 4;
  }
  p.l3_offset = static_cast<uint16_t>(l3);
  switch (ether_type) {
    case kEtherArp: return punt(p, PuntClass::kControl);
    case kEtherIpv4: return parse_ipv4(frame, p);
    case kEtherIpv6: return parse_ipv6(frame, p);
    default: return punt(p, PuntClass::kBulk);
  }
}

}  // namespace lbdp::dataplane
