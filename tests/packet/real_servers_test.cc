// SPDX-License-Identifier: BSD-2-Clause
// Real servers that fail, come back, drain, are not resolved or leave the configuration: what becomes of old and new
// connections. Also publication and round robin over a list that changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Tables;
using testing::ElementsAre;

const std::string kClient = "10.0.0.1";

class RealServers : public testing::Test {
 protected:
  RealServers() : tables_(web_and_dns(2)) { director_.publish(tables_); }

  // In both services, server i of 1, 2, ...
  void change(unsigned i, const std::function<void(dataplane::RealServerParams&)>& how) {
    for (auto& service : tables_.virtual_servers) how(service.real_servers.at(i - 1));
    director_.publish(tables_);
  }
  void set_in_table(unsigned i, bool in_table) {
    change(i, [&](auto& server) { server.in_table = in_table; });
  }
  void set_weight(unsigned i, int weight) {
    change(i, [&](auto& server) { server.weight = weight; });
  }
  void set_expire(bool on) {
    tables_.switches.expire_nodest_conn = on;
    director_.publish(tables_);
  }
  Outcome send_tcp(uint16_t port, uint8_t flags) { return director_.send(tcp(kClient, port, flags)); }
  unsigned open(uint16_t port) {
    const unsigned to = server_of(send_tcp(port, kSyn));
    return server_of(send_tcp(port, kAck)) == to ? to : 0;
  }
  std::vector<unsigned> open_many(uint16_t first_port, uint16_t count) {
    std::vector<unsigned> servers;
    for (uint16_t i = 0; i < count; ++i) servers.push_back(open(static_cast<uint16_t>(first_port + i)));
    return servers;
  }
  dataplane::RealServerCounters counters(unsigned i, const ServiceKey& key = kWeb) {
    return director_.counters(key, "192.0.2." + std::to_string(100 + i) + ":80");
  }

  Director director_;
  Tables tables_;
};

const std::map<std::string, uint64_t> kGone{{"server_gone", 1}};
const std::map<std::string, uint64_t> kNoNeighbor{{"no_neighbor", 1}};

TEST_F(RealServers, AlternateStrictly) {
  EXPECT_THAT(open_many(1, 6), ElementsAre(1, 2, 1, 2, 1, 2));
}

// expire_nodest_conn on: the connections of a failed server end at once.
TEST_F(RealServers, FailedServersConnectionsEnd) {
  ASSERT_THAT(open_many(1, 2), ElementsAre(1, 2));
  ASSERT_EQ(server_of(director_.send(udp(kClient, 1))), 1U);
  set_in_table(1, false);
  EXPECT_EQ(counters(1).active, 0U) << "at once, without a packet or a sweep";
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U) << "the kernel resets it";
  EXPECT_EQ(server_of(send_tcp(2, kAck)), 2U) << "the others' connections go on";
  EXPECT_EQ(server_of(director_.send(udp(kClient, 1))), 2U);
  EXPECT_EQ(server_of(send_tcp(1, kSyn)), 2U);
  EXPECT_THAT(open_many(10, 3), ElementsAre(2, 2, 2));
}

TEST_F(RealServers, SynOnAConnectionOfAFailedServerIsRescheduled) {
  ASSERT_EQ(open(1), 1U);
  set_in_table(1, false);
  EXPECT_EQ(server_of(send_tcp(1, kSyn)), 2U);
  EXPECT_EQ(director_.connections().size(), 1U);
}

TEST_F(RealServers, ReturningServerTakesNewConnectionsOnly) {
  ASSERT_THAT(open_many(1, 2), ElementsAre(1, 2));
  set_in_table(1, false);
  set_in_table(1, true);
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U) << "what it had is gone";
  EXPECT_EQ(server_of(send_tcp(2, kAck)), 2U);
  EXPECT_THAT(open_many(10, 4), ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(counters(1).active, 2U);
  EXPECT_EQ(counters(1).connections, 3U) << "totals last over a failure";
  EXPECT_EQ(counters(2).active, 3U);
}

