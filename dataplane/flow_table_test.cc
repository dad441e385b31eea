// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/flow_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace lbdp::dataplane {
namespace {

const auto kNobodyIsDead = [](const auto&, FlowValue) { return false; };

template <class Key>
Key make_key(uint32_t i);
template <>
FlowKey make_key<FlowKey>(uint32_t i) {
  return {Be<uint32_t>::from_host(0x0a000000 + i), Be<uint16_t>::from_host(static_cast<uint16_t>(i * 7)), ServiceId{3}};
}
template <>
WideKey make_key<WideKey>(uint32_t i) {  // neighbours differ in one word only, by turns
  return {WideAddress{0x0db80120 + i % 3, i / 9}, Be<uint16_t>::from_host(4000),
          Be<uint16_t>::from_host(static_cast<uint16_t>(i / 3 % 3)), ServiceId{3}};
}
template <class Key>
std::string words(const Key& key) {
  std::string text;
  for (size_t i = 0; i < Key::kWords; ++i) text += std::to_string(key.word(i)) + " ";
  return text;
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
}

TEST(FlowValue, TellsItsAgeInOneStepIfAllElseIsTheSame) {
  const FlowValue v(SlotId{7}, 0xabcd, FlowState::kUdp, 1000);
  const auto age = [&](FlowState state, uint16_t generation, Tick now) {
    return FlowValue::age((FlowValue::steady_word(state, now) | generation) - v.above_slot());
  };
  EXPECT_EQ(age(FlowState::kUdp, 0xabcd, 1000), 0U);
  EXPECT_EQ(age(FlowState::kUdp, 0xabcd, 1018), 18U);
  EXPECT_GT(age(FlowState::kUdp, 0xabcd, 999), kTickMask) << "a clock that has gone round";
  EXPECT_GT(age(FlowState::kUdp, 0xabcc, 1018), kTickMask);
  EXPECT_GT(age(FlowState::kUdp, 0xabce, 1000), kTickMask);
  EXPECT_GT(age(FlowState::kEstablished, 0xabcd, 1018), kTickMask);
  EXPECT_GT(age(FlowState::kSctpInit, 0xabcd, 1018), kTickMask);
}

TEST(FlowKey, KeepsItsFieldsAndIsNeverEmpty) {
  const FlowKey k(Be<uint32_t>::from_host(0xc0000201), Be<uint16_t>::from_host(443), ServiceId{65533});
  EXPECT_EQ(k.client().to_string(), "192.0.2.1");
  EXPECT_EQ(k.client_port().host(), 443);
  EXPECT_EQ(k.service(), ServiceId{65533});
  EXPECT_NE(FlowKey({}, {}, ServiceId{0}).word(0), 0U) << "0.0.0.0:0 to service 0 is a client, too";
}

TEST(WideKey, KeepsItsFieldsAndIsNeverEmpty) {
  const auto client = WideAddress::of(IpAddress::parse("2001:db8::17").value());
  const WideKey k(client, Be<uint16_t>::from_host(443), Be<uint16_t>::from_host(8080), ServiceId{65533});
  EXPECT_EQ(k.client().to_string(), "2001:db8::17");
  EXPECT_EQ(k.client_port().host(), 443);
  EXPECT_EQ(k.port().host(), 8080);
  EXPECT_EQ(k.service(), ServiceId{65533});
  EXPECT_NE(WideKey({}, {}, {}, ServiceId{0}).word(0), 0U);
  const WideKey v4(WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000001)), {}, {}, ServiceId{1});
  EXPECT_EQ(v4.client().to_string(), "10.0.0.1");
}

template <class Key>
class FlowTableOf : public testing::Test {};
using Keys = testing::Types<FlowKey, WideKey>;
TYPED_TEST_SUITE(FlowTableOf, Keys);

TYPED_TEST(FlowTableOf, FindsWhatWasInsertedUntilItIsErased) {
  using Table = FlowTable<TypeParam>;
  const auto key = make_key<TypeParam>;
  std::vector<typename Table::Bucket> memory(16);
  Table table(memory, 1);
  EXPECT_FALSE(table.find(table.hash(key(1)), key(1)));
  ASSERT_TRUE(table.insert(table.hash(key(1)), key(1), value(9), kNobodyIsDead));
  const auto place = table.find(table.hash(key(1)), key(1));
  ASSERT_TRUE(place);
  EXPECT_EQ(Table::value(place).word(), value(9).word());
  EXPECT_EQ(words(Table::key(place)), words(key(1)));
  EXPECT_EQ(table.size(), 1U);
  table.erase(place);
  EXPECT_FALSE(table.find(table.hash(key(1)), key(1)));
  EXPECT_EQ(table.size(), 0U);
}

