// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/scheduler_table.h"

#include <gtest/gtest.h>

#include "dataplane/scheduler_test_support.h"

namespace lbdp::dataplane {
namespace {

using testing::Pool;

TEST(SchedulerTable, SaysWhoNeedsLoads) {
  using enum Scheduler;
  for (const auto kind :
       {kLeastConnection, kWeightedLeastConnection, kShortestExpectedDelay, kNeverQueue, kOverflow, kTwoChoices})
    EXPECT_TRUE(Pool(kind, {1, 1}).table().needs_loads());
  for (const auto kind : {kRoundRobin, kWeightedRoundRobin, kSourceHash, kDestinationHash, kMaglev, kFailover}) {
    Pool pool(kind, {1, 1});
    EXPECT_FALSE(pool.table().needs_loads());
    pool.set_threshold(1, 10);
    EXPECT_TRUE(pool.table().needs_loads());
    EXPECT_TRUE(pool.table().has_thresholds());
  }
}

TEST(SchedulerTable, KnowsWhereServersStand) {
  Pool pool(Scheduler::kRoundRobin, {1, 0, 4, 4, 2});
  const SchedulerTable& table = pool.table();
  EXPECT_EQ(table.usable_count(), 4U);
  EXPECT_EQ(table.servers().size(), 5U);
  EXPECT_EQ(table.heaviest(), 2);
  EXPECT_EQ(table.total_weight(), 11U);
  for (uint16_t i = 0; i < 5; ++i) {
    EXPECT_EQ(table.position_of(pool.servers[i].slot, i), i);
    EXPECT_EQ(table.position_of(pool.servers[i].slot, 0), i);
    EXPECT_EQ(table.position_of(pool.servers[i].slot, 60'000), i);
  }
  EXPECT_EQ(table.position_of(SlotId{4000}, 0), std::nullopt);
  EXPECT_EQ(table.next_usable(0), 2);
  EXPECT_EQ(table.next_usable(1), 2);
  EXPECT_EQ(table.next_usable(4), 0);
}

TEST(SchedulerTable, HasOnlyWhatItsSchedulerNeeds) {
  const std::vector<uint32_t> ten(10, 1);
  EXPECT_EQ(Pool(Scheduler::kMaglev, ten).table().maglev().size(), 4093U);
  EXPECT_EQ(Pool(Scheduler::kRoundRobin, ten).table().maglev().size(), 251U);
  EXPECT_TRUE(Pool(Scheduler::kRoundRobin, ten).table().buckets().empty());
  EXPECT_TRUE(Pool(Scheduler::kSourceHash, ten).table().maglev().empty());
  EXPECT_EQ(Pool(Scheduler::kSourceHash, ten).table().buckets().size(), 256U);
  EXPECT_EQ(Pool(Scheduler::kSourceHash, std::vector<uint32_t>(3, 1U << 31)).table().buckets().size(), 256U);
  EXPECT_EQ(Pool(Scheduler::kSourceHash, std::vector<uint32_t>(400, 1)).table().buckets().size(), 256U);
  EXPECT_TRUE(Pool(Scheduler::kMaglev, {0, 0}).table().maglev().empty());
  EXPECT_TRUE(SchedulerTable().servers().empty());
}

TEST(Carry, HandlesALargeSetThatIsReplaced) {
  Pool pool(Scheduler::kRoundRobin, std::vector<uint32_t>(3000, 1));
  EXPECT_EQ(pool.picks(3000).back(), 2999);
  for (auto& server : pool.servers) ++server.tenancy;
  pool.servers.front().tenancy = 1;  // only the first is still the same
  std::swap(pool.servers[0], pool.servers[5]);
  pool.publish();
  EXPECT_EQ(pool.pick(), 6);
}

}  // namespace
}  // namespace lbdp::dataplane