TEST_F(RealServers, DeadConnectionsAreSweptWithoutMiscounting) {
  open_many(1, 10);
  set_in_table(1, false);
  set_in_table(1, true);
  open_many(100, 4);
  director_.sweep_all();
  EXPECT_EQ(director_.status().connections, 5U + 4U);
  EXPECT_EQ(counters(1).active, 2U);
  EXPECT_EQ(counters(2).active, 7U);
}

// expire_nodest_conn 0: they wait, silently, and go on when the server is back.
TEST_F(RealServers, WithoutExpireNodestConnTheyWait) {
  set_expire(false);
  ASSERT_THAT(open_many(1, 2), ElementsAre(1, 2));
  ASSERT_EQ(server_of(director_.send(udp(kClient, 1))), 1U);
  set_in_table(1, false);
  EXPECT_EQ(send_tcp(1, kAck).drops, kGone);
  EXPECT_EQ(send_tcp(1, kSyn).drops, kGone);
  EXPECT_EQ(director_.send(udp(kClient, 1)).drops, kGone);
  EXPECT_THAT(open_many(10, 2), ElementsAre(2, 2));
  EXPECT_EQ(counters(1).active, 1U);
  set_in_table(1, true);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 1))), 1U);
}

TEST_F(RealServers, WithoutExpireNodestConnTheyWaitEvenIfTheFileForgetsTheServer) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  const Tables with_both = tables_;
  for (auto& service : tables_.virtual_servers) service.real_servers.erase(service.real_servers.begin());
  director_.publish(tables_);
  EXPECT_EQ(send_tcp(1, kAck).drops, kGone);
  director_.publish(with_both);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
}

TEST_F(RealServers, TimeOfAWaitingConnectionRunsOn) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  set_in_table(1, false);
  for (int i = 0; i < 9; ++i) {
    director_.advance(std::chrono::seconds(100));
    EXPECT_EQ(send_tcp(1, kAck).drops, kGone);
  }
  director_.advance(std::chrono::milliseconds(4500));  // a steady connection's patience, see TimeoutTable
  EXPECT_EQ(send_tcp(1, kAck).drops, kGone);
  director_.advance(std::chrono::milliseconds(250));
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U);
}

TEST_F(RealServers, SwitchingExpireNodestConnOnEndsWhatWaited) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  set_in_table(1, false);
  set_expire(true);
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U);
}

TEST_F(RealServers, ClosedConnectionOfAWaitingServerIsRescheduled) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  send_tcp(1, kFin | kAck);
  set_in_table(1, false);
  EXPECT_EQ(server_of(send_tcp(1, kSyn)), 2U);
}

// Weight 0: drains.
TEST_F(RealServers, DrainingServerKeepsItsConnectionsAndTakesNoNewOnes) {
  ASSERT_EQ(open(1), 1U);
  set_weight(1, 0);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_EQ(server_of(send_tcp(1, kAck | kPsh)), 1U);
  EXPECT_THAT(open_many(10, 3), ElementsAre(2, 2, 2));
  EXPECT_EQ(counters(1).active, 1U);
  set_weight(1, 1);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_THAT(open_many(20, 2), ElementsAre(1, 2));
}

TEST_F(RealServers, SynOnADrainingServersConnectionIsRescheduledWithExpireNodestConn) {
  ASSERT_EQ(open(1), 1U);
  set_weight(1, 0);
  EXPECT_EQ(server_of(send_tcp(1, kSyn)), 2U);
}

TEST_F(RealServers, SynOnADrainingServersConnectionStaysWithoutExpireNodestConn) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  set_weight(1, 0);
  EXPECT_EQ(server_of(send_tcp(1, kSyn)), 1U);
}

TEST_F(RealServers, UdpOfADrainingServerStays) {
  ASSERT_EQ(server_of(director_.send(udp(kClient, 1))), 1U);
  set_weight(1, 0);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 1))), 1U);
  EXPECT_EQ(server_of(director_.send(udp(kClient, 2))), 2U);
}

