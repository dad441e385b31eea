// SPDX-License-Identifier: BSD-2-Clause
#include "control/backend_set.h"

#include <gmock/gmock.h>

#include <ctime>

namespace lbdp::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ServiceKey kService = ServiceKey::parse("tcp/172.18.250.99:80").value();
const Endpoint kReal1 = Endpoint::parse("172.18.250.77:80").value();
const Endpoint kReal2 = Endpoint::parse("172.18.250.79:80").value();
const MacAddress kMac{{2, 0, 0, 0, 0, 7}};

bool all_up(const RealServerKey&) {
  return true;
}

BackendInputs reference() {
  ServiceInput service;
  service.key = kService;
  service.instances = {"VI_1"};
  service.real_servers = {{.endpoint = kReal1, .weight = 1, .smtp_alert = true}, {.endpoint = kReal2, .weight = 3}};
  return {.services = {service}};
}

LinkPlace resolved(MacAddress mac, uint16_t port = 0) {
  LinkPlace place;
  place.mac = mac;
  place.egress = dataplane::PortId{port};
  place.interface = "eth0";
  return place;
}

LinkPlace unresolved(std::string reason, uint16_t port = 0) {
  LinkPlace place;
  place.egress = dataplane::PortId{port};
  place.reason = std::move(reason);
  return place;
}

std::vector<std::string> keys_of(const std::vector<dataplane::VirtualServerParams>& services) {
  std::vector<std::string> keys;
  for (const auto& service : services) keys.push_back(service.key.to_string());
  return keys;
}

/// A group of `count` virtual servers, 172.18.250.100:80 and on, with the two real servers; and one of its own.
BackendInputs grouped(uint8_t count) {
  BackendInputs inputs = reference();
  for (uint8_t i = 0; i < count; ++i) {
    ServiceInput service;
    service.key = ServiceKey::parse("tcp/172.18.250." + std::to_string(100 + i) + ":80").value();
    service.name = "[G]";
    for (const Endpoint& real : {kReal1, kReal2}) {
      auto& to = service.real_servers.emplace_back();
      to.endpoint = real;
      if (i > 0) to.checked_as = RealServerKey{inputs.services[1].key, real};
    }
    inputs.services.push_back(service);
  }
  return inputs;
}

class BackendSetTest : public testing::Test {
 protected:
  BackendSetTest() { set.configure(reference(), all_up); }

  BackendStatus status(size_t real) { return set.status(service(), service().real_servers[real]); }
  const ServiceInput& service() { return set.inputs().services[0]; }
  dataplane::RealServerParams published(size_t real) { return set.take_tables().virtual_servers[0].real_servers[real]; }

  BackendSet set;
};

TEST(BackendInputs, OutlineHasTheKeysOfTheTables) {
  const auto tables = outline(reference());
  ASSERT_EQ(tables.virtual_servers.size(), 1U);
  EXPECT_EQ(tables.virtual_servers[0].key, kService);
  ASSERT_EQ(tables.virtual_servers[0].real_servers.size(), 2U);
  EXPECT_EQ(tables.virtual_servers[0].real_servers[0].endpoint, kReal1);
  EXPECT_EQ(tables.virtual_servers[0].real_servers[1].endpoint, kReal2);
}

TEST_F(BackendSetTest, TablesKeepTheOrderOfTheFile) {
  const auto tables = set.take_tables();
  ASSERT_EQ(tables.virtual_servers.size(), 1U);
  EXPECT_EQ(tables.virtual_servers[0].key, kService);
  EXPECT_EQ(tables.virtual_servers[0].real_servers[0].endpoint, kReal1);
  EXPECT_EQ(tables.virtual_servers[0].real_servers[1].endpoint, kReal2);
  EXPECT_EQ(tables.virtual_servers[0].real_servers[1].weight, 3);
  EXPECT_FALSE(set.dirty());
}

TEST_F(BackendSetTest, AnAddressOfAnInstanceIsOursWhileItIsMaster) {
  EXPECT_FALSE(set.take_tables().virtual_servers[0].owned);
  set.set_master("VI_1", true);
  EXPECT_TRUE(set.dirty());
  EXPECT_TRUE(set.take_tables().virtual_servers[0].owned);
  set.set_master("VI_1", true);
  EXPECT_FALSE(set.dirty()) << "nothing has changed";
  set.set_master("VI_1", false);
  EXPECT_FALSE(set.take_tables().virtual_servers[0].owned);
}

