// SPDX-License-Identifier: BSD-2-Clause
// Packets longer than the MTU of the way to the real server, and what the client hears.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

constexpr uint16_t kDontFragment = 0x4000;

// The client's packet of so many bytes of IP.
Frame packet_of(Frame f, size_t ip_bytes, uint16_t fragment_field = kDontFragment) {
  const size_t grow = ip_bytes - f.ip_packet().size();
  for (size_t i = 0; i < grow; ++i) f.payload += static_cast<char>(i * 11 + i / 256);
  f.fragment_field = fragment_field;
  return f;
}
dataplane::Tables tables(uint16_t mtu, uint16_t vlan = 0) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) {
    service.real_servers.at(0).mtu = mtu;
    service.real_servers.at(0).vlan = vlan;
  }
  return tables;
}
// RFC 1191 and RFC 4443, 3.2: the next hop's MTU, and the packet's beginning.
Frame too_big(const Frame& about, uint32_t mtu) {
  const size_t most = about.is_v6() ? 1280 - 48 : 576 - 28;
  Frame reply =
      about.is_v6() ? icmp_error(about.dst, 2, 0, about, most, mtu) : icmp_error(about.dst, 3, 4, about, most, mtu);
  reply.dst_mac = about.src_mac, reply.src_mac = about.dst_mac;
  reply.vlan_tci = about.vlan_tci;
  if (!about.is_v6()) reply.tos = 0xc0, reply.id = 0, reply.fragment_field = kDontFragment;
  return reply;
}

// The pieces that go to server 1, of a packet to a link of this MTU (RFC 791, 3.2).
std::vector<Frame> in_pieces(const Frame& frame, size_t mtu) {
  const size_t header = 20 + frame.ip_options.size(), most = std::min<size_t>(mtu, 2048 - 14);
  return fragments_of(frame, (most - header) / 8 * 8);
}
void expect_pieces(const Outcome& outcome, const std::vector<Frame>& pieces) {
  EXPECT_EQ(outcome.drops.size(), 0U);
  EXPECT_EQ(outcome.replies, 0U);
  ASSERT_EQ(outcome.sent.size(), pieces.size());
  ASSERT_GT(pieces.size(), 1U);
  for (size_t i = 0; i < pieces.size(); ++i)
    EXPECT_EQ(hex(outcome.sent[i].bytes), hex(sent_to(1, pieces[i].bytes()))) << i;
}

struct Case {
  std::string name;
  Frame opening;
  uint16_t mtu;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const uint16_t mtu : std::initializer_list<uint16_t>{1280, 1492, 1500, 9000}) {
    for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
      const std::string tail = (client[0] == '1' ? "_v4_" : "_v6_") + std::to_string(mtu);
      out.push_back({"tcp" + tail, tcp(client, 1, kSyn), mtu});
      out.push_back({"udp" + tail, udp(client, 1), mtu});
      out.push_back({"sctp" + tail, sctp(client, 1, kInitChunk), mtu});
    }
  }
  return out;
}

class Mtu : public testing::TestWithParam<Case> {};

TEST_P(Mtu, WhatFitsGoesWhatDoesNotIsAnswered) {
  const auto& [name, opening, mtu] = GetParam();
  Director director;
  director.publish(tables(mtu));
  expect_fate(director, opening, forwarded());
  expect_fate(director, packet_of(opening, mtu), forwarded());
  for (const size_t more : {1, 60, 900}) {
    const Frame big = packet_of(opening, mtu + more);
    const Outcome outcome = director.send(big);
    EXPECT_EQ(outcome.drops, drops("too_big"));
    EXPECT_EQ(outcome.replies, 1U);
    ASSERT_EQ(outcome.sent.size(), 1U);
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(too_big(big, mtu).bytes()));
    EXPECT_TRUE(adds_up(director.status()));
  }
  EXPECT_EQ(director.connections().size(), 1U);
}

// Without DF there is nothing to tell (RFC 1191): IPv4 goes in pieces, IPv6 has no such packets.
TEST_P(Mtu, WithoutDontFragment) {
  const auto& [name, opening, mtu] = GetParam();
  Director director;
  director.publish(tables(mtu));
  expect_fate(director, opening, forwarded());
  const Frame big = packet_of(opening, mtu + 1U, 0);
  const Outcome outcome = director.send(big);
  if (big.is_v6()) {
    EXPECT_EQ(outcome.drops, drops("too_big"));
    EXPECT_EQ(outcome.sent.size(), 1U);
  } else {
    expect_pieces(outcome, in_pieces(big, mtu));
    EXPECT_EQ(director.status().cut, 1U);
    EXPECT_EQ(director.status().pieces, outcome.sent.size());
    EXPECT_EQ(director.status().transmitted, 2U);
  }
  EXPECT_TRUE(adds_up(director.status()));
}

