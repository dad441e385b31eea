// SPDX-License-Identifier: BSD-2-Clause
// One frame in: what comes out, byte for byte, and which counter says so.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::PuntClass;

struct Case {
  std::string name;
  Bytes frame;
  Expected expected;
  Layout layout = {};
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

Frame with(Frame f, const std::function<void(Frame&)>& change) {
  change(f);
  return f;
}
Frame syn(const std::function<void(Frame&)>& change = [](Frame&) {}) {
  return with(tcp("10.0.0.1", 40000, kSyn), change);
}
Frame query(const std::function<void(Frame&)>& change = [](Frame&) {}) {
  return with(udp("10.0.0.1", 40000), change);
}
const std::string kBroadcast = "ff:ff:ff:ff:ff:ff";

// To all nodes' group, from a neighbour.
Bytes ipv6(uint8_t next_header, const std::string& payload, uint16_t sport = 0, uint16_t dport = 0) {
  Frame f = tcp("fe80::1", sport, kAck);
  f.dst_mac = "33:33:00:00:00:01", f.dst = "ff02::1";
  f.protocol = next_header, f.payload = payload, f.dport = dport, f.ttl = 255;
  return f.bytes();
}

const std::vector<Case> kCases{
    // Forwarded, and nothing changes behind the two MAC addresses.
    {"tcp_syn", syn().bytes(), forwarded()},
    {"udp", query().bytes(), forwarded()},
    {"udp_empty", query([](Frame& f) { f.pad_to = 0; }).bytes(), forwarded()},
    {"no_padding", syn([](Frame& f) { f.pad_to = 0; }).bytes(), forwarded()},
    {"padding_that_is_not_zero", syn([](Frame& f) { f.pad_byte = 0xa5; }).bytes(), forwarded()},
    {"trailer_longer_than_the_packet", syn([](Frame& f) { f.pad_to = 300, f.pad_byte = 0x5a; }).bytes(), forwarded()},
    {"full_size", syn([](Frame& f) { f.payload = std::string(1460, 'x'); }).bytes(), forwarded()},
    {"wrong_checksums", syn([](Frame& f) { f.wrong_checksums = true; }).bytes(), forwarded()},
    {"udp_wrong_checksums", query([](Frame& f) { f.wrong_checksums = true; }).bytes(), forwarded()},
    {"ttl_1", syn([](Frame& f) { f.ttl = 1; }).bytes(), forwarded()},
    {"tos_and_df", syn([](Frame& f) { f.tos = 0xb8, f.fragment_field = 0x4000; }).bytes(), forwarded()},
    {"ip_options", syn([](Frame& f) {
                     f.ip_options = {1, 1, 1, 0};
                   }).bytes(),
     forwarded()},
    {"longest_ip_options", query([](Frame& f) { f.ip_options = Bytes(40, 1); }).bytes(), forwarded()},
    {"priority_tag", syn([](Frame& f) { f.vlan_tci = 0xe000; }).bytes(), forwarded()},
    {"priority_tag_taken_out", syn().bytes(), forwarded(), {.stripped_tci = 0xe000, .tag_stripped = true}},
    {"two_segments", syn([](Frame& f) { f.payload = std::string(900, 'y'); }).bytes(), forwarded(), {.segments = {54}}},
    {"three_segments",
     query([](Frame& f) { f.payload = std::string(900, 'y'); }).bytes(),
     forwarded(),
     {.segments = {42, 100}}},
    {"client_port_0", syn([](Frame& f) { f.sport = 0; }).bytes(), forwarded()},
    {"client_0_0_0_0_udp", query([](Frame& f) { f.src = "0.0.0.0", f.sport = 0; }).bytes(), forwarded()},
    {"syn_with_ece_cwr", syn([](Frame& f) { f.tcp_flags = 0xc2; }).bytes(), forwarded()},

    // Not ours to forward: for the kernel.
    {"ack_without_connection", syn([](Frame& f) { f.tcp_flags = kAck; }).bytes(), punted(PuntClass::kBulk)},
    {"syn_ack_without_connection", syn([](Frame& f) { f.tcp_flags = kSyn | kAck; }).bytes(), punted(PuntClass::kBulk)},
    {"syn_fin_without_connection", syn([](Frame& f) { f.tcp_flags = kSyn | kFin; }).bytes(), punted(PuntClass::kBulk)},
    {"syn_rst_without_connection", syn([](Frame& f) { f.tcp_flags = kSyn | kRst; }).bytes(), punted(PuntClass::kBulk)},
    {"rst_without_connection", syn([](Frame& f) { f.tcp_flags = kRst; }).bytes(), punted(PuntClass::kBulk)},
    {"no_flags_without_connection", syn([](Frame& f) { f.tcp_flags = 0; }).bytes(), punted(PuntClass::kBulk)},
    {"vip_unknown_port", syn([](Frame& f) { f.dport = 22; }).bytes(), punted(PuntClass::kBulk)},
    {"vip_port_of_the_other_protocol", query([](Frame& f) { f.dport = 80; }).bytes(), punted(PuntClass::kBulk)},
    {"own_address", syn([](Frame& f) { f.dst = "192.0.2.1"; }).bytes(), punted(PuntClass::kBulk)},
    {"ping_to_vip",
     syn([](Frame& f) { f.protocol = 1, f.payload = std::string("\x08\x00\xf7\xff\0\0\0\0", 8); }).bytes(),
     punted(PuntClass::kBulk)},
    {"sctp_to_vip", syn([](Frame& f) { f.protocol = 132, f.payload = "0123456789ab"; }).bytes(),
     punted(PuntClass::kBulk)},
    {"fragment_to_own_address", syn([](Frame& f) { f.dst = "192.0.2.1", f.fragment_field = 0x2000; }).bytes(),
     punted(PuntClass::kBulk)},
    {"icmp_fragment_to_vip",
     syn([](Frame& f) { f.protocol = 1, f.payload = "01234567", f.fragment_field = 0x2000; }).bytes(),
     punted(PuntClass::kBulk)},
    {"arp_broadcast", ethernet(kBroadcast, 0x0806, Bytes(28)), punted(PuntClass::kControl)},
    {"arp_unicast", ethernet(kPortMacs[0], 0x0806, Bytes(28)), punted(PuntClass::kControl)},
    {"vrrp", syn([](Frame& f) {
               f.dst_mac = "01:00:5e:00:00:12", f.dst = "224.0.0.18", f.protocol = 112,
               f.payload = std::string(20, 'v');
             }).bytes(),
     punted(PuntClass::kVrrp)},
    {"vrrp_unicast",
     syn([](Frame& f) { f.dst = "192.0.2.1", f.protocol = 112, f.payload = std::string(20, 'v'); }).bytes(),
     punted(PuntClass::kVrrp)},
    {"bgp_to_us", syn([](Frame& f) { f.dst = "192.0.2.1", f.dport = 179; }).bytes(), punted(PuntClass::kControl)},
    {"bgp_from_peer",
     syn([](Frame& f) { f.dst = "192.0.2.1", f.sport = 179, f.dport = 40000, f.tcp_flags = kAck; }).bytes(),
     punted(PuntClass::kControl)},
    {"bfd", query([](Frame& f) { f.dst = "192.0.2.1", f.dport = 3784; }).bytes(), punted(PuntClass::kControl)},
    {"bfd_echo", query([](Frame& f) { f.dst = "192.0.2.1", f.dport = 3785; }).bytes(), punted(PuntClass::kControl)},
    {"bfd_multihop", query([](Frame& f) { f.dst = "192.0.2.1", f.dport = 4784; }).bytes(), punted(PuntClass::kControl)},
    {"tcp_3784_is_not_bfd", syn([](Frame& f) { f.dst = "192.0.2.1", f.dport = 3784; }).bytes(),
     punted(PuntClass::kBulk)},
    {"client_port_179_is_a_flow", syn([](Frame& f) { f.sport = 179; }).bytes(), forwarded()},
    {"broadcast_udp", query([](Frame& f) { f.dst_mac = kBroadcast, f.dst = "255.255.255.255"; }).bytes(),
     punted(PuntClass::kBulk)},
    {"vip_in_a_broadcast_frame", syn([](Frame& f) { f.dst_mac = kBroadcast; }).bytes(), punted(PuntClass::kBulk)},
    {"neighbour_solicitation", ipv6(58, std::string("\x87\0\0\0", 4) + std::string(20, 0)),
     punted(PuntClass::kControl)},
    {"router_advertisement", ipv6(58, std::string("\x86\0\0\0", 4) + std::string(12, 0)), punted(PuntClass::kControl)},
    {"ipv6_echo", ipv6(58, std::string("\x80\0\0\0", 4) + std::string(4, 0)), punted(PuntClass::kBulk)},
    {"ipv6_vrrp", ipv6(112, std::string(20, 0)), punted(PuntClass::kVrrp)},
    {"ipv6_bgp", ipv6(6, {}, 179, 1), punted(PuntClass::kControl)},
    {"ipv6_of_no_version", ethernet(kPortMacs[0], 0x86dd, {}), dropped("bad_ip_header")},
    {"vlan_tagged_vrrp",
     syn([](Frame& f) { f.vlan_tci = 100, f.protocol = 112, f.payload = std::string(20, 'v'); }).bytes(),
     punted(PuntClass::kVrrp)},
    {"vlan_tag_taken_out", syn().bytes(), forwarded(), {.stripped_tci = 100, .tag_stripped = true}},
    {"tag_behind_a_tag_taken_out",
     syn([](Frame& f) { f.vlan_tci = 7; }).bytes(),
     punted(PuntClass::kBulk),
     {.stripped_tci = 100, .tag_stripped = true}},
    {"qinq", ethernet(kPortMacs[0], 0x88a8, Bytes(46)), punted(PuntClass::kBulk)},
    {"lldp", ethernet("01:80:c2:00:00:0e", 0x88cc, Bytes(46)), punted(PuntClass::kBulk)},
    {"ieee_802_3_length", ethernet(kPortMacs[0], 0x0026, Bytes(46)), punted(PuntClass::kBulk)},

    // Dropped, each for its reason.
    {"other_mac", syn([](Frame& f) { f.dst_mac = "02:00:00:00:00:a9"; }).bytes(), dropped("not_for_us")},
    {"mac_of_the_other_port", syn([](Frame& f) { f.dst_mac = kPortMacs[1]; }).bytes(), dropped("not_for_us")},
    {"arp_to_other_mac", ethernet("02:00:00:00:00:a9", 0x0806, Bytes(28)), dropped("not_for_us")},
    {"malformed_to_other_mac", syn([](Frame& f) { f.dst_mac = "02:00:00:00:00:a9", f.version_ihl = 0x35; }).bytes(),
     dropped("not_for_us")},
    {"runt_1", Bytes(1), dropped("truncated")},
    {"runt_13", syn([](Frame& f) { f.cut_to = 13; }).bytes(), dropped("truncated")},
    {"ethernet_only", syn([](Frame& f) { f.cut_to = 14; }).bytes(), dropped("truncated")},
    {"cut_in_ip_header", syn([](Frame& f) { f.cut_to = 33; }).bytes(), dropped("truncated")},
    {"cut_in_ip_options", syn([](Frame& f) { f.ip_options = Bytes(40, 1), f.cut_to = 70; }).bytes(),
     dropped("truncated")},
    {"cut_in_tcp_header", syn([](Frame& f) { f.cut_to = 53; }).bytes(), dropped("bad_ip_length")},
    {"ip_length_ends_in_tcp_header", syn([](Frame& f) { f.total_length = 39; }).bytes(), dropped("truncated")},
    {"ip_length_ends_in_udp_header", query([](Frame& f) { f.total_length = 27; }).bytes(), dropped("truncated")},
    {"cut_in_vlan_tag", syn([](Frame& f) { f.vlan_tci = 0, f.cut_to = 16; }).bytes(), dropped("truncated")},
    {"version_5", syn([](Frame& f) { f.version_ihl = 0x55; }).bytes(), dropped("bad_ip_header")},
    {"version_6_as_ipv4", syn([](Frame& f) { f.version_ihl = 0x65; }).bytes(), dropped("bad_ip_header")},
    {"ihl_4", syn([](Frame& f) { f.version_ihl = 0x44; }).bytes(), dropped("bad_ip_header")},
    {"ihl_0", syn([](Frame& f) { f.version_ihl = 0x40; }).bytes(), dropped("bad_ip_header")},
    {"ihl_15_over_the_total_length", syn([](Frame& f) { f.version_ihl = 0x4f, f.pad_to = 100; }).bytes(),
     dropped("bad_ip_length")},
    {"ip_length_over_the_frame", syn([](Frame& f) { f.total_length = 47; }).bytes(), dropped("bad_ip_length")},
    {"ip_length_65535", syn([](Frame& f) { f.total_length = 65535; }).bytes(), dropped("bad_ip_length")},
    {"ip_length_below_its_header", syn([](Frame& f) { f.total_length = 19; }).bytes(), dropped("bad_ip_length")},
    {"ip_length_0", syn([](Frame& f) { f.total_length = 0; }).bytes(), dropped("bad_ip_length")},
    {"headers_split_in_ethernet", syn().bytes(), dropped("headers_split"), {.segments = {10}}},
    {"headers_split_in_ip", syn().bytes(), dropped("headers_split"), {.segments = {20}}},
    {"headers_split_in_tcp", syn().bytes(), dropped("headers_split"), {.segments = {53}}},
    {"empty_first_segment", syn().bytes(), dropped("headers_split"), {.segments = {0}}},
    {"first_fragment_to_vip", syn([](Frame& f) { f.fragment_field = 0x2000; }).bytes(), forwarded()},
    {"later_fragment_to_vip", query([](Frame& f) { f.fragment_field = 0x00b9; }).bytes(), held()},
    {"fragment_to_vip_with_unknown_port", syn([](Frame& f) { f.dport = 22, f.fragment_field = 0x2000; }).bytes(),
     punted(PuntClass::kBulk)},
    {"foreign_vip", syn([](Frame& f) { f.dst = "192.0.2.20"; }).bytes(), dropped("vip_not_owned")},
    {"foreign_vip_ack", syn([](Frame& f) { f.dst = "192.0.2.20", f.tcp_flags = kAck; }).bytes(),
     dropped("vip_not_owned")},
    {"foreign_vip_unknown_port", syn([](Frame& f) { f.dst = "192.0.2.20", f.dport = 22; }).bytes(),
     dropped("vip_not_owned")},
    {"foreign_vip_ping", syn([](Frame& f) { f.dst = "192.0.2.20", f.protocol = 1, f.payload = "01234567"; }).bytes(),
     dropped("vip_not_owned")},
    {"foreign_vip_fragment", syn([](Frame& f) { f.dst = "192.0.2.20", f.fragment_field = 0x2000; }).bytes(),
     dropped("vip_not_owned")},
    {"foreign_vip_vlan_tagged", syn([](Frame& f) { f.dst = "192.0.2.20", f.vlan_tci = 100; }).bytes(),
     dropped("vip_not_owned")},
    {"empty_service", syn([](Frame& f) { f.dport = 81; }).bytes(), dropped("no_real_server")},
};

class OneFrame : public testing::TestWithParam<Case> {};

TEST_P(OneFrame, EndsWhereItMust) {
  const Case& c = GetParam();
  Director director;
  auto tables = web_and_dns(1);
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.10:81").value()}, 0));
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.20:80").value()}, 1));
  tables.virtual_servers.back().owned = false;
  director.publish(tables);

  expect_fate(director, c.frame, c.expected, 0, c.layout);
  const auto status = director.status();
  EXPECT_EQ(status.received, 1U);
  EXPECT_EQ(status.transmitted, c.expected.kind == Expected::kForwarded ? 1U : 0U);
  EXPECT_EQ(status.punted.at(static_cast<size_t>(c.expected.punt_class)).count,
            c.expected.kind == Expected::kPunted ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Cases, OneFrame, testing::ValuesIn(kCases), [](const auto& one) { return one.param.name; });

TEST(Forwarding, PuntedFrameKeepsItsStrippedTag) {
  Director director;
  director.publish(web_and_dns(1));
  Director::feed(syn([](Frame& f) { f.dport = 22; }).bytes(), 0, 0, {.stripped_tci = 100, .tag_stripped = true});
  director.worker().run_once();
  void* element = nullptr;
  ASSERT_EQ(rte_ring_dequeue(director.punt_ring(PuntClass::kBulk), &element), 0);
  auto* frame = static_cast<rte_mbuf*>(element);
  EXPECT_NE(frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED, 0U);
  EXPECT_EQ(frame->vlan_tci, 100);
  EXPECT_EQ(frame->port, Wires::get().port_id(0));
  rte_pktmbuf_free(frame);
}

TEST(Forwarding, EachPortHasItsOwnMac) {
  Director director;
  director.publish(web_and_dns(1));
  const Frame f = syn([](Frame& frame) { frame.dst_mac = kPortMacs[1]; });
  EXPECT_EQ(server_of(director.send({f.bytes()}, 0, 1)), 1U);
}

TEST(Forwarding, LeavesByTheServersPortWithThatPortsMac) {
  Director director;
  auto tables = web_and_dns(1);
  tables.virtual_servers[0].real_servers[0].egress = dataplane::PortId{Wires::get().port_id(1)};
  director.publish(tables);
  const Outcome outcome = director.send(syn());
  ASSERT_EQ(outcome.sent.size(), 1U);
  EXPECT_EQ(outcome.sent[0].port, 1);
  const auto from = mac(kPortMacs[1]).bytes;
  EXPECT_TRUE(std::equal(from.begin(), from.end(), outcome.sent[0].bytes.begin() + 6));
}

TEST(Forwarding, UnknownEgressPortIsCounted) {
  Director director({.second_port = false});
  auto tables = web_and_dns(1);
  tables.virtual_servers[0].real_servers[0].egress = dataplane::PortId{Wires::get().port_id(1)};
  director.publish(tables);
  EXPECT_EQ(director.send(syn()).drops, drops("no_egress"));
}

TEST(Forwarding, FullTransmitQueueIsCounted) {
  Director director;
  director.publish(web_and_dns(1));
  rte_ring* const wire = Wires::get().from_port(0, 0);
  std::vector<rte_mbuf*> plug;
  while (rte_ring_free_count(wire) > 2) {
    plug.push_back(rte_pktmbuf_alloc(Wires::get().pool()));
    ASSERT_NE(plug.back(), nullptr);
    ASSERT_EQ(rte_ring_enqueue(wire, plug.back()), 0);
  }
  const unsigned before = rte_mempool_avail_count(Wires::get().pool());
  for (uint16_t i = 0; i < 5; ++i) Director::feed(tcp("10.0.0.1", static_cast<uint16_t>(1000 + i), kSyn).bytes(), 0, 0);
  director.worker().run_once();
  const auto status = director.status();
  EXPECT_EQ(status.transmitted, 2U);
  EXPECT_EQ(drops_of(status, "tx_queue_full"), 3U);
  EXPECT_TRUE(adds_up(status));
  EXPECT_EQ(rte_mempool_avail_count(Wires::get().pool()), before - 2) << "refused frames are freed";
}

TEST(Forwarding, PuntsArePolicedByClass) {
  Director director({.policing = {.vrrp = {10, 2}, .control = {10, 3}, .bulk = {10, 4}, .replies = {10, 10}}});
  director.publish(web_and_dns(1));
  const Bytes arp = ethernet(kBroadcast, 0x0806, Bytes(28));
  const Bytes vrrp =
      syn([](Frame& f) { f.dst = "192.0.2.1", f.protocol = 112, f.payload = std::string(20, 'v'); }).bytes();
  const Bytes bulk = syn([](Frame& f) { f.dst = "192.0.2.1"; }).bytes();
  std::vector<Bytes> burst;
  for (int i = 0; i < 10; ++i) burst.insert(burst.end(), {bulk, arp, vrrp});
  const Outcome outcome = director.send(burst);
  EXPECT_EQ(outcome.drops, (std::map<std::string, uint64_t>{
                               {"punt_policed_vrrp", 8}, {"punt_policed_control", 7}, {"punt_policed_bulk", 6}}));
  EXPECT_EQ(outcome.punted.size(), 9U);
  EXPECT_TRUE(adds_up(director.status()));

  director.advance(std::chrono::milliseconds(200));  // ten a second: two more of each
  EXPECT_EQ(director.send(burst).punted.size(), 6U);
}

TEST(Forwarding, FullPuntRingIsCounted) {
  Director director({.punt_ring = 8});  // holds 7
  director.publish(web_and_dns(1));
  const Bytes bulk = syn([](Frame& f) { f.dst = "192.0.2.1"; }).bytes();
  const Outcome outcome = director.send(std::vector<Bytes>(10, bulk));
  EXPECT_EQ(outcome.punted.size(), 7U);
  EXPECT_EQ(outcome.drops, drops("punt_ring_full", 3));
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(Forwarding, NothingIsForwardedBeforeTheFirstPublication) {
  Director director;
  const Outcome outcome = director.send(syn());
  EXPECT_TRUE(outcome.sent.empty());
  EXPECT_EQ(outcome.punted.size(), 1U);
}

TEST(Forwarding, FramesFromTheKernelGoOutAsTheyAre) {
  Director director;
  const Bytes frame = ethernet(kBroadcast, 0x0806, Bytes(28, 0x33));
  rte_mbuf* const mbuf = rte_pktmbuf_alloc(Wires::get().pool());
  std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(frame.size())), frame.data(), frame.size());
  ASSERT_EQ(rte_ring_enqueue(director.inject(1), mbuf), 0);
  EXPECT_EQ(director.worker().run_once(), 1U);
  const auto sent = Director::drain_ports();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].port, 1);
  EXPECT_EQ(hex(sent[0].bytes), hex(frame));
  const auto status = director.status();
  EXPECT_EQ(status.injected, 1U);
  EXPECT_EQ(status.received, 0U);
}

}  // namespace
}  // namespace lbdp::packet_tests
