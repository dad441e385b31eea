// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp.h"

#include <gtest/gtest.h>

namespace lbdp::vrrp {
namespace {

TEST(Garp, IsABroadcastRequestForTheAddressItself) {
  const auto mac = MacAddress::parse("02:00:00:00:00:75").value();
  const GarpFrame frame = build_garp(mac, IpAddress::parse("172.18.250.99").value());
  const GarpFrame wanted = {
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,    0,   0,  0, 0x75, 0x08, 0x06,  // Ethernet
      0x00, 0x01, 0x08, 0x00, 6,    4,    0x00, 0x01,                                // ARP request
      0x02, 0,    0,    0,    0,    0x75, 172,  18,   250, 99,                       // sender
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 172,  18,   250, 99,                       // target
  };
  EXPECT_EQ(frame, wanted);
}

TEST(NeighbourAdvertisement, IsForTheAddressItselfToAllNodes) {
  const auto mac = MacAddress::parse("02:00:00:00:00:75").value();
  const auto frame = build_neighbour_advertisement(mac, IpAddress::parse("2001:db8::99").value(), true);
  const NeighbourAdvertisement wanted = {
      0x33, 0x33, 0,    0,    0,    1,  0x02, 0,    0, 0, 0, 0x75, 0x86, 0xdd,           // Ethernet
      0x6c, 0,    0,    0,    0,    32, 58,   255,                                       // IPv6, hop limit 255
      0x20, 0x01, 0x0d, 0xb8, 0,    0,  0,    0,    0, 0, 0, 0,    0,    0,    0, 0x99,  // from the address
      0xff, 0x02, 0,    0,    0,    0,  0,    0,    0, 0, 0, 0,    0,    0,    0, 1,     // to all nodes
      136,  0,    0x77, 0x86, 0xa0, 0,  0,    0,                                         // Router, Override
      0x20, 0x01, 0x0d, 0xb8, 0,    0,  0,    0,    0, 0, 0, 0,    0,    0,    0, 0x99,  // target
      2,    1,    0x02, 0,    0,    0,  0,    0x75,                                      // its link-layer address
  };
  EXPECT_EQ(frame, wanted);
  EXPECT_EQ(build_neighbour_advertisement(mac, IpAddress::parse("2001:db8::99").value(), false)[58], 0x20);
}

}  // namespace
}  // namespace lbdp::vrrp
