// SPDX-License-Identifier: BSD-2-Clause
// The schedulers that go by load, against a plain model of ipvs.md: connections open, get established, close, are reset
// and expire at random, servers flap and change their weights, the scheduler itself changes; every pick is foretold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <tuple>

#include "tests/packet/support/balanced.h"
#include "tests/packet/support/running_workers.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Scheduler;
using std::chrono::seconds;

// ---- the model: what ipvs.md says, in the simplest way ----

struct ModelServer {
  int weight = 1;
  bool in_table = true;
  uint32_t upper = 0, lower = 0;
  uint64_t active = 0, inactive = 0;
  bool overloaded = false;

  [[nodiscard]] bool usable() const { return in_table && weight > 0 && !overloaded; }
  void opened() {
    ++active;
    overloaded = overloaded || (upper != 0 && active + inactive >= upper);
  }
  void closed() {
    const uint64_t total = active + inactive;
    if (lower != 0 ? total < lower : 4 * total < 3 * uint64_t{upper}) overloaded = false;
  }
};

/// The position of the server that is to be picked, or that none is. Only for the schedulers that are a function of
/// the loads.
std::optional<size_t> expected_pick(Scheduler scheduler, const std::vector<ModelServer>& servers) {
  // a/b is less than c/d, for positive b and d
  const auto less = [](uint64_t a, int b, uint64_t c, int d) {
    return a * static_cast<uint64_t>(d) < c * static_cast<uint64_t>(b);
  };
  const auto better = [&](const ModelServer& one, const ModelServer& other) {
    const uint64_t load = one.active * 256 + one.inactive, other_load = other.active * 256 + other.inactive;
    switch (scheduler) {
      case Scheduler::kLeastConnection: return load < other_load;
      case Scheduler::kWeightedLeastConnection: return less(load, one.weight, other_load, other.weight);
      case Scheduler::kNeverQueue:
        if ((one.active == 0) != (other.active == 0)) return one.active == 0;
        if (one.active == 0) return false;
        [[fallthrough]];
      case Scheduler::kShortestExpectedDelay: return less(one.active + 1, one.weight, other.active + 1, other.weight);
      default: return one.weight > other.weight;  // fo, ovf
    }
  };
  std::optional<size_t> best;
  for (size_t i = 0; i < servers.size(); ++i) {
    if (!servers[i].usable()) continue;
    if (scheduler == Scheduler::kOverflow && servers[i].active > static_cast<uint64_t>(servers[i].weight)) continue;
    if (!best || better(servers[i], servers[*best])) best = i;
  }
  return best;
}

struct ModelConnection {
  unsigned client = 0;
  size_t server = 0;
  enum class Stage { kSynRecv, kEstablished, kFinished, kReset } stage = Stage::kSynRecv;
  seconds last_seen{0};

  [[nodiscard]] bool active() const { return stage == Stage::kSynRecv || stage == Stage::kEstablished; }
  [[nodiscard]] seconds lifetime() const {
    switch (stage) {
      case Stage::kSynRecv: return seconds(60);
      case Stage::kEstablished: return seconds(350);
      case Stage::kFinished: return seconds(120);
      case Stage::kReset: return seconds(10);
    }
    return {};
  }
};

// ---- the director and the model, side by side ----

class Life {
 public:
  Life(Scheduler scheduler, uint16_t workers, uint32_t seed)
      : scheduler_(scheduler),
        balanced_(scheduler, {1, 3, 2, 5, 1}, workers, {}, {.timeouts = {seconds(350), seconds(120), seconds(300)}}),
        random_(seed) {
    for (unsigned i = 1; i <= 5; ++i) servers_.push_back({.weight = balanced_.real(i).weight});
  }

  void set_thresholds() {
    servers_[1].upper = 12;
    servers_[3].upper = 20;
    servers_[3].lower = 5;
    balanced_.set_thresholds(2, 12);
    balanced_.set_thresholds(4, 20, 5);
  }
  void change_scheduler(Scheduler scheduler) {
    scheduler_ = scheduler;
    balanced_.set_scheduler(scheduler);
  }

