// SPDX-License-Identifier: BSD-2-Clause
// Too much of everything: full connection tables, no buffers, egress queues that are stuck, punt rings that nobody
// empties. Forwarding goes on as well as it can, the same way every time, and each frame is counted once. Full template
// tables are in persistence_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::PuntClass;
using dataplane::Tables;
using std::chrono::seconds;

// ---- full connection tables ----

// To a virtual server of one port (narrow keys) or of all ports (wide ones).
class FullTable : public testing::TestWithParam<bool> {
 protected:
  static constexpr uint32_t kRoom = 64;

  FullTable() : director_({.connections = kRoom, .wide_connections = kRoom}), tables_(web_and_dns(4)) {
    if (wide()) {
      for (auto& service : tables_.virtual_servers) service.key.endpoint.port = 0;
    }
    director_.publish(tables_);
  }
  static bool wide() { return GetParam(); }
  [[nodiscard]] uint64_t stored() const {
    const auto status = director_.status();
    return wide() ? status.wide_connections : status.connections;
  }
  [[nodiscard]] uint64_t limit() const {
    const auto status = director_.status();
    return wide() ? status.wide_connections_limit : status.connections_limit;
  }
  unsigned send(unsigned client, uint8_t flags) { return server_of(director_.send(segment(client, flags))); }
  // New connections until hardly any finds room.
  std::vector<unsigned> fill(unsigned first, unsigned count) {
    std::vector<unsigned> servers;
    for (unsigned i = first; i < first + count; ++i) servers.push_back(send(i, kSyn));
    return servers;
  }

  Director director_;
  Tables tables_;
};

TEST_P(FullTable, EstablishedConnectionsGoOnUnderAFloodOfNewOnes) {
  constexpr unsigned kEstablished = 40;
  std::vector<unsigned> home;
  for (unsigned i = 0; i < kEstablished; ++i) {
    home.push_back(send(i, kSyn));
    ASSERT_EQ(send(i, kAck), home[i]);
  }
  ASSERT_EQ(stored(), kEstablished);
  unsigned flooder = 100'000;
  for (int round = 0; round < 100; ++round) {
    std::vector<Bytes> burst;
    for (unsigned i = 0; i < 24; ++i) burst.push_back(segment(flooder++, kSyn).bytes());
    for (unsigned i = 0; i < 8; ++i) {
      burst.push_back(segment((static_cast<unsigned>(round) * 8 + i) % kEstablished, kAck).bytes());
    }
    const Outcome outcome = director_.send(burst);
    ASSERT_EQ(outcome.sent.size(), burst.size()) << "nobody is turned away";
    for (unsigned i = 0; i < 8; ++i) {
      EXPECT_EQ(server_of(outcome.sent[24 + i]), home[(static_cast<unsigned>(round) * 8 + i) % kEstablished]);
    }
  }
  const auto status = director_.status();
  EXPECT_EQ(stored() + status.unstored, kEstablished + 2400U);
  EXPECT_GT(stored(), limit() * 3 / 4);
  EXPECT_TRUE(adds_up(status));
}

