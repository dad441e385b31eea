// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"

namespace lbdp::vrrp {

inline constexpr size_t kGarpFrameBytes = 42;  // without the padding that the driver adds
using GarpFrame = std::array<uint8_t, kGarpFrameBytes>;

/// A gratuitous ARP as an Ethernet frame: a broadcast ARP request with `address` (IPv4) as sender and target and the
/// target MAC ff:ff:ff:ff:ff:ff, as keepalived sends it (RFC 5227 section 3 would have zeros there; receivers look at
/// neither).
[[nodiscard]] GarpFrame build_garp(const MacAddress& sender, const IpAddress& address);

}  // namespace lbdp::vrrp
