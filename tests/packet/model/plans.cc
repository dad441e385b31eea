// SPDX-License-Identifier: BSD-2-Clause
// The virtual servers of the random traffic, and how they change.
#include <algorithm>

#include "tests/packet/model/traffic.h"
#include "tests/packet/support/frames.h"

namespace lbdp::model {
namespace {

using dataplane::Scheduler;

constexpr unsigned kServers = 4;

bool counts_connections(Scheduler s) {
  switch (s) {
    case Scheduler::kLeastConnection:
    case Scheduler::kWeightedLeastConnection:
    case Scheduler::kShortestExpectedDelay:
    case Scheduler::kNeverQueue:
    case Scheduler::kOverflow: return true;
    default: return false;
  }
}

Scheduler random_scheduler(Random& random) {
  return random.of({Scheduler::kRoundRobin, Scheduler::kRoundRobin, Scheduler::kWeightedRoundRobin,
                    Scheduler::kWeightedRoundRobin, Scheduler::kLeastConnection, Scheduler::kWeightedLeastConnection,
                    Scheduler::kWeightedLeastConnection, Scheduler::kShortestExpectedDelay, Scheduler::kNeverQueue,
                    Scheduler::kSourceHash, Scheduler::kDestinationHash, Scheduler::kMaglev, Scheduler::kFailover,
                    Scheduler::kOverflow});
}

dataplane::VirtualServerParams virtual_server(Random& random, unsigned number, const std::string& key,
                                              const std::vector<std::string>& more_keys = {}) {
  dataplane::VirtualServerParams p;
  p.key = ServiceKey::parse(key).value();
  for (const auto& more : more_keys) p.more_keys.push_back(ServiceKey::parse(more).value());
  p.scheduler = random_scheduler(random);
  p.scheduler_flags.port = random.one_in(2);
  const std::string n{"0123456789abcdef"[number % 16]};
  for (unsigned i = 1; i <= kServers; ++i) {
    const std::string host = std::to_string(100 + i);
    dataplane::RealServerParams real;
    real.endpoint =
        Endpoint::parse(p.key.endpoint.address.is_v4() ? "192.0.2." + host + ":80" : "[2001:db8::" + host + "]:80")
            .value();
    real.endpoint.port = p.key.endpoint.port;
    real.weight = static_cast<int>(1 + random.below(4));
    real.mac = packet_tests::mac("02:00:00:00:0" + n + ":0" + std::to_string(i));
    p.real_servers.push_back(real);
  }
  return p;
}

}  // namespace

Plans::Plans(Random& random) : random_(random) {
  unsigned number = 0;
  const auto add = [&](const std::string& key, const std::vector<std::string>& more = {}) -> Listed& {
    services_.push_back({virtual_server(random_, ++number, key, more), std::vector<bool>(kServers, true)});
    return services_.back();
  };
  add("tcp/192.0.2.10:80");
  add("udp/192.0.2.10:53", {"udp/192.0.2.12:53"});
  add("tcp/192.0.2.10:0").params.persistence = {std::chrono::seconds(30), 24};
  add("sctp/192.0.2.10:36412");
  add("udp/192.0.2.10:5060").params.one_packet = true;
  add("tcp/[2001:db8::10]:80", {"tcp/[2001:db8::11]:0"}).params.persistence = {std::chrono::seconds(360), 64};
  add("udp/[2001:db8::10]:53");
  add("sctp/[2001:db8::10]:36412").params.persistence = {std::chrono::seconds(90), 128};
  add("tcp/192.0.2.20:80").params.owned = false;
  add("tcp/192.0.2.10:81").params.real_servers.clear();
  build();
}

void Plans::build() {
  tables_.virtual_servers.clear();
  for (const Listed& listed : services_) {
    if (!listed.there) continue;
    auto params = listed.params;
    for (size_t i = params.real_servers.size(); i-- > 0;) {
      if (!listed.present[i]) params.real_servers.erase(params.real_servers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    tables_.virtual_servers.push_back(params);
  }
}

void Plans::change_server(Listed& service) {
  auto& servers = service.params.real_servers;
  if (servers.empty()) return;
  const size_t i = random_.below(servers.size());
  auto& real = servers[i];
  const MacAddress some_mac{{2, 0, 0, 0, 0xaa, static_cast<uint8_t>(i)}};
  switch (random_.below(10)) {
    case 0:
    case 1: real.weight = random_.of({0, 0, 1, 2, 3, 6}); break;
    case 2:
    case 3: real.in_table = !real.in_table; break;
    case 4: real.mac = real.mac ? std::nullopt : std::optional(some_mac); break;
    case 5: real.vlan = random_.of<uint16_t>({0, 0, 100, 200}); break;
    case 6: real.mtu = random_.of<uint16_t>({1500, 1500, 1400, 600}); break;
    case 8:
      // Where the scheduler counts connections anyway; else the count begins with the threshold.
      if (!counts_connections(service.params.scheduler)) break;
      real.upper_threshold = random_.of<uint32_t>({0, 3, 8, 20});
      real.lower_threshold = real.upper_threshold / 4 * static_cast<uint32_t>(random_.below(3));
      break;
    case 7: real.egress = dataplane::PortId{random_.of<uint16_t>({0, 1})}; break;
    default:
      // A count that a removed server's connections are left out of is the schedulers' documented imprecision.
      if (tables_.switches.expire_nodest_conn || !counts_connections(service.params.scheduler))
        service.present[i] = !service.present[i];
  }
}

// All is well again.
void Plans::heal(Listed& service) {
  service.there = true;
  service.present.assign(kServers, true);
  for (auto& real : service.params.real_servers) {
    real.in_table = true;
    real.weight = std::max(real.weight, 1);
    real.upper_threshold = real.lower_threshold = 0;
    if (!real.mac) real.mac = MacAddress{{2, 0, 0, 0, 0xbb, 1}};
  }
}

std::optional<ServiceKey> Plans::change() {
  std::optional<ServiceKey> changed;
  auto& service = services_[random_.below(services_.size())];
  switch (random_.below(10)) {
    case 0: {
      auto& s = tables_.switches;
      bool& flag = *random_.of({&s.expire_nodest_conn, &s.expire_quiescent_template, &s.conn_reuse, &s.sloppy_tcp});
      flag = !flag;
      break;
    }
    case 1: services_[8].params.owned = !services_[8].params.owned; break;
    case 2: services_[3].there = !services_[3].there; break;
    case 3: heal(service); break;
    case 4:
    case 5:
      for (unsigned n = 0; n < 4; ++n) change_server(services_[random_.below(services_.size())]);
      break;
    default:
      change_server(service);
      if (service.there) changed = service.params.key;
  }
  build();
  return changed;
}

}  // namespace lbdp::model