TEST_P(FullTable, AConnectionWithoutRoomHasOneServer) {
  const auto home = fill(0, 600);
  ASSERT_EQ(std::count(home.begin(), home.end(), 0U), 0);
  const uint64_t unstored = director_.status().unstored;
  ASSERT_EQ(unstored + stored(), 600U);
  for (const uint8_t flags : {kSyn, kAck, static_cast<uint8_t>(kAck | kPsh), static_cast<uint8_t>(kFin | kAck)}) {
    for (unsigned i = 0; i < 600; ++i) ASSERT_EQ(send(i, flags), home[i]) << i << " flags " << unsigned{flags};
  }
  EXPECT_EQ(director_.status().unstored, 5 * unstored) << "each of their packets is counted";
  EXPECT_EQ(stored(), 600 - unstored);
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST_P(FullTable, WithoutRoomUdpHasOneServerToo) {
  std::vector<unsigned> home;
  const auto packet = [&](unsigned i) {
    Frame f = udp(segment(i, 0).src, 7000);
    return server_of(director_.send(f));
  };
  for (unsigned i = 0; i < 400; ++i) home.push_back(packet(i));
  ASSERT_EQ(std::count(home.begin(), home.end(), 0U), 0);
  for (unsigned i = 0; i < 400; ++i) EXPECT_EQ(packet(i), home[i]) << i;
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST_P(FullTable, SpreadsWhatFindsNoRoomByWeight) {
  tables_.virtual_servers[0].real_servers.resize(3);
  tables_.virtual_servers[0].real_servers[0].weight = 2;
  tables_.virtual_servers[0].real_servers[2].weight = 0;
  director_.publish(tables_);
  fill(0, 600);
  const uint64_t before = director_.status().unstored;
  const auto servers = fill(1000, 600);
  ASSERT_GT(director_.status().unstored - before, 550U);
  EXPECT_NEAR(static_cast<double>(std::count(servers.begin(), servers.end(), 1U)), 400, 45);
  EXPECT_NEAR(static_cast<double>(std::count(servers.begin(), servers.end(), 2U)), 200, 45);
}

TEST_P(FullTable, MovesOnlyAFailedServersShareOfWhatFoundNoRoom) {
  fill(0, 600);
  const auto home = fill(1000, 300);
  tables_.virtual_servers[0].real_servers[1].in_table = false;
  director_.publish(tables_);
  unsigned moved = 0;
  for (unsigned i = 0; i < 300; ++i) {
    const unsigned now = send(1000 + i, kAck);
    ASSERT_NE(now, 2U);
    ASSERT_NE(now, 0U);
    if (home[i] != 2 && now != home[i]) ++moved;
  }
  EXPECT_LE(moved, 30U) << moved;
}

TEST_P(FullTable, WithoutAUsableServerRefuses) {
  for (auto& real : tables_.virtual_servers[0].real_servers) real.weight = 0;
  fill(0, 600);
  director_.publish(tables_);
  const Outcome refused = director_.send(segment(5000, kSyn));
  EXPECT_EQ(refused.drops, (std::map<std::string, uint64_t>{{"no_real_server", 1}}));
  EXPECT_EQ(director_.send(segment(5001, kAck)).punted.size(), 1U) << "the kernel resets it";
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST_P(FullTable, CountsNoLoadOfWhatItDoesNotRemember) {
  tables_.virtual_servers[0].scheduler = dataplane::Scheduler::kWeightedLeastConnection;
  director_.publish(tables_);
  fill(0, 600);
  uint64_t active = 0;
  for (unsigned i = 1; i <= 4; ++i) {
    const auto load = director_.load(tables_.virtual_servers[0].key, server_name(i));
    EXPECT_NEAR(load.active, static_cast<double>(stored()) / 4, 1);
    active += load.active;
  }
  EXPECT_EQ(active, stored());
}

TEST_P(FullTable, HasRoomAgainWhenConnectionsEnd) {
  fill(0, 600);
  director_.advance(seconds(61));
  const uint64_t unstored = director_.status().unstored;
  fill(1000, 30);
  EXPECT_EQ(director_.status().unstored, unstored) << "dead ones make room before the sweep has come";
  director_.sweep_all();
  EXPECT_EQ(stored(), 30U);
}

INSTANTIATE_TEST_SUITE_P(Keys, FullTable, testing::Bool(),
                         [](const auto& one) { return one.param ? "wide" : "narrow"; });

// ---- no buffers ----

// A client without a server is told so in a buffer of the worker's own pool: while the wire takes nothing, none is
// left.
TEST(NoBuffers, RepliesAreLeftOutAndCounted) {
  constexpr unsigned kRefused = 900, kReplyBuffers = 511;
  DirectorOptions options;
  options.policing.replies = {1'000'000, 100'000};
  Director director(options);
  director.publish(web_and_dns(0));
  for (unsigned i = 0; i < kRefused; ++i) {
    Director::feed(segment(i, kSyn).bytes(), 0, 0);
    director.worker().run_once();
  }
  const auto status = director.status();
  EXPECT_EQ(status.replies, kReplyBuffers);
  EXPECT_EQ(status.replies_policed, kRefused - kReplyBuffers);
  EXPECT_EQ(drops_of(status, "no_real_server"), kRefused) << "whether the client is told or not";
  EXPECT_TRUE(adds_up(status));
  EXPECT_EQ(Director::drain_ports().size(), kReplyBuffers);
  EXPECT_EQ(director.send(segment(5000, kSyn)).replies, 1U) << "and then goes on";
}

// All receive buffers are in use: the driver receives nothing, which is not the worker's to count; it goes on.
TEST(NoBuffers, OfTheReceiveQueuesTheWorkerGoesOnWithWhatItHas) {
  Director director;
  director.publish(web_and_dns(2));
  for (unsigned i = 0; i < 20; ++i) Director::feed(segment(i, kSyn).bytes(), 0, 0);
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* const frame = rte_pktmbuf_alloc(Wires::get().pool())) taken.push_back(frame);
  director.worker().run_once();
  director.worker().run_once();
  EXPECT_EQ(director.status().transmitted, 20U);
  rte_pktmbuf_free_bulk(taken.data(), static_cast<unsigned>(taken.size()));
  EXPECT_EQ(Director::drain_ports().size(), 20U);
  EXPECT_EQ(server_of(director.send(segment(30, kSyn))), 1U);
  EXPECT_TRUE(adds_up(director.status()));
}

// ---- egress queues ----

// Server 1 is behind port 0, server 2 behind port 1.
class StuckQueue : public testing::Test {
 protected:
  StuckQueue() : tables_(web_and_dns(2)) {
    for (auto& service : tables_.virtual_servers) {
      service.real_servers[1].egress = dataplane::PortId{Wires::get().port_id(1)};
    }
    director_.publish(tables_);
  }
  // As a NIC whose link partner takes nothing.
  static void stick(uint16_t port, unsigned leave_room = 0) {
    rte_ring* const wire = Wires::get().from_port(port, 0);
    while (rte_ring_free_count(wire) > leave_room)
      ASSERT_EQ(rte_ring_enqueue(wire, rte_pktmbuf_alloc(Wires::get().pool())), 0);
  }

  Director director_;
  Tables tables_;
};

TEST_F(StuckQueue, IsCountedAndHoldsUpNoOtherPort) {
  stick(1);
  std::vector<Bytes> burst;
  for (unsigned i = 0; i < 32; ++i) burst.push_back(segment(i, kSyn).bytes());
  for (int round = 1; round <= 3; ++round) {
    for (const Bytes& frame : burst) Director::feed(frame, 0, 0);
    director_.worker().run_once();
    EXPECT_EQ(director_.status().transmitted, 16U * static_cast<unsigned>(round));
    EXPECT_EQ(drops_of(director_.status(), "tx_queue_full"), 16U * static_cast<unsigned>(round));
  }
  EXPECT_TRUE(adds_up(director_.status()));
  unsigned to_server_1 = 0;
  for (const auto& sent : Director::drain_ports()) {
    if (sent.port == 0 && server_of(sent) == 1) ++to_server_1;
  }
  EXPECT_EQ(to_server_1, 48U);
  const Outcome after = director_.send(burst);
  EXPECT_EQ(after.sent.size(), 32U) << "it takes frames again: the connections are as they were";
  EXPECT_EQ(director_.status().connections, 32U);
}

TEST_F(StuckQueue, TakesWhatThereIsRoomForInOrder) {
  stick(1, 5);
  std::vector<Bytes> burst;
  for (unsigned i = 0; i < 32; ++i) {
    Frame f = segment(i, kSyn);
    f.ttl = static_cast<uint8_t>(100 + i);
    burst.push_back(f.bytes());
  }
  const Outcome outcome = director_.send(burst);
  std::vector<unsigned> ttls;
  for (const auto& sent : outcome.sent) {
    if (sent.port == 1 && server_of(sent) == 2) ttls.push_back(sent.bytes[22]);
  }
  EXPECT_THAT(ttls, testing::ElementsAre(101, 103, 105, 107, 109));
  EXPECT_EQ(outcome.drops, (std::map<std::string, uint64_t>{{"tx_queue_full", 11}}));
}

TEST_F(StuckQueue, RefusesRepliesWithoutACount) {
  tables_.virtual_servers[0].real_servers.clear();
  director_.publish(tables_);
  stick(0);
  const Outcome outcome = director_.send(segment(1, kSyn));
  EXPECT_EQ(outcome.replies, 0U) << "not sent, so not counted as sent";
  EXPECT_EQ(outcome.drops, (std::map<std::string, uint64_t>{{"no_real_server", 1}}));
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST_F(StuckQueue, LeavesTheKernelsFramesToTheirOwnCounter) {
  stick(0);
  rte_mbuf* const frame = rte_pktmbuf_alloc(Wires::get().pool());
  ASSERT_NE(rte_pktmbuf_append(frame, 60), nullptr);
  ASSERT_EQ(rte_ring_enqueue(director_.inject(0), frame), 0);
  director_.worker().run_once();
  EXPECT_EQ(director_.status().injected, 0U);
  EXPECT_EQ(director_.status().injected_dropped, 1U);
  EXPECT_TRUE(adds_up(director_.status()));
}

// ---- punt rings ----

TEST(FullPuntRing, IsCountedAndForwardingGoesOn) {
  constexpr unsigned kRing = 16, kPunted = 40;
  Director director({.punt_ring = kRing});
  director.publish(web_and_dns(2));
  std::vector<Bytes> frames;
  for (unsigned i = 0; i < kPunted; ++i) {
    Director::feed(segment(1000 + i, kAck).bytes(), 0, 0);  // of no connection: for the kernel
    Director::feed(segment(i, kSyn).bytes(), 0, 0);
  }
  for (int i = 0; i < 4; ++i) director.worker().run_once();
  const auto status = director.status();
  EXPECT_EQ(status.transmitted, kPunted);
  EXPECT_EQ(status.punted[static_cast<size_t>(PuntClass::kBulk)].count, kRing - 1);
  EXPECT_EQ(drops_of(status, "punt_ring_full"), kPunted - (kRing - 1));
  EXPECT_TRUE(adds_up(status));
  EXPECT_EQ(director.drain_punts().size(), kRing - 1);
  EXPECT_EQ(director.send(segment(5000, kAck)).punted.size(), 1U) << "and then goes on";
}

TEST(FullPuntRing, OfOneClassLeavesTheOthersAlone) {
  Director director({.punt_ring = 16});
  director.publish(web_and_dns(2));
  for (unsigned i = 0; i < 32; ++i) Director::feed(segment(1000 + i, kAck).bytes(), 0, 0);
  director.worker().run_once();
  ASSERT_GT(drops_of(director.status(), "punt_ring_full"), 0U);
  const Outcome arp = director.send({ethernet("ff:ff:ff:ff:ff:ff", 0x0806, Bytes(28, 0))});
  const auto control = std::count_if(arp.punted.begin(), arp.punted.end(),
                                     [](const auto& p) { return p.punt_class == PuntClass::kControl; });
  EXPECT_EQ(control, 1);
  EXPECT_TRUE(adds_up(director.status()));
}

// ---- all at once ----

TEST(Everything, FullAtOnceIsStillCountedFrameByFrame) {
  DirectorOptions options{.connections = 64, .wide_connections = 64, .templates = 8, .punt_ring = 16};
  options.policing.bulk = {500, 64};
  Director director(options);
  Tables tables = web_and_dns(3);
  tables.virtual_servers[0].persistence.timeout = seconds(300);
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.11:0").value()}, 2));
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.12:80").value()}, 0));
  tables.virtual_servers[2].real_servers[1].egress = dataplane::PortId{Wires::get().port_id(1)};
  director.publish(tables);
  uint64_t fed = 0;
  for (unsigned round = 0; round < 300; ++round) {
    for (unsigned i = 0; i < 32; ++i, ++fed) {
      Frame f = segment(round * 32 + i, i % 5 == 4 ? kAck : kSyn);
      f.dst = std::array{"192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"}[i % 4];
      Director::feed(f.bytes(), 0, 0);
    }
    director.worker().run_once();
    if (round % 100 == 99) Director::drain_ports();
    director.advance(std::chrono::milliseconds(10));
  }
  const auto status = director.status();
  EXPECT_EQ(status.received, fed);
  EXPECT_TRUE(adds_up(status));
  EXPECT_GT(status.unstored, 0U);
  EXPECT_GT(status.templates_full, 0U);
  for (const char* reason : {"tx_queue_full", "punt_ring_full", "punt_policed_bulk", "no_real_server"}) {
    EXPECT_GT(drops_of(status, reason), 0U) << reason;
  }
}

}  // namespace
}  // namespace lbdp::packet_tests
