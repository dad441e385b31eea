// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "control/cli_client.h"
#include "control/cli_tables.h"
#include "control/control_socket.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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
