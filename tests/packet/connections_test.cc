// SPDX-License-Identifier: BSD-2-Clause
// A connection's life in the worker: states, counts, timeouts, reuse, and a table that is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

const std::string kClient = "10.0.0.1";
const char* const kServer1 = "192.0.2.101:80";

class Connections : public testing::Test {
 protected:
  Connections() { director_.publish(web_and_dns(2)); }

  unsigned send_tcp(uint8_t flags, uint16_t port = 40000) {
    return server_of(director_.send(tcp(kClient, port, flags)));
  }
  bool punted(uint8_t flags, uint16_t port = 40000) {
    return director_.send(tcp(kClient, port, flags)).punted.size() == 1;
  }
  std::string state() {
    const auto rows = director_.connections();
    return rows.size() == 1 ? std::string(rows[0].state) : std::to_string(rows.size()) + " connections";
  }
  // active, inactive, ever, of server 1
  std::vector<uint64_t> counts(const ServiceKey& key = kWeb) {
    const auto c = director_.counters(key, kServer1);
    return {c.active, c.inactive, c.connections};
  }

  Director director_;
};

TEST_F(Connections, GoThroughTheStatesOfTheClientsHalf) {
  EXPECT_EQ(send_tcp(kSyn), 1U);
  EXPECT_EQ(state(), "SYN_RECV");
  EXPECT_THAT(counts(), ElementsAre(1, 0, 1));
  EXPECT_EQ(send_tcp(kAck), 1U);
  EXPECT_EQ(state(), "ESTABLISHED");
  EXPECT_THAT(counts(), ElementsAre(1, 0, 1));
  EXPECT_EQ(send_tcp(kAck | kPsh), 1U);
  EXPECT_EQ(send_tcp(0), 1U) << "a segment without flags belongs to its connection and changes nothing";
  EXPECT_EQ(state(), "ESTABLISHED");
  EXPECT_EQ(send_tcp(kFin | kAck), 1U);
  EXPECT_EQ(state(), "FIN_WAIT");
  EXPECT_THAT(counts(), ElementsAre(0, 1, 1));
  EXPECT_EQ(send_tcp(kAck), 1U);
  EXPECT_EQ(state(), "FIN_WAIT");
  EXPECT_EQ(send_tcp(kRst), 1U);
  EXPECT_EQ(state(), "CLOSE");
  EXPECT_THAT(counts(), ElementsAre(0, 1, 1));
}

TEST_F(Connections, UdpCountsAsInactive) {
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U);
  EXPECT_EQ(state(), "UDP");
  EXPECT_THAT(counts(kDns), ElementsAre(0, 1, 1));
}

TEST_F(Connections, CountPacketsAndIpBytes) {
  Frame f = tcp(kClient, 40000, kSyn);
  f.pad_to = 100;
  director_.send(f);
  f = tcp(kClient, 40000, kAck);
  f.payload = std::string(1000, 'x');
  director_.send(f);
  const auto c = director_.counters(kWeb, kServer1);
  EXPECT_EQ(c.packets, 2U);
  EXPECT_EQ(c.bytes, 40U + 1040U) << "IP length: no padding, no Ethernet";
}

TEST_F(Connections, AreListedWithTheirEnds) {
  send_tcp(kSyn, 1234);
  director_.advance(seconds(10));
  const auto rows = director_.connections();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].protocol, Protocol::kTcp);
  EXPECT_EQ(rows[0].client.to_string(), "10.0.0.1:1234");
  EXPECT_EQ(rows[0].virtual_server.to_string(), "192.0.2.10:80");
  EXPECT_EQ(rows[0].real_server.to_string(), kServer1);
  EXPECT_EQ(rows[0].expires_in.count(), 50);
  EXPECT_EQ(director_.status().connections, 1U);
}

// How much longer than its lifetime a steady connection lives at most (TimeoutTable::patience(): a 64th of UDP's 300 s,
// in whole ticks), because its entry is not written for every packet. All other states end to the tick.
constexpr milliseconds kPatience(4500), kOneTick(250);

// Each timeout to the quarter second: alive at its end, dead one tick later.
struct Life {
  std::vector<uint8_t> flags;
  const char* state;
  int seconds;
  milliseconds patience{0};
};
class Timeout : public Connections, public testing::WithParamInterface<Life> {};

