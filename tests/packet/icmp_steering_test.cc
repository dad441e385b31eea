// SPDX-License-Identifier: BSD-2-Clause
// ICMP errors about a flow go to the real server that holds it, whichever worker knows it; all other ICMP goes to the
// kernel.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::PuntClass;

const std::string kClient = "10.0.0.1", kClient6 = "2001:db8:1::1", kRouter = "10.9.9.9", kRouter6 = "2001:db8:9::9";

const std::string& router_of(const Frame& f) {
  return f.is_v6() ? kRouter6 : kRouter;
}
// A client's packet that opens a flow, of each protocol and family.
std::vector<Frame> opening_packets() {
  std::vector<Frame> out;
  for (const auto& client : {kClient, kClient6}) {
    for (const Frame& f : {tcp(client, 40000, kSyn), udp(client, 40000), sctp(client, 40000, kInitChunk)})
      out.push_back(f);
  }
  return out;
}
Frame error_about(const Frame& opening, uint8_t type, uint8_t code = 0, size_t quoted = SIZE_MAX) {
  return icmp_error(router_of(opening), type, code, answer_to(opening), quoted, 1400);
}

class IcmpSteering : public testing::TestWithParam<uint16_t> {
 protected:
  // The errors come from the router's address, and so to any worker.
  void expect_everywhere(Director& director, const Bytes& frame, const Expected& expected) {
    for (uint16_t worker = 0; worker < GetParam(); ++worker) expect_fate(director, frame, expected, worker);
  }
};

TEST_P(IcmpSteering, ErrorsGoToTheServerThatHoldsTheFlow) {
  const uint16_t workers = GetParam();
  for (uint16_t holder = 0; holder < workers; ++holder) {
    Director director({.workers = workers});
    director.publish(both_families(3));
    expect_fate(director, udp(kClient, 1), forwarded(1), holder);  // so that the flows are not all of server 1
    for (const Frame& opening : opening_packets()) {
      const bool second = opening.protocol == kUdp && !opening.is_v6();
      expect_fate(director, opening, forwarded(second ? 2 : 1), holder);
      const std::vector<uint8_t> types =
          opening.is_v6() ? std::vector<uint8_t>{1, 2, 3, 4} : std::vector<uint8_t>{3, 4, 11};
      for (const uint8_t type : types) {
        for (const uint8_t code : std::initializer_list<uint8_t>{0, 1, 4, 15})
          expect_everywhere(director, error_about(opening, type, code).bytes(), forwarded(second ? 2 : 1));
      }
    }
    EXPECT_EQ(director.connections().size(), 7U) << "errors make no connections";
    for (const auto& row : director.connections()) EXPECT_EQ(row.worker, dataplane::WorkerId{holder});
  }
}

TEST_P(IcmpSteering, OtherTypesAreTheKernels) {
  Director director({.workers = GetParam()});
  director.publish(both_families(1));
  for (const Frame& opening : opening_packets()) {
    expect_fate(director, opening, forwarded());
    const std::vector<uint8_t> types = opening.is_v6() ? std::vector<uint8_t>{0, 5, 100, 127, 128, 129, 138}
                                                       : std::vector<uint8_t>{0, 5, 8, 9, 12, 13, 30};
    for (const uint8_t type : types) expect_everywhere(director, error_about(opening, type).bytes(), punted());
    if (opening.is_v6()) {
      for (const uint8_t type : std::initializer_list<uint8_t>{133, 134, 135, 136, 137})
        expect_everywhere(director, error_about(opening, type).bytes(), punted(PuntClass::kControl));
    }
  }
}

