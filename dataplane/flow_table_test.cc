// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/flow_table.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace lbdp::dataplane {
namespace {

const auto kNobodyIsDead = [](FlowValue) { return false; };

FlowKey key(uint32_t i) {
  return {Be<uint32_t>::from_host(0x0a000000 + i), Be<uint16_t>::from_host(static_cast<uint16_t>(i * 7)), ServiceId{3}};
}
FlowValue value(uint32_t i) {
  return {SlotId{static_cast<uint16_t>(i)}, static_cast<uint16_t>(i >> 3), FlowState::kEstablished, i & kTickMask};
}

TEST(FlowValue, KeepsItsFields) {
  const FlowValue v(SlotId{0xfffe}, 0xabcd, FlowState::kUdp, kTickMask);
  EXPECT_EQ(v.slot(), SlotId{0xfffe});
  EXPECT_EQ(v.generation(), 0xabcd);
  EXPECT_EQ(v.state(), FlowState::kUdp);
  EXPECT_EQ(v.last_seen(), kTickMask);
  EXPECT_EQ(v.above_slot(), FlowValue::steady_word(FlowState::kUdp, kTickMask) | 0xabcd);
  EXPECT_TRUE(FlowValue::only_tick(v.above_slot() ^ (FlowValue::steady_word(FlowState::kUdp, 5) | 0xabcd)));
  EXPECT_FALSE(FlowValue::only_tick(v.above_slot() ^ (FlowValue::steady_word(FlowState::kClose, 5) | 0xabcd)));
}

TEST(FlowKey, KeepsItsFieldsAndIsNeverEmpty) {
  const FlowKey k(Be<uint32_t>::from_host(0xc0000201), Be<uint16_t>::from_host(443), ServiceId{65533});
  EXPECT_EQ(k.client().host(), 0xc0000201U);
  EXPECT_EQ(k.client_port().host(), 443);
  EXPECT_EQ(k.service(), ServiceId{65533});
  EXPECT_NE(FlowKey({}, {}, ServiceId{0}).word(), 0U) << "0.0.0.0:0 to service 0 is a client, too";
}

TEST(FlowTable, FindsWhatWasInsertedUntilItIsErased) {
  std::vector<FlowBucket> memory(16);
  FlowTable table(memory, 1);
  EXPECT_FALSE(table.find(table.hash(key(1)), key(1)));
  ASSERT_TRUE(table.insert(table.hash(key(1)), key(1), value(9), kNobodyIsDead));
  const auto place = table.find(table.hash(key(1)), key(1));
  ASSERT_TRUE(place);
  EXPECT_EQ(FlowTable::value(place).word(), value(9).word());
  EXPECT_EQ(FlowTable::key(place).word(), key(1).word());
  EXPECT_EQ(table.size(), 1U);
  table.erase(place);
  EXPECT_FALSE(table.find(table.hash(key(1)), key(1)));
  EXPECT_EQ(table.size(), 0U);
}

// At the load that buckets_for() gives, every key finds a place, and keeps it while others are moved about.
TEST(FlowTable, HoldsAsManyAsItWasMadeFor) {
  constexpr uint32_t kConnections = 100'000;
  for (const uint64_t seed : {1ULL, 0x123456789abcdefULL, ~0ULL}) {
    std::vector<FlowBucket> memory(FlowTable::buckets_for(kConnections));
    FlowTable table(memory, seed);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < kConnections; ++i) {
      if (!table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead)) ++refused;
    }
    EXPECT_LE(refused, kConnections / 10'000) << "seed " << seed;
    uint32_t lost = 0;
    for (uint32_t i = 0; i < kConnections; ++i) {
      const auto place = table.find(table.hash(key(i)), key(i));
      if (!place || FlowTable::value(place).word() != value(i).word()) ++lost;
    }
    EXPECT_EQ(lost, refused);
    EXPECT_EQ(table.size(), kConnections - refused);
  }
}

TEST(FlowTable, DeadEntriesMakeRoom) {
  std::vector<FlowBucket> memory(2);
  FlowTable table(memory, 7);
  uint32_t i = 0;
  for (; table.size() < table.capacity(); ++i) {
    ASSERT_LT(i, 10'000U);
    table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead);
  }
  EXPECT_FALSE(table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead));
  unsigned released = 0;
  uint64_t gone = 0;
  const auto first_met_is_dead = [&](FlowValue v) {
    gone = v.word();
    return ++released == 1;
  };
  ASSERT_TRUE(table.insert(table.hash(key(i)), key(i), value(i), first_met_is_dead));
  EXPECT_EQ(released, 1U);
  EXPECT_EQ(table.size(), table.capacity());
  EXPECT_TRUE(table.find(table.hash(key(i)), key(i)));
  for (size_t at = 0; at < table.capacity(); ++at) {
    FlowKey k;
    FlowValue v;
    ASSERT_TRUE(table.read(at, k, v));
    EXPECT_NE(v.word(), gone);
  }
}

TEST(FlowTable, SweepMeetsEveryEntryOnceARound) {
  std::vector<FlowBucket> memory(100);
  FlowTable table(memory, 7);
  for (uint32_t i = 0; i < 200; ++i) ASSERT_TRUE(table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead));
  std::unordered_map<uint64_t, unsigned> met;
  for (int i = 0; i < 10; ++i) {
    table.sweep(10, [&](FlowValue v) {
      ++met[v.word()];
      return v.slot() < SlotId{50};
    });
  }
  EXPECT_EQ(met.size(), 200U);
  for (const auto& [word, times] : met) EXPECT_EQ(times, 1U);
  EXPECT_EQ(table.size(), 150U);
}

// Against std::unordered_map, with erasures and overwrites, at a load where entries are displaced all the time.
TEST(FlowTable, AgreesWithAPlainMap) {
  std::vector<FlowBucket> memory(256);
  FlowTable table(memory, 99);
  std::unordered_map<uint64_t, uint64_t> model;
  std::mt19937 engine(5);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  for (int step = 0; step < 200'000; ++step) {
    const FlowKey k = key(random() % 1000);
    const uint32_t h = table.hash(k);
    const auto place = table.find(h, k);
    ASSERT_EQ(static_cast<bool>(place), model.contains(k.word())) << step;
    ASSERT_TRUE(!place || FlowTable::value(place).word() == model[k.word()]) << step;
    const FlowValue v = value(random());
    switch (random() % 3) {
      case 0:
        if (place) {
          table.erase(place);
          model.erase(k.word());
        }
        break;
      case 1:
        if (place) {
          FlowTable::set_value(place, v);
          model[k.word()] = v.word();
        }
        break;
      default:
        if (!place && table.insert(h, k, v, kNobodyIsDead)) model[k.word()] = v.word();
    }
    ASSERT_EQ(table.size(), model.size());
  }
  size_t listed = 0;
  for (size_t i = 0; i < table.capacity(); ++i) {
    FlowKey k;
    FlowValue v;
    if (!table.read(i, k, v)) continue;
    ++listed;
    EXPECT_EQ(model.at(k.word()), v.word());
  }
  EXPECT_EQ(listed, model.size());
}

}  // namespace
}  // namespace lbdp::dataplane
