// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The packet parser: a pure function from a frame's bytes to what the worker must know of it. No DPDK in here.

#include <smmintrin.h>

#include <cstdint>
#include <cstring>

#include "config/types/be.h"
#include "config/types/mac_address.h"
#include "dataplane/drop_reason.h"
#include "dataplane/punt_class.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

inline constexpr uint32_t kEthernetHeader = 14;
inline constexpr uint32_t kMinIpv4Header = 20;
inline constexpr uint32_t kMinTcpHeader = 20;
inline constexpr uint32_t kUdpHeader = 8;
inline constexpr uint32_t kSctpHeader = 12;
inline constexpr uint32_t kIpv6Header = 40;

inline constexpr uint8_t kIpProtocolIcmp = 1;
inline constexpr uint8_t kIpProtocolTcp = 6;
inline constexpr uint8_t kIpProtocolUdp = 17;
inline constexpr uint8_t kIpProtocolIcmpV6 = 58;
inline constexpr uint8_t kIpProtocolSctp = 132;

inline constexpr uint16_t kEtherIpv4 = 0x0800;
inline constexpr uint16_t kEtherIpv6 = 0x86dd;
inline constexpr uint16_t kEtherVlan = 0x8100;

/// TCP's flag bits, as in byte 13 of its header (RFC 9293).
inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpAck = 0x10;

/// A port's MAC as the low 48 bits of a word, in the byte order of a frame's first eight bytes.
class MacWord {
 public:
  MacWord() = default;
  explicit MacWord(const MacAddress& mac) { std::memcpy(&word_, mac.bytes.data(), mac.bytes.size()); }
  /// Does a frame that begins with these eight bytes go to this MAC?
  [[nodiscard]] bool matches(uint64_t first_eight) const { return difference(first_eight) == 0; }
  /// 0 if it does: for checks that join several differences into one branch.
  [[nodiscard]] uint64_t difference(uint64_t first_eight) const { return (first_eight ^ word_) << 16; }
  [[nodiscard]] uint64_t word() const { return word_; }

 private:
  uint64_t word_ = 0;
};

/// The one way to a frame's bytes. What lies behind the first segment reads as 0, so no offset can go wild; ask
/// covers() first wherever 0 is not good enough.
class FrameView {
 public:
  /// segment_length bytes at data; frame_length counts the segments behind it too. tag: the VLAN tag that the driver
  /// took out of the frame (TCI, host order), 0 for none.
  FrameView(const uint8_t* data, uint32_t segment_length, uint32_t frame_length, uint16_t tag)
      : data_(data), segment_length_(segment_length), frame_length_(frame_length), tag_(tag) {}

  [[nodiscard]] bool covers(uint32_t offset, uint32_t length) const {
    return uint64_t{offset} + length <= segment_length_;
  }
  /// In the byte order of the packet.
  template <class T>
  [[nodiscard]] T load(uint32_t offset) const {
    T value{};
    if (covers(offset, sizeof(T))) std::memcpy(&value, data_ + offset, sizeof(T));
    return value;
  }
  template <class T>
  [[nodiscard]] Be<T> load_be(uint32_t offset) const {
    return Be<T>::from_raw(load<T>(offset));
  }
  /// False, and nothing copied, if the range is not wholly in the first segment.
  bool copy(uint32_t offset, uint32_t length, uint8_t* to) const {
    if (!covers(offset, length)) return false;
    std::memcpy(to, data_ + offset, length);
    return true;
  }
  [[nodiscard]] uint32_t segment_length() const { return segment_length_; }
  [[nodiscard]] uint32_t frame_length() const { return frame_length_; }
  [[nodiscard]] uint16_t stripped_vlan_id() const { return tag_ & 0x0fff; }  // 0: untagged, or a priority tag

 private:
  const uint8_t* data_;
  uint32_t segment_length_;
  uint32_t frame_length_;
  uint16_t tag_;
};

enum class Verdict : uint8_t {
  kFlow,       // TCP, UDP or SCTP for our MAC, with its ports: a whole packet or a first fragment
  kFragment,   // a later fragment of one of these, as far as it can tell, for our MAC
  kIcmpError,  // an ICMP error, for our MAC, that may be about a flow: IPv4 types 3, 4 and 11, ICMPv6 1 to 4
  kPunt,       // not ours to forward: for the kernel
  kDrop,
};

enum class IpVersion : uint8_t { kNone, k4, k6 };

