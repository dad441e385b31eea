// SPDX-License-Identifier: BSD-2-Clause
#include "control/backend_set.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lbdp::control {
namespace {

/// "[172.18.250.77]:tcp:80"
std::string bracketed(const Endpoint& endpoint, Protocol protocol) {
  return "[" + endpoint.address.to_string() + "]:" + std::string(to_string(protocol)) + ":" +
         std::to_string(endpoint.port);
}

LinkPlace unknown_place() {
  LinkPlace place;
  place.reason = "not looked up yet";
  return place;
}

RealServerKey checked_key(const ServiceInput& service, const RealServerInput& real) {
  return real.checked_as.value_or(RealServerKey{service.key, real.endpoint});
}

void take_health(dataplane::RealServerParams& to, const RealServerInput& real, bool up) {
  to.weight = real.inhibit_on_failure && !up ? 0 : real.weight;
  to.in_table = up || real.inhibit_on_failure;
}

void take_place(dataplane::RealServerParams& to, const LinkPlace& place) {
  to.mac = place.mac;
  to.egress = place.egress;
  to.vlan = place.vlan;
  to.mtu = place.mtu;
}

}  // namespace

dataplane::Tables outline(const BackendInputs& inputs) {
  dataplane::Tables tables;
  tables.virtual_servers.reserve(inputs.services.size());
  for (const auto& service : inputs.services) {
    auto& out = tables.virtual_servers.emplace_back();
    out.key = service.key;
    out.more_keys = service.more_keys;
    out.fwmark = service.fwmark;
    out.real_servers.reserve(service.real_servers.size());
    for (const auto& real : service.real_servers) out.real_servers.emplace_back().endpoint = real.endpoint;
  }
  return tables;
}

bool same_places(const BackendInputs& a, const BackendInputs& b) {
  const auto same_real = [](const RealServerInput& x, const RealServerInput& y) {
    return x.endpoint == y.endpoint && x.checked_as == y.checked_as;
  };
  const auto same_service = [&](const ServiceInput& x, const ServiceInput& y) {
    return x.key == y.key && x.more_keys == y.more_keys && x.fwmark == y.fwmark && x.instances == y.instances &&
           std::equal(x.real_servers.begin(), x.real_servers.end(), y.real_servers.begin(), y.real_servers.end(),
                      same_real);
  };
  return a.switches == b.switches &&
         std::equal(a.services.begin(), a.services.end(), b.services.begin(), b.services.end(), same_service);
}

std::string describe(HealthChange change, const RealServerKey& key, std::string_view service_name) {
  const std::string real = bracketed(key.real, key.service.protocol);
  const std::string service =
      service_name.empty() ? bracketed(key.service.endpoint, key.service.protocol) : std::string(service_name);
  switch (change) {
    case HealthChange::kRemoved: return "Removing service " + real + " from VS " + service;
    case HealthChange::kAdded: return "Adding service " + real + " to VS " + service;
    case HealthChange::kDisabled: return "Disabling service " + real + " of VS " + service;
    case HealthChange::kEnabled: return "Enabling service " + real + " of VS " + service;
    case HealthChange::kNone: break;
  }
  return "No change of service " + real + " of VS " + service;
}

std::string_view to_string(BackendStatus::State state) {
  switch (state) {
    case BackendStatus::State::kUp: return "UP";
    case BackendStatus::State::kDraining: return "DRAINING";
    case BackendStatus::State::kUnresolved: return "UNRESOLVED";
    case BackendStatus::State::kDown: return "DOWN";
  }
  return "?";
}

// --- configuration