// At the load that buckets_for() gives, every key finds a place, and keeps it while others are moved about.
TYPED_TEST(FlowTableOf, HoldsAsManyAsItWasMadeFor) {
  using Table = FlowTable<TypeParam>;
  const auto key = make_key<TypeParam>;
  constexpr uint32_t kConnections = 100'000;
  for (const uint64_t seed : {1ULL, 0x123456789abcdefULL, ~0ULL}) {
    std::vector<typename Table::Bucket> memory(Table::buckets_for(kConnections));
    Table table(memory, seed);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < kConnections; ++i) {
      if (!table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead)) ++refused;
    }
    EXPECT_LE(refused, kConnections / 10'000) << "seed " << seed;
    uint32_t lost = 0;
    for (uint32_t i = 0; i < kConnections; ++i) {
      const auto place = table.find(table.hash(key(i)), key(i));
      if (!place || Table::value(place).word() != value(i).word()) ++lost;
    }
    EXPECT_EQ(lost, refused);
    EXPECT_EQ(table.size(), kConnections - refused);
  }
}

TYPED_TEST(FlowTableOf, DeadEntriesMakeRoom) {
  using Table = FlowTable<TypeParam>;
  const auto key = make_key<TypeParam>;
  std::vector<typename Table::Bucket> memory(2);
  Table table(memory, 7);
  uint32_t i = 0;
  for (; table.size() < table.capacity(); ++i) {
    ASSERT_LT(i, 10'000U);
    table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead);
  }
  EXPECT_FALSE(table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead));
  unsigned released = 0;
  uint64_t gone = 0;
  const auto first_met_is_dead = [&](const TypeParam&, FlowValue v) {
    gone = v.word();
    return ++released == 1;
  };
  ASSERT_TRUE(table.insert(table.hash(key(i)), key(i), value(i), first_met_is_dead));
  EXPECT_EQ(released, 1U);
  EXPECT_EQ(table.size(), table.capacity());
  EXPECT_TRUE(table.find(table.hash(key(i)), key(i)));
  for (size_t at = 0; at < table.capacity(); ++at) {
    TypeParam k;
    FlowValue v;
    ASSERT_TRUE(table.read(at, k, v));
    EXPECT_NE(v.word(), gone);
  }
}

TYPED_TEST(FlowTableOf, SweepMeetsEveryEntryOnceARound) {
  using Table = FlowTable<TypeParam>;
  const auto key = make_key<TypeParam>;
  std::vector<typename Table::Bucket> memory(100);
  Table table(memory, 7);
  for (uint32_t i = 0; i < 200; ++i) ASSERT_TRUE(table.insert(table.hash(key(i)), key(i), value(i), kNobodyIsDead));
  std::unordered_map<uint64_t, unsigned> met;
  for (int i = 0; i < 10; ++i) {
    table.sweep(10, [&](const TypeParam&, FlowValue v) {
      ++met[v.word()];
      return v.slot() < SlotId{50};
    });
  }
  EXPECT_EQ(met.size(), 200U);
  for (const auto& [word, times] : met) EXPECT_EQ(times, 1U);
  EXPECT_EQ(table.size(), 150U);
}

// Against std::unordered_map, with erasures and overwrites, at a load where entries are displaced all the time.
TYPED_TEST(FlowTableOf, AgreesWithAPlainMap) {
  using Table = FlowTable<TypeParam>;
  const auto key = make_key<TypeParam>;
  std::vector<typename Table::Bucket> memory(256);
  Table table(memory, 99);
  std::unordered_map<std::string, uint64_t> model;
  std::mt19937 engine(5);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  for (int step = 0; step < 200'000; ++step) {
    const TypeParam k = key(random() % 1000);
    const uint32_t h = table.hash(k);
    const auto place = table.find(h, k);
    ASSERT_EQ(static_cast<bool>(place), model.contains(words(k))) << step;
    ASSERT_TRUE(!place || Table::value(place).word() == model[words(k)]) << step;
    const auto peeked = table.peek(k);
    ASSERT_EQ(peeked.has_value(), static_cast<bool>(place)) << step;
    ASSERT_TRUE(!peeked || peeked->word() == model[words(k)]) << step;
    const FlowValue v = value(random());
    switch (random() % 3) {
      case 0:
        if (place) {
          table.erase(place);
          model.erase(words(k));
        }
        break;
      case 1:
        if (place) {
          Table::set_value(place, v);
          model[words(k)] = v.word();
        }
        break;
      default:
        if (!place && table.insert(h, k, v, kNobodyIsDead)) model[words(k)] = v.word();
    }
    ASSERT_EQ(table.size(), model.size());
  }
  size_t listed = 0;
  for (size_t i = 0; i < table.capacity(); ++i) {
    TypeParam k;
    FlowValue v;
    if (!table.read(i, k, v)) continue;
    ++listed;
    EXPECT_EQ(model.at(words(k)), v.word());
  }
  EXPECT_EQ(listed, model.size());
}

}  // namespace
}  // namespace lbdp::dataplane
