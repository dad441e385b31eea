// SPDX-License-Identifier: BSD-2-Clause
// The reference model's publications and its time; what it lists.
#include <algorithm>

#include "tests/packet/model/director.h"

namespace lbdp::model {
namespace {

constexpr Ticks kFirstFragmentLife = 4 * kSecond, kHoldTime = kSecond / 2, kRearm = 60 * kSecond;

IpAddress address_of(const Address& bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() == 16) return IpAddress::v6(std::span<const uint8_t, 16>(data, 16));
  uint32_t host = 0;
  for (size_t i = 0; i < 4; ++i) host = host * 256 + data[i];
  return IpAddress::v4(Be<uint32_t>::from_host(host));
}

Address masked(const Address& address, size_t bits) {
  Address out;
  for (size_t i = 0; i < address.size(); ++i) {
    const size_t kept = std::min<size_t>(bits - std::min(bits, 8 * i), 8);
    out += static_cast<char>(static_cast<uint8_t>(address[i]) & (0xff00U >> kept));
  }
  return out;
}

// IPVS's way with a template whose time is over while connections made under it live: a minute more, and again.
Ticks rearmed(Ticks expires, Ticks now) {
  while (expires < now) expires += kRearm;
  return expires;
}

template <class Map, class Condition>
void forget_if(Map& map, Condition condition) {
  std::erase_if(map, [&](const auto& item) { return condition(item.second); });
}

}  // namespace

Address bytes_of(const IpAddress& address) {
  return {address.bytes().begin(), address.bytes().end()};
}

Director::Director(unsigned workers, std::vector<std::string> port_macs, Maglev maglev)
    : port_macs_(std::move(port_macs)), maglev_(std::move(maglev)), workers_(workers) {}

void Director::publish(const dataplane::Tables& tables) {
  switches_ = tables.switches;
  std::set<ServiceKey> wanted;
  for (const auto& params : tables.virtual_servers) wanted.insert(params.key);
  std::vector<ServiceKey> gone;
  for (const auto& [key, service] : services_) {
    if (!wanted.contains(key)) gone.push_back(key);
  }
  for (const auto& key : gone) forget_service(key);
  destinations_.clear();
  for (const auto& params : tables.virtual_servers) {
    destinations_[params.key] = {params.key, params.key, params.owned};
    for (const auto& key : params.more_keys) destinations_[key] = {params.key, key, params.owned};
    take_over(services_[params.key], params);
  }
}

void Director::forget_service(const ServiceKey& key) {
  for (Worker& worker : workers_)
    forget_if(worker.connections, [&](const Connection& c) { return c.server.service == key; });
  std::erase_if(templates_, [&](const auto& item) { return item.first.first == key; });
  services_.erase(key);
}

void Director::end_connections(const ServerRef& ref) {
  for (Worker& worker : workers_) forget_if(worker.connections, [&](const Connection& c) { return c.server == ref; });
}

void Director::take_over(Service& service, const dataplane::VirtualServerParams& params) {
  const bool expire = switches_.expire_nodest_conn;
  service.params = params;
  for (auto& [endpoint, server] : service.servers) server.listed = false;
  for (const auto& real : params.real_servers) {
    auto [known, is_new] = service.servers.try_emplace(real.endpoint);
    Server& server = known->second;
    if (is_new) server.life = ++lives_;
    server.listed = true;
    // Raised or taken away, a threshold ends an overload at once; lowered, it counts from the next connection on.
    const uint32_t before = is_new ? 0 : server.params.upper_threshold;
    if (real.upper_threshold == 0 || real.upper_threshold > before) server.overloaded = false;
    server.params = real;
    if (real.in_table) server.remembered = true;
    if (real.in_table || !expire || !server.remembered) continue;
    end_connections({params.key, real.endpoint, server.life});
    server.life = ++lives_;
    server.remembered = server.overloaded = false;
  }
  for (auto it = service.servers.begin(); it != service.servers.end();) {
    Server& server = it->second;
    if (server.listed || (!expire && server.remembered)) {
      ++it;
      continue;
    }
    end_connections({params.key, it->first, server.life});
    it = service.servers.erase(it);
  }
  service.scheduling.set_list(params.scheduler, params.scheduler_flags, candidates(service));
}

std::vector<Candidate> Director::candidates(const Service& service) const {
  std::vector<Candidate> out;
  for (const auto& real : service.params.real_servers) {
    const ServerCounters counted = counters(service.params.key, real.endpoint);
    const bool usable = real.in_table && real.mac && real.weight > 0 && !overloaded(service.params.key, real.endpoint);
    out.push_back(
        {real.endpoint.to_string(), usable ? static_cast<uint64_t>(real.weight) : 0, counted.active, counted.inactive});
  }
  return out;
}

const Director::Server* Director::find_server(const ServerRef& ref) const {
  const auto service = services_.find(ref.service);
  if (service == services_.end()) return nullptr;
  const auto server = service->second.servers.find(ref.endpoint);
  if (server == service->second.servers.end() || server->second.life != ref.life) return nullptr;
  return &server->second;
}

