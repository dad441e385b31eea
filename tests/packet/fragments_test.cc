// SPDX-License-Identifier: BSD-2-Clause
// Fragments follow their first one: to its real server, or to the kernel. What is held, and how long, is
// fragment_bounds_test's matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

using std::chrono::seconds;

const std::string kClient = "10.0.0.1", kClient6 = "2001:db8:1::1";

Frame query(const std::string& client, uint16_t port, uint32_t id, size_t payload = 2000) {
  Frame f = udp(client, port);
  f.payload = std::string(payload, 'q'), f.id = id;
  return f;
}
// Three fragments.
std::vector<Frame> parts_of(const Frame& f) {
  auto parts = fragments_of(f, 1000);
  EXPECT_EQ(parts.size(), 3U);
  return parts;
}
void expect_fates(Director& director, const std::vector<Frame>& frames, const Expected& expected, uint16_t worker = 0) {
  for (const Frame& f : frames) expect_fate(director, f, expected, worker);
}

class Fragments : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] const std::string& client() const { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Family, Fragments, testing::Values(kClient, kClient6),
                         [](const auto& one) { return one.param == kClient ? "v4" : "v6"; });

TEST_P(Fragments, InOrder) {
  Director director;
  director.publish(both_families(3));
  expect_fates(director, parts_of(query(client(), 1, 100)), forwarded(1));
  expect_fates(director, parts_of(query(client(), 2, 101)), forwarded(2));
  expect_fates(director, parts_of(query(client(), 1, 102)), forwarded(1));
  expect_fate(director, query(client(), 1, 0, 10), forwarded(1));
  const auto counters = director.counters(client() == kClient ? kDns : kDns6,
                                          client() == kClient ? "192.0.2.101:80" : "[2001:db8::101]:80");
  EXPECT_EQ(counters.connections, 1U);
  EXPECT_EQ(counters.packets, 7U);
}

TEST_P(Fragments, OfTcpAndSctp) {
  Director director;
  director.publish(both_families(3));
  for (uint16_t port = 1; port <= 3; ++port) {
    expect_fate(director, tcp(client(), port, kSyn), forwarded(port));
    expect_fate(director, sctp(client(), port, kInitChunk), forwarded(port));
  }
  for (uint16_t port = 1; port <= 3; ++port) {
    for (Frame f : {tcp(client(), port, kAck), sctp(client(), port, kDataChunk)}) {
      f.payload += std::string(2000, 'd'), f.id = port;
      expect_fates(director, parts_of(f), forwarded(port));
    }
  }
}

