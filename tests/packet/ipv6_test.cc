// SPDX-License-Identifier: BSD-2-Clause
// IPv6: TCP, UDP and SCTP behind whatever extension headers, and every way to be malformed.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <set>

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

using Change = std::function<void(Frame&)>;
const Change kNothing = [](Frame&) {};
const std::string kClient = "2001:db8:1::1";

Bytes syn(const Change& change = kNothing) {
  Frame f = tcp(kClient, 40000, kSyn);
  change(f);
  return f.bytes();
}
Bytes query(const Change& change = kNothing) {
  Frame f = udp(kClient, 40000);
  change(f);
  return f.bytes();
}
Bytes sctp_init(const Change& change = kNothing) {
  Frame f = sctp(kClient, 40000, kInitChunk);
  change(f);
  return f.bytes();
}
// With these extension headers.
Bytes behind(const std::vector<Extension>& extensions) {
  return syn([&](Frame& f) { f.extensions = extensions; });
}
Bytes echo_request(const Change& change = kNothing) {
  Frame f = tcp(kClient, 0, 0);
  f.protocol = kIcmp6, f.payload = std::string("\x80\0\0\0\0\1\0\1", 8);
  change(f);
  return f.bytes();
}
const Extension kHop{kHopByHop}, kRoute{kRouting}, kOptions{kDestinationOptions}, kAuth{kAuthentication, Bytes(22)};

