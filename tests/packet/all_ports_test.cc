// SPDX-License-Identifier: BSD-2-Clause
// Virtual servers of many destinations: all ports of an address, several addresses and protocols, ranges.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/packet/support/expected.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Tables;

ServiceKey key(Protocol protocol, const std::string& endpoint) {
  return {protocol, Endpoint::parse(endpoint).value()};
}
Frame to(Frame f, const std::string& address, uint16_t port) {
  f.dst = address, f.dport = port;
  return f;
}

struct Family {
  std::string client, vip, bracketed;
};
class AllPorts : public testing::TestWithParam<Family> {
 protected:
  [[nodiscard]] const std::string& client() const { return GetParam().client; }
  [[nodiscard]] const std::string& vip() const { return GetParam().vip; }
  [[nodiscard]] ServiceKey at(Protocol protocol, uint16_t port) const {
    return key(protocol, GetParam().bracketed + ":" + std::to_string(port));
  }
};
INSTANTIATE_TEST_SUITE_P(Families, AllPorts,
                         testing::Values(Family{"10.0.0.1", "192.0.2.10", "192.0.2.10"},
                                         Family{"2001:db8:1::1", "2001:db8::10", "[2001:db8::10]"}),
                         [](const auto& one) { return one.param.client == "10.0.0.1" ? "v4" : "v6"; });

TEST_P(AllPorts, TakesThePortsThatNobodyElseHas) {
  Director director;
  Tables tables;
  tables.virtual_servers = {service(at(Protocol::kTcp, 0), 2), service(at(Protocol::kTcp, 80), 1)};
  tables.virtual_servers[1].real_servers = {tables.virtual_servers[1].real_servers[0]};
  tables.virtual_servers[1].real_servers[0].mac = mac("02:00:00:00:01:09");
  director.publish(tables);
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 80), forwarded(9));
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 81), forwarded(1));
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 1), forwarded(2));
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 65535), forwarded(1));
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 0), forwarded(2));
  expect_fate(director, to(udp(client(), 1), vip(), 81), punted());
  expect_fate(director, to(tcp(client(), 1, kSyn), vip() == "192.0.2.10" ? "192.0.2.11" : "2001:db8::11", 81),
              punted());
  // Each its own connection, since the port is part of the key.
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 80), forwarded(9));
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 1), forwarded(2));
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 65535), forwarded(1));
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 82), punted());
  std::set<std::string> destinations;
  for (const auto& row : director.connections()) destinations.insert(row.virtual_server.to_string());
  const std::string prefix = GetParam().bracketed + ":";
  EXPECT_EQ(destinations,
            (std::set<std::string>{prefix + "80", prefix + "81", prefix + "1", prefix + "65535", prefix + "0"}));
}

// The port with its own virtual server comes and goes: old connections stay where they are.
TEST_P(AllPorts, AServiceWithThePortComesAndGoes) {
  Director director;
  Tables tables;
  tables.virtual_servers = {service(at(Protocol::kTcp, 0), 1)};
  director.publish(tables);
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 80), forwarded(1));
  tables.virtual_servers.push_back(service(at(Protocol::kTcp, 80), 1));
  tables.virtual_servers[1].real_servers[0].mac = mac("02:00:00:00:01:09");
  director.publish(tables);
  expect_fate(director, to(tcp(client(), 2, kSyn), vip(), 80), forwarded(9));
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 80), punted());
  tables.virtual_servers.pop_back();
  director.publish(tables);
  expect_fate(director, to(tcp(client(), 1, kAck), vip(), 80), forwarded(1));
}

// A VIP is ours or not, whatever the port.
TEST_P(AllPorts, OfAForeignVipNothingPasses) {
  Director director;
  Tables tables;
  tables.virtual_servers = {service(at(Protocol::kTcp, 0), 1)};
  tables.virtual_servers[0].owned = false;
  director.publish(tables);
  for (const uint16_t port : std::initializer_list<uint16_t>{0, 80, 65535})
    expect_fate(director, to(tcp(client(), 1, kSyn), vip(), port), dropped("vip_not_owned"));
}

TEST_P(AllPorts, FragmentsAndErrorsFollowAllTheSame) {
  Director director({.workers = 2});
  Tables tables;
  tables.virtual_servers = {service(at(Protocol::kUdp, 0), 3)};
  director.publish(tables);
  for (uint16_t port = 1; port <= 3; ++port) {
    Frame f = to(udp(client(), 7), vip(), port);
    f.payload = std::string(2000, 'x'), f.id = port;
    for (const Frame& part : fragments_of(f, 1000)) expect_fate(director, part, forwarded(port), 1);
    const bool v6 = f.is_v6();
    const Frame error = icmp_error(v6 ? "2001:db8:9::9" : "10.9.9.9", v6 ? 1 : 3, 4, answer_to(f), 100);
    expect_fate(director, error, forwarded(port), 0);
    expect_fate(director, error, forwarded(port), 1);
  }
}

