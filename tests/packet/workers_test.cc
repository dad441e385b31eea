// SPDX-License-Identifier: BSD-2-Clause
// Several workers: strict round robin over all of them, publication while they forward, ports with fewer queues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <tuple>

#include "tests/packet/support/director.h"
#include "tests/packet/support/running_workers.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Tables;

Frame flow(unsigned i, uint8_t flags) {
  return tcp(
      "10." + std::to_string(i / 62500 % 250) + "." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250 + 1),
      static_cast<uint16_t>(1024 + i % 50000), flags);
}

class Workers : public testing::TestWithParam<uint16_t> {};

TEST_P(Workers, RoundRobinIsStrictOverAllOfThem) {
  const uint16_t workers = GetParam();
  Director director({.workers = workers});
  auto tables = web_and_dns(5);
  tables.virtual_servers[0].real_servers[1].weight = 0;
  tables.virtual_servers[0].real_servers[3].in_table = false;
  director.publish(tables);
  const std::vector<unsigned> usable{1, 3, 5};
  for (unsigned i = 0; i < 60; ++i) {
    const auto worker = static_cast<uint16_t>(i * 7 / 3 % workers);  // unevenly over the workers
    EXPECT_EQ(server_of(director.send(flow(i, kSyn), worker)), usable[i % 3]) << i;
    EXPECT_EQ(server_of(director.send(flow(i / 2, kAck), static_cast<uint16_t>(i / 2 * 7 / 3 % workers))),
              usable[i / 2 % 3])
        << "and known connections do not move it";
  }
  EXPECT_TRUE(adds_up(director));
}

// In parallel, too, each server gets exactly its share: no pick is lost or made twice.
TEST_P(Workers, RoundRobinIsExactInParallel) {
  constexpr unsigned kConnections = 6000, kServers = 3;
  const uint16_t workers = GetParam();
  Director director({.workers = workers, .connections = 16384});
  director.publish(web_and_dns(kServers));
  std::map<unsigned, unsigned> share;
  const auto collect = [&] {
    for (const auto& sent : Director::drain_ports()) ++share[server_of(sent)];
  };
  {
    const RunningWorkers running(director);
    for (unsigned i = 0; i < kConnections; ++i) {
      ASSERT_TRUE(offer(flow(i, kSyn).bytes(), static_cast<uint16_t>(i % workers)));
      if (i % 64 == 0) collect();
    }
    ASSERT_TRUE(wait_for_received(director, kConnections));
  }
  collect();
  EXPECT_EQ(share, (std::map<unsigned, unsigned>{{1, kConnections / 3}, {2, kConnections / 3}, {3, kConnections / 3}}));
  EXPECT_TRUE(adds_up(director));
}

// Publications while frames are on their way: none is lost, none goes to another server than its connection's.
TEST_P(Workers, PublicationLosesNothingAndMovesNoConnection) {
  constexpr unsigned kFlows = 200, kRounds = 60;
  const uint16_t workers = GetParam();
  Director director({.workers = workers, .connections = 4096});
  Tables tables = web_and_dns(4);
  director.publish(tables);
  std::map<std::string, std::map<unsigned, unsigned>> servers_by_client;
  unsigned out = 0;
  const auto collect = [&] {
    for (const auto& sent : Director::drain_ports()) {
      ++servers_by_client[hex(Bytes(sent.bytes.begin() + 26, sent.bytes.begin() + 30))][server_of(sent)];
      ++out;
    }
  };
  {
    const RunningWorkers running(director);
    for (unsigned round = 0; round < kRounds; ++round) {
      // Order, weights and other servers change; the four servers stay in the table.
      auto& web = tables.virtual_servers[0].real_servers;
      web = {server(1), server(2), server(3), server(4)};
      if (round > 0) web[round % 4].weight = static_cast<int>(round / 4 % 2);
      if (round % 3 == 1) web.push_back(server(5 + round % 4));
      if (round % 3 == 1) web.back().in_table = round % 2 == 0;
      std::rotate(web.begin(), web.begin() + round % 4, web.end());
      director.publish(tables);
      for (unsigned i = 0; i < kFlows; ++i) {
        ASSERT_TRUE(offer(flow(i, round == 0 ? kSyn : kAck).bytes(), static_cast<uint16_t>(i % workers)));
        if (i % 32 == 0) collect();
      }
      // All connections begin under the first tables: a later one's extra server may take none that it then loses.
      ASSERT_TRUE(round > 0 || wait_for_received(director, kFlows));
    }
    ASSERT_TRUE(wait_for_received(director, uint64_t{kFlows} * kRounds));
    EXPECT_TRUE(wait_until([&] {
      director.publisher().collect();
      return director.publisher().pending() == 0;
    })) << "every superseded snapshot is freed";
  }
  collect();
  EXPECT_EQ(out, kFlows * kRounds);
  EXPECT_EQ(servers_by_client.size(), kFlows);
  for (const auto& [client, servers] : servers_by_client) {
    EXPECT_EQ(servers.size(), 1U) << client;
    EXPECT_EQ(servers.begin()->second, kRounds) << client;
    EXPECT_NE(servers.begin()->first, 0U) << client;
  }
}