// Every order of arrival, each fragment in a burst of its own: what comes too early is held, and goes right behind the
// first one.
TEST_P(Fragments, OutOfOrder) {
  std::vector<size_t> order{0, 1, 2};
  uint32_t id = 0;
  Director director;
  director.publish(both_families(3));
  do {
    const auto parts = parts_of(query(client(), static_cast<uint16_t>(id), id));
    const unsigned to = id++ % 3 + 1;
    std::vector<size_t> early;
    bool first_seen = false;
    for (const size_t i : order) {
      if (i != 0) {
        expect_fate(director, parts[i], first_seen ? forwarded(to) : held());
        if (!first_seen) early.push_back(i);
        continue;
      }
      first_seen = true;
      const Outcome outcome = director.send(parts[0]);
      ASSERT_EQ(outcome.sent.size(), 1 + early.size());
      EXPECT_EQ(hex(outcome.sent[0].bytes), hex(sent_to(to, parts[0].bytes())));
      for (size_t k = 0; k < early.size(); ++k)
        EXPECT_EQ(hex(outcome.sent[k + 1].bytes), hex(sent_to(to, parts[early[k]].bytes())));
      EXPECT_EQ(director.status().held_fragments, 0U);
      EXPECT_TRUE(adds_up(director.status()));
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

// The same in one burst.
TEST_P(Fragments, OutOfOrderInOneBurst) {
  std::vector<size_t> order{0, 1, 2};
  uint32_t id = 0;
  Director director;
  director.publish(both_families(3));
  do {
    const auto parts = parts_of(query(client(), static_cast<uint16_t>(id), id));
    const unsigned to = id++ % 3 + 1;
    std::vector<Bytes> burst;
    std::vector<std::string> expected, sent;
    for (const size_t i : order) {
      burst.push_back(parts[i].bytes());
      expected.push_back(hex(sent_to(to, burst.back())));
    }
    const Outcome outcome = director.send(burst);
    for (const auto& frame : outcome.sent) sent.push_back(hex(frame.bytes));
    std::sort(expected.begin(), expected.end());
    std::sort(sent.begin(), sent.end());
    EXPECT_EQ(sent, expected);
    EXPECT_TRUE(adds_up(director.status()));
  } while (std::next_permutation(order.begin(), order.end()));
}

// Datagrams whose fragments mix: source and identification tell them apart.
TEST_P(Fragments, Interleaved) {
  Director director;
  director.publish(both_families(4));
  const std::string other = client() == kClient ? "10.0.0.2" : "2001:db8:1::2";
  std::vector<std::vector<Frame>> datagrams;
  for (const Frame& f : {query(client(), 1, 7), query(client(), 2, 8), query(other, 1, 7), query(other, 2, 0x8007)})
    datagrams.push_back(parts_of(f));
  for (const size_t part : {0U, 2U, 1U}) {
    for (size_t i = 0; i < datagrams.size(); ++i)
      expect_fate(director, datagrams[i][part], forwarded(static_cast<unsigned>(i + 1)));
  }
}

TEST(Fragment6, AllBitsOfTheIdentificationCount) {
  Director director;
  director.publish(both_families(3));
  std::vector<std::vector<Frame>> datagrams;
  for (uint16_t i = 0; i < 3; ++i) datagrams.push_back(parts_of(query(kClient6, i, 7U + (uint32_t{i} << 24))));
  for (const size_t part : {0U, 1U, 2U}) {
    for (unsigned i = 0; i < 3; ++i) expect_fate(director, datagrams[i][part], forwarded(i + 1));
  }
}

TEST(Fragment4, ProtocolsOfOneIdentificationAreApart) {
  Director director;
  director.publish(both_families(2));
  expect_fate(director, tcp(kClient, 1, kSyn), forwarded(1));
  expect_fate(director, tcp(kClient, 2, kSyn), forwarded(2));
  Frame segment = tcp(kClient, 2, kAck);
  segment.payload = std::string(2000, 's'), segment.id = 9;
  const auto tcp_parts = parts_of(segment), udp_parts = parts_of(query(kClient, 1, 9));
  expect_fate(director, tcp_parts[0], forwarded(2));
  expect_fate(director, udp_parts[0], forwarded(1));
  expect_fate(director, tcp_parts[1], forwarded(2));
  expect_fate(director, udp_parts[1], forwarded(1));
}

// Identifications recur: the last first fragment counts.
TEST_P(Fragments, AnIdentificationThatRecurs) {
  Director director;
  director.publish(both_families(3));
  for (uint16_t port = 1; port <= 6; ++port)
    expect_fates(director, parts_of(query(client(), port, 77)), forwarded((port - 1) % 3 + 1));
}

TEST_P(Fragments, TheFirstOneIsRememberedForFourSeconds) {
  Director director;
  director.publish(both_families(3));
  const auto parts = parts_of(query(client(), 1, 7));
  expect_fate(director, parts[0], forwarded(1));
  director.advance(seconds(4));
  expect_fate(director, parts[1], forwarded(1));
  director.advance(seconds(1));
  expect_fate(director, parts[2], held());
}

TEST_P(Fragments, OfPortsWithoutServiceAreTheKernels) {
  Director director;
  director.publish(both_families(3));
  Frame f = query(client(), 1, 7);
  f.dport = 7777;
  auto parts = parts_of(f);
  expect_fates(director, parts, punted());
  f.id = 8;
  parts = parts_of(f);
  expect_fate(director, parts[2], held());
  expect_fate(director, parts[1], held());
  const Outcome outcome = director.send(parts[0]);
  EXPECT_EQ(outcome.punted.size(), 3U);
  EXPECT_TRUE(outcome.sent.empty());
  EXPECT_EQ(director.status().held_fragments, 0U);
  EXPECT_TRUE(adds_up(director.status()));
}

// The kernel is to answer it, and needs the whole of it.
TEST_P(Fragments, OfTcpWithoutConnectionAreTheKernels) {
  Director director;
  director.publish(both_families(3));
  Frame f = tcp(client(), 1, kAck);
  f.payload = std::string(2000, 'x');
  expect_fates(director, parts_of(f), punted());
}

TEST_P(Fragments, ToAddressesThatAreNoVipAreTheKernels) {
  Director director;
  director.publish(both_families(3));
  Frame f = query(client(), 1, 7);
  f.dst = client() == kClient ? "192.0.2.1" : "2001:db8::1";
  auto parts = parts_of(f);
  std::reverse(parts.begin(), parts.end());
  expect_fates(director, parts, punted());
}

TEST_P(Fragments, ToAForeignVipAreDropped) {
  Director director;
  auto tables = both_families(3);
  for (auto& service : tables.virtual_servers) service.owned = false;
  director.publish(tables);
  expect_fates(director, parts_of(query(client(), 1, 7)), dropped("vip_not_owned"));
}

TEST_P(Fragments, OfARefusedDatagramGoNowhere) {
  Director director;
  director.publish(both_families(0));
  const auto parts = parts_of(query(client(), 1, 7));
  const Outcome outcome = director.send(parts[0]);
  EXPECT_EQ(outcome.drops, drops("no_real_server"));
  EXPECT_EQ(outcome.replies, 1U);
  expect_fate(director, parts[1], held());
}

// The first fragment's server leaves between the fragments.
TEST_P(Fragments, OfAServerThatHasGone) {
  for (const bool expire_nodest_conn : {true, false}) {
    Director director;
    auto tables = both_families(2);
    tables.switches.expire_nodest_conn = expire_nodest_conn;
    director.publish(tables);
    const auto parts = parts_of(query(client(), 1, 7));
    expect_fate(director, parts[0], forwarded(1));
    for (auto& service : tables.virtual_servers) service.real_servers.erase(service.real_servers.begin());
    director.publish(tables);
    expect_fate(director, parts[1], dropped(expire_nodest_conn ? "fragment" : "server_gone"));
  }
}

TEST_P(Fragments, OfOnePacketServicesStayTogether) {
  Director director;
  auto tables = both_families(3);
  for (auto& service : tables.virtual_servers) service.one_packet = service.key.protocol == Protocol::kUdp;
  director.publish(tables);
  for (uint32_t id = 0; id < 6; ++id) expect_fates(director, parts_of(query(client(), 1, id)), forwarded(id % 3 + 1));
  EXPECT_TRUE(director.connections().empty());
}

TEST(Fragment4, FirstOnesMustHoldTheTransportHeader) {
  Director director;
  director.publish(both_families(1));
  Frame f = tcp(kClient, 1, kSyn);
  f.payload = "0123";
  expect_fate(director, fragments_of(f, 8)[0], dropped("truncated"));
  expect_fate(director, fragments_of(f, 16)[0], dropped("truncated"));
  EXPECT_TRUE(director.connections().empty());
}

// What stands in front of the transport header belongs to the datagram that is cut, and the later fragments' headers
// name it in place of the protocol (RFC 8200, 4.5).
TEST(Fragment6, ExtensionHeadersBeforeAndBehindTheCut) {
  Director director;
  director.publish(both_families(3));
  uint16_t port = 0;
  for (const uint8_t inner : {kDestinationOptions, kRouting, kAuthentication}) {
    Frame f = query(kClient6, port, port);
    f.extensions = {{kHopByHop}, {kRouting}};
    f.inner_extensions = {{inner, Bytes(22)}};
    auto parts = parts_of(f);
    expect_fates(director, parts, forwarded(port % 3 + 1));
    f.id = 1000U + port;
    parts = parts_of(f);
    expect_fate(director, parts[1], held());
    EXPECT_EQ(director.send(parts[0]).sent.size(), 2U);
    expect_fate(director, parts[2], forwarded(port++ % 3 + 1));
  }
}

TEST(Fragment6, OfIcmpBehindExtensionHeadersAreTheKernels) {
  Director director;
  director.publish(both_families(3));
  Frame f = query(kClient6, 0, 7, 2900);
  f.protocol = kIcmp6, f.payload[0] = '\x80';
  for (const bool options : {false, true}) {
    if (options) f.inner_extensions = {{kDestinationOptions}};
    f.id += 1;
    expect_fates(director, parts_of(f), punted());
  }
}

class FragmentsOfTwoWorkers : public Fragments {
 protected:
  FragmentsOfTwoWorkers() : director_({.workers = 2}) { director_.publish(both_families(3)); }
  // The scheduler's next pick would be another server than the last one.
  void move_on(uint16_t worker) { (void)director_.send(query(client(), next_port_++, 0, 1), worker); }
  Director director_;

 private:
  uint16_t next_port_ = 1000;
};
INSTANTIATE_TEST_SUITE_P(Family, FragmentsOfTwoWorkers, testing::Values(kClient, kClient6),
                         [](const auto& one) { return one.param == kClient ? "v4" : "v6"; });

// NICs spread fragments by addresses alone: they may come to another worker than their flow's whole packets.
TEST_P(FragmentsOfTwoWorkers, FragmentsOfAFlowThatTheOtherHolds) {
  expect_fate(director_, query(client(), 1, 0, 10), forwarded(1), 0);
  expect_fate(director_, tcp(client(), 1, kSyn), forwarded(1), 0);
  expect_fate(director_, tcp(client(), 2, kSyn), forwarded(2), 0);
  move_on(0);
  expect_fates(director_, parts_of(query(client(), 1, 7)), forwarded(1), 1);
  Frame segment = tcp(client(), 2, kAck);
  segment.payload = std::string(2000, 's'), segment.id = 8;
  expect_fates(director_, parts_of(segment), forwarded(2), 1);
  expect_fate(director_, query(client(), 1, 0, 10), forwarded(1), 0);
  expect_fate(director_, tcp(client(), 2, kAck), forwarded(2), 0);
}

TEST_P(FragmentsOfTwoWorkers, WholePacketsOfAFlowThatBeganWithFragments) {
  expect_fates(director_, parts_of(query(client(), 1, 7)), forwarded(1), 1);
  move_on(1);
  expect_fate(director_, query(client(), 1, 0, 10), forwarded(1), 0);
  expect_fates(director_, parts_of(query(client(), 1, 8)), forwarded(1), 1);
}

// Both again, when nothing but fragments has come for longer than a UDP flow lives.
TEST_P(FragmentsOfTwoWorkers, AfterALongTimeOfFragmentsOnly) {
  for (const bool begins_whole : {true, false}) {
    const uint16_t port = begins_whole ? 1 : 2;
    uint32_t id = 10U * port;
    unsigned to = 0;
    if (begins_whole) to = server_of(director_.send(query(client(), port, 0, 10), 0));
    if (!begins_whole) to = server_of(director_.send(parts_of(query(client(), port, id++))[0], 1));
    ASSERT_NE(to, 0U);
    move_on(0);
    for (int i = 0; i < 5; ++i) {
      director_.advance(seconds(100));
      expect_fates(director_, parts_of(query(client(), port, id++)), forwarded(to), 1);
    }
    expect_fate(director_, query(client(), port, 0, 10), forwarded(to), 0);
    move_on(0);
  }
}

}  // namespace
}  // namespace lbdp::packet_tests
