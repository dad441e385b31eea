// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "control/cli_client.h"
#include "control/cli_options.h"
#include "control/cli_tables.h"
#include "control/control_socket.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Command = CliOptions::Command;

Result<CliOptions> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "lbdp-cli");
  return parse_cli_options(arguments);
}

TEST(CliOptions, CommandsAreRead) {
  EXPECT_EQ(parse({"show", "backends"})->what, "backends");
  EXPECT_EQ(parse({"show", "vrrp"})->command, Command::kShow);
  EXPECT_EQ(parse({"reload"})->command, Command::kReload);
  EXPECT_EQ(parse({"ipvs", "-Ln"})->command, Command::kIpvsServices);
  EXPECT_EQ(parse({"ipvs", "-L", "-n"})->command, Command::kIpvsServices);
  EXPECT_EQ(parse({"ipvs", "-Lnc"})->command, Command::kIpvsConnections);
  EXPECT_EQ(parse({"ipvs", "-ln", "--stats", "--exact"})->exact, true);
  EXPECT_EQ(parse({"ipvs", "-Ln", "--timeout"})->command, Command::kIpvsTimeouts);
  EXPECT_EQ(parse({"ipvs", "-Ln", "--rate"})->listing, IpvsListing::kRate);
  EXPECT_EQ(parse({"ipvs", "-Ln", "--thresholds"})->listing, IpvsListing::kThresholds);
  EXPECT_EQ(parse({"ipvs", "-Ln", "--persistent-conn"})->listing, IpvsListing::kPersistentConnections);
  EXPECT_EQ(parse({"ipvs", "-S", "-n"})->command, Command::kIpvsRules);
  EXPECT_EQ(parse({"ipvs", "-Sn"})->command, Command::kIpvsRules);
  EXPECT_TRUE(parse({"show", "drops", "-v"})->verbose);
  EXPECT_EQ(parse({"-h"})->command, Command::kHelp);
}

TEST(CliOptions, SocketAndJsonStandOnEitherSide) {
  EXPECT_EQ(parse({"-s", "/a", "-j", "show", "vrrp"})->socket, "/a");
  const auto behind = parse({"show", "vrrp", "-j", "-s", "/b"});
  ASSERT_TRUE(behind) << behind.error().message;
  EXPECT_TRUE(behind->json);
  EXPECT_EQ(behind->socket, "/b");
  EXPECT_EQ(parse({"show", "vrrp"})->socket, kDefaultControlSocket);
}

TEST(CliOptions, ExplainTakesTwoEndpointsAndAProtocol) {
  const auto plain = parse({"explain", "10.0.0.1:4711", "10.3.0.100:80"});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->command, Command::kExplain);
  EXPECT_EQ(plain->client.to_string(), "10.0.0.1:4711");
  EXPECT_EQ(plain->destination.to_string(), "10.3.0.100:80");
  EXPECT_FALSE(plain->protocol);
  const auto v6 = parse({"explain", "[2001:db8::1]:4711", "[2001:db8::9]:80", "sctp", "-j"});
  ASSERT_TRUE(v6) << v6.error().message;
  EXPECT_EQ(v6->protocol, Protocol::kSctp);
  EXPECT_TRUE(v6->json);
}