  void step() {
    const unsigned what = chance(100);
    if (what < 45) return open();
    if (what < 93) return touch();
    if (what < 96) return let_time_pass();
    return what < 98 ? change_weight() : flap();
  }
  void open() {
    const auto expected = scheduler_ == Scheduler::kRoundRobin ? std::nullopt : expected_pick(scheduler_, servers_);
    const unsigned client = next_client_++;
    const unsigned to = balanced_.open(client);
    if (scheduler_ != Scheduler::kRoundRobin) {
      ASSERT_EQ(to, expected ? *expected + 1 : 0U) << "client " << client;
    }
    if (to == 0) return;
    ASSERT_TRUE(servers_[to - 1].usable());
    servers_[to - 1].opened();
    connections_.push_back({.client = client, .server = to - 1, .last_seen = now_});
  }
  void compare() {
    for (unsigned i = 1; i <= servers_.size(); ++i) {
      const ModelServer& model = servers_[i - 1];
      EXPECT_THAT(balanced_.load(i), testing::ElementsAre(model.active, model.inactive)) << "server " << i;
      EXPECT_THAT(balanced_.counts(i), testing::ElementsAre(model.active, model.inactive)) << "server " << i;
      EXPECT_EQ(balanced_.counters(i).overloaded, model.overloaded) << "server " << i;
    }
    EXPECT_TRUE(adds_up(balanced_.director));
  }
  void end_all() {
    balanced_.director.advance(seconds(2000));
    balanced_.director.sweep_all_workers();
    for (unsigned i = 1; i <= servers_.size(); ++i) {
      EXPECT_THAT(balanced_.load(i), testing::ElementsAre(0, 0));
      EXPECT_THAT(balanced_.counts(i), testing::ElementsAre(0, 0));
    }
  }
  [[nodiscard]] size_t connections() const { return connections_.size(); }

 private:
  using Stage = ModelConnection::Stage;

  unsigned chance(size_t of) { return static_cast<unsigned>(random_() % of); }

  // A segment of a connection that is there: it goes to its server, and may change its state.
  void touch() {
    if (connections_.empty()) return;
    ModelConnection& c = connections_[chance(connections_.size())];
    const unsigned what = chance(4);
    const bool was_active = c.active();
    uint8_t flags = kAck;
    if (what == 0 && c.stage != Stage::kReset) {
      flags = kFin | kAck;
      c.stage = Stage::kFinished;
    } else if (what == 1 && c.stage != Stage::kSynRecv) {
      flags = kRst;
      c.stage = Stage::kReset;
    } else if (c.stage == Stage::kSynRecv) {
      c.stage = Stage::kEstablished;
    }
    c.last_seen = now_;
    if (was_active && !c.active()) {
      --servers_[c.server].active;
      ++servers_[c.server].inactive;
    }
    ASSERT_EQ(server_of(balanced_.send(c.client, flags)), c.server + 1) << "no connection moves";
  }
  // A hundred seconds, at whose end the sweeps have met everybody whose time is over; none ends near that end.
  void let_time_pass() {
    balanced_.director.advance(seconds(88));
    balanced_.director.sweep_all_workers();
    now_ += seconds(100);
    std::erase_if(connections_, [&](const ModelConnection& c) {
      if (now_ - c.last_seen <= c.lifetime()) return false;
      ModelServer& server = servers_[c.server];
      --(c.active() ? server.active : server.inactive);
      server.closed();
      return true;
    });
  }
  void change_weight() {
    const unsigned i = chance(servers_.size());
    servers_[i].weight = static_cast<int>(chance(5));
    balanced_.set_weight(i + 1, servers_[i].weight);
  }
  // expire_nodest_conn: its connections are over at once.
  void flap() {
    const unsigned i = chance(servers_.size());
    ModelServer& server = servers_[i];
    server.in_table = !server.in_table;
    balanced_.set_in_table(i + 1, server.in_table);
    server.active = server.inactive = 0;
    server.overloaded = false;
    std::erase_if(connections_, [&](const ModelConnection& c) { return c.server == i; });
  }

