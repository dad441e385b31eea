// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/fragment_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace lbdp::dataplane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kLifetime = 3000, kHoldTime = 500;

FragmentTableParams params() {
  return {.datagrams = 256,
          .held_frames = 64,
          .held_per_datagram = 8,
          .lifetime = kLifetime,
          .hold_time = kHoldTime,
          .seed = 7};
}

FragmentKey key(uint32_t id, uint32_t source = 0x0a000001, uint8_t protocol = 17) {
  return {WideAddress::from_v4(Be<uint32_t>::from_host(source)),
          WideAddress::from_v4(Be<uint32_t>::from_host(0xc000020a)), id, protocol};
}

// Never looked into: a frame is its address, and so a number.
std::array<char, 1 << 19> addresses;
rte_mbuf* frame(size_t number) {
  return reinterpret_cast<rte_mbuf*>(&addresses.at(number));
}
size_t number(rte_mbuf* frame) {
  return static_cast<size_t>(reinterpret_cast<char*>(frame) - addresses.data());
}

std::vector<size_t> numbers(std::span<rte_mbuf*> frames) {
  std::vector<size_t> out;
  for (rte_mbuf* f : frames) out.push_back(number(f));
  return out;
}
std::vector<size_t> take(FragmentTable& table, const FragmentKey& k, size_t room = 128) {
  std::vector<rte_mbuf*> out(room);
  return numbers(std::span(out).first(table.take_held(k, out)));
}
std::vector<size_t> expire(FragmentTable& table, uint64_t now, size_t room = 128) {
  std::vector<rte_mbuf*> out(room);
  return numbers(std::span(out).first(table.expire(now, out)));
}
std::vector<size_t> drain(FragmentTable& table, size_t room = 128) {
  std::vector<rte_mbuf*> out(room);
  return numbers(std::span(out).first(table.drain(out)));
}

TEST(FragmentTable, LaterFragmentsFollowTheFirstForItsLifetime) {
  FragmentTable table(params());
  EXPECT_FALSE(table.find(key(1), 0));
  table.note_first(key(1), SlotId{4}, 9, 1000);
  EXPECT_EQ(table.find(key(1), 1000), (FragmentTarget{SlotId{4}, 9}));
  EXPECT_EQ(table.find(key(1), 1000 + kLifetime), (FragmentTarget{SlotId{4}, 9}));
  EXPECT_FALSE(table.find(key(1), 1001 + kLifetime));
  table.note_first(key(1), SlotId{5}, 2, 5000);
  EXPECT_EQ(table.find(key(1), 5001), (FragmentTarget{SlotId{5}, 2})) << "the identification is used again";
  table.note_first(key(1), SlotId{6}, 3, 5002);
  EXPECT_EQ(table.find(key(1), 5003), (FragmentTarget{SlotId{6}, 3})) << "and before its time";
}

TEST(FragmentTable, EveryPartOfTheKeyCounts) {
  FragmentTable table(params());
  table.note_first(key(1), SlotId{4}, 9, 0);
  FragmentKey other = key(1);
  other.identification = 2;
  EXPECT_FALSE(table.find(other, 0));
  other = key(1, 0x0a000002);
  EXPECT_FALSE(table.find(other, 0));
  other = key(1, 0x0a000001, 6);
  EXPECT_FALSE(table.find(other, 0));
  other = key(1);
  other.destination.second ^= 1ULL << 63;
  EXPECT_FALSE(table.find(other, 0));
  for (uint64_t WideAddress::*half : {&WideAddress::first, &WideAddress::second}) {
    other = key(1);
    other.source.*half ^= 1;
    EXPECT_FALSE(table.find(other, 0));
  }
  EXPECT_FALSE(table.find(FragmentKey(), 0)) << "an empty place is no datagram";
}

