// SPDX-License-Identifier: BSD-2-Clause
// Version 3 (RFC 5798), IPv6, unicast.
#include <gtest/gtest.h>

#include <functional>

#include "vrrp/packet.h"

namespace lbdp::vrrp {
namespace {

using std::chrono::milliseconds;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// What keepalived 2.2.7 sends with `version 3`, `advert_int 0.2`, priority 150; captured with tcpdump.
const std::vector<uint8_t> kIpv4FromKeepalived = {
    0x45, 0xc0, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0x18, 0x99, 0xc0, 0x00, 0x02, 0x01,  // IPv4
    0xe0, 0x00, 0x00, 0x12, 0x31, 0x96, 0x96, 0x01, 0x00, 0x14, 0xd3, 0x5f, 0xc0, 0x00, 0x02, 0x63};
const std::vector<uint8_t> kIpv6FromKeepalived = {0x31, 0x96, 0x96, 0x01, 0x00, 0x14, 0x0c, 0xe3,
                                                  0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
                                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x99};

struct Kind {
  const char* name;
  const char* source;
  const char* destination;
  const char* address;
};

const Kind kIpv4{"ipv4", "192.0.2.1", "224.0.0.18", "192.0.2.99"};
const Kind kIpv6{"ipv6", "fe80::ff:fe00:1", "ff02::12", "2001:db8::99"};

Expectation expectation(const Kind& kind) {
  Expectation expected;
  expected.version = kVersion3;
  expected.advert_int = milliseconds(200);
  expected.multicast_group = ip(kind.destination);
  expected.addresses = {ip(kind.address)};
  return expected;
}

OutgoingAdvertisement advertisement(const Kind& kind) {
  OutgoingAdvertisement out;
  out.version = kVersion3;
  out.source = ip(kind.source);
  out.destination = ip(kind.destination);
  out.ip_id = 1;
  out.virtual_router_id = 150;
  out.priority = 150;
  out.advert_int = milliseconds(200);
  out.addresses = {ip(kind.address)};
  return out;
}

/// A message as the socket of its family gives it.
struct Arrival {
  explicit Arrival(const OutgoingAdvertisement& out) : bytes(encode_message(out)) {
    message = {.source = out.source,
               .destination = out.destination,
               .ttl = out.ttl,
               .protocol = kIpProtocolVrrp,
               .bytes = bytes};
  }
  std::vector<uint8_t> bytes;
  Message message;
};

TEST(PacketV3, SendsWhatKeepalivedSends) {
  EXPECT_EQ(encode(advertisement(kIpv4)), kIpv4FromKeepalived);
  EXPECT_EQ(encode(advertisement(kIpv6)), kIpv6FromKeepalived);
}

TEST(PacketV3, ReadsWhatKeepalivedSends) {
  const auto ipv4 = decode(unwrap_ipv4(kIpv4FromKeepalived).value(), expectation(kIpv4));
  ASSERT_TRUE(ipv4) << ipv4.error().detail;
  const Arrival arrival(advertisement(kIpv6));
  const auto ipv6 = decode(arrival.message, expectation(kIpv6));
  ASSERT_TRUE(ipv6) << ipv6.error().detail;
  for (const Advertisement& got : {*ipv4, *ipv6}) {
    EXPECT_EQ(got.virtual_router_id, 150);
    EXPECT_EQ(got.priority, 150);
    EXPECT_EQ(got.advert_int, milliseconds(200));
    EXPECT_TRUE(got.addresses_match);
    EXPECT_FALSE(got.plain_checksum);
  }
  EXPECT_EQ(ipv6->source, ip(kIpv6.source));
}

TEST(PacketV3, TakesBothReadingsOfTheChecksumOverIpv4) {
  auto out = advertisement(kIpv4);
  out.plain_checksum = true;
  const Arrival arrival(out);
  EXPECT_EQ(internet_checksum(arrival.bytes), 0);
  const auto got = decode(arrival.message, expectation(kIpv4));
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->plain_checksum);
}

TEST(PacketV3, TakesOnlyTheOneWithPseudoHeaderOverIpv6) {
  auto out = advertisement(kIpv6);
  out.plain_checksum = true;  // means nothing over IPv6
  EXPECT_TRUE(decode(Arrival(out).message, expectation(kIpv6)));
  Arrival arrival(out);
  arrival.bytes[6] = arrival.bytes[7] = 0;
  const uint16_t plain = internet_checksum(arrival.bytes);
  arrival.bytes[6] = static_cast<uint8_t>(plain >> 8);
  arrival.bytes[7] = static_cast<uint8_t>(plain & 0xff);
  const auto got = decode(arrival.message, expectation(kIpv6));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().reason, Reject::kBadChecksum);
}

TEST(PacketV3, AnotherIntervalIsForTheInstanceToLearn) {
  for (const auto& [sent, heard] : {std::pair{milliseconds(10), milliseconds(10)},
                                    {milliseconds(40'950), milliseconds(40'950)},
                                    {milliseconds(60'000), milliseconds(40'950)}}) {
    auto out = advertisement(kIpv4);
    out.advert_int = sent;
    const auto got = decode(Arrival(out).message, expectation(kIpv4));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->advert_int, heard);
  }
}

