// SPDX-License-Identifier: BSD-2-Clause
// Every scheduler through the workers: frames in, servers out. What ipvs.md defines exactly is expected exactly,
// whatever the number of workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/packet/support/balanced.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Scheduler;
using testing::Each;
using testing::ElementsAre;
using Servers = std::vector<unsigned>;

class Schedulers : public testing::TestWithParam<uint16_t> {
 protected:
  static constexpr dataplane::SchedulerFlags kPlain{}, kFallback{.fallback = true, .port = false},
      kPort{.fallback = false, .port = true};

  static Balanced balanced(Scheduler scheduler, std::vector<int> weights, dataplane::SchedulerFlags flags = kPlain) {
    return {scheduler, std::move(weights), GetParam(), flags};
  }
};

TEST_P(Schedulers, RrTakesTurnsAndPassesOverWeight0) {
  Balanced b = balanced(Scheduler::kRoundRobin, {5, 0, 1});
  EXPECT_THAT(b.establish_many(0, 6), ElementsAre(1, 3, 1, 3, 1, 3));
}

TEST_P(Schedulers, WrrRunsItsRoundsFromTheGreatestWeightDown) {
  Balanced b = balanced(Scheduler::kWeightedRoundRobin, {3, 2, 1});
  EXPECT_THAT(b.establish_many(0, 12), ElementsAre(1, 1, 2, 1, 2, 3, 1, 1, 2, 1, 2, 3));
}

TEST_P(Schedulers, WrrStepsByTheGreatestCommonDivisor) {
  Balanced b = balanced(Scheduler::kWeightedRoundRobin, {60, 0, 20, 40});
  EXPECT_THAT(b.establish_many(0, 6), ElementsAre(1, 1, 4, 1, 3, 4));
}

TEST_P(Schedulers, LcPrefersTheLeastConnectionsWhateverTheWeight) {
  Balanced b = balanced(Scheduler::kLeastConnection, {1, 9, 1});
  EXPECT_THAT(b.establish_many(0, 4), ElementsAre(1, 2, 3, 1));
  EXPECT_EQ(b.fin(0), 1U);  // of server 1's two: 256 + 1 against 256
  EXPECT_THAT(b.establish_many(10, 3), ElementsAre(2, 3, 1));
}

TEST_P(Schedulers, AnInactiveConnectionIsA256thOfAnActiveOne) {
  Balanced b = balanced(Scheduler::kWeightedLeastConnection, {1, 1});
  EXPECT_THAT(b.establish_many(0, 2), ElementsAre(1, 2));
  EXPECT_EQ(b.rst(1), 2U);
  // 256 against 1: up to 256 inactive ones on server 2 count no more than the one of server 1.
  for (unsigned i = 0; i < 255; ++i) {
    ASSERT_EQ(b.establish(10 + i), 2U) << i;
    ASSERT_EQ(b.fin(10 + i), 2U);
  }
  EXPECT_THAT(b.load(2), ElementsAre(0, 256));
  EXPECT_EQ(b.establish(1000), 1U) << "256 each: the first one";
  EXPECT_EQ(b.establish(1001), 2U);
}

TEST_P(Schedulers, WlcFillsByWeight) {
  Balanced b = balanced(Scheduler::kWeightedLeastConnection, {1, 3, 2});
  b.establish_many(0, 60);
  EXPECT_THAT(b.counts(1), ElementsAre(10, 0));
  EXPECT_THAT(b.counts(2), ElementsAre(30, 0));
  EXPECT_THAT(b.counts(3), ElementsAre(20, 0));
}

TEST_P(Schedulers, WlcFollowsConnectionsThatEnd) {
  Balanced b = balanced(Scheduler::kWeightedLeastConnection, {1, 1});
  const Servers servers = b.establish_many(0, 8);
  for (unsigned i = 0; i < 8; ++i) {
    if (servers[i] == 1) b.rst(i);
  }
  EXPECT_THAT(b.load(1), ElementsAre(0, 4));
  EXPECT_THAT(b.establish_many(10, 3), Each(1U));
  EXPECT_EQ(b.establish(20), 1U) << "3 active and 4 inactive against 4";
  EXPECT_EQ(b.establish(21), 2U);
  b.director.advance(std::chrono::seconds(11));  // CLOSE lives for 10 seconds
  b.director.sweep_all_workers();
  EXPECT_THAT(b.load(1), ElementsAre(4, 0));
  EXPECT_THAT(b.counts(1), ElementsAre(4, 0));
  EXPECT_EQ(b.establish(22), 1U);
}

