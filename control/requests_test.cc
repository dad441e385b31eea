// SPDX-License-Identifier: BSD-2-Clause
#include "control/requests_fixture.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(RequestsTest, BackendsShowStateCountersAndLastCheck) {
  backends.set_location(kReal.address, {.mac = MacAddress{{2, 0, 0, 0, 0, 7}},
                                        .egress = dataplane::PortId{1},
                                        .vlan = 100,
                                        .mtu = 9000,
                                        .interface = "eth1",
                                        .reason = {}});
  dataplane.counts[{kService, kReal}] = {
      .slot = {}, .active = 2, .inactive = 3, .connections = 9, .packets = 40, .bytes = 1234};
  checks::CheckerStatus good, bad;
  good.key = bad.key = {kService, kReal};
  good.checked = bad.checked = true;
  good.last_result = "HTTP 200";
  bad.last_result = "connection refused";
  bad.up = false;
  checkers = {good, bad};
  const json answer = show("backends");
  ASSERT_EQ(answer["rows"].size(), 1U);
  const json expected = {{"service", "tcp/172.18.250.99:80"},
                         {"real", "172.18.250.77:80"},
                         {"state", "UP"},
                         {"reason", ""},
                         {"in_table", true},
                         {"weight", 1},
                         {"configured_weight", 1},
                         {"mac", "02:00:00:00:00:07"},
                         {"interface", "eth1"},
                         {"port", 1},
                         {"vlan", 100},
                         {"mtu", 9000},
                         {"upper_threshold", 0},
                         {"lower_threshold", 0},
                         {"overloaded", false},
                         {"connections_per_s", nullptr},
                         {"packets_per_s", nullptr},
                         {"bytes_per_s", nullptr},
                         {"active", 2},
                         {"inactive", 3},
                         {"connections", 9},
                         {"packets", 40},
                         {"bytes", 1234},
                         {"last_check", "connection refused"}};
  EXPECT_EQ(answer["rows"][0], expected);
  EXPECT_EQ(answer["generation"], 7);
  EXPECT_EQ(answer["ok"], true);
}

TEST_F(RequestsTest, BackendsThatAreNotResolvedOrDownSayWhy) {
  backends.set_location(kReal.address, {.mac = {}, .egress = {}, .interface = {}, .reason = "no route"});
  json row = show("backends")["rows"][0];
  EXPECT_EQ(row["state"], "UNRESOLVED");
  EXPECT_EQ(row["reason"], "no route");
  EXPECT_EQ(row["mac"], nullptr);
  EXPECT_EQ(row["port"], nullptr);
  EXPECT_EQ(row["vlan"], nullptr);
  EXPECT_EQ(row["mtu"], nullptr);
  (void)backends.set_health({kService, kReal}, false, "HTTP 503");
  row = show("backends")["rows"][0];
  EXPECT_EQ(row["state"], "DOWN");
  EXPECT_EQ(row["reason"], "HTTP 503");
  EXPECT_EQ(row["in_table"], false);
}

TEST_F(RequestsTest, DropsAreSummedOverTheWorkers) {
  dataplane::WorkerStatus one, two;
  one.drops = {{"fragment", 1}, {"not_for_us", 2}};
  two.drops = {{"fragment", 10}, {"not_for_us", 0}};
  dataplane.worker_list = {one, two};
  const json expected = {{{"reason", "fragment"}, {"count", 11}, {"by_worker", {1, 10}}},
                         {{"reason", "not_for_us"}, {"count", 2}, {"by_worker", {2, 0}}}};
  EXPECT_EQ(show("drops")["rows"], expected);
}