// Neighbours.
TEST_F(RealServers, UnresolvedServerIsSkippedAndItsConnectionsWait) {
  ASSERT_EQ(open(1), 1U);
  change(1, [](auto& server) { server.mac.reset(); });
  EXPECT_EQ(send_tcp(1, kAck).drops, kNoNeighbor);
  EXPECT_THAT(open_many(10, 3), ElementsAre(2, 2, 2));
  change(1, [](auto& server) { server.mac = mac("02:00:00:00:01:09"); });
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 9U) << "at its new MAC";
}

TEST_F(RealServers, NewMacIsFollowedByLivingConnections) {
  ASSERT_EQ(open(1), 1U);
  change(1, [](auto& server) { server.mac = mac("02:00:00:00:01:08"); });
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 8U);
}

TEST_F(RealServers, NoneUsableMeansUnreachableForNewAndTheKernelForOld) {
  ASSERT_EQ(open(1), 1U);
  set_in_table(1, false);
  change(2, [](auto& server) { server.mac.reset(); });
  const auto refused = send_tcp(1, kSyn);
  EXPECT_EQ(refused.replies, 1U);
  EXPECT_EQ(refused.drops.at("no_real_server"), 1U);
  EXPECT_EQ(director_.send(udp(kClient, 9)).replies, 1U);
  EXPECT_EQ(send_tcp(9, kAck).punted.size(), 1U);
  EXPECT_EQ(director_.connections().size(), 0U);
  EXPECT_TRUE(adds_up(director_.status()));
}

TEST_F(RealServers, AllDrainingMeansUnreachableForNew) {
  ASSERT_EQ(open(1), 1U);
  set_weight(1, 0);
  set_weight(2, 0);
  EXPECT_EQ(send_tcp(50, kSyn).replies, 1U);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
}

// Ownership of the VIP.
TEST_F(RealServers, ConnectionsOutliveALossOfTheVip) {
  ASSERT_EQ(open(1), 1U);
  for (auto& service : tables_.virtual_servers) service.owned = false;
  director_.publish(tables_);
  EXPECT_EQ(send_tcp(1, kAck).drops, (std::map<std::string, uint64_t>{{"vip_not_owned", 1}}));
  for (auto& service : tables_.virtual_servers) service.owned = true;
  director_.publish(tables_);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
}

// Reload.
TEST_F(RealServers, ConnectionsSurviveAReorderedFileWithNewNeighbours) {
  ASSERT_THAT(open_many(1, 2), ElementsAre(1, 2));
  auto& web = tables_.virtual_servers[0].real_servers;
  web = {server(5), server(2), server(4), server(1)};
  tables_.virtual_servers.insert(tables_.virtual_servers.begin(),
                                 service({Protocol::kTcp, Endpoint::parse("192.0.2.11:80").value()}, 3));
  director_.publish(tables_);
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_EQ(server_of(send_tcp(2, kAck)), 2U);
  EXPECT_THAT(open_many(10, 4), ElementsAre(4, 1, 5, 2)) << "round robin goes on behind its last pick, server 2";
}

TEST_F(RealServers, RoundRobinGoesOnWhereARemovedServerWas) {
  tables_ = web_and_dns(5);
  director_.publish(tables_);
  ASSERT_THAT(open_many(1, 3), ElementsAre(1, 2, 3));
  auto& web = tables_.virtual_servers[0].real_servers;
  web.erase(web.begin() + 1, web.begin() + 3);  // 2 and 3
  director_.publish(tables_);
  EXPECT_THAT(open_many(10, 4), ElementsAre(4, 5, 1, 4));
}

TEST_F(RealServers, RoundRobinBeginsAnewIfItsServerWasTheFirstAndLeft) {
  ASSERT_THAT(open_many(1, 1), ElementsAre(1));
  auto& web = tables_.virtual_servers[0].real_servers;
  web = {server(3), server(2)};
  director_.publish(tables_);
  EXPECT_THAT(open_many(10, 3), ElementsAre(3, 2, 3));
}

