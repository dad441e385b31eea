// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"
#include "control/neighbour_protocol.h"

namespace lbdp::control {

enum class ArpOperation : uint16_t { kRequest = 1, kReply = 2 };

/// An ARP packet for IPv4 on Ethernet, with its frame's addresses (RFC 826).
struct ArpFrame {
  MacAddress destination, source;  // the frame's
  ArpOperation operation = ArpOperation::kRequest;
  MacAddress sender_mac, target_mac;
  IpAddress sender, target;  // IPv4

  friend bool operator==(const ArpFrame&, const ArpFrame&) = default;
};

constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
constexpr size_t kArpFrameLength = 60;  // padded to Ethernet's minimum: not every port does it

std::array<uint8_t, kArpFrameLength> encode(const ArpFrame& frame);
/// Nothing, if these bytes are no whole ARP packet for IPv4 on Ethernet.
std::optional<ArpFrame> decode_arp(std::span<const uint8_t> bytes);

/// Requests go out; every ARP packet that comes in, of whatever kind, is a claim of its sender.
const NeighbourProtocol& arp_protocol();

}  // namespace lbdp::control