TEST_P(AllPorts, AllProtocolsOfOneAddress) {
  Director director;
  Tables tables;
  auto all = service(at(Protocol::kTcp, 0), 3);
  all.more_keys = {at(Protocol::kUdp, 0), at(Protocol::kSctp, 0)};
  all.fwmark = 5;
  tables.virtual_servers = {all};
  director.publish(tables);
  // One cursor over all of them.
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 80), forwarded(1));
  expect_fate(director, to(udp(client(), 1), vip(), 80), forwarded(2));
  expect_fate(director, to(sctp(client(), 1, kInitChunk), vip(), 80), forwarded(3));
  expect_fate(director, to(tcp(client(), 1, kSyn), vip(), 443), forwarded(1));
  for (int again = 0; again < 2; ++again) {
    expect_fate(director, to(udp(client(), 1), vip(), 80), forwarded(2));
    expect_fate(director, to(sctp(client(), 1, kCookieEchoChunk), vip(), 80), forwarded(3));
    expect_fate(director, to(tcp(client(), 1, kAck), vip(), 80), forwarded(1));
  }
  const auto real = all.real_servers[0].endpoint.to_string();
  EXPECT_EQ(director.counters(all.key, real).connections, 2U) << "counted under the virtual server's own key";
}

// A firewall mark's destinations: addresses, ports and protocols as they come.
TEST_P(AllPorts, OneVirtualServerOfMixedDestinations) {
  for (const uint16_t workers : std::initializer_list<uint16_t>{1, 4}) {
    Director director({.workers = workers});
    const bool v6 = vip().find(':') != std::string::npos;
    const std::string other = v6 ? "2001:db8::20" : "192.0.2.20", other_bracketed = v6 ? "[2001:db8::20]" : other;
    auto marked = service(at(Protocol::kTcp, 80), 3);
    marked.more_keys = {at(Protocol::kTcp, 443), at(Protocol::kUdp, 53), key(Protocol::kTcp, other_bracketed + ":80"),
                        key(Protocol::kSctp, other_bracketed + ":0")};
    Tables tables;
    tables.virtual_servers = {marked};
    director.publish(tables);
    const std::vector<Frame> opening{to(tcp(client(), 1, kSyn), vip(), 80), to(tcp(client(), 1, kSyn), vip(), 443),
                                     to(udp(client(), 1), vip(), 53), to(tcp(client(), 1, kSyn), other, 80),
                                     to(sctp(client(), 1, kInitChunk), other, 9999)};
    for (unsigned i = 0; i < 5; ++i)
      expect_fate(director, opening[i], forwarded(i % 3 + 1), static_cast<uint16_t>(i % workers));
    for (unsigned i = 0; i < 5; ++i)
      expect_fate(director, opening[i], forwarded(i % 3 + 1), static_cast<uint16_t>(i % workers));
    EXPECT_EQ(director.connections().size(), 5U);
    expect_fate(director, to(udp(client(), 1), vip(), 80), punted());
    expect_fate(director, to(tcp(client(), 1, kSyn), other, 443), punted());
    // A destination leaves the virtual server, and comes back: its connections wait for it.
    auto fewer = tables;
    fewer.virtual_servers[0].more_keys.erase(fewer.virtual_servers[0].more_keys.begin());
    director.publish(fewer);
    expect_fate(director, opening[1], punted(), static_cast<uint16_t>(1 % workers));
    expect_fate(director, opening[0], forwarded(1));
    director.publish(tables);
    expect_fate(director, opening[0], forwarded(1));
  }
}

// virtual_server_group's ranges: 256 addresses, one scheduler.
TEST(AddressRange, TwoHundredFiftySixVips) {
  for (const bool v6 : {false, true}) {
    Director director;
    const std::string open = v6 ? "[2001:db8:5::" : "198.51.100.", close = v6 ? "]:80" : ":80";
    const auto text = [&](unsigned i) {
      char hex_digits[8];
      (void)snprintf(hex_digits, sizeof hex_digits, v6 ? "%x" : "%u", i);
      return std::string(hex_digits);
    };
    auto range = service(key(Protocol::kTcp, open + text(0) + close), 5);
    for (unsigned i = 1; i < 256; ++i) range.more_keys.push_back(key(Protocol::kTcp, open + text(i) + close));
    Tables tables;
    tables.virtual_servers = {range};
    director.publish(tables);
    const std::string client = v6 ? "2001:db8:1::1" : "10.0.0.1", address = v6 ? "2001:db8:5::" : open;
    for (const uint8_t flags : {kSyn, kAck}) {
      for (unsigned i = 0; i < 256; ++i)
        expect_fate(director, to(tcp(client, 1, flags), address + text(i), 80), forwarded(i % 5 + 1));
    }
    expect_fate(director, to(tcp(client, 1, kSyn), v6 ? "2001:db8:5::100" : "198.51.101.0", 80), punted());
    EXPECT_EQ(director.connections().size(), 256U) << "the destination is part of the key";
    EXPECT_EQ(director.counters(range.key, range.real_servers[0].endpoint.to_string()).connections, 52U);
  }
}

// One client over all the addresses of a range keeps its server.
TEST(AddressRange, PersistenceIsTheVirtualServersOwn) {
  Director director;
  auto range = service(key(Protocol::kTcp, "198.51.100.0:0"), 5);
  for (unsigned i = 1; i < 256; ++i)
    range.more_keys.push_back(key(Protocol::kTcp, "198.51.100." + std::to_string(i) + ":0"));
  range.persistence.timeout = std::chrono::seconds(60);
  Tables tables;
  tables.virtual_servers = {range};
  director.publish(tables);
  for (unsigned client = 0; client < 5; ++client) {
    for (unsigned i = 0; i < 256; i += 15) {
      const Frame f = tcp("10.0.0." + std::to_string(client), static_cast<uint16_t>(i), kSyn);
      expect_fate(director, to(f, "198.51.100." + std::to_string(i), static_cast<uint16_t>(i)), forwarded(client + 1));
    }
  }
}

}  // namespace
}  // namespace lbdp::packet_tests
