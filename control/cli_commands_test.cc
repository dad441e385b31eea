// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_commands.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "control/control_socket.h"
#include "control/fake_dataplane.h"
#include "control/requests.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

/// lbdp-cli's commands against the director's side of them, over a socket, with a dataplane that is told what to say.
class CliCommandsTest : public testing::Test {
 protected:
  CliCommandsTest() {
    char name[] = "/tmp/lbdp-cli-test-XXXXXX";
    directory = ::mkdtemp(name);
    config.generation = 1;
    ServiceInput web = service("tcp/10.3.0.100:80", "10.3.0.21:80"),
                 marked = service("tcp/10.3.0.101:80", "10.3.0.22:80");
    web.persistence = {.timeout = std::chrono::seconds(300), .granularity = 24};
    marked.fwmark = 7;
    marked.persistence = {.timeout = std::chrono::seconds(60), .granularity = 32};
    backends.configure({.services = {web, marked, service("udp/10.3.0.100:53", "10.3.0.21:53")}},
                       [](const RealServerKey&) { return true; });
  }
  ~CliCommandsTest() override {
    if (thread.joinable()) {
      asio::post(io, [this] {
        socket.reset();
        io.stop();
      });
      thread.join();
    }
    std::filesystem::remove_all(directory);
  }

  static ServiceInput service(const std::string& key, const std::string& real) {
    ServiceInput out;
    out.key = ServiceKey::parse(key).value();
    out.real_servers.push_back({.endpoint = Endpoint::parse(real).value(), .upper_threshold = 9});
    return out;
  }
  void connect(const std::string& client, const std::string& state, Protocol protocol = Protocol::kTcp) {
    dataplane.connection_list.push_back({.worker = dataplane::WorkerId{1},
                                         .protocol = protocol,
                                         .client = Endpoint::parse(client).value(),
                                         .virtual_server = Endpoint::parse("10.3.0.100:80").value(),
                                         .real_server = Endpoint::parse("10.3.0.21:80").value(),
                                         .state = state == "UDP" ? "UDP" : "ESTABLISHED",
                                         .expires_in = std::chrono::seconds(895)});
  }
  void remember(const std::string& key, const std::string& client, const std::string& real, uint32_t connections) {
    dataplane.template_list.push_back({.service = ServiceKey::parse(key).value(),
                                       .client = IpPrefix::parse(client).value(),
                                       .real_server = Endpoint::parse(real).value(),
                                       .expires_in = std::chrono::seconds(295),
                                       .connections = connections});
  }

  /// What a command line prints.
  std::string run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "lbdp-cli");
    auto options = parse_cli_options(arguments);
    EXPECT_TRUE(options) << options.error().message;
    if (!options) return {};
    options->socket = directory + "/s";
    if (!thread.joinable()) serve();
    std::string out;
    const auto done = perform(*options, [&](std::string_view text) {
      out += text;
      return out.size() < enough;
    });
    error = done ? "" : done.error().message;
    return out;
  }
  void serve() {
    socket = std::move(ControlSocket::open(
                           io, directory + "/s",
                           [this](const std::string& line, const ControlSocket::Reply& reply) {
                             ++asked;
                             requests.handle(line, reply);
                           },
                           Requests::too_long())
                           .value());
    thread = std::thread([this] {
      const auto work = asio::make_work_guard(io);
      io.run();
    });
  }

  std::string directory, error;
  size_t enough = std::string::npos;
  ConfigStatus config;
  BackendSet backends;
  FakeDataplane dataplane;
  ReloadReport reload_report{.ok = true, .message = "reloaded"};
  Requests requests{{.config = config,
                     .backends = backends,
                     .dataplane = dataplane,
                     .vrrp = [] { return std::vector<vrrp::InstanceStatus>(); },
                     .checks = [] { return std::vector<checks::CheckerStatus>(); },
                     .neighbours = [] { return std::vector<NeighbourStatus>(); }},
                    [this](bool dry_run, const auto& reply) {
                      reload_report.dry_run = dry_run;
                      reply(reload_report);
                    }};
  asio::io_context io;
  std::unique_ptr<ControlSocket> socket;
  std::thread thread;
  std::atomic<unsigned> asked = 0;
};

