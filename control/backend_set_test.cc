// SPDX-License-Identifier: BSD-2-Clause
#include "control/backend_set.h"

#include <gmock/gmock.h>

namespace lbdp::control {
namespace {

using testing::ElementsAre;

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
  return {.mac = mac, .egress = dataplane::PortId{port}, .interface = "eth0", .reason = {}};
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
  set.set_location(kReal1.address,
                   {.mac = {}, .egress = dataplane::PortId{1}, .interface = "eth0", .reason = "silent"});
  EXPECT_FALSE(published(0).mac);
  EXPECT_EQ(status(0).reason, "silent");
}

TEST_F(BackendSetTest, OnlyWhatTheWorkersSeeIsPublished) {
  set.set_location(kReal1.address, {.mac = {}, .egress = {}, .interface = {}, .reason = "no route"});
  (void)set.take_tables();
  set.set_location(kReal1.address, {.mac = {}, .egress = {}, .interface = {}, .reason = "not on link"});
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

TEST(HealthChangeText, IsKeepalivedsLogLine) {
  const RealServerKey key{kService, kReal1};
  EXPECT_EQ(describe(HealthChange::kRemoved, key),
            "Removing service [172.18.250.77]:tcp:80 from VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kAdded, key), "Adding service [172.18.250.77]:tcp:80 to VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kDisabled, key),
            "Disabling service [172.18.250.77]:tcp:80 of VS [172.18.250.99]:tcp:80");
  EXPECT_EQ(describe(HealthChange::kEnabled, key),
            "Enabling service [172.18.250.77]:tcp:80 of VS [172.18.250.99]:tcp:80");
}

}  // namespace
}  // namespace lbdp::control
