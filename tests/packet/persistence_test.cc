// SPDX-License-Identifier: BSD-2-Clause
// Persistence: a client's next connection goes where its last one went, whichever worker meets it.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/packet/support/director.h"
#include "tests/packet/support/running_workers.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Tables;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;

constexpr milliseconds kOneTick(250);

class Persistence : public testing::Test {
 protected:
  static constexpr seconds kTimeout{300};

  explicit Persistence(const DirectorOptions& options = {.workers = 4}) : director_(options), tables_(web_and_dns(3)) {
    web().persistence = {kTimeout, 32};
    publish();
  }
  dataplane::VirtualServerParams& web() { return tables_.virtual_servers[0]; }
  void publish() { director_.publish(tables_); }

  // A new connection of this client from the next port, at a worker like every other.
  unsigned open(const std::string& client, uint16_t dport = 80, const std::string& dst = "192.0.2.10") {
    Frame f = tcp(client, ++port_, kSyn);
    f.dport = dport;
    f.dst = dst;
    return server_of(director_.send(f, worker()));
  }
  std::vector<unsigned> open_many(const std::string& client, int count) {
    std::vector<unsigned> servers;
    for (int i = 0; i < count; ++i) servers.push_back(open(client));
    return servers;
  }
  // To the connection that was opened last.
  unsigned send_last(const std::string& client, uint8_t flags) {
    return server_of(director_.send(tcp(client, port_, flags), worker()));
  }
  std::vector<dataplane::TemplateRow> templates() {
    return dataplane::list_templates(0, 1000, director_.worker().tick(), director_.publisher()).rows;
  }
  [[nodiscard]] uint16_t worker() const { return port_ % static_cast<uint16_t>(workers_); }

  Director director_;
  Tables tables_;
  uint16_t port_ = 1024;
  size_t workers_ = director_.workers().size();
};

TEST_F(Persistence, AClientsConnectionsGoToOneServerWhateverTheWorker) {
  EXPECT_THAT(open_many("10.0.0.1", 5), Each(1U));
  EXPECT_THAT(open_many("10.0.0.2", 5), Each(2U)) << "round robin by client";
  EXPECT_THAT(open_many("10.0.0.3", 5), Each(3U));
  EXPECT_EQ(open("10.0.0.1"), 1U);
  EXPECT_EQ(director_.status(0).templates_full, 0U);
}

TEST_F(Persistence, ATemplateIsListed) {
  open_many("10.0.0.1", 3);
  director_.advance(seconds(20));
  const auto rows = templates();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].service, kWeb);
  EXPECT_EQ(rows[0].client.to_string(), "10.0.0.1/32");
  EXPECT_EQ(rows[0].real_server, server(1).endpoint);
  EXPECT_EQ(rows[0].expires_in, kTimeout - seconds(20));
  EXPECT_EQ(rows[0].connections, 3U);
}

TEST_F(Persistence, EndsWithItsTimeout) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  director_.advance(seconds(100));
  director_.sweep_all_workers();
  ASSERT_EQ(director_.connections().size(), 0U);
  director_.advance(kTimeout - seconds(112));
  EXPECT_EQ(open("10.0.0.1"), 1U) << "to the end, and renewed by it";
  director_.advance(seconds(61));
  director_.sweep_all_workers();
  director_.advance(kTimeout - seconds(73) + kOneTick);
  EXPECT_EQ(open("10.0.0.1"), 2U) << "a tick later it is over, and it is server 2's turn";
}

// IPVS: a template whose time is over while connections made under it live goes on, 60 seconds at a time.
TEST_F(Persistence, LivesWhileConnectionsLiveInStepsOf60Seconds) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  EXPECT_EQ(send_last("10.0.0.1", kAck), 1U);  // established: 900 s and a little
  for (int i = 0; i < 8; ++i) {
    director_.advance(seconds(100));
    director_.sweep_all_workers();
    ASSERT_EQ(templates().size(), 1U) << i;
    EXPECT_LE(templates()[0].expires_in, kTimeout);
  }
  EXPECT_EQ(open("10.0.0.1"), 1U) << "at 896 seconds";
  EXPECT_EQ(templates().at(0).expires_in, kTimeout) << "renewed";
  EXPECT_EQ(templates().at(0).connections, 2U);
  director_.advance(seconds(110));  // both are over
  director_.sweep_all_workers();
  EXPECT_EQ(templates().at(0).connections, 0U);
  director_.advance(seconds(200));
  director_.sweep_all_workers();
  EXPECT_EQ(templates().size(), 0U);
}

