// SPDX-License-Identifier: BSD-2-Clause
// The state machine row by row, on virtual time. 172.18.250.75 is us, .74 and .76 are a peer with a lower and a higher
// address.
#include "vrrp/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vrrp/instance_harness.h"

namespace lbdp::vrrp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto kVip = "172.18.250.99";

// --- INIT

struct InitRow {
  const char* name;
  uint8_t priority;
  bool initial_master;
  State state;
};

class Init : public ::testing::TestWithParam<InitRow> {};

TEST_P(Init, OnlyAnOwnerWithStateMasterSkipsBackup) {
  auto params = reference_params(GetParam().priority);
  params.initial_master = GetParam().initial_master;
  Harness h(params);
  h.start();
  EXPECT_EQ(h.instance.state(), GetParam().state);
  if (GetParam().state == State::kBackup) {
    EXPECT_EQ(h.remaining(), down_interval(GetParam().priority));
    EXPECT_THAT(h.logs, ElementsAre("(VI_1) Entering BACKUP STATE (init)"));
  }
}

INSTANTIATE_TEST_SUITE_P(Instance, Init,
                         ::testing::Values(InitRow{"backup", 100, false, State::kBackup},
                                           InitRow{"master_is_a_hint", 100, true, State::kBackup},
                                           InitRow{"owner_with_state_backup", 255, false, State::kBackup},
                                           InitRow{"owner_with_state_master", 255, true, State::kMaster}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Instance, StartTakesAwayWhatACrashLeft) {
  Harness h;
  h.start();
  EXPECT_THAT(h.actions, ElementsAre("remove 172.18.250.99/32", "INIT -> BACKUP"));
}

TEST(Instance, AnOwnersAddressesMayBeTheInterfacesOwn) {
  Harness h(reference_params(255));
  h.start();
  EXPECT_THAT(h.actions, ElementsAre("INIT -> BACKUP"));
}

TEST(Instance, WithoutAnInterfaceItStartsInFault) {
  Harness h;
  h.start({{}, "interface eth0 does not exist"});
  EXPECT_EQ(h.instance.state(), State::kFault);
  EXPECT_EQ(h.instance.deadline(), std::nullopt);
  EXPECT_EQ(h.transitions.back().cause, "interface eth0 does not exist");
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) interface eth0 does not exist", "(VI_1) Entering FAULT STATE (init)"));
}

// --- BACKUP

TEST(Backup, AloneItBecomesMasterAfterTheDownInterval) {
  Harness h;
  h.start_as_backup();
  h.advance(down_interval(100) - 1us);
  EXPECT_THAT(h.actions, IsEmpty());
  h.advance(1us);
  EXPECT_THAT(h.actions,
              ElementsAre("advert 100", "add 172.18.250.99/32", "BACKUP -> MASTER", "garp 5 x 172.18.250.99"));
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) Entering MASTER STATE"));
  EXPECT_EQ(h.transitions.back().cause, "no advertisement received");
  EXPECT_EQ(h.instance.master_address(), ip("172.18.250.75"));
}

TEST(Backup, PriorityZeroLeavesOnlyTheSkew) {
  Harness h;
  h.start_as_backup();
  h.receive("172.18.250.76", 110);
  h.advance(1s);
  h.receive("172.18.250.76", 0);
  EXPECT_EQ(h.remaining(), 609'375us);  // (256 - 100) / 256 s
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) Backup received priority 0 advertisement"));
  h.advance(609'375us);
  EXPECT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.transitions.back().cause, "no more advertisements from 172.18.250.76, priority 110");
}

struct BackupRow {
  const char* name;
  uint8_t received;
  bool nopreempt;
  std::chrono::seconds preempt_delay;
  bool accepted;
};

class BackupReceives : public ::testing::TestWithParam<BackupRow> {};

