// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dataplane/stable_hash.h"

namespace lbdp::dataplane {
namespace {

std::vector<MaglevServer> servers(size_t count, uint32_t weight = 1) {
  std::vector<MaglevServer> out;
  for (size_t i = 0; i < count; ++i) out.push_back({SlotId{static_cast<uint16_t>(i)}, mix64(1000 + i), weight});
  return out;
}

std::map<SlotId, int> places(const std::vector<SlotId>& table) {
  std::map<SlotId, int> out;
  for (const SlotId slot : table) ++out[slot];
  return out;
}

// Of the places that `gone` did not hold, how many changed hands.
int moved(const std::vector<SlotId>& before, const std::vector<SlotId>& after, SlotId gone) {
  int count = 0;
  for (size_t i = 0; i < before.size(); ++i) count += before[i] != gone && before[i] != after[i];
  return count;
}

TEST(Maglev, EqualServersHaveEqualShares) {
  for (const size_t count : {1U, 2U, 3U, 10U, 100U, 511U}) {
    const auto table = build_maglev(servers(count), 4093);
    ASSERT_EQ(table.size(), 4093U);
    const auto shares = places(table);
    ASSERT_EQ(shares.size(), count);
    for (const auto& [slot, share] : shares) {
      EXPECT_GE(share, static_cast<int>(4093 / count)) << count;
      EXPECT_LE(share, static_cast<int>(4093 / count + 1)) << count;
    }
  }
}

TEST(Maglev, SharesFollowWeights) {
  auto list = servers(4);
  const uint32_t weights[] = {1, 3, 100, 1'000'000};
  for (const uint32_t scale : {1U, 7U, 2147U}) {
    for (size_t i = 0; i < 3; ++i) list[i].weight = weights[i] * scale;
    list[3].weight = 0;
    const auto shares = places(build_maglev(list, 4093));
    EXPECT_EQ(shares.size(), 3U) << "weight 0 has no place";
    for (size_t i = 0; i < 3; ++i) {
      const double want = 4093.0 * weights[i] / 104;
      EXPECT_NEAR(shares.at(SlotId{static_cast<uint16_t>(i)}), want, 2) << i;
    }
  }
}

TEST(Maglev, TakesAnyWeights) {
  auto list = servers(3);
  list[0].weight = UINT32_MAX;
  list[1].weight = 1;
  list[2].weight = UINT32_MAX / 2;
  const auto shares = places(build_maglev(list, 61));
  EXPECT_NEAR(shares.at(SlotId{0}), 61 * 2 / 3, 1);
  EXPECT_EQ(shares.count(SlotId{1}), 0U) << "its share is far below half a place";
}

TEST(Maglev, FewClientsMoveWhenAServerLeaves) {
  const auto list = servers(10);
  const auto before = build_maglev(list, 4093);
  for (size_t gone = 0; gone < list.size(); ++gone) {
    auto rest = list;
    rest.erase(rest.begin() + static_cast<long>(gone));
    const auto after = build_maglev(rest, 4093);
    EXPECT_EQ(places(after).count(list[gone].slot), 0U);
    // The paper's figure 11 has a few percent at this size; a hash modulo the servers would move 90%.
    EXPECT_LT(moved(before, after, list[gone].slot), 4093 * 5 / 100) << gone;
  }
}

TEST(Maglev, PlacesDependOnIdentityAndNotOnSlot) {
  auto list = servers(5, 3);
  const auto before = build_maglev(list, 251);
  for (auto& server : list) server.slot = SlotId{static_cast<uint16_t>(static_cast<int>(server.slot) + 40)};
  const auto after = build_maglev(list, 251);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(static_cast<int>(before[i]) + 40, static_cast<int>(after[i]));
}

TEST(Maglev, NobodyToServe) {
  EXPECT_TRUE(build_maglev({}, 61).empty());
  EXPECT_TRUE(build_maglev(servers(3, 0), 61).empty());
}

TEST(Maglev, SizesArePrimeAndWellAboveTheServers) {
  const auto is_prime = [](uint32_t n) {
    for (uint32_t d = 2; d * d <= n; ++d)
      if (n % d == 0) return false;
    return true;
  };
  EXPECT_EQ(maglev_size(0, 61), 61U);
  EXPECT_EQ(maglev_size(10, 61), 127U);
  EXPECT_EQ(maglev_size(10, 4093), 4093U);
  for (size_t count = 1; count <= 65535; count += count / 3 + 1) {
    const uint32_t size = maglev_size(count, 61);
    EXPECT_GE(size, count * 79 / 10);
    EXPECT_TRUE(is_prime(size)) << size;
  }
}

}  // namespace
}  // namespace lbdp::dataplane