TEST(CliOptions, ConnectionsTakeFilters) {
  const auto options = parse({"show", "connections", "--client", "10.0.0.0/8:4711", "--service", "udp/10.3.0.100:53",
                              "--real", "10.3.0.21:53", "--state", "udp", "--worker", "3", "--limit", "10"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->filter.client->to_string(), "10.0.0.0/8");
  EXPECT_EQ(options->filter.client_port, 4711);
  EXPECT_EQ(options->filter.service->to_string(), "udp/10.3.0.100:53");
  EXPECT_EQ(options->filter.real_server->to_string(), "10.3.0.21:53");
  EXPECT_EQ(options->filter.state, "UDP");
  EXPECT_EQ(options->filter.worker, dataplane::WorkerId{3});
  EXPECT_EQ(options->limit, 10U);
  EXPECT_EQ(parse({"show", "persistence", "--client", "2001:db8::/32"})->filter.client->to_string(), "2001:db8::/32");
}

struct Wrong {
  std::vector<const char*> arguments;
  const char* answer;
};

TEST(CliOptions, WrongArgumentsAreNamed) {
  const std::vector<Wrong> cases{
      {{"explain"}, "explain CLIENT:PORT VIP:PORT [tcp|udp|sctp]: both are missing"},
      {{"explain", "10.0.0.1:1"}, "VIP:PORT is missing"},
      {{"explain", "10.0.0.1", "10.0.0.2:80"}, "CLIENT:PORT: '10.0.0.1' has no :PORT"},
      {{"explain", "10.0.0.1:1", "10.0.0.2:http"}, "VIP:PORT: 'http' is not a port"},
      {{"explain", "2001:db8::1:80", "10.0.0.2:80"}, "an IPv6 address, and only that, stands in [ ]"},
      {{"explain", "10.0.0.1:1", "[2001:db8::9]:80"}, "CLIENT and VIP are of one address family"},
      {{"explain", "10.0.0.1:0", "10.0.0.2:80"}, "no packet has port 0"},
      {{"explain", "10.0.0.1:1", "10.0.0.2:80", "icmp"}, "\"icmp\" is not tcp, udp or sctp"},
      {{"explain", "10.0.0.1:1", "10.0.0.2:80", "tcp", "more"}, "more"},
      {{"show", "backends", "--client", "10.0.0.1"}, "go with connections or persistence"},
      {{"show", "persistence", "--state", "NONE"}, "--state and --worker go with connections"},
      {{"show", "persistence", "--client", "10.0.0.1:80"}, "a template has no port"},
      {{"show", "connections", "-v"}, "-v goes with drops"},
      {{"show", "connections", "--client", "10.0.0.0/40"}, "--client: '40' is not a prefix length"},
      {{"show", "connections", "--service", "10.0.0.1:80"}, "--service: '10.0.0.1:80' is not a service like"},
      {{"show", "connections", "--real", "10.0.0.1"}, "--real: "},
      {{"show", "connections", "--state", "OPEN"}, "but one of NONE, "},
      {{"show", "connections", "--limit", "0"}, "--limit: 0 rows are none"},
      {{"show", "connections", "--limit", "x"}, "--limit"},
      {{"show", "connections", "--worker", "-1"}, "--worker"},
      {{"show", "connections", "--worker", "70000"}, "--worker"},
      {{"ipvs", "-S"}, "need -n"},
      {{"ipvs", "-LSn"}, "-L or -S only"},
      {{"ipvs", "-Sn", "--rate"}, "-S goes with -n alone"},
      {{"ipvs", "-Ln", "--rate", "--stats"}, "only one of"},
      {{"ipvs", "-Ln", "--thresholds", "--exact"}, "--exact goes with --stats or --rate"}};
  for (const auto& one : cases) {
    const auto options = parse(one.arguments);
    ASSERT_FALSE(options) << one.answer;
    EXPECT_THAT(options.error().message, HasSubstr(one.answer));
    EXPECT_THAT(options.error().message, HasSubstr("\nlbdp-cli -h tells more"));
  }
}

TEST(CliOptions, WrongUsageIsRefused) {
  const std::vector<std::vector<const char*>> cases{{},
                                                    {"show"},
                                                    {"show", "nothing"},
                                                    {"dance"},
                                                    {"ipvs"},
                                                    {"ipvs", "-n"},
                                                    {"ipvs", "-L"},
                                                    {"ipvs", "-Lnc", "--stats"},
                                                    {"ipvs", "-Ln", "--exact"},
                                                    {"ipvs", "-A"},
                                                    {"reload", "now"},
                                                    {"-x"},
                                                    {"show", "vrrp", "more"}};
  for (const auto& arguments : cases) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options) << (arguments.empty() ? "" : arguments.back());
    EXPECT_THAT(options.error().message, HasSubstr("lbdp-cli: "));
  }
}

