// SPDX-License-Identifier: BSD-2-Clause
// Trackers' weights and faults, and sync groups, on virtual time.
#include "vrrp/sync_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vrrp/instance_harness.h"

namespace lbdp::vrrp::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// --- trackers

TEST(Tracking, AWeightChangesThePriority) {
  Harness h;
  h.start_as_master();
  h.set_tracking(-30);
  EXPECT_EQ(h.instance.effective_priority(), 70);
  EXPECT_EQ(h.instance.state(), State::kMaster);
  h.advance(1s);
  EXPECT_EQ(h.count("advert 70"), 1u);
  h.set_tracking(0);
  EXPECT_EQ(h.instance.effective_priority(), 100);
}

TEST(Tracking, AReloadKeepsTheWeight) {
  Harness h;
  h.start_as_master();
  h.set_tracking(-30);
  h.reconfigure(reference_params(120));
  EXPECT_EQ(h.instance.effective_priority(), 90);
}

TEST(Tracking, AFaultGivesTheAddressesUp) {
  Harness h;
  h.start_as_master();
  h.set_tracking(0, {"script chk_nginx failed"});
  EXPECT_THAT(h.actions,
              ElementsAre("advert 0", "advert 0", "cancel garp", "remove 172.18.250.99/32", "MASTER -> FAULT"));
  EXPECT_EQ(h.transitions.back().cause, "script chk_nginx failed");
  EXPECT_FALSE(h.instance.deadline());
  h.set_tracking(0);
  EXPECT_EQ(h.instance.state(), State::kBackup);
  EXPECT_EQ(h.remaining(), down_interval(100));
  EXPECT_EQ(h.transitions.back().cause, "usable again: no more 'script chk_nginx failed'");
}

TEST(Tracking, TheInterfacesReturnDoesNotCureATracker) {
  Harness h;
  h.start_as_backup();
  h.set_link(Harness::down());
  h.set_tracking(0, {"script chk_nginx failed"});
  h.set_link(Harness::up());
  EXPECT_EQ(h.instance.state(), State::kFault);
  EXPECT_THAT(h.instance.problems(), ElementsAre("script chk_nginx failed"));
  h.set_tracking(0);
  EXPECT_EQ(h.instance.state(), State::kBackup);
}

TEST(Tracking, WhatIsWrongBeforeTheStartCounts) {
  Harness h;
  h.set_tracking(-20, {"script chk_nginx failed"});
  h.start();
  EXPECT_EQ(h.instance.state(), State::kFault);
  EXPECT_EQ(h.instance.effective_priority(), 80);
  EXPECT_THAT(h.logs, Contains("(VI_1) Entering FAULT STATE (init)"));
}

TEST(Tracking, AnOwnerGoesToFaultToo) {
  Harness h(reference_params(255));
  h.start_as_backup();
  h.set_tracking(-100, {"interface eth1 is down"});
  EXPECT_EQ(h.instance.state(), State::kFault);
  EXPECT_EQ(h.instance.effective_priority(), 255);
}

// --- groups

/// Two instances in one group, each with an advertiser of its own to hear.
struct Pair : ::testing::Test {
  Pair() {
    for (Harness* h : both) h->start();
    group.set_members({&inside.instance, &outside.instance});
    follow();
    for (Harness* h : both) h->forget();
  }

  static InstanceParams params(const char* name, uint8_t id) {
    InstanceParams params = reference_params();
    params.name = name;
    params.virtual_router_id = id;
    params.sync_group = "VG";
    return params;
  }

  /// What the group wants done, as the transitions that it makes.
  void follow() {
    for (const auto& [member, actions] : group.follow(inside.now)) {
      for (const Action& action : actions) {
        const auto* transition = std::get_if<Transition>(&action);
        if (transition == nullptr) continue;
        done.push_back(transition->instance + " " + to_string(transition->to));
      }
    }
  }
  /// Both on the same time, the group after each step.
  void advance(std::chrono::microseconds by) {
    for (Harness* h : both) h->advance(by);
    follow();
  }
  void become_master() {
    advance(4s);
    ASSERT_EQ(group.state(), State::kMaster);
    done.clear();
  }

  Harness inside{params("inside", 1)};
  Harness outside{params("outside", 2)};
  std::vector<Harness*> both{&inside, &outside};
  SyncGroup group{"VG"};
  std::vector<std::string> done;
};

TEST_F(Pair, BothBecomeMasterTogether) {
  inside.advance(4s);
  follow();
  EXPECT_EQ(inside.instance.state(), State::kBackup) << "one that wants to waits for the other";
  outside.advance(4s);
  follow();
  EXPECT_THAT(done, ElementsAre("inside MASTER", "outside MASTER"));
  EXPECT_EQ(group.state(), State::kMaster);
}

TEST_F(Pair, OneThatHearsAMasterKeepsBothInBackup) {
  for (int i = 0; i < 10; ++i) {
    outside.receive("172.18.250.76", 200);
    advance(1s);
  }
  EXPECT_EQ(group.state(), State::kBackup);
  advance(4s);
  EXPECT_EQ(group.state(), State::kMaster) << "when that master is gone";
}

TEST_F(Pair, OneThatYieldsTakesTheOtherAlong) {
  become_master();
  outside.receive("172.18.250.76", 200);
  follow();
  EXPECT_THAT(done, ElementsAre("inside BACKUP"));
  EXPECT_EQ(group.state(), State::kBackup);
  EXPECT_EQ(outside.instance.state(), State::kBackup);
}

TEST_F(Pair, AFaultIsBothTheirs) {
  become_master();
  outside.set_link(Harness::down());
  follow();
  EXPECT_THAT(done, ElementsAre("inside FAULT"));
  EXPECT_EQ(group.state(), State::kFault);
  EXPECT_THAT(inside.instance.problems(),
              ElementsAre("VRRP_Group(VG) Syncing instances to FAULT state: outside: interface eth0 is down"));
  outside.set_link(Harness::up());
  follow();
  EXPECT_EQ(inside.instance.state(), State::kBackup);
  EXPECT_EQ(group.state(), State::kBackup);
  done.clear();
  advance(4s);
  EXPECT_EQ(group.state(), State::kMaster);
}

TEST_F(Pair, TwoFaultsNeedTwoCures) {
  inside.set_tracking(0, {"a"});
  follow();
  outside.set_tracking(0, {"b"});
  follow();
  inside.set_tracking(0);
  follow();
  EXPECT_EQ(inside.instance.state(), State::kFault);
  outside.set_tracking(0);
  follow();
  EXPECT_EQ(inside.instance.state(), State::kBackup);
  EXPECT_EQ(outside.instance.state(), State::kBackup);
}

TEST_F(Pair, NothingHappensTwice) {
  become_master();
  follow();
  EXPECT_TRUE(done.empty());
}

TEST(SyncGroup, AnOwnerAloneIsSentBack) {
  auto params = Pair::params("inside", 1);
  params.priority = 255;
  params.initial_master = true;
  Harness owner(params);
  Harness other(Pair::params("outside", 2));
  SyncGroup group("VG");
  group.set_members({&owner.instance, &other.instance});
  owner.start();
  EXPECT_TRUE(group.follow(owner.now).empty()) << "not before all have started";
  other.start();
  EXPECT_EQ(group.follow(owner.now).size(), 1u);
  EXPECT_EQ(owner.instance.state(), State::kBackup);
}

}  // namespace
}  // namespace lbdp::vrrp::testing
