// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/slot_load.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lbdp::dataplane {
namespace {

void expect_counts(const SlotLoad& load, uint32_t active, uint32_t inactive) {
  EXPECT_EQ(load.counts().active, active);
  EXPECT_EQ(load.counts().inactive, inactive);
  EXPECT_EQ(load.active(), active);
}

TEST(SlotLoad, CountsByState) {
  SlotLoad load;
  load.open(true);
  load.open(true);
  load.open(false);
  expect_counts(load, 2, 1);
  load.change(false);
  expect_counts(load, 1, 2);
  load.change(true);
  expect_counts(load, 2, 1);
  load.close(true);
  load.close(false);
  load.close(true);
  expect_counts(load, 0, 0);
  EXPECT_FALSE(load.overloaded());
}

TEST(SlotLoad, IsOverloadedFromTheUpperThresholdDownToThreeQuarters) {
  SlotLoad load;
  load.set_thresholds(8, 0);
  for (int i = 0; i < 7; ++i) load.open(i % 2 == 0);
  EXPECT_FALSE(load.overloaded()) << "active and inactive count, and 7 are below 8";
  load.open(false);
  EXPECT_TRUE(load.overloaded());
  EXPECT_TRUE(load.counts().overloaded);
  expect_counts(load, 4, 4);
  load.close(true);
  load.close(true);
  EXPECT_TRUE(load.overloaded()) << "6 are not below three quarters of 8";
  load.change(true);
  EXPECT_TRUE(load.overloaded());
  load.close(true);
  EXPECT_FALSE(load.overloaded());
  load.open(true);
  load.open(true);
  EXPECT_FALSE(load.overloaded());
  load.open(true);
  EXPECT_TRUE(load.overloaded());
}

TEST(SlotLoad, IsOverloadedDownToTheLowerThreshold) {
  SlotLoad load;
  load.set_thresholds(4, 2);
  for (int i = 0; i < 4; ++i) load.open(true);
  EXPECT_TRUE(load.overloaded());
  load.close(true);
  load.close(true);
  EXPECT_TRUE(load.overloaded()) << "2 are not below 2";
  load.close(true);
  EXPECT_FALSE(load.overloaded());
}

TEST(SlotLoad, NewThresholdsCountAsInTheKernel) {
  SlotLoad load;
  for (int i = 0; i < 5; ++i) load.open(true);
  load.set_thresholds(3, 0);
  EXPECT_FALSE(load.overloaded()) << "from the next connection on";
  load.open(true);
  EXPECT_TRUE(load.overloaded());
  load.set_thresholds(2, 0);
  EXPECT_TRUE(load.overloaded());
  load.set_thresholds(10, 0);
  EXPECT_FALSE(load.overloaded());
  for (int i = 0; i < 4; ++i) load.open(false);
  EXPECT_TRUE(load.overloaded());
  load.set_thresholds(0, 0);
  EXPECT_FALSE(load.overloaded());
  load.open(true);
  expect_counts(load, 7, 4);
}

TEST(SlotLoad, LosesNothingBetweenThreads) {
  SlotLoad load;
  load.set_thresholds(2, 0);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&load] {
      for (int i = 0; i < 20000; ++i) {
        load.open(false);
        load.change(true);
        load.close(true);
      }
    });
  }
  threads.clear();
  expect_counts(load, 0, 0);
  EXPECT_FALSE(load.overloaded()) << "a mark that nobody takes away would keep the server idle for ever";
}

}  // namespace
}  // namespace lbdp::dataplane