TEST_P(Timeout, IsExact) {
  for (const bool late : {false, true}) {
    const uint16_t port = late ? 40001 : 40000;
    for (const uint8_t flags : GetParam().flags) ASSERT_NE(send_tcp(flags, port), 0U);
    const auto rows = director_.connections();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].state, GetParam().state);
    EXPECT_EQ(rows[0].expires_in, seconds(GetParam().seconds));
    director_.advance(seconds(GetParam().seconds) + GetParam().patience + (late ? kOneTick : milliseconds(0)));
    EXPECT_EQ(punted(kAck, port), late);
    director_.advance(seconds(1000));  // over for both
    director_.sweep_all();
    EXPECT_EQ(director_.status().connections, 0U);
    const auto c1 = director_.counters(kWeb, kServer1), c2 = director_.counters(kWeb, "192.0.2.102:80");
    EXPECT_EQ(c1.active + c1.inactive + c2.active + c2.inactive, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(States, Timeout,
                         testing::Values(Life{{kSyn}, "SYN_RECV", 60},
                                         Life{{kSyn, kAck}, "ESTABLISHED", 900, kPatience},
                                         Life{{kSyn, kAck, kFin | kAck}, "FIN_WAIT", 120},
                                         Life{{kSyn, kFin | kAck}, "TIME_WAIT", 120},
                                         Life{{kSyn, kAck, kRst}, "CLOSE", 10}),
                         [](const auto& one) { return std::string(one.param.state); });

// The entry may lag behind the last packet by as much as it lives longer: the lifetime after the last packet is whole.
TEST_F(Connections, SteadyOnesLiveNoShorterThanTheirLifetimeAfterTheLastPacket) {
  send_tcp(kSyn);
  send_tcp(kAck);
  director_.send(udp(kClient, 5000));
  director_.advance(kPatience);
  send_tcp(kAck);
  director_.send(udp(kClient, 5000));
  director_.advance(seconds(300));
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U);
  director_.advance(seconds(600));
  EXPECT_EQ(send_tcp(kAck), 1U);
  EXPECT_EQ(director_.status().connections, 2U);
}

TEST_F(Connections, UdpLivesFor300SecondsAfterItsLastPacketAndALittle) {
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U);
  director_.advance(seconds(300));
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U) << "alive, and refreshed";
  director_.advance(seconds(300) + kPatience);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U) << "alive, and refreshed";
  director_.advance(seconds(300) + kPatience + kOneTick);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 2U) << "a new connection, and it is server 2's turn";
  EXPECT_EQ(director_.status().connections, 1U);
  EXPECT_EQ(director_.counters(kDns, kServer1).inactive, 0U);
}

TEST_F(Connections, ExpireUnderASweepWithoutAPacket) {
  send_tcp(kSyn);
  director_.advance(seconds(30));
  director_.sweep_all();
  EXPECT_EQ(director_.status().connections, 1U);
  director_.advance(seconds(30));
  director_.sweep_all();
  EXPECT_EQ(director_.status().connections, 0U);
  EXPECT_THAT(counts(), ElementsAre(0, 0, 1));
}

TEST(ConnectionTimeouts, CanBeSetUpTo31Days) {
  const seconds days(31 * 86400);
  Director director({.timeouts = {days, seconds(5), seconds(1)}});
  director.publish(web_and_dns(1));
  director.send(tcp(kClient, 1, kSyn));
  director.send(tcp(kClient, 1, kAck));
  EXPECT_EQ(director.connections().at(0).expires_in, days);
  director.advance(days);
  director.sweep_all();  // eight seconds more
  EXPECT_EQ(director.status().connections, 0U);
  director.send(tcp(kClient, 1, kSyn));
  director.send(tcp(kClient, 1, kAck));
  director.advance(days);
  EXPECT_EQ(server_of(director.send(tcp(kClient, 1, kAck))), 1U);
  director.send(tcp(kClient, 1, kFin | kAck));
  director.advance(milliseconds(5250));
  EXPECT_EQ(director.send(tcp(kClient, 1, kAck)).punted.size(), 1U);
}

TEST_F(Connections, RetransmittedSynStays) {
  EXPECT_EQ(send_tcp(kSyn), 1U);
  EXPECT_EQ(send_tcp(kSyn), 1U);
  EXPECT_THAT(counts(), ElementsAre(1, 0, 1));
  EXPECT_EQ(send_tcp(kAck), 1U);
  EXPECT_EQ(send_tcp(kSyn), 1U) << "on an established connection, too";
  EXPECT_EQ(state(), "ESTABLISHED");
}

// Port reuse: the client has closed, and begins anew from the same port.
class Reuse : public Connections, public testing::WithParamInterface<Life> {};

TEST_P(Reuse, StaysOnASynAck) {
  for (const uint8_t flags : GetParam().flags) ASSERT_EQ(send_tcp(flags), 1U);
  EXPECT_EQ(send_tcp(kSyn | kAck), 1U);
}

TEST_P(Reuse, MovesOnAPlainSyn) {
  for (const uint8_t flags : GetParam().flags) ASSERT_EQ(send_tcp(flags), 1U);
  ASSERT_EQ(state(), GetParam().state);
  EXPECT_EQ(send_tcp(kSyn), 2U);
  EXPECT_EQ(state(), "SYN_RECV");
  EXPECT_THAT(counts(), ElementsAre(0, 0, 1));
  const auto c2 = director_.counters(kWeb, "192.0.2.102:80");
  EXPECT_EQ(c2.active, 1U);
  EXPECT_EQ(send_tcp(kAck), 2U);
}