TEST_F(RealServers, RoundRobinKeepsTheOrderWhenAServerFailsInTheMiddle) {
  tables_ = web_and_dns(4);
  director_.publish(tables_);
  ASSERT_THAT(open_many(1, 2), ElementsAre(1, 2));
  set_in_table(2, false);
  EXPECT_THAT(open_many(10, 4), ElementsAre(3, 4, 1, 3));
  set_in_table(2, true);
  EXPECT_THAT(open_many(20, 4), ElementsAre(4, 1, 2, 3));
}

TEST_F(RealServers, SlotOfARemovedServerCarriesNothingToTheNextOne) {
  ASSERT_EQ(open(1), 1U);
  auto& web = tables_.virtual_servers[0].real_servers;
  web = {server(2)};
  director_.publish(tables_);
  web = {server(2), server(3)};  // takes the slot that server 1 left
  director_.publish(tables_);
  EXPECT_EQ(counters(3).packets, 0U);
  EXPECT_EQ(counters(3).active, 0U);
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U);
  EXPECT_THAT(open_many(10, 2), ElementsAre(2, 3));
  EXPECT_EQ(counters(3).connections, 1U);
  EXPECT_EQ(counters(3).packets, 2U);
  director_.sweep_all();
  EXPECT_EQ(counters(3).active, 1U);
}

TEST_F(RealServers, IdOfARemovedServiceCarriesNothingToTheNextOne) {
  set_expire(false);
  ASSERT_EQ(open(1), 1U);
  const ServiceKey other{Protocol::kTcp, Endpoint::parse("192.0.2.10:8080").value()};
  tables_.virtual_servers[0] = service(other, 2);
  director_.publish(tables_);
  EXPECT_EQ(send_tcp(1, kAck).punted.size(), 1U) << "its service is gone";
  Frame f = tcp(kClient, 1, kAck);
  f.dport = 8080;
  EXPECT_EQ(director_.send(f).punted.size(), 1U) << "and another one has its id";
  EXPECT_EQ(director_.connections().size(), 0U);
}

TEST_F(RealServers, BadTablesChangeNothing) {
  ASSERT_EQ(open(1), 1U);
  Tables bad = tables_;
  bad.virtual_servers[0].real_servers.push_back(server(1));
  EXPECT_FALSE(director_.publisher().publish(bad).has_value());
  bad = tables_;
  bad.virtual_servers.push_back(tables_.virtual_servers[0]);
  EXPECT_FALSE(director_.publisher().publish(bad).has_value());
  bad = tables_;
  bad.virtual_servers[0].key.endpoint = Endpoint::parse("[2001:db8::1]:80").value();
  EXPECT_FALSE(director_.publisher().publish(bad).has_value()) << "real servers of the other family";
  bad = tables_;
  bad.virtual_servers[0].more_keys = {{Protocol::kTcp, Endpoint::parse("[2001:db8::1]:80").value()}};
  EXPECT_FALSE(director_.publisher().publish(bad).has_value()) << "destinations of both families";
  bad = tables_;
  bad.virtual_servers[0].more_keys = {kDns};
  EXPECT_FALSE(director_.publisher().publish(bad).has_value()) << "another one's destination";
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_THAT(open_many(10, 2), ElementsAre(2, 1));
}

TEST_F(RealServers, SctpAndIpv6AreTakenBesideTheOthers) {
  ASSERT_EQ(open(1), 1U);
  tables_.virtual_servers.push_back(service({Protocol::kSctp, kWeb.endpoint}, 2));
  dataplane::VirtualServerParams six;
  six.key = {Protocol::kTcp, Endpoint::parse("[2001:db8::1]:80").value()};
  six.real_servers = {server(1)};
  six.real_servers[0].endpoint = Endpoint::parse("[2001:db8::101]:80").value();
  tables_.virtual_servers.push_back(six);
  ASSERT_TRUE(director_.publisher().publish(tables_).has_value());
  EXPECT_EQ(server_of(send_tcp(1, kAck)), 1U);
  EXPECT_THAT(open_many(10, 2), ElementsAre(2, 1));
}

}  // namespace
}  // namespace lbdp::packet_tests