TEST_F(CliCommandsTest, AReloadTellsChangesAndWarnings) {
  EXPECT_EQ(run({"reload"}), "reloaded\n");
  reload_report.changes = {
      {.kind = config::Change::Kind::kAdded, .what = "vrrp_instance VI_2"},
      {.kind = config::Change::Kind::kChanged, .what = "vrrp_instance VI_1", .detail = "priority 100 -> 90"}};
  reload_report.warnings = {"lb.conf:3:1: warning: odd"};
  EXPECT_EQ(run({"reload", "--dry-run"}),
            "reloaded\n"
            "  added: vrrp_instance VI_2\n"
            "  changed: vrrp_instance VI_1: priority 100 -> 90\n"
            "lb.conf:3:1: warning: odd\n");
  EXPECT_TRUE(reload_report.dry_run);
  reload_report.changes.resize(1234, reload_report.changes[0]);
  EXPECT_THAT(run({"reload"}), testing::HasSubstr("\n  and 234 more changes\n"));
}

TEST_F(CliCommandsTest, ConnectionsAreATableWithTheirCountBelow) {
  connect("10.3.16.1:10000", "ESTABLISHED");
  connect("10.3.16.1:10001", "UDP", Protocol::kUdp);
  EXPECT_EQ(run({"show", "connections"}),
            "PROTO  CLIENT                 VIRTUAL                REAL                   STATE        EXPIRES  WORKER\n"
            "tcp    10.3.16.1:10000        10.3.0.100:80          10.3.0.21:80           ESTABLISHED      895       1\n"
            "udp    10.3.16.1:10001        10.3.0.100:80          10.3.0.21:80           UDP              895       1\n"
            "2 connections\n");
  EXPECT_THAT(run({"show", "connections", "--state", "udp"}), HasSubstr("\n1 connection\n"));
  EXPECT_THAT(run({"show", "connections", "--limit", "1"}),
              HasSubstr("\n1 connection (--limit 1: there may be more)\n"));
}

TEST_F(CliCommandsTest, NoConnectionsAreATableToo) {
  EXPECT_THAT(run({"show", "connections"}), StartsWith("PROTO  CLIENT "));
  EXPECT_THAT(run({"show", "connections"}), HasSubstr("\n0 connections\n"));
  EXPECT_EQ(json::parse(run({"-j", "show", "connections"})), (json{{"connections", json::array()}}));
}

TEST_F(CliCommandsTest, Ipv6ClientsWidenTheirColumn) {
  connect("[2001:db8:1111:2222:3333:4444:5555:6666]:65535", "ESTABLISHED");
  connect("[2001:db8::1]:1", "ESTABLISHED");
  const auto text = run({"show", "connections"});
  EXPECT_THAT(text, HasSubstr("tcp    [2001:db8:1111:2222:3333:4444:5555:6666]:65535  10.3.0.100:80          "));
  EXPECT_THAT(text, HasSubstr("tcp    [2001:db8::1]:1                                 10.3.0.100:80          "));
}

TEST_F(CliCommandsTest, JsonOfManyPagesIsOneDocument) {
  for (int i = 0; i < 250; ++i) connect("10.3.16.1:" + std::to_string(10000 + i), "ESTABLISHED");
  const json document = json::parse(run({"-j", "show", "connections"}));
  ASSERT_EQ(document["connections"].size(), 250U);
  EXPECT_EQ(document["connections"][249]["client"], "10.3.16.1:10249");
  EXPECT_EQ(document.size(), 1U);
  EXPECT_EQ(json::parse(run({"-j", "show", "connections", "--limit", "120"}))["connections"].size(), 120U);
}

TEST_F(CliCommandsTest, AReaderWhoHasSeenEnoughEndsIt) {
  for (int i = 0; i < 1000; ++i) connect("10.3.16.1:" + std::to_string(10000 + i), "ESTABLISHED");
  enough = 1;
  for (const auto& arguments : std::vector<std::vector<const char*>>{
           {"show", "connections"}, {"-j", "show", "connections"}, {"ipvs", "-Lnc"}}) {
    const unsigned before = asked;
    (void)run(arguments);
    EXPECT_EQ(error, "");
    EXPECT_LE(asked - before, 1U) << "no page is asked for in vain";
  }
}

TEST_F(CliCommandsTest, PersistenceIsShownAndFiltered) {
  remember("tcp/10.3.0.100:80", "10.3.16.0/24", "10.3.0.21:80", 2);
  remember("tcp/10.3.0.100:80", "10.3.17.0/24", "10.3.0.21:80", 0);
  EXPECT_EQ(run({"show", "persistence"}),
            "SERVICE                    CLIENT              REAL                   EXPIRES  CONNECTIONS\n"
            "tcp/10.3.0.100:80          10.3.16.0/24        10.3.0.21:80               295            2\n"
            "tcp/10.3.0.100:80          10.3.17.0/24        10.3.0.21:80               295            0\n"
            "2 templates\n");
  EXPECT_THAT(run({"show", "persistence", "--client", "10.3.17.200"}), HasSubstr("\n1 template\n"));
}