TEST_F(RequestsTest, AnOverloadedServerSaysSo) {
  ServiceInput service;
  service.key = kService;
  service.real_servers.push_back({.endpoint = kReal, .upper_threshold = 10, .lower_threshold = 5});
  backends.configure({.services = {service}}, [](const RealServerKey&) { return true; });
  backends.set_location(kReal.address, {.mac = MacAddress{{2, 0, 0, 0, 0, 7}}, .interface = "eth1", .reason = {}});
  auto& counters = dataplane.counts[{kService, kReal}];
  counters = {.slot = {}, .overloaded = true, .active = 7, .inactive = 3};
  json row = show("backends")["rows"][0];
  EXPECT_EQ(row["state"], "OVERLOADED");
  EXPECT_EQ(row["reason"], "10 connections, upper threshold 10");
  EXPECT_EQ(row["upper_threshold"], 10);
  EXPECT_EQ(row["lower_threshold"], 5);
  EXPECT_EQ(row["overloaded"], true);
  EXPECT_EQ(show("services")["rows"][0]["usable"], 0);
  counters.overloaded = false;
  EXPECT_EQ(show("backends")["rows"][0]["state"], "UP");
  EXPECT_EQ(show("services")["rows"][0]["usable"], 1);
  counters.overloaded = true;
  (void)backends.set_health({kService, kReal}, false, "HTTP 503");
  row = show("backends")["rows"][0];
  EXPECT_EQ(row["state"], "DOWN") << "a failed check says more";
  EXPECT_EQ(row["reason"], "HTTP 503");
}

TEST_F(RequestsTest, ServicesShowHowTheySchedule) {
  ServiceInput service;
  service.key = kService;
  service.more_keys = {ServiceKey::parse("tcp/172.18.250.99:443").value()};
  service.fwmark = 7;
  service.scheduler = dataplane::Scheduler::kSourceHash;
  service.scheduler_flags = {.fallback = true, .port = true};
  service.persistence = {.timeout = std::chrono::seconds(360), .granularity = 24};
  service.one_packet = true;
  ServiceInput plain;
  plain.key = ServiceKey::parse("udp/172.18.250.99:53").value();
  plain.scheduler_flags.port = true;  // rr has no flags
  backends.configure({.services = {service, plain}}, [](const RealServerKey&) { return true; });
  const json rows = show("services")["rows"];
  EXPECT_EQ(rows[0]["destinations"], (json{"tcp/172.18.250.99:80", "tcp/172.18.250.99:443"}));
  EXPECT_EQ(rows[0]["fwmark"], 7);
  EXPECT_EQ(rows[0]["scheduler"], "sh");
  EXPECT_EQ(rows[0]["scheduler_flags"], (json{"sh-fallback", "sh-port"}));
  EXPECT_EQ(rows[0]["persistence"], (json{{"timeout_s", 360}, {"prefix_length", 24}}));
  EXPECT_EQ(rows[0]["one_packet"], true);
  EXPECT_EQ(rows[1]["fwmark"], nullptr);
  EXPECT_EQ(rows[1]["scheduler_flags"], json::array());
  EXPECT_EQ(rows[1]["persistence"], nullptr);
  EXPECT_EQ(rows[1]["one_packet"], false);
}

TEST_F(RequestsTest, RatesComeWithTheSecondSample) {
  auto& counters = dataplane.counts[{kService, kReal}];
  dataplane.worker_list.resize(1);
  auto& worker = dataplane.worker_list[0];
  worker.received = worker.busy_cycles = 100;
  worker.total_cycles = 400;
  worker.wide_connections = 5;
  worker.wide_connections_limit = 50;
  worker.held_fragments = 2;
  const Rates::Clock::time_point start{std::chrono::hours(1)};
  requests.tick(start);
  json row = show("workers")["rows"][0];
  EXPECT_EQ(row["packets_per_s"], nullptr);
  EXPECT_EQ(row["interval_ms"], nullptr);
  EXPECT_EQ(row["busy_percent"], 25.0) << "since the start";
  EXPECT_EQ(row["cycles_per_packet"], 1.0);
  EXPECT_EQ(row["wide_connections"], 5);
  EXPECT_EQ(row["wide_connections_limit"], 50);
  EXPECT_EQ(row["held_fragments"], 2);
  EXPECT_EQ(show("services")["rows"][0]["packets_per_s"], nullptr);
  counters.packets = 30;
  counters.connections = 10;
  counters.bytes = 4000;
  worker.received = 200;
  worker.busy_cycles = 900;
  worker.total_cycles = 2000;
  requests.tick(start + std::chrono::seconds(2));
  row = show("workers")["rows"][0];
  EXPECT_EQ(row["packets_per_s"], 50.0);
  EXPECT_EQ(row["interval_ms"], 2000);
  EXPECT_EQ(row["busy_percent"], 50.0);
  EXPECT_EQ(row["cycles_per_packet"], 8.0);
  for (const std::string what : {"services", "backends"}) {
    row = show(what)["rows"][0];
    EXPECT_EQ(row["packets_per_s"], 15.0) << what;
    EXPECT_EQ(row["connections_per_s"], 5.0) << what;
    EXPECT_EQ(row["bytes_per_s"], 2000.0) << what;
  }
}

