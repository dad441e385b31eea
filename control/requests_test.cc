// SPDX-License-Identifier: BSD-2-Clause
#include "control/requests.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "control/fake_dataplane.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const ServiceKey kService = ServiceKey::parse("tcp/172.18.250.99:80").value();
const Endpoint kReal = Endpoint::parse("172.18.250.77:80").value();

class RequestsTest : public testing::Test {
 protected:
  RequestsTest() {
    config.file = "lb.conf";
    config.generation = 7;
    configure(1);
  }

  void configure(uint32_t real_servers) {
    ServiceInput service;
    service.key = kService;
    for (uint32_t i = 0; i < real_servers; ++i) {
      const auto address = IpAddress::v4(Be<uint32_t>::from_host(kReal.address.v4().host() + i));
      service.real_servers.push_back({.endpoint = {address, 80}});
    }
    backends.configure({.services = {service}}, [](const RealServerKey&) { return true; });
  }

  ControlSocket::Answer ask(const std::string& line) {
    std::optional<ControlSocket::Answer> answer;
    requests.handle(line, [&](ControlSocket::Answer given) { answer = std::move(given); });
    EXPECT_TRUE(answer) << line;
    return answer.value_or(ControlSocket::Answer{});
  }
  json show(const std::string& what, uint64_t cursor = 0) {
    return json::parse(ask(json{{"command", "show"}, {"what", what}, {"cursor", cursor}}.dump()).line);
  }

  ConfigStatus config;
  BackendSet backends;
  FakeDataplane dataplane;
  std::vector<vrrp::InstanceStatus> instances;
  std::vector<checks::CheckerStatus> checkers;
  std::vector<NeighbourStatus> neighbours;
  Result<std::string> reload_outcome = std::string("reloaded");
  Requests requests{{.config = config,
                     .backends = backends,
                     .dataplane = dataplane,
                     .vrrp = [this] { return instances; },
                     .checks = [this] { return checkers; },
                     .neighbours = [this] { return neighbours; }},
                    [this](const auto& reply) { reply(reload_outcome); }};
};

TEST_F(RequestsTest, BackendsShowStateCountersAndLastCheck) {
  backends.set_location(
      kReal.address,
      {.mac = MacAddress{{2, 0, 0, 0, 0, 7}}, .egress = dataplane::PortId{1}, .interface = "eth1", .reason = {}});
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
  (void)backends.set_health({kService, kReal}, false, "HTTP 503");
  row = show("backends")["rows"][0];
  EXPECT_EQ(row["state"], "DOWN");
  EXPECT_EQ(row["reason"], "HTTP 503");
  EXPECT_EQ(row["in_table"], false);
}

TEST_F(RequestsTest, LongListsComeInPagesWithoutGapOrOverlap) {
  configure(1034);
  for (const std::string what : {"backends", "connections"}) {
    dataplane.connection_list.clear();
    for (uint16_t i = 0; i < 1034; ++i) {
      dataplane.connection_list.push_back({.worker = {},
                                           .protocol = Protocol::kTcp,
                                           .client = {kReal.address, i},
                                           .virtual_server = kService.endpoint,
                                           .real_server = kReal,
                                           .state = "ESTABLISHED",
                                           .expires_in = std::chrono::seconds(5)});
    }
    std::set<std::string> seen;
    uint64_t cursor = 0;
    unsigned pages = 0;
    do {
      const json page = show(what, cursor);
      EXPECT_LE(page["rows"].size(), 100U);
      for (const auto& row : page["rows"]) {
        EXPECT_TRUE(seen.insert(row[what == "backends" ? "real" : "client"].get<std::string>()).second);
      }
      cursor = page["next_cursor"];
      ++pages;
    } while (cursor != 0 && pages < 100);
    EXPECT_EQ(seen.size(), 1034U);
    EXPECT_EQ(pages, 11U);
  }
}

TEST_F(RequestsTest, ACursorBeyondTheEndGivesAnEmptyPage) {
  for (const std::string what :
       {"backends", "services", "connections", "vrrp", "checks", "workers", "ports", "neighbors"}) {
    const json answer = show(what, ~0ULL - 5);
    EXPECT_EQ(answer["rows"].size(), 0U) << what;
    EXPECT_EQ(answer["next_cursor"], 0) << what;
  }
}

TEST_F(RequestsTest, DropsAreSummedOverTheWorkers) {
  dataplane::WorkerStatus one, two;
  one.drops = {{"fragment", 1}, {"not_for_us", 2}};
  two.drops = {{"fragment", 10}, {"not_for_us", 0}};
  dataplane.worker_list = {one, two};
  const json expected = {{{"reason", "fragment"}, {"count", 11}}, {{"reason", "not_for_us"}, {"count", 2}}};
  EXPECT_EQ(show("drops")["rows"], expected);
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
  EXPECT_EQ(json::parse(ask(R"({"command":"reload"})").line), (json{{"ok", true}, {"message", "reloaded"}}));
  reload_outcome = fail("lb.conf:3:1: error");
  EXPECT_EQ(json::parse(ask(R"({"command":"reload"})").line), (json{{"ok", false}, {"error", "lb.conf:3:1: error"}}));
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

TEST_F(RequestsTest, AStrangeCursorCountsAsNone) {
  for (const std::string cursor : {"-1", "1.5", "\"x\"", "null", "{}"}) {
    const auto answer = json::parse(ask(R"({"command":"show","what":"backends","cursor":)" + cursor + "}").line);
    EXPECT_EQ(answer["rows"].size(), 1U) << cursor;
  }
}

}  // namespace
}  // namespace lbdp::control
