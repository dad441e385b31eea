// SPDX-License-Identifier: BSD-2-Clause
// Fragments that come before their first one: how many are held, how long, and what becomes of them.
#include <gtest/gtest.h>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kHeldInAll = 512, kHeldPerDatagram = 48;

// The datagram's fragments, of eight bytes each and in frames of minimum size.
std::vector<Frame> parts_of(uint16_t port, uint32_t id, size_t count, const std::string& client = "10.0.0.1") {
  Frame f = udp(client, port);
  f.payload = std::string(count * 8 - 8, 'q'), f.id = id;
  return fragments_of(f, 8);
}
Bytes orphan(uint32_t id) {
  return parts_of(1, id, 2)[1].bytes();
}

class FragmentBounds : public testing::Test {
 protected:
  FragmentBounds() { publish(both_families(2)); }
  void publish(const dataplane::Tables& tables) { director_.publish(tables); }
  Outcome send(const std::vector<Bytes>& burst) {
    auto outcome = director_.send(burst);
    EXPECT_TRUE(adds_up(director_.status()));
    return outcome;
  }
  // In small steps, as time goes by for a worker that is idle otherwise.
  void wait(milliseconds time) {
    for (milliseconds step(10); time.count() > 0; time -= step) {
      director_.advance(step);
      director_.worker().run_once();
      EXPECT_TRUE(adds_up(director_.status()));
    }
  }
  uint64_t held() const { return director_.status().held_fragments; }
  uint64_t dropped_fragments() const { return drops_of(director_.status(), "fragment"); }

  const unsigned buffers_before_ = rte_mempool_avail_count(Wires::get().pool());
  Director director_;
};

TEST_F(FragmentBounds, TheMissingFirstOneIsWaitedForHalfASecond) {
  const auto parts = parts_of(1, 7, 3);
  send({parts[1].bytes(), parts[2].bytes()});
  EXPECT_EQ(held(), 2U);
  wait(milliseconds(490));
  EXPECT_EQ(held(), 2U);
  EXPECT_EQ(dropped_fragments(), 0U);
  wait(milliseconds(400));
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(dropped_fragments(), 2U);
  EXPECT_EQ(rte_mempool_avail_count(Wires::get().pool()), buffers_before_);
  // Too late: it goes alone.
  EXPECT_EQ(send({parts[0].bytes()}).sent.size(), 1U);
}

TEST_F(FragmentBounds, ItComesJustInTime) {
  const auto parts = parts_of(1, 7, 3);
  send({parts[2].bytes()});
  wait(milliseconds(400));
  send({parts[1].bytes()});
  wait(milliseconds(90));
  const Outcome outcome = send({parts[0].bytes()});
  ASSERT_EQ(outcome.sent.size(), 3U);
  EXPECT_EQ(hex(outcome.sent[1].bytes), hex(sent_to(1, parts[2].bytes())));
  EXPECT_EQ(hex(outcome.sent[2].bytes), hex(sent_to(1, parts[1].bytes())));
  EXPECT_EQ(held(), 0U);
}

TEST_F(FragmentBounds, OneDatagramHoldsSoMany) {
  const auto parts = parts_of(1, 7, 65);
  uint64_t refused = 0;
  for (size_t i = 1; i < parts.size(); ++i) {
    const Outcome outcome = send({parts[i].bytes()});
    refused += outcome.drops.contains("fragment") ? 1 : 0;
  }
  EXPECT_EQ(held(), kHeldPerDatagram);
  EXPECT_EQ(refused, 64 - kHeldPerDatagram);
  const Outcome outcome = send({parts[0].bytes()});
  EXPECT_EQ(outcome.sent.size(), kHeldPerDatagram + 1);
  for (const auto& sent : outcome.sent) EXPECT_EQ(server_of(sent), 1U);
  EXPECT_EQ(held(), 0U);
}

// First fragments of several datagrams in one burst release at most what a burst has room for: the rest is dropped, and
// counted.
TEST_F(FragmentBounds, ManyReleasedAtOnce) {
  std::vector<Bytes> firsts;
  for (uint16_t port = 0; port < 6; ++port) {
    const auto parts = parts_of(port, port, kHeldPerDatagram + 1);
    for (size_t i = 1; i < parts.size(); ++i) send({parts[i].bytes()});
    firsts.push_back(parts[0].bytes());
  }
  EXPECT_EQ(held(), 6 * kHeldPerDatagram);
  const Outcome outcome = send(firsts);
  EXPECT_EQ(held(), 0U);
  ASSERT_TRUE(outcome.drops.contains("fragment"));
  EXPECT_EQ(outcome.sent.size() + outcome.drops.at("fragment"), 6 * (kHeldPerDatagram + 1));
  EXPECT_EQ(outcome.sent.size(), 6U + 64U);
}

// A flood of fragments without a first one: bounded memory, all counted, and gone within a second; whole packets and
// fragments in order pass as ever.
TEST_F(FragmentBounds, AFlood) {
  uint32_t id = 0;
  for (unsigned burst = 0; burst < 400; ++burst) {
    std::vector<Bytes> frames;
    for (unsigned i = 0; i < 28; ++i) frames.push_back(orphan(id++));
    const auto honest = parts_of(static_cast<uint16_t>(burst), 0x10000 - 1 - burst, 2, "10.0.0.2");
    frames.insert(frames.begin() + burst % 28, {honest[0].bytes(), honest[1].bytes()});
    frames.push_back(udp("10.0.0.3", static_cast<uint16_t>(burst)).bytes());
    const Outcome outcome = send(frames);
    ASSERT_EQ(outcome.sent.size(), 3U) << burst;
    ASSERT_LE(held(), kHeldInAll);
  }
  EXPECT_EQ(held(), kHeldInAll);
  EXPECT_EQ(rte_mempool_avail_count(Wires::get().pool()), buffers_before_ - kHeldInAll);
  EXPECT_EQ(dropped_fragments(), 400 * 28 - kHeldInAll);
  wait(milliseconds(1000));
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(dropped_fragments(), 400U * 28);
  EXPECT_EQ(rte_mempool_avail_count(Wires::get().pool()), buffers_before_);
}

