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

}  // namespace
}  // namespace lbdp::vrrp
