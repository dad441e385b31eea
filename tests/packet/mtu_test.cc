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

// Without DF there is nothing to tell (RFC 1191); the director itself does not cut packets.
TEST_P(Mtu, WithoutDontFragment) {
  const auto& [name, opening, mtu] = GetParam();
  Director director;
  director.publish(tables(mtu));
  const Frame big = packet_of(opening, mtu + 1U, 0);
  const Outcome outcome = director.send(big);
  EXPECT_EQ(outcome.drops, drops("too_big"));
  EXPECT_EQ(outcome.sent.size(), big.is_v6() ? 1U : 0U);
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

}  // namespace
}  // namespace lbdp::packet_tests