INSTANTIATE_TEST_SUITE_P(Number, Workers, testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4}),
                         [](const auto& one) { return std::to_string(one.param); });

// ---- the same traffic, over one worker or several ----

// As RSS with a symmetric key: all packets of a flow, both ways, to one queue.
uint16_t spread(const Frame& f, uint16_t workers) {
  const auto address = [](const std::string& text) { return IpAddress::parse(text).value().v4().host(); };
  const uint32_t both =
      (address(f.src) ^ address(f.dst)) * 0x9e3779b1U ^ static_cast<uint32_t>(f.sport ^ f.dport) * 0x85ebca6bU;
  return static_cast<uint16_t>((both >> 16) % workers);
}

// Lives of 150 flows from 40 clients at random, TCP and UDP, some with segments out of nowhere.
std::vector<std::pair<unsigned, Frame>> random_traffic(unsigned count) {
  std::mt19937 random(4711);
  std::vector<std::pair<unsigned, Frame>> traffic;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned number = static_cast<unsigned>(random() % 150);
    const std::string client = "10.3." + std::to_string(number % 40) + ".7";
    const auto port = static_cast<uint16_t>(3000 + number);
    Frame f = udp(client, port);
    if (number % 3 != 0) {
      constexpr std::array<uint8_t, 8> kFlags{kSyn, kSyn, kAck, kAck, kAck | kPsh, kAck, kFin | kAck, kRst};
      f = tcp(client, port, kFlags[random() % kFlags.size()]);
    }
    traffic.emplace_back(number, f);
  }
  return traffic;
}

struct Results {
  std::map<unsigned, std::vector<unsigned>> by_flow;  // where its packets went, in order; 0: to the kernel
  std::vector<std::array<uint64_t, 5>> by_server;     // connections, packets, bytes, active, inactive

  friend bool operator==(const Results&, const Results&) = default;
};

struct Setting {
  dataplane::Scheduler scheduler;
  bool persistent = false;
  bool one_queue = false;
};

Results run(const Setting& setting, uint16_t workers) {
  Director director({.workers = workers, .one_queue = setting.one_queue});
  Tables tables = web_and_dns(5);
  for (auto& service : tables.virtual_servers) {
    service.scheduler = setting.scheduler;
    for (size_t i = 0; i < 5; ++i) service.real_servers[i].weight = static_cast<int>((i + 3) % 5);
  }
  if (setting.persistent) tables.virtual_servers[0].persistence.timeout = std::chrono::seconds(300);
  director.publish(tables);
  Results results;
  for (const auto& [number, frame] : random_traffic(3000)) {
    const Outcome outcome = director.send(frame, spread(frame, workers));
    EXPECT_EQ(outcome.sent.size() + outcome.punted.size() + outcome.drops.size(), 1 + outcome.replies);
    results.by_flow[number].push_back(server_of(outcome));
  }
  for (const ServiceKey& key : {kWeb, kDns}) {
    for (unsigned i = 1; i <= 5; ++i) {
      const auto c = director.counters(key, server_name(i));
      results.by_server.push_back({c.connections, c.packets, c.bytes, c.active, c.inactive});
    }
  }
  EXPECT_TRUE(adds_up(director));
  return results;
}

