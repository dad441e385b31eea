// SPDX-License-Identifier: BSD-2-Clause
#include "control/ipvs_format.h"

#include <gtest/gtest.h>

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

/// What a destination of the listings has: active, inactive; connections, packets, bytes; weight.
struct Numbers {
  uint64_t active, inactive, connections, packets, bytes;
  int weight = 1;
};

IpvsService service(const std::string& key, const std::string& scheduler, const std::string& network,
                    const std::vector<std::string>& hosts, const std::vector<Numbers>& numbers) {
  IpvsService out{.key = ServiceKey::parse(key).value(), .scheduler = scheduler, .destinations = {}};
  for (size_t i = 0; i < hosts.size(); ++i) {
    const Endpoint endpoint{IpAddress::parse(network + hosts[i]).value(), out.key.endpoint.port};
    out.destinations.push_back({.endpoint = endpoint,
                                .weight = numbers[i].weight,
                                .active = numbers[i].active,
                                .inactive = numbers[i].inactive,
                                .connections = numbers[i].connections,
                                .packets = numbers[i].packets,
                                .bytes = numbers[i].bytes});
  }
  return out;
}

std::vector<IpvsService> services_of_the_listings() {
  const std::vector<std::string> v4{"21", "22", "23"}, v6{"15", "16", "17"};
  std::vector<IpvsService> all{
      service("tcp/10.3.0.100:8001", "rr", "10.3.0.", v4,
              {{0, 1, 1, 3, 120}, {1, 1, 2, 4, 160, 2}, {0, 0, 0, 0, 0, 0}}),
      service("tcp/10.3.0.100:8003", "wlc persistent 300 mask 255.255.255.0", "10.3.0.", v4,
              {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 160}}),
      service("tcp/10.3.0.100:8004", "mh (mh-fallback,mh-port)", "10.3.0.", v4,
              {{1, 0, 1, 1, 40}, {0, 1, 1, 3, 120}, {0, 0, 0, 0, 0}}),
      service("tcp/10.3.0.100:8005", "sh (sh-port)", "10.3.0.", v4,
              {{0, 1, 1, 3, 120}, {1, 0, 1, 1, 40}, {0, 0, 0, 0, 0}}),
      service("tcp/10.3.0.101:0", "rr persistent 360", "10.3.0.", v4,
              {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 160}}),
      service("udp/10.3.0.100:8002", "wrr ops", "10.3.0.", v4, {{0, 0, 1, 1, 32}, {0, 0, 1, 1, 32}, {0, 0, 2, 2, 64}}),
      service("udp/10.3.0.100:8007", "rr", "10.3.0.", v4, {{0, 0, 0, 0, 0}, {0, 1, 1, 3, 96}, {0, 1, 1, 1, 32}}),
      service("tcp/[fd00:3::100]:8006", "rr persistent 60 mask 64", "fd00:3::", v6,
              {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 2, 4, 240}}),
  };
  // In any order: the listing sorts.
  std::mt19937 random(1);
  std::shuffle(all.begin(), all.end(), random);
  for (auto& one : all) std::shuffle(one.destinations.begin(), one.destinations.end(), random);
  return all;
}

TEST(IpvsFormat, ServicesAreListedAsIpvsadmDoes) {
  EXPECT_EQ(format_services(services_of_the_listings()), listing("Ln"));
}

TEST(IpvsFormat, StatisticsAreListedAsIpvsadmDoes) {
  EXPECT_EQ(format_stats(services_of_the_listings(), false), listing("Ln--stats"));
  EXPECT_EQ(format_stats(services_of_the_listings(), true), listing("Ln--stats"));
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
  EXPECT_EQ(format_connections(connections), listing("Lnc"));
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