  Scheduler scheduler_;
  Balanced balanced_;
  std::mt19937 random_;
  std::vector<ModelServer> servers_;
  std::vector<ModelConnection> connections_;
  unsigned next_client_ = 0;
  seconds now_{0};
};

using Case = std::tuple<Scheduler, uint16_t>;
class SchedulerLife : public testing::TestWithParam<Case> {
 protected:
  static void live(bool thresholds) {
    const auto [scheduler, workers] = GetParam();
    Life life(scheduler, workers, 20260 + workers);
    if (thresholds) life.set_thresholds();
    size_t most = 0;
    for (int i = 0; i < 1500; ++i) {
      life.step();
      if (HasFatalFailure()) FAIL() << "at step " << i;
      if (i % 50 == 0) life.compare();
      most = std::max(most, life.connections());
    }
    EXPECT_GT(most, 10U) << "something happened";
    life.end_all();
  }
};

TEST_P(SchedulerLife, PicksByTheRealCounts) {
  live(false);
}
TEST_P(SchedulerLife, PassesOverTheOverloaded) {
  live(true);
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  static const std::map<Scheduler, std::string> names{{Scheduler::kLeastConnection, "lc"},
                                                      {Scheduler::kWeightedLeastConnection, "wlc"},
                                                      {Scheduler::kShortestExpectedDelay, "sed"},
                                                      {Scheduler::kNeverQueue, "nq"},
                                                      {Scheduler::kFailover, "fo"},
                                                      {Scheduler::kOverflow, "ovf"},
                                                      {Scheduler::kRoundRobin, "rr"}};
  return names.at(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param)) + "_workers";
}

INSTANTIATE_TEST_SUITE_P(
    All, SchedulerLife,
    testing::Combine(testing::Values(Scheduler::kLeastConnection, Scheduler::kWeightedLeastConnection,
                                     Scheduler::kShortestExpectedDelay, Scheduler::kNeverQueue, Scheduler::kOverflow),
                     testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4})),
    name_of);

// fo counts only where somebody has a threshold.
TEST(SchedulerLifeOfFo, PassesOverTheOverloaded) {
  Life life(Scheduler::kFailover, 2, 1);
  life.set_thresholds();
  for (int i = 0; i < 1500 && !testing::Test::HasFatalFailure(); ++i) life.step();
  life.end_all();
}

// ---- changes of the scheduler ----

class SchedulerChange : public testing::TestWithParam<uint16_t> {};

// The first thing that happens to a server's connections at a worker makes them known to the scheduler: a server gets
// one connection from each worker at most before its load counts.
TEST_P(SchedulerChange, LoadsJoinWhenLoadsBeginToCount) {
  const uint16_t workers = GetParam();
  Balanced b(Scheduler::kWeightedRoundRobin, {8, 1, 1}, workers);
  std::vector<unsigned> home = b.establish_many(0, 100);
  ASSERT_THAT(b.counts(1), testing::ElementsAre(80, 0));
  b.set_scheduler(Scheduler::kLeastConnection);
  const unsigned allowance = workers;
  unsigned to_first = 0;
  for (unsigned i = 100; i < 230; ++i) {
    home.push_back(b.establish(i));
    if (home.back() == 1) ++to_first;
  }
  EXPECT_LE(to_first, allowance + 5) << "80 + 10 + 10 become 77 each";
  for (unsigned i = 0; i < home.size(); ++i) EXPECT_EQ(server_of(b.send(i, kAck)), home[i]) << "no connection moves";
  for (unsigned i = 1; i <= 3; ++i) EXPECT_EQ(b.load(i), b.counts(i)) << "server " << i << ": all have joined";
}