// Packet after packet, every scheduler but twos, whose chance is each worker's own, does the very same.
class SameTraffic : public testing::TestWithParam<Setting> {};

TEST_P(SameTraffic, HasTheSameResultsOverAnyNumberOfWorkers) {
  const Results of_one = run(GetParam(), 1);
  EXPECT_EQ(of_one.by_flow.size(), 150U);
  EXPECT_EQ(run(GetParam(), 2), of_one);
  EXPECT_EQ(run(GetParam(), 4), of_one);
}

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (int i = 0; i < static_cast<int>(dataplane::Scheduler::kTwoChoices); ++i)
    all.push_back({static_cast<dataplane::Scheduler>(i)});
  all.push_back({dataplane::Scheduler::kRoundRobin, true});
  all.push_back({dataplane::Scheduler::kWeightedLeastConnection, true});
  all.push_back({dataplane::Scheduler::kRoundRobin, false, true});
  all.push_back({dataplane::Scheduler::kMaglev, false, true});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Schedulers, SameTraffic, testing::ValuesIn(settings()), [](const auto& one) {
  return std::to_string(static_cast<int>(one.param.scheduler)) + (one.param.persistent ? "_persistent" : "") +
         (one.param.one_queue ? "_one_queue" : "");
});

// In parallel the order of arrival over the workers is anybody's: hashes still give every flow its server, and rr every
// server its share.
using ParallelCase = std::tuple<dataplane::Scheduler, uint16_t>;
class SameTrafficInParallel : public testing::TestWithParam<ParallelCase> {};

TEST_P(SameTrafficInParallel, HasTheSameServersOrShares) {
  const auto [scheduler, workers] = GetParam();
  std::map<std::string, std::set<unsigned>> by_flow;
  std::vector<std::vector<uint64_t>> connections;
  for (const uint16_t count : {uint16_t{1}, workers}) {
    Director director({.workers = count, .connections = 4096});
    Tables tables = web_and_dns(3);
    tables.virtual_servers[0].scheduler = scheduler;
    tables.virtual_servers[0].scheduler_flags.port = true;
    director.publish(tables);
    const auto collect = [&] {
      for (const auto& sent : Director::drain_ports()) {
        const Bytes flow(sent.bytes.begin() + 26, sent.bytes.begin() + 38);  // addresses and ports
        by_flow[hex(flow)].insert(server_of(sent));
      }
    };
    {
      const RunningWorkers running(director);
      for (unsigned i = 0; i < 1800; ++i) {
        const Frame f = segment(i / 2, i % 2 == 0 ? kSyn : kAck);
        ASSERT_TRUE(offer(f.bytes(), spread(f, count)));
        if (i % 64 == 0) collect();
      }
      ASSERT_TRUE(wait_for_received(director, 1800));
    }
    collect();
    connections.emplace_back();
    for (unsigned i = 1; i <= 3; ++i) connections.back().push_back(director.counters(kWeb, server_name(i)).connections);
    EXPECT_TRUE(adds_up(director));
  }
  EXPECT_EQ(connections[1], connections[0]);
  EXPECT_EQ(by_flow.size(), 900U);
  if (scheduler == dataplane::Scheduler::kRoundRobin) return;
  for (const auto& [flow, servers] : by_flow) EXPECT_EQ(servers.size(), 1U) << flow;
}

INSTANTIATE_TEST_SUITE_P(All, SameTrafficInParallel,
                         testing::Combine(testing::Values(dataplane::Scheduler::kRoundRobin,
                                                          dataplane::Scheduler::kSourceHash,
                                                          dataplane::Scheduler::kMaglev),
                                          testing::Values(uint16_t{2}, uint16_t{4})));