TEST_F(RequestsTest, EverythingElseCanBeShown) {
  vrrp::InstanceStatus instance;
  instance.params.name = "VI_1";
  instance.state = vrrp::State::kMaster;
  instance.counters = {{"bad_ttl", 4}};
  instances = {instance};
  EXPECT_EQ(show("vrrp")["rows"][0]["state"], "MASTER");
  EXPECT_EQ(show("vrrp")["rows"][0]["counters"]["bad_ttl"], 4);
  EXPECT_EQ(show("vrrp")["rows"][0]["last_transition"], nullptr);
  NeighbourStatus neighbour;
  neighbour.address = kReal.address;
  neighbour.reason = "no route";
  neighbours = {neighbour};
  EXPECT_EQ(show("neighbors")["rows"][0]["state"], "UNRESOLVED");
  dataplane.port_list.resize(1);
  EXPECT_EQ(show("ports")["rows"][0]["link_up"], false);
  dataplane.worker_list.resize(1);
  EXPECT_EQ(show("workers")["rows"][0]["busy_percent"], 0.0);
  EXPECT_EQ(show("services")["rows"][0]["owned"], true);
  EXPECT_EQ(show("services")["rows"][0]["usable"], 0);
  EXPECT_EQ(show("version")["rows"][0]["version"], LBDP_VERSION);
  EXPECT_EQ(show("config")["rows"][0]["reloads"], 6);
}

TEST_F(RequestsTest, BytesFromTheNetworkStayValidJson) {
  (void)backends.set_health({kService, kReal}, false, "HTTP \xff\"\n\x01");
  EXPECT_EQ(show("backends")["rows"][0]["reason"], "HTTP \xef\xbf\xbd\"\n\x01");
}

TEST_F(RequestsTest, ReloadTellsWhatCameOfIt) {
  reload_outcome.changes = {
      {.kind = config::Change::Kind::kChanged, .what = "vrrp_instance VI_1", .detail = "priority 100 -> 90"}};
  const json change = {{"kind", "changed"}, {"what", "vrrp_instance VI_1"}, {"detail", "priority 100 -> 90"}};
  json wanted = {{"ok", true},          {"message", "reloaded"}, {"dry_run", false},
                 {"changes", {change}}, {"change_count", 1},     {"warnings", json::array()}};
  EXPECT_EQ(json::parse(ask(R"({"command":"reload"})").line), wanted);
  wanted["dry_run"] = true;
  EXPECT_EQ(json::parse(ask(R"({"command":"reload","dry_run":true})").line), wanted);
  reload_outcome = {.message = "lb.conf:3:1: error"};
  const json refusal = json::parse(ask(R"({"command":"reload"})").line);
  EXPECT_EQ(refusal["ok"], false);
  EXPECT_EQ(refusal["error"], "lb.conf:3:1: error");
}

TEST_F(RequestsTest, ReloadIsToldOrRehearsedAndNothingBetween) {
  const json refusal = json::parse(ask(R"({"command":"reload","dry_run":"yes"})").line);
  EXPECT_EQ(refusal, (json{{"ok", false}, {"error", "dry_run is true or false"}}));
}

TEST_F(RequestsTest, NonsenseIsRefusedAndNoiseEndsTheConnection) {
  for (const std::string line : {R"({"command":"dance"})", R"({"command":"show","what":"nothing"})", "{}",
                                 R"({"command":7})", R"({"command":"show","what":[1]})"}) {
    const auto answer = ask(line);
    EXPECT_EQ(json::parse(answer.line)["ok"], false) << line;
    EXPECT_FALSE(answer.close) << line;
  }
  for (const std::string& noise :
       {std::string(), std::string("hello"), std::string("[1]"), std::string("\xff\x00\x80", 3),
        std::string(60000, '['), std::string(60000, '{'), std::string("{\"command\":\"show\"")}) {
    const auto answer = ask(noise);
    EXPECT_EQ(json::parse(answer.line)["ok"], false);
    EXPECT_TRUE(answer.close);
  }
}

}  // namespace
}  // namespace lbdp::control