INSTANTIATE_TEST_SUITE_P(Cases, Mtu, testing::ValuesIn(cases()), [](const auto& one) { return one.param.name; });

// The tag and the Ethernet trailer do not count.
TEST(MtuCounts, BytesOfIp) {
  Director director;
  director.publish(tables(1500, 100));
  Frame f = packet_of(udp("10.0.0.1", 1), 1500);
  f.vlan_tci = 7, f.pad_to = 1600;
  EXPECT_EQ(director.send(f).sent.size(), 1U);
  f = packet_of(udp("10.0.0.1", 1), 1501);
  EXPECT_EQ(director.send(f).drops, drops("too_big"));
}

TEST(MtuReplies, GoBackToTheClientsVlan) {
  Director director;
  director.publish(tables(1500, 100));
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    Frame f = packet_of(udp(client, 1), 1501);
    f.vlan_tci = 0x6007;
    Outcome outcome = director.send(f);
    ASSERT_EQ(outcome.sent.size(), 1U);
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(too_big(f, 1500).bytes()));
    const Bytes untagged = without_tag(f.bytes());
    outcome = director.send({untagged}, 0, 0, {.stripped_tci = 0x6007, .tag_stripped = true});
    ASSERT_EQ(outcome.sent.size(), 1U);
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(too_big(f, 1500).bytes()));
  }
}

// Of one virtual server's links the connection's own counts.
TEST(MtuCounts, EachServersOwn) {
  Director director;
  auto tables = both_families(3);
  for (auto& service : tables.virtual_servers) {
    service.real_servers[1].mtu = 9000;
    service.real_servers[2].mtu = 1400;
  }
  director.publish(tables);
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    for (uint16_t port = 1; port <= 3; ++port) expect_fate(director, udp(client, port), forwarded(port));
    const uint16_t kMtu[] = {1500, 9000, 1400};
    for (uint16_t port = 1; port <= 3; ++port) {
      const uint16_t mtu = kMtu[port - 1];
      expect_fate(director, packet_of(udp(client, port), mtu), forwarded(port));
      const Frame big = packet_of(udp(client, port), mtu + 1U);
      const Outcome outcome = director.send(big);
      ASSERT_EQ(outcome.sent.size(), 1U);
      EXPECT_EQ(hex(outcome.sent[0].bytes), hex(too_big(big, mtu).bytes()));
    }
  }
}

// The link's MTU changes under a connection.
TEST(MtuCounts, AsOfNow) {
  Director director;
  director.publish(tables(9000));
  const Frame f = packet_of(udp("10.0.0.1", 1), 5000);
  expect_fate(director, f, forwarded());
  director.publish(tables(1500));
  EXPECT_EQ(director.send(f).drops, drops("too_big"));
  director.publish(tables(9000));
  expect_fate(director, f, forwarded());
}

// A link narrower than the protocol allows: the least that a host must believe (RFC 791; RFC 8200, section 5).
TEST(MtuReplies, NeverNameLessThanTheProtocolsMinimum) {
  Director director;
  director.publish(tables(60));
  const Frame v4 = packet_of(udp("10.0.0.1", 1), 100), v6 = packet_of(udp("2001:db8:1::1", 1), 100);
  EXPECT_EQ(hex(director.send(v4).sent.at(0).bytes), hex(too_big(v4, 68).bytes()));
  EXPECT_EQ(hex(director.send(v6).sent.at(0).bytes), hex(too_big(v6, 1280).bytes()));
}

TEST(MtuReplies, AreRateLimited) {
  Director director({.policing = {.replies = {2, 3}}});
  director.publish(tables(1500));
  const Outcome outcome = director.send(std::vector<Bytes>(8, packet_of(udp("10.0.0.1", 1), 1501).bytes()));
  EXPECT_EQ(outcome.replies, 3U);
  EXPECT_EQ(outcome.drops, drops("too_big", 8));
  EXPECT_EQ(director.status().replies_policed, 5U);
  EXPECT_TRUE(adds_up(director.status()));
}

