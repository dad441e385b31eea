// SPDX-License-Identifier: BSD-2-Clause
// Publications: what they cost, what they leave alone, and that publishing changes comes to the same as publishing all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/packet/support/director.h"
#include "tests/packet/support/running_workers.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Publisher;
using dataplane::ServiceId;
using dataplane::SlotId;
using dataplane::Snapshot;
using dataplane::Tables;
using dataplane::VirtualServerParams;

// 1,000 virtual servers with 10 real servers each.
Tables thousand() {
  Tables tables;
  for (unsigned s = 0; s < 1000; ++s) {
    VirtualServerParams params;
    params.key = {Protocol::kTcp, Endpoint{IpAddress::v4(Be<uint32_t>::from_host(0xc6120000 + s)), 80}};
    for (unsigned r = 0; r < 10; ++r) {
      auto real = server(1 + r % 9);
      real.endpoint.address = IpAddress::v4(Be<uint32_t>::from_host(0x0a000000 + s * 10 + r));
      params.real_servers.push_back(real);
    }
    tables.virtual_servers.push_back(params);
  }
  return tables;
}

TEST(Publication, SupersededSnapshotsWaitForTheWorkers) {
  Director director({.workers = 2});
  director.publish(web_and_dns(1));
  EXPECT_GT(director.publisher().pending(), 0U);
  director.worker(0).run_once();
  director.publisher().collect();
  EXPECT_GT(director.publisher().pending(), 0U) << "worker 1 has made no pass yet";
  director.worker(1).leave();
  director.publisher().collect();
  EXPECT_EQ(director.publisher().pending(), 0U) << "who sleeps is not waited for";
  director.worker(1).enter();
  EXPECT_EQ(server_of(director.send(segment(1, kSyn), 1)), 1U);
}

TEST(Publication, TenThousandServersAreBuiltInMilliseconds) {
  Director director;
  Tables tables = thousand();
  const auto start = std::chrono::steady_clock::now();
  director.publish(tables);
  const std::chrono::duration<double, std::milli> first = std::chrono::steady_clock::now() - start;
  tables.virtual_servers[500].real_servers[5].in_table = false;
  director.publish(tables);
  const std::chrono::duration<double, std::milli> both = std::chrono::steady_clock::now() - start;
  RecordProperty("first_publication_ms", std::to_string(first.count()));
  RecordProperty("next_publication_ms", std::to_string((both - first).count()));
  Frame f = tcp("10.0.0.1", 1, kSyn);
  f.dst = "198.18.3.231";  // number 999
  EXPECT_EQ(server_of(director.send(f)), 1U);
  f.dst = "198.18.1.244";  // number 500: picks pass over its server 5, which has server(6)'s MAC
  for (uint16_t port = 1; port <= 20; ++port) {
    f.sport = port;
    EXPECT_THAT(server_of(director.send(f)), testing::AllOf(testing::Ne(0U), testing::Ne(6U)));
  }
  EXPECT_EQ(director.counters(tables.virtual_servers[500].key, "10.0.19.141:80").connections, 0U);
  EXPECT_EQ(director.counters(tables.virtual_servers[500].key, "10.0.19.142:80").connections, 2U);
}

// ---- what a change leaves alone ----

// Everything of a snapshot that a slot's or a service's id leads to, to compare before and after.
struct Seen {
  std::vector<dataplane::RealSlot> slots;
  std::vector<dataplane::SlotDetail> details;
  std::vector<const dataplane::VirtualService*> services;
  std::vector<dataplane::SchedulerCursor> cursors;

  static Seen of(const Publisher& publisher) {
    const Snapshot& snapshot = publisher.current();
    Seen seen;
    for (size_t i = 0; i < snapshot.slot_count(); ++i) {
      seen.slots.push_back(snapshot.slot(SlotId{static_cast<uint16_t>(i)}));
      seen.details.push_back(snapshot.detail(SlotId{static_cast<uint16_t>(i)}));
    }
    for (size_t i = 0; i < publisher.registry().service_count(); ++i) {
      const auto* service = snapshot.service(ServiceId{static_cast<uint16_t>(i)});
      seen.services.push_back(service);
      seen.cursors.push_back(service->state->cursor());
    }
    return seen;
  }
};

bool same(const dataplane::RealSlot& a, const dataplane::RealSlot& b) {
  return a.macs == b.macs && a.plain_port == b.plain_port && a.generation == b.generation;
}
bool same(const dataplane::SlotDetail& a, const dataplane::SlotDetail& b) {
  return a.link == b.link && a.tenancy == b.tenancy && a.draining == b.draining && a.counts_load == b.counts_load;
}