TEST_F(CliCommandsTest, IpvsConnectionsEndWithTheTemplatesAsTheKernelHasThem) {
  connect("10.3.16.1:10000", "ESTABLISHED");
  remember("tcp/10.3.0.100:80", "10.3.16.0/24", "10.3.0.21:80", 1);
  remember("tcp/10.3.0.101:80", "10.3.16.9/32", "10.3.0.22:80", 0);
  EXPECT_EQ(run({"ipvs", "-Lnc"}),
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "TCP 14:55  ESTABLISHED 10.3.16.1:10000    10.3.0.100:80      10.3.0.21:80\n"
            "TCP 04:55  ASSURED     10.3.16.0:0        10.3.0.100:80      10.3.0.21:80\n"
            "IP  04:55  NONE        10.3.16.9:0        0.0.0.7:0          10.3.0.22:0\n");
}

TEST_F(CliCommandsTest, IpvsViewsComeFromTheDirectorsRows) {
  remember("tcp/10.3.0.100:80", "10.3.16.0/24", "10.3.0.21:80", 1);
  remember("tcp/10.3.0.100:80", "10.3.17.0/24", "10.3.0.21:80", 1);
  EXPECT_THAT(run({"ipvs", "-Ln"}),
              HasSubstr("TCP  10.3.0.100:80 rr persistent 300 mask 255.255.255.0\n"
                        "  -> 10.3.0.21:80                 Route   1      0          0         \n"));
  EXPECT_THAT(run({"ipvs", "-Ln"}), HasSubstr("FWM  7 rr persistent 60\n"));
  EXPECT_THAT(run({"ipvs", "-Ln", "--persistent-conn"}),
              HasSubstr("  -> 10.3.0.21:80                 1         2           0          0         \n"));
  EXPECT_THAT(run({"ipvs", "-Ln", "--thresholds"}),
              HasSubstr("  -> 10.3.0.21:53                 9          0          0          0         \n"));
  const RealServerKey dns{ServiceKey::parse("udp/10.3.0.100:53").value(), Endpoint::parse("10.3.0.21:53").value()};
  const Rates::Clock::time_point start{std::chrono::hours(1)};
  requests.tick(start);
  dataplane.counts[dns] = {.slot = {}, .connections = 6, .packets = 5, .bytes = 1000};
  requests.tick(start + std::chrono::seconds(2));
  EXPECT_THAT(run({"ipvs", "-Ln", "--rate"}),
              HasSubstr("UDP  10.3.0.100:53                       3        3        0      500        0\n"
                        "  -> 10.3.0.21:53                        3        3        0      500        0\n"));
  EXPECT_THAT(run({"ipvs", "-Sn"}), HasSubstr("-A -t 10.3.0.100:80 -s rr -p 300 -M 255.255.255.0\n"
                                              "-a -t 10.3.0.100:80 -r 10.3.0.21:80 -g -w 1\n"));
  const json document = json::parse(run({"-j", "ipvs", "-Ln"}));
  EXPECT_EQ(document["ipvs"][0]["persistence"]["prefix_length"], 24);
  EXPECT_EQ(document["ipvs"][0]["destinations"][0]["persistent"], 2);
  EXPECT_EQ(document["ipvs"][1]["fwmark"], 7);
}

TEST_F(CliCommandsTest, ExplainAsksAndTells) {
  dataplane.explanation.outcome = dataplane::Explanation::Outcome::kNoRealServer;
  dataplane.explanation.reasons = {"both servers are overloaded"};
  EXPECT_EQ(run({"explain", "10.3.16.1:10000", "10.3.0.100:53"}),
            "udp 10.3.16.1:10000 -> 10.3.0.100:53\n"
            "refused with ICMP port unreachable: no real server is usable\n"
            "why:\n"
            "  1. both servers are overloaded\n");
  EXPECT_EQ(json::parse(run({"-j", "explain", "10.3.16.1:10000", "10.3.0.100:53", "sctp"}))["explain"]["protocol"],
            "sctp");
}

TEST_F(CliCommandsTest, WithoutADirectorTheErrorSaysSo) {
  auto options = parse_cli_options(std::vector<const char*>{"lbdp-cli", "show", "connections"}).value();
  options.socket = directory + "/nobody";
  const auto done = perform(options, [](std::string_view) { return true; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().exit, CliExit::kNoDirector);
}

}  // namespace
}  // namespace lbdp::control
