// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>

#include "config/types/mac_address.h"
#include "dataplane/internet_checksum.h"
#include "dataplane/packet.h"

namespace lbdp::dataplane {

/// The longest frame that build_port_unreachable() makes: 576 bytes of IP (RFC 1812, 4.3.2.3) behind Ethernet.
inline constexpr uint32_t kMaxIcmpReply = kEthernetHeader + 576;

/// Writes an ICMP port unreachable (type 3, code 3; RFC 792) from the frame's destination to its source, quoting the
/// frame as far as it fits, to the MAC that the frame came from. Returns the reply's length; 0 if none is due: RFC
/// 1122, 3.2.2, forbids errors to addresses that do not name one host.
[[nodiscard]] uint32_t build_port_unreachable(FrameView frame, const Parsed& parsed, const MacAddress& our_mac,
                                              std::span<uint8_t, kMaxIcmpReply> out) noexcept;

}  // namespace lbdp::dataplane
