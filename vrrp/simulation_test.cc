// SPDX-License-Identifier: BSD-2-Clause
// Several directors on one segment, on virtual time: seeded loss, delay, crashes, restarts, partitions; then calm. Once
// calm, there is one MASTER, and it stays.
#include <gtest/gtest.h>

#include <memory>
#include <queue>
#include <random>

#include "vrrp/instance.h"
#include "vrrp/instance_harness.h"

namespace lbdp::vrrp::testing {
namespace {

using std::chrono::microseconds;

struct Node {
  InstanceParams params;
  IpAddress address;
  std::unique_ptr<Instance> instance;  // nothing: the process is dead
  int side = 0;                        // of the partition
  bool has_addresses = false;
  unsigned transitions = 0;
};

struct Delivery {
  TimePoint when;
  size_t to = 0;
  Advertisement advertisement;
  friend bool operator>(const Delivery& a, const Delivery& b) { return a.when > b.when; }
};

class Segment {
 public:
  Segment(uint64_t seed, bool preempt) : random_(seed) {
    const size_t count = 2 + pick(4);
    for (size_t i = 0; i < count; ++i) {
      Node node;
      node.params = reference_params(static_cast<uint8_t>(1 + pick(254)));
      if (pick(4) == 0 && i > 0) node.params.priority = nodes_.front().params.priority;
      node.params.nopreempt = !preempt && pick(2) == 0;
      if (!preempt && pick(4) == 0) node.params.preempt_delay = std::chrono::seconds(1 + pick(10));
      node.address = IpAddress::v4(Be<uint32_t>::from_host(0xac12fa00u + static_cast<uint32_t>(i) + 1));
      nodes_.push_back(std::move(node));
    }
    for (size_t i = 0; i < count; ++i) start(i);
  }

  void run_until(TimePoint end) {
    while (step(end)) {
    }
    now_ = end;
  }

  /// One random misfortune.
  void disturb() {
    const size_t victim = pick(nodes_.size());
    Node& node = nodes_[victim];
    switch (pick(5)) {
      case 0: kill(victim); break;
      case 1: start(victim); break;
      case 2: node.side = 1 - node.side; break;
      case 3:
        if (node.instance) act(victim, node.instance->set_link(Harness::down(), now_));
        break;
      default:
        if (node.instance) act(victim, node.instance->set_link({node.address, {}}, now_));
    }
  }

  void calm_down() {
    loss_percent_ = 0;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].side = 0;
      if (!nodes_[i].instance) start(i);
      act(i, nodes_[i].instance->set_link({nodes_[i].address, {}}, now_));
    }
  }

  void kill(size_t index) {
    nodes_[index].instance.reset();
    nodes_[index].has_addresses = false;
  }

