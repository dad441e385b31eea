// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The reference model's ICMP errors, byte for byte, and how a frame leaves for a server.

#include <cstdint>
#include <optional>
#include <string>

#include "tests/packet/model/frame.h"

namespace lbdp::model {

/// A frame with an IPv4 packet, as it goes to a server, in pieces of at most `mtu` bytes of IP, and of 2,048 bytes in
/// all (RFC 791, 3.2). None: it cannot be cut, or its header's checksum is wrong.
[[nodiscard]] std::vector<Bytes> pieces_of(const Bytes& frame, size_t mtu);

/// "Port unreachable" if there is no `mtu`, else "packet too big". None if no error may be sent about this packet
/// (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)).
[[nodiscard]] std::optional<Bytes> icmp_reply(const Arrival& about, const Reading& reading, const std::string& our_mac,
                                              std::optional<unsigned> mtu);

/// The frame with other MAC addresses, on another VLAN (0: untagged). None: there is no room for the tag.
[[nodiscard]] std::optional<Bytes> sent_frame(const Arrival& arrival, const std::string& destination_mac,
                                              const std::string& source_mac, unsigned vlan);

}  // namespace lbdp::model
