// SPDX-License-Identifier: BSD-2-Clause
#include "control/arp.h"

#include <gtest/gtest.h>

#include <vector>

namespace lbdp::control {
namespace {

// A request of Linux's (who has 172.18.250.77? tell 172.18.250.75), as tcpdump -xx shows it.
const std::vector<uint8_t> kRequest{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x75, 0x08, 0x06,
                                    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x75,
                                    0xac, 0x12, 0xfa, 0x4b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xac, 0x12, 0xfa, 0x4d};

ArpFrame request() {
  return {.destination = kBroadcast,
          .source = {{2, 0, 0, 0, 0, 0x75}},
          .operation = ArpOperation::kRequest,
          .sender_mac = {{2, 0, 0, 0, 0, 0x75}},
          .target_mac = {},
          .sender = IpAddress::parse("172.18.250.75").value(),
          .target = IpAddress::parse("172.18.250.77").value()};
}

TEST(Arp, EncodesTheBytesThatLinuxSends) {
  const auto bytes = encode(request());
  EXPECT_TRUE(std::equal(kRequest.begin(), kRequest.end(), bytes.begin()));
  EXPECT_TRUE(std::all_of(bytes.begin() + 42, bytes.end(), [](uint8_t b) { return b == 0; }));
}

TEST(Arp, DecodesWhatItEncodes) {
  EXPECT_EQ(decode_arp(kRequest), request());
  auto reply = request();
  reply.operation = ArpOperation::kReply;
  EXPECT_EQ(decode_arp(encode(reply)), reply);
}

TEST(Arp, AsksEverybodyOrOneHost) {
  NeighbourQuestion question{
      .target = request().target, .at = {}, .own_address = request().sender, .own_mac = request().sender_mac};
  EXPECT_EQ(decode_arp(arp_protocol().encode(question)), request());
  auto unicast = request();
  unicast.destination = MacAddress{{2, 0, 0, 0, 0, 0x77}};
  question.at = unicast.destination;
  EXPECT_EQ(decode_arp(arp_protocol().encode(question)), unicast);
}

TEST(Arp, ClaimsTheSender) {
  auto frame = request();
  frame.source = {{2, 0, 0, 0, 0, 9}};
  const NeighbourClaim claim{.address = frame.sender, .mac = frame.sender_mac, .frame_source = frame.source};
  EXPECT_EQ(arp_protocol().decode(encode(frame)), claim);
}

TEST(Arp, RefusesShortAndForeignFrames) {
  for (size_t length = 0; length < kRequest.size(); ++length) {
    EXPECT_FALSE(decode_arp(std::span(kRequest).first(length))) << length;
  }
  for (const size_t at : {12U, 13U, 14U, 15U, 16U, 17U, 18U, 19U, 20U}) {
    auto bent = kRequest;
    bent[at] ^= 0x40;
    EXPECT_FALSE(decode_arp(bent)) << at;
  }
  auto reverse = kRequest;
  reverse[21] = 3;  // RARP
  EXPECT_FALSE(decode_arp(reverse));
}

}  // namespace
}  // namespace lbdp::control