TEST_P(BackupReceives, AcceptsOrDiscards) {
  auto params = reference_params(100);
  params.nopreempt = GetParam().nopreempt;
  params.preempt_delay = GetParam().preempt_delay;
  Harness h(params);
  h.start_as_backup();
  h.advance(2s);
  h.receive("172.18.250.76", GetParam().received);
  EXPECT_EQ(h.instance.master_address(), ip("172.18.250.76"));
  EXPECT_EQ(h.instance.master_priority(), GetParam().received);
  EXPECT_EQ(h.remaining(), GetParam().accepted ? down_interval(100) : down_interval(100) - 2s);
  const auto discarded =
      fmt::format("(VI_1) received lower priority ({}) advert from 172.18.250.76 - discarding", GetParam().received);
  EXPECT_EQ(std::count(h.logs.begin(), h.logs.end(), discarded), GetParam().accepted ? 0 : 1);
  EXPECT_THAT(h.actions, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Instance, BackupReceives,
    ::testing::Values(BackupRow{"higher", 110, false, 0s, true}, BackupRow{"owner", 255, false, 0s, true},
                      BackupRow{"equal", 100, false, 0s, true}, BackupRow{"lower", 99, false, 0s, false},
                      BackupRow{"lowest", 1, false, 0s, false}, BackupRow{"lower_nopreempt", 99, true, 0s, true},
                      BackupRow{"lower_preempt_delay", 99, false, 10s, true},
                      BackupRow{"higher_preempt_delay", 110, false, 10s, true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Backup, PreemptsALowerMasterWithinOneDownInterval) {
  Harness h;
  h.start_as_backup();
  for (int i = 0; i < 3; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
  }
  EXPECT_EQ(h.instance.state(), State::kBackup);
  EXPECT_EQ(h.logs.size(), 1u) << "the discard is logged once a state";
  h.advance(1s);
  EXPECT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.transitions.back().cause, "preempting 172.18.250.76, priority 95, ours 100");
}

TEST(Backup, WithNopreemptALowerMasterStays) {
  auto params = reference_params(100);
  params.nopreempt = true;
  Harness h(params);
  h.start_as_backup();
  for (int i = 0; i < 100; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
  }
  EXPECT_THAT(h.transitions, IsEmpty());
  h.advance(down_interval(100));
  EXPECT_EQ(h.instance.state(), State::kMaster) << "nopreempt does not mean: never";
}

TEST(Backup, PreemptDelayEndsInPreemption) {
  auto params = reference_params(100);
  params.preempt_delay = 10s;
  Harness h(params);
  h.start_as_backup();
  for (int i = 0; i < 10; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
    EXPECT_EQ(h.instance.state(), State::kBackup) << i;
  }
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) start preempt delay (10.000000)"));
  for (int i = 0; i < 4; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
  }
  EXPECT_EQ(h.instance.state(), State::kMaster);
}

TEST(Backup, PreemptDelayStartsAnewAfterAHigherMaster) {
  auto params = reference_params(100);
  params.preempt_delay = 10s;
  Harness h(params);
  h.start_as_backup();
  for (int i = 0; i < 9; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(1s);
  }
  h.receive("172.18.250.74", 110);
  for (int i = 0; i < 9; ++i) {
    h.advance(1s);
    h.receive("172.18.250.76", 95);
  }
  EXPECT_EQ(h.remaining(), down_interval(100)) << "still accepted";
}

// As keepalived 2.2.7 does it: the delay is for a master that lives, not for one that is gone.
TEST(Backup, PreemptDelayDoesNotHoldUpTheTakeoverFromADeadMaster) {
  auto params = reference_params(100);
  params.preempt_delay = 300s;
  Harness h(params);
  h.start_as_backup();
  h.receive("172.18.250.76", 95);
  h.advance(down_interval(100));
  EXPECT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.transitions.back().cause, "no more advertisements from 172.18.250.76, priority 95");
}

TEST(Backup, AnAdvertisementThatWaitedBehindAStallSavesTheMaster) {
  Harness h;
  h.start_as_backup();
  h.receive("172.18.250.76", 110);
  h.stall(10s);  // our reactor stood still; the speaker hands over what the socket holds before the timer
  h.receive("172.18.250.76", 110);
  h.expire();
  EXPECT_EQ(h.instance.state(), State::kBackup);
}

// --- MASTER

TEST(Master, AdvertisesOnTheBeat) {
  Harness h;
  h.start_as_backup();
  h.advance(down_interval(100));
  h.forget();
  h.advance(10s);
  EXPECT_EQ(h.count("advert 100"), 10u);
  h.stall(1s + 100ms);
  h.expire();
  EXPECT_EQ(h.count("advert 100"), 11u);
  EXPECT_EQ(h.remaining(), 900ms) << "a late advertisement does not shift those after it";
}

TEST(Master, DoesNotCatchUpAfterAStall) {
  Harness h;
  h.start_as_master();
  h.stall(30s);
  h.advance(0s);
  EXPECT_EQ(h.count("advert 100"), 1u);
  EXPECT_EQ(h.remaining(), 1s);
}

TEST(Master, AnnouncesItsAddressesTwice) {
  auto params = reference_params();
  params.virtual_addresses.push_back(IpPrefix::parse("172.18.250.98/24").value());
  Harness h(params);
  h.start();
  h.advance(down_interval(100));
  EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 1u);
  EXPECT_EQ(h.count("garp 5 x 172.18.250.98"), 1u);
  h.advance(5s - 1us);
  EXPECT_EQ(h.count("garp 5 x 172.18.250.98"), 1u);
  h.advance(1us);
  EXPECT_EQ(h.count("garp 5 x 172.18.250.98"), 2u);
  h.advance(60s);
  EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 2u);
}