TEST_P(IcmpSteering, ErrorsAboutNoFlowAreTheKernels) {
  Director director({.workers = GetParam()});
  director.publish(both_families(1));
  for (const Frame& opening : opening_packets()) {
    const uint8_t type = opening.is_v6() ? 1 : 3;
    expect_everywhere(director, error_about(opening, type).bytes(), punted());  // not yet open
    expect_fate(director, opening, forwarded(), static_cast<uint16_t>(GetParam() - 1));
    Frame other = opening;
    other.sport = 40001;
    expect_everywhere(director, error_about(other, type).bytes(), punted());
    other = opening;
    other.dport = 22;  // no service
    expect_everywhere(director, error_about(other, type).bytes(), punted());
    other = opening;
    other.dst = opening.is_v6() ? "2001:db8::1" : "192.0.2.1";  // of the director's own packets
    Frame error = error_about(other, type);
    expect_everywhere(director, error.bytes(), punted());
    error.dst = opening.dst;  // a quote of what another address sent
    expect_everywhere(director, error.bytes(), punted());
    // The client's own packet in the quote, not the server's.
    error = icmp_error(router_of(opening), type, 0, opening);
    error.dst = opening.dst;
    expect_everywhere(director, error.bytes(), punted());
    expect_everywhere(director, error_about(opening, type).bytes(), forwarded());
  }
}

TEST_P(IcmpSteering, EchoIsTheKernels) {
  Director director({.workers = GetParam()});
  director.publish(both_families(1));
  for (const Frame& opening : opening_packets()) {
    expect_fate(director, opening, forwarded());
    Frame echo = opening;
    echo.protocol = opening.is_v6() ? kIcmp6 : kIcmp;
    echo.payload = std::string(opening.is_v6() ? "\x80" : "\x08") + std::string("\0\0\0\0\1\0\1", 7);
    expect_everywhere(director, echo.bytes(), punted());
  }
}

// The flow's time is over, or its server has gone.
TEST_P(IcmpSteering, OnlyLiveFlowsCount) {
  Director director({.workers = GetParam()});
  auto tables = both_families(1);
  director.publish(tables);
  const uint16_t holder = static_cast<uint16_t>(GetParam() - 1);
  const Frame opening = tcp(kClient, 40000, kSyn);
  expect_fate(director, opening, forwarded(), holder);
  expect_everywhere(director, error_about(opening, 3).bytes(), forwarded());
  director.advance(std::chrono::seconds(61));  // over SYN_RECV
  expect_everywhere(director, error_about(opening, 3).bytes(), punted());
  expect_fate(director, opening, forwarded(), holder);
  tables.virtual_servers[0].real_servers.clear();
  director.publish(tables);
  expect_everywhere(director, error_about(opening, 3).bytes(), punted());
}

INSTANTIATE_TEST_SUITE_P(Workers, IcmpSteering, testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4}),
                         [](const auto& one) { return std::to_string(one.param); });

// One flow, and everything that can be wrong with an error about it.
class IcmpFrames : public testing::Test {
 protected:
  IcmpFrames() {
    director_.publish(both_families(1));
    for (const Frame& f : opening_packets()) {
      expect_fate(director_, f, forwarded());
      errors_.push_back(error_about(f, f.is_v6() ? 2 : 3, f.is_v6() ? 0 : 4));
    }
  }
  Director director_;
  std::vector<Frame> errors_;
};

TEST_F(IcmpFrames, WrongChecksumsAreDropped) {
  for (const Frame& error : errors_) {
    const size_t icmp = error.is_v6() ? 54 : 34, end = icmp + error.payload.size();
    for (const size_t at : {icmp + 2, icmp + 3, icmp + 5, end - 1}) {
      Bytes frame = error.bytes();
      frame[at] ^= 0x10;
      expect_fate(director_, frame, dropped("bad_icmp_checksum"));
    }
    Bytes zero = error.bytes();
    zero[icmp + 2] = zero[icmp + 3] = 0;
    expect_fate(director_, zero, dropped("bad_icmp_checksum"));
    if (error.is_v6()) {  // whose checksum covers the addresses, too
      Bytes other_router = error.bytes();
      other_router[14 + 23] ^= 1;
      expect_fate(director_, other_router, dropped("bad_icmp_checksum"));
    }
  }
}