TEST_P(Schedulers, SedLooksAtTheDelayThatTheNewConnectionWillMeet) {
  Balanced b = balanced(Scheduler::kShortestExpectedDelay, {1, 3});
  EXPECT_THAT(b.establish_many(0, 5), ElementsAre(2, 2, 1, 2, 2)) << "1/1, 1/3; 1, 2/3; 1, 3/3: the first; 2/1, 3/3";
}

TEST_P(Schedulers, NqTakesAnIdleOneFirst) {
  Balanced b = balanced(Scheduler::kNeverQueue, {1, 3, 1});
  EXPECT_THAT(b.establish_many(0, 4), ElementsAre(1, 2, 3, 2));
  EXPECT_EQ(b.fin(2), 3U);
  EXPECT_EQ(b.establish(10), 3U) << "an inactive one leaves it idle";
}

TEST_P(Schedulers, FoKeepsToTheHeaviestThatIsUsable) {
  Balanced b = balanced(Scheduler::kFailover, {1, 3, 2});
  EXPECT_THAT(b.establish_many(0, 4), Each(2U));
  b.set_in_table(2, false);
  EXPECT_THAT(b.establish_many(10, 4), Each(3U));
  b.set_weight(3, 0);
  EXPECT_THAT(b.establish_many(20, 4), Each(1U));
  b.set_in_table(2, true);
  EXPECT_EQ(b.establish(30), 2U);
}

TEST_P(Schedulers, FoPassesOverAnOverloadedOne) {
  Balanced b = balanced(Scheduler::kFailover, {2, 1});
  b.set_thresholds(1, 3);
  EXPECT_THAT(b.establish_many(0, 5), ElementsAre(1, 1, 1, 2, 2));
}

TEST_P(Schedulers, OvfGivesAServerOneMoreThanItsWeight) {
  Balanced b = balanced(Scheduler::kOverflow, {1, 3});
  EXPECT_THAT(b.establish_many(0, 6), ElementsAre(2, 2, 2, 2, 1, 1));
  EXPECT_EQ(b.open(6), 0U) << "all full";
  EXPECT_EQ(b.director.status(b.worker_of(6)).replies, 1U);
  EXPECT_EQ(b.fin(0), 2U);
  EXPECT_EQ(b.open(7), 2U);
}

TEST_P(Schedulers, TwosBalancesByWeight) {
  Balanced b = balanced(Scheduler::kTwoChoices, {1, 2, 3, 0});
  for (unsigned i = 0; i < 600; ++i) ASSERT_NE(b.establish(i), 0U);
  // The better of two random ones keeps far nearer to the weights than one random one would: 100 +- 3 * 9.
  EXPECT_NEAR(static_cast<double>(b.counters(1).active), 100, 12);
  EXPECT_NEAR(static_cast<double>(b.counters(2).active), 200, 18);
  EXPECT_NEAR(static_cast<double>(b.counters(3).active), 300, 20);
  EXPECT_EQ(b.counters(4).active, 0U);
}

// ipvs.md's bucket of sh.
unsigned bucket_of(const std::string& address, unsigned port) {
  const auto value = IpAddress::parse(address).value().v4().host();
  return (value + port) * 0x61c88647U >> 24;
}

TEST_P(Schedulers, ShIsTheKernelsHashOfTheClient) {
  Balanced b = balanced(Scheduler::kSourceHash, {1, 3, 2});
  const Servers order{1, 2, 2, 2, 3, 3};  // each server as many buckets in a row as its weight
  for (unsigned i = 0; i < 300; ++i) {
    const unsigned expected = order[bucket_of(segment(i * 977, 0).src, 0) % 6];
    ASSERT_EQ(b.establish(i * 977), expected) << i;
  }
  Frame other_port = segment(977, kSyn);
  other_port.sport = 9;
  EXPECT_EQ(server_of(b.director.send(other_port)), order[bucket_of(other_port.src, 0) % 6]);
}