/// RFC 5798 section 5.2.6: to be ignored on reception.
TEST(PacketV3, TheReservedBitsMeanNothing) {
  Arrival arrival(advertisement(kIpv6));
  arrival.bytes[4] |= 0xf0;
  const unsigned sum = (arrival.bytes[6] << 8 | arrival.bytes[7]) - 0xf000u;
  const unsigned folded = (sum & 0xffff) - (sum >> 16 != 0 ? 1 : 0);
  arrival.bytes[6] = static_cast<uint8_t>(folded >> 8);
  arrival.bytes[7] = static_cast<uint8_t>(folded & 0xff);
  const auto got = decode(arrival.message, expectation(kIpv6));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->advert_int, milliseconds(200));
}

struct Change {
  const char* name;
  std::function<void(Arrival&)> change;
  Reject reason;
};

class RejectionsV3 : public testing::TestWithParam<Change> {};

TEST_P(RejectionsV3, NamesTheFirstCheckThatFails) {
  for (const Kind& kind : {kIpv4, kIpv6}) {
    Arrival arrival(advertisement(kind));
    GetParam().change(arrival);
    arrival.message.bytes = arrival.bytes;
    const auto got = decode(arrival.message, expectation(kind));
    ASSERT_FALSE(got) << kind.name;
    EXPECT_EQ(to_string(got.error().reason), to_string(GetParam().reason)) << kind.name;
  }
}

const Change kChanges[] = {
    {"other_family", [](Arrival& a) { a.message.source = a.message.source.is_v4() ? ip("fe80::1") : ip("192.0.2.1"); },
     Reject::kMalformedIp},
    {"empty", [](Arrival& a) { a.bytes.clear(); }, Reject::kBadLength},
    {"cut", [](Arrival& a) { a.bytes.pop_back(); }, Reject::kBadLength},
    {"longer", [](Arrival& a) { a.bytes.push_back(0); }, Reject::kBadLength},
    {"count", [](Arrival& a) { a.bytes[3] = 255; }, Reject::kBadLength},
    {"ttl", [](Arrival& a) { a.message.ttl = 254; }, Reject::kBadTtl},
    {"version_4", [](Arrival& a) { a.bytes[0] = 0x41, a.bytes.resize(a.bytes.size() + 8); }, Reject::kBadVersion},
    {"version_2", [](Arrival& a) { a.bytes[0] = 0x21, a.bytes.resize(a.bytes.size() + 8); }, Reject::kBadVersion},
    {"type", [](Arrival& a) { a.bytes[0] = 0x32; }, Reject::kBadType},
    {"checksum", [](Arrival& a) { a.bytes[7] ^= 1; }, Reject::kBadChecksum},
    {"priority_is_covered", [](Arrival& a) { a.bytes[2] = 255; }, Reject::kBadChecksum},
    {"source_is_covered",
     [](Arrival& a) { a.message.source = a.message.source.is_v4() ? ip("192.0.2.3") : ip("fe80::3"); },
     Reject::kBadChecksum},
};

INSTANTIATE_TEST_SUITE_P(PacketV3, RejectionsV3, testing::ValuesIn(kChanges),
                         [](const auto& row) { return std::string(row.param.name); });

// --- unicast

struct Unicast : testing::Test {
  Unicast() {
    expected.unicast_peers = {{ip("192.0.2.1"), 253, 254}};
    out.destination = ip("192.0.2.2");
    out.ttl = 254;
  }
  Expectation expected = expectation(kIpv4);
  OutgoingAdvertisement out = advertisement(kIpv4);

  std::string result() {
    const auto got = decode(Arrival(out).message, expected);
    return got ? "ok" : std::string(to_string(got.error().reason));
  }
};

TEST_F(Unicast, APeerIsHeard) {
  EXPECT_EQ(result(), "ok");
}

TEST_F(Unicast, ThePeersTtlIsWithinItsBounds) {
  for (const auto& [ttl, wanted] :
       {std::pair{252, "bad_ttl"}, {253, "ok"}, {254, "ok"}, {255, "bad_ttl"}, {0, "bad_ttl"}}) {
    out.ttl = static_cast<uint8_t>(ttl);
    EXPECT_EQ(result(), wanted) << ttl;
  }
}

TEST_F(Unicast, AStrangerIsHeardUnlessTheSourceIsChecked) {
  out.source = ip("192.0.2.7");
  out.ttl = 5;
  EXPECT_EQ(result(), "ok");
  expected.check_unicast_src = true;
  EXPECT_EQ(result(), "unknown_peer");
}

TEST_F(Unicast, TheGroupIsAnotherMode) {
  out.destination = ip("224.0.0.18");
  EXPECT_EQ(result(), "not_unicast");
  expected.unicast_peers.clear();
  out.ttl = 255;
  EXPECT_EQ(result(), "ok");
  out.destination = ip("192.0.2.2");
  EXPECT_EQ(result(), "not_multicast");
}

}  // namespace
}  // namespace lbdp::vrrp