TEST_F(BackendSetTest, AnAddressWithoutInstanceIsOursAlways) {
  auto inputs = reference();
  inputs.services[0].instances.clear();
  set.configure(inputs, all_up);
  EXPECT_TRUE(set.take_tables().virtual_servers[0].owned);
}

TEST_F(BackendSetTest, AVerdictTakesAServerOutAndBringsItBack) {
  (void)set.take_tables();
  EXPECT_EQ(set.set_health({kService, kReal1}, false, "HTTP 503"), HealthChange::kRemoved);
  EXPECT_TRUE(set.dirty());
  EXPECT_FALSE(published(0).in_table);
  EXPECT_EQ(status(0).state, BackendStatus::State::kDown);
  EXPECT_EQ(status(0).reason, "HTTP 503");
  EXPECT_EQ(set.set_health({kService, kReal1}, false, "HTTP 500"), HealthChange::kNone);
  EXPECT_FALSE(set.dirty());
  EXPECT_EQ(set.set_health({kService, kReal1}, true, "HTTP 200"), HealthChange::kAdded);
  EXPECT_TRUE(published(0).in_table);
}

TEST_F(BackendSetTest, InhibitMeansWeightZeroInsteadOfRemoval) {
  auto inputs = reference();
  inputs.services[0].real_servers[1].inhibit_on_failure = true;
  set.configure(inputs, all_up);
  EXPECT_EQ(set.set_health({kService, kReal2}, false, "timeout"), HealthChange::kDisabled);
  EXPECT_TRUE(published(1).in_table);
  EXPECT_EQ(published(1).weight, 0);
  EXPECT_EQ(status(1).state, BackendStatus::State::kDown);
  EXPECT_EQ(status(1).configured_weight, 3);
  EXPECT_EQ(set.set_health({kService, kReal2}, true, "ok"), HealthChange::kEnabled);
  EXPECT_EQ(published(1).weight, 3);
}

TEST_F(BackendSetTest, VerdictsAboutStrangersChangeNothing) {
  (void)set.take_tables();
  EXPECT_EQ(set.set_health({kService, Endpoint::parse("10.0.0.1:80").value()}, false, ""), HealthChange::kNone);
  EXPECT_FALSE(set.dirty());
}

TEST_F(BackendSetTest, AServerWithoutMacIsUnresolved) {
  EXPECT_FALSE(published(0).mac);
  EXPECT_EQ(status(0).state, BackendStatus::State::kUnresolved);
  set.set_location(kReal1.address, resolved(kMac, 1));
  EXPECT_TRUE(set.dirty());
  EXPECT_EQ(published(0).mac, kMac);
  EXPECT_EQ(published(0).egress, dataplane::PortId{1});
  EXPECT_EQ(status(0).state, BackendStatus::State::kUp);
  set.set_location(kReal1.address, unresolved("silent", 1));
  EXPECT_FALSE(published(0).mac);
  EXPECT_EQ(status(0).reason, "silent");
}

TEST_F(BackendSetTest, OnlyWhatTheWorkersSeeIsPublished) {
  set.set_location(kReal1.address, unresolved("no route"));
  (void)set.take_tables();
  set.set_location(kReal1.address, unresolved("not on link"));
  EXPECT_FALSE(set.dirty());
  EXPECT_EQ(status(0).reason, "not on link");
}

TEST_F(BackendSetTest, AReloadKeepsHealthAndPlaceOfWhatStays) {
  (void)set.set_health({kService, kReal1}, false, "HTTP 503");
  set.set_location(kReal1.address, resolved(kMac));
  auto inputs = reference();
  inputs.services[0].real_servers[0].weight = 7;
  const Endpoint added = Endpoint::parse("172.18.250.80:80").value();
  inputs.services[0].real_servers.push_back({.endpoint = added});
  set.configure(inputs, [&](const RealServerKey& key) { return key.real == kReal2; });
  EXPECT_FALSE(published(0).in_table);
  EXPECT_EQ(published(0).weight, 7);
  EXPECT_EQ(published(0).mac, kMac);
  EXPECT_FALSE(published(2).in_table);
  EXPECT_EQ(status(0).reason, "HTTP 503");
  EXPECT_EQ(status(2).reason, "waits for its first good check");
}

TEST_F(BackendSetTest, AReloadThatTakesTheFailedCheckerAwayBringsTheServerBack) {
  (void)set.set_health({kService, kReal1}, false, "HTTP 503");
  set.configure(reference(), all_up);
  EXPECT_TRUE(published(0).in_table);
}

