// SPDX-License-Identifier: BSD-2-Clause
#include "control/ipvs_format.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

namespace lbdp::control {
namespace {

// Listings of ipvsadm 1.31 on a 6.1 kernel.
std::string listing(const std::string& name) {
  std::ifstream file(LBDP_TEST_DATA "/ipvsadm/" + name + ".txt");
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The rates of the listing: each packet, byte and connection counted came to this many per second.
constexpr double kRatePerCount = 26.0 / 280.0;

/// What a destination of the listings has: active, inactive; connections, packets, bytes; weight.
struct Numbers {
  uint64_t active, inactive, connections, packets, bytes;
  int weight = 1;
};

IpvsService service(const std::string& key, const std::string& scheduler, const std::string& network,
                    const std::vector<std::string>& hosts, const std::vector<Numbers>& numbers) {
  IpvsService out{.key = ServiceKey::parse(key).value(), .scheduler = scheduler};
  for (size_t i = 0; i < hosts.size(); ++i) {
    const Endpoint endpoint{IpAddress::parse(network + hosts[i]).value(), out.key.endpoint.port};
    const auto rate = [](uint64_t count) { return static_cast<double>(count) * kRatePerCount; };
    out.destinations.push_back({.endpoint = endpoint,
                                .weight = numbers[i].weight,
                                .active = numbers[i].active,
                                .inactive = numbers[i].inactive,
                                .connections = numbers[i].connections,
                                .packets = numbers[i].packets,
                                .bytes = numbers[i].bytes,
                                .rates = {.connections = rate(numbers[i].connections),
                                          .packets = rate(numbers[i].packets),
                                          .bytes = rate(numbers[i].bytes)}});
  }
  return out;
}

IpvsService persistent(IpvsService service, int seconds, uint8_t prefix_length) {
  service.persistence_timeout = std::chrono::seconds(seconds);
  service.persistence_prefix_length = prefix_length;
  service.destinations.back().persistent = 1;
  return service;
}

IpvsService flagged(IpvsService service, std::vector<std::string> flags) {
  service.scheduler_flags = std::move(flags);
  return service;
}

std::vector<IpvsService> services_of_the_listings() {
  const std::vector<std::string> v4{"21", "22", "23"}, v6{"15", "16", "17"};
  std::vector<IpvsService> all{
      service("tcp/10.3.0.100:8001", "rr", "10.3.0.", v4,
              {{0, 1, 1, 3, 120}, {1, 1, 2, 4, 160, 2}, {0, 0, 0, 0, 0, 0}}),
      persistent(
          service("tcp/10.3.0.100:8003", "wlc", "10.3.0.", v4, {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 160}}),
          300, 24),
      flagged(
          service("tcp/10.3.0.100:8004", "mh", "10.3.0.", v4, {{1, 0, 1, 1, 40}, {0, 1, 1, 3, 120}, {0, 0, 0, 0, 0}}),
          {"mh-fallback", "mh-port"}),
      flagged(
          service("tcp/10.3.0.100:8005", "sh", "10.3.0.", v4, {{0, 1, 1, 3, 120}, {1, 0, 1, 1, 40}, {0, 0, 0, 0, 0}}),
          {"sh-port"}),
      persistent(
          service("tcp/10.3.0.101:0", "rr", "10.3.0.", v4, {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 160}}), 360,
          32),
      service("udp/10.3.0.100:8002", "wrr", "10.3.0.", v4, {{0, 0, 1, 1, 32}, {0, 0, 1, 1, 32}, {0, 0, 2, 2, 64}}),
      service("udp/10.3.0.100:8007", "rr", "10.3.0.", v4, {{0, 0, 0, 0, 0}, {0, 1, 1, 3, 96}, {0, 1, 1, 1, 32}}),
      persistent(service("tcp/[fd00:3::100]:8006", "rr", "fd00:3::", v6,
                         {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 240}}),
                 60, 64),
  };
  all[0].destinations[0].upper_threshold = 9;
  all[5].one_packet = true;
  // In any order: the listing sorts.
  std::mt19937 random(1);
  std::shuffle(all.begin(), all.end(), random);
  for (auto& one : all) std::shuffle(one.destinations.begin(), one.destinations.end(), random);
  return all;
}

TEST(IpvsFormat, ServicesAreListedAsIpvsadmDoes) {
  EXPECT_EQ(format_services(services_of_the_listings()), listing("Ln"));
}

TEST(IpvsFormat, EachViewIsListedAsIpvsadmDoes) {
  for (const auto& [view, name] : {std::pair{IpvsListing::kStats, "Ln--stats"},
                                   {IpvsListing::kRate, "Ln--rate"},
                                   {IpvsListing::kThresholds, "Ln--thresholds"},
                                   {IpvsListing::kPersistentConnections, "Ln--persistent-conn"}}) {
    EXPECT_EQ(format_services(services_of_the_listings(), view), listing(name)) << name;
    EXPECT_EQ(format_services(services_of_the_listings(), view, true), listing(name)) << name << " --exact";
  }
}

