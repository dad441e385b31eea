// SPDX-License-Identifier: BSD-2-Clause
// Clients and servers on VLANs: the tag that comes in, and the one that goes out.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

// A tag control information: three bits of priority, drop eligible, twelve bits of VLAN id (IEEE 802.1Q).
constexpr uint16_t tci(unsigned priority, unsigned vlan, bool drop_eligible = false) {
  return static_cast<uint16_t>(priority << 13 | (drop_eligible ? 0x1000U : 0U) | vlan);
}

struct Case {
  std::string name;
  std::optional<uint16_t> in_frame;   // the tag that the client's frame has,
  std::optional<uint16_t> taken_out;  // and the one that the driver took out of it
  uint16_t server_vlan;
  std::optional<uint16_t> out;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

const std::vector<Case> kCases{
    {"untagged_to_untagged", {}, {}, 0, {}},
    {"untagged_to_100", {}, {}, 100, tci(0, 100)},
    {"untagged_to_4094", {}, {}, 4094, tci(0, 4094)},
    {"100_to_untagged", tci(0, 100), {}, 0, {}},
    {"100_to_100", tci(0, 100), {}, 100, tci(0, 100)},
    {"100_to_200", tci(0, 100), {}, 200, tci(0, 200)},
    {"4095_to_1", tci(0, 4095), {}, 1, tci(0, 1)},
    {"priority_is_kept", tci(5, 100), {}, 200, tci(5, 200)},
    {"drop_eligible_is_kept", tci(7, 4000, true), {}, 1, tci(7, 1, true)},
    {"priority_goes_with_the_tag", tci(5, 100), {}, 0, {}},
    {"priority_tag_to_untagged_stays", tci(6, 0), {}, 0, tci(6, 0)},
    {"priority_tag_to_300", tci(6, 0), {}, 300, tci(6, 300)},
    {"taken_out_to_untagged", {}, tci(0, 100), 0, {}},
    {"taken_out_to_100", {}, tci(0, 100), 100, tci(0, 100)},
    {"taken_out_to_200", {}, tci(0, 100), 200, tci(0, 200)},
    {"taken_out_priority_is_kept", {}, tci(3, 100, true), 200, tci(3, 200, true)},
    {"priority_tag_taken_out_to_untagged", {}, tci(6, 0), 0, {}},
    {"priority_tag_taken_out_to_300", {}, tci(6, 0), 300, tci(6, 300)},
    {"tag_behind_a_priority_tag_taken_out", tci(2, 100), tci(6, 0), 200, tci(2, 200)},
};

Layout layout_of(const Case& c) {
  return {.stripped_tci = c.taken_out.value_or(0), .tag_stripped = c.taken_out.has_value()};
}
Bytes tagged(const Bytes& frame, std::optional<uint16_t> tag) {
  return tag ? with_tag(frame, *tag) : frame;
}
dataplane::Tables tables(uint16_t vlan, uint16_t port = 0) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) {
    service.real_servers.at(0).vlan = vlan;
    service.real_servers.at(0).egress = dataplane::PortId{Wires::get().port_id(port)};
  }
  return tables;
}

class Vlan : public testing::TestWithParam<Case> {};

// From either port to either port; the connection's first packet and later ones.
TEST_P(Vlan, TheServersTagReplacesTheClients) {
  const Case& c = GetParam();
  for (const uint16_t client_port : {uint16_t{0}, uint16_t{1}}) {
    for (const uint16_t server_port : {uint16_t{0}, uint16_t{1}}) {
      Director director;
      director.publish(tables(c.server_vlan, server_port));
      for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
        for (Frame f : {tcp(client, 1, kSyn), tcp(client, 1, kAck), tcp(client, 1, kAck), udp(client, 2),
                        sctp(client, 3, kInitChunk)}) {
          f.dst_mac = kPortMacs.at(client_port);
          f.payload += std::string(100, 'x');
          const Outcome outcome = director.send({tagged(f.bytes(), c.in_frame)}, 0, client_port, layout_of(c));
          ASSERT_EQ(outcome.sent.size(), 1U);
          EXPECT_EQ(hex(outcome.sent[0].bytes), hex(tagged(sent_to(1, f.bytes(), server_port), c.out)));
          EXPECT_EQ(outcome.sent[0].port, server_port);
        }
      }
      EXPECT_TRUE(adds_up(director.status()));
      EXPECT_EQ(director.counters(kWeb, "192.0.2.101:80").bytes, 3U * 140) << "IP's bytes, whatever the tags";
    }
  }
}

