// SPDX-License-Identifier: BSD-2-Clause
#include "control/backend_set.h"

#include <algorithm>
#include <utility>

namespace lbdp::control {
namespace {

/// "[172.18.250.77]:tcp:80"
std::string bracketed(const Endpoint& endpoint, Protocol protocol) {
  return "[" + endpoint.address.to_string() + "]:" + std::string(to_string(protocol)) + ":" +
         std::to_string(endpoint.port);
}

int weight_in_force(const RealServerInput& input, bool up) {
  return input.inhibit_on_failure && !up ? 0 : input.weight;
}

}  // namespace

dataplane::Tables outline(const BackendInputs& inputs) {
  dataplane::Tables tables;
  tables.virtual_servers.reserve(inputs.services.size());
  for (const auto& service : inputs.services) {
    auto& out = tables.virtual_servers.emplace_back();
    out.key = service.key;
    out.real_servers.reserve(service.real_servers.size());
    for (const auto& real : service.real_servers) out.real_servers.emplace_back().endpoint = real.endpoint;
  }
  return tables;
}

std::string describe(HealthChange change, const RealServerKey& key) {
  const std::string real = bracketed(key.real, key.service.protocol);
  const std::string service = bracketed(key.service.endpoint, key.service.protocol);
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

void BackendSet::configure(BackendInputs inputs, const IsUp& is_up) {
  std::map<RealServerKey, Real> next;
  std::set<IpAddress> addresses;
  for (const auto& service : inputs.services) {
    for (const auto& real : service.real_servers) {
      const RealServerKey key{service.key, real.endpoint};
      const auto known = reals_.find(key);
      const bool up = is_up(key);
      const std::string reason = up ? "" : "waits for its first good check";
      next[key] = {.input = real, .up = up, .reason = known == reals_.end() ? reason : known->second.reason};
      addresses.insert(real.endpoint.address);
    }
  }
  std::erase_if(locations_, [&](const auto& entry) { return !addresses.contains(entry.first); });
  reals_ = std::move(next);
  inputs_ = std::move(inputs);
  dirty_ = true;
}

HealthChange BackendSet::set_health(const RealServerKey& key, bool up, std::string reason) {
  const auto found = reals_.find(key);
  if (found == reals_.end()) return HealthChange::kNone;
  Real& real = found->second;
  const bool was_up = std::exchange(real.up, up);
  real.reason = std::move(reason);
  if (was_up == up) return HealthChange::kNone;
  dirty_ = true;
  if (real.input.inhibit_on_failure) return up ? HealthChange::kEnabled : HealthChange::kDisabled;
  return up ? HealthChange::kAdded : HealthChange::kRemoved;
}

void BackendSet::set_location(const IpAddress& address, LinkPlace location) {
  auto& known = locations_[address];
  // The tables hold the MAC and the port only: a new reason is no cause to publish.
  if (known.mac != location.mac || known.egress != location.egress) dirty_ = true;
  known = std::move(location);
}

void BackendSet::set_master(const std::string& instance, bool master) {
  const bool changed = master ? masters_.insert(instance).second : masters_.erase(instance) > 0;
  if (changed) dirty_ = true;
}

void BackendSet::set_masters(std::set<std::string> instances) {
  if (masters_ == instances) return;
  masters_ = std::move(instances);
  dirty_ = true;
}

bool BackendSet::owned(const ServiceInput& service) const {
  return service.instances.empty() ||
         std::any_of(service.instances.begin(), service.instances.end(),
                     [this](const std::string& instance) { return masters_.contains(instance); });
}

const LinkPlace& BackendSet::location(const IpAddress& address) const {
  static const LinkPlace kUnknown{.mac = {}, .egress = {}, .interface = {}, .reason = "not looked up yet"};
  const auto found = locations_.find(address);
  return found == locations_.end() ? kUnknown : found->second;
}

dataplane::RealServerParams BackendSet::params(const RealServerKey& key) const {
  const Real& real = reals_.at(key);
  const LinkPlace& place = location(key.real.address);
  return {.endpoint = key.real,
          .weight = weight_in_force(real.input, real.up),
          .in_table = real.up || real.input.inhibit_on_failure,
          .mac = place.mac,
          .egress = place.egress};
}

dataplane::Tables BackendSet::take_tables() {
  dataplane::Tables tables;
  tables.switches.expire_nodest_conn = inputs_.expire_nodest_conn;
  tables.virtual_servers.reserve(inputs_.services.size());
  for (const auto& service : inputs_.services) {
    auto& out = tables.virtual_servers.emplace_back();
    out.key = service.key;
    out.scheduler = service.scheduler;
    out.owned = owned(service);
    out.real_servers.reserve(service.real_servers.size());
    for (const auto& real : service.real_servers) out.real_servers.push_back(params({service.key, real.endpoint}));
  }
  dirty_ = false;
  return tables;
}

BackendStatus BackendSet::status(const ServiceInput& service, const RealServerInput& input) const {
  const RealServerKey key{service.key, input.endpoint};
  const auto as_published = params(key);
  const Real& real = reals_.at(key);
  BackendStatus row{.key = key,
                    .state = BackendStatus::State::kUp,
                    .reason = {},
                    .in_table = as_published.in_table,
                    .weight = as_published.weight,
                    .configured_weight = input.weight,
                    .location = location(input.endpoint.address)};
  if (!real.up) {
    row.state = BackendStatus::State::kDown;
    row.reason = real.reason;
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
  std::set<IpAddress> addresses;
  for (const auto& [key, real] : reals_) addresses.insert(key.real.address);
  return {addresses.begin(), addresses.end()};
}

bool BackendSet::wants_mail(const RealServerKey& key) const {
  const auto found = reals_.find(key);
  return found != reals_.end() && found->second.input.smtp_alert;
}

}  // namespace lbdp::control
