// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// ICMP errors about connections that we forward: they go to the real server, whose path-MTU discovery depends on them.

#include <cstdint>
#include <optional>

#include "config/types/be.h"
#include "dataplane/internet_checksum.h"
#include "dataplane/ip_place.h"
#include "dataplane/packet.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

/// The connection that an ICMP error is about. The packet it quotes is one that a real server sent: from the virtual
/// address to the client.
struct QuotedFlow {
  WideAddress client;
  WideAddress virtual_address;
  Be<uint16_t> client_port;
  Be<uint16_t> virtual_port;
  uint8_t protocol = 0;  // TCP, UDP or SCTP

  friend bool operator==(const QuotedFlow&, const QuotedFlow&) = default;
};

/// What connection an ICMP packet, not a fragment, is an error about. None, if it is no such error:
/// - types that IPVS relates to connections: ICMP 3, 4 and 11 (RFC 792), ICMPv6 1 to 4 (RFC 4443), any code;
/// - the quote is of the same family, a first fragment or none, of TCP, UDP or SCTP, and reaches over the ports;
/// - it was sent by the address that the error goes to.
/// Lengths and checksums inside the quote mean nothing: routers cut it, and change what they quote.
[[nodiscard]] std::optional<QuotedFlow> parse_icmp_error(FrameView frame, IpPlace place) noexcept;

/// Bytes of the ICMP message, as the IP header says; 0 if it says nonsense.
[[nodiscard]] uint32_t icmp_message_length(FrameView frame, IpPlace place) noexcept;

enum class ChecksumVerdict : uint8_t {
  kGood,
  kBad,
  kUnknown,  // the message goes on behind the first segment
};

/// Is the checksum of an ICMP message right?
[[nodiscard]] ChecksumVerdict check_icmp_checksum(FrameView frame, IpPlace place) noexcept;

/// What ICMP's checksum covers apart from the message: nothing, or IPv6's pseudo-header (RFC 8200, section 8.1). For
/// callers that add the message segment by segment, icmp_message_length() bytes of it, and ask good().
[[nodiscard]] InternetSum icmp_pseudo_header_sum(FrameView frame, IpPlace place) noexcept;

}  // namespace lbdp::dataplane
