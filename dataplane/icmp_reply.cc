// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/icmp_reply.h"

#include <algorithm>
#include <array>

namespace lbdp::dataplane {
namespace {

constexpr uint32_t kIcmpHeader = 8;
constexpr uint32_t kMaxQuote = kMaxIcmpReply - kEthernetHeader - kMinIpv4Header - kIcmpHeader;
constexpr uint8_t kDestinationUnreachable = 3, kPortUnreachable = 3;
constexpr uint8_t kInternetworkControl = 0xc0;  // the TOS of ICMP errors: RFC 1812, 4.3.2.5
constexpr uint8_t kTtl = 64;

// Unspecified, "this network", loopback, multicast, reserved and broadcast addresses name no one host.
bool names_one_host(Be<uint32_t> address) {
  const uint32_t first = address.host() >> 24;
  return first != 0 && first != 127 && first < 224;
}

template <class T>
void store(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}
void store16(uint8_t* to, uint32_t host) {
  store(to, Be<uint16_t>::from_host(static_cast<uint16_t>(host)).raw());
}

void write_ip_header(uint8_t* ip, const Parsed& original, uint32_t length) {
  std::fill_n(ip, kMinIpv4Header, uint8_t{0});
  ip[0] = 0x45;
  ip[1] = kInternetworkControl;
  store16(ip + 2, length);
  store16(ip + 6, 0x4000);  // DF: so the identification may stay 0 (RFC 6864)
  ip[8] = kTtl;
  ip[9] = kIpProtocolIcmp;
  store(ip + 12, original.destination.raw());
  store(ip + 16, original.source.raw());
  store(ip + 10, internet_checksum({ip, kMinIpv4Header}).raw());
}

}  // namespace

uint32_t build_port_unreachable(FrameView frame, const Parsed& parsed, const MacAddress& our_mac,
                                std::span<uint8_t, kMaxIcmpReply> out) noexcept {
  if (!parsed.is_ipv4 || parsed.l3_offset >= frame.segment_length() || !names_one_host(parsed.source)) return 0;
  const uint32_t quote = std::min({uint32_t{parsed.ip_length}, kMaxQuote, frame.segment_length() - parsed.l3_offset});
  uint8_t* const ip = out.data() + kEthernetHeader;
  uint8_t* const icmp = ip + kMinIpv4Header;
  if (!frame.copy(6, 6, out.data()) || (out[0] & 1) != 0) return 0;  // a group MAC is nobody's own
  std::copy(our_mac.bytes.begin(), our_mac.bytes.end(), out.data() + 6);
  store16(out.data() + 12, 0x0800);
  if (!frame.copy(parsed.l3_offset, quote, icmp + kIcmpHeader)) return 0;
  std::fill_n(icmp, kIcmpHeader, uint8_t{0});
  icmp[0] = kDestinationUnreachable;
  icmp[1] = kPortUnreachable;
  store(icmp + 2, internet_checksum({icmp, kIcmpHeader + quote}).raw());
  write_ip_header(ip, parsed, kMinIpv4Header + kIcmpHeader + quote);
  return kEthernetHeader + kMinIpv4Header + kIcmpHeader + quote;
}

}  // namespace lbdp::dataplane
