// SPDX-License-Identifier: BSD-2-Clause
// No usable real server: what the client is told, and how often.
#include <gtest/gtest.h>

#include <functional>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

Frame syn(const std::function<void(Frame&)>& change = [](Frame&) {}) {
  Frame f = tcp("10.0.0.1", 40000, kSyn);
  change(f);
  return f;
}
Frame query(const std::function<void(Frame&)>& change) {
  Frame f = udp("10.0.0.1", 40000);
  change(f);
  return f;
}

// The reply of RFC 792: from the VIP to the client, over the way the frame came.
TEST(Unreachable, IsAPortUnreachableThatQuotesThePacket) {
  Director director;
  auto tables = web_and_dns(0);
  director.publish(tables);
  const Bytes in = query([](Frame& f) { f.payload = std::string(30, 'q'), f.ip_options = {1, 1, 1, 0}; }).bytes();
  const Outcome outcome = director.send({in});
  EXPECT_EQ(outcome.drops, drops("no_real_server"));
  EXPECT_EQ(outcome.replies, 1U);
  ASSERT_EQ(outcome.sent.size(), 1U);
  const Bytes& out = outcome.sent[0].bytes;
  const size_t quoted = 24 + 8 + 30;
  ASSERT_EQ(out.size(), 14 + 20 + 8 + quoted);
  const Bytes ethernet_header(out.begin(), out.begin() + 14);
  EXPECT_EQ(hex(ethernet_header), "02 00 00 00 00 c1 02 00 00 00 00 a0 08 00 ");
  EXPECT_EQ(out[14], 0x45);
  EXPECT_EQ(out[16] << 8 | out[17], static_cast<int>(out.size() - 14));
  EXPECT_EQ(out[23], 1);                                                                  // ICMP
  EXPECT_EQ(checksum(out.data() + 14, 20), 0);                                            // over itself: 0 if right
  EXPECT_EQ(hex(Bytes(out.begin() + 26, out.begin() + 34)), "c0 00 02 0a 0a 00 00 01 ");  // VIP, client
  EXPECT_EQ(out[34], 3);                                                                  // destination unreachable
  EXPECT_EQ(out[35], 3);                                                                  // port
  EXPECT_EQ(checksum(out.data() + 34, out.size() - 34), 0);
  EXPECT_EQ(hex(Bytes(out.begin() + 42, out.end())), hex(Bytes(in.begin() + 14, in.begin() + 14 + quoted)));
  EXPECT_TRUE(adds_up(director.status()));
}

TEST(Unreachable, QuotesNoPaddingAndAtMost576BytesInAll) {
  Director director;
  director.publish(web_and_dns(0));
  const Outcome small = director.send(syn([](Frame& f) { f.pad_to = 100; }));
  ASSERT_EQ(small.sent.size(), 1U);
  EXPECT_EQ(small.sent[0].bytes.size(), 14U + 28 + 40);
  const Outcome large = director.send(query([](Frame& f) { f.payload = std::string(1400, 'q'); }));
  ASSERT_EQ(large.sent.size(), 1U);
  EXPECT_EQ(large.sent[0].bytes.size(), 14U + 576);
}

TEST(Unreachable, IsRateLimited) {
  Director director({.policing = {.replies = {2, 3}}});
  director.publish(web_and_dns(0));
  const Outcome outcome = director.send(std::vector<Bytes>(8, syn().bytes()));
  EXPECT_EQ(outcome.replies, 3U);
  EXPECT_EQ(outcome.sent.size(), 3U);
  EXPECT_EQ(director.status().replies_policed, 5U);
  EXPECT_EQ(outcome.drops, drops("no_real_server", 8));
  director.advance(std::chrono::seconds(1));
  EXPECT_EQ(director.send(std::vector<Bytes>(8, syn().bytes())).replies, 2U);
}

TEST(Unreachable, NeverGoesToAnAddressThatIsNotOneHost) {
  Director director;
  director.publish(web_and_dns(0));
  for (const char* source :
       {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "240.0.0.1"}) {
    const Outcome outcome = director.send(query([&](Frame& f) { f.src = source; }));
    EXPECT_TRUE(outcome.sent.empty()) << source;
    EXPECT_EQ(outcome.drops.at("no_real_server"), 1U) << source;
  }
  const Outcome group_mac = director.send(query([](Frame& f) { f.src_mac = "03:00:00:00:00:c1"; }));
  EXPECT_TRUE(group_mac.sent.empty());
}

}  // namespace
}  // namespace lbdp::packet_tests