TEST(CliOptions, WrongWordsAreAnsweredWithTheRightOnes) {
  const std::string all =
      "backends, services, connections, persistence, vrrp, checks, workers, ports, neighbors, drops, config or version";
  EXPECT_THAT(parse({"show", "foo"}).error().message, HasSubstr("there is no \"foo\" to show, but " + all + "\n"));
  EXPECT_THAT(parse({"show"}).error().message, HasSubstr("show what? " + all + "\n"));
  EXPECT_THAT(parse({}).error().message, HasSubstr("the commands are show, explain, ipvs and reload\n"));
  EXPECT_THAT(parse({"dance"}).error().message, HasSubstr("dance; the commands are show, explain, ipvs and reload\n"));
}

json backend(const std::string& real, const std::string& state, bool in_table = true) {
  return {{"service", "tcp/172.18.250.99:80"},
          {"real", real},
          {"state", state},
          {"reason", ""},
          {"in_table", in_table},
          {"weight", 1},
          {"configured_weight", 1},
          {"mac", nullptr},
          {"interface", nullptr},
          {"port", nullptr},
          {"vlan", nullptr},
          {"mtu", nullptr},
          {"connections_per_s", 2.5},
          {"active", 0},
          {"inactive", 12},
          {"connections", 30},
          {"packets", 5},
          {"bytes", 6},
          {"last_check", nullptr}};
}

TEST(CliTables, ColumnsAreAligned) {
  const std::string text =
      format_table("backends", {backend("172.18.250.77:80", "UP"), backend("172.18.250.179:80", "UNRESOLVED")});
  EXPECT_EQ(
      text,
      "tcp/172.18.250.99:80\n"
      "  REAL SERVER        STATE       WEIGHT  MAC  INTERFACE  VLAN  MTU  ACTIVE  INACTIVE  TOTAL  CONN/S  LAST "
      "CHECK  REASON\n"
      "  172.18.250.77:80   UP               1  -    -             -    -       0        12     30     2.5  -      "
      "     -\n"
      "  172.18.250.179:80  UNRESOLVED       1  -    -             -    -       0        12     30     2.5  -      "
      "     -\n");
}

TEST(CliTables, TextFromOutsideCannotDriveTheTerminal) {
  json row = backend("172.18.250.77:80", "DOWN");
  row["reason"] = "HTTP \x1b[2J\n";
  EXPECT_THAT(format_table("backends", json::array({row})), HasSubstr("HTTP ?[2J?\n"));
}

TEST(CliTables, EmptyListsSaySo) {
  EXPECT_EQ(format_table("backends", json::array()), "no real servers\n");
  EXPECT_EQ(format_table("vrrp", json::array()), "no VRRP instances\n");
  EXPECT_EQ(format_table("drops", {{{"reason", "fragment"}, {"count", 0}}}), "no drops\n");
}