const std::vector<Case> kCases{
    {"tcp", syn(), forwarded()},
    {"udp", query(), forwarded()},
    {"sctp", sctp_init(), forwarded()},
    {"traffic_class", syn([](Frame& f) { f.tos = 0xb8; }), forwarded()},
    {"hop_limit_1", syn([](Frame& f) { f.ttl = 1; }), forwarded()},
    {"hop_limit_0", syn([](Frame& f) { f.ttl = 0; }), forwarded()},
    {"wrong_checksum", query([](Frame& f) { f.wrong_checksums = true; }), forwarded()},
    {"no_payload", query([](Frame& f) { f.pad_to = 0; }), forwarded()},
    {"trailer", syn([](Frame& f) { f.pad_to = 200, f.pad_byte = 0xa5; }), forwarded()},
    {"full_size", syn([](Frame& f) { f.payload = std::string(1440, 'x'); }), forwarded()},
    {"priority_tag", syn([](Frame& f) { f.vlan_tci = 0xa000; }), forwarded()},
    {"two_segments", syn([](Frame& f) { f.payload = std::string(900, 'x'); }), forwarded(), {.segments = {74}}},

    {"hop_by_hop", behind({kHop}), forwarded()},
    {"destination_options", behind({kOptions}), forwarded()},
    {"routing", behind({kRoute}), forwarded()},
    {"authentication", behind({kAuth}), forwarded()},
    {"all_of_them", behind({kHop, kOptions, kRoute, kAuth, kOptions}), forwarded()},
    {"long_options", behind({{kDestinationOptions, Bytes(1000)}}), forwarded()},
    {"longest_header_for_the_mtu", behind({{kHopByHop, Bytes(1438)}}), forwarded()},
    {"udp_behind_options", query([](Frame& f) {
       f.extensions = {kHop, kOptions};
     }),
     forwarded()},
    {"sctp_behind_options", sctp_init([](Frame& f) { f.extensions = {kOptions}; }), forwarded()},
    {"atomic_fragment", syn([](Frame& f) {
       f.piece = {0, 20, false};
     }),
     forwarded()},
    {"eight_headers", behind(std::vector<Extension>(8, kOptions)), forwarded()},

    {"ack_without_connection", syn([](Frame& f) { f.tcp_flags = kAck; }), punted()},
    {"sctp_data_without_association", Frame(sctp(kClient, 40000, kDataChunk)).bytes(), punted()},
    {"vip_unknown_port", syn([](Frame& f) { f.dport = 22; }), punted()},
    {"vip_port_of_the_other_protocol", query([](Frame& f) { f.dport = 80; }), punted()},
    {"own_address", syn([](Frame& f) { f.dst = "2001:db8::1"; }), punted()},
    {"address_next_to_the_vip", syn([](Frame& f) { f.dst = "2001:db8::11"; }), punted()},
    {"address_that_differs_in_its_first_half", syn([](Frame& f) { f.dst = "2001:db9::10"; }), punted()},
    {"bgp", syn([](Frame& f) { f.dst = "2001:db8::1", f.dport = 179; }), punted(PuntClass::kControl)},
    {"bgp_behind_options", syn([](Frame& f) { f.dst = "2001:db8::1", f.dport = 179, f.extensions = {kOptions}; }),
     punted(PuntClass::kControl)},
    {"bfd", query([](Frame& f) { f.dst = "2001:db8::1", f.dport = 3784; }), punted(PuntClass::kControl)},
    {"vip_in_a_group_frame", syn([](Frame& f) { f.dst_mac = "33:33:00:00:00:01"; }), punted()},
    {"echo_request", echo_request(), punted()},
    {"echo_request_behind_options", echo_request([](Frame& f) { f.extensions = {kHop}; }), punted()},
    {"multicast_listener_report", echo_request([](Frame& f) {
       f.dst_mac = "33:33:00:00:00:16", f.dst = "ff02::16", f.extensions = {kHop}, f.payload[0] = '\x8f';
     }),
     punted()},
    {"vrrp", echo_request([](Frame& f) { f.dst_mac = "33:33:00:00:00:12", f.dst = "ff02::12", f.protocol = 112; }),
     punted(PuntClass::kVrrp)},
    {"no_next_header", syn([](Frame& f) { f.protocol = kNoNextHeader; }), punted()},
    {"esp", syn([](Frame& f) { f.protocol = 50, f.payload = std::string(24, 'e'); }), punted()},
    {"icmp_of_ipv4", syn([](Frame& f) { f.protocol = kIcmp, f.payload = std::string("\3\3\0\0", 4); }), punted()},

    {"other_mac", syn([](Frame& f) { f.dst_mac = "02:00:00:00:00:a9"; }), dropped("not_for_us")},
    {"foreign_vip", syn([](Frame& f) { f.dst = "2001:db8::20"; }), dropped("vip_not_owned")},
    {"foreign_vip_echo_request", echo_request([](Frame& f) { f.dst = "2001:db8::20"; }), dropped("vip_not_owned")},
    {"empty_service", syn([](Frame& f) { f.dport = 81; }), dropped("no_real_server")},
    {"version_4", syn([](Frame& f) { f.version_ihl = 0x45; }), dropped("bad_ip_header")},
    {"version_0", syn([](Frame& f) { f.version_ihl = 0; }), dropped("bad_ip_header")},
    {"nothing_behind_ethernet", syn([](Frame& f) { f.cut_to = 14; }), dropped("truncated")},
    {"cut_in_the_header", syn([](Frame& f) { f.cut_to = 53; }), dropped("truncated")},
    {"cut_in_tcp", syn([](Frame& f) { f.cut_to = 73; }), dropped("bad_ip_length")},
    {"length_over_the_frame", syn([](Frame& f) { f.total_length = 21; }), dropped("bad_ip_length")},
    {"length_65535", syn([](Frame& f) { f.total_length = 65535; }), dropped("bad_ip_length")},
    {"length_ends_in_tcp", syn([](Frame& f) { f.total_length = 19; }), dropped("truncated")},
    {"length_ends_in_udp", query([](Frame& f) { f.total_length = 7; }), dropped("truncated")},
    {"length_ends_in_sctp", sctp_init([](Frame& f) { f.total_length = 11; }), dropped("truncated")},
    {"length_0", syn([](Frame& f) { f.total_length = 0; }), dropped("truncated")},
    {"jumbogram", syn([](Frame& f) { f.extensions = {kHop}, f.total_length = 0; }), dropped("truncated")},
    {"length_ends_in_an_extension_header", syn([](Frame& f) {
       f.extensions = {{kHopByHop, Bytes(30)}}, f.total_length = 31;
     }),
     dropped("truncated")},
    {"length_ends_at_an_extension_header", syn([](Frame& f) {
       f.extensions = {kHop, kOptions}, f.total_length = 8;
     }),
     dropped("truncated")},
    {"nine_headers", behind(std::vector<Extension>(9, kOptions)), dropped("bad_ip_header")},
    {"extension_header_longer_than_the_packet",
     [] {
       Bytes frame = behind({kHop});
       frame[14 + 41] = 255;
       return frame;
     }(),
     dropped("truncated")},
    {"source_is_ipv4_mapped", syn([](Frame& f) { f.src = "::ffff:10.0.0.1"; }), dropped("bad_ip_header")},
    {"destination_is_an_ipv4_mapped_vip", syn([](Frame& f) { f.dst = "::ffff:192.0.2.10"; }), dropped("bad_ip_header")},
    {"both_are_ipv4_mapped", syn([](Frame& f) { f.src = "::ffff:10.0.0.1", f.dst = "::ffff:192.0.2.10"; }),
     dropped("bad_ip_header")},
    {"longest_header", behind({{kHopByHop, Bytes(2046)}}), dropped("headers_split")},
    {"headers_split_in_ipv6", syn(), dropped("headers_split"), {.segments = {30}}},
    {"headers_split_in_tcp", syn(), dropped("headers_split"), {.segments = {60}}},
    {"headers_split_in_udp", query(), dropped("headers_split"), {.segments = {61}}},
    {"headers_split_in_an_extension_header", behind({kHop}), dropped("headers_split"), {.segments = {58}}},
    {"headers_split_behind_an_extension_header", behind({kHop}), dropped("headers_split"), {.segments = {62}}},
};

