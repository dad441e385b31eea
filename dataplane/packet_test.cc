// SPDX-License-Identifier: BSD-2-Clause
// That the parser judges right is tests/packet's matter; here, that its short cut says what the long way says.
#include "dataplane/packet.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lbdp::dataplane {
namespace {

const MacWord kOurs(MacAddress{{2, 0, 0, 0, 0, 0xa0}});

std::vector<uint8_t> tcp_frame() {
  return {2,    0, 0,  0, 0, 0xa0, 2,    0,    0, 0, 0,   1, 8, 0,  0x45, 0,    0, 40, 1, 2,
          0x40, 0, 64, 6, 0, 0,    10,   0,    0, 1, 192, 0, 2, 10, 0x9c, 0x40, 0, 80, 1, 2,
          3,    4, 5,  6, 7, 8,    0x50, 0x12, 1, 2, 3,   4, 0, 0,  0,    0,    0, 0,  0, 0};
}

TEST(Parse, ReadsAddressesPortsAndFlags) {
  const auto bytes = tcp_frame();
  const Parsed p = parse({bytes.data(), 60, 60, 0}, kOurs);
  EXPECT_EQ(p.verdict, Verdict::kFlow);
  EXPECT_EQ(p.source.to_ip().to_string(), "10.0.0.1");
  EXPECT_EQ(p.destination.to_ip().to_string(), "192.0.2.10");
  EXPECT_EQ(p.source_port.host(), 40000);
  EXPECT_EQ(p.destination_port.host(), 80);
  EXPECT_EQ(p.ip_length, 40U);
  EXPECT_EQ(p.flags, 0x12);
  EXPECT_EQ(p.l3_offset, 14);
}

TEST(Parse, ShortCutAgreesWithTheLongWay) {
  int agreed = 0;
  std::mt19937 engine(3);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  for (int i = 0; i < 300'000; ++i) {
    auto bytes = tcp_frame();
    if (random() % 2 == 0) bytes[23] = 17;
    for (unsigned changes = random() % 3; changes > 0; --changes)
      bytes[random() % 50] = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 64);
    const uint32_t frame = random() % 3 == 0 ? random() % 61 : 60,
                   segment = random() % 4 == 0 ? random() % (frame + 1) : frame;
    const auto tag = static_cast<uint16_t>(random() % 8 == 0 ? random() : 0);
    const FrameView view(bytes.data(), segment, frame, tag);
    const PlainFlow plain = parse_plain(view, kOurs);
    if (plain.protocol == 0) continue;
    ++agreed;
    const Parsed p = parse(view, kOurs);
    ASSERT_EQ(p.verdict, Verdict::kFlow) << i;
    ASSERT_EQ(p.source, WideAddress::from_v4(plain.source())) << i;
    ASSERT_EQ(p.destination, WideAddress::from_v4(plain.destination())) << i;
    ASSERT_EQ(p.source_port, plain.source_port()) << i;
    ASSERT_EQ(p.destination_port, plain.destination_port()) << i;
    ASSERT_EQ(p.ip_length, plain.ip_length) << i;
    ASSERT_EQ(p.protocol, plain.protocol) << i;
    ASSERT_EQ(p.flags, plain.tcp_flags) << i;
    ASSERT_TRUE(p.l3_offset == 14 && p.vlan == 0 && !p.first_fragment) << i;
  }
  EXPECT_GT(agreed, 50'000);
}

TEST(FrameView, ReadsNothingBehindTheSegment) {
  const std::vector<uint8_t> bytes{1, 2, 3, 4};
  const FrameView view(bytes.data(), 3, 4, 0);
  EXPECT_EQ(view.load_be<uint16_t>(1).host(), 0x0203);
  EXPECT_EQ(view.load<uint16_t>(2), 0);
  EXPECT_EQ(view.load<uint8_t>(UINT32_MAX), 0);
  EXPECT_FALSE(view.covers(UINT32_MAX, UINT32_MAX));
  uint8_t out[2] = {9, 9};
  EXPECT_FALSE(view.copy(2, 2, out));
  EXPECT_EQ(out[0], 9);
}

}  // namespace
}  // namespace lbdp::dataplane