TEST_F(Persistence, TheLastStepLasts60SecondsAtMost) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  EXPECT_EQ(send_last("10.0.0.1", kAck), 1U);
  director_.advance(seconds(500));
  director_.sweep_all_workers();
  send_last("10.0.0.1", kRst);
  director_.advance(seconds(11));
  director_.sweep_all_workers();
  ASSERT_EQ(templates().size(), 1U) << "it was put off until 540 s: 300 + 4 * 60";
  EXPECT_LE(templates()[0].expires_in, seconds(60));
  director_.advance(seconds(60));
  EXPECT_EQ(open("10.0.0.1"), 2U);
}

TEST_F(Persistence, AConnectionThatBeginsAnewFromTheSamePortCountsOnce) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  for (int i = 0; i < 3; ++i) {
    for (const uint8_t flags : {kAck, static_cast<uint8_t>(kFin | kAck), kSyn})
      ASSERT_EQ(send_last("10.0.0.1", flags), 1U);
  }
  EXPECT_EQ(templates().at(0).connections, 1U);
  director_.advance(seconds(61));  // past its time, not swept
  ASSERT_EQ(send_last("10.0.0.1", kSyn), 1U);
  EXPECT_EQ(templates().at(0).connections, 1U);
  director_.advance(seconds(61));
  EXPECT_EQ(director_.send(tcp("10.0.0.1", port_, kAck), worker()).punted.size(), 1U);
  EXPECT_EQ(templates().at(0).connections, 0U);
}

// ---- granularity ----

TEST_F(Persistence, AMaskMakesOneClientOfANetwork) {
  web().persistence.granularity = 20;
  publish();
  EXPECT_EQ(open("10.1.16.1"), 1U);
  EXPECT_EQ(open("10.1.31.254"), 1U) << "10.1.16.0/20";
  EXPECT_EQ(open("10.1.32.1"), 2U);
  EXPECT_EQ(open("10.1.15.255"), 3U);
  std::set<std::string> clients;
  for (const auto& row : templates()) clients.insert(row.client.to_string());
  EXPECT_THAT(clients, ElementsAre("10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/20"));
}

// A SYN from [client]:port to [2001:db8::10]:80, in a frame to port 0.
Bytes syn_v6(const std::string& client, uint16_t port) {
  Bytes ip{0x60, 0, 0, 0, 0, 20, 6, 64};
  std::array<uint8_t, 16> address{};
  for (const std::string& text : {client, std::string("2001:db8::10")}) {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), address.data()), 1);
    ip.insert(ip.end(), address.begin(), address.end());
  }
  const Bytes segment{static_cast<uint8_t>(port >> 8),
                      static_cast<uint8_t>(port),
                      0,
                      80,
                      1,
                      2,
                      3,
                      4,
                      0,
                      0,
                      0,
                      0,
                      0x50,
                      kSyn,
                      0x20,
                      0,
                      0,
                      0,
                      0,
                      0};
  ip.insert(ip.end(), segment.begin(), segment.end());
  return ethernet(kPortMacs[0], 0x86dd, ip);
}

TEST_F(Persistence, APrefixDoesTheSameForIpv6) {
  dataplane::VirtualServerParams six;
  six.key = {Protocol::kTcp, Endpoint::parse("[2001:db8::10]:80").value()};
  for (unsigned i = 1; i <= 3; ++i) {
    six.real_servers.push_back(server(i));
    six.real_servers.back().endpoint = Endpoint::parse("[2001:db8::10" + std::to_string(i) + "]:80").value();
  }
  six.persistence = {kTimeout, 56};
  tables_.virtual_servers.push_back(six);
  publish();
  const auto open_six = [&](const std::string& client) {
    const Bytes frame = syn_v6(client, ++port_);
    return server_of(director_.send({frame}, worker()));
  };
  EXPECT_EQ(open_six("2001:db8:1:100::1"), 1U);
  EXPECT_EQ(open_six("2001:db8:1:1ff:ffff::1"), 1U) << "2001:db8:1:100::/56";
  EXPECT_EQ(open_six("2001:db8:1:200::1"), 2U);
  EXPECT_EQ(open_six("2001:db8:1:100::9"), 1U);
  EXPECT_EQ(open("10.0.0.1"), 1U) << "kWeb's templates are its own";
  tables_.virtual_servers.back().persistence.granularity = 128;
  publish();
  EXPECT_EQ(open_six("2001:db8:1:100::1"), 3U) << "a client by its whole address has none yet";
  EXPECT_EQ(open_six("2001:db8:1:100::2"), 1U);
  EXPECT_EQ(open_six("2001:db8:1:100::1"), 3U);
}

// ---- one template for several destinations ----