TEST(OneQueue, FramesOfWorkersWithoutOneGoThroughItsOwner) {
  Director director({.workers = 2, .one_queue = true});
  director.publish(web_and_dns(2));
  const auto outcome = director.send(flow(1, kSyn), 1);
  EXPECT_EQ(server_of(outcome), 1U);
  EXPECT_EQ(director.status(1).transmitted, 1U);
  EXPECT_EQ(director.status(0).relayed, 1U);
  EXPECT_EQ(director.status(0).injected, 0U);
  EXPECT_TRUE(adds_up(director.status(0)));
  EXPECT_TRUE(adds_up(director.status(1)));
}

TEST(OneQueue, FullRingToTheOwnerIsCounted) {
  Director director({.workers = 2, .one_queue = true});
  director.publish(web_and_dns(1));
  rte_ring* const ring = director.handover(0);
  while (rte_ring_free_count(ring) > 1) ASSERT_EQ(rte_ring_enqueue(ring, rte_pktmbuf_alloc(Wires::get().pool())), 0);
  for (unsigned i = 0; i < 3; ++i) Director::feed(flow(i, kSyn).bytes(), 1, 0);
  director.worker(1).run_once();
  EXPECT_EQ(director.status(1).transmitted, 1U);
  EXPECT_EQ(drops_of(director.status(1), "tx_queue_full"), 2U);
}

// The kernel's frames (VRRP's advertisements among them) neither lose their room to forwarded ones nor queue up behind
// them.
TEST(OneQueue, AFloodOfForwardedFramesDelaysNoFrameOfTheKernel) {
  Director director({.workers = 2, .one_queue = true});
  director.publish(web_and_dns(1));
  unsigned handed_over = 0;
  while (drops_of(director.status(1), "tx_queue_full") == 0) {
    for (unsigned i = 0; i < dataplane::Worker::kBurst; ++i, ++handed_over) {
      Director::feed(flow(handed_over, kSyn).bytes(), 1, 0);
    }
    director.worker(1).run_once();
  }
  rte_mbuf* const advertisement = rte_pktmbuf_alloc(Wires::get().pool());
  const Bytes bytes(60, 0x5a);
  std::copy(bytes.begin(), bytes.end(), rte_pktmbuf_append(advertisement, 60));
  ASSERT_EQ(rte_ring_enqueue(director.inject(0), advertisement), 0);
  director.worker(0).run_once();
  const auto sent = Director::drain_ports();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].bytes, bytes);
  EXPECT_EQ(director.status(0).injected, 1U);
  while (director.worker(0).run_once() > 0) Director::drain_ports();
  EXPECT_EQ(director.status(0).relayed, director.status(1).transmitted) << "each frame counts once with either";
  EXPECT_TRUE(adds_up(director.status(1)));
}

// The one who handed a frame over has counted it: what then becomes of it is the owner's to tell.
TEST(OneQueue, AFrameHandedOverAndNotSentIsCountedByTheOwner) {
  Director director({.workers = 2, .one_queue = true});
  director.publish(web_and_dns(1));
  rte_ring* const wire = Wires::get().from_port(0, 0);
  while (rte_ring_free_count(wire) > 1) ASSERT_EQ(rte_ring_enqueue(wire, rte_pktmbuf_alloc(Wires::get().pool())), 0);
  for (unsigned i = 0; i < 3; ++i) Director::feed(flow(i, kSyn).bytes(), 1, 0);
  director.worker(1).run_once();
  director.worker(0).run_once();
  EXPECT_EQ(director.status(1).transmitted, 3U);
  EXPECT_EQ(director.status(0).relayed, 1U);
  EXPECT_EQ(director.status(0).relayed_dropped, 2U);
  EXPECT_EQ(director.status(0).received, 0U);
}

}  // namespace
}  // namespace lbdp::packet_tests