// The same under a load that never lets the worker idle.
TEST_F(FragmentBounds, HeldOnesGoWhileTheWorkerIsBusy) {
  for (uint32_t id = 0; id < 2000; ++id) {
    send({orphan(id)});
    director_.advance(milliseconds(1));
  }
  EXPECT_LE(held(), kHeldInAll);
  EXPECT_GT(dropped_fragments(), 1000U);
  EXPECT_GT(held(), 0U);
}

// A flood of first fragments forgets older ones, and stays within its memory.
TEST_F(FragmentBounds, AFloodOfFirstOnes) {
  for (uint32_t i = 0; i < 20'000; i += 32) {
    std::vector<Bytes> frames;
    for (uint32_t k = 0; k < 32; ++k) frames.push_back(parts_of(1, (i + k) % 0x10000, 2)[0].bytes());
    ASSERT_EQ(send(frames).sent.size(), 32U);
    const auto honest = parts_of(2, i % 0x10000, 2, "10.0.0.2");
    ASSERT_EQ(send({honest[0].bytes(), honest[1].bytes()}).sent.size(), 2U) << "what comes back to back stays together";
  }
  EXPECT_EQ(held(), 0U);
}

TEST_F(FragmentBounds, HeldOnesGetTheServersTag) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) service.real_servers[0].vlan = 100;
  publish(tables);
  for (const bool tag : {false, true}) {
    const auto parts = parts_of(1, tag ? 7 : 8, 2);
    const auto framed = [&](const Frame& f) { return tag ? with_tag(f.bytes(), 0xa007) : f.bytes(); };
    send({framed(parts[1])});
    const Outcome outcome = send({framed(parts[0])});
    ASSERT_EQ(outcome.sent.size(), 2U);
    for (size_t i = 0; i < 2; ++i)
      EXPECT_EQ(hex(outcome.sent[i].bytes), hex(with_tag(sent_to(1, parts[i].bytes()), tag ? 0xa064 : 100)));
  }
}

TEST_F(FragmentBounds, HeldOnesWithoutRoomForATag) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) service.real_servers[0].vlan = 100;
  publish(tables);
  const auto parts = parts_of(1, 7, 2);
  (void)director_.send({parts[1].bytes()}, 0, 0, {.headroom = 2});
  const Outcome outcome = send({parts[0].bytes()});
  EXPECT_EQ(outcome.sent.size(), 1U);
  EXPECT_EQ(outcome.drops, drops("no_headroom"));
}

TEST_F(FragmentBounds, HeldOnesLongerThanTheMtu) {
  for (const char* client : {"10.0.0.1", "2001:db8:1::1"}) {
    for (const uint16_t dont_fragment : {uint16_t{0}, uint16_t{0x4000}}) {
      Frame f = udp(client, 1);
      f.payload = std::string(4000, 'q'), f.fragment_field = dont_fragment,
      f.id = static_cast<uint16_t>(f.id + dont_fragment);
      const auto parts = fragments_of(f, 2000);
      send({parts[1].bytes()});
      Frame first = parts[0];  // of a sender that cuts at will
      first.piece->length = 1000;
      const Outcome outcome = send({first.bytes()});
      EXPECT_EQ(outcome.replies, 0U) << "errors about later fragments are forbidden";
      if (f.is_v6() || dont_fragment != 0) {
        EXPECT_EQ(outcome.sent.size(), 1U);
        EXPECT_EQ(outcome.drops, drops("too_big"));
      } else {
        ASSERT_EQ(outcome.sent.size(), 3U) << "the held one goes in two pieces";
        Frame piece = parts[1];
        piece.piece = {2000, 1480, true};
        EXPECT_EQ(hex(outcome.sent[1].bytes), hex(sent_to(1, piece.bytes())));
        piece.piece = {3480, parts[1].piece->length - 1480, parts[1].piece->more};
        EXPECT_EQ(hex(outcome.sent[2].bytes), hex(sent_to(1, piece.bytes())));
        EXPECT_TRUE(outcome.drops.empty());
      }
    }
  }
}

TEST_F(FragmentBounds, HeldOnesOfAServerWithoutMac) {
  auto tables = both_families(1);
  for (auto& service : tables.virtual_servers) service.real_servers[0].mac.reset();
  send({udp("10.0.0.1", 1).bytes()});
  publish(tables);
  const auto parts = parts_of(1, 7, 2);
  send({parts[1].bytes()});
  const Outcome outcome = send({parts[0].bytes()});
  EXPECT_TRUE(outcome.sent.empty());
  EXPECT_EQ(outcome.drops, drops("no_neighbor", 2));
  EXPECT_EQ(held(), 0U);
}

// The worker's end gives back what it holds.
TEST(FragmentsAtTheEnd, NoBufferIsLost) {
  const unsigned before = rte_mempool_avail_count(Wires::get().pool());
  {
    Director director;
    director.publish(both_families(1));
    for (uint32_t id = 0; id < 100; ++id) (void)director.send({orphan(id)});
    EXPECT_EQ(director.status().held_fragments, 100U);
  }
  EXPECT_EQ(rte_mempool_avail_count(Wires::get().pool()), before);
}

}  // namespace
}  // namespace lbdp::packet_tests