std::optional<Director::TemplateKey> Director::template_key(const ConnectionKey& key) const {
  const auto& params = services_.at(destinations_.at(key.destination).service).params;
  if (params.persistence.timeout.count() == 0) return std::nullopt;
  return TemplateKey{params.key, masked(key.client, params.persistence.granularity)};
}

// A connection is over: its client's template has one less.
void Director::bury(Worker& worker, const ConnectionKey& key) {
  const auto connection = worker.connections.find(key);
  if (const auto name = template_key(key)) {
    const auto t = templates_.find(*name);
    if (t != templates_.end() && t->second.server == connection->second.server && t->second.connections > 0) {
      t->second.expires = rearmed(t->second.expires, now_);
      --t->second.connections;
    }
  }
  const ServerRef its_server = connection->second.server;
  worker.connections.erase(connection);
  note_load(its_server, false);
}

// IPVS's rule: overloaded from the upper threshold on, until below the lower one, or three quarters of the upper.
void Director::note_load(const ServerRef& ref, bool one_more) {
  Server& s = server(ref);
  const ServerCounters counted = counters(ref.service, ref.endpoint);
  const uint64_t total = counted.active + counted.inactive, upper = s.params.upper_threshold,
                 lower = s.params.lower_threshold;
  if (upper == 0) return;
  if (one_more && total >= upper) s.overloaded = true;
  if (!one_more && (lower != 0 ? total < lower : total * 4 < upper * 3)) s.overloaded = false;
}

bool Director::overloaded(const ServiceKey& key, const Endpoint& endpoint) const {
  const auto service = services_.find(key);
  if (service == services_.end() || !service->second.servers.contains(endpoint)) return false;
  const Server& server = service->second.servers.at(endpoint);
  return server.overloaded && server.params.upper_threshold != 0;
}

std::vector<uint64_t> Director::pass(Ticks time) {
  now_ += time;
  std::vector<uint64_t> given_up(workers_.size(), 0);
  for (size_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    std::vector<ConnectionKey> over;
    for (const auto& [key, c] : worker.connections) {
      const unsigned protocol = static_cast<unsigned>(key.destination.protocol);
      if (now_ - c.last_packet > lifetime(protocol, c.state) + lifetime_slack(c.state)) over.push_back(key);
    }
    for (const auto& key : over) bury(worker, key);
    forget_if(worker.first_fragments, [&](const FirstFragment& f) { return now_ - f.since > kFirstFragmentLife; });
    given_up[w] = std::erase_if(worker.held, [&](const HeldFragment& h) { return now_ - h.since > kHoldTime; });
  }
  forget_if(templates_, [&](const Template& t) { return t.connections == 0 && t.expires < now_; });
  return given_up;
}

bool Director::nothing_ends(Ticks begin, Ticks end) const {
  const Ticks from = now_ + begin, to = now_ + end;
  for (const Worker& worker : workers_) {
    for (const auto& [key, c] : worker.connections) {
      const unsigned protocol = static_cast<unsigned>(key.destination.protocol);
      const Ticks at_least = c.last_packet + lifetime(protocol, c.state) + 1;
      if (at_least <= to && at_least + lifetime_slack(c.state) > from) return false;
    }
  }
  for (const auto& [key, t] : templates_) {
    Ticks ends = t.expires;
    while (t.connections > 0 && ends < from) ends += kRearm;
    if (ends >= from && ends <= to) return false;
  }
  return true;
}

ServerCounters Director::counters(const ServiceKey& key, const Endpoint& endpoint) const {
  const auto service = services_.find(key);
  if (service == services_.end() || !service->second.servers.contains(endpoint)) return {};
  const Server& server = service->second.servers.at(endpoint);
  ServerCounters out = server.counters;
  const ServerRef ref{key, endpoint, server.life};
  for (const Worker& worker : workers_) {
    for (const auto& [name, c] : worker.connections) {
      if (c.server == ref) ++(is_active(c.state) ? out.active : out.inactive);
    }
  }
  return out;
}

std::vector<std::string> Director::connections() const {
  std::vector<std::string> out;
  for (size_t w = 0; w < workers_.size(); ++w) {
    for (const auto& [key, c] : workers_[w].connections) {
      Endpoint destination = key.destination.endpoint, real = c.server.endpoint;
      if (destination.port == 0) {
        destination.port = static_cast<uint16_t>(key.port);
        if (real.port == 0) real.port = destination.port;
      }
      const Endpoint client{address_of(key.client), static_cast<uint16_t>(key.client_port)};
      out.push_back(std::to_string(w) + " " + std::string(to_string(key.destination.protocol)) + " " +
                    client.to_string() + " " + destination.to_string() + " " + real.to_string() + " " + c.state);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Director::templates() const {
  std::vector<std::string> out;
  for (const auto& [key, t] : templates_) {
    if (find_server(t.server) == nullptr) continue;
    out.push_back(key.first.to_string() + " " + address_of(key.second).to_string() + " " +
                  t.server.endpoint.to_string() + " " + std::to_string(t.connections));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace lbdp::model
