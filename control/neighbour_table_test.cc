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

LinkPath eth0() {
  return {.interface = kEth0, .name = "eth0", .port = kEth0};
}

/// Both families are followed in the same way.
class NeighbourTableTest : public testing::TestWithParam<Family> {
 protected:
  NeighbourTableTest() {
    table.set_own_macs({kOwn});
    table.set_addresses({server}, now);
    table.set_on_link(server, eth0(), now);
  }

  static IpAddress either(const char* v4, const char* v6) {
    return IpAddress::parse(GetParam() == Family::kIpv4 ? v4 : v6).value();
  }

  void kernel_says(std::optional<MacAddress> mac, KernelNeighbourState state, bool removed = false) {
    table.on_kernel({.interface = kEth0, .address = server, .mac = mac, .state = state, .removed = removed}, now);
  }

  /// The server answers: our socket sees the reply first, then the kernel takes it.
  std::optional<std::string> answer(const MacAddress& mac) {
    auto lie = table.on_claim(kEth0, {.address = server, .mac = mac, .frame_source = mac}, now);
    kernel_says(mac, KernelNeighbourState::kReachable);
    return lie;
  }

  /// Lets time go by; each probe that `host` (if there) gets is answered at once.
  void run(std::chrono::milliseconds duration, std::optional<MacAddress> host) {
    const auto end = now + duration;
    for (; now < end; now += 5ms) {
      for (const auto& probe : table.take_due(now, 100)) {
        probes.push_back(probe);
        if (host && (probe.ask_kernel || probe.at.value_or(*host) == *host)) answer(*host);
      }
    }
  }

  const NeighbourStatus& status() { return *table.find(server); }

  const IpAddress server = either("172.18.250.77", "2001:db8::77");
  const IpAddress stranger = either("172.18.250.75", "2001:db8::75");
  NeighbourTable table;
  NeighbourTable::TimePoint now{1000s};
  std::vector<NeighbourTable::Probe> probes;
};

