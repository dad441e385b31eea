// SPDX-License-Identifier: BSD-2-Clause
// Long frames and frames in several buffers.
#include <gtest/gtest.h>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

dataplane::Tables jumbo_tables(uint16_t vlan = 0) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) {
    service.real_servers.at(0).mtu = 9000;
    service.real_servers.at(0).vlan = vlan;
  }
  return tables;
}

// Of each protocol and family, with IP packets of so many bytes that are all different in every direction.
std::vector<Frame> frames_of(size_t ip_bytes) {
  std::vector<Frame> out;
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    for (Frame f : {tcp(client, 1, kSyn), udp(client, 1), sctp(client, 1, kInitChunk)}) {
      const size_t grow = ip_bytes - f.ip_packet().size();
      for (size_t i = 0; i < grow; ++i) f.payload += static_cast<char>(i * 7 + i / 256);
      out.push_back(f);
    }
  }
  return out;
}

TEST(Jumbo, NineThousandBytesInFiveBuffers) {
  Director director;
  director.publish(jumbo_tables());
  for (const Frame& f : frames_of(9000)) {
    ASSERT_EQ(f.bytes().size(), 9014U);
    expect_fate(director, f, forwarded());
    if (f.protocol == kTcp) {
      Frame later = f;
      later.tcp_flags = kAck;
      expect_fate(director, later, forwarded());
    }
  }
  EXPECT_EQ(director.counters(kWeb, "192.0.2.101:80").bytes, 18'000U);
  EXPECT_EQ(director.counters(kDns6, "[2001:db8::101]:80").bytes, 9'000U);
}

TEST(Jumbo, GetsAndLosesTags) {
  Director director;
  director.publish(jumbo_tables(100));
  for (const Frame& f : frames_of(9000)) {
    for (const Bytes& in : {f.bytes(), with_tag(f.bytes(), 7)}) {
      const Outcome outcome = director.send({in}, 0, 0, {.segments = {100, 1}});
      ASSERT_EQ(outcome.sent.size(), 1U);
      EXPECT_EQ(hex(outcome.sent[0].bytes), hex(with_tag(sent_to(1, f.bytes()), 100)));
    }
  }
  director.publish(jumbo_tables(0));
  for (const Frame& f : frames_of(9000)) {
    const Outcome outcome = director.send({with_tag(f.bytes(), 7)}, 0, 0, {.segments = {100, 1}});
    ASSERT_EQ(outcome.sent.size(), 1U);
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(sent_to(1, f.bytes())));
  }
}

// Wherever the first buffer ends: behind the headers the frame goes its way, before it is dropped and counted.
TEST(Segments, HeadersMustLieInTheFirst) {
  for (const Frame& f : frames_of(300)) {
    Director director;
    director.publish(jumbo_tables());
    const size_t transport = f.protocol == kTcp ? 20 : f.protocol == kUdp ? 8 : 12;
    const size_t headers = 14 + (f.is_v6() ? 40 : 20) + transport;
    for (size_t first = 0; first < headers; ++first)
      expect_fate(director, f.bytes(), dropped("headers_split"), 0, {.segments = {first}});
    EXPECT_EQ(director.status().connections + director.status().wide_connections, 0U);
    // An SCTP chunk's type that lies behind is not known, and opens nothing.
    expect_fate(director, f.bytes(), f.protocol == kSctp ? punted() : forwarded(), 0, {.segments = {headers}});
    for (size_t first = headers + 4; first < f.bytes().size(); ++first)
      expect_fate(director, f.bytes(), forwarded(), 0, {.segments = {first}});
    EXPECT_EQ(drops_of(director.status(), "headers_split"), headers);
  }
}

TEST(Segments, ManySmallOnesAndEmptyOnes) {
  Director director;
  director.publish(jumbo_tables());
  for (const Frame& f : frames_of(300)) {
    expect_fate(director, f.bytes(), forwarded(), 0, {.segments = {80, 1, 1, 0, 0, 7, 0}});
    expect_fate(director, f.bytes(), forwarded(), 0, {.segments = {80, 0}});
  }
}

// The lengths that count are the whole frame's.
TEST(Segments, TheIpLengthMayReachOverAllOfThem) {
  Director director;
  director.publish(jumbo_tables());
  for (Frame f : frames_of(300)) {
    f.pad_to = 0;
    Bytes cut = f.bytes();
    cut.pop_back();
    expect_fate(director, cut, dropped("bad_ip_length"), 0, {.segments = {80, 100}});
    f.pad_to = 500;
    expect_fate(director, f.bytes(), forwarded(), 0, {.segments = {80, 100}});
  }
}

TEST(IpOptions, AllLengths) {
  Director director;
  director.publish(both_families(1));
  for (size_t words = 0; words <= 10; ++words) {
    for (Frame f : {tcp("10.0.0.1", 5, kSyn), udp("10.0.0.1", 5), sctp("10.0.0.1", 5, kInitChunk)}) {
      f.ip_options = Bytes(words * 4, 1);
      expect_fate(director, f, forwarded());
      const size_t headers = 34 + words * 4 + 8;
      expect_fate(director, f.bytes(), dropped("headers_split"), 0, {.segments = {headers - 1}});
    }
  }
  EXPECT_EQ(director.status().connections, 3U) << "options make no other flow";
}

// Record route, timestamp, loose source route: the director does not follow them.
TEST(IpOptions, AnyKind) {
  Director director;
  director.publish(both_families(1));
  const Bytes kOptions[] = {{7, 7, 4, 0, 0, 0, 0, 0},
                            {68, 8, 5, 0, 0, 0, 0, 0},
                            {131, 7, 4, 10, 9, 9, 9, 0},
                            {148, 4, 0, 0},
                            {0, 0, 0, 0},
                            {255, 255, 255, 255},
                            {7, 0, 0, 0}};
  for (const Bytes& options : kOptions) {
    Frame f = tcp("10.0.0.1", 5, kSyn);
    f.ip_options = options;
    expect_fate(director, f, forwarded());
  }
}

}  // namespace
}  // namespace lbdp::packet_tests