TEST(FragmentTable, HeldFragmentsComeBackInOrderWhenTheFirstComes) {
  FragmentTable table(params());
  EXPECT_TRUE(table.hold(key(1), frame(10), 0));
  EXPECT_TRUE(table.hold(key(2), frame(20), 1));
  EXPECT_TRUE(table.hold(key(1), frame(11), 2));
  EXPECT_TRUE(table.hold(key(1), frame(12), 3));
  EXPECT_EQ(table.held(), 4U);
  EXPECT_FALSE(table.find(key(1), 3)) << "to hold is not to know";
  table.note_first(key(1), SlotId{1}, 0, 4);
  EXPECT_EQ(table.held(), 4U);
  EXPECT_THAT(take(table, key(1), 2), ElementsAre(10, 11));
  EXPECT_THAT(take(table, key(1), 2), ElementsAre(12));
  EXPECT_THAT(take(table, key(1)), IsEmpty());
  EXPECT_EQ(table.held(), 1U);
  EXPECT_EQ(table.find(key(1), 5), (FragmentTarget{SlotId{1}, 0})) << "taking forgets nothing";
  EXPECT_THAT(expire(table, 10'000), ElementsAre(20));
}

TEST(FragmentTable, HoldsNoMoreThanItsBounds) {
  FragmentTable table(params());
  for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(table.hold(key(1), frame(i), 0));
  EXPECT_FALSE(table.hold(key(1), frame(8), 0)) << "the datagram's bound";
  uint32_t refused = 0;
  for (uint32_t i = 0; i < 200; ++i) refused += table.hold(key(100 + i), frame(size_t{100} + i), 0) ? 0 : 1;
  EXPECT_EQ(table.held(), 64U);
  EXPECT_EQ(refused, 200U - 56U) << "256 places have room for 57 datagrams";
  EXPECT_EQ(expire(table, kHoldTime + 1, 1000).size(), 64U);
  EXPECT_TRUE(table.hold(key(1), frame(9), kHoldTime + 1)) << "there is room again";
}

TEST(FragmentTable, WithoutRoomForFramesItStillRemembers) {
  for (const bool none_at_all : {true, false}) {
    FragmentTableParams p = params();
    (none_at_all ? p.held_frames : p.datagrams) = 0;
    if (!none_at_all) p.held_per_datagram = 0;
    FragmentTable table(p);
    EXPECT_FALSE(table.hold(key(1), frame(1), 0));
    table.note_first(key(1), SlotId{1}, 0, 0);
    EXPECT_TRUE(table.find(key(1), 0));
    EXPECT_THAT(drain(table), IsEmpty());
  }
}

TEST(FragmentTable, ExpiresOldestFirstAndOnlyWhatIsOver) {
  FragmentTable table(params());
  for (uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(table.hold(key(static_cast<uint32_t>(i % 3)), frame(i), i * 10));
  EXPECT_THAT(expire(table, kHoldTime), IsEmpty());
  EXPECT_THAT(expire(table, kHoldTime + 1), ElementsAre(0));
  EXPECT_THAT(expire(table, kHoldTime + 31, 2), ElementsAre(1, 2)) << "bounded by the room given";
  EXPECT_THAT(expire(table, kHoldTime + 31, 2), ElementsAre(3));
  EXPECT_THAT(take(table, key(1)), ElementsAre(4, 7)) << "from the middle of the list by age";
  EXPECT_THAT(expire(table, kHoldTime + 61), ElementsAre(5, 6));
  EXPECT_THAT(drain(table, 1), ElementsAre(8));
  EXPECT_THAT(drain(table), ElementsAre(9));
  EXPECT_EQ(table.held(), 0U);
}

// A fragment whose identification was in use before waits for its own first fragment, and that gets it.
TEST(FragmentTable, AnExpiredFirstIsNotTheNextOnes) {
  FragmentTable table(params());
  table.note_first(key(1), SlotId{1}, 0, 0);
  const uint64_t later = kLifetime + 1;
  EXPECT_FALSE(table.find(key(1), later));
  EXPECT_TRUE(table.hold(key(1), frame(5), later));
  EXPECT_FALSE(table.find(key(1), later));
  table.note_first(key(1), SlotId{2}, 0, later + 1);
  EXPECT_EQ(table.find(key(1), later + 1), (FragmentTarget{SlotId{2}, 0}));
  EXPECT_THAT(take(table, key(1)), ElementsAre(5));
}

// First fragments by the million: the newest of each bucket stay, so a datagram sent back to back is not torn apart.
TEST(FragmentTable, AFloodOfFirstFragmentsReplacesTheOldest) {
  FragmentTable table(params());
  const auto random_key = [](uint32_t i) { return key(i, i * 2654435761U); };
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    table.note_first(random_key(i), SlotId{1}, 0, i);
    ASSERT_TRUE(table.find(random_key(i), i));
    ASSERT_TRUE(i < 3 || table.find(random_key(i - 3), i)) << "one of a bucket's four";
  }
}

TEST(FragmentTable, AFloodOfEarlyFragmentsPushesOutNothing) {
  FragmentTable table(params());
  std::vector<uint32_t> known;
  for (uint32_t i = 0; i < 100; ++i) table.note_first(key(i), SlotId{static_cast<uint16_t>(i)}, 0, 0);
  for (uint32_t i = 0; i < 100; ++i) {
    if (table.find(key(i), 0)) known.push_back(i);
  }
  EXPECT_GT(known.size(), 90U);
  uint32_t kept = 0, refused = 0, given_back = 0;
  for (uint32_t i = 0; i < 100'000; ++i) {
    const uint64_t now = i / 50;
    (table.hold(key(i, 0x0b000000 + i), frame(i), now) ? kept : refused) += 1;
    ASSERT_LE(table.held(), 64U);
    if (i % 32 == 0) given_back += static_cast<uint32_t>(expire(table, now, 8).size());
  }
  for (const uint32_t i : known)
    EXPECT_EQ(table.find(key(i), 2000), (FragmentTarget{SlotId{static_cast<uint16_t>(i)}, 0}));
  EXPECT_GT(kept, 64U) << "places come back";
  EXPECT_EQ(given_back + table.held(), kept);
  EXPECT_EQ(kept + refused, 100'000U);
}

// One bucket whose four datagrams all have frames waiting: a first fragment takes the oldest's place, and that one's
// frames still leave by their time, once.
TEST(FragmentTable, FramesOfAReplacedDatagramStillComeBack) {
  FragmentTableParams p = params();
  p.datagrams = 4;
  FragmentTable table(p);
  for (uint32_t i = 0; i < 8; ++i) ASSERT_TRUE(table.hold(key(i % 4), frame(i), i));
  EXPECT_FALSE(table.hold(key(4), frame(100), 8)) << "no place for a fifth datagram";
  table.note_first(key(4), SlotId{3}, 1, 9);
  EXPECT_TRUE(table.find(key(4), 9));
  EXPECT_EQ(table.held(), 8U);
  EXPECT_THAT(take(table, key(0)), IsEmpty()) << "replaced";
  table.note_first(key(5), SlotId{3}, 1, 10);
  EXPECT_FALSE(table.find(key(4), 10)) << "nothing waits at that one, so it goes first";
  EXPECT_THAT(take(table, key(1)), ElementsAre(1, 5));
  EXPECT_THAT(expire(table, kHoldTime + 9), ElementsAre(0, 2, 3, 4, 6, 7));
  EXPECT_EQ(table.held(), 0U);
}

TEST(FragmentTable, PlacesFollowFromTheSeed) {
  const auto survivors = [](uint64_t seed) {
    FragmentTableParams p = params();
    p.seed = seed;
    FragmentTable table(p);
    for (uint32_t i = 0; i < 1000; ++i) table.note_first(key(i), SlotId{1}, 0, i);
    std::set<uint32_t> out;
    for (uint32_t i = 0; i < 1000; ++i) {
      if (table.find(key(i), 1000)) out.insert(i);
    }
    return out;
  };
  EXPECT_EQ(survivors(1), survivors(1));
  EXPECT_NE(survivors(1), survivors(2));
  EXPECT_EQ(survivors(3).size(), 256U) << "each place in use";
}

// Against a plain model that never has to replace anything.
TEST(FragmentTable, AgreesWithAPlainModel) {
  FragmentTableParams p = params();
  p.datagrams = 1 << 16;  // room enough that no bucket fills
  FragmentTable table(p);
  struct Datagram {
    bool first_seen = false;
    uint64_t since = 0;
    uint16_t slot = 0;
    std::deque<std::pair<uint64_t, size_t>> held;
  };
  std::map<uint32_t, Datagram> model;
  std::deque<std::tuple<uint64_t, uint32_t, size_t>> by_age;  // since, key, frame
  std::mt19937 engine(11);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  uint64_t now = 0;
  for (uint32_t step = 0; step < 300'000; ++step) {
    now += random() % 30;
    const uint32_t id = random() % 40;
    Datagram& d = model[id];
    switch (random() % 8) {
      case 0: {
        const auto slot = static_cast<uint16_t>(random());
        table.note_first(key(id), SlotId{slot}, 0, now);
        d.first_seen = true, d.since = now, d.slot = slot;
        break;
      }
      case 1: {
        std::vector<size_t> expected;
        for (size_t room = random() % 6; room > 0 && !d.held.empty(); --room) {
          expected.push_back(d.held.front().second);
          std::erase(by_age, std::tuple(d.held.front().first, id, d.held.front().second));
          d.held.pop_front();
        }
        ASSERT_EQ(take(table, key(id), expected.size()), expected) << step;
        break;
      }
      case 2: {
        std::vector<size_t> expected;
        while (expected.size() < 3 && !by_age.empty() && now - std::get<0>(by_age.front()) > kHoldTime) {
          expected.push_back(std::get<2>(by_age.front()));
          model[std::get<1>(by_age.front())].held.pop_front();
          by_age.pop_front();
        }
        ASSERT_EQ(expire(table, now, 3), expected) << step;
        break;
      }
      default: {
        const bool room = by_age.size() < p.held_frames && d.held.size() < p.held_per_datagram;
        ASSERT_EQ(table.hold(key(id), frame(step), now), room) << step;
        if (room) d.held.emplace_back(now, step), by_age.emplace_back(now, id, step);
      }
    }
    ASSERT_EQ(table.held(), by_age.size()) << step;
    const auto found = table.find(key(id), now);
    ASSERT_EQ(found.has_value(), d.first_seen && now - d.since <= kLifetime) << step;
    ASSERT_TRUE(!found || found->slot == SlotId{d.slot}) << step;
  }
}

}  // namespace
}  // namespace lbdp::dataplane
