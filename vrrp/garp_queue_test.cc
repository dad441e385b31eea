// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp_queue.h"

#include <gtest/gtest.h>

#include <map>

namespace lbdp::vrrp {
namespace {

using TimePoint = GarpQueue::TimePoint;

std::vector<IpAddress> addresses(size_t count) {
  std::vector<IpAddress> list;
  for (size_t i = 0; i < count; ++i) {
    list.push_back(IpAddress::v4(Be<uint32_t>::from_host(0x0a000000u + static_cast<uint32_t>(i))));
  }
  return list;
}

/// Runs the queue on virtual time until it is empty.
std::vector<std::pair<TimePoint, GarpQueue::Entry>> drain(GarpQueue& queue, TimePoint now) {
  std::vector<std::pair<TimePoint, GarpQueue::Entry>> sent;
  while (const auto deadline = queue.deadline()) {
    now = std::max(now, *deadline);
    const auto batch = queue.take(now);
    EXPECT_FALSE(batch.empty()) << "a deadline that has nothing to do spins the reactor";
    EXPECT_LE(batch.size(), GarpQueue::kBatch);
    if (batch.empty()) break;
    for (const auto& entry : batch) sent.emplace_back(now, entry);
  }
  return sent;
}

const TimePoint kStart = TimePoint{} + std::chrono::hours(1);

TEST(GarpQueue, OneAddressGoesOutAtOnce) {
  GarpQueue queue;
  EXPECT_FALSE(queue.deadline());
  queue.add(150, addresses(1), 5);
  EXPECT_EQ(queue.take(kStart).size(), 5u);
  EXPECT_FALSE(queue.deadline());
}

TEST(GarpQueue, AThousandAddressesArePaced) {
  GarpQueue queue;
  queue.add(150, addresses(1000), 5);
  const auto sent = drain(queue, kStart);
  ASSERT_EQ(sent.size(), 5000u);
  const auto batches = (5000 + GarpQueue::kBatch - 1) / GarpQueue::kBatch;
  EXPECT_EQ(sent.back().first - kStart, GarpQueue::kInterval * (batches - 1));
}

TEST(GarpQueue, EachAddressOnceBeforeAnyTwice) {
  GarpQueue queue;
  queue.add(1, addresses(70), 2);
  queue.add(2, addresses(10), 2);
  const auto sent = drain(queue, kStart);
  ASSERT_EQ(sent.size(), 160u);
  std::map<std::pair<int, IpAddress>, int> seen;
  for (size_t i = 0; i < 80; ++i) ++seen[{sent[i].second.owner, sent[i].second.address}];
  EXPECT_EQ(seen.size(), 80u);
}

TEST(GarpQueue, CancelForgetsOneOwnerOnly) {
  GarpQueue queue;
  queue.add(1, addresses(100), 5);
  queue.add(2, addresses(3), 1);
  (void)queue.take(kStart);
  queue.cancel(1);
  const auto sent = drain(queue, kStart);
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent.front().second.owner, 2);
}

TEST(GarpQueue, TheSameRequestAgainDoesNotGrowIt) {
  GarpQueue queue;
  for (int i = 0; i < 1000; ++i) queue.add(1, addresses(100), 5);
  EXPECT_EQ(drain(queue, kStart).size(), 500u);
}

TEST(GarpQueue, NothingTooSoonAfterABatch) {
  GarpQueue queue;
  queue.add(1, addresses(1), 1);
  EXPECT_EQ(queue.take(kStart).size(), 1u);
  queue.add(1, addresses(1), 1);
  EXPECT_TRUE(queue.take(kStart + std::chrono::milliseconds(1)).empty());
  EXPECT_EQ(queue.deadline(), kStart + GarpQueue::kInterval);
  EXPECT_EQ(queue.take(kStart + GarpQueue::kInterval).size(), 1u);
}

TEST(GarpQueue, NothingToSayIsNotQueued) {
  GarpQueue queue;
  queue.add(1, {}, 5);
  queue.add(1, addresses(1), 0);
  EXPECT_FALSE(queue.deadline());
}

TEST(GarpQueue, AConfiguredIntervalIsKeptFrameByFrame) {
  GarpQueue queue;
  queue.add(150, addresses(3), 2, std::chrono::milliseconds(20));
  const auto sent = drain(queue, kStart);
  ASSERT_EQ(sent.size(), 6u);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].first, kStart + i * std::chrono::milliseconds(20)) << i;
  }
}

TEST(GarpQueue, OneWithAnIntervalDoesNotHurryWithOneWithout) {
  GarpQueue queue;
  queue.add(1, addresses(2), 1);
  queue.add(2, addresses(2), 1, std::chrono::seconds(1));
  const auto sent = drain(queue, kStart);
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[1].first, kStart);
  EXPECT_EQ(sent[2].second.owner, 2u);
  EXPECT_GE(sent[3].first - sent[2].first, std::chrono::seconds(1));
}

}  // namespace
}  // namespace lbdp::vrrp