TEST_P(NeighbourTableTest, TheKernelIsAskedFirst) {
  const auto due = table.take_due(now, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_TRUE(due[0].ask_kernel);
  EXPECT_EQ(due[0].interface, kEth0);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
  answer(kMac1);
  EXPECT_EQ(status().state, NeighbourStatus::State::kResolved);
  EXPECT_EQ(status().mac, kMac1);
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
}

TEST_P(NeighbourTableTest, ANewServerIsSearchedForUntilTheKernelGivesUp) {
  EXPECT_TRUE(status().searching);
  run(1s, std::nullopt);
  EXPECT_TRUE(status().searching);
  (void)table.take_changed();
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  EXPECT_FALSE(status().searching);
  EXPECT_EQ(status().reason, "no answer on eth0");
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
}

TEST_P(NeighbourTableTest, AServerThatAnswersIsAskedByUnicast) {
  run(10ms, kMac1);
  probes.clear();
  run(3s, kMac1);
  EXPECT_GE(probes.size(), 8U);
  EXPECT_LE(probes.size(), 11U);
  for (const auto& probe : probes) {
    EXPECT_EQ(probe.at, kMac1);
    EXPECT_FALSE(probe.ask_kernel);
  }
}

TEST_P(NeighbourTableTest, ASilentChangeIsFollowedWithinASecond) {
  run(2s, kMac1);
  (void)table.take_changed();
  run(1s, kMac2);
  EXPECT_EQ(status().mac, kMac2);
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
}

TEST_P(NeighbourTableTest, AnAnnouncedChangeIsFollowedAtOnce) {
  run(2s, kMac1);
  kernel_says(kMac2, KernelNeighbourState::kStale);  // what the kernel makes of a gratuitous ARP
  EXPECT_EQ(status().mac, kMac2);
}

TEST_P(NeighbourTableTest, ASilentServerBecomesUnresolvedButNotAtOnce) {
  run(2s, kMac1);
  run(4s, std::nullopt);
  EXPECT_EQ(status().mac, kMac1);
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  EXPECT_EQ(status().mac, kMac1) << "our own count decides";
  run(2s, std::nullopt);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
  EXPECT_FALSE(status().mac);
  EXPECT_THAT(status().reason, HasSubstr(GetParam() == Family::kIpv4 ? "no ARP answer on eth0 for 5 s"
                                                                     : "no ND answer on eth0 for 5 s"));
}

TEST_P(NeighbourTableTest, AnUnresolvedServerComesBackWithAnAnswerOnly) {
  run(2s, kMac1);
  run(8s, std::nullopt);
  kernel_says(kMac1, KernelNeighbourState::kStale);
  EXPECT_FALSE(status().mac) << "a stale entry is hearsay";
  run(1s, kMac1);
  EXPECT_EQ(status().mac, kMac1);
}

TEST_P(NeighbourTableTest, UnresolvedServersAreAskedLessOften) {
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  run(10s, std::nullopt);
  EXPECT_LE(probes.size(), 13U);
  EXPECT_GE(probes.size(), 9U);
}

TEST_P(NeighbourTableTest, AnEntryThatTheKernelForgetsIsMadeAgainWithoutLosingTheMac) {
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

TEST_P(NeighbourTableTest, LiesAreNotTaken) {
  const Lie lies[] = {
      {{}, kMac1, "00:00:00:00:00:00"},
      {{{3, 0, 0, 0, 0, 1}}, kMac1, "group address"},
      {{{255, 255, 255, 255, 255, 255}}, kMac1, "group address"},
      {kOwn, kOwn, "our own MAC"},
      {kMac2, kMac1, "in a frame from"},
  };
  run(1s, kMac1);
  (void)table.take_changed();
  uint64_t rejected = 0;
  for (const auto& lie : lies) {
    const auto reason =
        table.on_claim(kEth0, {.address = server, .mac = lie.sender_mac, .frame_source = lie.frame_source}, now);
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
  EXPECT_FALSE(probes[0].at || probes[0].ask_kernel) << "everybody is asked for the truth";
}

TEST_P(NeighbourTableTest, StaticEntriesAreTakenAndNotProbed) {
  kernel_says(kMac2, KernelNeighbourState::kPermanent);
  run(10s, std::nullopt);
  EXPECT_THAT(probes, IsEmpty());
  EXPECT_EQ(status().state, NeighbourStatus::State::kStatic);
  EXPECT_EQ(status().mac, kMac2);
  kernel_says(std::nullopt, KernelNeighbourState::kNone, true);
  EXPECT_EQ(status().state, NeighbourStatus::State::kUnresolved);
}

TEST_P(NeighbourTableTest, OtherInterfacesAndStrangersDoNotMatter) {
  run(1s, kMac1);
  table.on_kernel({.interface = InterfaceIndex{8},
                   .address = server,
                   .mac = kMac2,
                   .state = KernelNeighbourState::kReachable,
                   .removed = false},
                  now);
  table.on_kernel({.interface = kEth0,
                   .address = stranger,
                   .mac = kMac2,
                   .state = KernelNeighbourState::kReachable,
                   .removed = false},
                  now);
  EXPECT_EQ(status().mac, kMac1);
  EXPECT_EQ(table.find(stranger), nullptr);
}

TEST_P(NeighbourTableTest, AnUnreachableAddressSaysWhyAndIsNotProbed) {
  run(1s, kMac1);
  (void)table.take_changed();
  table.set_unreachable(server, "no route");
  EXPECT_FALSE(status().mac);
  EXPECT_EQ(status().reason, "no route");
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
  probes.clear();
  run(5s, kMac1);
  EXPECT_THAT(probes, IsEmpty());
  EXPECT_FALSE(table.next_due());
  table.set_on_link(server, eth0(), now);
  run(100ms, kMac1);
  EXPECT_EQ(status().mac, kMac1);
}

TEST_P(NeighbourTableTest, AnEntryThatTheKernelGaveUpIsTheKernelsToMakeAgain) {
  run(2s, kMac1);
  kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  EXPECT_EQ(status().mac, kMac1);
  probes.clear();
  run(500ms, std::nullopt);
  ASSERT_FALSE(probes.empty());
  EXPECT_TRUE(probes[0].ask_kernel) << "the kernel takes no advertisement for a failed entry";
  run(500ms, kMac2);
  EXPECT_EQ(status().mac, kMac2);
}

TEST_P(NeighbourTableTest, AServerOfWhichTheKernelForgetsAllIsUnresolvedInTime) {
  run(2s, kMac1);
  const auto silent_since = now;
  while (status().mac && now - silent_since < 20s) {
    run(100ms, std::nullopt);
    kernel_says(std::nullopt, KernelNeighbourState::kFailed);
  }
  EXPECT_GE(now - silent_since, 4s);
  EXPECT_LE(now - silent_since, 7s);
}

TEST_P(NeighbourTableTest, AnotherMtuOfTheWayIsAChangeAndCostsNoMac) {
  run(1s, kMac1);
  (void)table.take_changed();
  EXPECT_FALSE(table.set_on_link(server, eth0(), now));
  EXPECT_THAT(table.take_changed(), IsEmpty());
  auto narrow = eth0();
  narrow.mtu = 1400;
  EXPECT_FALSE(table.set_on_link(server, narrow, now));
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
  EXPECT_EQ(status().mac, kMac1);
  EXPECT_EQ(status().path.mtu, 1400);
}

TEST_P(NeighbourTableTest, AServerThatMovesToAVlanIsAskedThere) {
  run(1s, kMac1);
  (void)table.take_changed();
  constexpr InterfaceIndex kEth0Vlan{9};
  const LinkPath vlan{.interface = kEth0Vlan, .name = "eth0.100", .port = kEth0, .vlan = 100, .mtu = 1496};
  EXPECT_TRUE(table.set_on_link(server, vlan, now));
  EXPECT_FALSE(status().mac) << "what was known on eth0 says nothing about eth0.100";
  EXPECT_THAT(status().reason, HasSubstr("eth0.100"));
  const auto due = table.take_due(now, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].interface, kEth0Vlan);
  EXPECT_FALSE(answer(kMac1));
  EXPECT_FALSE(status().mac) << "that was eth0";
  const NeighbourClaim claim{.address = server, .mac = kMac2, .frame_source = kMac2};
  EXPECT_FALSE(table.on_claim(kEth0Vlan, claim, now));
  table.on_kernel({.interface = kEth0Vlan,
                   .address = server,
                   .mac = kMac2,
                   .state = KernelNeighbourState::kReachable,
                   .removed = false},
                  now);
  EXPECT_EQ(status().mac, kMac2);
  EXPECT_EQ(status().path, vlan);
  EXPECT_THAT(table.take_changed(), ElementsAre(server));
}

TEST_P(NeighbourTableTest, ManyServersAreProbedAtABoundedRate) {
  std::vector<IpAddress> many;
  for (uint32_t i = 0; i < 5000; ++i) many.push_back(IpAddress::v4(Be<uint32_t>::from_host(0x0a000000U + i)));
  table.set_addresses(many, now);
  EXPECT_EQ(table.find(server), nullptr);
  for (const auto& address : many) {
    table.set_on_link(address, eth0(), now);
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
      table.on_claim(kEth0, {.address = probe.address, .mac = kMac1, .frame_source = kMac1}, now);
    }
  }
  EXPECT_LE(count, 25100U);
  EXPECT_GE(count, 15000U);
}

INSTANTIATE_TEST_SUITE_P(Families, NeighbourTableTest, testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& given) { return given.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace lbdp::control