// Padding and trailers do not belong to the message; the IP length says where it ends.
TEST_F(IcmpFrames, PaddingDoesNotMatter) {
  for (Frame error : errors_) {
    for (const size_t pad : {0, 61, 200}) {
      error.pad_to = pad, error.pad_byte = 0xa5;
      expect_fate(director_, error, forwarded());
    }
  }
}

TEST_F(IcmpFrames, QuotesMustReachOverThePorts) {
  for (const Frame& opening : opening_packets()) {
    const uint8_t type = opening.is_v6() ? 1 : 11;
    const size_t header = opening.is_v6() ? 40 : 20;
    for (size_t quoted = 0; quoted <= answer_to(opening).ip_packet().size(); ++quoted) {
      const bool enough = quoted >= header + 4;
      expect_fate(director_, error_about(opening, type, 0, quoted), enough ? forwarded() : punted());
    }
    Frame error = error_about(opening, type);
    for (const size_t length : {0, 1, 4, 7}) {
      error.payload.resize(length);
      expect_fate(director_, error, punted());
    }
  }
}

TEST_F(IcmpFrames, WhatIsQuotedMustBeAFirstFragment) {
  const Frame query = udp(kClient, 40000), query6 = udp(kClient6, 40000);
  for (const Frame& opening : {query, query6}) {
    Frame answer = answer_to(opening);
    answer.payload = std::string(100, 'a');
    const auto parts = fragments_of(answer, 56);
    ASSERT_EQ(parts.size(), 2U);
    const uint8_t type = opening.is_v6() ? 3 : 11;
    expect_fate(director_, icmp_error(router_of(opening), type, 1, parts[0]), forwarded());
    expect_fate(director_, icmp_error(router_of(opening), type, 1, parts[1]), punted());
  }
}

TEST_F(IcmpFrames, QuotesMayHaveOptionsAndExtensionHeaders) {
  Frame answer = answer_to(tcp(kClient, 40000, kSyn));
  answer.ip_options = Bytes(40, 1);
  expect_fate(director_, icmp_error(kRouter, 3, 4, answer), forwarded());
  answer = answer_to(tcp(kClient6, 40000, kSyn));
  answer.extensions = {{kHopByHop}, {kDestinationOptions, Bytes(20)}};
  expect_fate(director_, icmp_error(kRouter6, 2, 0, answer), forwarded());
  answer.extensions = {{kRouting, {0, 1}}};  // one segment left: on its way to another address
  expect_fate(director_, icmp_error(kRouter6, 2, 0, answer), punted());
}

TEST_F(IcmpFrames, MalformedQuotesAreTheKernels) {
  const auto broken = [](const Frame& opening, const std::function<void(Frame&)>& change) {
    Frame answer = answer_to(opening);
    change(answer);
    return icmp_error(router_of(opening), opening.is_v6() ? 1 : 3, 0, answer);
  };
  const Frame syn = tcp(kClient, 40000, kSyn), syn6 = tcp(kClient6, 40000, kSyn);
  for (const uint8_t version : std::initializer_list<uint8_t>{0x44, 0x40, 0x65, 0x00})
    expect_fate(director_, broken(syn, [&](Frame& f) { f.version_ihl = version; }), punted());
  expect_fate(director_, broken(syn, [](Frame& f) { f.protocol = 47; }), punted());
  expect_fate(director_, broken(syn6, [](Frame& f) { f.version_ihl = 0x40; }), punted());
  expect_fate(director_, broken(syn6, [](Frame& f) { f.protocol = kNoNextHeader; }), punted());
  // What a router has changed does not matter: lengths, TTL, checksums.
  expect_fate(director_, broken(syn, [](Frame& f) { f.total_length = 9000, f.ttl = 0; }), forwarded());
  expect_fate(director_, broken(syn, [](Frame& f) { f.wrong_checksums = true; }), forwarded());
  expect_fate(director_, broken(syn6, [](Frame& f) { f.total_length = 9000, f.ttl = 0; }), forwarded());
}

