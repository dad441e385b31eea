// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/icmp_reply.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace lbdp::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

const MacAddress kUs{{2, 0, 0, 0, 0, 0xa0}};
const Bytes kUsBytes{2, 0, 0, 0, 0, 0xa0}, kPeer{2, 0, 0, 0, 0, 1};
const Bytes kVip4{192, 0, 2, 10}, kClient4{10, 0, 0, 1};
const Bytes kVip6{0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10},
    kClient6{0x20, 1, 0xd, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd};
const Bytes kVlan100{0x81, 0, 0x60, 100};

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Bytes be16(size_t value) {
  return {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}
Bytes cut(const Bytes& from, size_t begin, size_t length) {
  if (begin > from.size()) return {};
  const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(length, from.size() - begin))};
}

// The plain way. 0 over bytes with their right checksum inside.
uint16_t naive_checksum(Bytes bytes) {
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

// TCP from the client to the virtual server, with so many bytes of IP, and DF for IPv4.
Bytes packet4(size_t length) {
  Bytes ip = Bytes{0x45, 0} + be16(length) + Bytes{1, 2, 0x40, 0, 63, 6, 0xab, 0xcd} + kClient4 + kVip4;
  for (size_t i = ip.size(); i < length; ++i) ip.push_back(static_cast<uint8_t>(i * 7));
  return ip;
}
Bytes packet6(size_t length) {
  Bytes ip = Bytes{0x60, 0, 0, 0} + be16(length - 40) + Bytes{6, 63} + kClient6 + kVip6;
  for (size_t i = ip.size(); i < length; ++i) ip.push_back(static_cast<uint8_t>(i * 7));
  return ip;
}

struct Question {
  Bytes frame;
  IcmpErrorInput input;
};
Question question(bool is_v6, IcmpErrorKind kind, const Bytes& packet, const Bytes& tag = {}) {
  const auto l3 = static_cast<uint32_t>(14 + tag.size());
  return {kUsBytes + kPeer + tag + (is_v6 ? Bytes{0x86, 0xdd} : Bytes{8, 0}) + packet,
          {.kind = kind, .mtu = 1400, .place = {l3, l3 + (is_v6 ? 40 : 20), is_v6}, .protocol = 6}};
}
Question question4(IcmpErrorKind kind = IcmpErrorKind::kPortUnreachable) {
  return question(false, kind, packet4(60));
}
Question question6(IcmpErrorKind kind = IcmpErrorKind::kPortUnreachable) {
  return question(true, kind, packet6(80));
}

Bytes answer(const Question& q, std::optional<uint32_t> segment = {}) {
  const Bytes exact = segment ? cut(q.frame, 0, *segment) : q.frame;  // so that a sanitizer sees the end
  std::array<uint8_t, kMaxIcmpReply> out{};
  out.fill(0xee);
  const uint32_t length = build_icmp_error(
      {exact.data(), static_cast<uint32_t>(exact.size()), static_cast<uint32_t>(q.frame.size()), 0}, q.input, kUs, out);
  return {out.begin(), out.begin() + length};
}

void expect_checksums(const Bytes& reply, size_t l3, bool is_v6) {
  if (!is_v6) {
    EXPECT_EQ(naive_checksum(cut(reply, l3, 20)), 0) << "IP";
    EXPECT_EQ(naive_checksum(cut(reply, l3 + 20, 2000)), 0) << "ICMP";
    return;
  }
  const Bytes message = cut(reply, l3 + 40, 2000);
  EXPECT_EQ(naive_checksum(cut(reply, l3 + 8, 32) + Bytes{0, 0} + be16(message.size()) + Bytes{0, 0, 0, 58} + message),
            0);
}

TEST(IcmpReply, PortUnreachableOfIpv4) {
  const Question q = question4();
  const Bytes out = answer(q);
  ASSERT_EQ(out.size(), 14U + 20 + 8 + 60);
  EXPECT_EQ(cut(out, 0, 14), kPeer + kUsBytes + Bytes({8, 0}));
  EXPECT_EQ(cut(out, 14, 10), (Bytes{0x45, 0xc0, 0, 88, 0, 0, 0x40, 0, 64, 1}));
  EXPECT_EQ(cut(out, 26, 8), kVip4 + kClient4);
  EXPECT_EQ(cut(out, 34, 2), (Bytes{3, 3}));
  EXPECT_EQ(cut(out, 38, 4), (Bytes{0, 0, 0, 0}));
  EXPECT_EQ(cut(out, 42, 60), packet4(60));
  expect_checksums(out, 14, false);
}

TEST(IcmpReply, PortUnreachableOfIpv6) {
  const Bytes out = answer(question6());
  ASSERT_EQ(out.size(), 14U + 40 + 8 + 80);
  EXPECT_EQ(cut(out, 0, 14), kPeer + kUsBytes + Bytes({0x86, 0xdd}));
  EXPECT_EQ(cut(out, 14, 8), (Bytes{0x60, 0, 0, 0, 0, 88, 58, 64}));
  EXPECT_EQ(cut(out, 22, 32), kVip6 + kClient6);
  EXPECT_EQ(cut(out, 54, 2), (Bytes{1, 4}));
  EXPECT_EQ(cut(out, 58, 4), (Bytes{0, 0, 0, 0}));
  EXPECT_EQ(cut(out, 62, 80), packet6(80));
  expect_checksums(out, 14, true);
}

TEST(IcmpReply, TooBigNamesTheMtu) {
  Bytes out = answer(question4(IcmpErrorKind::kPacketTooBig));
  EXPECT_EQ(cut(out, 34, 2), (Bytes{3, 4}));
  EXPECT_EQ(cut(out, 38, 4), (Bytes{0, 0, 0x05, 0x78}));
  expect_checksums(out, 14, false);
  out = answer(question6(IcmpErrorKind::kPacketTooBig));
  EXPECT_EQ(cut(out, 54, 2), (Bytes{2, 0}));
  EXPECT_EQ(cut(out, 58, 4), (Bytes{0, 0, 0x05, 0x78}));
  expect_checksums(out, 14, true);
}

TEST(IcmpReply, NoMtuBelowTheProtocolsLeast) {
  Question q = question4(IcmpErrorKind::kPacketTooBig);
  q.input.mtu = 0;
  EXPECT_EQ(cut(answer(q), 38, 4), (Bytes{0, 0, 0, 68}));
  q = question6(IcmpErrorKind::kPacketTooBig);
  q.input.mtu = 1279;
  EXPECT_EQ(cut(answer(q), 58, 4), (Bytes{0, 0, 5, 0}));
}

TEST(IcmpReply, OnlyIpv4WithDfIsTooBig) {
  Question q = question4(IcmpErrorKind::kPacketTooBig);
  q.frame[14 + 6] = 0;
  EXPECT_TRUE(answer(q).empty());
  q.input.kind = IcmpErrorKind::kPortUnreachable;
  EXPECT_FALSE(answer(q).empty());
}

TEST(IcmpReply, QuotesAsMuchAsFits) {
  for (const size_t length : {20U, 21U, 28U, 547U, 548U, 549U, 1500U}) {
    const Bytes out = answer(question(false, IcmpErrorKind::kPacketTooBig, packet4(length)));
    const size_t quote = std::min<size_t>(length, 548);
    ASSERT_EQ(out.size(), 14 + 28 + quote) << length;
    EXPECT_EQ(cut(out, 16, 2), be16(28 + quote));
    EXPECT_EQ(cut(out, 42, 2000), cut(packet4(length), 0, quote));
    expect_checksums(out, 14, false);
  }
  for (const size_t length : {40U, 41U, 1231U, 1232U, 1233U, 1500U}) {
    const Bytes out = answer(question(true, IcmpErrorKind::kPacketTooBig, packet6(length), kVlan100));
    const size_t quote = std::min<size_t>(length, 1232);
    ASSERT_EQ(out.size(), 18 + 48 + quote) << length;
    EXPECT_EQ(cut(out, 22, 2), be16(8 + quote));
    EXPECT_EQ(cut(out, 66, 2000), cut(packet6(length), 0, quote));
    expect_checksums(out, 18, true);
  }
}

TEST(IcmpReply, QuotesNoPaddingAndOnlyTheFirstSegment) {
  for (Question q : {question4(), question6()}) {
    const Bytes whole = answer(q);
    const auto header = static_cast<uint32_t>(q.input.place.l4_offset), all = static_cast<uint32_t>(q.frame.size());
    for (uint32_t segment = 0; segment <= all; ++segment) {
      const Bytes out = answer(q, segment);
      ASSERT_EQ(out.size(), segment < header ? 0 : whole.size() - (all - segment)) << segment;
      if (!out.empty()) expect_checksums(out, 14, q.input.place.is_v6);
    }
    q.frame.insert(q.frame.end(), 9, 0xcc);
    EXPECT_EQ(answer(q), whole);
  }
}

TEST(IcmpReply, KeepsTheTagButNoPriorityTag) {
  for (const bool is_v6 : {false, true}) {
    const auto ask = [&](const Bytes& tag) {
      return answer(question(is_v6, IcmpErrorKind::kPortUnreachable, is_v6 ? packet6(80) : packet4(60), tag));
    };
    const Bytes untagged = ask({}), header = kPeer + kUsBytes;
    EXPECT_EQ(ask(kVlan100), header + kVlan100 + cut(untagged, 12, 2000));
    EXPECT_EQ(ask({0x81, 0, 0xe0, 0}), untagged);
    EXPECT_TRUE(ask({0x88, 0xa8, 0, 100}).empty()) << "a provider's tag";
    EXPECT_TRUE(ask(kVlan100 + kVlan100).empty()) << "two tags";
  }
}

TEST(IcmpReply, NeverToGroupsOrToNobody) {
  for (const Bytes& address : {Bytes{0, 0, 0, 0}, Bytes{0, 1, 2, 3}, Bytes{127, 0, 0, 1}, Bytes{224, 0, 0, 1},
                               Bytes{239, 1, 2, 3}, Bytes{240, 0, 0, 1}, Bytes{255, 255, 255, 255}}) {
    for (const size_t at : {26U, 30U}) {
      Question q = question4();
      std::copy(address.begin(), address.end(), q.frame.begin() + static_cast<std::ptrdiff_t>(at));
      EXPECT_TRUE(answer(q).empty()) << int{address[0]} << " at " << at;
    }
  }
  Bytes loopback(16), mapped(16), multicast(16);
  loopback[15] = 1;
  mapped[10] = mapped[11] = 0xff, mapped[12] = 10;
  multicast[0] = 0xff, multicast[1] = 2, multicast[15] = 1;
  for (const Bytes& address : {Bytes(16), loopback, mapped, multicast}) {
    for (const size_t at : {22U, 38U}) {
      Question q = question6();
      std::copy(address.begin(), address.end(), q.frame.begin() + static_cast<std::ptrdiff_t>(at));
      EXPECT_TRUE(answer(q).empty()) << int{address[0]} << " at " << at;
    }
  }
  for (const Question& q : {question4(), question6()}) {
    Question from_group = q, to_group = q;
    from_group.frame[6] |= 1;
    EXPECT_TRUE(answer(from_group).empty());
    to_group.frame[0] |= 1;
    EXPECT_TRUE(answer(to_group).empty());
  }
}

TEST(IcmpReply, NeverAboutErrorsOrLaterFragments) {
  for (int type = 0; type < 256; ++type) {
    Question q = question4(IcmpErrorKind::kPacketTooBig);
    q.input.protocol = 1;
    q.frame[34] = static_cast<uint8_t>(type);
    EXPECT_EQ(!answer(q).empty(), type == 0 || type == 8 || (type >= 13 && type <= 18)) << type;
    q = question6(IcmpErrorKind::kPacketTooBig);
    q.input.protocol = 58;
    q.frame[54] = static_cast<uint8_t>(type);
    EXPECT_EQ(!answer(q).empty(), type >= 128 && type != 137) << type;
  }
  for (Question q : {question4(), question6()}) {
    const bool is_v6 = q.input.place.is_v6;
    q.input.protocol = is_v6 ? 58 : 1;
    q.frame[q.input.place.l4_offset] = is_v6 ? 128 : 8;
    EXPECT_FALSE(answer(q).empty());
    EXPECT_TRUE(answer(q, q.input.place.l4_offset).empty()) << "the type is not there";
    q.input.later_fragment = true;
    EXPECT_TRUE(answer(q).empty());
  }
}

TEST(IcmpReply, NotAboutLengthsThatCannotBe) {
  Question q = question4();
  q.frame[17] = 19;
  EXPECT_TRUE(answer(q).empty()) << "less than a header";
  q.frame[17] = 61;
  EXPECT_TRUE(answer(q).empty()) << "more than the frame";
  q = question6();
  q.frame[19] = 41;
  EXPECT_TRUE(answer(q).empty()) << "more than the frame";
}

// The old entrance says what the general one does.
}  // namespace
}  // namespace lbdp::dataplane