TEST(PublishChanges, FlipsOfOneServerLeaveAllElseUntouched) {
  Director director;
  Tables tables = thousand();
  director.publish(tables);
  for (unsigned s = 0; s < 1000; s += 3) {  // cursors in many places
    Frame f = segment(s, kSyn);
    f.dst = tables.virtual_servers[s].key.endpoint.address.to_string();
    ASSERT_NE(server_of(director.send(f)), 0U);
  }
  constexpr size_t kService = 501;  // one with a cursor
  auto& params = tables.virtual_servers[kService];
  const auto id = static_cast<size_t>(*director.publisher().registry().find(params.key));
  for (unsigned flip = 0; flip < 20; ++flip) {
    const Seen before = Seen::of(director.publisher());
    const size_t flipped = flip / 2 % 10;
    params.real_servers[flipped].in_table = flip % 2 != 0;
    ASSERT_TRUE(director.publisher().publish_changes({&params, 1}).has_value());
    const Seen after = Seen::of(director.publisher());
    ASSERT_EQ(after.slots.size(), before.slots.size());
    const auto slot =
        director.publisher().registry().find(RealServerKey{params.key, params.real_servers[flipped].endpoint})->id;
    for (size_t i = 0; i < after.slots.size(); ++i) {
      const bool is_same = same(before.slots[i], after.slots[i]) && same(before.details[i], after.details[i]);
      ASSERT_EQ(is_same, i != static_cast<size_t>(slot)) << i;
    }
    for (size_t i = 0; i < after.services.size(); ++i) {
      ASSERT_EQ(after.services[i] == before.services[i], i != id) << "only this one is built anew: " << i;
      if (i != id) {
        ASSERT_EQ(after.cursors[i], before.cursors[i]) << i;
      }
    }
  }
}

TEST(PublishChanges, RoundRobinGoesOnAsAfterAWholePublication) {
  Director director;
  Tables tables = web_and_dns(4);
  director.publish(tables);
  EXPECT_EQ(server_of(director.send(segment(1, kSyn))), 1U);
  EXPECT_EQ(server_of(director.send(segment(2, kSyn))), 2U);
  tables.virtual_servers[0].real_servers[2].weight = 0;
  ASSERT_TRUE(director.publisher().publish_changes({&tables.virtual_servers[0], 1}).has_value());
  EXPECT_EQ(server_of(director.send(segment(3, kSyn))), 4U);
  EXPECT_EQ(server_of(director.send(segment(4, kSyn))), 1U);
}

TEST(PublishChanges, ErrorsChangeNothing) {
  Director director;
  Tables tables = web_and_dns(2);
  director.publish(tables);
  ASSERT_EQ(server_of(director.send(segment(1, kSyn))), 1U);
  const auto refused = [&](std::vector<VirtualServerParams> changed) {
    const Snapshot* const before = &director.publisher().current();
    const auto registered = director.publisher().registry().find(RealServerKey{kWeb, server(1).endpoint});
    const bool is_refused = !director.publisher().publish_changes(changed).has_value();
    const auto now = director.publisher().registry().find(RealServerKey{kWeb, server(1).endpoint});
    return is_refused && &director.publisher().current() == before && registered && now &&
           registered->generation == now->generation && director.connections().size() == 1;
  };
  // The first of the two would be good, and end client 1's connection.
  auto first = tables.virtual_servers[0];
  first.real_servers[0].in_table = false;
  auto second = tables.virtual_servers[1];
  second.real_servers.push_back(second.real_servers[0]);
  EXPECT_TRUE(refused({first, second})) << "a real server twice";
  second = tables.virtual_servers[1];
  second.real_servers[0].endpoint = Endpoint::parse("[2001:db8::1]:80").value();
  EXPECT_TRUE(refused({first, second})) << "of the other family";
  second = tables.virtual_servers[1];
  second.key.endpoint.port = 54;
  EXPECT_TRUE(refused({first, second})) << "not of the last publication";
  second = tables.virtual_servers[1];
  second.more_keys.push_back({Protocol::kUdp, Endpoint::parse("192.0.2.10:54").value()});
  EXPECT_TRUE(refused({first, second})) << "another destination";
  EXPECT_EQ(server_of(director.send(segment(1, kAck))), 1U);
  EXPECT_EQ(server_of(director.send(segment(2, kSyn))), 2U);
  EXPECT_EQ(server_of(director.send(segment(3, kSyn))), 1U);
  director.publish(tables);
  EXPECT_EQ(server_of(director.send(segment(1, kAck))), 1U) << "nor has the next publication anything to make good";
}

