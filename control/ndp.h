// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"
#include "control/neighbour_protocol.h"

namespace lbdp::control {

enum class NdpType : uint8_t { kSolicitation = 135, kAdvertisement = 136 };

/// A neighbour solicitation or advertisement on Ethernet (RFC 4861 sections 4.3 and 4.4), with what carries it.
struct NdpFrame {
  MacAddress frame_destination, frame_source;
  IpAddress source, destination;  // IPv6, as all of them
  NdpType type = NdpType::kSolicitation;
  bool router = false, solicited = false, override_cache = false;  // flags of an advertisement
  IpAddress target;
  /// The source link-layer address option of a solicitation, the target link-layer address option of an advertisement.
  std::optional<MacAddress> link_address;

  friend bool operator==(const NdpFrame&, const NdpFrame&) = default;
};

/// With hop limit 255 and checksum.
std::vector<uint8_t> encode(const NdpFrame& frame);
/// Nothing, if these bytes are no whole frame with one of the two messages directly behind the IPv6 header, or if a
/// node must discard it (RFC 4861 sections 7.1.1 and 7.1.2): hop limit, checksum, code, length, options, addresses.
std::optional<NdpFrame> decode_ndp(std::span<const uint8_t> bytes);

/// The multicast group in which an address's owner listens for solicitations (RFC 4291 section 2.7.1).
IpAddress solicited_node(const IpAddress& address);
/// Where Ethernet carries an IPv6 multicast group (RFC 2464 section 7).
MacAddress multicast_mac(const IpAddress& group);

/// Solicitations go out. Advertisements are claims about their target, solicitations about their source. A message
/// without a link-layer address option, as answers to unicast solicitations may be, claims its frame's source.
const NeighbourProtocol& ndp_protocol();

}  // namespace lbdp::control
