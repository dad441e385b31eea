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
      "backends, services, connections, vrrp, checks, workers, ports, neighbors, drops, config or version";
  EXPECT_THAT(parse({"show", "foo"}).error().message, HasSubstr("there is no \"foo\" to show, but " + all + "\n"));
  EXPECT_THAT(parse({"show"}).error().message, HasSubstr("show what? " + all + "\n"));
  EXPECT_THAT(parse({}).error().message, HasSubstr("the commands are show, ipvs and reload\n"));
  EXPECT_THAT(parse({"dance"}).error().message, HasSubstr("dance; the commands are show, ipvs and reload\n"));
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
  EXPECT_EQ(text,
            "tcp/172.18.250.99:80\n"
            "  REAL SERVER        STATE       WEIGHT  MAC  INTERFACE  ACTIVE  INACTIVE  TOTAL  LAST CHECK  REASON\n"
            "  172.18.250.77:80   UP               1  -    -               0        12     30  -           -\n"
            "  172.18.250.179:80  UNRESOLVED       1  -    -               0        12     30  -           -\n");
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

TEST(CliTables, IpvsListsWhatIsInTheTable) {
  const json services = {{{"service", "tcp/172.18.250.99:80"}, {"scheduler", "rr"}}};
  const auto listed =
      to_ipvs_services(services, {backend("172.18.250.77:80", "UP"), backend("172.18.250.79:80", "DOWN", false)});
  ASSERT_EQ(listed.size(), 1U);
  ASSERT_EQ(listed[0].destinations.size(), 1U);
  EXPECT_EQ(listed[0].destinations[0].endpoint.to_string(), "172.18.250.77:80");
  EXPECT_EQ(listed[0].destinations[0].inactive, 12U);
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
                             reply({answer.is_string() ? answer.get<std::string>() : answer.dump(), false});
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