TEST(Master, PriorityZeroIsAnsweredAtOnce) {
  Harness h;
  h.start_as_master();
  h.advance(300ms);
  h.forget();
  const auto beat = h.remaining();
  h.receive("172.18.250.76", 0);
  EXPECT_THAT(h.actions, ElementsAre("advert 100"));
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) Master received priority 0 message"));
  EXPECT_EQ(h.remaining(), beat);
}

struct MasterRow {
  const char* name;
  const char* source;
  uint8_t received;
  enum { kDefends, kYields, kWarns } what;
  const char* log;
};

class MasterReceives : public ::testing::TestWithParam<MasterRow> {};

TEST_P(MasterReceives, Decides) {
  Harness h;
  h.start_as_master();
  h.advance(500ms);
  h.forget();
  h.receive(GetParam().source, GetParam().received);
  ASSERT_FALSE(h.logs.empty());
  EXPECT_EQ(h.logs.front(), GetParam().log);
  switch (GetParam().what) {
    case MasterRow::kDefends:
      EXPECT_THAT(h.actions, ElementsAre("advert 100", "garp 5 x 172.18.250.99"));
      h.forget();
      h.advance(5s);
      EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 1u) << "and again after garp_lower_prio_delay";
      break;
    case MasterRow::kYields:
      EXPECT_THAT(h.actions, ElementsAre("cancel garp", "remove 172.18.250.99/32", "MASTER -> BACKUP"));
      EXPECT_EQ(h.logs.back(), "(VI_1) Entering BACKUP STATE");
      EXPECT_EQ(h.remaining(), down_interval(100));
      EXPECT_EQ(h.instance.master_address(), ip(GetParam().source));
      break;
    case MasterRow::kWarns: EXPECT_THAT(h.actions, IsEmpty()); break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Instance, MasterReceives,
    ::testing::Values(
        MasterRow{"lower", "172.18.250.76", 95, MasterRow::kDefends,
                  "(VI_1) Received advert from 172.18.250.76 with lower priority 95, ours 100, forcing new election"},
        MasterRow{"equal_from_a_lower_address", "172.18.250.74", 100, MasterRow::kDefends,
                  "(VI_1) Received advert from 172.18.250.74 with lower priority 100, ours 100, forcing new election"},
        MasterRow{"equal_from_a_higher_address", "172.18.250.76", 100, MasterRow::kYields,
                  "(VI_1) Master received advert from 172.18.250.76 with same priority 100 but higher IP address than "
                  "ours"},
        MasterRow{"higher", "172.18.250.74", 101, MasterRow::kYields,
                  "(VI_1) Master received advert from 172.18.250.74 with higher priority 101, ours 100"},
        MasterRow{"owner", "172.18.250.74", 255, MasterRow::kYields,
                  "(VI_1) Master received advert from 172.18.250.74 with higher priority 255, ours 100"},
        MasterRow{"own_packet_looped", "172.18.250.75", 100, MasterRow::kWarns,
                  "(VI_1) WARNING - equal priority advert received from remote host with our IP address."}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Master, AddressesCompareAsNumbers) {
  Harness h;
  h.start(Harness::up("9.0.0.1"));
  h.advance(10s);
  h.receive("10.0.0.1", 100);
  EXPECT_EQ(h.instance.state(), State::kBackup) << "10.0.0.1 is higher than 9.0.0.1";
}

TEST(Master, AFloodOfLowerAdvertsIsNotAmplified) {
  Harness h;
  h.start_as_master();
  h.advance(500ms);
  h.forget();
  for (int i = 0; i < 10'000; ++i) {
    h.receive("172.18.250.76", 95);
    h.advance(100us);
  }
  EXPECT_LE(h.count("advert 100"), 66u);  // 64 answers in a second, and the beat
  EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 1u);
  EXPECT_EQ(h.logs.size(), 1u);
  EXPECT_EQ(h.instance.state(), State::kMaster);
}

TEST(Master, ASplitThatComesBackLaterIsNewsAgain) {
  Harness h;
  h.start_as_master();
  h.receive("172.18.250.76", 95);
  h.advance(10s);
  h.receive("172.18.250.76", 95);
  EXPECT_EQ(h.logs.size(), 1u);
  h.advance(61s);
  h.receive("172.18.250.76", 95);
  EXPECT_EQ(h.logs.size(), 2u);
}