/// What the parser found. Addresses and ports in network order; the rest in host order.
struct Parsed {
  WideAddress source, destination;  // set if there is an IP header
  Be<uint16_t> source_port;
  Be<uint16_t> destination_port;
  uint32_t ip_length = 0;    // of the whole IP packet, its header included
  uint32_t fragment_id = 0;  // of a fragment
  uint16_t l3_offset = 0;
  uint32_t l4_offset = 0;  // behind all extension headers
  uint16_t vlan = 0;       // the VLAN id, in the frame or taken out of it; 0: untagged, or a priority tag
  uint8_t protocol = 0;    // behind all extension headers
  uint8_t flags = 0;       // TCP's flags; SCTP's event (sctp_state.h)
  IpVersion version = IpVersion::kNone;
  Verdict verdict = Verdict::kDrop;
  PuntClass punt_class = PuntClass::kBulk;
  DropReason drop_reason = DropReason::kNotForUs;
  bool unicast = false;         // the frame goes to our port's MAC
  bool first_fragment = false;  // and more are to come
  bool dont_fragment = false;   // IPv4's DF; always for IPv6

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

/// Every frame, in full generality. A frame that arrived on a port whose MAC is `our_mac`.
[[nodiscard]] Parsed parse(FrameView frame, MacWord our_mac) noexcept;

/// What the worker must know of the plainest frames: untagged IPv4 without options, no fragment, TCP or UDP, to our
/// MAC. Whole words: fields that the compiler would spill and read back in another width cost a stall each.
struct PlainFlow {
  uint64_t addresses = 0;  // source and destination as they lie in the packet
  uint32_t ports = 0;      // the same of the ports
  uint32_t ip_length = 0;
  uint32_t protocol = 0;  // 0: the frame is not of this kind; parse() it
  uint32_t tcp_flags = 0;

  [[nodiscard]] Be<uint32_t> source() const { return Be<uint32_t>::from_raw(static_cast<uint32_t>(addresses)); }
  [[nodiscard]] Be<uint32_t> destination() const {
    return Be<uint32_t>::from_raw(static_cast<uint32_t>(addresses >> 32));
  }
  [[nodiscard]] Be<uint16_t> source_port() const { return Be<uint16_t>::from_raw(static_cast<uint16_t>(ports)); }
  [[nodiscard]] Be<uint16_t> destination_port() const {
    return Be<uint16_t>::from_raw(static_cast<uint16_t>(ports >> 16));
  }
};

/// The short cut that nearly all frames take; says the same as parse() wherever it says anything.
[[nodiscard]] inline PlainFlow parse_plain(FrameView frame, MacWord our_mac) noexcept {
  constexpr uint32_t kIp = kEthernetHeader, kL4 = kIp + kMinIpv4Header, kEnd = kL4 + kMinTcpHeader;
  if (!frame.covers(0, kEnd)) [[unlikely]]
    return {};
  // In one comparison: our MAC, and IPv4 with a 20-byte header behind its EtherType (bytes 12 to 14).
  const __m128i wanted = _mm_set_epi64x(0x0045000800000000, static_cast<int64_t>(our_mac.word()));
  const __m128i mask = _mm_set_epi64x(0x00ffffff00000000, 0x0000ffffffffffff);
  const __m128i difference = _mm_xor_si128(frame.load<__m128i>(0), wanted);
  // The IP header's bytes 2 to 9: length, identification, flags and offset, TTL, protocol.
  const auto rest = frame.load<uint64_t>(kIp + 2);
  constexpr uint64_t kFragment = uint64_t{0xff3f} << 32;  // more are to come, or an offset; in the packet's order
  if (_mm_testz_si128(difference, mask) == 0 || (rest & kFragment) != 0 || frame.stripped_vlan_id() != 0) [[unlikely]]
    return {};
  const auto protocol = static_cast<uint32_t>(rest >> 56);
  const uint32_t ip_length = Be<uint16_t>::from_raw(static_cast<uint16_t>(rest)).host();
  if (ip_length > frame.frame_length() - kIp) [[unlikely]]
    return {};
  const auto addresses = frame.load<uint64_t>(kIp + 12);
  const auto ports = frame.load<uint32_t>(kL4);
  if (protocol == kIpProtocolUdp && ip_length >= kMinIpv4Header + kUdpHeader)
    return {addresses, ports, ip_length, kIpProtocolUdp, 0};
  if (protocol == kIpProtocolTcp && ip_length >= kMinIpv4Header + kMinTcpHeader)
    return {addresses, ports, ip_length, kIpProtocolTcp, frame.load<uint8_t>(kL4 + 13)};
  return {};
}

/// The class of a TCP, UDP or SCTP packet that goes to the kernel after all.
[[nodiscard]] PuntClass punt_class_of_flow(const Parsed& parsed) noexcept;

/// Do packets of this protocol have the ports by which flows are known?
[[nodiscard]] constexpr bool has_ports(uint8_t protocol) {
  return protocol == kIpProtocolTcp || protocol == kIpProtocolUdp || protocol == kIpProtocolSctp;
}

/// May this TCP segment open a connection? Only SYN without ACK, FIN and RST does.
[[nodiscard]] constexpr bool opens_connection(uint8_t tcp_flags) {
  return (tcp_flags & (kTcpSyn | kTcpAck | kTcpFin | kTcpRst)) == kTcpSyn;
}

}  // namespace lbdp::dataplane
