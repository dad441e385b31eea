// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_options.h"

#include <gmock/gmock.h>

namespace lbdp::control {
namespace {

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
  EXPECT_FALSE(parse({"reload"})->dry_run);
  EXPECT_TRUE(parse({"reload", "--dry-run"})->dry_run);
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

}  // namespace
}  // namespace lbdp::control
