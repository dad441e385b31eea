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

enum class IcmpErrorKind : uint8_t { kPortUnreachable, kTooBig };
struct IcmpErrorInput { Parsed p; };
inline IcmpErrorInput icmp_error_input(const Parsed& p) { return {p}; }
uint32_t build_icmp_error(FrameView frame, const IcmpErrorInput& in, IcmpErrorKind kind, uint32_t mtu, const MacAddress& our_mac, std::span<uint8_t, kMaxIcmpReply> out) noexcept;

/// Writes an ICMP port unreachable (type 3, code 3; RFC 792) from the frame's destination to its source, quoting the
/// frame as far as it fits, to the MAC that the frame came from. Returns the reply's length; 0 if none is due: RFC
/// 1122, 3.2.2, forbids errors to addresses that do not name one host.
[[nodiscard]] uint32_t build_port_unreachable(FrameView frame, const Parsed& parsed, const MacAddress& our_mac,
                                              std::span<uint8_t, kMaxIcmpReply> out) noexcept;

}  // namespace lbdp::dataplane