void BackendSet::configure(BackendInputs inputs, const IsUp& is_up) {
  inputs_ = std::move(inputs);
  services_.clear();
  services_.reserve(inputs_.services.size());
  for (const auto& service : inputs_.services) services_.push_back(initial_params(service));
  auto before = std::exchange(health_, {});
  for (auto& [address, neighbour] : neighbours_) neighbour.positions.clear();
  for (uint32_t service = 0; service < services_.size(); ++service) {
    for (uint32_t real = 0; real < services_[service].real_servers.size(); ++real) {
      index_real({service, real}, before, is_up);
    }
  }
  std::erase_if(neighbours_, [](const auto& entry) { return entry.second.positions.empty(); });
  index_services();
  forget_changes();
  reconfigured_ = true;
}

void BackendSet::reconfigure(std::span<const uint32_t> services, BackendInputs inputs) {
  for (const uint32_t service : services) {
    inputs_.services[service] = std::move(inputs.services[service]);
    services_[service] = initial_params(inputs_.services[service]);
    for (uint32_t real = 0; real < services_[service].real_servers.size(); ++real) {
      const RealServerInput& its = input({service, real});
      take_health(params({service, real}), its, health_.at(checked_key(inputs_.services[service], its)).up);
      take_place(params({service, real}), neighbours_.at(its.endpoint.address).place);
    }
    mark_changed(service);
  }
}

void BackendSet::index_real(Position position, std::map<RealServerKey, Health>& before, const IsUp& is_up) {
  const RealServerInput& real = input(position);
  auto [entry, fresh] = health_.try_emplace(checked_key(inputs_.services[position.service], real));
  Health& health = entry->second;
  if (fresh) {
    health.up = is_up(entry->first);
    const auto known = before.find(entry->first);
    if (known != before.end()) {
      health.reason = std::move(known->second.reason);
    } else if (!health.up) {
      health.reason = "waits for its first good check";
    }
  }
  health.positions.push_back(position);
  Neighbour& neighbour = neighbours_.try_emplace(real.endpoint.address, Neighbour{unknown_place(), {}}).first->second;
  neighbour.positions.push_back(position);
  take_health(params(position), real, health.up);
  take_place(params(position), neighbour.place);
}

void BackendSet::index_services() {
  by_instance_.clear();
  for (uint32_t service = 0; service < services_.size(); ++service) {
    for (const auto& instance : inputs_.services[service].instances) by_instance_[instance].push_back(service);
  }
}

dataplane::VirtualServerParams BackendSet::initial_params(const ServiceInput& service) const {
  dataplane::VirtualServerParams out;
  out.key = service.key;
  out.more_keys = service.more_keys;
  out.fwmark = service.fwmark;
  out.scheduler = service.scheduler;
  out.scheduler_flags = service.scheduler_flags;
  out.persistence = service.persistence;
  out.one_packet = service.one_packet;
  out.owned = owned(service);
  out.real_servers.reserve(service.real_servers.size());
  for (const auto& real : service.real_servers) {
    auto& to = out.real_servers.emplace_back();
    to.endpoint = real.endpoint;
    to.upper_threshold = real.upper_threshold;
    to.lower_threshold = real.lower_threshold;
  }
  return out;
}

// --- events

HealthChange BackendSet::set_health(const RealServerKey& key, bool up, std::string reason) {
  const auto found = health_.find(key);
  if (found == health_.end()) return HealthChange::kNone;
  Health& health = found->second;
  const bool was_up = std::exchange(health.up, up);
  health.reason = std::move(reason);
  if (was_up == up) return HealthChange::kNone;
  for (const Position position : health.positions) {
    take_health(params(position), input(position), up);
    mark_changed(position.service);
  }
  if (input(health.positions.front()).inhibit_on_failure) return up ? HealthChange::kEnabled : HealthChange::kDisabled;
  return up ? HealthChange::kAdded : HealthChange::kRemoved;
}

void BackendSet::set_location(const IpAddress& address, LinkPlace location) {
  Neighbour& neighbour = neighbours_[address];
  const auto published = [](const LinkPlace& place) {
    return std::tie(place.mac, place.egress, place.vlan, place.mtu);
  };
  // The tables have no interface and no reason: a new one is no cause to publish.
  const bool changed = published(neighbour.place) != published(location);
  neighbour.place = std::move(location);
  if (!changed) return;
  for (const Position position : neighbour.positions) {
    take_place(params(position), neighbour.place);
    mark_changed(position.service);
  }
}