TEST(IpvsFormat, RulesAreSavedAsIpvsadmDoes) {
  auto services = services_of_the_listings();
  EXPECT_EQ(format_rules(services), listing("Sn"));
}

IpvsService marked(uint32_t mark, const std::string& key, const std::string& real) {
  IpvsService out{.key = ServiceKey::parse(key).value(), .fwmark = mark, .scheduler = "wlc"};
  out.destinations.push_back({.endpoint = Endpoint::parse(real).value()});
  return out;
}

TEST(IpvsFormat, ServicesByMarkAndSctpHaveTheirNames) {
  const std::vector<IpvsService> services{
      marked(7, "tcp/[fd00:3::100]:80", "[fd00:3::15]:0"), marked(12, "tcp/10.3.0.100:80", "10.3.0.21:0"),
      marked(7, "tcp/10.3.0.100:443", "10.3.0.21:0"), marked(0, "sctp/10.3.0.100:80", "10.3.0.21:80")};
  EXPECT_EQ(format_services(services),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "SCTP 10.3.0.100:80 wlc\n"
            "  -> 10.3.0.21:80                 Route   1      0          0         \n"
            "FWM  7 wlc\n"
            "  -> 10.3.0.21:0                  Route   1      0          0         \n"
            "FWM  7 IPv6 wlc\n"
            "  -> [fd00:3::15]:0               Route   1      0          0         \n"
            "FWM  12 wlc\n"
            "  -> 10.3.0.21:0                  Route   1      0          0         \n");
  EXPECT_EQ(format_rules(services),
            "-A --sctp-service 10.3.0.100:80 -s wlc\n"
            "-a --sctp-service 10.3.0.100:80 -r 10.3.0.21:80 -g -w 1\n"
            "-A -f 7 -s wlc\n"
            "-a -f 7 -r 10.3.0.21:0 -g -w 1\n"
            "-A -f 7 -6 -s wlc\n"
            "-a -f 7 -6 -r [fd00:3::15]:0 -g -w 1\n"
            "-A -f 12 -s wlc\n"
            "-a -f 12 -r 10.3.0.21:0 -g -w 1\n");
}

TEST(IpvsFormat, MasksOfEveryLength) {
  for (const auto& [length, mask] : {std::pair{0, " mask 0.0.0.0"},
                                     {1, " mask 128.0.0.0"},
                                     {23, " mask 255.255.254.0"},
                                     {31, " mask 255.255.255.254"},
                                     {32, ""}}) {
    auto one = marked(1, "tcp/10.3.0.100:80", "10.3.0.21:0");
    one.persistence_timeout = std::chrono::seconds(50);
    one.persistence_prefix_length = static_cast<uint8_t>(length);
    EXPECT_THAT(format_services({one}), testing::HasSubstr(std::string("FWM  1 wlc persistent 50") + mask + "\n"));
  }
}

/// Reads the listing back into connections, so that every one of its lines is checked.
TEST(IpvsFormat, ConnectionsAreListedAsIpvsadmDoes) {
  std::istringstream lines(listing("Lnc"));
  std::string line;
  std::vector<IpvsConnection> connections;
  std::getline(lines, line);
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string protocol, expires, state, source, virtual_server, destination;
    words >> protocol >> expires >> state >> source >> virtual_server >> destination;
    const int seconds = std::stoi(expires.substr(0, 2)) * 60 + std::stoi(expires.substr(3));
    connections.push_back({.protocol = protocol == "UDP" ? Protocol::kUdp : Protocol::kTcp,
                           .expires_in = std::chrono::seconds(seconds),
                           .state = state,
                           .client = Endpoint::parse(source).value(),
                           .virtual_server = Endpoint::parse(virtual_server).value(),
                           .real_server = Endpoint::parse(destination).value()});
  }
  EXPECT_EQ(connections.size(), 18U);
  std::string text = connections_heading();
  for (const auto& connection : connections) text += format_connection(connection);
  EXPECT_EQ(text, listing("Lnc"));
}

TEST(IpvsFormat, EmptyTablesHaveTheirHeadings) {
  EXPECT_EQ(format_services({}),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n");
}

TEST(IpvsFormat, Timeouts) {
  EXPECT_EQ(format_timeouts({.tcp = 900, .tcpfin = 120, .udp = 300}), "Timeout (tcp tcpfin udp): 900 120 300\n");
}

TEST(IpvsFormat, LargeNumbersAreAbbreviatedAsIpvsadmDoes) {
  EXPECT_EQ(format_large(0, false), "        0");
  EXPECT_EQ(format_large(99'999'999, false), " 99999999");
  EXPECT_EQ(format_large(100'000'000, false), "  100000K");
  EXPECT_EQ(format_large(999'999'999, false), "  999999K");
  EXPECT_EQ(format_large(1'000'000'000, false), "    1000M");
  EXPECT_EQ(format_large(99'999'999'999, false), "   99999M");
  EXPECT_EQ(format_large(100'000'000'000, false), "     100G");
  EXPECT_EQ(format_large(100'000'000'000'000, false), "     100T");
  EXPECT_EQ(format_large(100'000'000'000, true), "100000000000");
}

}  // namespace
}  // namespace lbdp::control