INSTANTIATE_TEST_SUITE_P(States, Reuse,
                         testing::Values(Life{{kSyn, kAck, kFin | kAck}, "FIN_WAIT", 0},
                                         Life{{kSyn, kFin | kAck}, "TIME_WAIT", 0},
                                         Life{{kSyn, kAck, kRst}, "CLOSE", 0}),
                         [](const auto& one) { return std::string(one.param.state); });

TEST_F(Connections, SameClientPortToTwoServicesIsTwoConnections) {
  EXPECT_EQ(send_tcp(kSyn, 5000), 1U);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 5000))), 1U);
  EXPECT_EQ(director_.status().connections, 2U);
}

TEST_F(Connections, WholeConnectionInOneBurst) {
  const auto outcome = director_.send({tcp(kClient, 7, kSyn).bytes(), tcp(kClient, 8, kSyn).bytes(),
                                       tcp(kClient, 7, kAck).bytes(), tcp(kClient, 8, kAck).bytes(),
                                       tcp(kClient, 7, kAck | kPsh).bytes(), tcp(kClient, 7, kFin | kAck).bytes()});
  std::vector<unsigned> servers;
  for (const auto& sent : outcome.sent) servers.push_back(server_of(sent));
  EXPECT_THAT(servers, ElementsAre(1, 2, 1, 2, 1, 1));
  EXPECT_EQ(director_.status().connections, 2U);
  EXPECT_THAT(counts(), ElementsAre(0, 1, 1));
}

TEST_F(Connections, KeepTheOrderOfArrivalWithinABurst) {
  send_tcp(kSyn, 7);
  std::vector<Bytes> burst;
  for (uint16_t i = 0; i < 30; ++i) {  // known and new connections mixed
    Frame f = i % 3 == 0 ? tcp(kClient, static_cast<uint16_t>(100 + i), kSyn) : tcp(kClient, 7, kAck);
    f.ttl = static_cast<uint8_t>(i + 1);
    burst.push_back(f.bytes());
  }
  const auto outcome = director_.send(burst);
  ASSERT_EQ(outcome.sent.size(), 30U);
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(outcome.sent[i].bytes[22], i + 1);
}

Frame numbered(unsigned i, uint8_t flags) {
  return tcp("10.1." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1), 40000, flags);
}

// A full table costs stickiness at most: every connection is served, the stored ones keep their server, and one that
// found no room goes where its hash says, packet after packet.
TEST(FullTable, ServesEveryoneAndForgetsNoOne) {
  constexpr unsigned kFlows = 600;
  Director director({.connections = 64});
  director.publish(web_and_dns(4));
  std::vector<unsigned> chosen;
  for (unsigned i = 0; i < kFlows; ++i) {
    chosen.push_back(server_of(director.send(numbered(i, kSyn))));
    ASSERT_NE(chosen.back(), 0U) << i;
  }
  const auto status = director.status();
  EXPECT_EQ(status.connections + status.unstored, kFlows);
  EXPECT_GT(status.connections, status.connections_limit * 3 / 4);
  for (unsigned i = 0; i < kFlows; ++i) EXPECT_EQ(server_of(director.send(numbered(i, kAck))), chosen[i]) << i;
  EXPECT_EQ(director.connections().size(), status.connections);
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(FullTable, RoundRobinIsNotMovedByWhatFindsNoRoom) {
  Director director({.connections = 64});
  director.publish(web_and_dns(4));
  for (unsigned i = 0; i < 600; ++i) director.send(numbered(i, kSyn));
  uint64_t most = 0, least = UINT64_MAX;
  for (unsigned s = 1; s <= 4; ++s) {
    const uint64_t scheduled = director.counters(kWeb, "192.0.2." + std::to_string(100 + s) + ":80").connections;
    most = std::max(most, scheduled);
    least = std::min(least, scheduled);
  }
  EXPECT_LE(most - least, 1U);
}

TEST(FullTable, RecoversWhenConnectionsEnd) {
  Director director({.connections = 64});
  director.publish(web_and_dns(2));
  for (unsigned i = 0; i < 600; ++i) director.send(numbered(i, kSyn));
  director.advance(seconds(61));
  const uint64_t unstored = director.status().unstored;
  for (unsigned i = 1000; i < 1020; ++i) EXPECT_NE(server_of(director.send(numbered(i, kSyn))), 0U);
  EXPECT_EQ(director.status().unstored, unstored) << "dead connections make room before the sweep has come";
  // While a connection that found no room may live, a segment without a connection may be its. Then no more.
  EXPECT_NE(server_of(director.send(numbered(5000, kAck))), 0U);
  director.advance(seconds(900));
  EXPECT_EQ(director.send(numbered(5000, kAck)).punted.size(), 1U);
}

}  // namespace
}  // namespace lbdp::packet_tests