TEST_P(SchedulerChange, BackAndForthUnderTrafficKeepsCountsAndConnections) {
  Life life(Scheduler::kWeightedLeastConnection, GetParam(), 7);
  life.set_thresholds();
  for (int round = 0; round < 12; ++round) {
    life.change_scheduler(round % 2 == 0 ? Scheduler::kRoundRobin : Scheduler::kWeightedLeastConnection);
    for (int i = 0; i < 80; ++i) {
      life.step();
      ASSERT_FALSE(HasFatalFailure()) << "in round " << round << ", step " << i;
    }
    life.compare();
  }
  life.end_all();
}

// Publications come faster than the workers' passes: a worker may not have seen the one before.
TEST_P(SchedulerChange, WhileWorkersRunCountsNothingTwiceAndTakesNothingTwice) {
  constexpr unsigned kClients = 400;
  const uint16_t workers = GetParam();
  Balanced b(Scheduler::kRoundRobin, {1, 2, 3}, workers, {}, {.connections = 4096});
  uint64_t sent = 0;
  {
    const RunningWorkers running(b.director);
    for (unsigned round = 0; round < 40; ++round) {
      const uint8_t flags = round % 4 == 3 ? kRst : round % 4 == 0 ? kSyn : kAck;
      for (unsigned i = 0; i < kClients; ++i) {
        ASSERT_TRUE(offer(segment(i, flags).bytes(), b.worker_of(i)));
        ++sent;
        if (i % 16 == 0) b.set_scheduler(i % 32 == 0 ? Scheduler::kRoundRobin : Scheduler::kWeightedLeastConnection);
        if (i % 32 == 0) Director::drain_ports();
      }
    }
    ASSERT_TRUE(wait_for_received(b.director, sent));
  }
  Director::drain_ports();
  b.set_scheduler(Scheduler::kWeightedLeastConnection);
  for (unsigned i = 0; i < kClients; ++i) b.open(i);
  uint64_t active = 0;
  for (unsigned i = 1; i <= 3; ++i) {
    EXPECT_EQ(b.load(i), b.counts(i)) << "server " << i;
    active += b.load(i).at(0);
  }
  EXPECT_EQ(active, kClients);
  EXPECT_TRUE(adds_up(b.director));
  b.director.advance(seconds(1000));
  b.director.sweep_all_workers();
  for (unsigned i = 1; i <= 3; ++i) EXPECT_THAT(b.load(i), testing::ElementsAre(0, 0));
}

// Between a pick and its count other workers may pick the same server: so near to even, and no nearer.
TEST_P(SchedulerChange, LcInParallelIsEvenButForTheOtherWorkersPicks) {
  constexpr unsigned kClients = 1200;
  const uint16_t workers = GetParam();
  Balanced b(Scheduler::kLeastConnection, {1, 1, 1}, workers, {}, {.connections = 4096});
  {
    const RunningWorkers running(b.director);
    for (unsigned i = 0; i < kClients; ++i) {
      ASSERT_TRUE(offer(segment(i, kSyn).bytes(), b.worker_of(i)));
      if (i % 32 == 0) Director::drain_ports();
    }
    ASSERT_TRUE(wait_for_received(b.director, kClients));
  }
  uint64_t sum = 0;
  for (unsigned i = 1; i <= 3; ++i) {
    EXPECT_NEAR(static_cast<double>(b.counters(i).active), kClients / 3.0, workers);
    EXPECT_EQ(b.load(i), b.counts(i));
    sum += b.counters(i).active;
  }
  EXPECT_EQ(sum, kClients);
}

INSTANTIATE_TEST_SUITE_P(Number, SchedulerChange, testing::Values(uint16_t{1}, uint16_t{2}, uint16_t{4}),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace
}  // namespace lbdp::packet_tests
