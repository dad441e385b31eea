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

inline constexpr size_t kNeighbourAdvertisementBytes = 14 + 40 + 24 + 8;
using NeighbourAdvertisement = std::array<uint8_t, kNeighbourAdvertisementBytes>;

/// An unsolicited neighbour advertisement (RFC 4861 section 7.2.6) as an Ethernet frame: from `address` (IPv6) to all
/// nodes, hop limit 255, with the Override flag, the Router flag if `router`, and the target's link-layer address.
[[nodiscard]] NeighbourAdvertisement build_neighbour_advertisement(const MacAddress& sender, const IpAddress& address,
                                                                   bool router);

}  // namespace lbdp::vrrp
