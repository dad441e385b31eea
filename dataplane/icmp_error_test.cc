// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/icmp_error.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace lbdp::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kL3 = 14;
const Bytes kRouter4{198, 51, 100, 1}, kVip4{192, 0, 2, 10}, kClient4{10, 0, 0, 1};
const Bytes kRouter6{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    kVip6{0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10},
    kClient6{0x20, 1, 0xd, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd};
const Bytes kPorts{0, 80, 0x9c, 0x40};  // from port 80 to 40000

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Bytes be16(size_t value) {
  return {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

// The plain way.
uint16_t naive_checksum(Bytes bytes) {
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

Bytes ip4(uint8_t protocol, const Bytes& source, const Bytes& destination, const Bytes& payload,
          const Bytes& options = {}) {
  const auto ihl = static_cast<uint8_t>(0x45 + options.size() / 4);
  return Bytes{ihl, 0} + be16(20 + options.size() + payload.size()) + Bytes{1, 2, 0, 0, 64, protocol, 0, 0} + source +
         destination + options + payload;
}
Bytes ip6(uint8_t next, const Bytes& source, const Bytes& destination, const Bytes& payload) {
  return Bytes{0x60, 0, 0, 0} + be16(payload.size()) + Bytes{next, 64} + source + destination + payload;
}
Bytes icmp(uint8_t type, uint8_t code, const Bytes& quote) {
  return Bytes{type, code, 0, 0, 0, 0, 5, 0xdc} + quote;
}

struct Frame {
  Bytes bytes;
  IpPlace place;
  [[nodiscard]] FrameView view() const {
    const auto length = static_cast<uint32_t>(bytes.size());
    return {bytes.data(), length, length, 0};
  }
  [[nodiscard]] std::optional<QuotedFlow> parse() const { return parse_icmp_error(view(), place); }
};

Frame error4(uint8_t type, uint8_t code, const Bytes& quote, const Bytes& destination = kVip4) {
  Bytes message = icmp(type, code, quote);
  const uint16_t sum = naive_checksum(message);
  message[2] = static_cast<uint8_t>(sum >> 8), message[3] = static_cast<uint8_t>(sum);
  return {Bytes(kL3, 2) + ip4(1, kRouter4, destination, message), {kL3, kL3 + 20, false}};
}
Frame error6(uint8_t type, uint8_t code, const Bytes& quote, const Bytes& destination = kVip6) {
  Bytes message = icmp(type, code, quote);
  const uint16_t sum =
      naive_checksum(kRouter6 + destination + Bytes{0, 0} + be16(message.size()) + Bytes{0, 0, 0, 58} + message);
  message[2] = static_cast<uint8_t>(sum >> 8), message[3] = static_cast<uint8_t>(sum);
  return {Bytes(kL3, 2) + ip6(58, kRouter6, destination, message), {kL3, kL3 + 40, true}};
}

Bytes quote4(uint8_t protocol = 6, const Bytes& payload = kPorts + Bytes{1, 2, 3, 4}) {
  return ip4(protocol, kVip4, kClient4, payload);
}
Bytes quote6(uint8_t next = 6, const Bytes& payload = kPorts + Bytes{1, 2, 3, 4}) {
  return ip6(next, kVip6, kClient6, payload);
}

void expect_flow4(const std::optional<QuotedFlow>& flow, uint8_t protocol, const std::string& what) {
  ASSERT_TRUE(flow) << what;
  EXPECT_EQ(flow->client, WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000001))) << what;
  EXPECT_EQ(flow->virtual_address, WideAddress::from_v4(Be<uint32_t>::from_host(0xc000020a))) << what;
  EXPECT_EQ(flow->client_port.host(), 40000) << what;
  EXPECT_EQ(flow->virtual_port.host(), 80) << what;
  EXPECT_EQ(flow->protocol, protocol) << what;
}
void expect_flow6(const std::optional<QuotedFlow>& flow, uint8_t protocol, const std::string& what) {
  ASSERT_TRUE(flow) << what;
  EXPECT_EQ(flow->client, WideAddress::from_bytes(kClient6.data())) << what;
  EXPECT_EQ(flow->virtual_address, WideAddress::from_bytes(kVip6.data())) << what;
  EXPECT_EQ(flow->client_port.host(), 40000) << what;
  EXPECT_EQ(flow->virtual_port.host(), 80) << what;
  EXPECT_EQ(flow->protocol, protocol) << what;
}

TEST(IcmpError, NamesTheFlowByItsRoles) {
  for (const uint8_t protocol : Bytes{6, 17, 132}) {
    expect_flow4(error4(3, 4, quote4(protocol)).parse(), protocol, "IPv4");
    expect_flow6(error6(2, 0, quote6(protocol)).parse(), protocol, "IPv6");
  }
}

TEST(IcmpError, OnlyTheTypesThatIpvsRelates) {
  for (int type = 0; type < 256; ++type) {
    const auto t = static_cast<uint8_t>(type);
    EXPECT_EQ(error4(t, 0, quote4()).parse().has_value(), type == 3 || type == 4 || type == 11) << type;
    EXPECT_EQ(error6(t, 0, quote6()).parse().has_value(), type >= 1 && type <= 4) << type;
  }
}

TEST(IcmpError, QuotesOfIpv4) {
  const auto parse = [](const std::function<void(Bytes&)>& change) {
    Bytes quote = quote4();
    change(quote);
    return error4(3, 4, quote).parse();
  };
  using B = Bytes&;
  expect_flow4(parse([](B q) { q.resize(24); }), 6, "cut behind the ports");
  EXPECT_FALSE(parse([](B q) { q.resize(23); })) << "cut within the ports";
  EXPECT_FALSE(parse([](B q) { q.resize(19); })) << "cut within the header";
  EXPECT_FALSE(parse([](B q) { q.clear(); }));
  expect_flow4(parse([](B q) { q[2] = 0xff; }), 6, "the whole packet was longer");
  expect_flow4(parse([](B q) { q[2] = q[3] = 0; }), 6, "some routers spoil the length");
  expect_flow4(parse([](B q) { q[6] = 0x60; }), 6, "DF, and the first of several fragments");
  EXPECT_FALSE(parse([](B q) { q[7] = 1; })) << "a later fragment has no ports";
  EXPECT_FALSE(parse([](B q) { q[6] = 0x10; })) << "nor has this";
  EXPECT_FALSE(parse([](B q) { q[0] = 0x44; })) << "header of 16 bytes";
  EXPECT_FALSE(parse([](B q) { q[0] = 0x65; })) << "no IPv4";
  EXPECT_FALSE(parse([](B q) { q[0] = 0x4f; })) << "options behind the end";
  EXPECT_FALSE(parse([](B q) { q[9] = 1; })) << "ICMP has no ports";
  EXPECT_FALSE(parse([](B q) { q[9] = 47; })) << "GRE";
  EXPECT_FALSE(parse([](B q) { q[12] ^= 1; })) << "sent by another address than the error goes to";
  expect_flow4(error4(11, 0, ip4(17, kVip4, kClient4, kPorts, Bytes(40, 1))).parse(), 17, "with options");
  EXPECT_FALSE(error4(3, 4, quote6()).parse()) << "the other family's";
}

TEST(IcmpError, QuotesOfIpv6) {
  const Bytes hop{60, 0, 1, 4, 0, 0, 0, 0}, options{43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
      routing{44, 0, 4, 0, 0, 0, 0, 0}, fragment{6, 0, 0, 1, 0, 0, 0, 9};
  expect_flow6(error6(1, 4, quote6(0, hop + options + routing + fragment + kPorts)).parse(), 6, "all that there are");
  EXPECT_FALSE(error6(1, 4, quote6(0, hop + options + routing + fragment + Bytes{0, 80, 1})).parse()) << "cut";
  EXPECT_FALSE(error6(1, 4, quote6(0, hop + options + routing + Bytes(7, 0))).parse()) << "cut earlier";
  EXPECT_FALSE(error6(1, 4, quote6(44, Bytes{6, 0, 0, 9, 0, 0, 0, 9} + kPorts)).parse()) << "a later fragment";
  EXPECT_FALSE(error6(1, 4, quote6(43, Bytes{6, 0, 0, 1, 0, 0, 0, 0} + kPorts)).parse()) << "not at its end yet";
  EXPECT_FALSE(error6(1, 4, quote6(60, Bytes{6, 255, 0, 0, 0, 0, 0, 0} + kPorts)).parse()) << "a header too long";
  EXPECT_FALSE(error6(1, 4, quote6(58)).parse()) << "ICMPv6 has no ports";
  EXPECT_FALSE(error6(1, 4, quote6(59)).parse()) << "no next header";
  EXPECT_FALSE(error6(1, 4, quote4()).parse()) << "the other family's";
  EXPECT_FALSE(error6(1, 4, quote6(), kClient6).parse()) << "sent by another address than the error goes to";
  Bytes many, one{60, 0, 1, 4, 0, 0, 0, 0};
  for (int i = 0; i < 7; ++i) many = many + one;
  const Bytes last{6, 0, 1, 4, 0, 0, 0, 0};
  expect_flow6(error6(1, 4, quote6(60, many + last + kPorts)).parse(), 6, "eight headers");
  EXPECT_FALSE(error6(1, 4, quote6(60, many + one + last + kPorts)).parse()) << "too many headers";
  expect_flow6(error6(2, 0, quote6(6, kPorts)).parse(), 6, "cut behind the ports");
}

TEST(IcmpError, MappedAddressesAreNotIpv4s) {
  const Bytes prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  EXPECT_FALSE(error6(1, 4, ip6(6, prefix + kVip4, prefix + kClient4, kPorts), prefix + kVip4).parse());
  EXPECT_FALSE(error6(1, 4, ip6(6, kVip6, prefix + kClient4, kPorts)).parse());
}

TEST(IcmpError, TheOuterOptionsAndHeadersAreSkipped) {
  const Bytes message = icmp(3, 1, quote4());
  const Frame frame{Bytes(18, 2) + ip4(1, kRouter4, kVip4, message, Bytes(8, 1)), {18, 18 + 28, false}};
  expect_flow4(frame.parse(), 6, "behind a VLAN tag and options");
}

// Ethernet pads short frames; what a router quoted ends where the IP packet ends.
TEST(IcmpError, PaddingIsNoQuote) {
  Frame frame = error4(3, 4, quote4());
  frame.bytes[kL3 + 3] = 20 + 8 + 23;
  EXPECT_FALSE(frame.parse());
  EXPECT_EQ(icmp_message_length(frame.view(), frame.place), 31U);
  frame.bytes[kL3 + 3] = 20 + 8 + 24;
  expect_flow4(frame.parse(), 6, "just enough");
}

TEST(IcmpError, AnyCutIsHarmlessAndTellsNoLies) {
  for (const Frame& whole : {error4(3, 4, quote4()), error6(2, 0, quote6())}) {
    const uint32_t needed = whole.place.l4_offset + 8 + (whole.place.is_v6 ? 40 : 20) + 4;
    for (uint32_t length = 0; length <= whole.bytes.size(); ++length) {
      const Bytes exact(whole.bytes.begin(), whole.bytes.begin() + length);  // so that a sanitizer sees the end
      EXPECT_EQ(parse_icmp_error({exact.data(), length, length, 0}, whole.place).has_value(),
                length == whole.bytes.size())
          << "the frame ends before the IP packet does";
      const auto all = static_cast<uint32_t>(whole.bytes.size());
      EXPECT_EQ(parse_icmp_error({exact.data(), length, all, 0}, whole.place).has_value(), length >= needed)
          << "the rest lies in another segment";
    }
  }
}

TEST(IcmpChecksum, RightWrongAndUnknown) {
  for (const Frame& good : {error4(3, 4, quote4()), error4(11, 0, quote4(17, kPorts + Bytes{7})),
                            error6(2, 0, quote6()), error6(1, 4, quote6(17, kPorts + Bytes{7}))}) {
    EXPECT_EQ(check_icmp_checksum(good.view(), good.place), ChecksumVerdict::kGood);
    for (size_t at = good.place.l4_offset; at < good.bytes.size(); ++at) {
      Frame bad = good;
      bad.bytes[at] ^= 0x20;
      ASSERT_EQ(check_icmp_checksum(bad.view(), bad.place), ChecksumVerdict::kBad) << at;
    }
    Frame padded = good;
    padded.bytes.insert(padded.bytes.end(), 9, 0xee);
    EXPECT_EQ(check_icmp_checksum(padded.view(), padded.place), ChecksumVerdict::kGood) << "padding does not count";
    const auto length = static_cast<uint32_t>(good.bytes.size());
    EXPECT_EQ(check_icmp_checksum({good.bytes.data(), length - 1, length, 0}, good.place), ChecksumVerdict::kUnknown);
    EXPECT_EQ(check_icmp_checksum({good.bytes.data(), length - 1, length - 1, 0}, good.place), ChecksumVerdict::kBad);
  }
  Frame other_source = error6(2, 0, quote6());
  other_source.bytes[kL3 + 9] ^= 1;
  EXPECT_EQ(check_icmp_checksum(other_source.view(), other_source.place), ChecksumVerdict::kBad) << "pseudo-header";
}

TEST(IcmpChecksum, SegmentBySegment) {
  for (const Frame& frame : {error4(3, 4, quote4(17, kPorts + Bytes{7})), error6(2, 0, quote6())}) {
    const auto message = std::span(frame.bytes).subspan(frame.place.l4_offset);
    ASSERT_EQ(icmp_message_length(frame.view(), frame.place), message.size());
    for (size_t cut = 0; cut <= message.size(); ++cut) {
      InternetSum sum = icmp_pseudo_header_sum(frame.view(), frame.place);
      sum.add(message.first(cut));
      sum.add(message.subspan(cut));
      EXPECT_TRUE(sum.good()) << cut;
    }
  }
}

TEST(InternetSum, PiecesOfAnyLengthMakeTheSame) {
  // RFC 1071, section 3: 0001 f203 f4f5 f6f7 sum up to ddf2.
  EXPECT_EQ(internet_checksum(Bytes{0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7}).host(), static_cast<uint16_t>(~0xddf2));
  EXPECT_EQ(internet_checksum({}).host(), 0xffff);
  std::mt19937 engine(17);
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes(engine() % 200);
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(round % 5 == 0 ? 0xff : engine());
    InternetSum sum, by_view;
    for (size_t at = 0; at < bytes.size();) {
      const size_t length = std::min<size_t>(engine() % 9, bytes.size() - at);
      sum.add(std::span(bytes).subspan(at, length));
      const auto all = static_cast<uint32_t>(bytes.size());
      by_view.add({bytes.data(), all, all, 0}, static_cast<uint32_t>(at), static_cast<uint32_t>(length));
      at += length;
    }
    ASSERT_EQ(sum.checksum().host(), naive_checksum(bytes)) << round;
    ASSERT_EQ(by_view.checksum().host(), naive_checksum(bytes)) << round;
  }
}

}  // namespace
}  // namespace lbdp::dataplane
