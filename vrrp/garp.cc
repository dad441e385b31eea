// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp.h"

#include <algorithm>
#include <span>

#include "vrrp/packet.h"

namespace lbdp::vrrp {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kIpv6Bytes = 40;
constexpr size_t kMessageBytes = kNeighbourAdvertisementBytes - kEthernetBytes - kIpv6Bytes;
constexpr uint8_t kIcmpv6 = 58;

/// RFC 8200 section 8.1, over an ICMPv6 message of less than 256 bytes between two addresses.
uint16_t icmpv6_checksum(std::span<const uint8_t> addresses, std::span<const uint8_t> message) {
  std::array<uint8_t, 32 + 8 + kMessageBytes> covered{};
  auto out = std::ranges::copy(addresses, covered.begin()).out;
  out = std::ranges::copy(std::array<uint8_t, 8>{0, 0, 0, kMessageBytes, 0, 0, 0, kIcmpv6}, out).out;
  std::ranges::copy(message, out);
  return internet_checksum(covered);
}

}  // namespace

GarpFrame build_garp(const MacAddress& sender, const IpAddress& address) {
  constexpr std::array<uint8_t, 6> kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  constexpr std::array<uint8_t, 10> kEtherTypeAndArpHead{
      0x08, 0x06,  // EtherType ARP
      0x00, 0x01,  // hardware: Ethernet
      0x08, 0x00,  // protocol: IPv4
      6,    4,     // lengths of their addresses
      0x00, 0x01,  // operation: request
  };
  GarpFrame frame{};
  auto out = std::ranges::copy(kBroadcast, frame.begin()).out;
  out = std::ranges::copy(sender.bytes, out).out;
  out = std::ranges::copy(kEtherTypeAndArpHead, out).out;
  out = std::ranges::copy(sender.bytes, out).out;
  out = std::ranges::copy(address.bytes().first(4), out).out;
  out = std::ranges::copy(kBroadcast, out).out;
  std::ranges::copy(address.bytes().first(4), out);
  return frame;
}

NeighbourAdvertisement build_neighbour_advertisement(const MacAddress& sender, const IpAddress& address, bool router) {
  constexpr std::array<uint8_t, 6> kAllNodesMac{0x33, 0x33, 0, 0, 0, 1};
  constexpr std::array<uint8_t, 16> kAllNodes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};  // RFC 4291
  constexpr std::array<uint8_t, 8> kIpv6Head{0x6c, 0, 0, 0, 0, kMessageBytes, kIcmpv6, 255};  // traffic class 0xc0
  constexpr uint8_t kOverride = 0x20;
  constexpr uint8_t kRouter = 0x80;
  NeighbourAdvertisement frame{};
  auto out = std::ranges::copy(kAllNodesMac, frame.begin()).out;
  out = std::ranges::copy(sender.bytes, out).out;
  out = std::ranges::copy(std::array<uint8_t, 2>{0x86, 0xdd}, out).out;
  out = std::ranges::copy(kIpv6Head, out).out;
  out = std::ranges::copy(address.bytes(), out).out;
  out = std::ranges::copy(kAllNodes, out).out;
  const auto flags = static_cast<uint8_t>(kOverride | (router ? kRouter : 0));
  out = std::ranges::copy(std::array<uint8_t, 8>{136, 0, 0, 0, flags, 0, 0, 0}, out).out;  // type 136: advertisement
  out = std::ranges::copy(address.bytes(), out).out;
  out = std::ranges::copy(std::array<uint8_t, 2>{2, 1}, out).out;  // option: target link-layer address, 8 bytes
  std::ranges::copy(sender.bytes, out);
  const std::span<uint8_t> message = std::span(frame).subspan(kEthernetBytes + kIpv6Bytes);
  const uint16_t checksum = icmpv6_checksum(std::span(frame).subspan(kEthernetBytes + 8, 32), message);
  message[2] = static_cast<uint8_t>(checksum >> 8);
  message[3] = static_cast<uint8_t>(checksum & 0xff);
  return frame;
}

}  // namespace lbdp::vrrp