dataplane::Tables tables() {
  auto tables = both_families(1);
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("[2001:db8::10]:81").value()}, 0));
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("[2001:db8::20]:80").value()}, 1));
  tables.virtual_servers.back().owned = false;
  return tables;
}

class OneIpv6Frame : public testing::TestWithParam<Case> {};

TEST_P(OneIpv6Frame, EndsWhereItMust) {
  const Case& c = GetParam();
  Director director;
  director.publish(tables());
  expect_fate(director, c.frame, c.expected, 0, c.layout);
  const auto status = director.status();
  EXPECT_EQ(status.received, 1U);
  EXPECT_EQ(status.connections, 0U);
  EXPECT_EQ(status.wide_connections, c.expected.kind == Expected::kForwarded ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Cases, OneIpv6Frame, testing::ValuesIn(kCases),
                         [](const auto& one) { return one.param.name; });

// A frame cut anywhere is never forwarded, and never read beyond its end (the sanitizers would say so).
TEST(Ipv6, CutAnywhereItIsDropped) {
  Director director;
  director.publish(tables());
  const Bytes whole = syn([](Frame& f) { f.extensions = {kHop, kRoute, kOptions}, f.pad_to = 0; });
  for (size_t length = 1; length < whole.size(); ++length) {
    const Bytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    expect_fate(director, frame, dropped(length < 54 ? "truncated" : "bad_ip_length"));
  }
  expect_fate(director, whole, forwarded());
}

TEST(Ipv6, FollowsTheStatesOfTcp) {
  Director director;
  director.publish(both_families(3));
  const auto state = [&] {
    const auto rows = director.connections();
    return rows.size() == 1 ? std::string(rows[0].state) : "?";
  };
  expect_fate(director, tcp(kClient, 1, kSyn), forwarded(1));
  EXPECT_EQ(state(), "SYN_RECV");
  expect_fate(director, tcp(kClient, 1, kAck), forwarded(1));
  EXPECT_EQ(state(), "ESTABLISHED");
  expect_fate(director, tcp(kClient, 1, kFin | kAck), forwarded(1));
  EXPECT_EQ(state(), "FIN_WAIT");
  expect_fate(director, tcp(kClient, 1, kSyn), forwarded(2));
  const auto counters = director.counters(kWeb6, "[2001:db8::102]:80");
  EXPECT_EQ(counters.connections, 1U);
  EXPECT_EQ(counters.bytes, 60U) << "IP's bytes, its header included";
  EXPECT_EQ(director.connections()[0].client.to_string(), "[2001:db8:1::1]:1");
  EXPECT_EQ(director.connections()[0].virtual_server.to_string(), "[2001:db8::10]:80");
}

TEST(Ipv6, FollowsTheStatesOfSctp) {
  const std::pair<uint8_t, const char*> kSteps[] = {{kInitChunk, "INIT"},
                                                    {kCookieEchoChunk, "ESTABLISHED"},
                                                    {kDataChunk, "ESTABLISHED"},
                                                    {kShutdownChunk, "SHUTDOWN"},
                                                    {kAbortChunk, "CLOSED"}};
  for (const char* client : {"2001:db8:1::1", "10.0.0.1"}) {
    Director director;
    director.publish(both_families(2));
    for (const auto& [chunk, state] : kSteps) {
      expect_fate(director, sctp(client, 9, chunk), forwarded(1));
      EXPECT_EQ(director.connections().at(0).state, state) << client;
    }
    expect_fate(director, sctp(client, 9, kInitChunk), forwarded(2));
    EXPECT_EQ(director.connections().at(0).state, "INIT") << "a closed association gives way to a new one";
  }
}

// Clients that differ in one bit of any word of the key, or in the port, are others.
TEST(Ipv6, EveryPartOfTheKeyCounts) {
  Director director;
  director.publish(both_families(8));
  const Frame kOthers[] = {udp("2001:db8::", 1),     udp("2001:db9::", 1),
                           udp("2001:db8:0:1::", 1), udp("2001:db8::1:0:0:0", 1),
                           udp("2001:db8::1", 1),    udp("2001:db8::8000:0:0:0", 1),
                           udp("2001:db8::", 2),     sctp("2001:db8::", 1, kInitChunk)};
  std::set<unsigned> servers;
  unsigned next = 1;
  for (const Frame& f : kOthers) {
    if (f.protocol == kSctp) next = 1;  // another virtual server, which begins at its first one
    expect_fate(director, f, forwarded(next++));
  }
  EXPECT_EQ(director.status().wide_connections, 8U);
  next = 1;
  for (const Frame& f : kOthers) {
    if (f.protocol == kSctp) next = 1;
    expect_fate(director, f, forwarded(next++));
  }
  EXPECT_EQ(director.status().wide_connections, 8U);
}

// Both families in one burst: each frame its own connection, in the order of arrival.
TEST(Ipv6, OneBurstOfBothFamilies) {
  Director director;
  director.publish(both_families(3));
  std::vector<Bytes> burst;
  for (uint16_t i = 0; i < 12; ++i) {
    burst.push_back(tcp("2001:db8:7::1", i, kSyn).bytes());
    burst.push_back(tcp("10.0.0.1", i, kSyn).bytes());
  }
  const Outcome outcome = director.send(burst);
  ASSERT_EQ(outcome.sent.size(), burst.size());
  for (size_t i = 0; i < burst.size(); ++i) {
    const auto to = static_cast<unsigned>(i / 2 % 3 + 1);
    EXPECT_EQ(hex(outcome.sent[i].bytes), hex(sent_to(to, burst[i]))) << i;
  }
  EXPECT_EQ(director.status().connections, 12U);
  EXPECT_EQ(director.status().wide_connections, 12U);
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(Ipv6, RefusalIsAPortUnreachableFromTheVip) {
  Director director;
  director.publish(both_families(0));
  Frame f = udp(kClient, 40000);
  f.payload = "who is there";
  const Outcome outcome = director.send(f);
  EXPECT_EQ(outcome.drops, drops("no_real_server"));
  ASSERT_EQ(outcome.sent.size(), 1U);
  Frame reply = icmp_error("2001:db8::10", 1, 4, f);
  reply.dst_mac = f.src_mac, reply.src_mac = f.dst_mac;
  EXPECT_EQ(hex(outcome.sent[0].bytes), hex(reply.bytes()));
  EXPECT_TRUE(adds_up(director.status()));
}

}  // namespace
}  // namespace lbdp::packet_tests