TEST_P(Schedulers, ShPortHashesThePortToo) {
  Balanced b = balanced(Scheduler::kSourceHash, {1, 1, 1}, kPort);
  std::set<unsigned> seen;
  for (unsigned i = 0; i < 200; ++i) {
    Frame f = tcp("10.0.0.1", static_cast<uint16_t>(20000 + i * 131), kSyn);
    const unsigned to = server_of(b.director.send(f, b.worker_of(i)));
    ASSERT_EQ(to, bucket_of(f.src, f.sport) % 3 + 1) << i;
    seen.insert(to);
  }
  EXPECT_EQ(seen.size(), 3U) << "one client, all servers";
}

TEST_P(Schedulers, DhIsAHashOfTheDestinationWhateverTheWeight) {
  Balanced b = balanced(Scheduler::kDestinationHash, {1, 7, 2});
  for (unsigned i = 11; i < 60; ++i) {
    b.web().more_keys.push_back({Protocol::kTcp, Endpoint::parse("192.0.2." + std::to_string(i) + ":80").value()});
  }
  b.publish();
  for (unsigned i = 10; i < 60; ++i) {
    for (unsigned client = 0; client < 3; ++client) {
      Frame f = segment(i * 100 + client, kSyn);
      f.dst = "192.0.2." + std::to_string(i);
      EXPECT_EQ(server_of(b.director.send(f, b.worker_of(client))), bucket_of(f.dst, 0) % 3 + 1) << f.dst;
    }
  }
}

// The sh and mh clients of a test: many, with one connection each.
Servers homes(Balanced& b, unsigned count, unsigned first_port = 1024) {
  Servers servers;
  for (unsigned i = 0; i < count; ++i) {
    Frame f = segment(i * 977, kSyn);
    f.sport = static_cast<uint16_t>(first_port + i);
    servers.push_back(server_of(b.director.send(f, b.worker_of(i))));
  }
  return servers;
}

TEST_P(Schedulers, MhKeepsAClientsServer) {
  Balanced b = balanced(Scheduler::kMaglev, {1, 1, 2});
  const Servers home = homes(b, 400);
  EXPECT_EQ(homes(b, 400, 20000), home) << "other ports, the same clients";
  EXPECT_NEAR(static_cast<double>(std::count(home.begin(), home.end(), 1U)), 100, 27);
  EXPECT_NEAR(static_cast<double>(std::count(home.begin(), home.end(), 3U)), 200, 30);
  b.set_in_table(1, false);
  const Servers without = homes(b, 400, 30000);
  unsigned moved = 0;
  for (unsigned i = 0; i < 400; ++i) {
    EXPECT_NE(without[i], 1U);
    if (home[i] != 1 && without[i] != home[i]) ++moved;
  }
  EXPECT_LE(moved, 20U) << "a server that leaves moves hardly any client of the others";
  b.set_in_table(1, true);
  EXPECT_EQ(homes(b, 400, 40000), home) << "and all are where they were when it is back";
}

TEST_P(Schedulers, MhPortHashesThePortToo) {
  Balanced b = balanced(Scheduler::kMaglev, {1, 1, 1}, kPort);
  std::map<unsigned, unsigned> share;
  for (unsigned i = 0; i < 300; ++i)
    ++share[server_of(b.director.send(tcp("10.0.0.1", static_cast<uint16_t>(2000 + i), kSyn), b.worker_of(i)))];
  for (unsigned i = 1; i <= 3; ++i) EXPECT_NEAR(static_cast<double>(share[i]), 100, 26);
}

// With its clients' server overloaded, sh or mh refuses them, or with fallback gives them to others; nobody else moves.
class Overloaded : public Schedulers {
 protected:
  static void expect_decision(Scheduler scheduler, dataplane::SchedulerFlags flags) {
    Balanced b = balanced(scheduler, {1, 1, 1}, flags);
    const Servers home = homes(b, 90);
    ASSERT_THAT(std::set<unsigned>(home.begin(), home.end()), ElementsAre(1, 2, 3));
    b.set_thresholds(2, 1, 1);
    const auto client_of_2 = static_cast<unsigned>(std::find(home.begin(), home.end(), 2U) - home.begin());
    Frame f = segment(client_of_2 * 977, kSyn);
    f.sport = 9;
    ASSERT_EQ(server_of(b.director.send(f, b.worker_of(client_of_2))), 2U) << "it counts from the next one on";
    ASSERT_TRUE(b.counters(2).overloaded);
    const Servers now = homes(b, 90, 20000);
    for (unsigned i = 0; i < 90; ++i) {
      if (home[i] != 2) {
        EXPECT_EQ(now[i], home[i]) << i;
      } else if (flags.fallback) {
        EXPECT_THAT(now[i], testing::AnyOf(1U, 3U)) << i;
      } else {
        EXPECT_EQ(now[i], 0U) << i;
      }
    }
  }
};

