// SPDX-License-Identifier: BSD-2-Clause
#include <set>

#include "control/requests_fixture.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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
  EXPECT_EQ(pages, 5U) << "a filter looks at more of them a turn";
  ServiceInput service;
  service.key = kService;
  service.more_keys = {ServiceKey::parse("tcp/172.18.250.99:443").value()};
  backends.configure({.services = {service}}, [](const RealServerKey&) { return true; });
  for (const auto& [name, rows] : {std::pair{"tcp/172.18.250.99:443", 250U}, {"tcp/172.18.250.99:444", 0U}}) {
    request = {{"command", "show"}, {"what", "persistence"}, {"filter", {{"service", name}}}};
    EXPECT_EQ(json::parse(ask(request.dump()).line)["rows"].size(), rows) << name;
  }
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

TEST_F(RequestsTest, AStrangeCursorCountsAsNone) {
  for (const std::string cursor : {"-1", "1.5", "\"x\"", "null", "{}"}) {
    const auto answer = json::parse(ask(R"({"command":"show","what":"backends","cursor":)" + cursor + "}").line);
    EXPECT_EQ(answer["rows"].size(), 1U) << cursor;
  }
}

}  // namespace
}  // namespace lbdp::control