TEST(CliTables, VrrpLeavesCountersOfZeroOut) {
  const json row = {{"name", "VI_1"}, {"state", "MASTER"}, {"counters", {{"bad_ttl", 3}, {"bad_length", 0}}}};
  const std::string text = format_table("vrrp", json::array({row}));
  EXPECT_THAT(text, HasSubstr("VI_1: MASTER"));
  EXPECT_THAT(text, HasSubstr("  bad_ttl 3\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("bad_length")));
}

TEST(CliTables, ServicesHaveTheirFlagsInWords) {
  const json row = {{"service", "tcp/172.18.250.99:80"},
                    {"scheduler", "sh"},
                    {"scheduler_flags", {"sh-fallback", "sh-port"}},
                    {"persistence", {{"timeout_s", 360}, {"prefix_length", 24}}},
                    {"one_packet", true},
                    {"fwmark", 7},
                    {"destinations", {"tcp/172.18.250.99:80", "tcp/172.18.250.99:443"}}};
  EXPECT_THAT(format_table("services", json::array({row})),
              HasSubstr("  sh     sh-fallback sh-port persistent 360/24 ops fwmark 7 +1 destination  "));
}

TEST(CliTables, DropsHaveAColumnForEachWorkerIfAsked) {
  const json rows = {{{"reason", "fragment"}, {"count", 11}, {"by_worker", {1, 10}}},
                     {{"reason", "not_for_us"}, {"count", 0}, {"by_worker", {0, 0}}}};
  EXPECT_EQ(format_table("drops", rows),
            "REASON    COUNT\n"
            "fragment     11\n");
  EXPECT_EQ(format_table("drops", rows, true),
            "REASON    COUNT  WORKER 0  WORKER 1\n"
            "fragment     11         1        10\n");
}

TEST(CliTables, AnExplanationNamesOutcomePlaceAndReasons) {
  json answer = {
      {"protocol", "tcp"},
      {"client", "10.3.16.1:10000"},
      {"virtual", "10.3.0.100:8001"},
      {"outcome", "known_connection"},
      {"service", "tcp/10.3.0.100:0"},
      {"destination", "tcp/10.3.0.100:8001"},
      {"real", "10.3.0.21:8001"},
      {"mac", "02:00:00:00:00:07"},
      {"port", 0},
      {"interface", "eth0"},
      {"vlan", 100},
      {"connection", {{"state", "ESTABLISHED"}, {"real", "10.3.0.21:8001"}, {"expires_s", 899}, {"worker", 1}}},
      {"template", nullptr},
      {"reasons", {"the address is ours", "worker 1 knows \x1b the connection"}}};
  EXPECT_EQ(format_explanation(answer),
            "tcp 10.3.16.1:10000 -> 10.3.0.100:8001\n"
            "forwarded to 10.3.0.21:8001, as the connection it belongs to\n"
            "  service      tcp/10.3.0.100:0, by tcp/10.3.0.100:8001\n"
            "  real server  10.3.0.21:8001\n"
            "  frame        to 02:00:00:00:00:07 through port 0 (eth0), VLAN 100\n"
            "  connection   ESTABLISHED to 10.3.0.21:8001, expires in 899 s, worker 1\n"
            "why:\n"
            "  1. the address is ours\n"
            "  2. worker 1 knows ? the connection\n");
  answer["outcome"] = "persistent";
  answer["connection"] = nullptr;
  answer["template"] = {{"client", "10.3.16.0/24"}, {"real", "10.3.0.21:8001"}, {"expires_s", 250}, {"connections", 3}};
  EXPECT_THAT(format_explanation(answer),
              HasSubstr("  template     10.3.16.0/24 to 10.3.0.21:8001, expires in 250 s, 3 connections\n"));
}

TEST(CliTables, AnExplanationOfNothingIsShort) {
  EXPECT_EQ(format_explanation({{"protocol", "udp"},
                                {"client", "10.3.16.1:10000"},
                                {"virtual", "10.3.0.100:53"},
                                {"outcome", "no_service"},
                                {"service", nullptr},
                                {"real", nullptr},
                                {"reasons", json::array()}}),
            "udp 10.3.16.1:10000 -> 10.3.0.100:53\n"
            "to the kernel: no virtual server takes it\n");
}

/// A director that answers each request with the next of the given lines.
class CliClientTest : public testing::Test {
 protected:
  CliClientTest() {
    char name[] = "/tmp/lbdp-cli-test-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/s";
  }
  ~CliClientTest() override {
    if (thread.joinable()) {
      asio::post(io, [this] {
        socket.reset();
        io.stop();
      });
      thread.join();
    }
    std::filesystem::remove_all(directory);
  }

  void serve(std::vector<json> given) {
    answers = std::move(given);
    socket = std::move(ControlSocket::open(
                           io, path,
                           [this](const std::string& line, const ControlSocket::Reply& reply) {
                             requests.push_back(json::parse(line));
                             const json& answer = answers.at(std::min(requests.size(), answers.size()) - 1);
                             if (answer.is_null()) return;  // says nothing
                             const bool last = answer.is_object() && answer.value("close", false);
                             reply({answer.is_string() ? answer.get<std::string>() : answer.dump(), last});
                           },
                           "too long")
                           .value());
    thread = std::thread([this] { io.run(); });
  }

  std::string directory, path;
  asio::io_context io;
  std::unique_ptr<ControlSocket> socket;
  std::vector<json> answers, requests;
  std::thread thread;
};

json page(json rows, uint64_t next, uint64_t generation) {
  return {{"ok", true}, {"rows", std::move(rows)}, {"next_cursor", next}, {"generation", generation}};
}

TEST_F(CliClientTest, PagesBecomeOneList) {
  serve({page({1, 2}, 2, 1), page({3}, 3, 1), page({4}, 0, 1)});
  CliClient client(path);
  const auto rows = client.rows("backends");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, (json{1, 2, 3, 4}));
  EXPECT_EQ(requests[2]["cursor"], 3);
}

TEST_F(CliClientTest, AListTornByAReloadIsReadAgain) {
  serve({page({1, 2}, 2, 1), page({3}, 0, 2), page({5, 6}, 2, 2), page({7}, 0, 2)});
  CliClient client(path);
  EXPECT_EQ(client.rows("backends").value(), (json{5, 6, 7}));
}

TEST_F(CliClientTest, AStreamKeepsGoingOverEmptyPagesAndReloads) {
  serve({page({1, 2}, 2, 1), page(json::array(), 9, 2), page({3}, 0, 3)});
  CliClient client(path);
  json seen = json::array();
  dataplane::ConnectionFilter filter;
  filter.state = "CLOSE";
  const auto count = client.stream("connections", filter, 0, [&](const json& rows) {
    seen.push_back(rows);
    return true;
  });
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, 3U);
  EXPECT_EQ(seen, (json{{1, 2}, json::array(), {3}}));
  EXPECT_EQ(requests[2]["cursor"], 9);
  EXPECT_EQ(requests[2]["filter"], (json{{"state", "CLOSE"}}));
}