  [[nodiscard]] std::vector<size_t> masters() const {
    std::vector<size_t> list;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const auto& instance = nodes_[i].instance;
      EXPECT_EQ(instance && instance->state() == State::kMaster, nodes_[i].has_addresses);
      if (nodes_[i].has_addresses) list.push_back(i);
    }
    return list;
  }
  [[nodiscard]] unsigned transitions() const {
    unsigned sum = 0;
    for (const Node& node : nodes_) sum += node.transitions;
    return sum;
  }
  [[nodiscard]] uint8_t best_priority() const {
    uint8_t best = 0;
    for (const Node& node : nodes_) {
      if (node.instance) best = std::max(best, node.instance->effective_priority());
    }
    return best;
  }
  [[nodiscard]] const Node& node(size_t index) const { return nodes_[index]; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] size_t pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  void set_loss(unsigned percent) { loss_percent_ = percent; }

  static constexpr microseconds kLongestDelay{5000};

 private:
  void start(size_t index) {
    Node& node = nodes_[index];
    if (node.instance) return;
    node.instance = std::make_unique<Instance>(node.params);
    act(index, node.instance->start({node.address, {}}, now_));
  }

  /// The next thing to happen before `end`; false if there is none.
  bool step(TimePoint end) {
    TimePoint next = end;
    std::optional<size_t> whose;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const auto deadline = nodes_[i].instance ? nodes_[i].instance->deadline() : std::nullopt;
      if (deadline && *deadline < next) {
        next = *deadline;
        whose = i;
      }
    }
    if (!air_.empty() && air_.top().when <= next) {
      const Delivery delivery = air_.top();
      if (delivery.when >= end) return false;
      air_.pop();
      now_ = std::max(now_, delivery.when);
      if (auto& instance = nodes_[delivery.to].instance) {
        act(delivery.to, instance->receive(delivery.advertisement, now_));
      }
      return true;
    }
    if (!whose) return false;
    now_ = std::max(now_, next);
    act(*whose, nodes_[*whose].instance->expire(now_));
    return true;
  }

  void act(size_t from, const Actions& actions) {
    Node& node = nodes_[from];
    for (const Action& action : actions) {
      if (const auto* send = std::get_if<SendAdvertisement>(&action)) transmit(from, send->priority);
      if (std::holds_alternative<AddAddresses>(action)) node.has_addresses = true;
      if (std::holds_alternative<RemoveAddresses>(action)) node.has_addresses = false;
      if (std::holds_alternative<Transition>(action)) ++node.transitions;
    }
  }

  void transmit(size_t from, uint8_t priority) {
    auto advertisement = advert(nodes_[from].address.to_string(), priority);
    for (size_t to = 0; to < nodes_.size(); ++to) {
      if (to == from || nodes_[to].side != nodes_[from].side || pick(100) < loss_percent_) continue;
      const microseconds delay(1 + pick(static_cast<size_t>(kLongestDelay.count())));
      air_.push({now_ + delay, to, advertisement});
    }
  }

  std::mt19937_64 random_;
  TimePoint now_ = TimePoint{} + 1000s;
  std::vector<Node> nodes_;
  std::priority_queue<Delivery, std::vector<Delivery>, std::greater<>> air_;
  unsigned loss_percent_ = 0;
};

/// A minute of trouble, then time to settle: a preempt_delay of 10 s, and two elections.
void trouble_and_calm(Segment& segment) {
  segment.set_loss(static_cast<unsigned>(segment.pick(60)));
  for (int i = 0; i < 30; ++i) {
    segment.run_until(segment.now() + 1ms * (1 + segment.pick(4000)));
    segment.disturb();
  }
  segment.calm_down();
  segment.run_until(segment.now() + 30s);
}

void expect_one_lasting_master(Segment& segment) {
  const auto masters = segment.masters();
  ASSERT_EQ(masters.size(), 1u);
  const unsigned transitions = segment.transitions();
  for (int i = 0; i < 60; ++i) {
    segment.run_until(segment.now() + 1s);
    ASSERT_EQ(segment.masters(), masters);
  }
  EXPECT_EQ(segment.transitions(), transitions) << "flapping without a cause";
}

constexpr uint64_t kSeeds = 500;

TEST(Simulation, AfterTroubleTheBestIsTheOnlyMaster) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Segment segment(seed, true);
    trouble_and_calm(segment);
    expect_one_lasting_master(segment);
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(segment.node(segment.masters().front()).instance->effective_priority(), segment.best_priority());
  }
}

TEST(Simulation, WithNopreemptAndDelaysThereIsOneMasterToo) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Segment segment(seed, false);
    trouble_and_calm(segment);
    expect_one_lasting_master(segment);
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(Simulation, ADeadMasterIsReplacedInTime) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Segment segment(seed, seed % 2 == 0);
    segment.run_until(segment.now() + 30s + 1ms * segment.pick(1000));
    ASSERT_EQ(segment.masters().size(), 1u);
    segment.kill(segment.masters().front());
    segment.run_until(segment.now() + down_interval(segment.best_priority()) + Segment::kLongestDelay);
    ASSERT_EQ(segment.masters().size(), 1u);
  }
}

}  // namespace
}  // namespace lbdp::vrrp::testing
