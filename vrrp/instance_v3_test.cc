// SPDX-License-Identifier: BSD-2-Clause
// What version 3 (RFC 5798) and keepalived's switches change in the state machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vrrp/instance.h"
#include "vrrp/instance_harness.h"

namespace lbdp::vrrp::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

InstanceParams version_3(uint8_t priority = 100) {
  InstanceParams params = reference_params(priority);
  params.version = kVersion3;
  params.auth_pass.reset();
  params.advert_int = 100ms;
  return params;
}

std::chrono::microseconds down_interval_v3(int priority, std::chrono::microseconds interval) {
  return 3 * interval + interval * (256 - priority) / 256;
}

struct V3 : ::testing::Test {
  void hear(uint8_t priority, std::chrono::microseconds interval, const std::string& source = "172.18.250.76") {
    Advertisement advertisement = advert(source, priority);
    advertisement.advert_int = interval;
    for (const Action& action : h.instance.receive(advertisement, h.now)) {
      if (const auto* line = std::get_if<LogLine>(&action)) logs.push_back(line->text);
    }
  }
  Harness h{version_3()};
  std::vector<std::string> logs;
};

TEST_F(V3, SkewIsAPartOfTheInterval) {
  h.start();
  EXPECT_EQ(h.remaining(), down_interval_v3(100, 100ms));
}

TEST_F(V3, ABackupLearnsItsMastersInterval) {
  h.start_as_backup();
  hear(200, 500ms);
  EXPECT_EQ(h.remaining(), down_interval_v3(100, 500ms));
  EXPECT_THAT(logs,
              ElementsAre("(VI_1) advertisement interval of 172.18.250.76 is 0.50 s, ours is 0.10 s: the master's "
                          "counts"));
  hear(200, 500ms);
  EXPECT_EQ(logs.size(), 1u) << "once a state";
}

TEST_F(V3, AsMasterItsOwnIntervalCounts) {
  h.start_as_backup();
  hear(200, 500ms);
  h.advance(down_interval_v3(100, 500ms));
  ASSERT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.remaining(), 100ms);
}

TEST_F(V3, WhoYieldsWaitsByTheNewMastersInterval) {
  h.start_as_master();
  hear(200, 2s);
  ASSERT_EQ(h.instance.state(), State::kBackup);
  EXPECT_EQ(h.remaining(), down_interval_v3(100, 2s));
}

TEST_F(V3, AnIntervalOfNothingDoesNotMakeEveryPauseAFailure) {
  h.start_as_backup();
  hear(200, 0s);
  EXPECT_EQ(h.remaining(), down_interval_v3(100, 10ms));
}

TEST_F(V3, AGoodbyeIsFollowedByTheSkewAlone) {
  h.start_as_backup();
  hear(200, 1s);
  hear(0, 1s);
  EXPECT_EQ(h.remaining(), std::chrono::microseconds(1s) * 156 / 256);
}

TEST_F(V3, AReloadKeepsWhatTheMasterTaught) {
  h.start_as_backup();
  hear(200, 500ms);
  auto params = version_3();
  params.advert_int = 200ms;
  h.reconfigure(params);
  EXPECT_EQ(h.remaining(), down_interval_v3(100, 500ms));
}

TEST(Excluded, AreAddedAndAnnouncedAndNotAdvertised) {
  auto params = reference_params();
  params.excluded_addresses = {IpPrefix::parse("2001:db8::99").value()};
  Harness h(params);
  h.start();
  h.forget();
  h.advance(4s);
  EXPECT_THAT(h.actions, ElementsAre("advert 100", "add 172.18.250.99/32", "add 2001:db8::99/128", "BACKUP -> MASTER",
                                     "garp 5 x 172.18.250.99", "garp 5 x 2001:db8::99"));
  EXPECT_THAT(h.instance.expectation().addresses, ElementsAre(ip("172.18.250.99")));
  h.forget();
  h.stop();
  EXPECT_THAT(h.actions, Contains("remove 2001:db8::99/128"));
}

// --- switches

TEST(Announcements, RefreshGoesOnWhileMaster) {
  auto params = reference_params();
  params.announcements.refresh = 30s;
  params.announcements.refresh_repeat = 2;
  Harness h(params);
  h.start_as_master();
  h.advance(65s);
  EXPECT_EQ(h.count("garp 2 x 172.18.250.99"), 2u);
  h.receive("172.18.250.76", 200);
  h.forget();
  h.receive("172.18.250.76", 200);
  h.advance(2s);
  EXPECT_EQ(h.count("garp 2 x 172.18.250.99"), 0u);
}