TEST(Master, OfTwoOwnersTheOneWithTheLowerAddressDropsTo254) {
  auto params = reference_params(255);
  params.initial_master = true;
  Harness h(params);
  h.start();
  h.advance(500ms);
  h.receive("172.18.250.74", 255);
  EXPECT_EQ(h.instance.state(), State::kMaster) << "ours is the higher address";
  EXPECT_EQ(h.instance.effective_priority(), 255);
  h.forget();
  h.receive("172.18.250.76", 255);
  EXPECT_EQ(h.instance.state(), State::kBackup);
  EXPECT_EQ(h.instance.effective_priority(), 254);
  EXPECT_THAT(h.logs.front(), ::testing::StartsWith("(VI_1) CONFIGURATION ERROR"));
}

TEST(Master, WhatItPlannedAsMasterIsForgottenAsBackup) {
  Harness h;
  h.start_as_backup();
  h.advance(down_interval(100) + 1s);
  h.receive("172.18.250.76", 110);
  h.forget();
  for (int i = 0; i < 20; ++i) {
    h.advance(1s);
    h.receive("172.18.250.76", 110);
  }
  EXPECT_THAT(h.actions, IsEmpty()) << "no second set of gratuitous ARPs for addresses that are not ours";
}

// --- FAULT, and the end

TEST(Fault, AMasterSaysGoodbyeTwiceAndGivesUpItsAddresses) {
  Harness h;
  h.start_as_master();
  h.set_link(Harness::down());
  EXPECT_THAT(h.actions,
              ElementsAre("advert 0", "advert 0", "cancel garp", "remove 172.18.250.99/32", "MASTER -> FAULT"));
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) interface eth0 is down", "(VI_1) Entering FAULT STATE"));
  EXPECT_EQ(h.instance.deadline(), std::nullopt);
  EXPECT_EQ(h.instance.master_address(), std::nullopt);
}

TEST(Fault, ABackupHasNothingToSay) {
  Harness h;
  h.start_as_backup();
  h.set_link({{}, "interface eth0 has no IPv4 address"});
  EXPECT_THAT(h.actions, ElementsAre("BACKUP -> FAULT"));
  EXPECT_EQ(h.transitions.back().cause, "interface eth0 has no IPv4 address");
}

TEST(Fault, NothingIsHeardInFault) {
  Harness h;
  h.start_as_backup();
  h.set_link(Harness::down());
  h.forget();
  h.receive("172.18.250.76", 110);
  h.receive("172.18.250.76", 0);
  h.advance(60s);
  EXPECT_THAT(h.actions, IsEmpty());
}

TEST(Fault, BackMeansBackupFirst) {
  for (const uint8_t priority : {uint8_t{100}, uint8_t{255}}) {
    auto params = reference_params(priority);
    params.initial_master = true;
    Harness h(params);
    h.start_as_master();
    h.set_link(Harness::down());
    h.forget();
    h.advance(10s);
    h.set_link(Harness::up());
    EXPECT_THAT(h.actions, ElementsAre("FAULT -> BACKUP"));
    EXPECT_THAT(h.logs, ElementsAre("(VI_1) Entering BACKUP STATE"));
    EXPECT_EQ(h.remaining(), down_interval(priority));
    h.advance(4s);
    EXPECT_EQ(h.instance.state(), State::kMaster);
  }
}

TEST(Fault, ANewAddressIsNoFault) {
  Harness h;
  h.start_as_master();
  h.set_link(Harness::up("172.18.250.71"));
  EXPECT_THAT(h.actions, IsEmpty());
  h.receive("172.18.250.74", 100);
  EXPECT_EQ(h.instance.state(), State::kBackup) << ".74 is higher now";
}

TEST(Stop, AMasterSaysGoodbye) {
  Harness h;
  h.start_as_master();
  h.stop();
  EXPECT_THAT(h.actions, ElementsAre("advert 0", "cancel garp", "remove 172.18.250.99/32", "MASTER -> STOPPED"));
  EXPECT_THAT(h.logs, ElementsAre("(VI_1) sent 0 priority"));
  h.forget();
  h.receive("172.18.250.76", 0);
  h.set_link(Harness::down());
  h.set_link(Harness::up());
  h.advance(60s);
  EXPECT_THAT(h.actions, IsEmpty());
}

TEST(Stop, ABackupGoesQuietly) {
  Harness h;
  h.start_as_backup();
  h.stop();
  EXPECT_THAT(h.actions, ElementsAre("BACKUP -> STOPPED"));
}

}  // namespace
}  // namespace lbdp::vrrp::testing