TEST_P(Overloaded, ShRefuses) {
  expect_decision(Scheduler::kSourceHash, kPlain);
}
TEST_P(Overloaded, ShFallsBack) {
  expect_decision(Scheduler::kSourceHash, kFallback);
}
TEST_P(Overloaded, MhRefuses) {
  expect_decision(Scheduler::kMaglev, kPlain);
}
TEST_P(Overloaded, MhFallsBack) {
  expect_decision(Scheduler::kMaglev, kFallback);
}

TEST_P(Overloaded, DhRefusesWhateverTheFlag) {
  for (const auto flags : {kPlain, kFallback}) {
    Balanced b = balanced(Scheduler::kDestinationHash, {1, 1, 1}, flags);
    const unsigned home = bucket_of("192.0.2.10", 0) % 3 + 1;
    b.set_thresholds(home, 2);
    EXPECT_THAT(b.establish_many(0, 3), ElementsAre(home, home, 0));
  }
}

// Thresholds hold for every scheduler, active and inactive connections together.
TEST_P(Overloaded, IsPassedOverByRrUntilItIsBelowTheLowerThreshold) {
  Balanced b = balanced(Scheduler::kRoundRobin, {1, 1});
  b.set_thresholds(1, 3, 2);
  EXPECT_THAT(b.establish_many(0, 8), ElementsAre(1, 2, 1, 2, 1, 2, 2, 2));
  EXPECT_TRUE(b.counters(1).overloaded);
  EXPECT_FALSE(b.counters(2).overloaded);
  b.rst(0);
  EXPECT_EQ(b.establish(10), 2U) << "inactive ones count as well";
  b.director.advance(std::chrono::seconds(11));
  b.director.sweep_all_workers();
  EXPECT_TRUE(b.counters(1).overloaded) << "two are not fewer than two";
  EXPECT_EQ(b.establish(11), 2U);
  b.rst(2);
  b.director.advance(std::chrono::seconds(11));
  b.director.sweep_all_workers();
  EXPECT_FALSE(b.counters(1).overloaded);
  EXPECT_THAT(b.establish_many(20, 5), ElementsAre(1, 2, 1, 2, 2)) << "three again";
}

TEST_P(Overloaded, EndsBelowThreeQuartersWithoutALowerThreshold) {
  Balanced b = balanced(Scheduler::kFailover, {2, 1});
  b.set_thresholds(1, 4);
  EXPECT_THAT(b.establish_many(0, 5), ElementsAre(1, 1, 1, 1, 2));
  for (const unsigned ended : {0U, 1U}) {
    EXPECT_TRUE(b.counters(1).overloaded) << "four, three";
    b.rst(ended);
    b.director.advance(std::chrono::seconds(11));
    b.director.sweep_all_workers();
  }
  EXPECT_FALSE(b.counters(1).overloaded);
  EXPECT_EQ(b.establish(10), 1U);
}

TEST_P(Overloaded, AllMeansPortUnreachable) {
  Balanced b = balanced(Scheduler::kWeightedRoundRobin, {2, 1});
  b.set_thresholds(1, 1);
  b.set_thresholds(2, 1);
  EXPECT_THAT(b.establish_many(0, 2), ElementsAre(1, 2));
  const Outcome refused = b.send(5, kSyn);
  EXPECT_EQ(refused.replies, 1U);
  EXPECT_EQ(refused.drops, (std::map<std::string, uint64_t>{{"no_real_server", 1}}));
  EXPECT_EQ(server_of(b.send(0, kAck)), 1U) << "who is there stays";
  b.set_thresholds(2, 2);
  EXPECT_EQ(b.establish(6), 2U) << "a raised threshold ends it at once";
}

constexpr auto kNumbersOfWorkers = [] { return testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4}); };
constexpr auto kName = [](const auto& one) { return std::to_string(one.param); };
INSTANTIATE_TEST_SUITE_P(Number, Schedulers, kNumbersOfWorkers(), kName);
INSTANTIATE_TEST_SUITE_P(Number, Overloaded, kNumbersOfWorkers(), kName);

}  // namespace
}  // namespace lbdp::packet_tests