TEST_F(BackendSetTest, MastersAreReplacedAsAWhole) {
  set.set_master("old name", true);
  set.set_masters({"VI_1"});
  EXPECT_TRUE(set.take_tables().virtual_servers[0].owned);
  set.set_masters({"VI_1"});
  EXPECT_FALSE(set.dirty());
  set.set_masters({});
  EXPECT_FALSE(set.take_tables().virtual_servers[0].owned);
}

TEST_F(BackendSetTest, WeightZeroDrains) {
  auto inputs = reference();
  inputs.services[0].real_servers[0].weight = 0;
  set.configure(inputs, all_up);
  set.set_location(kReal1.address, resolved(kMac));
  EXPECT_EQ(status(0).state, BackendStatus::State::kDraining);
  EXPECT_TRUE(published(0).in_table);
}

TEST_F(BackendSetTest, MailAndAddresses) {
  EXPECT_TRUE(set.wants_mail({kService, kReal1}));
  EXPECT_FALSE(set.wants_mail({kService, kReal2}));
  EXPECT_THAT(set.addresses(), ElementsAre(kReal1.address, kReal2.address));
}

TEST_F(BackendSetTest, TablesHaveAllThatTheFileSays) {
  auto inputs = reference();
  auto& service = inputs.services[0];
  service.more_keys = {ServiceKey::parse("udp/172.18.250.98:0").value()};
  service.fwmark = 7;
  service.scheduler = dataplane::Scheduler::kMaglev;
  service.scheduler_flags = {.fallback = true, .port = false};
  service.persistence = {.timeout = std::chrono::seconds(9), .granularity = 24};
  service.one_packet = true;
  service.real_servers[1].upper_threshold = 20;
  service.real_servers[1].lower_threshold = 10;
  inputs.switches = {
      .expire_nodest_conn = false, .expire_quiescent_template = false, .conn_reuse = false, .sloppy_tcp = true};
  const auto outlined = outline(inputs).virtual_servers[0];
  EXPECT_EQ(outlined.more_keys, service.more_keys);
  set.configure(inputs, all_up);
  auto place = resolved(kMac, 3);
  place.vlan = 100;
  place.mtu = 9000;
  set.set_location(kReal2.address, place);
  const auto tables = set.take_tables();
  EXPECT_EQ(tables.switches, inputs.switches);
  dataplane::VirtualServerParams wanted;
  wanted.key = kService;
  wanted.more_keys = service.more_keys;
  wanted.fwmark = 7;
  wanted.scheduler = dataplane::Scheduler::kMaglev;
  wanted.scheduler_flags.fallback = true;
  wanted.persistence = service.persistence;
  wanted.one_packet = true;
  wanted.owned = false;
  wanted.real_servers.resize(2);
  wanted.real_servers[0].endpoint = kReal1;
  auto& second = wanted.real_servers[1];
  second.endpoint = kReal2;
  second.weight = 3;
  second.upper_threshold = 20;
  second.lower_threshold = 10;
  second.mac = kMac;
  second.egress = dataplane::PortId{3};
  second.vlan = 100;
  second.mtu = 9000;
  EXPECT_EQ(tables.virtual_servers, std::vector{wanted});
}

TEST_F(BackendSetTest, ChangesAreTheVirtualServersThatAnEventTouched) {
  set.configure(grouped(3), all_up);
  EXPECT_TRUE(set.reconfigured());
  (void)set.take_tables();
  EXPECT_FALSE(set.dirty());
  EXPECT_EQ(set.set_health({kService, kReal2}, false, "HTTP 503"), HealthChange::kRemoved);
  EXPECT_TRUE(set.dirty());
  EXPECT_FALSE(set.reconfigured());
  EXPECT_EQ(set.changes(), 1U);
  const auto changed = set.take_changes();
  ASSERT_THAT(keys_of(changed), ElementsAre("tcp/172.18.250.99:80"));
  EXPECT_TRUE(changed[0].real_servers[0].in_table);
  EXPECT_FALSE(changed[0].real_servers[1].in_table);
  EXPECT_FALSE(set.dirty());
  EXPECT_THAT(set.take_changes(), IsEmpty());
}