// A first fragment with DF tells the sender; later ones cannot.
TEST(MtuReplies, ForFragments) {
  Director director;
  director.publish(tables(1500));
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    Frame f = udp(client, 1);
    f.payload = std::string(4000, 'q'), f.fragment_field = kDontFragment;
    const auto parts = fragments_of(f, 2000);
    Outcome outcome = director.send(parts[0]);
    EXPECT_EQ(outcome.drops, drops("too_big"));
    EXPECT_EQ(outcome.replies, 1U);
    outcome = director.send(parts[1]);
    EXPECT_EQ(outcome.drops, drops("too_big"));
    EXPECT_EQ(outcome.replies, 0U);
  }
}

// ---- packets in pieces ----

TEST(Pieces, OfAPacketInSeveralBuffers) {
  Director director;
  director.publish(tables(1400));
  const Frame big = packet_of(udp("10.0.0.1", 1), 5000, 0);
  for (const size_t first : {60, 200, 1434, 2000}) {
    const Outcome outcome = director.send({big.bytes()}, 0, 0, {.segments = {first, 1000}});
    expect_pieces(outcome, in_pieces(big, 1400));
  }
}

TEST(Pieces, KeepTheirPlaceInTheBurst) {
  Director director;
  director.publish(tables(1400));
  const Frame small = udp("10.0.0.1", 1), big = packet_of(udp("10.0.0.1", 1), 2000, 0);
  const Outcome outcome = director.send({small.bytes(), big.bytes(), small.bytes()});
  ASSERT_EQ(outcome.sent.size(), 4U);
  const auto pieces = in_pieces(big, 1400);
  EXPECT_EQ(hex(outcome.sent[0].bytes), hex(sent_to(1, small.bytes())));
  EXPECT_EQ(hex(outcome.sent[1].bytes), hex(sent_to(1, pieces.at(0).bytes())));
  EXPECT_EQ(hex(outcome.sent[2].bytes), hex(sent_to(1, pieces.at(1).bytes())));
  EXPECT_EQ(hex(outcome.sent[3].bytes), hex(sent_to(1, small.bytes())));
  EXPECT_EQ(director.status().transmitted, 3U);
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(Pieces, AFragmentIsCutFurther) {
  Director director;
  director.publish(tables(1000));
  Frame f = udp("10.0.0.1", 1);
  f.payload = std::string(4000, 'q');
  for (const Frame& part : fragments_of(f, 2000)) {
    const Outcome outcome = director.send(part);
    ASSERT_GE(outcome.sent.size(), 1U);
    for (const auto& sent : outcome.sent) EXPECT_LE(sent.bytes.size(), 14U + 1000U);
  }
  EXPECT_EQ(director.status().cut, 2U);
  EXPECT_EQ(director.status().pieces, 6U);
}

TEST(Pieces, CarryTheTagOfTheServersVlan) {
  Director director;
  director.publish(tables(1400, 100));
  Frame big = packet_of(udp("10.0.0.1", 1), 2000, 0);
  const auto plain = in_pieces(big, 1400);
  big.vlan_tci = 0x6007;
  const Outcome outcome = director.send(big);
  ASSERT_EQ(outcome.sent.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    Frame piece = plain[i];
    piece.vlan_tci = 0x6064;
    EXPECT_EQ(hex(outcome.sent[i].bytes), hex(sent_to(1, piece.bytes())));
  }
}

// It must not become right on the way.
TEST(Pieces, NoneOfAPacketWithAWrongHeaderChecksum) {
  Director director;
  director.publish(tables(1400));
  Frame big = packet_of(udp("10.0.0.1", 1), 2000, 0);
  big.wrong_checksums = true;
  EXPECT_EQ(director.send(big).drops, drops("too_big"));
  EXPECT_EQ(director.status().cut, 0U);
}

// Nobody takes frames from the port: first the queue is full, or the pieces' buffers are all in it; then all goes on.
TEST(Pieces, NeverHoldUpTheRest) {
  Director director;
  director.publish(tables(68));
  const Bytes big = packet_of(udp("10.0.0.1", 1), 1500, 0).bytes();
  for (unsigned i = 0; i < 100; ++i) {
    Director::feed(big, 0, 0);
    director.worker().run_once();
  }
  const auto status = director.status();
  uint64_t dropped = 0;
  for (const auto& drop : status.drops) {
    if (drop.name == "no_piece_buffers" || drop.name == "tx_queue_full") dropped += drop.count;
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(status.cut + dropped, 100U);
  EXPECT_TRUE(adds_up(status));
  Director::drain_ports();
  EXPECT_EQ(director.send({big}).sent.size(), 31U);
}

}  // namespace
}  // namespace lbdp::packet_tests