TEST(Announcements, ADelayOfNothingIsOneSetOnly) {
  auto params = reference_params();
  params.announcements.master_delay = 0s;
  Harness h(params);
  h.start();
  h.advance(60s);
  EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 1u);
}

TEST(Announcements, OfAMasterThatIsChallengedHaveNumbersOfTheirOwn) {
  auto params = reference_params();
  params.announcements.lower_prio_repeat = 3;
  params.announcements.lower_prio_delay = 2s;
  Harness h(params);
  h.start_as_master();
  h.receive("172.18.250.76", 50);
  EXPECT_EQ(h.count("garp 3 x 172.18.250.99"), 1u);
  h.advance(3s);
  EXPECT_EQ(h.count("garp 3 x 172.18.250.99"), 2u);
}

TEST(Switches, LowerPrioNoAdvertIsSilent) {
  auto params = reference_params();
  params.lower_prio_no_advert = true;
  Harness h(params);
  h.start_as_master();
  h.receive("172.18.250.76", 50);
  EXPECT_THAT(h.actions, Not(Contains("advert 100")));
  EXPECT_EQ(h.count("garp 5 x 172.18.250.99"), 1u) << "the addresses are taken back all the same";
}

TEST(Switches, HigherPrioSendAdvertSaysALastWord) {
  auto params = reference_params();
  params.higher_prio_send_advert = true;
  Harness h(params);
  h.start_as_master();
  h.advance(500ms);
  h.forget();
  h.receive("172.18.250.76", 200);
  EXPECT_THAT(h.actions, ElementsAre("advert 100", "cancel garp", "remove 172.18.250.99/32", "MASTER -> BACKUP"));
}

TEST(Switches, OwnerIgnoreAdvertsStays) {
  auto params = reference_params(255);
  params.initial_master = true;
  params.owner_ignore_adverts = true;
  Harness h(params);
  h.start();
  h.forget();
  h.receive("172.18.250.76", 255);
  h.receive("172.18.250.76", 255);
  EXPECT_EQ(h.instance.state(), State::kMaster);
  EXPECT_EQ(h.logs.size(), 1u);
}

// --- what the protocol does not allow

struct Bad {
  const char* name;
  std::function<void(InstanceParams&)> change;
  const char* message;
};

class Validate : public ::testing::TestWithParam<Bad> {};

TEST_P(Validate, SaysWhatIsWrong) {
  auto params = version_3();
  ASSERT_TRUE(validate(params));
  GetParam().change(params);
  const auto result = validate(params);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, std::string("vrrp_instance VI_1: ") + GetParam().message);
}

const Bad kBad[] = {
    {"short", [](auto& p) { p.advert_int = 5ms; },
     "advert_int must be from 0.01 to 40.95 s in steps of 0.01 in VRRP version 3"},
    {"long", [](auto& p) { p.advert_int = 41s; },
     "advert_int must be from 0.01 to 40.95 s in steps of 0.01 in VRRP version 3"},
    {"steps", [](auto& p) { p.advert_int = 15ms; },
     "advert_int must be from 0.01 to 40.95 s in steps of 0.01 in VRRP version 3"},
    {"password", [](auto& p) { p.auth_pass = "x"; }, "VRRP version 3 has no authentication"},
    {"version", [](auto& p) { p.version = 4; }, "version 4, must be 2 or 3"},
    {"ipv6_v2", [](auto& p) { p.version = 2, p.advert_int = 1s, p.multicast_group = ip("ff02::12"); },
     "IPv6 needs VRRP version 3"},
    {"family", [](auto& p) { p.virtual_addresses = {IpPrefix::parse("2001:db8::1").value()}; },
     "2001:db8::1 is no IPv4 address, as the instance's others are"},
    {"peer", [](auto& p) { p.unicast_peers = {{ip("2001:db8::1")}}; }, "peer 2001:db8::1 is no IPv4 address"},
    {"source", [](auto& p) { p.source = ip("2001:db8::1"); }, "source address 2001:db8::1 is no IPv4 address"},
};

INSTANTIATE_TEST_SUITE_P(Parameters, Validate, ::testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace lbdp::vrrp::testing
