// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbour_table.h"

#include <gmock/gmock.h>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr InterfaceIndex kEth0{7};
constexpr MacAddress kOwn{{2, 0, 0, 0, 0, 0x75}};
constexpr MacAddress kMac1{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kMac2{{2, 0, 0, 0, 0, 2}};
const IpAddress kServer = IpAddress::parse("172.18.250.77").value();
const IpAddress kDirector = IpAddress::parse("172.18.250.75").value();

class NeighbourTableTest : public testing::Test {
 protected:
  NeighbourTableTest() {
    table.set_own_macs({kOwn});
    table.set_addresses({kServer}, now);
    table.set_on_link(kServer, kEth0, "eth0", now);
  }

  void kernel_says(std::optional<MacAddress> mac, KernelNeighbourState state, bool removed = false) {
    table.on_kernel({.interface = kEth0, .address = kServer, .mac = mac, .state = state, .removed = removed}, now);
  }

  /// The server answers: our socket sees the reply first, then the kernel takes it.
  std::optional<std::string> answer(const MacAddress& mac) {
    auto lie = table.on_arp(kEth0,
                            {.destination = kOwn,
                             .source = mac,
                             .operation = ArpOperation::kReply,
                             .sender_mac = mac,
                             .target_mac = kOwn,
                             .sender = kServer,
                             .target = kDirector},
                            now);
    kernel_says(mac, KernelNeighbourState::kReachable);
    return lie;
  }

  /// Lets time go by; each probe that `host` (if there) gets is answered at once.
  void run(std::chrono::milliseconds duration, std::optional<MacAddress> host) {
    const auto end = now + duration;
    for (; now < end; now += 5ms) {
      for (const auto& probe : table.take_due(now, 100)) {
        probes.push_back(probe);
        const bool reaches =
            host && (probe.ask_kernel || probe.destination == kBroadcast || probe.destination == *host);
        if (reaches) answer(*host);
      }
    }
  }

  const NeighbourStatus& status() { return *table.find(kServer); }

  NeighbourTable table;
  NeighbourTable::TimePoint now{1000s};
  std::vector<NeighbourTable::Probe> probes;
};

TEST_F(NeighbourTableTest, TheKernelIsAskedFirst) {
  const auto due = table.take_due(now, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_TRUE(due[0].ask_kernel);
  EXPECT_EQ(due[0].interface, kEth0);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
  answer(kMac1);
  EXPECT_EQ(status().state, NeighbourStatus::State::kResolved);
  EXPECT_EQ(status().mac, kMac1);
  EXPECT_THAT(table.take_changed(), ElementsAre(kServer));
}

TEST_F(NeighbourTableTest, ANewServerIsSearchedForUntilTheKernelGivesUp) {
  EXPECT_TRUE(status().searching);
  run(1s, std::nullopt);
  EXPECT_TRUE(status().searching);
  (void)table.take_changed();
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  EXPECT_FALSE(status().searching);
  EXPECT_EQ(status().reason, "no answer on eth0");
  EXPECT_THAT(table.take_changed(), ElementsAre(kServer));
}

TEST_F(NeighbourTableTest, AServerThatAnswersIsAskedByUnicast) {
  run(10ms, kMac1);
  probes.clear();
  run(3s, kMac1);
  EXPECT_GE(probes.size(), 8U);
  EXPECT_LE(probes.size(), 11U);
  for (const auto& probe : probes) {
    EXPECT_EQ(probe.destination, kMac1);
    EXPECT_FALSE(probe.ask_kernel);
  }
}

TEST_F(NeighbourTableTest, ASilentChangeIsFollowedWithinASecond) {
  run(2s, kMac1);
  (void)table.take_changed();
  run(1s, kMac2);
  EXPECT_EQ(status().mac, kMac2);
  EXPECT_THAT(table.take_changed(), ElementsAre(kServer));
}

TEST_F(NeighbourTableTest, AnAnnouncedChangeIsFollowedAtOnce) {
  run(2s, kMac1);
  kernel_says(kMac2, KernelNeighbourState::kStale);  // what the kernel makes of a gratuitous ARP
  EXPECT_EQ(status().mac, kMac2);
}

TEST_F(NeighbourTableTest, ASilentServerBecomesUnresolvedButNotAtOnce) {
  run(2s, kMac1);
  run(4s, std::nullopt);
  EXPECT_EQ(status().mac, kMac1);
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  EXPECT_EQ(status().mac, kMac1) << "our own count decides";
  run(2s, std::nullopt);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
  EXPECT_FALSE(status().mac);
  EXPECT_THAT(status().reason, HasSubstr("no ARP answer on eth0 for 5 s"));
}

TEST_F(NeighbourTableTest, AnUnresolvedServerComesBackWithAnAnswerOnly) {
  run(2s, kMac1);
  run(8s, std::nullopt);
  kernel_says(kMac1, KernelNeighbourState::kStale);
  EXPECT_FALSE(status().mac) << "a stale entry is hearsay";
  run(1s, kMac1);
  EXPECT_EQ(status().mac, kMac1);
}

TEST_F(NeighbourTableTest, UnresolvedServersAreAskedLessOften) {
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  run(10s, std::nullopt);
  EXPECT_LE(probes.size(), 13U);
  EXPECT_GE(probes.size(), 9U);
}

TEST_F(NeighbourTableTest, AnEntryThatTheKernelForgetsIsMadeAgainWithoutLosingTheMac) {
  run(2s, kMac1);
  kernel_says(std::nullopt, KernelNeighbourState::kNone, true);
  EXPECT_EQ(status().mac, kMac1);
  probes.clear();
  run(500ms, kMac1);
  ASSERT_FALSE(probes.empty());
  EXPECT_TRUE(probes[0].ask_kernel);
  EXPECT_EQ(status().mac, kMac1);
}

struct Lie {
  MacAddress sender_mac, frame_source;
  const char* reason;
};

TEST_F(NeighbourTableTest, LiesAreNotTaken) {
  const Lie lies[] = {
      {{}, kMac1, "00:00:00:00:00:00"},     {{{3, 0, 0, 0, 0, 1}}, kMac1, "group address"},
      {kBroadcast, kMac1, "group address"}, {kOwn, kOwn, "our own MAC"},
      {kMac2, kMac1, "in a frame from"},
  };
  run(1s, kMac1);
  (void)table.take_changed();
  uint64_t rejected = 0;
  for (const auto& lie : lies) {
    const auto reason = table.on_arp(kEth0,
                                     {.destination = kOwn,
                                      .source = lie.frame_source,
                                      .operation = ArpOperation::kReply,
                                      .sender_mac = lie.sender_mac,
                                      .target_mac = kOwn,
                                      .sender = kServer,
                                      .target = kDirector},
                                     now);
    ASSERT_TRUE(reason);
    EXPECT_THAT(*reason, HasSubstr(lie.reason));
    kernel_says(lie.sender_mac, KernelNeighbourState::kReachable);  // the kernel believes it
    EXPECT_EQ(status().mac, kMac1);
    EXPECT_GT(status().rejected, rejected);
    rejected = status().rejected;
  }
  EXPECT_THAT(table.take_changed(), IsEmpty());
  probes.clear();
  run(200ms, kMac1);
  ASSERT_FALSE(probes.empty());
  EXPECT_EQ(probes[0].destination, kBroadcast) << "the truth is asked for";
}

TEST_F(NeighbourTableTest, StaticEntriesAreTakenAndNotProbed) {
  kernel_says(kMac2, KernelNeighbourState::kPermanent);
  run(10s, std::nullopt);
  EXPECT_THAT(probes, IsEmpty());
  EXPECT_EQ(status().state, NeighbourStatus::State::kStatic);
  EXPECT_EQ(status().mac, kMac2);
  kernel_says(std::nullopt, KernelNeighbourState::kNone, true);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
}

TEST_F(NeighbourTableTest, OtherInterfacesAndStrangersDoNotMatter) {
  run(1s, kMac1);
  table.on_kernel({.interface = InterfaceIndex{8},
                   .address = kServer,
                   .mac = kMac2,
                   .state = KernelNeighbourState::kReachable,
                   .removed = false},
                  now);
  table.on_kernel({.interface = kEth0,
                   .address = kDirector,
                   .mac = kMac2,
                   .state = KernelNeighbourState::kReachable,
                   .removed = false},
                  now);
  EXPECT_EQ(status().mac, kMac1);
  EXPECT_EQ(table.find(kDirector), nullptr);
}

TEST_F(NeighbourTableTest, AnUnreachableAddressSaysWhyAndIsNotProbed) {
  run(1s, kMac1);
  (void)table.take_changed();
  table.set_unreachable(kServer, "no route");
  EXPECT_FALSE(status().mac);
  EXPECT_EQ(status().reason, "no route");
  EXPECT_THAT(table.take_changed(), ElementsAre(kServer));
  probes.clear();
  run(5s, kMac1);
  EXPECT_THAT(probes, IsEmpty());
  EXPECT_FALSE(table.next_due());
  table.set_on_link(kServer, kEth0, "eth0", now);
  run(100ms, kMac1);
  EXPECT_EQ(status().mac, kMac1);
}

TEST_F(NeighbourTableTest, ManyServersAreProbedAtABoundedRate) {
  std::vector<IpAddress> many;
  for (uint32_t i = 0; i < 5000; ++i) many.push_back(IpAddress::v4(Be<uint32_t>::from_host(0x0a000000U + i)));
  table.set_addresses(many, now);
  EXPECT_EQ(table.find(kServer), nullptr);
  for (const auto& address : many) {
    table.set_on_link(address, kEth0, "eth0", now);
    table.on_kernel({.interface = kEth0,
                     .address = address,
                     .mac = kMac1,
                     .state = KernelNeighbourState::kReachable,
                     .removed = false},
                    now);
  }
  (void)table.take_due(now, 100000);
  size_t count = 0;
  for (int i = 0; i < 1000; ++i, now += 10ms) {
    const auto due = table.take_due(now, 25);
    EXPECT_LE(due.size(), 25U);
    count += due.size();
    for (const auto& probe : due) {
      table.on_arp(kEth0,
                   {.destination = kOwn,
                    .source = kMac1,
                    .operation = ArpOperation::kReply,
                    .sender_mac = kMac1,
                    .target_mac = kOwn,
                    .sender = probe.address,
                    .target = kDirector},
                   now);
    }
  }
  EXPECT_LE(count, 25100U);
  EXPECT_GE(count, 15000U);
}

}  // namespace
}  // namespace lbdp::control
