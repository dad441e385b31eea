// SPDX-License-Identifier: BSD-2-Clause
// Changes of parameters while an instance runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vrrp/instance.h"
#include "vrrp/instance_harness.h"

namespace lbdp::vrrp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpPrefix prefix(const char* text) {
  return IpPrefix::parse(text).value();
}

TEST(Reload, NothingNewNothingDone) {
  Harness h;
  h.start_as_master();
  const auto beat = h.remaining();
  h.reconfigure(reference_params());
  EXPECT_THAT(h.actions, IsEmpty());
  EXPECT_THAT(h.logs, IsEmpty());
  EXPECT_EQ(h.remaining(), beat);
}

TEST(Reload, AMasterChangesItsAddressesByTheirDifference) {
  auto params = reference_params();
  params.virtual_addresses = {prefix("10.0.0.1"), prefix("10.0.0.2")};
  Harness h(params);
  h.start_as_master();
  params.virtual_addresses = {prefix("10.0.0.3"), prefix("10.0.0.2")};
  h.reconfigure(params);
  EXPECT_THAT(h.actions, ElementsAre("remove 10.0.0.1/32", "add 10.0.0.3/32", "garp 5 x 10.0.0.3"));
  EXPECT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.instance.expectation().addresses.front(), ip("10.0.0.3"));
}

TEST(Reload, ABackupTouchesNoAddress) {
  Harness h;
  h.start_as_backup();
  auto params = reference_params();
  params.virtual_addresses = {prefix("10.0.0.3")};
  h.reconfigure(params);
  EXPECT_THAT(h.actions, IsEmpty());
  h.advance(4s);
  EXPECT_EQ(h.count("add 10.0.0.3/32"), 1u);
  EXPECT_EQ(h.count("add 172.18.250.99/32"), 0u);
}

TEST(Reload, APriorityChangeShiftsTheRunningTimer) {
  Harness h;
  h.start_as_backup();
  h.receive("172.18.250.76", 110);
  h.advance(1s);
  const auto before = h.remaining();
  h.reconfigure(reference_params(164));
  EXPECT_EQ(before - h.remaining(), 250ms);  // 64/256 s
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) Changing effective priority from 100 to 164"));
  h.reconfigure(reference_params(36));
  EXPECT_EQ(h.remaining() - before, 250ms);
}

TEST(Reload, AMasterAdvertisesItsNewPriority) {
  Harness h;
  h.start_as_master();
  h.reconfigure(reference_params(50));
  EXPECT_EQ(h.instance.state(), State::kMaster);
  h.advance(1s);
  EXPECT_EQ(h.count("advert 50"), 1u);
}

TEST(Reload, AShorterIntervalIsKeptFromNowOn) {
  auto params = reference_params();
  params.advert_int = 10s;
  Harness h(params);
  h.start();
  h.advance(31s);
  ASSERT_EQ(h.instance.state(), State::kMaster);
  h.forget();
  params.advert_int = 1s;
  h.reconfigure(params);
  h.advance(3s);
  EXPECT_EQ(h.count("advert 100"), 3u);
  EXPECT_EQ(h.instance.expectation().advert_int, 1s);
}

TEST(Reload, ABackupWaitsTheNewInterval) {
  Harness h;
  h.start_as_backup();
  auto params = reference_params();
  params.advert_int = 2s;
  h.reconfigure(params);
  EXPECT_EQ(h.remaining(), 6s + 609'375us);
}

TEST(Reload, ThePasswordCountsFromThenOn) {
  Harness h;
  h.start_as_backup();
  auto params = reference_params();
  params.auth_pass = "2222";
  h.reconfigure(params);
  EXPECT_EQ(h.instance.expectation().auth_pass, "2222");
  EXPECT_THAT(h.transitions, IsEmpty());
}

TEST(Reload, NopreemptTakesEffectAtTheNextAdvertisement) {
  Harness h;
  h.start_as_backup();
  h.advance(2s);
  auto params = reference_params();
  params.nopreempt = true;
  h.reconfigure(params);
  h.receive("172.18.250.76", 95);
  EXPECT_EQ(h.remaining(), down_interval(100));
}

TEST(Reload, InFaultNothingStarts) {
  Harness h;
  h.start(Harness::down());
  h.forget();
  auto params = reference_params(200);
  params.advert_int = 2s;
  params.virtual_addresses = {prefix("10.0.0.3")};
  h.reconfigure(params);
  h.advance(60s);
  EXPECT_THAT(h.actions, IsEmpty());
}

TEST(Priority, IsClampedAndNeverAnOwners) {
  Harness h;
  h.start_as_backup();
  h.set_tracking(200);
  EXPECT_EQ(h.instance.effective_priority(), 254);
  h.set_tracking(-105);
  EXPECT_EQ(h.instance.effective_priority(), 1);
  Harness owner(reference_params(255));
  owner.start_as_backup();
  owner.set_tracking(-245);
  EXPECT_EQ(owner.instance.effective_priority(), 255);
}

// keepalived: "nopreempt will not work with initial state MASTER - clearing"; the same for preempt_delay.
TEST(Contradictions, StateMasterWinsOverNopreemptAndPreemptDelay) {
  for (const bool delay : {false, true}) {
    auto params = reference_params();
    params.initial_master = true;
    params.nopreempt = !delay;
    if (delay) params.preempt_delay = 300s;
    Harness h(params);
    h.start();
    EXPECT_THAT(h.logs.front(), ::testing::StartsWith("(VI_1) Warning - "));
    for (int i = 0; i < 4; ++i) {
      h.receive("172.18.250.76", 95);
      h.advance(1s);
    }
    EXPECT_EQ(h.instance.state(), State::kMaster);
  }
}

TEST(Contradictions, AnOwnerPreempts) {
  auto params = reference_params(255);
  params.nopreempt = true;
  Harness h(params);
  h.start();
  for (int i = 0; i < 4; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
  }
  EXPECT_EQ(h.instance.state(), State::kMaster);
}

}  // namespace
}  // namespace lbdp::vrrp::testing
