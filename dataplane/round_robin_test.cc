// SPDX-License-Identifier: BSD-2-Clause
// rr and wrr: order, rounds, changes of the set, threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include "dataplane/scheduler_test_support.h"

namespace lbdp::dataplane {
namespace {

using ::testing::ElementsAre;
using testing::Pool;

constexpr auto kRr = Scheduler::kRoundRobin;
constexpr auto kWrr = Scheduler::kWeightedRoundRobin;

// IPVS's wrr as the kernel documents it, one step at a time, however long that takes.
class PlainWrr {
 public:
  PlainWrr(std::vector<uint32_t> weights, std::vector<bool> overloaded)
      : weights_(std::move(weights)), overloaded_(std::move(overloaded)) {
    for (const uint32_t weight : weights_) {
      step_ = std::gcd(step_, weight);
      greatest_ = std::max(greatest_, weight);
    }
    round_ = greatest_ - (step_ - 1);
  }
  int pick() {
    for (size_t fruitless = 0; fruitless <= size_t{greatest_} * 2; ++fruitless) {
      for (; next_ < weights_.size(); ++next_)
        if (weights_[next_] >= round_ && !overloaded_[next_]) return static_cast<int>(next_++);
      next_ = 0;
      round_ = round_ > step_ ? round_ - step_ : greatest_ - (step_ - 1);
    }
    return -1;
  }

 private:
  std::vector<uint32_t> weights_;
  std::vector<bool> overloaded_;
  uint32_t step_ = 0;
  uint32_t greatest_ = 0;
  uint32_t round_ = 0;
  size_t next_ = 0;
};

TEST(RoundRobin, GoesInTheFilesOrder) {
  Pool pool(kRr, {1, 5, 1});
  EXPECT_THAT(pool.picks(7), ElementsAre(0, 1, 2, 0, 1, 2, 0)) << "weights do not count";
}

TEST(RoundRobin, PassesOverWhoCannotServe) {
  Pool pool(kRr, {1, 0, 1, 1});
  pool.servers[3].usable = false;
  pool.publish();
  EXPECT_THAT(pool.picks(4), ElementsAre(0, 2, 0, 2));
}

TEST(RoundRobin, HasNobody) {
  for (const auto kind : {kRr, kWrr}) {
    EXPECT_EQ(Pool(kind, {}).pick(), -1);
    EXPECT_EQ(Pool(kind, {0, 0}).pick(), -1);
  }
}

TEST(RoundRobin, PreviewLeavesNoTrace) {
  for (const auto kind : {kRr, kWrr}) {
    Pool pool(kind, {2, 3, 1});
    for (int i = 0; i < 20; ++i) {
      const int seen = pool.preview();
      EXPECT_EQ(pool.preview(), seen);
      EXPECT_EQ(pool.pick(), seen);
    }
  }
}

TEST(RoundRobin, PassesOverOverloadedServers) {
  Pool pool(kRr, {1, 1, 1});
  pool.set_threshold(1, 2);
  EXPECT_THAT(pool.connects(7), ElementsAre(0, 1, 2, 0, 1, 2, 0));
  EXPECT_THAT(pool.connects(4), ElementsAre(2, 0, 2, 0)) << "the second one is full";
  pool.close(1, 1);
  EXPECT_THAT(pool.connects(3), ElementsAre(1, 2, 0));
  pool.set_threshold(0, 1);
  pool.set_threshold(2, 1);
  pool.open(0, 1);
  pool.open(2, 1);
  EXPECT_THAT(pool.connects(2), ElementsAre(-1, -1)) << "all are full";
}

TEST(RoundRobin, GoesOnWhereItWasWhenTheSetChanges) {
  Pool pool(kRr, {1, 1, 1, 1});
  EXPECT_THAT(pool.picks(3), ElementsAre(0, 1, 2));
  pool.servers.erase(pool.servers.begin() + 2);  // its place is now behind 1
  pool.publish();
  EXPECT_THAT(pool.picks(3), ElementsAre(3, 0, 1));
  pool.servers.erase(pool.servers.begin(), pool.servers.begin() + 2);  // nobody before it is left
  pool.publish();
  EXPECT_THAT(pool.picks(2), ElementsAre(3, 3));
}

TEST(RoundRobin, FollowsItsServerToAnotherPosition) {
  Pool pool(kRr, {1, 1, 1, 1});
  EXPECT_THAT(pool.picks(2), ElementsAre(0, 1));
  std::swap(pool.servers[1], pool.servers[3]);  // 0 3 2 1
  pool.publish();
  EXPECT_THAT(pool.picks(4), ElementsAre(0, 3, 2, 1));
}

TEST(RoundRobin, AnotherTenantIsAnotherServer) {
  Pool pool(kRr, {1, 1, 1, 1});
  EXPECT_THAT(pool.picks(3), ElementsAre(0, 1, 2));
  std::rotate(pool.servers.begin() + 1, pool.servers.begin() + 2, pool.servers.end());  // 0 2 3 1
  pool.servers[1].tenancy = 2;  // the slot of the last pick has somebody else now, so the place is behind 1
  pool.publish();
  EXPECT_THAT(pool.picks(2), ElementsAre(0, 2));
}

TEST(RoundRobin, APublicationThatChangesNothingChangesNothing) {
  Pool pool(kWrr, {3, 2, 1});
  PlainWrr plain({3, 2, 1}, {false, false, false});
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(pool.pick(), plain.pick()) << i;
    pool.publish();
  }
}

TEST(WeightedRoundRobin, IsTheKernelsCycle) {
  Pool pool(kWrr, {3, 2, 1});
  EXPECT_THAT(pool.picks(12), ElementsAre(0, 0, 1, 0, 1, 2, 0, 0, 1, 0, 1, 2));
}

TEST(WeightedRoundRobin, StepsByTheGreatestCommonDivisor) {
  Pool pool(kWrr, {200, 0, 100, 300});
  EXPECT_THAT(pool.picks(6), ElementsAre(3, 0, 3, 0, 2, 3));
}

TEST(WeightedRoundRobin, IsThePlainOneForAnyWeightsAndOverloads) {
  std::mt19937 random(20240601);
  for (int run = 0; run < 400; ++run) {
    const auto count = random() % 7 + 1;
    const auto scale = static_cast<uint32_t>(random() % 4 + 1);
    std::vector<uint32_t> weights;
    std::vector<bool> overloaded;
    for (size_t i = 0; i < count; ++i) {
      weights.push_back(static_cast<uint32_t>(random() % 12) * scale);
      overloaded.push_back(random() % 4 == 0);
    }
    Pool pool(kWrr, weights);
    for (size_t i = 0; i < count; ++i) {
      if (!overloaded[i]) continue;
      pool.set_threshold(i, 1);
      pool.open(i, 1);
    }
    PlainWrr plain(weights, overloaded);
    for (int i = 0; i < 150; ++i) ASSERT_EQ(pool.pick(), plain.pick()) << "run " << run << ", pick " << i;
  }
}

TEST(WeightedRoundRobin, DoesNotWalkThroughHugeRounds) {
  Pool pool(kWrr, {0x7fffffff, 3, 1});
  pool.set_threshold(0, 1);
  EXPECT_EQ(pool.connect(), 0);
  // Two thousand million rounds of the first server alone lie in between.
  EXPECT_THAT(pool.picks(9), ElementsAre(1, 1, 1, 2, 1, 1, 1, 2, 1));
}

TEST(WeightedRoundRobin, KeepsItsRoundWhenWeightsChange) {
  Pool pool(kWrr, {3, 2, 1});
  EXPECT_THAT(pool.picks(3), ElementsAre(0, 0, 1)) << "now in round 2";
  pool.servers[2].weight = 2;
  pool.publish();
  EXPECT_THAT(pool.picks(4), ElementsAre(2, 0, 1, 2)) << "2 has a turn in round 2, too, and then comes round 1";
  EXPECT_THAT(pool.picks(7), ElementsAre(0, 0, 1, 2, 0, 1, 2)) << "the new cycle";
}

TEST(WeightedRoundRobin, FitsItsRoundToSmallerWeights) {
  Pool pool(kWrr, {100, 1});
  EXPECT_EQ(pool.pick(), 0);
  pool.servers[0].weight = 2;
  pool.publish();
  EXPECT_THAT(pool.picks(6), ElementsAre(0, 1, 0, 0, 1, 0)) << "round 100 became 2, of which nobody else has a turn";
}

TEST(WeightedRoundRobin, DoesNotReturnToARoundThatIsGone) {
  Pool pool(kWrr, {100, 1});
  EXPECT_EQ(pool.pick(), 0);
  pool.servers[0].weight = 2;
  pool.publish();
  pool.servers[0].weight = 100;
  pool.publish();
  EXPECT_THAT(pool.picks(4), ElementsAre(0, 1, 0, 0)) << "round 100 became 2 and stays so";
}

TEST(WeightedRoundRobin, SurvivesACursorOfOtherWeights) {
  Pool pool(kWrr, {3, 2});
  SchedulerCursor before = pool.state.cursor();
  while (!pool.state.replace(before, {SlotId{4000}, 900, 4'000'000'000U})) {
  }
  EXPECT_THAT(pool.picks(5), ElementsAre(0, 0, 1, 0, 1));
}

// Shares of `picks` picks by `threads` threads.
std::vector<int> shares(Pool& pool, int threads, int picks) {
  std::vector<std::atomic<int>> counts(pool.servers.size());
  std::vector<std::jthread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      for (int i = 0; i < picks / threads; ++i) ++counts[static_cast<size_t>(pool.pick())];
    });
  }
  running.clear();
  return {counts.begin(), counts.end()};
}