TEST_F(CliClientTest, AStreamEndsAtItsLimitOrWhenNobodyWantsMore) {
  serve({page({1, 2}, 2, 1), page({3, 4}, 4, 1)});
  CliClient client(path);
  json seen;
  const auto take = [&](const json& rows) {
    seen = rows;
    return true;
  };
  EXPECT_EQ(client.stream("connections", {}, 3, take).value(), 3U);
  EXPECT_EQ(seen, json{3});
  EXPECT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1]["limit"], 1);
  EXPECT_EQ(client.stream("connections", {}, 0, [](const json&) { return false; }).value(), 2U);
  EXPECT_EQ(requests.size(), 3U);
}

TEST_F(CliClientTest, ADirectorThatHasCutUsOffIsAskedAgain) {
  json first = page({1}, 1, 1);
  first["close"] = true;  // and hangs up
  serve({first, page({2}, 0, 1)});
  CliClient client(path);
  ASSERT_TRUE(client.ask({{"command", "one"}}));
  const auto again = client.ask({{"command", "two"}});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->at("rows"), json{2});
}

TEST_F(CliClientTest, ARefusalCarriesItsReason) {
  serve({{{"ok", false}, {"error", "lb.conf:3:1: error"}}});
  CliClient client(path);
  const auto answer = client.ask({{"command", "reload"}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().exit, CliExit::kRefused);
  EXPECT_EQ(answer.error().message, "lb.conf:3:1: error");
}

TEST_F(CliClientTest, NobodyThereOrNobodyWhoAnswersIsExitFour) {
  CliClient absent(path);
  EXPECT_EQ(absent.ask({}).error().exit, CliExit::kNoDirector);
  CliClient long_path(std::string(300, 'x'));
  EXPECT_EQ(long_path.ask({}).error().exit, CliExit::kNoDirector);
  serve({nullptr});
  CliClient client(path, std::chrono::seconds(1));
  const auto silent = client.ask({});
  EXPECT_EQ(silent.error().exit, CliExit::kNoDirector);
  EXPECT_THAT(silent.error().message, HasSubstr("no answer in 1 s"));
}

TEST_F(CliClientTest, WhatDoesNotSpeakTheProtocolIsNoDirector) {
  serve({"220 mail.example.org ESMTP"});
  CliClient client(path);
  EXPECT_EQ(client.ask({}).error().exit, CliExit::kNoDirector);
}

}  // namespace
}  // namespace lbdp::control
