// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/icmp_reply.h"

#include <algorithm>
#include <array>

#include "dataplane/internet_checksum.h"

namespace lbdp::dataplane {
namespace {

constexpr uint32_t kTagBytes = 4, kIp4Bytes = 20, kIp6Bytes = 40, kIcmpBytes = 8;
constexpr uint32_t kMaxIp4 = 576, kMaxIp6 = 1280;
constexpr uint16_t kMinMtu4 = 68, kMinMtu6 = 1280;  // RFC 791; RFC 8200, section 5
constexpr uint16_t kTypeIp4 = 0x0800, kTypeIp6 = 0x86dd, kTypeVlan = 0x8100;
constexpr uint16_t kDontFragment = 0x4000;
constexpr uint8_t kIcmp4 = 1, kIcmp6 = 58;
constexpr uint8_t kInternetworkControl = 0xc0;  // the TOS of ICMP errors: RFC 1812, 4.3.2.5
constexpr uint8_t kTtl = 64;

template <class T>
void store(uint8_t* to, T host) {
  const T raw = Be<T>::from_host(host).raw();
  std::memcpy(to, &raw, sizeof(T));
}

// Unspecified, "this network", loopback, multicast, reserved and broadcast addresses name no one host.
bool names_one_host_v4(FrameView frame, uint32_t offset) {
  const auto first = frame.load<uint8_t>(offset);
  return first != 0 && first != 127 && first < 224;
}

// Nor do multicast, ::/96 with :: and ::1 in it, and IPv4-mapped addresses.
bool names_one_host_v6(FrameView frame, uint32_t offset) {
  const auto first = frame.load<uint64_t>(offset);
  const auto third = frame.load_be<uint32_t>(offset + 8).host();
  return frame.load<uint8_t>(offset) != 0xff && !(first == 0 && (third == 0 || third == 0xffff));
}

// Only what is known to ask, or to answer, may be replied to.
bool is_icmp_query(FrameView frame, const IcmpErrorInput& in) {
  const uint32_t at = in.place.l4_offset;
  if (!frame.covers(at, 1)) return false;
  const auto type = frame.load<uint8_t>(at);
  if (in.place.is_v6) return type >= 128 && type != 137;  // 137: redirect
  return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

// Bytes of the packet, as its header says; 0 if it is none of which one may complain.
uint32_t packet_to_answer(FrameView frame, const IcmpErrorInput& in) {
  const auto [l3, l4, is_v6] = in.place;
  const uint32_t header = is_v6 ? kIp6Bytes : kIp4Bytes;
  if (!frame.covers(l3, header) || in.later_fragment) return 0;
  if (in.protocol == (is_v6 ? kIcmp6 : kIcmp4) && !is_icmp_query(frame, in)) return 0;
  const bool hosts = is_v6 ? names_one_host_v6(frame, l3 + 8) && names_one_host_v6(frame, l3 + 24)
                           : names_one_host_v4(frame, l3 + 12) && names_one_host_v4(frame, l3 + 16);
  const bool may_be_fragmented = !is_v6 && (frame.load_be<uint16_t>(l3 + 6).host() & kDontFragment) == 0;
  if (!hosts || (in.kind == IcmpErrorKind::kPacketTooBig && may_be_fragmented)) return 0;
  const uint32_t length =
      is_v6 ? kIp6Bytes + frame.load_be<uint16_t>(l3 + 4).host() : uint32_t{frame.load_be<uint16_t>(l3 + 2).host()};
  return length >= header && length <= frame.frame_length() - l3 ? length : 0;
}

// Back to where the frame came from. Returns the header's length; 0 if that is no one station, or the frame was not for
// one, or there is more in front of IP than one tag. A priority tag belongs to no VLAN, and is not given back.
uint32_t write_ethernet(uint8_t* out, FrameView frame, const IpPlace& place, const MacAddress& our_mac) {
  const uint32_t l3 = place.l3_offset;
  const bool tagged = l3 == kEthernetHeader + kTagBytes && frame.load_be<uint16_t>(12).host() == kTypeVlan;
  if ((!tagged && l3 != kEthernetHeader) || (frame.load<uint8_t>(0) & 1) != 0) return 0;
  if (!frame.copy(6, 6, out) || (out[0] & 1) != 0) return 0;
  std::copy(our_mac.bytes.begin(), our_mac.bytes.end(), out + 6);
  uint8_t* type = out + 12;
  if (tagged && (frame.load_be<uint16_t>(14).host() & 0x0fff) != 0) {
    frame.copy(12, kTagBytes, type);
    type += kTagBytes;
  }
  store<uint16_t>(type, place.is_v6 ? kTypeIp6 : kTypeIp4);
  return static_cast<uint32_t>(type + 2 - out);
}

void write_ip4(uint8_t* ip, FrameView frame, uint32_t l3, uint32_t payload) {
  std::fill_n(ip, kIp4Bytes, uint8_t{0});
  ip[0] = 0x45;
  ip[1] = kInternetworkControl;
  store(ip + 2, static_cast<uint16_t>(kIp4Bytes + payload));
  store(ip + 6, kDontFragment);  // so the identification may stay 0 (RFC 6864)
  ip[8] = kTtl;
  ip[9] = kIcmp4;
  frame.copy(l3 + 16, 4, ip + 12);
  frame.copy(l3 + 12, 4, ip + 16);
  store(ip + 10, internet_checksum({ip, kIp4Bytes}).host());
}

void write_ip6(uint8_t* ip, FrameView frame, uint32_t l3, uint32_t payload) {
  std::fill_n(ip, kIp6Bytes, uint8_t{0});
  ip[0] = 0x60;
  store(ip + 4, static_cast<uint16_t>(payload));
  ip[6] = kIcmp6;
  ip[7] = kTtl;
  frame.copy(l3 + 24, 16, ip + 8);
  frame.copy(l3 + 8, 16, ip + 24);
}

// All but the checksum.
void write_icmp_header(uint8_t* icmp, const IcmpErrorInput& in) {
  std::fill_n(icmp, kIcmpBytes, uint8_t{0});
  const bool too_big = in.kind == IcmpErrorKind::kPacketTooBig;
  if (in.place.is_v6) {
    icmp[0] = too_big ? 2 : 1;
    icmp[1] = too_big ? 0 : 4;
    if (too_big) store<uint32_t>(icmp + 4, std::max(in.mtu, kMinMtu6));
  } else {
    icmp[0] = 3;
    icmp[1] = too_big ? 4 : 3;
    if (too_big) store(icmp + 6, std::max(in.mtu, kMinMtu4));
  }
}

}  // namespace

uint32_t build_icmp_error(FrameView frame, const IcmpErrorInput& input, const MacAddress& our_mac,
                          std::span<uint8_t, kMaxIcmpReply> out) noexcept {
  const bool is_v6 = input.place.is_v6;
  const uint32_t l3 = input.place.l3_offset, packet = packet_to_answer(frame, input);
  const uint32_t ethernet = packet == 0 ? 0 : write_ethernet(out.data(), frame, input.place, our_mac);
  if (ethernet == 0) return 0;
  const uint32_t ip_header = is_v6 ? kIp6Bytes : kIp4Bytes;
  const uint32_t room = (is_v6 ? kMaxIp6 : kMaxIp4) - ip_header - kIcmpBytes;
  const uint32_t quote = std::min({packet, room, frame.segment_length() - l3});
  uint8_t* const ip = out.data() + ethernet;
  uint8_t* const icmp = ip + ip_header;
  write_icmp_header(icmp, input);
  frame.copy(l3, quote, icmp + kIcmpBytes);
  const uint32_t message = kIcmpBytes + quote;
  InternetSum sum;
  if (is_v6) {
    write_ip6(ip, frame, l3, message);
    sum.add({ip + 8, 32});  // the pseudo-header: RFC 8200, section 8.1
    sum.add(Be<uint32_t>::from_host(message));
    sum.add(Be<uint32_t>::from_host(kIcmp6));
  } else {
    write_ip4(ip, frame, l3, message);
  }
  sum.add({icmp, message});
  store(icmp + 2, sum.checksum().host());
  return ethernet + ip_header + message;
}

}  // namespace lbdp::dataplane