TEST(PublishChanges, OwnershipAndOnePacketSchedulingChangeToo) {
  Director director;
  Tables tables = web_and_dns(2);
  director.publish(tables);
  auto& dns = tables.virtual_servers[1];
  for (const bool owned : {false, true}) {
    for (auto& params : tables.virtual_servers) params.owned = owned;
    ASSERT_TRUE(director.publisher().publish_changes(tables.virtual_servers).has_value());
    if (owned) continue;
    EXPECT_EQ(director.send(udp("10.0.0.1", 1)).drops, (std::map<std::string, uint64_t>{{"vip_not_owned", 1}}));
  }
  dns.one_packet = true;
  ASSERT_TRUE(director.publisher().publish_changes({&dns, 1}).has_value());
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 1))), 1U);
  EXPECT_EQ(server_of(director.send(udp("10.0.0.1", 1))), 2U);
  EXPECT_EQ(director.status().connections + director.status().wide_connections, 0U);
}

// ---- against a publisher that only ever publishes whole ----

// What can be asked of a snapshot from outside: where destinations lead to, and the servers behind them by endpoint.
std::string describe(const Publisher& publisher, const Tables& tables) {
  const Snapshot& snapshot = publisher.current();
  std::string out;
  for (const auto& params : tables.virtual_servers) {
    auto keys = params.more_keys;
    keys.push_back(params.key);
    for (const ServiceKey& key : keys) {
      const auto hit =
          snapshot.find_service(static_cast<uint8_t>(key.protocol), dataplane::WideAddress::of(key.endpoint.address),
                                Be<uint16_t>::from_host(key.endpoint.port));
      out += key.to_string() + (hit.found() ? " found" : "") + (hit.owned() ? " owned" : "") +
             (hit.wide() ? " wide" : "") + (hit.one_packet() ? " ops" : "");
      if (!hit.found()) continue;
      const auto& service = *snapshot.service(hit.id());
      out += " scheduler " + std::to_string(static_cast<int>(service.scheduler.kind())) + " persistence " +
             std::to_string(service.persistence) + ":";
      for (const auto& entry : service.scheduler.servers()) {
        const auto* real = publisher.registry().real_server(entry.slot, snapshot.slot(entry.slot).generation);
        const auto& slot = snapshot.slot(entry.slot);
        const auto& link = snapshot.link(entry.slot);
        out += " " + (real == nullptr ? "?" : real->to_string()) + "*" + std::to_string(entry.weight) + "@" +
               hex(Bytes(slot.macs.begin(), slot.macs.end())) + std::to_string(slot.plain_port) + "/" +
               std::to_string(link.port) + "." + std::to_string(link.vlan) + "." + std::to_string(link.mtu) +
               (snapshot.detail(entry.slot).draining ? " draining" : "");
      }
      out += "\n";
    }
  }
  return out;
}

void change_at_random(VirtualServerParams& params, std::mt19937& random) {
  auto& reals = params.real_servers;
  const auto pick_real = [&]() -> dataplane::RealServerParams& { return reals[random() % reals.size()]; };
  switch (random() % 9) {
    case 0: params.owned = !params.owned; break;
    case 1: params.scheduler = static_cast<dataplane::Scheduler>(random() % 12); break;
    case 2: params.persistence.timeout = std::chrono::seconds(random() % 2 * 60); break;
    case 3:
      if (reals.size() > 1) reals.erase(reals.begin() + static_cast<ptrdiff_t>(random() % reals.size()));
      break;
    case 4:
      for (unsigned i = 1; i <= 9; ++i) {
        const auto is_i = [&](const auto& real) { return real.endpoint == server(i).endpoint; };
        if (std::none_of(reals.begin(), reals.end(), is_i)) {
          reals.push_back(server(i));
          break;
        }
      }
      break;
    case 5:
      std::rotate(reals.begin(), reals.begin() + static_cast<ptrdiff_t>(random() % reals.size()), reals.end());
      break;
    case 6: pick_real().weight = static_cast<int>(random() % 3); break;
    case 7: pick_real().vlan = static_cast<uint16_t>(random() % 2 * 7); break;
    default:
      if (random() % 2 == 0) {
        pick_real().in_table = random() % 2 == 0;
      } else if (auto& real = pick_real(); real.mac) {
        real.mac.reset();
      } else {
        real.mac = mac("02:00:00:00:01:09");
      }
  }
}

