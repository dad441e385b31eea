// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Packets of both families piece by piece, each piece a string of bytes: what Frame (frames.h) has no words for.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/packet/support/frames.h"

namespace lbdp::packet_tests {

struct Ipv4Fields {
  uint16_t id = 0;
  uint16_t fragment_field = 0;  // flags and offset, as they lie in the header
  Bytes options = {};           // a multiple of four
};
/// With the header's checksum.
[[nodiscard]] Bytes ipv4_packet(const std::string& source, const std::string& destination, uint8_t protocol,
                                const Bytes& payload, const Ipv4Fields& fields = {});

/// An extension header of IPv6; `body` is all behind its first byte, which names the header after it.
struct ExtensionHeader {
  uint8_t type = 0;
  Bytes body;
};
/// Hop-by-hop options, destination options, and a routing header without segments left: 8 * units bytes.
[[nodiscard]] ExtensionHeader padding_header(uint8_t type, unsigned units = 1);
/// `offset` in bytes, a multiple of 8.
[[nodiscard]] ExtensionHeader fragment_header(uint32_t id, unsigned offset, bool more);
[[nodiscard]] Bytes ipv6_packet(const std::string& source, const std::string& destination,
                                const std::vector<ExtensionHeader>& extensions, uint8_t protocol, const Bytes& payload);

// Transport, without checksums: they are not the director's business.
[[nodiscard]] Bytes tcp_segment(uint16_t source_port, uint16_t destination_port, uint8_t flags, size_t payload = 0);
[[nodiscard]] Bytes udp_datagram(uint16_t source_port, uint16_t destination_port, size_t payload = 0);
/// A chunk of four bytes each.
[[nodiscard]] Bytes sctp_packet(uint16_t source_port, uint16_t destination_port, const Bytes& chunk_types);

/// ICMP errors about the packet that they quote, with their checksums.
[[nodiscard]] Bytes icmp_error(uint8_t type, uint8_t code, const Bytes& quote);
[[nodiscard]] Bytes icmp6_error(const std::string& source, const std::string& destination, uint8_t type, uint8_t code,
                                const Bytes& quote);

struct EthernetFields {
  std::string destination = "02:00:00:00:00:a0";  // port 0
  std::string source = "02:00:00:00:00:c1";       // the client
  std::vector<uint16_t> tags = {};                // TCIs of 802.1Q tags, the outermost first
  size_t pad_to = 60;
};
/// The EtherType is that of the packet's version.
[[nodiscard]] Bytes frame_of(const Bytes& ip_packet, const EthernetFields& fields = {});

}  // namespace lbdp::packet_tests