void BackendSet::set_master(const std::string& instance, bool master) {
  const bool changed = master ? masters_.insert(instance).second : masters_.erase(instance) > 0;
  if (!changed) return;
  const auto found = by_instance_.find(instance);
  if (found == by_instance_.end()) return;
  for (const uint32_t service : found->second) refresh_owned(service);
}

void BackendSet::set_masters(const std::set<std::string>& instances) {
  const std::set<std::string> before = masters_;
  for (const auto& instance : before) {
    if (!instances.contains(instance)) set_master(instance, false);
  }
  for (const auto& instance : instances) set_master(instance, true);
}

void BackendSet::refresh_owned(uint32_t service) {
  const bool now = owned(inputs_.services[service]);
  if (std::exchange(services_[service].owned, now) != now) mark_changed(service);
}

void BackendSet::mark_changed(uint32_t service) {
  if (is_changed_[service]) return;
  is_changed_[service] = true;
  changed_.push_back(service);
}

// --- tables

void BackendSet::forget_changes() {
  reconfigured_ = false;
  changed_.clear();
  is_changed_.assign(services_.size(), false);
}

dataplane::Tables BackendSet::take_tables() {
  forget_changes();
  return {.virtual_servers = services_, .switches = inputs_.switches};
}

std::vector<dataplane::VirtualServerParams> BackendSet::take_changes() {
  std::sort(changed_.begin(), changed_.end());
  std::vector<dataplane::VirtualServerParams> out;
  out.reserve(changed_.size());
  for (const uint32_t service : changed_) {
    out.push_back(services_[service]);
    is_changed_[service] = false;
  }
  changed_.clear();
  return out;
}

const RealServerInput& BackendSet::input(Position position) const {
  return inputs_.services[position.service].real_servers[position.real];
}

dataplane::RealServerParams& BackendSet::params(Position position) {
  return services_[position.service].real_servers[position.real];
}

// --- what is shown

bool BackendSet::owned(const ServiceInput& service) const {
  return service.instances.empty() ||
         std::any_of(service.instances.begin(), service.instances.end(),
                     [this](const std::string& instance) { return masters_.contains(instance); });
}

BackendStatus BackendSet::status(const ServiceInput& service, const RealServerInput& real) const {
  const Health& health = health_.at(checked_key(service, real));
  dataplane::RealServerParams published;
  take_health(published, real, health.up);
  BackendStatus row{.key = {service.key, real.endpoint},
                    .state = BackendStatus::State::kUp,
                    .reason = {},
                    .in_table = published.in_table,
                    .weight = published.weight,
                    .configured_weight = real.weight,
                    .location = neighbours_.at(real.endpoint.address).place};
  if (!health.up) {
    row.state = BackendStatus::State::kDown;
    row.reason = health.reason;
  } else if (!row.location.mac) {
    row.state = BackendStatus::State::kUnresolved;
    row.reason = row.location.reason;
  } else if (row.weight == 0) {
    row.state = BackendStatus::State::kDraining;
    row.reason = "weight 0";
  }
  return row;
}

std::vector<IpAddress> BackendSet::addresses() const {
  std::vector<IpAddress> addresses;
  for (const auto& [address, neighbour] : neighbours_) {
    if (!neighbour.positions.empty()) addresses.push_back(address);
  }
  return addresses;
}

bool BackendSet::wants_mail(const RealServerKey& key) const {
  const auto found = health_.find(key);
  return found != health_.end() && input(found->second.positions.front()).smtp_alert;
}

std::string_view BackendSet::service_name(const RealServerKey& key) const {
  const auto found = health_.find(key);
  if (found == health_.end()) return {};
  return inputs_.services[found->second.positions.front().service].name;
}

}  // namespace lbdp::control
