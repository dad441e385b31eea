// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"

struct sock_filter;

namespace lbdp::control {

/// What a message says about its sender: who it is, and where.
struct NeighbourClaim {
  IpAddress address;
  MacAddress mac;           // it says that it is here
  MacAddress frame_source;  // and its frame came from here

  friend bool operator==(const NeighbourClaim&, const NeighbourClaim&) = default;
};

/// "Who has `target`? Tell `own_address`."
struct NeighbourQuestion {
  IpAddress target;
  std::optional<MacAddress> at;  // asked there only; empty: everybody is asked
  IpAddress own_address;         // of the target's family
  MacAddress own_mac;
};

/// How one address family finds the MAC of a neighbour on Ethernet: ARP for IPv4 (arp.h), neighbour discovery for IPv6
/// (ndp.h). Codecs only, without state.
class NeighbourProtocol {
 public:
  virtual ~NeighbourProtocol() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  // "ARP"
  [[nodiscard]] virtual uint16_t ethertype() const = 0;     // host byte order
  /// For a packet socket: what of the frames of that EtherType may be one of the protocol's. Empty: all are.
  [[nodiscard]] virtual std::span<const sock_filter> filter() const = 0;
  /// A whole Ethernet frame.
  [[nodiscard]] virtual std::vector<uint8_t> encode(const NeighbourQuestion& question) const = 0;
  /// Nothing, if these bytes are no valid message of the protocol, or one that says nothing about its sender.
  [[nodiscard]] virtual std::optional<NeighbourClaim> decode(std::span<const uint8_t> frame) const = 0;
};

const NeighbourProtocol& neighbour_protocol(Family family);

}  // namespace lbdp::control
