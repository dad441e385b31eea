// SPDX-License-Identifier: BSD-2-Clause
// The schedulers that go by load or by hash, and picks without memory.
#include "dataplane/pick.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "dataplane/scheduler_test_support.h"

namespace lbdp::dataplane {
namespace {

using testing::client;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Pool;

std::vector<int> shares(Pool& pool, uint32_t clients) {
  std::vector<int> out(pool.servers.size());
  for (uint32_t n = 0; n < clients; ++n) ++out[static_cast<size_t>(pool.pick(client(n)))];
  return out;
}

// ---- by load ----

TEST(LeastConnection, ActiveOnesCount256Times) {
  Pool pool(Scheduler::kLeastConnection, {1, 9, 1});
  EXPECT_THAT(pool.connects(4), ElementsAre(0, 1, 2, 0)) << "ties go to the first, weights do not count";
  pool.open(1, 0, 300);
  EXPECT_EQ(pool.pick(), 2);
  pool.open(2, 0, 255);
  EXPECT_EQ(pool.pick(), 2) << "511 are less than 512 and 556";
  pool.open(2, 0, 1);
  EXPECT_EQ(pool.pick(), 0) << "512 and 512: the first";
}

TEST(WeightedLeastConnection, GoesByLoadPerWeight) {
  Pool pool(Scheduler::kWeightedLeastConnection, {1, 2, 3});
  EXPECT_THAT(pool.connects(6), ElementsAre(0, 1, 2, 2, 1, 2));
  EXPECT_THAT(pool.connects(6), ElementsAre(0, 1, 2, 2, 1, 2));
}

TEST(ShortestExpectedDelay, CountsTheNewConnection) {
  Pool pool(Scheduler::kShortestExpectedDelay, {1, 2, 3});
  EXPECT_THAT(pool.connects(6), ElementsAre(2, 1, 2, 0, 1, 2));
  pool.open(2, 0, 100'000);
  EXPECT_EQ(pool.pick(), 2) << "inactive ones do not count";
}

TEST(NeverQueue, TakesAnIdleServerFirst) {
  Pool pool(Scheduler::kNeverQueue, {1, 2, 30});
  EXPECT_THAT(pool.connects(4), ElementsAre(0, 1, 2, 2));
  pool.close(0, 1);
  EXPECT_EQ(pool.connect(), 0);
  EXPECT_EQ(pool.connect(), 2);
}

TEST(Failover, TakesTheHighestWeight) {
  Pool pool(Scheduler::kFailover, {1, 3, 3, 2});
  EXPECT_THAT(pool.connects(5), Each(1));
  pool.set_threshold(1, 5);
  pool.open(1, 1);
  EXPECT_THAT(pool.connects(5), Each(2));
  pool.set_threshold(2, 5);
  pool.open(2, 1);
  EXPECT_EQ(pool.connect(), 3);
  pool.close(1, 4);
  EXPECT_EQ(pool.connect(), 1) << "below three quarters again";
}

TEST(Failover, AmongEqualsTheFirst) {
  Pool pool(Scheduler::kFailover, {1, 3, 3, 3});
  pool.set_threshold(0, 5);
  EXPECT_THAT(pool.connects(3), Each(1));
  pool.set_threshold(1, 1);
  pool.open(1, 1);
  EXPECT_THAT(pool.connects(3), Each(2));
}

TEST(NeverQueue, InactiveConnectionsDoNotMakeAServerBusy) {
  Pool pool(Scheduler::kNeverQueue, {1, 1});
  pool.open(0, 0, 5);
  EXPECT_EQ(pool.pick(), 0);
}

TEST(Overflow, FillsTheHighestWeightAndGoesOn) {
  Pool pool(Scheduler::kOverflow, {1, 3, 2});
  EXPECT_THAT(pool.connects(9), ElementsAre(1, 1, 1, 1, 2, 2, 2, 0, 0)) << "each takes one more than its weight";
  EXPECT_EQ(pool.connect(), -1);
  pool.load(1).change(false);
  EXPECT_EQ(pool.connect(), 1) << "only active ones count";
}

TEST(TwoChoices, TheLessLoadedOneWins) {
  Pool pool(Scheduler::kTwoChoices, {1, 1});
  pool.open(0, 1);
  EXPECT_NEAR(shares(pool, 10'000)[0], 2'500, 150) << "only when both draws fall on it";
  pool.open(1, 2);
  EXPECT_NEAR(shares(pool, 10'000)[0], 7'500, 150);
}

TEST(TwoChoices, DrawsByWeight) {
  // With nobody loaded each pick is its first draw.
  Pool pool(Scheduler::kTwoChoices, {1, 0, 2, 7});
  const auto counts = shares(pool, 100'000);
  EXPECT_NEAR(counts[0], 10'000, 500);
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 20'000, 700);
  EXPECT_NEAR(counts[3], 70'000, 700);
}

TEST(TwoChoices, KeepsLoadsCloserThanChance) {
  Pool pool(Scheduler::kTwoChoices, std::vector<uint32_t>(20, 1));
  for (uint32_t n = 0; n < 20'000; ++n) ASSERT_GE(pool.connect(client(n)), 0);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(pool.load(i).active(), 1000, 10) << "chance alone has a deviation of 31";
}

// Every scheduler by load against the definition in plain arithmetic, over random weights and loads.
TEST(ByLoad, LargeWeightsAndCountsDoNotOverflow) {
  std::mt19937_64 random(7);
  for (const auto kind : {Scheduler::kWeightedLeastConnection, Scheduler::kShortestExpectedDelay}) {
    for (int run = 0; run < 200; ++run) {
      Pool pool(kind, {0x7fffffff, static_cast<uint32_t>(random() % 0x7fffffff + 1), 1});
      for (size_t i = 0; i < 3; ++i) pool.open(i, static_cast<int>(random() % 3000), static_cast<int>(random() % 3000));
      long double best = 0;
      int want = -1;
      for (size_t i = 0; i < 3; ++i) {
        const auto c = pool.load(i).counts();
        const long double load =
            kind == Scheduler::kWeightedLeastConnection ? c.active * 256.0L + c.inactive : c.active + 1.0L;
        if (want >= 0 && load / pool.servers[i].weight >= best) continue;
        best = load / pool.servers[i].weight;
        want = static_cast<int>(i);
      }
      EXPECT_EQ(pool.pick(), want) << "run " << run;
    }
  }
}

TEST(EveryScheduler, PassesOverServersThatCannotServe) {
  for (int kind = 0; kind <= static_cast<int>(Scheduler::kTwoChoices); ++kind) {
    for (const bool fallback : {false, true}) {
      Pool pool(static_cast<Scheduler>(kind), {2, 0, 5, 3, 1}, {fallback, false});
      pool.servers[2].usable = false;
      pool.set_threshold(3, 1);
      pool.open(3, 1);
      int refused = 0;
      for (uint32_t n = 0; n < 300; ++n) {
        const PickInput input = client(n);
        const int seen = pool.preview(input);
        const int server = pool.pick(input);
        EXPECT_EQ(server, seen);
        refused += server < 0;
        EXPECT_TRUE(server == 0 || server == 4 || server < 0) << "scheduler " << kind << " took " << server;
      }
      const auto k = static_cast<Scheduler>(kind);
      const bool may_refuse =
          k == Scheduler::kDestinationHash || (!fallback && (k == Scheduler::kSourceHash || k == Scheduler::kMaglev));
      EXPECT_TRUE(may_refuse || refused == 0) << "scheduler " << kind;
    }
  }
}

TEST(EveryScheduler, RefusesWhenAllAreOverloaded) {
  for (int kind = 0; kind <= static_cast<int>(Scheduler::kTwoChoices); ++kind) {
    Pool pool(static_cast<Scheduler>(kind), {2, 1, 3}, {true, true});
    for (size_t i = 0; i < 3; ++i) {
      pool.set_threshold(i, 1);
      pool.open(i, 1);
    }
    EXPECT_EQ(pool.pick(client(1)), -1) << "scheduler " << kind;
    EXPECT_GE(pool.pick_unstored(client(1)), 0) << "what is not counted overloads nobody";
  }
}

TEST(EveryScheduler, HasNobody) {
  for (int kind = 0; kind <= static_cast<int>(Scheduler::kTwoChoices); ++kind) {
    for (const auto& weights : {std::vector<uint32_t>{}, std::vector<uint32_t>{0, 0}}) {
      Pool pool(static_cast<Scheduler>(kind), weights, {true, false});
      EXPECT_EQ(pool.pick(client(3)), -1);
      EXPECT_EQ(pool.preview(client(3)), -1);
      EXPECT_EQ(pool.pick_unstored(client(3)), -1);
    }
  }
}

// ---- by hash ----

TEST(SourceHash, HasTheKernelsBuckets) {
  // (address * 0x61c88647 mod 2^32) >> 24, each server `weight` buckets in a row.
  Pool pool(Scheduler::kSourceHash, {3, 1, 2});
  const int turn[] = {0, 0, 0, 1, 2, 2};
  for (uint32_t n = 0; n < 1000; ++n) {
    const uint32_t bucket = (0x0a000000U + n) * 0x61c88647U >> 24;
    EXPECT_EQ(pool.pick(client(n)), turn[bucket % 6]) << n;
  }
}

TEST(SourceHash, WithPortSpreadsOneClient) {
  Pool pool(Scheduler::kSourceHash, {1, 1}, {false, true});
  Pool without(Scheduler::kSourceHash, {1, 1});
  PickInput input = client(1);
  int other = 0;
  for (uint16_t port = 1; port < 1000; ++port) {
    input.client_port = Be<uint16_t>::from_host(port);
    const uint32_t bucket = (0x0a000001U + port) * 0x61c88647U >> 24;
    EXPECT_EQ(pool.pick(input), static_cast<int>(bucket % 2));
    EXPECT_EQ(without.pick(input), without.pick(client(1)));
    other += pool.pick(input) == 1;
  }
  EXPECT_NEAR(other, 500, 100);
}

TEST(SourceHash, FoldsIpv6) {
  Pool pool(Scheduler::kSourceHash, {1, 1, 1, 1});
  const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  PickInput input;
  input.client = WideAddress::from_bytes(bytes);
  const uint32_t folded = 0x20010db8U ^ 0x00010203U ^ 0x04050607U ^ 0x08090a0bU;
  EXPECT_EQ(pool.pick(input), static_cast<int>((folded * 0x61c88647U >> 24) % 4));
}

TEST(SourceHash, GivesEveryServerItsShareOfLargeWeights) {
  Pool pool(Scheduler::kSourceHash, {1000, 2000, 5000});
  const auto counts = shares(pool, 65536);
  EXPECT_NEAR(counts[0], 8192, 300);
  EXPECT_NEAR(counts[1], 16384, 300);
  EXPECT_NEAR(counts[2], 40960, 300);
}

TEST(SourceHash, RefusesOrFallsBack) {
  Pool strict(Scheduler::kSourceHash, {1, 1, 1});
  Pool relaxed(Scheduler::kSourceHash, {1, 1, 1}, {true, false});
  Pool before(Scheduler::kSourceHash, {1, 1, 1});
  for (Pool* pool : {&strict, &relaxed}) {
    pool->set_threshold(1, 1);
    pool->open(1, 1);
  }
  for (uint32_t n = 0; n < 200; ++n) {
    const int owner = before.pick(client(n));
    EXPECT_EQ(strict.pick(client(n)), owner == 1 ? -1 : owner);
    EXPECT_EQ(relaxed.pick(client(n)), owner == 1 ? relaxed.pick(client(n)) : owner);
    EXPECT_NE(relaxed.pick(client(n)), -1);
    EXPECT_NE(relaxed.pick(client(n)), 1);
  }
}

TEST(SourceHash, LooksForASecondServerWhereTheKernelDoes) {
  Pool pool(Scheduler::kSourceHash, {1, 1, 1, 1, 1, 1}, {true, false});
  const std::vector<int> full{2, 3};
  for (const int server : full) {
    pool.set_threshold(static_cast<size_t>(server), 1);
    pool.open(static_cast<size_t>(server), 1);
  }
  for (uint32_t n = 0; n < 500; ++n) {
    const uint32_t bucket = (0x0a000000U + n) * 0x61c88647U >> 24;
    uint32_t want = bucket;
    // Six servers in turn over 256 buckets: the place of one is its bucket modulo six.
    for (uint32_t probe = 2 * bucket; want % 6 == 2 || want % 6 == 3; ++probe) want = probe % 256;
    EXPECT_EQ(pool.pick(client(n)), static_cast<int>(want % 6)) << n;
  }
}

TEST(DestinationHash, GoesByDestinationOnly) {
  Pool pool(Scheduler::kDestinationHash, {5, 1, 1});
  std::vector<int> counts(3);
  for (uint32_t n = 0; n < 3000; ++n) {
    PickInput input = client(1);
    input.destination = WideAddress::from_v4(Be<uint32_t>::from_host(0xc0a80000U + n));
    const int server = pool.pick(input);
    ++counts[static_cast<size_t>(server)];
    input.client = client(n).client;
    EXPECT_EQ(pool.pick(input), server);
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 100) << "weights do not count";
}

TEST(MaglevScheduler, SpreadsByWeight) {
  Pool pool(Scheduler::kMaglev, {1, 2, 0, 5});
  const auto counts = shares(pool, 80'000);
  EXPECT_NEAR(counts[0], 10'000, 500);
  EXPECT_NEAR(counts[1], 20'000, 700);
  EXPECT_EQ(counts[2], 0);
  EXPECT_NEAR(counts[3], 50'000, 900);
}

TEST(MaglevScheduler, HashesThePortOnlyWhenTold) {
  Pool with(Scheduler::kMaglev, {1, 1}, {false, true});
  Pool without(Scheduler::kMaglev, {1, 1});
  int second = 0;
  for (uint16_t port = 1; port <= 1000; ++port) {
    PickInput input = client(1);
    input.client_port = Be<uint16_t>::from_host(port);
    second += with.pick(input);
    EXPECT_EQ(without.pick(input), without.pick(client(1)));
  }
  EXPECT_NEAR(second, 500, 100);
}

TEST(MaglevScheduler, RefusesOrSpreadsTheClientsOfAnOverloadedServer) {
  Pool strict(Scheduler::kMaglev, {1, 1, 1, 1});
  Pool relaxed(Scheduler::kMaglev, {1, 1, 1, 1}, {true, false});
  Pool before(Scheduler::kMaglev, {1, 1, 1, 1});
  for (Pool* pool : {&strict, &relaxed}) {
    pool->set_threshold(2, 1);
    pool->open(2, 1);
  }
  std::vector<int> gained(4);
  for (uint32_t n = 0; n < 4000; ++n) {
    const int owner = before.pick(client(n));
    EXPECT_EQ(strict.pick(client(n)), owner == 2 ? -1 : owner);
    const int server = relaxed.pick(client(n));
    ASSERT_GE(server, 0);
    if (owner == 2) {
      ++gained[static_cast<size_t>(server)];
    } else {
      EXPECT_EQ(server, owner);
    }
  }
  EXPECT_EQ(gained[2], 0);
  for (const size_t i : {0U, 1U, 3U}) EXPECT_GT(gained[i], 200) << "about a third of a thousand each";
}

TEST(MaglevScheduler, FewClientsMoveWhenAServerLeaves) {
  Pool pool(Scheduler::kMaglev, std::vector<uint32_t>(10, 1));
  std::vector<int> before;
  for (uint32_t n = 0; n < 10'000; ++n) before.push_back(pool.pick(client(n)));
  pool.servers[4].weight = 0;
  pool.publish();
  int moved = 0;
  for (uint32_t n = 0; n < 10'000; ++n) moved += before[n] != 4 && pool.pick(client(n)) != before[n];
  EXPECT_LT(moved, 400);
}

// ---- without memory ----

TEST(PickUnstored, StaysAndSpreadsByWeight) {
  Pool pool(Scheduler::kRoundRobin, {1, 2, 0, 1});
  std::vector<int> counts(4);
  for (uint32_t n = 0; n < 40'000; ++n) {
    const int server = pool.pick_unstored(client(n));
    ++counts[static_cast<size_t>(server)];
    EXPECT_EQ(pool.pick_unstored(client(n)), server);
  }
  EXPECT_NEAR(counts[0], 10'000, 900);
  EXPECT_NEAR(counts[1], 20'000, 900);
  EXPECT_EQ(counts[2], 0);
  EXPECT_NEAR(counts[3], 10'000, 900);
  EXPECT_EQ(pool.preview(), 0) << "the order of the round robin is untouched";
}

TEST(PickUnstored, MovesFewWhenAServerLeaves) {
  Pool pool(Scheduler::kLeastConnection, std::vector<uint32_t>(10, 1));
  std::vector<int> before;
  for (uint32_t n = 0; n < 10'000; ++n) before.push_back(pool.pick_unstored(client(n)));
  pool.servers[4].usable = false;
  pool.publish();
  int moved = 0;
  for (uint32_t n = 0; n < 10'000; ++n) moved += before[n] != 4 && pool.pick_unstored(client(n)) != before[n];
  EXPECT_LT(moved, 2'000) << "a hash modulo the servers would move 8,000";
}

TEST(PickUnstored, IsThePickOfSchedulersThatNeedNoMemory) {
  for (const auto kind :
       {Scheduler::kSourceHash, Scheduler::kDestinationHash, Scheduler::kMaglev, Scheduler::kFailover}) {
    Pool pool(kind, {2, 3, 1});
    for (uint32_t n = 0; n < 500; ++n) EXPECT_EQ(pool.pick_unstored(client(n)), pool.pick(client(n)));
  }
}

}  // namespace
}  // namespace lbdp::dataplane