TEST_F(IcmpFrames, FragmentsOfErrorsAreTheKernels) {
  for (const Frame& error : errors_) {
    for (const Frame& part : fragments_of(error, 32)) expect_fate(director_, part, punted());
  }
  EXPECT_EQ(director_.status().held_fragments, 0U);
}

TEST_F(IcmpFrames, SeveralBuffers) {
  Frame answer = answer_to(udp(kClient, 40000));
  answer.payload = std::string(500, 'a');
  Frame answer6 = answer_to(udp(kClient6, 40000));
  answer6.payload = std::string(1000, 'a');
  for (const Frame& error : {icmp_error(kRouter, 3, 4, answer), icmp_error(kRouter6, 2, 0, answer6)}) {
    const size_t ports = error.is_v6() ? 14 + 40 + 8 + 40 + 4 : 14 + 20 + 8 + 20 + 4;
    for (const size_t first : {ports, ports + 1, ports + 8, ports + 101}) {
      expect_fate(director_, error.bytes(), forwarded(), 0, {.segments = {first}});
      expect_fate(director_, error.bytes(), forwarded(), 0, {.segments = {first, 33, 1, 0, 100}});
      Bytes wrong = error.bytes();
      wrong.back() ^= 1;
      expect_fate(director_, wrong, dropped("bad_icmp_checksum"), 0, {.segments = {first, 33}});
    }
    expect_fate(director_, error.bytes(), punted(), 0, {.segments = {ports - 1}});  // the ports cannot be read
  }
}

TEST_F(IcmpFrames, OptionsExtensionHeadersAndTags) {
  for (Frame error : errors_) {
    if (error.is_v6()) {
      error.extensions = {{kHopByHop}, {kDestinationOptions}};
    } else {
      error.ip_options = Bytes(8, 1);
    }
    expect_fate(director_, error, forwarded());
    const Outcome outcome = director_.send({with_tag(error.bytes(), 100)});
    ASSERT_EQ(outcome.sent.size(), 1U);
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(sent_to(1, error.bytes())));
  }
}

// Longer than the way's MTU: an error about an error is forbidden (RFC 1122, 3.2.2).
TEST_F(IcmpFrames, TooBigOnesAreNotAnswered) {
  Frame answer = answer_to(udp(kClient, 40000));
  answer.payload = std::string(1450, 'a');
  Frame answer6 = answer_to(udp(kClient6, 40000));
  answer6.payload = std::string(1440, 'a');
  for (Frame error : {icmp_error(kRouter, 3, 4, answer), icmp_error(kRouter6, 2, 0, answer6)}) {
    error.fragment_field = 0x4000;
    const Outcome outcome = director_.send({error.bytes()});
    EXPECT_EQ(outcome.drops, drops("too_big"));
    EXPECT_TRUE(outcome.sent.empty());
  }
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST(IcmpToAForeignVip, IsDropped) {
  Director director;
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) service.owned = false;
  director.publish(tables);
  for (const Frame& opening : opening_packets())
    expect_fate(director, error_about(opening, opening.is_v6() ? 1 : 3), dropped("vip_not_owned"));
}

// The server gets it on its own network.
TEST(IcmpToAServerOnAVlan, IsTagged) {
  Director director;
  auto tables = both_families(1);
  tables.virtual_servers[0].real_servers[0].vlan = 100;
  director.publish(tables);
  const Frame opening = tcp(kClient, 40000, kSyn);
  (void)director.send(opening);
  const Bytes error = error_about(opening, 3, 4).bytes();
  const Outcome outcome = director.send({error});
  ASSERT_EQ(outcome.sent.size(), 1U);
  EXPECT_EQ(hex(outcome.sent[0].bytes), hex(with_tag(sent_to(1, error), 100)));
  EXPECT_EQ(director.counters(kWeb, "192.0.2.101:80").packets, 2U) << "counted as the server's, as IPVS does";
}

}  // namespace
}  // namespace lbdp::packet_tests