// What the director itself says goes back the way that the frame came: tagged to who was tagged.
TEST_P(Vlan, RepliesGoBackWithTheClientsTag) {
  const Case& c = GetParam();
  Director director;
  director.publish(both_families(0));
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    const Frame f = udp(client, 1);
    const Outcome outcome = director.send({tagged(f.bytes(), c.in_frame)}, 0, 0, layout_of(c));
    EXPECT_EQ(outcome.drops, drops("no_real_server"));
    ASSERT_EQ(outcome.sent.size(), 1U);
    Frame reply = f.is_v6() ? icmp_error(f.dst, 1, 4, f) : icmp_error(f.dst, 3, 3, f);
    reply.dst_mac = f.src_mac, reply.src_mac = f.dst_mac, reply.pad_to = 0;
    if (!f.is_v6()) reply.tos = 0xc0, reply.id = 0, reply.fragment_field = 0x4000;
    const auto tag = c.in_frame ? c.in_frame : c.taken_out;
    const bool to_a_vlan = tag && *tag % 4096 != 0;
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(tagged(reply.bytes(), to_a_vlan ? tag : std::nullopt)));
  }
  EXPECT_TRUE(adds_up(director.status()));
}

TEST_P(Vlan, FramesOfOtherServicesKeepTheirTag) {
  const Case& c = GetParam();
  Director director;
  director.publish(tables(c.server_vlan));
  Frame f = tcp("10.0.0.1", 1, kSyn);
  f.dport = 22;
  expect_fate(director, tagged(f.bytes(), c.in_frame), punted(), 0, layout_of(c));
}

INSTANTIATE_TEST_SUITE_P(Cases, Vlan, testing::ValuesIn(kCases), [](const auto& one) { return one.param.name; });

// Over the whole range, and not only those of the table.
TEST(VlanTag, ManyIdsInAndOut) {
  Director director;
  const Frame f = tcp("10.0.0.1", 1, kSyn);
  for (uint16_t vlan = 1; vlan < 4095; vlan = static_cast<uint16_t>(vlan + 31)) {
    director.publish(tables(vlan));
    const Outcome outcome = director.send({with_tag(f.bytes(), static_cast<uint16_t>(4095 - vlan))});
    ASSERT_EQ(outcome.sent.size(), 1U) << vlan;
    ASSERT_EQ(hex(outcome.sent[0].bytes), hex(with_tag(sent_to(1, f.bytes()), vlan)));
  }
}

// Servers of one virtual server on three networks.
TEST(VlanTag, EachServerHasItsOwn) {
  Director director;
  auto tables = both_families(3);
  tables.virtual_servers[0].real_servers[1].vlan = 100;
  tables.virtual_servers[0].real_servers[2].vlan = 200;
  director.publish(tables);
  std::vector<Bytes> burst;
  for (uint16_t i = 0; i < 9; ++i) burst.push_back(tcp("10.0.0.1", i, kSyn).bytes());
  const Outcome outcome = director.send(burst);
  ASSERT_EQ(outcome.sent.size(), 9U);
  for (unsigned i = 0; i < 9; ++i) {
    const Bytes plain = sent_to(i % 3 + 1, burst[i]);
    EXPECT_EQ(hex(outcome.sent[i].bytes), hex(i % 3 == 0 ? plain : with_tag(plain, i % 3 == 1 ? 100 : 200)));
  }
}

TEST(VlanTag, NeedsFourBytesInFrontOfTheFrame) {
  Director director;
  director.publish(tables(100));
  const Bytes plain = tcp("10.0.0.1", 1, kSyn).bytes();
  EXPECT_EQ(director.send({plain}, 0, 0, {.headroom = 3}).drops, drops("no_headroom"));
  EXPECT_EQ(director.send({plain}, 0, 0, {.headroom = 0}).drops, drops("no_headroom"));
  const Outcome enough = director.send({plain}, 0, 0, {.headroom = 4});
  ASSERT_EQ(enough.sent.size(), 1U);
  EXPECT_EQ(hex(enough.sent[0].bytes), hex(with_tag(sent_to(1, plain), 100)));
  const Outcome tagged_already = director.send({with_tag(plain, 7)}, 0, 0, {.headroom = 0});
  ASSERT_EQ(tagged_already.sent.size(), 1U) << "its tag's place is there";
  EXPECT_EQ(hex(tagged_already.sent[0].bytes), hex(with_tag(sent_to(1, plain), 100)));
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(VlanTag, TwoTagsAreTheKernels) {
  Director director;
  director.publish(tables(100));
  const Bytes plain = tcp("10.0.0.1", 1, kSyn).bytes();
  expect_fate(director, with_tag(with_tag(plain, 7), 8), punted());
  expect_fate(director, with_tag(plain, 7), punted(), 0, {.stripped_tci = 8, .tag_stripped = true});
  expect_fate(director, with_tag(plain, 0), punted(), 0, {.stripped_tci = 8, .tag_stripped = true});
}

TEST(VlanTag, CutInTheTag) {
  Director director;
  director.publish(tables(100));
  Bytes frame = with_tag(tcp("10.0.0.1", 1, kSyn).bytes(), 7);
  expect_fate(director, frame, dropped("headers_split"), 0, {.segments = {14}});
  expect_fate(director, frame, dropped("headers_split"), 0, {.segments = {17}});
  frame.resize(17);
  expect_fate(director, frame, dropped("truncated"));
}

}  // namespace
}  // namespace lbdp::packet_tests
