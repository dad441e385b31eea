// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/mac_address.h"
#include "tests/packet/support/checksums.h"

namespace lbdp::packet_tests {

using Bytes = std::vector<uint8_t>;

/// An IPv6 extension header (RFC 8200, section 4): what stands in it behind the bytes for next header and length.
/// Filled up to whole units with zeros, which are options of one byte.
struct Extension {
  uint8_t type = 0;
  Bytes body = {};
};
inline constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragmentHeader = 44, kAuthentication = 51, kNoNextHeader = 59,
                         kDestinationOptions = 60;

/// Which bytes of a datagram a fragment carries, counted behind the headers that every fragment has.
struct Piece {
  size_t offset = 0;
  size_t length = 0;
  bool more = false;
};

/// A frame in words; bytes() writes it out, with right lengths and checksums unless told otherwise. IPv6 if `src` is an
/// IPv6 address.
struct Frame {
  std::string dst_mac = "02:00:00:00:00:a0";  // port 0
  std::string src_mac = "02:00:00:00:00:c1";  // the client
  std::optional<uint16_t> vlan_tci;
  std::optional<uint16_t> ether_type;  // default: the IP version's
  std::string src = "10.0.0.1";
  std::string dst = "192.0.2.10";
  uint8_t protocol = 6;
  uint16_t sport = 40000;
  uint16_t dport = 80;
  uint8_t tcp_flags = 0x02;
  std::string payload;  // behind the ports' header, if the protocol has one: of SCTP the chunks, of ICMP all
  Bytes ip_options;     // IPv4; padded to a multiple of four by the caller
  std::vector<Extension> extensions;        // IPv6; every fragment has them
  std::vector<Extension> inner_extensions;  // IPv6; they belong to the datagram that is cut
  uint8_t tos = 0;
  uint8_t ttl = 64;
  uint32_t id = 0x1234;         // of the datagram's fragments; IPv6 has it only in them
  uint16_t fragment_field = 0;  // IPv4's flags and offset; IPv4's `piece` is added to it
  std::optional<Piece> piece;
  size_t pad_to = 60;  // Ethernet's minimum, without FCS
  uint8_t pad_byte = 0;
  std::optional<uint8_t> version_ihl;    // the IP header's first byte
  std::optional<uint16_t> total_length;  // IPv6: the payload's length
  bool wrong_checksums = false;
  std::optional<size_t> cut_to;  // the frame ends here

  [[nodiscard]] bool is_v6() const { return src.find(':') != std::string::npos; }
  [[nodiscard]] Bytes bytes() const;
  /// The IP packet alone.
  [[nodiscard]] Bytes ip_packet() const;
  /// What fragments share out: the transport header and its payload, behind IPv6's inner extension headers.
  [[nodiscard]] Bytes datagram() const;
};

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;
inline constexpr uint8_t kInitChunk = 1, kDataChunk = 0, kAbortChunk = 6, kShutdownChunk = 7, kCookieEchoChunk = 10;
inline constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kSctp = 132;

/// To the tests' VIPs: 192.0.2.10, or 2001:db8::10 from IPv6 clients; port 80, UDP 53, SCTP 3868.
[[nodiscard]] Frame tcp(const std::string& client, uint16_t port, uint8_t flags);
[[nodiscard]] Frame udp(const std::string& client, uint16_t port);
[[nodiscard]] Frame sctp(const std::string& client, uint16_t port, uint8_t chunk_type);

/// The frame's datagram in fragments of so many bytes, a multiple of eight.
[[nodiscard]] std::vector<Frame> fragments_of(const Frame& frame, size_t bytes);

/// What the server answers to this frame: addresses and ports the other way round.
[[nodiscard]] Frame answer_to(const Frame& frame);
/// An ICMP error from `router` about this packet, to who sent the packet; it quotes so many bytes of it. ICMPv6 to IPv6
/// packets. `rest`: the four bytes in front of the quote (RFC 792, RFC 4443).
[[nodiscard]] Frame icmp_error(const std::string& router, uint8_t type, uint8_t code, const Frame& about,
                               size_t quoted = SIZE_MAX, uint32_t rest = 0);

/// An Ethernet frame with this EtherType and payload.
[[nodiscard]] Bytes ethernet(const std::string& dst_mac, uint16_t ether_type, const Bytes& payload);
[[nodiscard]] MacAddress mac(const std::string& text);
/// An untagged frame with this tag put in, and a tagged one without its tag.
[[nodiscard]] Bytes with_tag(const Bytes& frame, uint16_t tci);
[[nodiscard]] Bytes without_tag(const Bytes& frame);
[[nodiscard]] std::string hex(const Bytes& bytes);

}  // namespace lbdp::packet_tests
