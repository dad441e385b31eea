// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/flow_source.h"

#include <gtest/gtest.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/packet/in_memory_eal.h"

namespace lbdp::bench {
namespace {

const MacAddress kDirector{{0x02, 0, 0, 0, 0, 0xa0}};
constexpr uint16_t kBurst = 32;
constexpr size_t kIp = 14;

rte_mempool* pool() {
  static const testing::InMemoryEal eal({"-m", "64"});
  static rte_mempool* const frames =
      rte_pktmbuf_pool_create("frames", 8191, 0, 0, RTE_PKTMBUF_HEADROOM + 128, SOCKET_ID_ANY);
  return frames;
}

/// A client's address and port, as a frame says them.
using Client = std::pair<uint32_t, uint16_t>;

template <class T>
T load(const uint8_t* from) {
  T value{};
  std::memcpy(&value, from, sizeof value);
  return value;
}

Client client_of(const rte_mbuf* frame) {
  const auto* data = rte_pktmbuf_mtod(frame, const uint8_t*);
  return {Be<uint32_t>::from_raw(load<uint32_t>(data + kIp + 12)).host(),
          Be<uint16_t>::from_raw(load<uint16_t>(data + kIp + 20)).host()};
}

/// What comes out of a source in so many bursts, as its users see it.
std::vector<Client> take(FlowSource& source, unsigned bursts) {
  std::vector<Client> clients;
  for (unsigned b = 0; b < bursts; ++b) {
    std::array<rte_mbuf*, kBurst> frames{};
    EXPECT_EQ(rte_pktmbuf_alloc_bulk(pool(), frames.data(), kBurst), 0);
    for (rte_mbuf* frame : frames) frame->data_len = static_cast<uint16_t>(frame->pkt_len = 60);
    const uint16_t count = source.fill(frames.data(), kBurst);
    for (uint16_t i = 0; i < count; ++i) {
      EXPECT_EQ(frames[i]->pkt_len, 60U);
      clients.push_back(client_of(frames[i]));
    }
    rte_pktmbuf_free_bulk(frames.data(), count);
  }
  return clients;
}

bool is_fresh(const Client& client) {
  return client.first >> 24 == kFreshClients >> 24;
}

struct Source {
  explicit Source(const SourceParams& params, Pattern pattern, uint32_t cold = 0)
      : source(writer, params, pool(), cold) {
    EXPECT_TRUE(source.set_pattern(pattern));
  }
  FrameWriter writer{Family::kIpv4, kDirector};
  FlowSource source;
};

TEST(FrameWriter, Ipv4FramesAreSound) {
  const FrameWriter writer(Family::kIpv4, kDirector);
  for (const uint32_t client : {0x0a000000U, 0x0a00ffffU, 0x0bffffffU, 0xffffffffU}) {
    std::array<uint8_t, FrameWriter::kRoom> frame{};
    writer.write(frame.data(), client, 0x8001, 299);
    EXPECT_TRUE(std::equal(kDirector.bytes.begin(), kDirector.bytes.end(), frame.begin()));
    const auto header = load<rte_ipv4_hdr>(frame.data() + kIp);
    EXPECT_EQ(rte_raw_cksum(&header, sizeof header), 0xffff);
    EXPECT_EQ(rte_be_to_cpu_16(header.total_length), frame_length(Family::kIpv4) - kIp);
    EXPECT_EQ(IpAddress::v4(Be<uint32_t>::from_raw(header.dst_addr)), vip_of(Family::kIpv4, 299));
    EXPECT_EQ(rte_be_to_cpu_32(header.src_addr), client);
  }
}

TEST(FrameWriter, Ipv6FramesAreSound) {
  const FrameWriter writer(Family::kIpv6, kDirector);
  for (const uint32_t client : {0x0a000000U, 0x0a00ffffU, 0x0bffffffU, 0xffffffffU}) {
    std::array<uint8_t, FrameWriter::kRoom> frame{};
    writer.write(frame.data(), client, 0x8001, 299);
    const auto header = load<rte_ipv6_hdr>(frame.data() + kIp);
    EXPECT_EQ(rte_be_to_cpu_16(header.payload_len), frame_length(Family::kIpv6) - kIp - sizeof header);
    EXPECT_EQ(IpAddress::v6(std::span<const uint8_t, 16>(header.dst_addr, 16)), vip_of(Family::kIpv6, 299));
    auto udp = load<rte_udp_hdr>(frame.data() + kIp + sizeof header);
    EXPECT_EQ(udp.dst_port, rte_cpu_to_be_16(kServicePort));
    const uint16_t checksum = udp.dgram_cksum;
    udp.dgram_cksum = 0;
    EXPECT_EQ(checksum, rte_ipv6_udptcp_cksum(&header, &udp));
  }
}

TEST(FlowSource, SendsEachFlowOnceAndThenNothing) {
  Source s({.first_flow = 100, .flows = 1000}, Pattern::kOnce);
  const auto clients = take(s.source, 40);
  EXPECT_EQ(clients.size(), 1000U);
  EXPECT_EQ(std::set(clients.begin(), clients.end()).size(), 1000U);
  EXPECT_EQ(clients.front().first, kEstablishedClients + 100);
  EXPECT_TRUE(s.source.exhausted());
  EXPECT_EQ(s.source.established(), 1000U);
}

TEST(FlowSource, EstablishedFlowsAreThoseThatWereSentOnceUniformly) {
  Source s({.flows = 64}, Pattern::kOnce);
  const auto once = take(s.source, 2);
  const std::set known(once.begin(), once.end());
  ASSERT_TRUE(s.source.set_pattern(Pattern::kEstablished));
  std::map<Client, unsigned> count;
  for (const Client& client : take(s.source, 1000)) ++count[client];
  EXPECT_EQ(count.size(), known.size());
  for (const auto& [client, times] : count) {
    EXPECT_TRUE(known.contains(client));
    EXPECT_NEAR(times, 500, 150);
  }
}

TEST(FlowSource, FreshFlowsNeverComeTwice) {
  Source first({.stream = 0}, Pattern::kFresh), second({.stream = 1}, Pattern::kFresh);
  std::set<Client> seen;
  for (FlowSource* source : {&first.source, &second.source}) {
    for (const Client& client : take(*source, 2000)) {
      EXPECT_TRUE(is_fresh(client));
      EXPECT_TRUE(seen.insert(client).second);
    }
  }
}

TEST(FlowSource, ClientsComeAgainFromOtherPorts) {
  Source s({.fresh_clients = 10}, Pattern::kFresh);
  const auto flows = take(s.source, 10);
  std::set<uint32_t> addresses;
  for (const auto& [address, port] : flows) addresses.insert(address);
  EXPECT_EQ(addresses.size(), 10U);
  EXPECT_EQ(std::set(flows.begin(), flows.end()).size(), flows.size());
}

TEST(FlowSource, AFloodIsHalfEstablished) {
  for (const uint32_t cold : {0U, 1024U}) {
    Source s({.flows = 64}, Pattern::kFlood, cold);
    const auto clients = take(s.source, 100);
    const auto fresh = static_cast<uint64_t>(std::count_if(clients.begin(), clients.end(), is_fresh));
    EXPECT_EQ(fresh, 1600U);
    EXPECT_EQ(s.source.fresh(), fresh);
    EXPECT_EQ(s.source.established(), clients.size() - fresh);
  }
}

TEST(FlowSource, ColdFramesAreThoseOfTheFlowsToo) {
  const unsigned before = rte_mempool_avail_count(pool());
  {
    Source s({.flows = 64}, Pattern::kEstablished, 2048);
    std::set<uint32_t> seen;
    for (const auto& [address, port] : take(s.source, 200)) seen.insert(address);
    EXPECT_EQ(seen.size(), 64U);
    EXPECT_EQ(*seen.begin(), kEstablishedClients);
  }
  EXPECT_EQ(rte_mempool_avail_count(pool()), before);  // nothing leaks
}

TEST(FlowSource, TooFewBuffersForAColdSourceAreSaid) {
  const FrameWriter writer(Family::kIpv4, kDirector);
  FlowSource source(writer, {}, pool(), 100'000);
  EXPECT_FALSE(source.set_pattern(Pattern::kEstablished));
}

}  // namespace
}  // namespace lbdp::bench
