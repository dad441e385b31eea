// SPDX-License-Identifier: BSD-2-Clause
#include "control/rates.h"

#include <gtest/gtest.h>

#include "control/fake_dataplane.h"

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;

class RatesTest : public testing::Test {
 protected:
  void configure(uint32_t real_servers) {
    ServiceInput service;
    service.key = ServiceKey::parse("tcp/10.3.0.100:80").value();
    for (uint32_t i = 0; i < real_servers; ++i) {
      service.real_servers.push_back({.endpoint = {IpAddress::v4(Be<uint32_t>::from_host(0x0a030015 + i)), 80}});
    }
    services = {service};
  }
  RealServerKey key(size_t index = 0) { return {services[0].key, services[0].real_servers[index].endpoint}; }
  void sample(std::chrono::milliseconds after) {
    now += after;
    rates.sample(now, services, dataplane);
  }

  Rates rates;
  FakeDataplane dataplane;
  std::vector<ServiceInput> services;
  Rates::Clock::time_point now{1h};
};

TEST_F(RatesTest, ARateIsWhatWasCountedSinceTheLastSample) {
  configure(1);
  auto& counters = dataplane.counts[key()];
  sample(0ms);
  EXPECT_FALSE(rates.of(0, 0, key())) << "one sample makes no rate";
  counters = {.slot = {}, .active = 1, .inactive = 2, .connections = 10, .packets = 200, .bytes = 3000};
  sample(900ms);
  EXPECT_FALSE(rates.of(0, 0, key())) << "too early";
  sample(1100ms);
  auto rate = rates.of(0, 0, key());
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->connections, 5);
  EXPECT_DOUBLE_EQ(rate->packets, 100);
  EXPECT_DOUBLE_EQ(rate->bytes, 1500);
  sample(1000ms);
  rate = rates.of(0, 0, key());
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->packets, 0) << "nothing came in the last second";
  EXPECT_FALSE(rates.of(0, 1, key()));
  EXPECT_FALSE(rates.of(1, 0, key()));
}

TEST_F(RatesTest, CountersThatBeginAnewMakeNoRate) {
  configure(1);
  auto& counters = dataplane.counts[key()];
  counters.packets = 1000;
  sample(0ms);
  counters.packets = 3;  // another holder of the slot
  sample(1000ms);
  EXPECT_FALSE(rates.of(0, 0, key()));
  counters.packets = 5;
  sample(1000ms);
  EXPECT_DOUBLE_EQ(rates.of(0, 0, key())->packets, 2);
}

TEST_F(RatesTest, AReloadThatMovesServersMixesNoCounters) {
  configure(2);
  const auto first = key(0), second = key(1);
  dataplane.counts[first].packets = 100;
  dataplane.counts[second].packets = 1'000'000;
  sample(0ms);
  sample(1000ms);
  EXPECT_TRUE(rates.of(0, 1, second));
  services[0].real_servers.erase(services[0].real_servers.begin());
  EXPECT_FALSE(rates.of(0, 0, second)) << "still the first one's place";
  sample(1000ms);
  EXPECT_FALSE(rates.of(0, 0, second));
  sample(1000ms);
  EXPECT_EQ(rates.of(0, 0, second)->packets, 0);
  services.clear();
  sample(1000ms);
  EXPECT_FALSE(rates.of(0, 0, second));
}

TEST_F(RatesTest, ATurnLooksAtABoundedNumberOfServers) {
  constexpr size_t kServers = 2 * Rates::kServersPerTurn + 100;
  configure(kServers);
  for (int i = 0; i < 3; ++i) {
    const unsigned before = dataplane.counter_reads;
    sample(100ms);
    EXPECT_LE(dataplane.counter_reads - before, Rates::kServersPerTurn);
  }
  EXPECT_EQ(dataplane.counter_reads, kServers) << "the whole round, and only one";
  dataplane.counts[key(kServers - 1)].packets = 110;
  for (int i = 0; i < 11; ++i) sample(100ms);
  ASSERT_TRUE(rates.of(0, kServers - 1, key(kServers - 1)));
  EXPECT_DOUBLE_EQ(rates.of(0, kServers - 1, key(kServers - 1))->packets, 110) << "over its own 1 s";
}

TEST_F(RatesTest, WorkersTellWhatAPacketCosts) {
  dataplane.worker_list.resize(2);
  dataplane.worker_list[1].id = dataplane::WorkerId{1};
  dataplane.worker_list[0].total_cycles = 1000;
  sample(0ms);
  EXPECT_FALSE(rates.of(dataplane::WorkerId{0}));
  dataplane.worker_list[0].received = 500;
  dataplane.worker_list[0].busy_cycles = 100'000;
  dataplane.worker_list[0].total_cycles = 401'000;
  dataplane.worker_list[1].total_cycles = 400'000;
  sample(2000ms);
  const auto busy = rates.of(dataplane::WorkerId{0}), idle = rates.of(dataplane::WorkerId{1});
  ASSERT_TRUE(busy);
  EXPECT_DOUBLE_EQ(busy->packets, 250);
  EXPECT_DOUBLE_EQ(busy->busy_percent, 25);
  EXPECT_DOUBLE_EQ(*busy->cycles_per_packet, 200);
  EXPECT_EQ(busy->interval, 2000ms);
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->busy_percent, 0);
  EXPECT_FALSE(idle->cycles_per_packet);
  EXPECT_FALSE(rates.of(dataplane::WorkerId{2}));
}

}  // namespace
}  // namespace lbdp::control