class ManyWorkers : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, ManyWorkers, ::testing::Values(1, 2, 4));

TEST_P(ManyWorkers, RoundRobinStaysStrict) {
  Pool pool(kRr, {1, 1, 0, 1, 1, 1});
  EXPECT_THAT(shares(pool, GetParam(), 200'000), ElementsAre(40'000, 40'000, 0, 40'000, 40'000, 40'000));
}

TEST_P(ManyWorkers, WeightedRoundRobinStaysExact) {
  Pool pool(kWrr, {5, 1, 3, 1});
  EXPECT_THAT(shares(pool, GetParam(), 200'000), ElementsAre(100'000, 20'000, 60'000, 20'000));
}

// Publications only move servers about: the cursor is rewritten all the time, and nobody may lose a turn by it.
TEST_P(ManyWorkers, RoundRobinStaysStrictWhileControlPublishes) {
  Pool pool(kRr, {1, 1, 1, 1});
  auto turned = pool.servers;
  std::rotate(turned.begin(), turned.begin() + 1, turned.end());
  const SchedulerTable other(kRr, {}, turned);
  std::jthread control([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      carry(pool.table(), other, pool.state);
      carry(other, pool.table(), pool.state);
    }
  });
  EXPECT_THAT(shares(pool, GetParam(), 200'000), ElementsAre(50'000, 50'000, 50'000, 50'000));
}

}  // namespace
}  // namespace lbdp::dataplane
