// SPDX-License-Identifier: BSD-2-Clause
// That the parser judges right is tests/packet's matter; here, that its short cut says what the long way says.
#include "dataplane/packet.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

#include "dataplane/sctp_state.h"

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

// The headers of frames of each kind that the parser tells apart, behind our MAC; all of 100 bytes.
std::vector<uint8_t> with_payload(std::vector<uint8_t> behind_macs) {
  constexpr std::array<uint8_t, 12> kMacs{2, 0, 0, 0, 0, 0xa0, 2, 0, 0, 0, 0, 1};
  behind_macs.resize(100 - kMacs.size(), 0);
  behind_macs.insert(behind_macs.begin(), kMacs.begin(), kMacs.end());
  return behind_macs;
}
std::vector<uint8_t> ipv4(uint8_t protocol, uint16_t fragment_field = 0) {
  const auto upper = static_cast<uint8_t>(fragment_field >> 8), lower = static_cast<uint8_t>(fragment_field);
  return with_payload({8, 0,   0x45, 0, 0,  60, 0x77, 0x88, upper, lower, 64, protocol, 0, 0, 10,   0,   0,
                       1, 192, 0,    2, 10, 1,  2,    0,    53,    0,     1,  0,        1, 0, 0x50, 0x12});
}
// With these headers between IPv6's and the payload; `first` is the type of the first one.
std::vector<uint8_t> ipv6(uint8_t first, const std::vector<uint8_t>& headers = {}) {
  std::vector<uint8_t> out{0x86, 0xdd, 0x60, 0, 0, 0, 0, 46, first, 64};
  out.insert(out.end(), {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  out.insert(out.end(), {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10});
  out.insert(out.end(), headers.begin(), headers.end());
  out.insert(out.end(), {1, 2, 0, 53});
  return with_payload(out);
}
// TCI 0x6064 in front of the EtherType.
std::vector<uint8_t> tagged(std::vector<uint8_t> frame) {
  frame.insert(frame.begin() + 12, {0x81, 0, 0x60, 0x64});
  return frame;
}
Parsed parse_whole(const std::vector<uint8_t>& frame, uint16_t tag = 0) {
  const auto length = static_cast<uint32_t>(frame.size());
  return parse({frame.data(), length, length, tag}, kOurs);
}

TEST(Parse, FollowsExtensionHeadersToThePorts) {
  const std::vector<uint8_t> options{60, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Parsed p = parse_whole(ipv6(0, options));
  EXPECT_EQ(p.verdict, Verdict::kFlow);
  EXPECT_EQ(p.version, IpVersion::k6);
  EXPECT_EQ(p.protocol, 17);
  EXPECT_EQ(p.l4_offset, 14U + 40 + 24);
  EXPECT_EQ(p.destination_port.host(), 53);
  EXPECT_EQ(p.destination.to_ip().to_string(), "2001:db8::10");
  EXPECT_EQ(p.ip_length, 86U);
  EXPECT_TRUE(p.dont_fragment);
}

TEST(Parse, TellsFirstAndLaterFragmentsOfBothFamilies) {
  const Parsed first4 = parse_whole(ipv4(17, 0x2000)), later4 = parse_whole(ipv4(17, 0x2005));
  EXPECT_TRUE(first4.verdict == Verdict::kFlow && first4.first_fragment);
  EXPECT_TRUE(later4.verdict == Verdict::kFragment && !later4.first_fragment);
  EXPECT_EQ(first4.fragment_id, 0x7788U);
  EXPECT_EQ(later4.fragment_id, 0x7788U);
  const Parsed first6 = parse_whole(ipv6(44, {17, 0, 0, 1, 1, 2, 3, 4})),
               later6 = parse_whole(ipv6(44, {17, 0, 0, 8, 1, 2, 3, 4})),
               atomic = parse_whole(ipv6(44, {17, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_TRUE(first6.verdict == Verdict::kFlow && first6.first_fragment);
  EXPECT_EQ(first6.fragment_id, 0x01020304U);
  EXPECT_EQ(first6.destination_port.host(), 53);
  EXPECT_EQ(later6.verdict, Verdict::kFragment);
  EXPECT_EQ(later6.fragment_id, 0x01020304U);
  EXPECT_TRUE(atomic.verdict == Verdict::kFlow && !atomic.first_fragment && atomic.fragment_id == 0);
}

TEST(Parse, KnowsTheVlanInTheFrameAndTakenOutOfIt) {
  EXPECT_EQ(parse_whole(tagged(ipv4(17))).vlan, 100);
  EXPECT_EQ(parse_whole(tagged(ipv4(17))).l3_offset, 18);
  EXPECT_EQ(parse_whole(ipv6(17), 0x6065).vlan, 101);
  EXPECT_EQ(parse_whole(ipv4(17), 0x6000).vlan, 0);  // a priority tag
  EXPECT_EQ(parse_whole(tagged(ipv4(17)), 0x6065).verdict, Verdict::kPunt);
}

TEST(Parse, TakesSctpsFirstChunkForItsFlags) {
  auto frame = ipv4(132);
  frame[14 + 20 + 12] = 10;  // COOKIE ECHO, of no length that another chunk could follow
  const Parsed p = parse_whole(frame);
  EXPECT_EQ(p.verdict, Verdict::kFlow);
  EXPECT_EQ(p.flags, static_cast<uint8_t>(SctpEvent::kCookieEcho));
  frame[17] = 20 + 8;  // no room for a common header
  EXPECT_EQ(parse_whole(frame).drop_reason, DropReason::kTruncated);
}

// Frames for the short cut: plain in the parser's words, with their headers in the first segment.
bool is_plain(FrameView view, const Parsed& p) {
  const bool kind = p.verdict == Verdict::kFlow && p.version == IpVersion::k4 && !p.first_fragment &&
                    (p.protocol == kIpProtocolTcp || p.protocol == kIpProtocolUdp);
  return kind && p.l3_offset == 14 && p.l4_offset == 34 && p.vlan == 0 && view.covers(0, 54);
}

TEST(Parse, ShortCutAgreesWithTheLongWay) {
  const std::vector<std::vector<uint8_t>> kinds{tcp_frame(),
                                                ipv4(6),
                                                ipv4(17),
                                                ipv4(132),
                                                ipv4(17, 0x2000),
                                                ipv4(17, 0x0005),
                                                ipv4(6, 0x4000),
                                                tagged(ipv4(17)),
                                                tagged(ipv4(6)),
                                                ipv6(6),
                                                ipv6(17),
                                                tagged(ipv6(17)),
                                                ipv6(44, {17, 0, 0, 1, 1, 2, 3, 4})};
  int agreed = 0, others = 0;
  std::mt19937 engine(3);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  for (int i = 0; i < 600'000; ++i) {
    auto bytes = kinds[random() % 2 == 0 ? random() % 3 : random() % kinds.size()];
    for (unsigned changes = random() % 3; changes > 0; --changes)
      bytes[random() % 58] = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 64);
    const auto whole = static_cast<uint32_t>(bytes.size());
    const uint32_t frame = random() % 3 == 0 ? random() % (whole + 1) : whole,
                   segment = random() % 4 == 0 ? random() % (frame + 1) : frame;
    const auto tag = static_cast<uint16_t>(random() % 8 == 0 ? random() : 0);
    const FrameView view(bytes.data(), segment, frame, tag);
    const PlainFlow plain = parse_plain(view, kOurs);
    const Parsed p = parse(view, kOurs);
    ASSERT_EQ(plain.protocol != 0, is_plain(view, p)) << i;
    if (plain.protocol == 0) {
      ++others;
      continue;
    }
    ++agreed;
    ASSERT_EQ(p.source, WideAddress::from_v4(plain.source())) << i;
    ASSERT_EQ(p.destination, WideAddress::from_v4(plain.destination())) << i;
    ASSERT_EQ(p.source_port, plain.source_port()) << i;
    ASSERT_EQ(p.destination_port, plain.destination_port()) << i;
    ASSERT_EQ(p.ip_length, plain.ip_length) << i;
    ASSERT_EQ(p.protocol, plain.protocol) << i;
    ASSERT_EQ(p.flags, plain.tcp_flags) << i;
  }
  EXPECT_GT(agreed, 50'000);
  EXPECT_GT(others, 50'000);
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