class MixedPublications : public testing::TestWithParam<bool> {};

TEST_P(MixedPublications, ComeToTheSameAsWholeOnes) {
  const std::vector<MacAddress> macs{mac(kPortMacs[0]), mac(kPortMacs[1])};
  Wires::get();  // EAL
  const auto mixed = std::move(Publisher::create(1, macs).value());
  const auto whole = std::move(Publisher::create(1, macs).value());
  std::mt19937 random(GetParam() ? 11 : 12);
  Tables tables;
  tables.switches.expire_nodest_conn = GetParam();
  for (unsigned s = 0; s < 6; ++s) {
    auto params = service({Protocol::kTcp, Endpoint::parse("192.0.2.10:" + std::to_string(80 + s)).value()}, 3);
    if (s == 2) params.more_keys = {{Protocol::kTcp, Endpoint::parse("192.0.2.11:0").value()}};
    tables.virtual_servers.push_back(params);
  }
  ASSERT_TRUE(mixed->publish(tables).has_value());
  ASSERT_TRUE(whole->publish(tables).has_value());
  for (int round = 0; round < 600; ++round) {
    std::vector<size_t> changed;
    for (size_t count = 1 + random() % 3; count > 0; --count) {
      changed.push_back(random() % tables.virtual_servers.size());
      change_at_random(tables.virtual_servers[changed.back()], random);
    }
    if (random() % 4 == 0) {
      ASSERT_TRUE(mixed->publish(tables).has_value());
    } else {
      std::vector<VirtualServerParams> params;
      for (const size_t i : changed) params.push_back(tables.virtual_servers[i]);
      ASSERT_TRUE(mixed->publish_changes(params).has_value());
    }
    ASSERT_TRUE(whole->publish(tables).has_value());
    ASSERT_EQ(describe(*mixed, tables), describe(*whole, tables)) << "round " << round;
    mixed->collect();
    whole->collect();
  }
}

INSTANTIATE_TEST_SUITE_P(ExpireNodestConn, MixedPublications, testing::Bool(),
                         [](const auto& one) { return one.param ? "on" : "off"; });

// Changes while threads forward: nothing is lost, and no connection of a server that stays moves.
TEST(PublishChanges, WhileWorkersForwardLoseNothing) {
  constexpr unsigned kFlows = 200, kRounds = 40;
  Director director({.workers = 2, .connections = 4096, .punt_ring = 8192});
  Tables tables = web_and_dns(5);
  director.publish(tables);
  std::map<std::string, std::map<unsigned, unsigned>> servers_by_client;
  unsigned out = 0;
  const auto collect = [&] {
    for (const auto& sent : Director::drain_ports()) {
      ++servers_by_client[hex(Bytes(sent.bytes.begin() + 26, sent.bytes.begin() + 30))][server_of(sent)];
      ++out;
    }
  };
  auto& web = tables.virtual_servers[0];
  {
    const RunningWorkers running(director);
    for (unsigned round = 0; round < kRounds; ++round) {
      for (unsigned i = 0; i < kFlows; ++i) {
        ASSERT_TRUE(offer(segment(i, round == 0 ? kSyn : kAck).bytes(), static_cast<uint16_t>(i % 2)));
        if (i % 25 == 0) collect();
        if (round == 0 || i % 10 != 0) continue;
        // Server 5 fails and comes back; the others' weights change, and the scheduler.
        web.scheduler =
            i % 20 == 0 ? dataplane::Scheduler::kWeightedLeastConnection : dataplane::Scheduler::kRoundRobin;
        web.real_servers[4].in_table = i / 10 % 2 == 0;
        web.real_servers[i / 10 % 4].weight = static_cast<int>(i / 20 % 2);
        ASSERT_TRUE(director.publisher().publish_changes({&web, 1}).has_value());
      }
      ASSERT_TRUE(wait_for_received(director, uint64_t{kFlows} * (round + 1)));
    }
  }
  collect();
  EXPECT_EQ(out + director.drain_punts().size(), kFlows * kRounds) << "the kernel resets server 5's former clients";
  unsigned of_server_5 = 0;
  for (const auto& [client, servers] : servers_by_client) {
    EXPECT_EQ(servers.size(), 1U) << client;
    if (servers.begin()->first == 5) {
      ++of_server_5;
    } else {
      EXPECT_EQ(servers.begin()->second, kRounds) << client;
    }
  }
  EXPECT_EQ(of_server_5, kFlows / 5);
  EXPECT_TRUE(adds_up(director));
}

}  // namespace
}  // namespace lbdp::packet_tests
