// SPDX-License-Identifier: BSD-2-Clause
// Packets that follow another one's connection across workers: what random_traffic_test and worker_fuzz found, each on
// its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/director.h"
#include "tests/packet/support/packets.h"

namespace lbdp::packet_tests {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kClient = "10.0.0.1", kVip = "192.0.2.10";

Bytes tcp_of(uint8_t flags) {
  return frame_of(ipv4_packet(kClient, kVip, 6, tcp_segment(1000, 80, flags)));
}
Bytes udp_whole() {
  return frame_of(ipv4_packet(kClient, kVip, 17, udp_datagram(1000, 53)));
}
Bytes udp_first_fragment(uint16_t id) {
  return frame_of(ipv4_packet(kClient, kVip, 17, udp_datagram(1000, 53, 8), {.id = id, .fragment_field = 0x2000}));
}
Bytes later_fragment(uint16_t id, uint8_t protocol = 17) {
  return frame_of(ipv4_packet(kClient, kVip, protocol, Bytes(16, 'f'), {.id = id, .fragment_field = 2}));
}

TEST(Follow, IcmpErrorsCountForTheServerOnAnyWorker) {
  Director director({.workers = 2});
  director.publish(web_and_dns(1));
  ASSERT_EQ(server_of(director.send({tcp_of(kSyn)}, 0)), 1U);
  const Bytes quote = ipv4_packet(kVip, kClient, 6, tcp_segment(80, 1000, kAck));
  const Bytes error = frame_of(ipv4_packet("10.9.9.9", kVip, 1, icmp_error(3, 4, quote)));
  ASSERT_EQ(server_of(director.send({error}, 1)), 1U);
  EXPECT_EQ(director.counters(kWeb, "192.0.2.101:80").packets, 2U);
}

TEST(Follow, AnAdoptedConnectionCountsForItsOwnTemplateOnly) {
  Director director({.workers = 2});
  auto tables = web_and_dns(2);
  auto& web = tables.virtual_servers[0];
  web.persistence.timeout = seconds(100);
  director.publish(tables);
  ASSERT_EQ(server_of(director.send({tcp_of(kSyn)}, 0)), 1U);
  // The client's next connection has to go to server 2, and so does its template.
  web.real_servers[0].weight = 0;
  director.publish(tables);
  ASSERT_EQ(server_of(director.send(tcp(kClient, 1001, kSyn))), 2U);
  web.real_servers[0].weight = 1;
  director.publish(tables);
  // A fragment of the first connection takes it to worker 1.
  const Bytes fragment =
      frame_of(ipv4_packet(kClient, kVip, 6, tcp_segment(1000, 80, kAck, 12), {.id = 1, .fragment_field = 0x2000}));
  ASSERT_EQ(server_of(director.send({fragment}, 1)), 1U);
  const auto templates = dataplane::list_templates(0, 10, director.worker().tick(), director.publisher());
  ASSERT_EQ(templates.rows.size(), 1U);
  EXPECT_EQ(templates.rows[0].real_server.to_string(), "192.0.2.102:80");
  EXPECT_EQ(templates.rows[0].connections, 1U);
}

TEST(Follow, FragmentsBehindAFirstOneForTheKernelGoThere) {
  Director director;
  director.publish(web_and_dns(1));
  const Bytes first =
      frame_of(ipv4_packet(kClient, kVip, 6, tcp_segment(1000, 80, kAck, 12), {.id = 7, .fragment_field = 0x2000}));
  const Outcome outcome = director.send({later_fragment(7, 6), first, later_fragment(7, 6)});
  EXPECT_EQ(outcome.punted.size(), 3U);
  EXPECT_THAT(outcome.drops, IsEmpty());
}

TEST(Follow, HeldFragmentWithoutRoomForItsTagSaysSo) {
  Director director;
  auto tables = web_and_dns(1);
  tables.virtual_servers[1].real_servers[0].vlan = 100;
  director.publish(tables);
  director.send({later_fragment(7)}, 0, 0, {.headroom = 0});
  const Outcome outcome = director.send({udp_first_fragment(7)});
  EXPECT_EQ(outcome.sent.size(), 1U);
  EXPECT_EQ(outcome.drops, (std::map<std::string, uint64_t>{{"no_headroom", 1}}));
}

// The whole packets and the fragments of one flow come to two workers, which agree for as long as either has it.
TEST(Follow, FragmentsAloneKeepAFlowForTheWholePackets) {
  Director director({.workers = 2});
  director.publish(web_and_dns(2));
  ASSERT_EQ(server_of(director.send({udp_whole()}, 0)), 1U);
  for (uint16_t id = 1; id <= 8; ++id) {
    director.advance(seconds(100));
    ASSERT_EQ(server_of(director.send({udp_first_fragment(id)}, 1)), 1U);
  }
  director.sweep_all(0);
  EXPECT_EQ(server_of(director.send({udp_whole()}, 0)), 1U);
}

TEST(Follow, ADestinationTakesTheIdOfAVirtualServerThatGoes) {
  Director director;
  dataplane::Tables tables;
  const auto other = ServiceKey::parse("tcp/192.0.2.10:81").value(),
             third = ServiceKey::parse("tcp/192.0.2.10:82").value();
  tables.virtual_servers = {service(kWeb, 1), service(other, 1)};
  director.publish(tables);
  tables.virtual_servers = {service(third, 1)};
  tables.virtual_servers[0].more_keys = {kDns};
  director.publish(tables);
  for (const uint16_t port : {uint16_t{80}, uint16_t{81}}) {  // nobody's any more
    const Bytes syn = frame_of(ipv4_packet(kClient, kVip, 6, tcp_segment(1000, port, kSyn)));
    EXPECT_EQ(director.send({syn}).punted.size(), 1U) << port;
  }
  EXPECT_EQ(server_of(director.send({udp_whole()})), 1U);
  director.publish(tables);
  EXPECT_EQ(server_of(director.send({udp_whole()})), 1U);
}

}  // namespace
}  // namespace lbdp::packet_tests
