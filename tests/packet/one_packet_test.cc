// SPDX-License-Identifier: BSD-2-Clause
// One-packet scheduling: UDP without connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/director.h"
#include "tests/packet/support/running_workers.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Tables;
using testing::ElementsAre;

class OnePacket : public testing::TestWithParam<uint16_t> {};

TEST_P(OnePacket, SchedulesEveryPacketAndKeepsNoConnection) {
  Director director({.workers = GetParam()});
  Tables tables = web_and_dns(3);
  tables.virtual_servers[1].one_packet = true;
  director.publish(tables);
  for (unsigned i = 0; i < 30; ++i)
    EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000), static_cast<uint16_t>(i % GetParam()))), i % 3 + 1) << i;
  for (uint16_t w = 0; w < GetParam(); ++w) {
    EXPECT_EQ(director.status(w).connections + director.status(w).wide_connections, 0U);
  }
  const auto counters = director.counters(kDns, server_name(1));
  EXPECT_EQ(counters.packets, 10U);
  EXPECT_EQ(counters.connections, 10U) << "as IPVS counts them";
  EXPECT_EQ(counters.active + counters.inactive, 0U);
  std::vector<Bytes> burst(9, udp("10.0.0.1", 5000).bytes());
  std::vector<unsigned> servers;
  for (const auto& sent : director.send(burst).sent) servers.push_back(server_of(sent));
  EXPECT_THAT(servers, ElementsAre(1, 2, 3, 1, 2, 3, 1, 2, 3)) << "in one burst, too";
  EXPECT_TRUE(adds_up(director));
}

TEST_P(OnePacket, IsStrictInParallel) {
  constexpr unsigned kPackets = 1500;
  Director director({.workers = GetParam()});
  Tables tables = web_and_dns(3);
  tables.virtual_servers[1].one_packet = true;
  director.publish(tables);
  std::map<unsigned, unsigned> share;
  const auto collect = [&] {
    for (const auto& sent : Director::drain_ports()) ++share[server_of(sent)];
  };
  {
    const RunningWorkers running(director);
    for (unsigned i = 0; i < kPackets; ++i) {
      ASSERT_TRUE(offer(udp("10.0.0.1", 5000).bytes(), static_cast<uint16_t>(i % GetParam())));
      if (i % 64 == 0) collect();
    }
    ASSERT_TRUE(wait_for_received(director, kPackets));
  }
  collect();
  EXPECT_EQ(share, (std::map<unsigned, unsigned>{{1, 500}, {2, 500}, {3, 500}}));
}

INSTANTIATE_TEST_SUITE_P(Workers, OnePacket, testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4}),
                         [](const auto& one) { return std::to_string(one.param); });

TEST(OnePacketChange, ForgetsConnectionsWhileItIsOn) {
  Director director;
  Tables tables = web_and_dns(2);
  director.publish(tables);
  ASSERT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 1U);
  tables.virtual_servers[1].one_packet = true;
  director.publish(tables);
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 2U);
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 1U);
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 2U);
  tables.virtual_servers[1].one_packet = false;
  director.publish(tables);
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 1U) << "the connection of before lives still";
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 5000))), 1U);
}

TEST(OnePacketChange, WithoutAServerTheClientIsTold) {
  Director director;
  Tables tables = web_and_dns(1);
  tables.virtual_servers[1].one_packet = true;
  tables.virtual_servers[1].real_servers[0].weight = 0;
  director.publish(tables);
  const Outcome outcome = director.send(udp("10.0.0.1", 5000));
  EXPECT_EQ(outcome.replies, 1U);
  EXPECT_EQ(outcome.drops, (std::map<std::string, uint64_t>{{"no_real_server", 1}}));
}

}  // namespace
}  // namespace lbdp::packet_tests