TEST_F(BackendSetTest, AVerdictAboutAGroupCountsForAllOfItsVirtualServers) {
  const auto inputs = grouped(3);
  std::vector<RealServerKey> asked;
  set.configure(inputs, [&](const RealServerKey& key) {
    asked.push_back(key);
    return true;
  });
  EXPECT_EQ(asked.size(), 4U) << "each checked real server once";
  (void)set.take_tables();
  const RealServerKey checked{inputs.services[1].key, kReal1};
  EXPECT_EQ(set.set_health(checked, false, "timeout"), HealthChange::kRemoved);
  const auto changed = set.take_changes();
  ASSERT_THAT(keys_of(changed), ElementsAre("tcp/172.18.250.100:80", "tcp/172.18.250.101:80", "tcp/172.18.250.102:80"));
  for (const auto& service : changed) {
    EXPECT_FALSE(service.real_servers[0].in_table);
    EXPECT_TRUE(service.real_servers[1].in_table);
  }
  const auto row = set.status(inputs.services[3], inputs.services[3].real_servers[0]);
  EXPECT_EQ(row.key.service, inputs.services[3].key) << "a row of its own virtual server";
  EXPECT_EQ(row.state, BackendStatus::State::kDown);
  EXPECT_EQ(row.reason, "timeout");
  EXPECT_EQ(set.service_name(checked), "[G]");
  EXPECT_EQ(set.service_name({kService, kReal1}), "");
  EXPECT_EQ(set.set_health({inputs.services[2].key, kReal1}, true, ""), HealthChange::kNone)
      << "not checked by this key";
}

TEST_F(BackendSetTest, ANeighbourChangesAllVirtualServersThatHaveIt) {
  set.configure(grouped(1), all_up);
  (void)set.take_tables();
  set.set_location(kReal2.address, resolved(kMac));
  const auto changed = set.take_changes();
  EXPECT_EQ(changed.size(), 2U);
  for (const auto& service : changed) EXPECT_EQ(service.real_servers[1].mac, kMac);
  auto place = resolved(kMac);
  place.vlan = 5;
  set.set_location(kReal2.address, place);
  EXPECT_EQ(set.take_changes().size(), 2U);
  place.mtu = 1400;
  set.set_location(kReal2.address, place);
  EXPECT_EQ(set.take_changes().size(), 2U);
  set.set_location(kReal2.address, place);
  EXPECT_FALSE(set.dirty());
}

TEST_F(BackendSetTest, ATransitionChangesTheVirtualServersOfTheInstance) {
  set.configure(grouped(2), all_up);
  (void)set.take_tables();
  set.set_master("VI_1", true);
  const auto changed = set.take_changes();
  ASSERT_THAT(keys_of(changed), ElementsAre("tcp/172.18.250.99:80"));
  EXPECT_TRUE(changed[0].owned);
  set.set_master("of nobody", true);
  EXPECT_FALSE(set.dirty());
}

TEST_F(BackendSetTest, WhatIsKnownEarlyCountsLater) {
  BackendSet fresh;
  EXPECT_TRUE(fresh.dirty());
  fresh.set_master("VI_1", true);
  fresh.set_location(kReal1.address, resolved(kMac));
  EXPECT_THAT(fresh.addresses(), IsEmpty());
  fresh.configure(reference(), all_up);
  const auto service = fresh.take_tables().virtual_servers.at(0);
  EXPECT_TRUE(service.owned);
  EXPECT_EQ(service.real_servers.at(0).mac, kMac);
}

TEST_F(BackendSetTest, WholeTablesMakeUpForChanges) {
  (void)set.take_tables();
  (void)set.set_health({kService, kReal1}, false, "");
  (void)set.take_changes();
  EXPECT_FALSE(set.take_tables().virtual_servers[0].real_servers[0].in_table) << "also without a change";
  EXPECT_EQ(set.changes(), 0U);
}

// A thousand virtual servers with ten real servers each: a flip costs what it changes. The bound is far above what it
// takes, even under a sanitizer, and far below a walk over the tables each time.
TEST(BackendSetCost, AFlipDoesNotGrowWithTheTables) {
  BackendInputs inputs;
  for (uint32_t i = 0; i < 1000; ++i) {
    ServiceInput service;
    service.key = {Protocol::kTcp, {IpAddress::v4(Be<uint32_t>::from_host(0x0a000000 + i)), 80}};
    for (uint32_t real = 0; real < 10; ++real) {
      service.real_servers.emplace_back().endpoint = {
          IpAddress::v4(Be<uint32_t>::from_host(0x0b000000 + i * 10 + real)), 80};
    }
    inputs.services.push_back(service);
  }
  BackendSet set;
  set.configure(inputs, all_up);
  (void)set.take_tables();
  constexpr int kFlips = 2000;
  const std::clock_t start = std::clock();
  size_t changed = 0;
  for (int i = 0; i < kFlips; ++i) {
    const auto& service = inputs.services[static_cast<size_t>(i) * 7 % 1000];
    (void)set.set_health({service.key, service.real_servers[3].endpoint}, i % 2 == 1, "");
    changed += set.take_changes().size();
  }
  const double us = 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / kFlips;
  RecordProperty("microseconds_a_flip", std::to_string(us));
  EXPECT_GT(changed, 0U);
  EXPECT_LT(us, 100.0);
}