TEST_F(Persistence, AllPortsOfAPort0ServiceShareTheTemplate) {
  tables_.virtual_servers[0].key.endpoint.port = 0;
  publish();
  EXPECT_EQ(open("10.0.0.1", 80), 1U);
  EXPECT_EQ(open("10.0.0.1", 443), 1U);
  EXPECT_EQ(open("10.0.0.1", 8080), 1U);
  EXPECT_EQ(open("10.0.0.2", 443), 2U);
  EXPECT_EQ(open("10.0.0.2", 80), 2U);
  EXPECT_EQ(templates().size(), 2U);
}

TEST_F(Persistence, AllDestinationsOfAGroupShareTheTemplate) {
  web().more_keys = {{Protocol::kTcp, Endpoint::parse("192.0.2.10:443").value()},
                     {Protocol::kTcp, Endpoint::parse("192.0.2.11:0").value()}};
  publish();
  EXPECT_EQ(open("10.0.0.1", 443), 1U);
  EXPECT_EQ(open("10.0.0.1", 80), 1U);
  EXPECT_EQ(open("10.0.0.1", 22, "192.0.2.11"), 1U);
  EXPECT_EQ(open("10.0.0.2", 25, "192.0.2.11"), 2U);
  EXPECT_EQ(open("10.0.0.2", 443), 2U);
  EXPECT_EQ(templates().size(), 2U);
}

TEST_F(Persistence, ServicesWithoutACommonGroupShareNothing) {
  tables_.virtual_servers[1].persistence = {kTimeout, 32};
  publish();
  EXPECT_EQ(open("10.0.0.1"), 1U);
  EXPECT_EQ(open("10.0.0.2"), 2U);
  EXPECT_EQ(server_of(director_.send(udp("10.0.0.2", 1))), 1U);
  EXPECT_EQ(templates().size(), 3U);
}

// ---- real servers that go and come; the table of docs/connections.md has the rest ----

TEST_F(Persistence, AFailedServersClientsGetAnotherAndKeepIt) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  web().real_servers[0].in_table = false;
  publish();
  EXPECT_EQ(open("10.0.0.1"), 2U);
  web().real_servers[0].in_table = true;
  publish();
  EXPECT_THAT(open_many("10.0.0.1", 4), Each(2U)) << "it does not go back";
}

TEST_F(Persistence, AClientThatWasAwayMeanwhileIsScheduledAnew) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  for (const bool in_table : {false, true}) {
    web().real_servers[0].in_table = in_table;
    publish();
  }
  EXPECT_THAT(open_many("10.0.0.1", 3), Each(2U)) << "with expire_nodest_conn the failed server lost its templates";
}

TEST_F(Persistence, WithoutExpireNodestConnAClientThatWasAwayMeanwhileReturns) {
  tables_.switches.expire_nodest_conn = false;
  publish();
  EXPECT_EQ(open("10.0.0.1"), 1U);
  for (const bool in_table : {false, true}) {
    web().real_servers[0].in_table = in_table;
    publish();
  }
  EXPECT_THAT(open_many("10.0.0.1", 3), Each(1U));
}

TEST_F(Persistence, AnOverloadedServerStillTakesItsOwnClients) {
  web().real_servers[0].upper_threshold = 1;
  publish();
  EXPECT_EQ(open("10.0.0.1"), 1U);
  EXPECT_EQ(open("10.0.0.1"), 1U) << "as IPVS: only the scheduler looks at thresholds";
  EXPECT_EQ(open("10.0.0.2"), 2U);
  EXPECT_EQ(open("10.0.0.3"), 3U);
  EXPECT_EQ(open("10.0.0.4"), 2U);
}

TEST_F(Persistence, SwitchedOffItEndsTheTemplates) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  web().persistence.timeout = seconds(0);
  publish();
  EXPECT_THAT(open_many("10.0.0.1", 3), ElementsAre(2, 3, 1));
  director_.sweep_all_workers();
  EXPECT_EQ(templates().size(), 0U);
}

TEST_F(Persistence, AShorterTimeoutHoldsForTheTemplatesThatAreThere) {
  EXPECT_EQ(open("10.0.0.1"), 1U);
  send_last("10.0.0.1", kAck);
  send_last("10.0.0.1", kRst);
  web().persistence.timeout = seconds(70);
  publish();
  director_.advance(seconds(11));
  director_.sweep_all_workers();  // its connection is over, too
  EXPECT_THAT(templates().at(0).expires_in.count(), testing::AllOf(testing::Gt(50), testing::Le(71)));
  director_.advance(seconds(72));
  EXPECT_EQ(open("10.0.0.1"), 2U);
}

// ---- in parallel ----

