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
       {"backends", "services", "connections", "persistence", "vrrp", "checks", "workers", "ports", "neighbors"}) {
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
  counters = {.slot = {}, .active = 7, .inactive = 3, .overloaded = true};
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

TEST_F(RequestsTest, AServiceOfManyServersFillsAPageOfItsOwn) {
  ServiceInput service;
  for (uint32_t i = 0; i < 600; ++i) {
    service.real_servers.push_back({.endpoint = {IpAddress::v4(Be<uint32_t>::from_host(0x0a000001 + i)), 80}});
  }
  BackendInputs inputs;
  for (uint16_t port = 1; port <= 3; ++port) {
    service.key = {Protocol::kTcp, {kService.endpoint.address, port}};
    inputs.services.push_back(service);
  }
  backends.configure(inputs, [](const RealServerKey&) { return true; });
  EXPECT_EQ(show("services")["next_cursor"], 1);
  EXPECT_EQ(show("services", 1)["next_cursor"], 2);
  EXPECT_EQ(show("services", 2)["next_cursor"], 0);
}

TEST_F(RequestsTest, AFilterAndALimitReachTheDataplane) {
  for (uint16_t port = 1; port <= 300; ++port) {
    auto& row = dataplane.connection_list.emplace_back();
    row.client = {kReal.address, port};
    row.state = "ESTABLISHED";
  }
  json request = {{"command", "show"}, {"what", "connections"}, {"limit", 7}};
  EXPECT_EQ(json::parse(ask(request.dump()).line)["rows"].size(), 7U);
  request["limit"] = 1'000'000;
  EXPECT_EQ(json::parse(ask(request.dump()).line)["rows"].size(), 100U) << "a page stays a page";
  request["filter"] = {{"client", "172.18.0.0/16"},  {"client_port", 250},     {"service", "tcp/172.18.250.99:80"},
                       {"real", "172.18.250.77:80"}, {"state", "ESTABLISHED"}, {"worker", 2}};
  const json answer = json::parse(ask(request.dump()).line);
  ASSERT_EQ(answer["rows"].size(), 1U);
  EXPECT_EQ(answer["rows"][0]["client"], "172.18.250.77:250");
  EXPECT_EQ(dataplane.last_filter.client->to_string(), "172.18.0.0/16");
  EXPECT_EQ(dataplane.last_filter.service, kService);
  EXPECT_EQ(dataplane.last_filter.real_server, kReal);
  EXPECT_EQ(dataplane.last_filter.worker, dataplane::WorkerId{2});
  request["filter"]["colour"] = "red";
  EXPECT_THAT(json::parse(ask(request.dump()).line)["error"], HasSubstr("there is no \"colour\""));
  request = {{"command", "show"}, {"what", "backends"}, {"filter", json::object()}};
  EXPECT_THAT(json::parse(ask(request.dump()).line)["error"], HasSubstr("takes no filter"));
}

TEST_F(RequestsTest, TemplatesAreShownAndFiltered) {
  for (uint32_t i = 0; i < 1200; ++i) {
    const auto client = IpAddress::v4(Be<uint32_t>::from_host(0x0a000000 + (i << 8)));
    dataplane.template_list.push_back({.service = kService,
                                       .client = {client, 24},
                                       .real_server = kReal,
                                       .expires_in = std::chrono::seconds(300),
                                       .connections = 2});
  }
  const json answer = show("persistence");
  EXPECT_EQ(answer["rows"].size(), 100U);
  EXPECT_EQ(answer["next_cursor"], 100);
  const json expected = {{"service", "tcp/172.18.250.99:80"},
                         {"client", "10.0.0.0/24"},
                         {"real", "172.18.250.77:80"},
                         {"expires_s", 300},
                         {"connections", 2}};
  EXPECT_EQ(answer["rows"][0], expected);
  json request = {{"command", "show"}, {"what", "persistence"}, {"filter", {{"client", "10.4.7.9"}}}};
  json found = json::array();
  unsigned pages = 0;
  do {
    const json page = json::parse(ask(request.dump()).line);
    for (const auto& row : page["rows"]) found.push_back(row["client"]);
    request["cursor"] = page["next_cursor"];
    ++pages;
  } while (request["cursor"] != 0 && pages < 100);
  EXPECT_EQ(found, json{"10.4.7.0/24"});
  EXPECT_EQ(pages, 3U) << "a filter looks at more of them a turn";
}

TEST_F(RequestsTest, ExplainAnswersWithAllThatIsKnown) {
  dataplane.port_list.resize(2);
  dataplane.port_list[1].id = dataplane::PortId{1};
  dataplane.port_list[1].interface = "eth1";
  auto& e = dataplane.explanation;
  e.outcome = dataplane::Explanation::Outcome::kPersistent;
  e.service = e.destination = kService;
  e.real_server = kReal;
  e.mac = MacAddress{{2, 0, 0, 0, 0, 7}};
  e.egress = dataplane::PortId{1};
  e.vlan = 100;
  e.client_template = {.service = kService, .client = IpPrefix::parse("10.0.0.0/24").value(), .real_server = kReal};
  e.reasons = {"one", "two"};
  const json answer = json::parse(
      ask(R"({"command":"explain","client":"10.0.0.1:4711","virtual":"172.18.250.99:80","protocol":"udp"})").line);
  const json expected = {{"protocol", "udp"},
                         {"client", "10.0.0.1:4711"},
                         {"virtual", "172.18.250.99:80"},
                         {"outcome", "persistent"},
                         {"service", "tcp/172.18.250.99:80"},
                         {"destination", "tcp/172.18.250.99:80"},
                         {"real", "172.18.250.77:80"},
                         {"mac", "02:00:00:00:00:07"},
                         {"port", 1},
                         {"interface", "eth1"},
                         {"vlan", 100},
                         {"connection", nullptr},
                         {"template",
                          {{"service", "tcp/172.18.250.99:80"},
                           {"client", "10.0.0.0/24"},
                           {"real", "172.18.250.77:80"},
                           {"expires_s", 0},
                           {"connections", 0}}},
                         {"reasons", {"one", "two"}}};
  EXPECT_EQ(answer, (json{{"ok", true}, {"explanation", expected}}));
  e = {};
  const json nothing =
      json::parse(ask(R"({"command":"explain","client":"10.0.0.1:4711","virtual":"10.9.9.9:80"})").line)["explanation"];
  EXPECT_EQ(nothing["outcome"], "no_service");
  EXPECT_EQ(nothing["port"], nullptr);
  EXPECT_EQ(nothing["interface"], nullptr);
}

TEST_F(RequestsTest, ExplainMeansTcpUnlessAnotherProtocolOnlyIsServedThere) {
  BackendInputs inputs;
  for (const char* key :
       {"tcp/172.18.250.99:80", "udp/172.18.250.99:80", "udp/172.18.250.99:53", "sctp/[2001:db8::9]:0"}) {
    ServiceInput service;
    service.key = ServiceKey::parse(key).value();
    inputs.services.push_back(service);
  }
  inputs.services[2].more_keys = {ServiceKey::parse("udp/172.18.250.98:54").value()};
  backends.configure(inputs, [](const RealServerKey&) { return true; });
  const auto chosen = [&](const std::string& client, const std::string& virtual_server) {
    (void)ask(json{{"command", "explain"}, {"client", client}, {"virtual", virtual_server}}.dump());
    return dataplane.explained.to_string();
  };
  EXPECT_EQ(chosen("10.0.0.1:1", "172.18.250.99:80"), "tcp/172.18.250.99:80");
  EXPECT_EQ(chosen("10.0.0.1:1", "172.18.250.99:53"), "udp/172.18.250.99:53");
  EXPECT_EQ(chosen("10.0.0.1:1", "172.18.250.98:54"), "udp/172.18.250.98:54");
  EXPECT_EQ(chosen("10.0.0.1:1", "172.18.250.99:81"), "tcp/172.18.250.99:81");
  EXPECT_EQ(chosen("[2001:db8::1]:1", "[2001:db8::9]:3868"), "sctp/[2001:db8::9]:3868");
}

TEST_F(RequestsTest, ExplainRefusesWhatCannotBe) {
  for (const std::string request :
       {R"({"command":"explain"})", R"({"command":"explain","client":"10.0.0.1:1"})",
        R"({"command":"explain","client":"10.0.0.1:1","virtual":"x"})",
        R"({"command":"explain","client":"10.0.0.1:1","virtual":"[::1]:80"})",
        R"({"command":"explain","client":"1.1.1.1:1","virtual":"1.1.1.2:1","protocol":"x"})"}) {
    EXPECT_EQ(json::parse(ask(request).line)["ok"], false) << request;
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