TEST(HealthChangeText, IsKeepalivedsLogLine) {
  const RealServerKey key{kService, kReal1};
  EXPECT_EQ(describe(HealthChange::kRemoved, key),
            "Removing service [172.18.250.77]:tcp:80 from VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kAdded, key), "Adding service [172.18.250.77]:tcp:80 to VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kDisabled, key),
            "Disabling service [172.18.250.77]:tcp:80 of VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kEnabled, key),
            "Enabling service [172.18.250.77]:tcp:80 of VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kRemoved, key, "FWM 7"), "Removing service [172.18.250.77]:tcp:80 from VS FWM 7");
}

// --- some virtual servers of a configuration

TEST(SamePlaces, AreThoseByWhichOthersFindAVirtualServer) {
  EXPECT_TRUE(same_places(grouped(2), grouped(2)));
  EXPECT_FALSE(same_places(grouped(2), grouped(3)));
  auto other = grouped(2);
  other.services[1].real_servers[0].weight = 9;
  other.services[2].scheduler = dataplane::Scheduler::kMaglev;
  EXPECT_TRUE(same_places(grouped(2), other));
  for (const auto change : std::vector<void (*)(BackendInputs&)>{
           [](BackendInputs& in) { in.switches.sloppy_tcp = !in.switches.sloppy_tcp; },
           [](BackendInputs& in) { in.services[0].instances.push_back("VI_2"); },
           [](BackendInputs& in) { in.services[1].fwmark = 7; },
           [](BackendInputs& in) { in.services[1].more_keys.push_back(in.services[2].key); },
           [](BackendInputs& in) { std::swap(in.services[1], in.services[2]); },
           [](BackendInputs& in) { in.services[2].real_servers.pop_back(); },
           [](BackendInputs& in) { std::swap(in.services[1].real_servers[0], in.services[1].real_servers[1]); },
           [](BackendInputs& in) { in.services[2].real_servers[0].checked_as.reset(); }}) {
    auto changed = grouped(2);
    change(changed);
    EXPECT_FALSE(same_places(grouped(2), changed));
  }
}

/// After a reconfiguration of some, everything is as it would be after a configuration of all.
TEST(Reconfigure, GivesWhatAConfigurationOfAllGives) {
  BackendSet some, all;
  auto inputs = grouped(3);
  for (auto* set : {&some, &all}) {
    set->configure(inputs, all_up);
    set->set_masters({"VI_1"});
    set->set_location(kReal1.address, resolved(kMac));
    (void)set->set_health({inputs.services[1].key, kReal2}, false, "HTTP 503");
    (void)set->take_tables();
  }
  inputs.services[0].real_servers[0].weight = 7;
  inputs.services[2].real_servers[1].inhibit_on_failure = true;  // down, and so it stays in the table
  inputs.services[2].scheduler = dataplane::Scheduler::kMaglev;
  const std::vector<uint32_t> changed{0, 2};
  some.reconfigure(changed, inputs);
  EXPECT_FALSE(some.reconfigured());
  EXPECT_EQ(some.changes(), 2U);
  all.configure(inputs, [&](const RealServerKey& key) { return key.real != kReal2 || key.service == kService; });
  EXPECT_EQ(some.inputs(), all.inputs());
  EXPECT_THAT(keys_of(some.take_changes()), ElementsAre("tcp/172.18.250.99:80", "tcp/172.18.250.101:80"));
  const auto some_tables = some.take_tables(), all_tables = all.take_tables();
  EXPECT_EQ(some_tables.virtual_servers, all_tables.virtual_servers);
  // And events find their way.
  for (auto* set : {&some, &all}) (void)set->set_health({inputs.services[1].key, kReal2}, true, "HTTP 200");
  EXPECT_EQ(some.take_tables().virtual_servers, all.take_tables().virtual_servers);
}

}  // namespace
}  // namespace lbdp::control