TEST_F(Persistence, WorkersInParallelAgreeOnEveryClient) {
  constexpr unsigned kClients = 150, kConnections = 12;
  std::map<std::string, std::set<unsigned>> servers;
  unsigned out = 0;
  const auto collect = [&] {
    for (const auto& sent : Director::drain_ports()) {
      servers[hex(Bytes(sent.bytes.begin() + 26, sent.bytes.begin() + 30))].insert(server_of(sent));
      ++out;
    }
  };
  {
    const RunningWorkers running(director_);
    for (unsigned client = 0; client < kClients; ++client) {
      // All of a client's first connections at the same time, each at another worker.
      for (unsigned i = 0; i < kConnections; ++i) {
        Frame f = segment(client, kSyn);
        f.sport = static_cast<uint16_t>(2000 + i);
        ASSERT_TRUE(offer(f.bytes(), static_cast<uint16_t>(i % 4)));
      }
      collect();
    }
    ASSERT_TRUE(wait_for_received(director_, uint64_t{kClients} * kConnections));
  }
  collect();
  EXPECT_EQ(out, kClients * kConnections);
  EXPECT_EQ(servers.size(), kClients);
  std::map<unsigned, unsigned> share;
  for (const auto& [client, of_client] : servers) {
    EXPECT_EQ(of_client.size(), 1U) << client;
    ++share[*of_client.begin()];
  }
  uint64_t crowded_out = 0;
  for (const auto& worker : director_.workers()) crowded_out += worker->status().templates_full;
  if (crowded_out == 0) {
    EXPECT_EQ(share, (std::map<unsigned, unsigned>{{1, 50}, {2, 50}, {3, 50}})) << "one turn a client";
    for (const auto& row : templates()) EXPECT_EQ(row.connections, kConnections) << row.client.to_string();
  }
  EXPECT_TRUE(adds_up(director_));
}

// ---- a full table ----

class FullTemplateTable : public Persistence {
 protected:
  FullTemplateTable() : Persistence({.workers = 2, .connections = 16384, .templates = 32}) {}

  static std::string client(unsigned i) {
    return "10.7." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1);
  }
  uint64_t crowded_out() { return director_.status(0).templates_full + director_.status(1).templates_full; }
};

TEST_F(FullTemplateTable, ServesEveryClientAtOneServerAllTheSame) {
  constexpr unsigned kClients = 300;
  std::vector<unsigned> home;
  for (unsigned i = 0; i < kClients; ++i) {
    home.push_back(open(client(i)));
    ASSERT_NE(home.back(), 0U);
  }
  const size_t stored = templates().size();
  EXPECT_GE(stored, 24U);
  EXPECT_EQ(crowded_out() + stored, kClients);
  EXPECT_THAT(std::set<unsigned>(home.begin(), home.end()), ElementsAre(1, 2, 3));
  for (int again = 0; again < 3; ++again) {
    for (unsigned i = 0; i < kClients; ++i) EXPECT_EQ(open(client(i)), home[i]) << client(i);
  }
  EXPECT_EQ(templates().size(), stored) << "those that are there are unharmed";
  for (const auto& row : templates()) EXPECT_EQ(row.connections, 4U);
  EXPECT_TRUE(adds_up(director_));
}

TEST_F(FullTemplateTable, HasRoomAgainWhenTemplatesEnd) {
  for (unsigned i = 0; i < 300; ++i) open(client(i));
  const uint64_t before = crowded_out();
  director_.advance(seconds(61));
  director_.sweep_all_workers();
  director_.advance(kTimeout);
  for (unsigned i = 1000; i < 1016; ++i) EXPECT_NE(open(client(i)), 0U);
  EXPECT_EQ(crowded_out(), before);
  EXPECT_GE(templates().size(), 16U);
}

// With neither room for a template nor for a connection, a client has one server still.
TEST(FullTemplateAndConnectionTables, GiveAClientOneServer) {
  Director director({.connections = 64, .templates = 8});
  Tables tables = web_and_dns(3);
  tables.virtual_servers[0].persistence = {seconds(300), 32};
  director.publish(tables);
  for (unsigned i = 0; i < 600; ++i) ASSERT_NE(server_of(director.send(segment(i, kSyn))), 0U);
  for (unsigned i = 1000; i < 1060; ++i) {
    std::set<unsigned> servers;
    for (uint16_t port = 1; port <= 5; ++port) {
      Frame f = segment(i, kSyn);
      f.sport = port;
      servers.insert(server_of(director.send(f)));
      f.tcp_flags = kAck;
      servers.insert(server_of(director.send(f)));
    }
    EXPECT_EQ(servers.size(), 1U) << i;
    EXPECT_FALSE(servers.contains(0));
  }
  EXPECT_GT(director.status().unstored, 100U);
  EXPECT_TRUE(adds_up(director.status()));
}

}  // namespace
}  // namespace lbdp::packet_tests
