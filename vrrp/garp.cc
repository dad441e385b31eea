// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp.h"

#include <algorithm>

namespace lbdp::vrrp {

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

}  // namespace lbdp::vrrp
